//! Enrichment of the pipe: stream records in, one outcome each out.
//!
//! A record that cannot become an event is an outcome, not an error. An error fails the whole batch, which the pipe then
//! tries again; that is right only where a service is down, because Pipes knows no partial failure here (EventBridge
//! user guide, "Amazon EventBridge Pipes batching and concurrency").

mod answer;
mod collections;
mod config;

use std::cell::LazyCell;
use std::collections::HashMap;

use aws_sdk_dynamodb as dynamodb;
use aws_sdk_s3 as s3;
use domain::change::{Change, Identity, Reject, StreamRecord};
use domain::items::{Collection, fhir_resource, needs_collection};
use lambda_runtime::Diagnostic;
use lambda_support::dependency::DependencyError;
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use serde_json::value::RawValue;

pub use answer::ANSWER_BYTES;
pub use config::Config;

use answer::Answer;

/// What the handler works with, built once.
pub struct State {
    pub dynamodb: dynamodb::Client,
    pub s3: s3::Client,
    pub config: Config,
    pub metrics: BoxEntrySink,
}

/// Why a whole batch failed.
#[derive(Debug, thiserror::Error)]
pub enum EnricherError {
    #[error("the batch is no array of records")]
    BatchUnreadable,
    #[error("the answer is no JSON")]
    AnswerUnreadable,
    #[error(transparent)]
    Dependency(#[from] DependencyError),
}

impl From<EnricherError> for Diagnostic {
    fn from(error: EnricherError) -> Self {
        let error_type = match &error {
            EnricherError::BatchUnreadable => "BatchUnreadable",
            EnricherError::AnswerUnreadable => "AnswerUnreadable",
            EnricherError::Dependency(_) => "DependencyFailed",
        };
        Diagnostic { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct EnricherMetrics {
    records: usize,
    enriched: usize,
    rejected: usize,
    claim_checked: usize,
    patients_read: usize,
}

/// Answers one outcome for each record of the batch, in the batch's order.
///
/// # Errors
/// Where the table or the claim-check bucket does not answer, or the payload is no batch.
pub async fn handle(state: &State, batch: &str) -> Result<Box<RawValue>, EnricherError> {
    let records = StreamRecord::decode_batch(batch).map_err(|_| EnricherError::BatchUnreadable)?;
    let changes: Vec<_> = records.into_iter().map(|record| record.and_then(Change::of)).collect();
    // Only a rejected record is needed as it came.
    let raw_records = LazyCell::new(|| serde_json::from_str::<Vec<&RawValue>>(batch).unwrap_or_default());
    let collections = collections::read(state, patients_of(&changes)).await?;

    let mut metrics =
        EnricherMetrics { records: changes.len(), patients_read: collections.len(), ..Default::default() };
    let mut answer = Answer::to_batch_of(batch.len(), &state.config.claim_check_bucket_name);
    for (position, change) in changes.into_iter().enumerate() {
        match change.and_then(|change| enrich(state, change, &collections)) {
            Ok(enriched) => {
                metrics.enriched += 1;
                answer.push_enriched(enriched);
            }
            Err(reject) => {
                metrics.rejected += 1;
                let record = raw_records.get(position).ok_or(EnricherError::BatchUnreadable)?.get();
                let identity = Identity::of(record);
                tracing::warn!(record_id = %identity.id, reason = reject.reason.code(), element = reject.element, "record rejected");
                answer.push_rejected(&identity, &reject, record);
            }
        }
    }
    metrics.claim_checked = answer.claim_checks();
    let answer = answer.finish(&state.s3).await?;
    tracing::info!(
        records = metrics.records,
        enriched = metrics.enriched,
        rejected = metrics.rejected,
        claim_checked = metrics.claim_checked,
        "batch enriched"
    );
    drop(metrics.append_on_drop(state.metrics.clone()));
    RawValue::from_string(answer).map_err(|_| EnricherError::AnswerUnreadable)
}

/// The partition keys of the patients whose collections the batch needs, each once.
fn patients_of<'c>(changes: &'c [Result<Change<'_>, Reject>]) -> Vec<&'c str> {
    let mut patients: Vec<&str> = changes
        .iter()
        .flatten()
        .filter(|change| needs_collection(change))
        .map(|change| change.keys().id.text.as_ref())
        .collect();
    patients.sort_unstable();
    patients.dedup();
    patients
}

/// A record that became a change event.
struct Enriched<'a> {
    change: Change<'a>,
    event: String,
}

fn enrich<'a>(
    state: &State,
    change: Change<'a>,
    collections: &HashMap<String, Collection>,
) -> Result<Enriched<'a>, Reject> {
    let collection = collections.get(change.keys().id.text.as_ref());
    let fhir = fhir_resource(&change, collection, &state.config.codes)?;
    let mut event = String::new();
    change.write_event(fhir.as_deref(), &mut event);
    Ok(Enriched { change, event })
}
