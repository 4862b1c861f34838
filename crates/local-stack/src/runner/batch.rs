//! Records on their way through a pipe, and what is to become of those that failed.

use std::time::Duration;

use serde_json::value::RawValue;

/// What Lambda takes and gives in one call (AWS Lambda developer guide, "Lambda quotas": 6 MB, synchronous).
pub(crate) const PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// A stream record in the form in which Pipes hands it on.
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
    let brackets = 2;
    let mut bytes = brackets;
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

/// What is to be done with records that did not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The same again after a pause, as attempt number `attempt` after the first.
    Retry {
        attempt: u32,
    },
    /// Each half by itself. It does not count as a retry (AWS Lambda developer guide, "Using Lambda with DynamoDB":
    /// splitting does not use up the retry quota).
    Bisect,
    GiveUp(Condition),
}

/// The words of a pipe's dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

impl Condition {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
}

/// The pipe's limits on trying again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPolicy {
    pub maximum_retry_attempts: Option<u32>,
    pub maximum_record_age: Option<Duration>,
    pub bisect: bool,
}

impl RetryPolicy {
    /// Decides for `records` records of which the oldest is `oldest` old, after `attempt` retries.
    pub(crate) fn next(&self, records: usize, oldest: Duration, attempt: u32) -> Next {
        if self.maximum_record_age.is_some_and(|maximum| oldest > maximum) {
            Next::GiveUp(Condition::RecordAgeExceeded)
        } else if self.bisect && records > 1 {
            Next::Bisect
        } else if self.maximum_retry_attempts.is_some_and(|maximum| attempt >= maximum) {
            Next::GiveUp(Condition::RetryAttemptsExhausted)
        } else {
            Next::Retry { attempt: attempt + 1 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_failed_is_split_then_tried_again_then_given_up() {
        let policy = RetryPolicy {
            maximum_retry_attempts: Some(2),
            maximum_record_age: Some(Duration::from_mins(1)),
            bisect: true,
        };
        let young = Duration::from_secs(1);
        let cases = [
            (policy, 100, young, 0, Next::Bisect),
            (policy, 1, young, 0, Next::Retry { attempt: 1 }),
            (policy, 1, young, 1, Next::Retry { attempt: 2 }),
            (policy, 1, young, 2, Next::GiveUp(Condition::RetryAttemptsExhausted)),
            (policy, 100, Duration::from_secs(61), 0, Next::GiveUp(Condition::RecordAgeExceeded)),
            (RetryPolicy { bisect: false, ..policy }, 100, young, 0, Next::Retry { attempt: 1 }),
            (
                RetryPolicy { maximum_retry_attempts: None, ..policy },
                1,
                young,
                1_000,
                Next::Retry { attempt: 1_001 },
            ),
        ];
        for (policy, records, oldest, attempt, expected) in cases {
            assert_eq!(policy.next(records, oldest, attempt), expected, "{policy:?} {records} {attempt}");
        }
    }
}
