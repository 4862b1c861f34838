//! One batch until nothing of it is left: delivered, or given up and written to the dead-letter queue.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use jiff::Timestamp;
use tokio::time::sleep;

use super::Clients;
use super::batch::{Condition, Next, Record, RetryPolicy};
use super::definition::PipeDefinition;
use super::invocation;

/// AWS does not say how long a pipe pauses; locally it is short, so that failures can be watched.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

struct Part {
    records: Vec<Record>,
    attempt: u32,
}

/// Delivers the batch. Parts are worked on in the stream's order: nothing overtakes what failed before it.
///
/// # Errors
/// Where the dead-letter queue does not take what was given up; the batch is then to be delivered again.
pub(crate) async fn deliver(
    clients: &Clients,
    pipe: &PipeDefinition,
    shard: &str,
    batch: Vec<Record>,
) -> Result<()> {
    let policy = RetryPolicy {
        maximum_retry_attempts: pipe.maximum_retry_attempts,
        maximum_record_age: pipe.maximum_record_age,
        bisect: pipe.bisect,
    };
    let mut parts = vec![Part { records: batch, attempt: 0 }];
    while let Some(Part { records, attempt }) = parts.pop() {
        let failed = match invocation::send(&clients.lambda, pipe, &records).await {
            Ok(failed) if failed.is_empty() => continue,
            Ok(failed) => {
                tracing::warn!(
                    pipe = pipe.name,
                    of = records.len(),
                    failed = failed.len(),
                    attempt,
                    "partial failure"
                );
                failed
            }
            Err(error) => {
                tracing::warn!(
                    pipe = pipe.name,
                    records = records.len(),
                    attempt,
                    error = format!("{error:#}"),
                    "batch failed"
                );
                records
            }
        };
        match policy.next(failed.len(), age_of_oldest(&failed), attempt) {
            Next::Retry { attempt } => {
                sleep(pause(attempt)).await;
                parts.push(Part { records: failed, attempt });
            }
            Next::Bisect => {
                let mut first = failed;
                let second = first.split_off(first.len() / 2);
                parts.push(Part { records: second, attempt });
                parts.push(Part { records: first, attempt });
            }
            Next::GiveUp(condition) => give_up(clients, pipe, shard, &failed, condition).await?,
        }
    }
    Ok(())
}

fn pause(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.min(10)).min(LONGEST_PAUSE)
}

fn age_of_oldest(records: &[Record]) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let oldest = records.iter().filter_map(|record| u64::try_from(record.created_at).ok()).min();
    oldest.map_or(Duration::ZERO, |oldest| now.saturating_sub(Duration::from_secs(oldest)))
}

/// The dead letter of a pipe from a stream: a range, not the records (EventBridge user guide, "Amazon EventBridge Pipes
/// error handling and troubleshooting").
async fn give_up(
    clients: &Clients,
    pipe: &PipeDefinition,
    shard: &str,
    records: &[Record],
    condition: Condition,
) -> Result<()> {
    let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(()) };
    tracing::error!(pipe = pipe.name, records = records.len(), condition = condition.word(), "given up");
    let Some(queue_arn) = &pipe.dead_letter_queue_arn else { return Ok(()) };
    let time = |second| Timestamp::from_second(second).map(|time| time.to_string()).unwrap_or_default();
    let letter = serde_json::json!({
        "context": {"partnerResourceArn": pipe.arn, "condition": condition.word()},
        "version": "1.0",
        "timestamp": Timestamp::now().to_string(),
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": first.sequence_number,
            "endSequenceNumber": last.sequence_number,
            "approximateArrivalOfFirstRecord": time(first.created_at),
            "approximateArrivalOfLastRecord": time(last.created_at),
            "batchSize": records.len(),
            "streamArn": pipe.stream_arn,
        },
    });
    let queue_name = queue_arn.rsplit(':').next().context("a dead-letter queue without a name")?;
    let queue =
        clients.sqs.get_queue_url().queue_name(queue_name).send().await.context("dead-letter queue")?;
    clients
        .sqs
        .send_message()
        .set_queue_url(queue.queue_url)
        .message_body(letter.to_string())
        .send()
        .await
        .context("sending a dead letter")?;
    Ok(())
}
