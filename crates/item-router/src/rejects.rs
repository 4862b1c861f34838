//! Rejected records on their way into the dead-letter bucket.

use std::borrow::Cow;

use domain::change::{DeadLetter, DeadLetterCause, KeyHash, RejectNotice, Rejected, SCHEMA_VERSION};
use futures_util::{StreamExt, stream};
use lambda_support::dependency::DependencyError;
use lambda_support::objects::{get_json, put_json};
use lambda_support::queue::send_json;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use crate::State;

const CONCURRENCY: usize = 8;

/// A rejected record, and the pipe's name for it.
pub(crate) struct Reject<'a> {
    pub event_id: String,
    pub key: Option<KeyHash>,
    pub rejected: Rejected<'a>,
}

#[derive(Debug, thiserror::Error)]
enum BuryError {
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error("the rejected record did not come along")]
    RecordMissing,
    #[error("the time was up")]
    OutOfTime,
    #[error("the dead letter cannot be written")]
    Unwritable,
}

/// Stores each record whole, and only then announces it. Answers the `eventID`s of those that did not get that far.
pub(crate) async fn bury(state: &State, rejects: Vec<Reject<'_>>, until: Instant) -> Vec<String> {
    stream::iter(rejects)
        .map(|reject| async move {
            let record_id = reject.rejected.record_id.clone();
            let event_id = reject.event_id.clone();
            let buried = timeout_at(until, bury_one(state, reject)).await;
            match buried.unwrap_or(Err(BuryError::OutOfTime)) {
                Ok(()) => None,
                Err(error) => {
                    tracing::error!(%record_id, %error, "rejected record not stored");
                    Some(event_id)
                }
            }
        })
        .buffer_unordered(CONCURRENCY)
        .filter_map(|failed| async { failed })
        .collect()
        .await
}

async fn bury_one(state: &State, Reject { key, rejected, .. }: Reject<'_>) -> Result<(), BuryError> {
    let record: Cow<'_, str> = match (rejected.record, &rejected.record_ref) {
        (Some(record), _) => Cow::Borrowed(record.get()),
        (None, Some(data_ref)) => Cow::Owned(get_json(&state.s3, &data_ref.bucket, &data_ref.key).await?),
        (None, None) => return Err(BuryError::RecordMissing),
    };
    let record: &RawValue = serde_json::from_str(&record).map_err(|_| BuryError::Unwritable)?;
    let element = rejected.element.into_owned();
    let cause = DeadLetterCause::Rejected { reason: rejected.reason, element: element.clone() };
    let letter = DeadLetter::new(rejected.record_id.clone(), cause, record);
    let letter = serde_json::to_string(&letter).map_err(|_| BuryError::Unwritable)?;
    let object_key = DeadLetter::object_key(&rejected.record_id);
    put_json(&state.s3, &state.config.dead_letter_bucket_name, object_key.clone(), letter).await?;

    let notice = RejectNotice {
        schema_version: SCHEMA_VERSION.to_owned(),
        record_id: rejected.record_id,
        bucket: state.config.dead_letter_bucket_name.clone(),
        object_key,
        reason: rejected.reason,
        element,
        key_hash: key,
        sequence: rejected.sequence,
    };
    Ok(send_json(&state.sqs, &state.config.rejects_queue_url, &notice, 0).await?)
}
