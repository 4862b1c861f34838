//! The letters in the dead-letter bucket.

use aws_sdk_s3::Client;
use domain::change::{DEAD_PREFIX, DeadLetter};
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_support::dependency::DependencyError;
use lambda_support::objects::get_json;
use serde_json::value::RawValue;

/// Letters that are held in memory at once: with records of 5.7 MB, the largest a stream can give, below 300 MB.
const PAGE_LETTERS: i32 = 50;

/// What a function takes in one request, less some room (AWS Lambda developer guide, "Lambda quotas": 6 MB).
const BATCH_BYTES: usize = 5_800_000;

const CONCURRENCY: usize = 8;

/// A dead letter that was read.
pub(crate) struct Letter {
    pub key: String,
    record: Box<RawValue>,
}

impl Letter {
    pub(crate) fn record(&self) -> &RawValue {
        &self.record
    }
}

/// The keys of the next letters, in the bucket's order.
pub(crate) async fn list(
    client: &Client,
    bucket: &str,
    after: Option<&str>,
) -> Result<Vec<String>, DependencyError> {
    let output = client
        .list_objects_v2()
        .bucket(bucket)
        .prefix(DEAD_PREFIX)
        .max_keys(PAGE_LETTERS)
        .set_start_after(after.map(str::to_owned))
        .send()
        .await
        .map_err(|error| DependencyError::of("s3:ListBucket", &error))?;
    Ok(output.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect())
}

/// Reads the letters; tells how many are not readable as such.
pub(crate) async fn read(
    client: &Client,
    bucket: &str,
    keys: Vec<String>,
) -> Result<(Vec<Letter>, usize), DependencyError> {
    let read: Vec<Option<Letter>> = stream::iter(keys)
        .map(|key| async move {
            let json = get_json(client, bucket, &key).await?;
            let letter: Option<DeadLetter<'_>> = serde_json::from_str(&json).ok();
            if letter.is_none() {
                tracing::error!(object_key = key, "this object is no dead letter");
            }
            Ok(letter.map(|letter| Letter { key, record: letter.record.to_owned() }))
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let all = read.len();
    let letters: Vec<Letter> = read.into_iter().flatten().collect();
    let unreadable = all - letters.len();
    Ok((letters, unreadable))
}

/// Batches that one invocation takes.
pub(crate) fn batches(letters: Vec<Letter>) -> Vec<Vec<Letter>> {
    let mut batches: Vec<Vec<Letter>> = Vec::new();
    let mut bytes = 0;
    for letter in letters {
        let size = letter.record.get().len() + 1;
        match batches.last_mut() {
            Some(batch) if bytes + size <= BATCH_BYTES => {
                bytes += size;
                batch.push(letter);
            }
            _ => {
                bytes = size;
                batches.push(vec![letter]);
            }
        }
    }
    batches
}

/// Removes the letters; tells how many.
pub(crate) async fn remove(
    client: &Client,
    bucket: &str,
    keys: Vec<String>,
) -> Result<usize, DependencyError> {
    let removed = keys.len();
    stream::iter(keys)
        .map(|key| async move {
            client
                .delete_object()
                .bucket(bucket)
                .key(key)
                .send()
                .await
                .map_err(|error| DependencyError::of("s3:DeleteObject", &error))
        })
        .buffer_unordered(CONCURRENCY)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    Ok(removed)
}
