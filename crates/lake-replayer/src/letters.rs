//! Records that the writer could not read, a letter each.

use domain::change::DeadLetter;
use domain::lake::Row;
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_support::dependency::DependencyError;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::bucket::{Listed, Version, get, list, remove_unchanged};
use crate::writer::write;
use crate::{ReplayError, Report, Request, State};

/// Letters of one invocation, at most.
const INVOCATION_LETTERS: u16 = 1_000;

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

/// Goes on at a position, and moves it along. Answers whether none is left.
///
/// Where the writer fails, half as many go to it the next time, down to the one that it fails at, which is passed over; then
/// twice as many each time. So one letter stops no other (I3).
pub(crate) async fn replay(
    state: &State,
    position: &mut Request,
    report: &mut Report,
    until: Instant,
) -> Result<bool, ReplayError> {
    let bucket = &state.config.dead_letter_bucket_name;
    loop {
        let prefix = DeadLetter::LAKE_PREFIX;
        let limit = position.letters.unwrap_or(INVOCATION_LETTERS).clamp(1, INVOCATION_LETTERS);
        let listed = list(&state.s3, bucket, prefix, position.after.as_deref(), limit.into()).await?;
        let listed = of_one_invocation(listed);
        let Some(last) = listed.last().map(|letter| letter.key.clone()) else { return Ok(true) };
        let half = u16::try_from(listed.len() / 2).unwrap_or(limit);
        match replay_some(state, listed).await? {
            Some(of_these) => {
                report.add(of_these);
                position.after = Some(last);
                position.letters = Some(limit.saturating_mul(2)).filter(|limit| *limit < INVOCATION_LETTERS);
            }
            None => position.letters = Some(half),
        }
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

/// Invokes the writer with the records of letters, and removes those of which it has written the record. Answers what came
/// of them all; nothing where the writer failed with several, any one of which may be why.
async fn replay_some(state: &State, listed: Vec<Listed>) -> Result<Option<Report>, ReplayError> {
    let mut report = Report::default();
    let letters = read(state, listed, &mut report).await?;
    if letters.is_empty() {
        return Ok(Some(report));
    }
    let event = Event { records: letters.iter().map(|letter| &*letter.record).collect() };
    let event = serde_json::to_vec(&event).unwrap_or_default();
    let failures = match (write(state, event).await?, letters.as_slice()) {
        (Ok(failures), _) => failures,
        (Err(error), [letter]) => {
            tracing::error!(object_key = letter.key, %error, "a letter is not written");
            report.failed += 1;
            return Ok(Some(report));
        }
        (Err(error), _) => {
            tracing::warn!(letters = letters.len(), %error, "letters are not written; fewer are tried");
            return Ok(None);
        }
    };
    let (failed, written): (Vec<_>, Vec<_>) =
        letters.into_iter().partition(|letter| failures.contains(&letter.sequence_number));
    for letter in &failed {
        tracing::warn!(object_key = letter.key, "the record of a letter is not written");
    }
    report.failed += failed.len();
    let bucket = &state.config.dead_letter_bucket_name;
    // The writer puts a letter back whose record it cannot read: then the key is the same, and the version is not.
    let removed: Vec<Result<bool, DependencyError>> = stream::iter(&written)
        .map(|letter| remove_unchanged(&state.s3, bucket, &letter.key, &letter.version))
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    for (letter, removed) in written.iter().zip(removed) {
        match removed {
            Ok(true) => report.letters += 1,
            Ok(false) => {
                let reason = "the deployed writer cannot read it: is it of an older release?".to_owned();
                *report.rejected.entry(reason).or_default() += 1;
            }
            Err(error) => {
                tracing::warn!(object_key = letter.key, %error, "a letter is written, and stays in the bucket");
                report.failed += 1;
            }
        }
    }
    Ok(Some(report))
}

async fn read(
    state: &State,
    listed: Vec<Listed>,
    report: &mut Report,
) -> Result<Vec<Letter>, DependencyError> {
    let bucket = &state.config.dead_letter_bucket_name;
    let read: Vec<_> = stream::iter(listed)
        .map(|Listed { key, .. }| async move {
            let read = get(&state.s3, bucket, &key).await?;
            Ok::<_, DependencyError>((key, read))
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let mut letters = Vec::new();
    for (key, read) in read {
        let (version, json) = match read {
            Ok(Some(read)) => read,
            Ok(None) => continue,
            Err(error) => {
                tracing::error!(object_key = key, %error, "a letter cannot be read");
                report.failed += 1;
                continue;
            }
        };
        let Ok(letter) = serde_json::from_str::<DeadLetter<'_>>(&json) else {
            tracing::error!(object_key = key, "this object is no dead letter");
            report.failed += 1;
            continue;
        };
        // The writer would put it back under the same key.
        match Row::of_record(letter.record) {
            Ok((_, sequence_number)) => {
                let sequence_number = sequence_number.into_owned();
                let record = letter.record.to_owned();
                letters.push(Letter { key, version, sequence_number, record });
            }
            Err(reject) => *report.rejected.entry(reject.to_string()).or_default() += 1,
        }
    }
    Ok(letters)
}
