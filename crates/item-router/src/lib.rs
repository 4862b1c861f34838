//! Target of the pipe: each outcome of the enrichment goes where it belongs.
//!
//! A change event goes to the bus under its type. A rejected record goes whole into the dead-letter bucket, and then its
//! reference to the rejects queue. What could not be handed on is reported by `eventID`; the pipe tries it again.

mod config;
mod events;
mod rejects;

use std::collections::BTreeSet;

use aws_sdk_s3 as s3;
use aws_sdk_sqs as sqs;
use domain::change::{Outcome, Payload};
use lambda_runtime::Diagnostic;
use lambda_support::put_events::EventBus;
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use serde::Serialize;
use tokio::time::Instant;

pub use config::Config;

/// What the handler works with, built once.
pub struct State {
    pub bus: EventBus,
    pub s3: s3::Client,
    pub sqs: sqs::Client,
    pub config: Config,
    pub metrics: BoxEntrySink,
}

#[derive(Debug, thiserror::Error)]
#[error("the batch is no array of outcomes")]
pub struct BatchUnreadable;

impl From<BatchUnreadable> for Diagnostic {
    fn from(error: BatchUnreadable) -> Self {
        Diagnostic { error_type: "BatchUnreadable".to_owned(), error_message: error.to_string() }
    }
}

/// The records that the pipe has to try again (EventBridge user guide, "Amazon EventBridge Pipes batching and
/// concurrency").
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// The record's `eventID`.
    pub item_identifier: String,
}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct RouterMetrics {
    routed: usize,
    rejected: usize,
    claim_checked: usize,
    failed: usize,
}

/// Hands each outcome on; tries again until `until` what its service does not take.
///
/// # Errors
/// Where the payload is no batch of outcomes.
pub async fn handle(state: &State, batch: &str, until: Instant) -> Result<Answer, BatchUnreadable> {
    let outcomes: Vec<Outcome<'_>> = serde_json::from_str(batch).map_err(|_| BatchUnreadable)?;
    let mut failed = BTreeSet::new();
    let mut changes = Vec::with_capacity(outcomes.len());
    let mut rejects = Vec::new();
    for outcome in outcomes {
        let event_id = outcome.event_id.clone().into_owned();
        match outcome.payload() {
            Some((_, key, Payload::Enriched(event))) => changes.push(events::Routed { event_id, key, event }),
            Some((_, key, Payload::Rejected(rejected))) => {
                rejects.push(rejects::Reject { event_id, key, rejected });
            }
            None => drop(failed.insert(event_id)),
        }
    }

    let mut metrics = RouterMetrics { routed: changes.len(), rejected: rejects.len(), ..Default::default() };
    let (routed, buried) =
        tokio::join!(events::route(state, changes, until), rejects::bury(state, rejects, until));
    metrics.claim_checked = routed.claim_checked;
    metrics.routed -= routed.failed.len();
    metrics.rejected -= buried.len();
    failed.extend(routed.failed);
    failed.extend(buried);
    metrics.failed = failed.len();
    for event_id in &failed {
        tracing::warn!(event_id, "not handed on; the pipe tries it again");
    }
    tracing::info!(
        routed = metrics.routed,
        rejected = metrics.rejected,
        claim_checked = metrics.claim_checked,
        failed = metrics.failed,
        "batch routed"
    );
    drop(metrics.append_on_drop(state.metrics.clone()));
    let batch_item_failures =
        failed.into_iter().map(|item_identifier| BatchItemFailure { item_identifier }).collect();
    Ok(Answer { batch_item_failures })
}
