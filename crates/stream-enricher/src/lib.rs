//! Enrichment of the pipe: stream records in, one outcome each out.
//!
//! A record that cannot become an event is an outcome, not an error. An error fails the whole batch, which the pipe then
//! tries again; that is right only where a service is down, because Pipes knows no partial failure here (EventBridge
//! user guide, "Amazon EventBridge Pipes batching and concurrency").

mod answer;
mod batch;
mod collections;
mod config;

use aws_sdk_dynamodb as dynamodb;
use aws_sdk_s3 as s3;
use lambda_runtime::Diagnostic;
use lambda_support::dependency::DependencyError;
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use serde_json::value::RawValue;

pub use answer::{ANSWER_BYTES, Answer};
pub use batch::Batch;
pub use config::Config;

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
pub async fn handle(state: &State, batch: &RawValue) -> Result<Box<RawValue>, EnricherError> {
    let batch = Batch::read(batch)?;
    let collections = collections::read(state, batch.needed()).await?;
    let patients_read = collections.len();
    let answer = batch.answer(&collections, &state.config.codes, &state.config.claim_check_bucket_name)?;

    let metrics = EnricherMetrics {
        records: answer.enriched + answer.rejected,
        enriched: answer.enriched,
        rejected: answer.rejected,
        claim_checked: answer.claim_checks(),
        patients_read,
    };
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
