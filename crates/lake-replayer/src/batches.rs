//! Batches that Lambda gave up, whole: one object, one invocation.

use tokio::time::Instant;

use crate::bucket::{get, list, remove};
use crate::discarded::Discarded;
use crate::writer::write;
use crate::{ReplayError, Report, State};

/// Where Lambda puts them (AWS Lambda developer guide, "Retain discarded records for a DynamoDB event source in Lambda").
const PREFIX: &str = "aws/lambda/";

const LISTED: i32 = 1_000;

/// Goes on after the key, and moves it along. Answers whether none is left.
pub(crate) async fn replay(
    state: &State,
    after: &mut Option<String>,
    report: &mut Report,
    until: Instant,
) -> Result<bool, ReplayError> {
    let bucket = &state.config.dead_letter_bucket_name;
    loop {
        let listed = list(&state.s3, bucket, PREFIX, after.as_deref(), LISTED).await?;
        if listed.is_empty() {
            return Ok(true);
        }
        for batch in listed {
            replay_one(state, &batch.key, report).await?;
            *after = Some(batch.key);
            if Instant::now() >= until {
                return Ok(false);
            }
        }
    }
}

async fn replay_one(state: &State, key: &str, report: &mut Report) -> Result<(), ReplayError> {
    let bucket = &state.config.dead_letter_bucket_name;
    let Some((_, json)) = get(&state.s3, bucket, key).await? else { return Ok(()) };
    let event = match Discarded::read(&json, &state.config.lake_writer_function_name) {
        Some(Discarded::Batch(event)) => event.into_owned().into_bytes(),
        Some(Discarded::OfAnother) => {
            report.of_others += 1;
            return Ok(());
        }
        None => {
            tracing::error!(object_key = key, "this object is no batch that Lambda gave up");
            report.failed += 1;
            return Ok(());
        }
    };
    match write(state, event).await? {
        Ok(failures) if failures.is_empty() => {
            remove(&state.s3, bucket, key).await?;
            report.batches += 1;
        }
        Ok(failures) => {
            tracing::warn!(object_key = key, records = failures.len(), "records of a batch are not written");
            report.failed += 1;
        }
        Err(error_type) => {
            tracing::warn!(object_key = key, error_type, "the writer failed");
            report.failed += 1;
        }
    }
    Ok(())
}
