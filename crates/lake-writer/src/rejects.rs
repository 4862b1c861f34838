//! Records that cannot become rows, on their way into the dead-letter bucket.

use domain::change::{DeadLetter, DeadLetterCause, Identity};
use futures_util::{StreamExt, stream};
use lambda_support::dependency::DependencyError;
use lambda_support::objects::put_json;
use tokio::time::{Instant, timeout_at};

use crate::State;
use crate::batch::Rejected;

const CONCURRENCY: usize = 8;

#[derive(Debug, thiserror::Error)]
enum BuryError {
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error("the time was up")]
    OutOfTime,
    #[error("the dead letter cannot be written")]
    Unwritable,
}

/// A record that stands nowhere yet.
pub(crate) struct Unburied {
    /// As it came, where that can be read.
    pub sequence_number: Option<String>,
}

/// Stores each record whole. Answers those of which that failed.
pub(crate) async fn bury(state: &State, rejects: Vec<Rejected>, until: Instant) -> Vec<Unburied> {
    stream::iter(rejects)
        .map(|rejected| async move {
            let identity = Identity::of(rejected.record.get());
            let stored = timeout_at(until, store(state, &identity, &rejected)).await;
            match stored.unwrap_or(Err(BuryError::OutOfTime)) {
                Ok(()) => {
                    tracing::warn!(record_id = %identity.id, reason = %rejected.reject, "a record is no row");
                    None
                }
                Err(error) => {
                    tracing::error!(record_id = %identity.id, %error, "a record that is no row is not stored");
                    Some(Unburied { sequence_number: identity.sequence_number })
                }
            }
        })
        .buffer_unordered(CONCURRENCY)
        .filter_map(|unburied| async { unburied })
        .collect()
        .await
}

async fn store(state: &State, identity: &Identity, rejected: &Rejected) -> Result<(), BuryError> {
    let reject = &rejected.reject;
    let cause = DeadLetterCause::Rejected { reason: reject.reason, element: reject.element.clone() };
    let letter = DeadLetter::new(identity.id.clone(), cause, &rejected.record);
    let letter = serde_json::to_string(&letter).map_err(|_| BuryError::Unwritable)?;
    let key = DeadLetter::lake_object_key(&identity.id);
    put_json(&state.lake.s3, &state.dead_letter_bucket_name, key, letter).await?;
    Ok(())
}
