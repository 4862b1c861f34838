//! The chain of delayed messages that follows a job.
//!
//! Each message carries a number, and the run's record says which is due. SQS may deliver a message twice, and a poller
//! may die after it has sent the next one: so the record also keeps which message took the number. That one may come
//! again and go on; any other of the same number belongs to a second chain, and ends there.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::datastore::PollLimits;
use super::failure::FailureCode;
use super::job::{JobId, Phase};
use super::run::{Run, RunRecord, RunStatus, Shortfall};

/// The message that asks how a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollMessage {
    pub task_token: String,
    pub run: Run,
    pub job_id: JobId,
    /// Its number in the chain, from zero.
    pub number: u32,
}

/// Which message of the chain is due.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chain {
    /// The highest number that was taken.
    pub taken: Option<u32>,
    /// The SQS id of the message that took it.
    pub by_message: Option<String>,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// The message's number is taken by it: write this record, and poll.
    Take(Box<RunRecord>),
    /// It has taken its number before, and did not come to its end.
    TakeAgain,
    /// The number is another message's, or the chain is past it: drop the message.
    Superseded,
    /// The run polls no more: its job is done, or it has been closed.
    Over,
}

#[must_use]
pub fn take_turn(record: &RunRecord, number: u32, message_id: &str) -> Turn {
    if record.status.is_over() {
        return Turn::Over;
    }
    match record.chain.taken {
        Some(taken) if number == taken && record.chain.by_message.as_deref() == Some(message_id) => {
            Turn::TakeAgain
        }
        Some(taken) if number <= taken => Turn::Superseded,
        _ => Turn::Take(Box::new(record.revised(|record| {
            record.chain = Chain { taken: Some(number), by_message: Some(message_id.to_owned()) };
        }))),
    }
}

/// How long to wait before a message: each time half as long again, between the two limits.
#[must_use]
pub fn delay_seconds(limits: &PollLimits, number: u32) -> u32 {
    let (mut delay, mut steps) = (u64::from(limits.first_delay_seconds.max(1)), 0);
    while steps < number && delay < u64::from(limits.longest_delay_seconds) {
        delay += delay.div_ceil(2);
        steps += 1;
    }
    u32::try_from(delay).unwrap_or(u32::MAX).min(limits.longest_delay_seconds)
}

/// What is to be done about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask again later.
    Wait,
    /// Its files are there.
    Publish {
        has_errors: bool,
    },
    Fail(FailureCode),
    /// It has run too long.
    CancelAndFail(FailureCode),
}

#[must_use]
pub fn next(phase: Phase, running_since: Option<Timestamp>, limits: &PollLimits, now: Timestamp) -> Next {
    match phase {
        Phase::Done { has_errors } => Next::Publish { has_errors },
        Phase::Failed => Next::Fail(FailureCode::JobFailed),
        Phase::Cancelled => Next::Fail(FailureCode::JobCancelled),
        Phase::Running
            if running_since.is_some_and(|since| now.duration_since(since) >= running_limit(limits)) =>
        {
            Next::CancelAndFail(FailureCode::JobTookTooLong)
        }
        Phase::Waiting | Phase::Running => Next::Wait,
    }
}

fn running_limit(limits: &PollLimits) -> SignedDuration {
    SignedDuration::from_secs(i64::from(limits.running_limit_seconds))
}

/// The record of a job that is seen to run for the first time; `None` where there is nothing new.
#[must_use]
pub fn seen(record: &RunRecord, phase: Phase, now: Timestamp) -> Option<RunRecord> {
    let is_new = phase == Phase::Running && record.running_since.is_none();
    is_new.then(|| record.revised(|record| record.running_since = Some(now)))
}

/// The record of a run whose manifest is written.
#[must_use]
pub fn publishing(record: &RunRecord, ranges: u32, shortfall: Option<Shortfall>) -> RunRecord {
    record.revised(|record| {
        record.status = RunStatus::Publishing;
        record.ranges = ranges;
        record.shortfall = shortfall;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_from_the_first_to_the_longest() {
        let delays = |first_delay_seconds, longest_delay_seconds| {
            let limits = PollLimits { first_delay_seconds, longest_delay_seconds, running_limit_seconds: 0 };
            (0..9).map(|number| delay_seconds(&limits, number)).collect::<Vec<_>>()
        };
        assert_eq!(delays(10, 120), [10, 15, 23, 35, 53, 80, 120, 120, 120]);
        assert_eq!(delays(1, 2), [1, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(delays(0, 900), [1, 2, 3, 5, 8, 12, 18, 27, 41]);
        assert_eq!(delays(60, 30), [30; 9]);
        let limits =
            PollLimits { first_delay_seconds: 1, longest_delay_seconds: 900, running_limit_seconds: 0 };
        assert_eq!(delay_seconds(&limits, u32::MAX), 900);
    }

    #[test]
    fn the_deadline_runs_while_the_job_does() {
        let limits =
            PollLimits { first_delay_seconds: 1, longest_delay_seconds: 1, running_limit_seconds: 60 };
        let at = |second| Timestamp::from_second(second).expect("a time");
        let too_long = Next::CancelAndFail(FailureCode::JobTookTooLong);
        let cases = [
            ("waiting has no deadline", Phase::Waiting, Some(0), 1_000_000, Next::Wait),
            ("running, first seen", Phase::Running, None, 1_000_000, Next::Wait),
            ("running", Phase::Running, Some(0), 59, Next::Wait),
            ("running for too long", Phase::Running, Some(0), 60, too_long),
            (
                "done, if late",
                Phase::Done { has_errors: false },
                Some(0),
                99,
                Next::Publish { has_errors: false },
            ),
            ("done in part", Phase::Done { has_errors: true }, None, 0, Next::Publish { has_errors: true }),
            ("failed", Phase::Failed, Some(0), 1, Next::Fail(FailureCode::JobFailed)),
            ("cancelled", Phase::Cancelled, Some(0), 1, Next::Fail(FailureCode::JobCancelled)),
        ];
        for (name, phase, since, now, expected) in cases {
            assert_eq!(next(phase, since.map(at), &limits, at(now)), expected, "{name}");
        }
    }
}
