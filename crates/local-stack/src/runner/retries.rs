//! What is to become of records that were not delivered.

use std::time::Duration;

/// Why records were not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The function could not be invoked.
    NotInvoked,
    /// The function failed, or all that is left is what it reported as failed.
    Failed,
    /// The function reported from where on it failed; what stood before is done with.
    FailedFrom,
}

/// What is to be done with them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The same again after a pause, as attempt number `attempt` after the first.
    Retry {
        attempt: u32,
    },
    /// The same again at once, as a batch of its own: it has been split off what was delivered.
    SplitOff,
    /// Each half by itself.
    Bisect,
    GiveUp(Condition),
}

/// The words of dead letters and of the records for on-failure destinations.
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

/// The limits on trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// `None` for as long as the stream keeps the record.
    pub maximum_attempts: Option<u32>,
    pub maximum_record_age: Option<Duration>,
    pub bisect: bool,
}

impl RetryPolicy {
    /// Decides for `records` records after `attempt` retries.
    ///
    /// A split does not count as a retry, and what could not be invoked is tried until it expires (AWS Lambda developer
    /// guide, "Retain discarded records for a DynamoDB event source in Lambda"). With bisection, a batch that failed in
    /// part is split at the place that was reported (the same, "Configuring partial batch response with DynamoDB and
    /// Lambda"); where that place is the batch's beginning AWS says nothing, and it is halved like any that failed.
    pub(crate) fn next(&self, failure: Failure, records: usize, attempt: u32) -> Next {
        match failure {
            Failure::NotInvoked => Next::Retry { attempt },
            Failure::FailedFrom if self.bisect => Next::SplitOff,
            Failure::Failed if self.bisect && records > 1 => Next::Bisect,
            _ if self.maximum_attempts.is_some_and(|maximum| attempt >= maximum) => {
                Next::GiveUp(Condition::RetryAttemptsExhausted)
            }
            _ => Next::Retry { attempt: attempt + 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_split_then_tried_again_then_given_up() {
        let policy = RetryPolicy { maximum_attempts: Some(2), maximum_record_age: None, bisect: true };
        let whole = RetryPolicy { bisect: false, ..policy };
        let endless = RetryPolicy { maximum_attempts: None, ..policy };
        let given_up = || Next::GiveUp(Condition::RetryAttemptsExhausted);
        let cases = [
            (policy, Failure::Failed, 100, 0, Next::Bisect),
            (policy, Failure::Failed, 1, 0, Next::Retry { attempt: 1 }),
            (policy, Failure::Failed, 1, 1, Next::Retry { attempt: 2 }),
            (policy, Failure::Failed, 1, 2, given_up()),
            (whole, Failure::Failed, 100, 0, Next::Retry { attempt: 1 }),
            (whole, Failure::Failed, 100, 2, given_up()),
            (endless, Failure::Failed, 1, 1_000, Next::Retry { attempt: 1_001 }),
            (policy, Failure::FailedFrom, 100, 2, Next::SplitOff),
            (policy, Failure::FailedFrom, 1, 2, Next::SplitOff),
            (whole, Failure::FailedFrom, 100, 1, Next::Retry { attempt: 2 }),
            (whole, Failure::FailedFrom, 100, 2, given_up()),
            (policy, Failure::NotInvoked, 100, 2, Next::Retry { attempt: 2 }),
            (policy, Failure::NotInvoked, 1, 1_000, Next::Retry { attempt: 1_000 }),
        ];
        for (policy, failure, records, attempt, expected) in cases {
            assert_eq!(
                policy.next(failure, records, attempt),
                expected,
                "{policy:?} {failure:?} {records} {attempt}"
            );
        }
    }
}
