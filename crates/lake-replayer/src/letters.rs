//! Records that the writer could not read, a letter each.

use domain::change::DeadLetter;
use domain::lake::LakeRecord;
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_support::dependency::DependencyError;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::bucket::{Listed, Version, get, list, remove_unchanged};
use crate::writer::write;
use crate::{ReplayError, Report, State};

/// Letters of one invocation.
const INVOCATION_LETTERS: i32 = 1_000;

/// Of one invocation, less some room (AWS Lambda developer guide, "Lambda quotas": 6 MB). A letter is a little longer than
/// its record.
const INVOCATION_BYTES: i64 = 5_900_000;

const CONCURRENCY: usize = 16;

/// A letter whose record can be read now.
struct Letter {
    key: String,
    version: Version,
    sequence_number: String,
    record: Box<RawValue>,
}

#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "Records")]
    records: Vec<&'a RawValue>,
}

/// Goes on after the key, and moves it along. Answers whether none is left.
pub(crate) async fn replay(
    state: &State,
    after: &mut Option<String>,
    report: &mut Report,
    until: Instant,
) -> Result<bool, ReplayError> {
    let bucket = &state.config.dead_letter_bucket_name;
    loop {
        let prefix = DeadLetter::LAKE_PREFIX;
        let listed = list(&state.s3, bucket, prefix, after.as_deref(), INVOCATION_LETTERS).await?;
        let listed = of_one_invocation(listed);
        let Some(last) = listed.last().map(|letter| letter.key.clone()) else { return Ok(true) };
        replay_some(state, listed, report).await?;
        *after = Some(last);
        if Instant::now() >= until {
            return Ok(false);
        }
    }
}

/// As many as one invocation takes, at least one.
fn of_one_invocation(mut listed: Vec<Listed>) -> Vec<Listed> {
    let mut bytes = 0;
    let fits = |letter: &&Listed| {
        bytes += letter.bytes;
        bytes <= INVOCATION_BYTES
    };
    let count = listed.iter().take_while(fits).count();
    listed.truncate(count.max(1));
    listed
}

/// Invokes the writer with the records of letters, and removes those of which it has written the record.
async fn replay_some(state: &State, listed: Vec<Listed>, report: &mut Report) -> Result<(), ReplayError> {
    let letters = read(state, listed, report).await?;
    if letters.is_empty() {
        return Ok(());
    }
    let event = Event { records: letters.iter().map(|letter| &*letter.record).collect() };
    let event = serde_json::to_vec(&event).unwrap_or_default();
    match write(state, event).await? {
        Err(error_type) => {
            tracing::warn!(letters = letters.len(), error_type, "the writer failed");
            report.failed += letters.len();
        }
        Ok(failures) => {
            let (failed, written): (Vec<_>, Vec<_>) =
                letters.into_iter().partition(|letter| failures.contains(&letter.sequence_number));
            report.failed += failed.len();
            let bucket = &state.config.dead_letter_bucket_name;
            // The writer puts a letter back whose record it cannot read: then the key is the same, and the version is not.
            let removed: Vec<bool> = stream::iter(&written)
                .map(|letter| remove_unchanged(&state.s3, bucket, &letter.key, &letter.version))
                .buffered(CONCURRENCY)
                .try_collect()
                .await?;
            report.letters += removed.iter().filter(|removed| **removed).count();
            let put_back = removed.iter().filter(|removed| !**removed).count();
            if put_back > 0 {
                let reason = "the deployed writer cannot read it: is it of an older release?".to_owned();
                *report.rejected.entry(reason).or_default() += put_back;
            }
        }
    }
    Ok(())
}

async fn read(
    state: &State,
    listed: Vec<Listed>,
    report: &mut Report,
) -> Result<Vec<Letter>, DependencyError> {
    let bucket = &state.config.dead_letter_bucket_name;
    let read: Vec<Option<(String, Version, String)>> = stream::iter(listed)
        .map(|Listed { key, .. }| async move {
            let read = get(&state.s3, bucket, &key).await?;
            Ok::<_, DependencyError>(read.map(|(version, json)| (key, version, json)))
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let mut letters = Vec::new();
    for (key, version, json) in read.into_iter().flatten() {
        let Ok(letter) = serde_json::from_str::<DeadLetter<'_>>(&json) else {
            tracing::error!(object_key = key, "this object is no dead letter");
            report.failed += 1;
            continue;
        };
        // The writer would put it back under the same key.
        let decoded = LakeRecord::decode(letter.record.get());
        match decoded.and_then(|record| record.row().map(|_| record.sequence_number.into_owned())) {
            Ok(sequence_number) => {
                let record = letter.record.to_owned();
                letters.push(Letter { key, version, sequence_number, record });
            }
            Err(reject) => *report.rejected.entry(reject.to_string()).or_default() += 1,
        }
    }
    Ok(letters)
}
