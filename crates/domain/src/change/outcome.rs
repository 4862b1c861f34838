//! The contract between `stream-enricher` and `item-router`: one outcome for each record, in the records' order.
//!
//! Every outcome carries the record's `eventID`, because Pipes finds the records of a partial failure by that member of
//! the enrichment's answer (EventBridge user guide, "Amazon EventBridge Pipes batching and concurrency").

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::event::push_json;
use super::{ChangeId, DataRef, KeyHash, Reject, RejectReason, Sequence};

/// What became of one record, as the router reads it.
#[derive(Debug, Deserialize)]
pub struct Outcome<'a> {
    #[serde(rename = "eventID", borrow)]
    pub event_id: Cow<'a, str>,
    /// Changes with the same key go out in their order.
    #[serde(default)]
    pub key: Option<KeyHash>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    rejected: Option<Rejected<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected<'a> {
    pub record_id: ChangeId,
    pub reason: RejectReason,
    #[serde(borrow)]
    pub element: Cow<'a, str>,
    pub sequence: Option<Sequence>,
    /// The record as it came.
    #[serde(borrow, default)]
    pub record: Option<&'a RawValue>,
    /// Where the record lies, if it is too large for the answer.
    #[serde(default)]
    pub record_ref: Option<DataRef>,
}

#[derive(Debug)]
pub enum Payload<'a> {
    /// The change event: an object with the members of [`super::ChangeEvent`].
    Enriched(&'a RawValue),
    Rejected(Rejected<'a>),
}

impl<'a> Outcome<'a> {
    /// `None` where the outcome is neither: the enricher and the router are not of the same release.
    #[must_use]
    pub fn payload(self) -> Option<(Cow<'a, str>, Option<KeyHash>, Payload<'a>)> {
        let payload = match (self.event, self.rejected) {
            (Some(event), None) => Payload::Enriched(event),
            (None, Some(rejected)) => Payload::Rejected(rejected),
            _ => return None,
        };
        Some((self.event_id, self.key, payload))
    }
}

/// Appends the outcome of a record that became a change event.
pub fn write_enriched(event_id: &str, key: &KeyHash, event: &str, out: &mut String) {
    push_head(event_id, Some(key), out);
    out.push_str(",\"event\":");
    out.push_str(event);
    out.push('}');
}

/// Appends the outcome of a record that became none. `record` is the record's JSON, or where it lies.
pub fn write_rejected(
    identity: &super::Identity,
    reject: &Reject,
    record: Result<&str, &DataRef>,
    out: &mut String,
) {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Head<'a> {
        record_id: &'a ChangeId,
        reason: RejectReason,
        element: &'a str,
        sequence: Option<&'a Sequence>,
    }

    push_head(&identity.event_id, identity.key.as_ref(), out);
    out.push_str(",\"rejected\":");
    push_json(
        out,
        &Head {
            record_id: &identity.id,
            reason: reject.reason,
            element: &reject.element,
            sequence: identity.sequence.as_ref(),
        },
    );
    // The object is opened again for the record, which is copied as it came.
    out.pop();
    match record {
        Ok(record) => {
            out.push_str(",\"record\":");
            out.push_str(record);
        }
        Err(data_ref) => {
            out.push_str(",\"recordRef\":");
            push_json(out, data_ref);
        }
    }
    out.push_str("}}");
}

fn push_head(event_id: &str, key: Option<&KeyHash>, out: &mut String) {
    out.push_str("{\"eventID\":");
    push_json(out, event_id);
    if let Some(key) = key {
        out.push_str(",\"key\":");
        push_json(out, key);
    }
}
