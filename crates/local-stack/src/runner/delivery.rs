//! One batch until nothing of it is left: delivered, or given up.

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use tokio::time::sleep;

use super::Clients;
use super::batch::{Record, expired_length};
use super::consumer::{Consumer, GivenUp, Undelivered};
use super::invocation::Response;
use super::retries::{Condition, Next};

/// AWS does not say how long it pauses; locally it is short, so that failures can be watched.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Records that go together.
#[derive(Default)]
struct Part {
    records: Vec<Record>,
    /// Retries, as they are counted against the limit.
    attempt: u32,
    invocations: u32,
    /// Of the last invocation with these and no others.
    response: Option<Response>,
    /// How often in a row there was a pause before these.
    pauses: u32,
}

/// Delivers the batch. Parts are worked on in the stream's order: nothing overtakes what failed before it.
///
/// # Errors
/// Where the place for what was given up does not take it; the batch is then to be delivered again.
pub(crate) async fn deliver(
    clients: &Clients,
    consumer: &Consumer,
    shard: &str,
    batch: Vec<Record>,
) -> Result<()> {
    let retries = &consumer.source.retries;
    let mut parts = vec![Part { records: batch, ..Part::default() }];
    while let Some(mut part) = parts.pop() {
        let expired = expired_length(&part.records, retries.maximum_record_age, Timestamp::now().as_second());
        let rest = part.records.split_off(expired);
        if !part.records.is_empty() {
            give_up(clients, consumer, shard, &part, Condition::RecordAgeExceeded).await?;
        }
        part.records = rest;
        if part.records.is_empty() {
            continue;
        }
        let Some(left) = consumer.attempt(clients, &part.records).await else { continue };
        log(consumer, &part, &left);
        part.invocations += u32::from(left.response.is_some());
        part.response = left.response;
        let records = left.records;
        match retries.next(left.failure, records.len(), part.attempt) {
            Next::Retry { attempt } => {
                sleep(pause(part.pauses)).await;
                parts.push(Part { records, attempt, pauses: part.pauses + 1, ..part });
            }
            Next::SplitOff => parts.push(Part { records, pauses: 0, ..part }),
            Next::Bisect => {
                let mut first = records;
                let second = first.split_off(first.len() / 2);
                let (attempt, invocations) = (part.attempt, part.invocations);
                for records in [second, first] {
                    parts.push(Part { records, attempt, invocations, ..Part::default() });
                }
            }
            Next::GiveUp(condition) => {
                part.records = records;
                give_up(clients, consumer, shard, &part, condition).await?;
            }
        }
    }
    Ok(())
}

async fn give_up(
    clients: &Clients,
    consumer: &Consumer,
    shard: &str,
    part: &Part,
    condition: Condition,
) -> Result<()> {
    tracing::error!(
        consumer = consumer.name,
        records = part.records.len(),
        condition = condition.word(),
        "given up"
    );
    let given_up = GivenUp {
        records: &part.records,
        condition,
        invocations: part.invocations,
        response: part.response.as_ref(),
    };
    consumer.give_up(clients, shard, &given_up).await
}

fn log(consumer: &Consumer, part: &Part, left: &Undelivered) {
    tracing::warn!(
        consumer = consumer.name,
        of = part.records.len(),
        failed = left.records.len(),
        attempt = part.attempt,
        error = left.error.as_ref().map(|error| format!("{error:#}")),
        "not delivered"
    );
}

fn pause(pauses: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << pauses.min(10)).min(LONGEST_PAUSE)
}
