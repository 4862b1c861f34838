//! A record that did not reach the bus, as it stands in the dead-letter bucket until it is replayed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{ChangeId, KeyHash, RejectReason, SCHEMA_VERSION, Sequence};

/// Under which all dead letters lie in their bucket.
pub const DEAD_PREFIX: &str = "dead/";

/// One record, whole, and why it is here.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter<'a> {
    pub schema_version: String,
    pub record_id: ChangeId,
    pub cause: DeadLetterCause,
    /// The stream record as Pipes gave it, or would have given it.
    #[serde(borrow)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub record: &'a RawValue,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum DeadLetterCause {
    /// The record cannot become a change event, or a row of the lake.
    Rejected { reason: RejectReason, element: String },
    /// The pipe gave the record up: retried too often, or too old.
    PipeGaveUp {
        /// The pipe's own word, such as `RetryAttemptsExhausted`.
        condition: String,
    },
}

impl<'a> DeadLetter<'a> {
    #[must_use]
    pub fn new(record_id: ChangeId, cause: DeadLetterCause, record: &'a RawValue) -> Self {
        Self { schema_version: SCHEMA_VERSION.to_owned(), record_id, cause, record }
    }

    /// A function of the record alone, so that a record that dies twice stands there once.
    #[must_use]
    pub fn object_key(record_id: &ChangeId) -> String {
        format!("{DEAD_PREFIX}{record_id}.json")
    }

    /// Under which the records lie that are missing in the lake. They lie by themselves, because the bus may well have them.
    pub const LAKE_PREFIX: &'static str = "dead/lake/";

    /// Of a record that is missing in the lake.
    #[must_use]
    pub fn lake_object_key(record_id: &ChangeId) -> String {
        format!("{}{record_id}.json", Self::LAKE_PREFIX)
    }
}

/// The message on the rejects queue: where the record stands, and why. It holds nothing of the item itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RejectNotice {
    pub schema_version: String,
    pub record_id: ChangeId,
    pub bucket: String,
    pub object_key: String,
    pub reason: RejectReason,
    /// The element that cannot be read, such as `Patient.birthDate`.
    pub element: String,
    /// A digest of the item's key, where the key can be read.
    pub key_hash: Option<KeyHash>,
    pub sequence: Option<Sequence>,
}
