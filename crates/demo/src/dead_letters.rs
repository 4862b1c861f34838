//! What lies in the dead-letter bucket.

use anyhow::{Context, Result};
use aws_sdk_s3 as s3;
use domain::change::{DEAD_PREFIX, DeadLetter, DeadLetterCause, Image, StreamRecord};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::value::RawValue;

use crate::deployment::Deployment;

const CONCURRENCY: usize = 16;

/// A dead letter whose record can be told apart.
#[derive(Debug, Clone)]
pub struct Dead {
    pub object_key: String,
    pub cause: DeadLetterCause,
    pub key: (String, String),
    pub sequence: String,
    pub record: Box<RawValue>,
}

/// Records that the bus lacks.
///
/// # Errors
/// Where the bucket does not answer, or an object is no dead letter.
pub async fn read(deployment: &Deployment) -> Result<Vec<Dead>> {
    read_below(deployment, DEAD_PREFIX).await
}

/// Records that the lake lacks.
///
/// # Errors
/// Where the bucket does not answer, or an object is no dead letter.
pub async fn read_of_lake(deployment: &Deployment) -> Result<Vec<Dead>> {
    read_below(deployment, &format!("{DEAD_PREFIX}lake/")).await
}

/// What lies right below the prefix; in folders there lie others.
async fn read_below(deployment: &Deployment, prefix: &str) -> Result<Vec<Dead>> {
    let client = &s3::Client::new(&deployment.config);
    let bucket = deployment.output("DeadLetterBucketName")?;
    let pages = client.list_objects_v2().bucket(bucket).prefix(prefix).delimiter("/").into_paginator().send();
    let pages: Vec<_> = pages.try_collect().await.context("ListObjectsV2")?;
    let keys =
        pages.into_iter().flat_map(|page| page.contents.unwrap_or_default()).filter_map(|object| object.key);
    stream::iter(keys)
        .map(|object_key| async move {
            let object =
                client.get_object().bucket(bucket).key(&object_key).send().await.context("GetObject")?;
            let json = String::from_utf8(object.body.collect().await?.to_vec())?;
            let letter: DeadLetter<'_> =
                serde_json::from_str(&json).context("an object that is no dead letter")?;
            let name = StreamRecord::<Image>::decode(letter.record.get()).ok().map(|record| {
                let key = (record.keys.id.text.to_string(), record.keys.sk.text.to_string());
                (key, record.sequence.as_str().to_owned())
            });
            // A record that is none has no name in the stream; it counts as rejected and accounts for nothing.
            let (key, sequence) = name.unwrap_or_default();
            Ok(Dead { object_key, cause: letter.cause, key, sequence, record: letter.record.to_owned() })
        })
        .buffer_unordered(CONCURRENCY)
        .try_collect()
        .await
}
