//! Every change of the table, written into the lake: the stream's second reader.
//!
//! A batch becomes one file for each partition that its rows belong to, under a name that is a function of the rows. A record
//! that cannot become a row goes whole into the dead-letter bucket. What could not be written is reported by its sequence
//! number; Lambda brings it again, and everything behind it.

mod batch;
mod catalog;
mod config;
mod groups;
mod lake;
mod raw_file;
mod rejects;

use lambda_runtime::Diagnostic;
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use batch::{Batch, Rejected};
pub use catalog::{Catalog, Location, Unregistered};
pub use config::Config;
pub use groups::{Group, group};
pub use lake::{Failure, Lake, WriteError, Written};
pub use raw_file::{Encoder, RawFile};

/// What the handler works with, built once.
pub struct State {
    pub lake: Lake,
    pub dead_letter_bucket_name: String,
    pub metrics: BoxEntrySink,
}

/// What Lambda hands on from a stream (AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB").
#[derive(Debug, Deserialize)]
pub struct Event {
    #[serde(rename = "Records")]
    pub records: Batch,
}

/// The records that Lambda has to bring again (AWS Lambda developer guide, "Configuring partial batch response with
/// DynamoDB and Lambda").
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// The record's sequence number, as it came.
    pub item_identifier: String,
}

/// Records without a sequence number stand nowhere. Nothing but the failure of the whole batch brings them again (I1).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} records without a sequence number are not stored")]
pub struct RejectsNotStored(usize);

impl From<RejectsNotStored> for Diagnostic {
    fn from(error: RejectsNotStored) -> Self {
        Diagnostic { error_type: "RejectsNotStored".to_owned(), error_message: error.to_string() }
    }
}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct WriterMetrics {
    records: usize,
    objects: usize,
    bytes: usize,
    default_partition: usize,
    misfits: usize,
    rejected: usize,
    failed: usize,
}

/// Writes a batch; what is not written when the time is up has failed.
///
/// # Errors
/// Where the batch has to come again as a whole.
pub async fn handle(state: &State, event: Event, until: Instant) -> Result<Answer, RejectsNotStored> {
    let Batch { rows, numbers, rejects } = event.records;
    let rejected = rejects.len();
    // On the heap, because they hold many requests.
    let writing = Box::pin(state.lake.write(rows, until));
    let burying = Box::pin(rejects::bury(state, rejects, until));
    let (written, unburied) = tokio::join!(writing, burying);
    let rejected = rejected - unburied.len();

    let mut identifiers = Vec::new();
    for Failure { positions, error } in &written.failures {
        tracing::warn!(rows = positions.len(), %error, "rows of a partition are not written");
        let failed = positions.iter().filter_map(|position| numbers.get(*position));
        identifiers.extend(failed.cloned());
    }
    let failed = identifiers.len() + unburied.len();
    identifiers.extend(unburied.into_iter().filter_map(|it| it.sequence_number));
    let unnamed = failed - identifiers.len();

    tracing::info!(
        records = written.rows,
        objects = written.objects,
        bytes = written.bytes,
        default_partition = written.default_partition_rows,
        misfits = written.misfits,
        rejected,
        failed,
        lowest_failed = identifiers.iter().min_by_key(|number| (number.len(), *number)),
        "batch written"
    );
    let metrics = WriterMetrics {
        records: written.rows,
        objects: written.objects,
        bytes: written.bytes,
        default_partition: written.default_partition_rows,
        misfits: written.misfits,
        rejected,
        failed,
    };
    drop(metrics.append_on_drop(state.metrics.clone()));
    if unnamed > 0 {
        return Err(RejectsNotStored(unnamed));
    }
    let batch_item_failures =
        identifiers.into_iter().map(|item_identifier| BatchItemFailure { item_identifier }).collect();
    Ok(Answer { batch_item_failures })
}
