//! Many small files of the lake become few large ones.
//!
//! A plan finds the directories that are due, and each is compacted by an invocation of its own. A compaction only adds:
//! files that hold the rows of others, then a commit that says which. What was replaced goes hours later. So whatever
//! stops a compaction, however often it is repeated, and whoever reads meanwhile: each row is in a file that counts.

mod bucket;
mod compact;
mod compact_raw;
mod config;
mod directory_state;
mod error;
mod event;
mod latest_runs;
mod local;
mod merge;
mod merge_files;
mod order;
mod outcome;
mod packed_rows;
mod plan;
mod queue;
mod raw_file;
mod retire;
mod rewrite;
mod run_writer;
mod sorter;

use std::path::PathBuf;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs as sqs;
use domain::lake::compaction::Rules;
use domain::lake::{Directory, LakeConfig};
use jiff::Timestamp;
use lake_writer::Catalog;
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use tokio::time::{Instant, timeout_at};

pub use bucket::Bucket;
pub use config::Config;
pub use error::{CompactError, PlanFailed};
pub use event::{Answer, CompactMessage, Event, Plan, PlanRequest};
pub use local::{LocalFiles, compact_local};
pub use outcome::Outcome;

/// What the handler works with, built once.
pub struct State {
    pub lake: LakeConfig,
    pub bucket: Bucket,
    /// Of the table over the compacted files.
    pub catalog: Catalog,
    pub sqs: sqs::Client,
    /// Of the queue of directories.
    pub queue_url: String,
    pub rules: Rules,
    /// What rows and the buffers of files may take together (I7).
    pub memory_bytes: usize,
    pub latest_buckets: u32,
    /// A folder for temporary files.
    pub scratch: PathBuf,
    pub metrics: BoxEntrySink,
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct PlanMetrics {
    directories: u64,
    uncompacted_files: u64,
    uncompacted_bytes: u64,
    oldest_uncompacted_hours: u64,
    unknown_folders: u64,
    unread_directories: u64,
    largest_latest_bytes: u64,
    not_sent: u64,
}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct CompactMetrics {
    rows_read: u64,
    rows_written: u64,
    repeats: u64,
    misfits: u64,
    files_replaced: u64,
    files_written: u64,
    files_deleted: u64,
    unreadable: u64,
    failed: u64,
}

/// Plans, or compacts the directories of the messages.
///
/// # Errors
/// Where the bucket cannot be listed. A directory that fails comes again by its queue.
pub async fn handle(state: &State, event: Event, until: Instant) -> Result<Answer, PlanFailed> {
    match event {
        Event::Plan { plan: request } => {
            // On the heap, because it holds many requests.
            let plan = Box::pin(plan::plan(state, request)).await;
            let plan = plan.inspect_err(|error| tracing::error!(%error, "no plan"))?;
            tracing::info!(
                directories = plan.directories,
                partitions = plan.partitions,
                files = plan.files,
                bytes = plan.bytes,
                oldest_seconds = plan.oldest_seconds,
                unknown_folders = plan.unknown_folders,
                unread_directories = plan.unread_directories,
                largest_latest_bytes = plan.largest_latest_bytes,
                not_sent = plan.not_sent,
                "the lake is planned"
            );
            let metrics = PlanMetrics {
                directories: plan.directories,
                uncompacted_files: plan.files,
                uncompacted_bytes: plan.bytes,
                oldest_uncompacted_hours: plan.oldest_seconds / 3_600,
                unknown_folders: plan.unknown_folders,
                unread_directories: plan.unread_directories,
                largest_latest_bytes: plan.largest_latest_bytes,
                not_sent: plan.not_sent,
            };
            drop(metrics.append_on_drop(state.metrics.clone()));
            Ok(Answer::Plan(plan))
        }
        Event::Directories(messages) => Ok(Answer::Directories(compact_each(state, messages, until).await)),
    }
}

async fn compact_each(state: &State, messages: SqsEvent, until: Instant) -> SqsBatchResponse {
    let mut answer = SqsBatchResponse::default();
    for message in messages.records {
        let message_id = message.message_id.unwrap_or_default();
        let attempt = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let body = message.body.unwrap_or_default();
        let mut outcome = Outcome::default();
        let compacted = compact_message(state, &body, attempt.unwrap_or(1), until, &mut outcome).await;
        if let Err(error) = &compacted {
            tracing::warn!(message_id, attempt, %error, "not compacted; the queue brings the message again");
            answer.add_failure(message_id);
        }
        let metrics = CompactMetrics {
            rows_read: outcome.rows_read,
            rows_written: outcome.rows_written,
            repeats: outcome.repeats,
            misfits: outcome.misfits,
            files_replaced: outcome.files_replaced,
            files_written: outcome.files_written,
            files_deleted: outcome.files_deleted,
            unreadable: outcome.unreadable,
            failed: u64::from(compacted.is_err()),
        };
        drop(metrics.append_on_drop(state.metrics.clone()));
    }
    answer
}

async fn compact_message(
    state: &State,
    body: &str,
    attempt: u32,
    until: Instant,
    outcome: &mut Outcome,
) -> Result<(), CompactError> {
    let message: CompactMessage = serde_json::from_str(body).map_err(|_| CompactError::MessageUnreadable)?;
    let directory =
        Directory::parse(&state.lake, &message.directory).ok_or(CompactError::MessageUnreadable)?;
    // On the heap, because it holds many requests.
    let compact = Box::pin(compact::compact(state, &message, &directory, attempt, until, outcome));
    timeout_at(until, compact).await.map_err(|_| CompactError::OutOfTime)??;
    tracing::info!(
        directory = directory.digest(),
        rows_read = outcome.rows_read,
        rows_written = outcome.rows_written,
        repeats = outcome.repeats,
        misfits = outcome.misfits,
        files_replaced = outcome.files_replaced,
        files_written = outcome.files_written,
        files_deleted = outcome.files_deleted,
        unreadable = outcome.unreadable,
        "compacted"
    );
    Ok(())
}
