//! What is done already, and what could not be read, as objects beside the lake's files.

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use lake_writer::Lake;
use lambda_support::dependency::DependencyError;
use lambda_support::objects::{get_json, put_json};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Under which all markers lie.
pub(crate) const BACKFILLS: &str = "backfills/";

/// The markers of one backfill.
#[derive(Clone)]
pub(crate) struct Markers {
    lake: Arc<Lake>,
    folder: String,
}

impl Markers {
    pub(crate) fn new(lake: Arc<Lake>, id: &str) -> Self {
        let folder = format!("{BACKFILLS}{}/{id}/", lake.config.table);
        Self { lake, folder }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, DependencyError> {
        let key = format!("{}{name}.json", self.folder);
        match get_json(&self.lake.s3, &self.lake.bucket_name, &key).await {
            // One that cannot be read is written anew: its part is done again, which makes the same files.
            Ok(json) => Ok(serde_json::from_str(&json).ok()),
            Err(error) if error.code == "NoSuchKey" => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn put<T: Serialize>(&self, name: &str, marker: &T) -> Result<(), DependencyError> {
        let json = serde_json::to_string(marker).map_err(|_| DependencyError {
            operation: "s3:PutObject",
            code: "the marker cannot be written".to_owned(),
        })?;
        let key = format!("{}{name}.json", self.folder);
        put_json(&self.lake.s3, &self.lake.bucket_name, key, json).await.map(drop)
    }

    /// Takes back that something is done.
    pub(crate) async fn forget(&self, name: &str) -> Result<(), DependencyError> {
        self.put(name, &()).await
    }

    /// Where items are kept that cannot be read.
    pub(crate) fn unreadable_folder(&self) -> String {
        format!("{}unreadable/", self.folder)
    }

    /// Keeps lines of a part, of which so many items came before.
    pub(crate) async fn put_unreadable(
        &self,
        part: &str,
        before: u64,
        lines: Vec<u8>,
    ) -> Result<(), DependencyError> {
        let put = self
            .lake
            .s3
            .put_object()
            .bucket(&self.lake.bucket_name)
            .key(format!("{}{part}/{before:0>12}.json", self.unreadable_folder()))
            .body(ByteStream::from(lines));
        put.send().await.map(drop).map_err(|error| DependencyError::of("s3:PutObject", &error))
    }
}
