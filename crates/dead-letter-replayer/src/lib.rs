//! Dead letters, sent again on the pipe's own way: through the enricher, then the router.
//!
//! A letter leaves the bucket only once the router has handed its record on. One that is rejected again stays, and is
//! counted by its reason. Replaying is safe at any time and as often as wanted: an event that was already delivered comes
//! again under the same `meta.id`, and an old change never wins over a newer one, because consumers keep the highest
//! `meta.sequence`.

mod config;
mod letters;
mod pipe;

use std::collections::{BTreeMap, HashSet};

use aws_sdk_lambda as lambda;
use aws_sdk_s3 as s3;
use domain::change::Payload;
use lambda_runtime::Diagnostic;
use lambda_support::dependency::DependencyError;
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::Instant;

pub use config::Config;

use letters::Letter;

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
    /// The object key after which to start; absent for the first letter.
    #[serde(default)]
    pub after: Option<String>,
}

/// What one invocation did.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Letters whose record was handed on; they are gone from the bucket.
    pub replayed: usize,
    /// Letters whose record was rejected again, by reason; they stay.
    pub rejected: BTreeMap<String, usize>,
    /// Letters that could not be read or handed on; they stay.
    pub failed: usize,
    /// Present where the time was up before the last letter: the next request's `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error("{function} answered with an error: {error_type}")]
    Function { function: String, error_type: String },
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

/// Replays letters until there is none left, or the time is up.
///
/// # Errors
/// Where the bucket, the enricher or the router does not answer. Nothing is lost: run it again.
pub async fn handle(state: &State, request: Request, until: Instant) -> Result<Report, ReplayError> {
    let mut report = Report::default();
    let mut after = request.after;
    loop {
        let bucket = &state.config.dead_letter_bucket_name;
        let keys = letters::next_batch(&state.s3, bucket, after.as_deref()).await?;
        let Some(last) = keys.last().cloned() else { break };
        if Instant::now() >= until {
            report.next = after;
            break;
        }
        let (letters, unreadable) = letters::read(&state.s3, bucket, keys).await?;
        report.failed += unreadable;
        replay(state, letters, &mut report).await?;
        after = Some(last);
    }
    let rejected_again = report.rejected.values().sum();
    tracing::info!(
        replayed = report.replayed,
        rejected_again,
        failed = report.failed,
        "dead letters replayed"
    );
    let metrics = ReplayerMetrics { replayed: report.replayed, rejected_again, failed: report.failed };
    drop(metrics.append_on_drop(state.metrics.clone()));
    Ok(report)
}

/// Sends one batch through the enricher and the router, and removes the letters of what was handed on.
async fn replay(state: &State, letters: Vec<Letter>, report: &mut Report) -> Result<(), ReplayError> {
    if letters.is_empty() {
        return Ok(());
    }
    let records: Vec<&RawValue> = letters.iter().map(Letter::record).collect();
    let outcomes = pipe::enrich(state, &records).await?;
    let mut handed_on: Vec<&RawValue> = Vec::new();
    let mut pending: Vec<(String, Letter)> = Vec::new();
    for (letter, outcome) in letters.into_iter().zip(outcomes.elements()?) {
        match pipe::read_outcome(outcome) {
            Some((event_id, Payload::Enriched(_))) => {
                handed_on.push(outcome);
                pending.push((event_id, letter));
            }
            Some((_, Payload::Rejected(rejected))) => {
                *report.rejected.entry(rejected.reason.code().to_owned()).or_default() += 1;
            }
            None => report.failed += 1,
        }
    }
    if handed_on.is_empty() {
        return Ok(());
    }
    let failures: HashSet<String> = pipe::route(state, &handed_on).await?;
    let (failed, done): (Vec<_>, Vec<_>) =
        pending.into_iter().partition(|(event_id, _)| failures.contains(event_id));
    report.failed += failed.len();
    let keys = done.into_iter().map(|(_, letter)| letter.key).collect();
    report.replayed += letters::remove(&state.s3, &state.config.dead_letter_bucket_name, keys).await?;
    Ok(())
}
