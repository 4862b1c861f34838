//! What the pipe gave up, saved before the stream forgets it.
//!
//! A pipe's dead letter names a shard and a range of sequence numbers and holds no record; the stream keeps the records
//! for 24 hours. Each message is answered by reading its range and writing every record of it into the dead-letter
//! bucket. Where a pipe has a filter, what it would have passed over lies there too, and a replay publishes it.

mod config;
mod dead_letter;
mod stream;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_dynamodbstreams as streams;
use aws_sdk_s3 as s3;
use domain::change::{DeadLetter, DeadLetterCause, Identity};
use lambda_support::dependency::DependencyError;
use lambda_support::objects::put_json;
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use stream_record_json::to_pipe_json;
use tokio::time::Instant;

pub use config::Config;

use dead_letter::PipeDeadLetter;

/// What the handler works with, built once.
pub struct State {
    pub streams: streams::Client,
    pub s3: s3::Client,
    pub config: Config,
    pub metrics: BoxEntrySink,
}

#[derive(Debug, thiserror::Error)]
enum RescueError {
    #[error("the message is no dead letter of a DynamoDB stream's pipe")]
    MessageUnreadable,
    #[error("the stream has forgotten the range's beginning; {rescued} records of its rest are rescued")]
    Trimmed { rescued: usize },
    #[error("the time was up before the range's end")]
    OutOfTime,
    #[error("a record cannot be written as JSON")]
    Unwritable,
    #[error(transparent)]
    Dependency(#[from] DependencyError),
}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct RescuerMetrics {
    ranges_rescued: usize,
    records_rescued: usize,
    ranges_failed: usize,
}

/// Rescues the range of each message; a message that fails comes again by its queue.
pub async fn handle(state: &State, event: SqsEvent, until: Instant) -> SqsBatchResponse {
    let mut metrics = RescuerMetrics::default();
    let mut answer = SqsBatchResponse::default();
    for message in event.records {
        let message_id = message.message_id.unwrap_or_default();
        match rescue(state, message.body.as_deref().unwrap_or_default(), until).await {
            Ok(records) => {
                metrics.ranges_rescued += 1;
                metrics.records_rescued += records;
                tracing::info!(message_id, records, "range rescued");
            }
            Err(error) => {
                metrics.ranges_failed += 1;
                tracing::error!(message_id, %error, "range not rescued");
                answer.add_failure(message_id);
            }
        }
    }
    drop(metrics.append_on_drop(state.metrics.clone()));
    answer
}

/// Writes every record of the dead letter's range into the bucket; tells how many.
async fn rescue(state: &State, message: &str, until: Instant) -> Result<usize, RescueError> {
    let letter: PipeDeadLetter = serde_json::from_str(message).map_err(|_| RescueError::MessageUnreadable)?;
    let mut range = stream::Range::open(&state.streams, &letter.batch).await?;
    let mut rescued = 0;
    while let Some(page) = range.next_page(until).await? {
        for record in page {
            let json = to_pipe_json(record, &letter.batch.stream_arn).ok_or(RescueError::Unwritable)?;
            let identity = Identity::of(json.get());
            let cause = DeadLetterCause::PipeGaveUp { condition: letter.context.condition.clone() };
            let dead = DeadLetter::new(identity.id.clone(), cause, &json);
            let dead = serde_json::to_string(&dead).map_err(|_| RescueError::Unwritable)?;
            put_json(
                &state.s3,
                &state.config.dead_letter_bucket_name,
                DeadLetter::object_key(&identity.id),
                dead,
            )
            .await?;
            rescued += 1;
        }
    }
    // Told as a failure, though all that could be saved is saved: the message goes on to the queue that wakes somebody.
    if range.is_trimmed { Err(RescueError::Trimmed { rescued }) } else { Ok(rescued) }
}
