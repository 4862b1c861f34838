//! What did not get into the lake, sent through the lake's writer again.
//!
//! It lies in the dead-letter bucket in two forms: batches that Lambda gave up, and records that the writer could not read.
//! Both go to the writer as Lambda would bring them, and leave the bucket only when it has written them. Replaying is safe at
//! any time and as often as wanted: a row that is in the lake already comes again under the same id.

mod batches;
mod bucket;
mod config;
mod discarded;
mod letters;
mod writer;

use std::collections::BTreeMap;

use aws_sdk_lambda as lambda;
use aws_sdk_s3 as s3;
use lambda_runtime::Diagnostic;
use lambda_support::dependency::DependencyError;
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use config::Config;

/// What the handler works with, built once.
pub struct State {
    pub s3: s3::Client,
    pub lambda: lambda::Client,
    pub config: Config,
    pub metrics: BoxEntrySink,
}

/// Where to go on.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The object key after which to start; absent for the first object. Batches come before letters.
    #[serde(default)]
    pub after: Option<String>,
}

/// What one invocation did.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Batches that are written, and gone from the bucket.
    pub batches: usize,
    /// Letters whose record is written; they are gone from the bucket.
    pub letters: usize,
    /// Letters whose record still cannot be read, by reason; they stay.
    pub rejected: BTreeMap<String, usize>,
    /// Batches of other functions; they stay.
    pub of_others: usize,
    /// Objects that the writer did not take, or that are no such objects; they stay.
    pub failed: usize,
    /// Present where the time was up before the last object: the next request's `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error("{function} gave an answer of another form: is it of another release?")]
    Answer { function: String },
}

impl From<ReplayError> for Diagnostic {
    fn from(error: ReplayError) -> Self {
        Diagnostic { error_type: "ReplayFailed".to_owned(), error_message: error.to_string() }
    }
}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct ReplayerMetrics {
    replayed: usize,
    rejected_again: usize,
    failed: usize,
}

/// Replays batches, then letters, until there is none left, or the time is up.
///
/// # Errors
/// Where the bucket or the writer does not answer. Nothing is lost: run it again.
pub async fn handle(state: &State, request: Request, until: Instant) -> Result<Report, ReplayError> {
    let mut report = Report::default();
    let mut after = request.after;
    let is_done = batches::replay(state, &mut after, &mut report, until).await?
        && letters::replay(state, &mut after, &mut report, until).await?;
    report.next = after.filter(|_| !is_done);

    let rejected_again = report.rejected.values().sum();
    tracing::info!(
        batches = report.batches,
        letters = report.letters,
        rejected_again,
        of_others = report.of_others,
        failed = report.failed,
        "dead records of the lake replayed"
    );
    let replayed = report.batches + report.letters;
    let metrics = ReplayerMetrics { replayed, rejected_again, failed: report.failed };
    drop(metrics.append_on_drop(state.metrics.clone()));
    Ok(report)
}
