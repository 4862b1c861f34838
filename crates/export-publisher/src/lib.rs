//! One range of an export, published line by line.
//!
//! The range is streamed: what is held in memory is one piece of the file, one line, and the events of the requests
//! under way, whatever the size of the file (I7). The result is written last, so that a range which was published whole
//! is not published again when its answer was lost.

mod config;
mod lines;
mod publish;
mod range_reader;
mod side_objects;

use std::time::Duration;

use aws_sdk_s3 as s3;
use domain::export::failure::{Failure, FailureCode};
use domain::export::manifest::{Range, result_key};
use domain::export::run::Run;
use domain::export::tally::{RangeResult, Tally};
use export_runs::{ExportRuns, RenewError};
use jiff::Timestamp;
use lambda_support::dependency::DependencyError;
use lambda_support::objects::{get_json, put_json};
use lambda_support::put_events::EventBus;
use lambda_support::step::StepError;
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

pub use config::Config;

/// What the handler works with, built once.
pub struct State {
    pub runs: ExportRuns,
    pub bus: EventBus,
    pub s3: s3::Client,
    pub config: Config,
    pub metrics: BoxEntrySink,
    pub clock: fn() -> Timestamp,
}

/// A range, and the run that it belongs to.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct RangeEvent {
    pub run: Run,
    pub range: Range,
}

/// The counts are in the range's result object, so that the state machine's history stays small.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Answer {}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct PublisherMetrics {
    published: u64,
    rejected_lines: u64,
    claim_checked: u64,
    read_bytes: u64,
    failed_ranges: usize,
}

/// Publishes the range, unless its result says that this is done.
///
/// # Errors
/// Under the name by which the state machine decides; `DependencyFailed` alone is worth another attempt.
pub async fn handle(state: &State, event: RangeEvent, until: Instant) -> Result<Answer, StepError> {
    let RangeEvent { run, range } = &event;
    let mut metrics = PublisherMetrics::default();
    // On the heap, because it holds a reader and many requests.
    let published = Box::pin(publish_range(state, run, range, until)).await;
    match &published {
        Ok(None) => tracing::info!(run = %run.key.id, range = range.index, "the range is published already"),
        Ok(Some(tally)) => {
            metrics.published = tally.published_total();
            metrics.rejected_lines = tally.rejected_total();
            metrics.claim_checked = tally.claim_checked;
            metrics.read_bytes = tally.bytes;
            tracing::info!(
                run = %run.key.id, range = range.index, published = metrics.published,
                rejected = metrics.rejected_lines, bytes = tally.bytes, "the range is published"
            );
        }
        Err(error) => {
            metrics.failed_ranges = 1;
            tracing::error!(run = %run.key.id, range = range.index, code = %error.code, detail = error.detail, "the range failed");
            leave_reason(state, run, range, error).await;
        }
    }
    drop(metrics.append_on_drop(state.metrics.clone()));
    published.map(|_| Answer {})
}

/// `None` where it was published before.
async fn publish_range(
    state: &State,
    run: &Run,
    range: &Range,
    until: Instant,
) -> Result<Option<Tally>, StepError> {
    let key = result_key(&run.datastore.id, &run.key.id, range);
    if is_published(state, &key, range).await? {
        return Ok(None);
    }
    state.runs.renew_lease(run, (state.clock)()).await?;
    let started_at = (state.clock)();
    let tally = tokio::select! {
        tally = publish::publish(state, run, range, until) => tally?,
        lost = keep_lease(state, run) => return Err(lost),
    };
    let result = RangeResult {
        index: range.index,
        etag: range.etag.clone(),
        tally: tally.clone(),
        started_at,
        ended_at: (state.clock)(),
    };
    let result = serde_json::to_string(&result)
        .map_err(|_| StepError::new(FailureCode::PublishFailed, "the result cannot be written"))?;
    put_json(&state.s3, &state.config.export_bucket_name, key, result).await?;
    Ok(Some(tally))
}

async fn is_published(state: &State, key: &str, range: &Range) -> Result<bool, StepError> {
    match get_json(&state.s3, &state.config.export_bucket_name, key).await {
        Ok(json) => {
            Ok(serde_json::from_str::<RangeResult>(&json).is_ok_and(|result| result.etag == range.etag))
        }
        Err(error) if error.code == "NoSuchKey" => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Renews the lease for as long as it is let; completes when it is lost.
async fn keep_lease(state: &State, run: &Run) -> StepError {
    loop {
        sleep(Duration::from_secs(u64::from(run.datastore.lease_seconds)) / 4).await;
        match state.runs.renew_lease(run, (state.clock)()).await {
            Err(RenewError::Lost(lost)) => return RenewError::Lost(lost).into(),
            // It will be renewed the next time; if it expires first and another takes it, that is seen then.
            Err(RenewError::Runs(error)) => {
                tracing::warn!(run = %run.key.id, %error, "the lease is not renewed yet");
            }
            Ok(()) => (),
        }
    }
}

/// The map tells that a range failed, but not why: the run's record does.
async fn leave_reason(state: &State, run: &Run, range: &Range, error: &StepError) {
    let datastore = &run.datastore.id;
    let Ok(Some(record)) = state.runs.record(datastore, &run.key).await else { return };
    if record.status.is_over() {
        return;
    }
    let detail = format!("range {}: {}", range.index, error.detail);
    let failure = Failure::new(error.code, Some(&detail));
    let record = record.revised(|record| record.range_failure = Some(failure));
    // Overtaken by another range's reason, or by the end of the run: one reason is enough.
    if let Err(error) = state.runs.write_record(datastore, &record).await {
        tracing::warn!(run = %run.key.id, %error, "the run's record does not say why the range failed");
    }
}

/// A file that is gone, or another one, is so for ever; everything else of S3 may pass.
pub(crate) fn file_error(error: DependencyError) -> StepError {
    match error.code.as_str() {
        "NoSuchKey" | "PreconditionFailed" => {
            StepError::new(FailureCode::ExportFileChanged, format!("{}: {}", error.operation, error.code))
        }
        _ => error.into(),
    }
}
