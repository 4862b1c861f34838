//! EventBridge: a bus that takes every entry.

use std::borrow::Cow;

use anyhow::Context;
use hyper::body::Bytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Refusal, unreadable};

/// Entries a request may hold (Amazon EventBridge API reference, "PutEvents").
const REQUEST_ENTRIES: usize = 10;
const EVENT_ID: &str = "00000000-0000-4000-8000-000000000000";

/// Of a `PutEvents` request: the members by which an event is known to its consumers.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry<'a> {
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    #[serde(borrow)]
    pub detail_type: Cow<'a, str>,
    #[serde(borrow)]
    pub event_bus_name: Cow<'a, str>,
    /// A JSON text.
    #[serde(borrow)]
    pub detail: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents<T> {
    entries: Vec<T>,
}

pub(super) fn put_events(request: &[u8]) -> Result<Value, Refusal> {
    let request: PutEvents<IgnoredAny> = serde_json::from_slice(request).map_err(|_| unreadable())?;
    let entries = request.entries.len();
    if !(1..=REQUEST_ENTRIES).contains(&entries) {
        let message = format!("{entries} entries in a request");
        return Err(Refusal { code: "ValidationException", message });
    }
    Ok(json!({"FailedEntryCount": 0, "Entries": vec![json!({"EventId": EVENT_ID}); entries]}))
}

/// The entries of `PutEvents` requests, in the order in which the requests came.
///
/// # Errors
/// Where an entry lacks a member.
pub fn entries(requests: &[Bytes]) -> anyhow::Result<Vec<Entry<'_>>> {
    let mut entries = Vec::new();
    for request in requests {
        let request: PutEvents<Entry<'_>> =
            serde_json::from_slice(request).context("an entry lacks a member")?;
        entries.extend(request.entries);
    }
    Ok(entries)
}
