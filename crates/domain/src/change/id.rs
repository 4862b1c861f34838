//! Names that a change keeps however often it is delivered.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reject;
use crate::digest::digest;

/// The id of a change: the same for every delivery of the same change, and different for any two changes.
///
/// Of a stream record it is a digest of the stream's ARN (which names account, region, table and stream), the record's
/// `eventID` and its sequence number. An ARN, because two tables may number their records alike. Of an exported resource
/// it is a digest of what names its version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ChangeId(#[schemars(regex(pattern = "^[0-9a-f]{32}$"))] String);

/// The same name for a record that was not read as far as to become a change.
pub type RecordId = ChangeId;

impl ChangeId {
    #[must_use]
    pub fn of_record(stream_arn: &str, event_id: &str, sequence_number: &str) -> Self {
        Self(digest("change", &[stream_arn, event_id, sequence_number]))
    }

    /// Of a resource in HealthLake. `last_updated` is part of it, because it is not documented whether an id that was
    /// erased and made again counts its versions on.
    #[must_use]
    pub fn of_resource_version(
        datastore: &str,
        resource_type: &str,
        resource_id: &str,
        version_id: &str,
        last_updated: &str,
    ) -> Self {
        Self(digest("resource", &[datastore, resource_type, resource_id, version_id, last_updated]))
    }

    /// Of a resource that does not say which version it is: the same line has the same id.
    #[must_use]
    pub fn of_resource_line(datastore: &str, line: &str) -> Self {
        Self(digest("line", &[datastore, line]))
    }

    /// Of what happened to a run of exports; each of these happens once.
    #[must_use]
    pub fn of_run_event(datastore: &str, run: &str, detail_type: &str) -> Self {
        Self(digest("run", &[datastore, run, detail_type]))
    }

    /// Of how an item stood, or that it was gone, at a time in microseconds since 1970. `item` is part of it, because a scan
    /// that goes on after an interruption may find the item changed.
    #[must_use]
    pub fn of_snapshot(
        table_arn: &str,
        operation: &str,
        id: &str,
        sort_key: &str,
        micros: &str,
        item: &str,
    ) -> Self {
        Self(digest("snapshot", &[table_arn, operation, id, sort_key, micros, item]))
    }

    /// For a record in which not even its identity can be read: the same bytes have the same id.
    #[must_use]
    pub fn of_bytes(record: &str) -> Self {
        Self(digest("bytes", &[record]))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A digest of an item's key, for logs and queues, which may not show the key itself (a key may hold a record number).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct KeyHash(#[schemars(regex(pattern = "^[0-9a-f]{32}$"))] String);

impl KeyHash {
    #[must_use]
    pub fn of(id: &str, sort_key: &str) -> Self {
        Self(digest("key", &[id, sort_key]))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A stream record's sequence number, zero-padded to 40 digits, so that the order of the text is the order of changes.
///
/// DynamoDB gives 21 to 40 digits (Amazon DynamoDB API reference, "StreamRecord"), in which `"9"` sorts after `"10"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Sequence(#[schemars(regex(pattern = "^[0-9]{40}$"))] String);

impl Sequence {
    /// # Errors
    /// Where the text is not 1 to 40 digits.
    pub fn parse(number: &str) -> Result<Self, Reject> {
        if (1..=40).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) {
            let mut padded = String::with_capacity(40);
            padded.extend(std::iter::repeat_n('0', 40 - number.len()));
            padded.push_str(number);
            Ok(Self(padded))
        } else {
            Err(Reject::record("dynamodb.SequenceNumber"))
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i2_ids_do_not_depend_on_where_one_part_ends() {
        assert_ne!(ChangeId::of_record("ab", "c", "1"), ChangeId::of_record("a", "bc", "1"));
        assert_ne!(KeyHash::of("ab", "c"), KeyHash::of("a", "bc"));
    }

    #[test]
    fn an_id_is_128_bits_of_a_digest_that_never_changes_between_releases() {
        let id =
            ChangeId::of_record("arn:aws:dynamodb:eu-west-1:111122223333:table/items/stream/1", "e", "7");
        assert_eq!(id.as_str(), "f1184d0dc1aabd7db695fb01d0d6b7fc");
    }

    #[test]
    fn text_order_of_sequences_is_their_order() {
        let cases = [
            ("9", "10"),
            ("999999999999999999999", "1000000000000000000000"),
            ("1", "1000000000000000000000000000000000000001"),
        ];
        for (earlier, later) in cases {
            let parse = |text| Sequence::parse(text).expect("digits");
            assert!(parse(earlier) < parse(later), "{earlier} {later}");
            assert_eq!(parse(earlier).as_str().len(), 40);
        }
        for bad in ["", "-1", "1e3", "12345678901234567890123456789012345678901"] {
            assert!(Sequence::parse(bad).is_err(), "{bad}");
        }
    }
}
