//! The files that a job lists, as they lie in the bucket.

use aws_sdk_s3::Client;
use domain::export::manifest::ExportedFile;
use futures_util::{StreamExt, TryStreamExt, stream};
use healthlake::OutputFile;
use lambda_support::dependency::DependencyError;

const CONCURRENCY: usize = 16;

pub(crate) struct Found {
    pub files: Vec<ExportedFile>,
    /// How many are listed and not there.
    pub missing: u32,
}

pub(crate) async fn find(
    client: &Client,
    bucket: &str,
    listed: &[OutputFile],
) -> Result<Found, DependencyError> {
    let found: Vec<Option<ExportedFile>> = stream::iter(listed)
        .map(|file| async move {
            match file.key_in(bucket) {
                Some(key) => head(client, bucket, key).await,
                None => Ok(None),
            }
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let missing = found.iter().filter(|file| file.is_none()).count();
    let files = found.into_iter().flatten().collect();
    Ok(Found { files, missing: u32::try_from(missing).unwrap_or(u32::MAX) })
}

async fn head(client: &Client, bucket: &str, key: &str) -> Result<Option<ExportedFile>, DependencyError> {
    match client.head_object().bucket(bucket).key(key).send().await {
        Ok(head) => Ok(Some(ExportedFile {
            key: key.to_owned(),
            etag: head.e_tag.unwrap_or_default(),
            bytes: u64::try_from(head.content_length.unwrap_or_default()).unwrap_or_default(),
        })),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(aws_sdk_s3::operation::head_object::HeadObjectError::is_not_found) =>
        {
            Ok(None)
        }
        Err(error) => Err(DependencyError::of("s3:HeadObject", &error)),
    }
}
