//! The files of an export, in the stack's S3.

use std::sync::Arc;

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;

use super::export_request::bucket_and_prefix;
use super::stored_resource::StoredResource;

/// Where exports are written.
pub(crate) struct Bucket {
    client: Client,
}

impl Bucket {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Writes a file under the key that the request named.
    ///
    /// # Errors
    /// Where S3 does not take it.
    pub(crate) async fn write(&self, url: &str, kms_key_id: &str, body: Vec<u8>) -> Result<()> {
        let (bucket, key) = bucket_and_prefix(url).context("a file without a bucket")?;
        self.client
            .put_object()
            .bucket(bucket)
            .key(key)
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .ssekms_key_id(kms_key_id)
            .body(ByteStream::from(body))
            .send()
            .await
            .with_context(|| format!("writing to the bucket {bucket}"))?;
        Ok(())
    }
}

/// The names of a type's files in the folder of its job: `Patient/Patient-1022280015944103279-3-0.ndjson`.
pub(crate) struct FileNames {
    folder: String,
    resource_type: String,
    digits: u64,
}

impl FileNames {
    pub(crate) fn new(folder: String, resource_type: &str) -> Self {
        let digits = fastrand::u64(1_000_000_000_000_000_000..9_000_000_000_000_000_000);
        Self { folder, resource_type: resource_type.to_owned(), digits }
    }

    pub(crate) fn url(&self, number: usize) -> String {
        let Self { folder, resource_type, digits } = self;
        format!("{folder}{resource_type}/{resource_type}-{digits}-{number}-0.ndjson")
    }
}

/// A file's lines and how many they are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub bytes: Vec<u8>,
    pub resources: u64,
}

/// Cuts the resources into files that end at `file_bytes`, or with their first line.
pub(crate) fn contents(resources: &[Arc<StoredResource>], file_bytes: usize) -> Vec<Content> {
    let mut contents: Vec<Content> = Vec::new();
    for resource in resources {
        let bytes = resource.line.len() + 1;
        let is_full = contents.last().is_none_or(|content| content.bytes.len() + bytes > file_bytes);
        if is_full {
            contents.push(Content::default());
        }
        if let Some(content) = contents.last_mut() {
            content.bytes.extend_from_slice(resource.line.as_bytes());
            content.bytes.push(b'\n');
            content.resources += 1;
        }
    }
    contents
}

#[cfg(test)]
mod tests {
    use super::super::stored_resource::Draft;
    use super::*;

    #[test]
    fn files_end_at_their_size() {
        let line = |id: usize| format!(r#"{{"resourceType":"Basic","id":"{id}"}}"#);
        let resources: Vec<Arc<StoredResource>> =
            (0..5).map(|id| Arc::new(Draft::parse(&line(id)).unwrap().finish().unwrap())).collect();
        let bytes = line(0).len() + 1;
        for (file_bytes, expected) in [
            (bytes * 10, vec![5]),
            (bytes * 2, vec![2, 2, 1]),
            (bytes * 2 - 1, vec![1, 1, 1, 1, 1]),
            (1, vec![1, 1, 1, 1, 1]),
        ] {
            let contents = contents(&resources, file_bytes);
            let counts: Vec<u64> = contents.iter().map(|content| content.resources).collect();
            assert_eq!(counts, expected, "{file_bytes}");
            let all: Vec<u8> = contents.into_iter().flat_map(|content| content.bytes).collect();
            let expected: String = (0..5).map(|id| line(id) + "\n").collect();
            assert_eq!(all, expected.as_bytes());
        }
        assert!(contents(&[], 100).is_empty());
    }

    #[test]
    fn a_file_is_named_as_in_the_recorded_job() {
        let names = FileNames::new("s3://bucket/a-FHIR_EXPORT-b/".to_owned(), "Patient");
        let url = names.url(3);
        let digits = url
            .strip_prefix("s3://bucket/a-FHIR_EXPORT-b/Patient/Patient-")
            .and_then(|rest| rest.strip_suffix("-3-0.ndjson"));
        assert!(digits.is_some_and(|digits| digits.parse::<u64>().is_ok()), "{url}");
    }
}
