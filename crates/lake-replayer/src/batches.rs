//! Batches that Lambda gave up, whole: one object, one invocation.

use tokio::time::Instant;

use crate::bucket::{get, list, remove};
use crate::discarded::Discarded;
use crate::writer::write;
use crate::{ReplayError, Report, Request, State};

/// Where Lambda puts them (AWS Lambda developer guide, "Retain discarded records for a DynamoDB event source in Lambda").
const PREFIX: &str = "aws/lambda/";

const LISTED: i32 = 1_000;

/// Goes on at a position, and moves it along. Answers whether none is left.
pub(crate) async fn replay(
    state: &State,
    position: &mut Request,
    report: &mut Report,
    until: Instant,
) -> Result<bool, ReplayError> {
    let bucket = &state.config.dead_letter_bucket_name;
    loop {
        let listed = list(&state.s3, bucket, PREFIX, position.after.as_deref(), LISTED).await?;
        if listed.is_empty() {
            return Ok(true);
        }
        for batch in listed {
            replay_one(state, &batch.key, report).await?;
            position.after = Some(batch.key);
            if Instant::now() >= until {
                return Ok(false);
            }
        }
    }
}

async fn replay_one(state: &State, key: &str, report: &mut Report) -> Result<(), ReplayError> {
    let bucket = &state.config.dead_letter_bucket_name;
    let json = match get(&state.s3, bucket, key).await? {
        Ok(Some((_, json))) => json,
        Ok(None) => return Ok(()),
        Err(error) => {
            tracing::error!(object_key = key, %error, "a batch cannot be read");
            report.failed += 1;
            return Ok(());
        }
    };
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
        Ok(failures) if failures.is_empty() => match remove(&state.s3, bucket, key).await? {
            Ok(()) => report.batches += 1,
            Err(error) => {
                tracing::warn!(object_key = key, %error, "a batch is written, and stays in the bucket");
                report.failed += 1;
            }
        },
        Ok(failures) => {
            tracing::warn!(object_key = key, records = failures.len(), "records of a batch are not written");
            report.failed += 1;
        }
        Err(error) => {
            tracing::warn!(object_key = key, %error, "a batch is not written");
            report.failed += 1;
        }
    }
    Ok(())
}
