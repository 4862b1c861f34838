//! The letters in the dead-letter bucket.

use aws_sdk_s3::Client;
use domain::change::{DEAD_PREFIX, DeadLetter};
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_support::dependency::DependencyError;
use lambda_support::objects::get_json;
use serde_json::value::RawValue;

/// Letters of one batch: as many records as the pipe gives its functions at once.
const BATCH_LETTERS: i32 = 100;

/// Bytes of one batch: what a function takes in one request, less some room (AWS Lambda developer guide, "Lambda quotas":
/// 6 MB). A letter is a little longer than its record.
const BATCH_BYTES: i64 = 5_900_000;

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

/// The keys of the next letters that one batch can hold, in the bucket's order; none after the last letter. What lies
/// deeper is no record: lines of exports, which a run over their window brings again.
pub(crate) async fn next_batch(
    client: &Client,
    bucket: &str,
    after: Option<&str>,
) -> Result<Vec<String>, DependencyError> {
    let output = client
        .list_objects_v2()
        .bucket(bucket)
        .prefix(DEAD_PREFIX)
        .delimiter("/")
        .max_keys(BATCH_LETTERS)
        .set_start_after(after.map(str::to_owned))
        .send()
        .await
        .map_err(|error| DependencyError::of("s3:ListBucket", &error))?;
    let mut bytes = 0;
    let mut keys = Vec::new();
    for object in output.contents.unwrap_or_default() {
        bytes += object.size.unwrap_or_default();
        if bytes > BATCH_BYTES && !keys.is_empty() {
            break;
        }
        keys.extend(object.key);
    }
    Ok(keys)
}

/// Reads the letters; tells how many are not readable as such. One that has gone meanwhile was replayed by somebody else.
pub(crate) async fn read(
    client: &Client,
    bucket: &str,
    keys: Vec<String>,
) -> Result<(Vec<Letter>, usize), DependencyError> {
    let read: Vec<Option<String>> = stream::iter(keys.iter())
        .map(|key| async move {
            match get_json(client, bucket, key).await {
                Ok(json) => Ok(Some(json)),
                Err(error) if error.code == "NoSuchKey" => Ok(None),
                Err(error) => Err(error),
            }
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let mut letters = Vec::with_capacity(read.len());
    let mut unreadable = 0;
    for (key, json) in keys.into_iter().zip(read) {
        let Some(json) = json else { continue };
        if let Ok(letter) = serde_json::from_str::<DeadLetter<'_>>(&json) {
            letters.push(Letter { key, record: letter.record.to_owned() });
        } else {
            tracing::error!(object_key = key, "this object is no dead letter");
            unreadable += 1;
        }
    }
    Ok((letters, unreadable))
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
