//! What did not get into the lake, sent through the lake's writer again.
//!
//! It lies in the dead-letter bucket in two forms: batches that Lambda gave up, and records that the writer could not read.
//! Both go to the writer as Lambda would bring them, and leave the bucket only when it has written them. Replaying is safe at
//! any time and as often as wanted: a row that is in the lake already comes again under the same id.

mod batches;
mod bucket;
mod calls;
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

/// Where to go on; by default, at the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The object key after which to start; absent for the first object. Batches come before letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many letters go to the writer at once; absent for as many as fit. Fewer after it has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letters: Option<u16>,
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
    /// The next request, where the time was up before the last object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Request>,
}

impl Report {
    /// Adds the counts of another.
    pub fn add(&mut self, other: Self) {
        self.batches += other.batches;
        self.letters += other.letters;
        for (reason, count) in other.rejected {
            *self.rejected.entry(reason).or_default() += count;
        }
        self.of_others += other.of_others;
        self.failed += other.failed;
    }
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
/// Where the bucket or the writer does not answer, whatever the object is. Nothing is lost: run it again.
pub async fn handle(state: &State, request: Request, until: Instant) -> Result<Report, ReplayError> {
    let mut report = Report::default();
    let mut position = request;
    let is_done = batches::replay(state, &mut position, &mut report, until).await?
        && letters::replay(state, &mut position, &mut report, until).await?;
    report.next = Some(position).filter(|_| !is_done);

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
