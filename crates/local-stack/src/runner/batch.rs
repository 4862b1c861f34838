//! Records on their way from a stream to a function.

use std::time::Duration;

use serde_json::value::RawValue;

/// What Lambda takes and gives in one call (AWS Lambda developer guide, "Lambda quotas": 6 MB, synchronous).
pub(crate) const PAYLOAD_BYTES: usize = 6 * 1024 * 1024;
/// What stands around the records in the longest form: that of event source mappings.
const ENVELOPE_BYTES: usize = r#"{"Records":[]}"#.len();

/// A stream record in the form in which Pipes and Lambda hand it on.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub event_id: String,
    pub sequence_number: String,
    /// Seconds since 1970.
    pub created_at: i64,
    pub json: Box<RawValue>,
}

/// How many of the records go into the next batch: as many as the size and the payload limit allow, and at least one.
pub(crate) fn batch_length<'r>(records: impl IntoIterator<Item = &'r Record>, batch_size: usize) -> usize {
    let mut bytes = ENVELOPE_BYTES;
    let fitting = records
        .into_iter()
        .take(batch_size)
        .take_while(|record| {
            bytes += record.json.get().len() + 1;
            bytes <= PAYLOAD_BYTES
        })
        .count();
    fitting.max(1)
}

/// Of records in the stream's order, how many of the first are older than `maximum_age` at `now`, seconds since 1970.
pub(crate) fn expired_length(records: &[Record], maximum_age: Option<Duration>, now: i64) -> usize {
    let Some(maximum_age) = maximum_age.and_then(|age| i64::try_from(age.as_secs()).ok()) else { return 0 };
    records.iter().take_while(|record| now.saturating_sub(record.created_at) > maximum_age).count()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Records of these sequence numbers, created at 0.
    pub(crate) fn records<const N: usize>(sequence_numbers: [&str; N]) -> Vec<Record> {
        sequence_numbers
            .map(|sequence_number| Record { sequence_number: sequence_number.to_owned(), ..record(2) })
            .to_vec()
    }

    fn record(bytes: usize) -> Record {
        let json = RawValue::from_string(format!("\"{}\"", "x".repeat(bytes.saturating_sub(2)))).unwrap();
        Record { event_id: String::new(), sequence_number: String::new(), created_at: 0, json }
    }

    #[test]
    fn a_batch_ends_at_its_size_or_at_the_payload_limit() {
        let small: Vec<Record> = (0..5).map(|_| record(100)).collect();
        assert_eq!(batch_length(&small, 3), 3);
        assert_eq!(batch_length(&small, 100), 5);
        let large: Vec<Record> = (0..5).map(|_| record(2 * 1024 * 1024)).collect();
        assert_eq!(batch_length(&large, 100), 2, "three of 2 MiB and the commas are over 6 MiB");
        assert_eq!(batch_length(&[record(7 * 1024 * 1024)], 100), 1);
    }

    #[test]
    fn a_batch_with_its_envelope_is_within_the_payload_limit() {
        let filler = PAYLOAD_BYTES - ENVELOPE_BYTES - 1_000 - 2;
        assert_eq!(batch_length(&[record(1_000), record(filler)], 100), 2);
        assert_eq!(batch_length(&[record(1_000), record(filler + 1)], 100), 1);
    }

    #[test]
    fn records_expire_one_by_one() {
        let created = |created_at| Record { created_at, ..record(2) };
        let records = [created(10), created(10), created(40), created(71)];
        let minute = Some(Duration::from_mins(1));
        for (now, expired) in [(70, 0), (71, 2), (101, 3), (132, 4)] {
            assert_eq!(expired_length(&records, minute, now), expired, "at {now}");
        }
        assert_eq!(expired_length(&records, None, i64::MAX), 0);
    }
}
