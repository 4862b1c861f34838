//! Writes rows into the lake.

use std::io;

use aws_sdk_s3 as s3;
use aws_sdk_s3::primitives::ByteStream;
use domain::lake::object_key::{self, Compression};
use domain::lake::{LakeConfig, Row};
use futures_util::{FutureExt, StreamExt, stream};
use lambda_support::dependency::DependencyError;
use tokio::time::{Instant, timeout_at};

use crate::catalog::{Catalog, Location};
use crate::groups::{Group, group};
use crate::raw_file::{Encoder, RawFile};

/// Uploads under way at once. While they wait for S3, the next file is encoded.
const CONCURRENT_UPLOADS: usize = 32;

/// The lake, and how to write to it; built once.
pub struct Lake {
    pub config: LakeConfig,
    pub compression: Compression,
    pub s3: s3::Client,
    pub bucket_name: String,
    /// Of the table over the lake's raw files.
    pub catalog: Catalog,
}

/// What became of rows that were to be written.
#[derive(Debug, Default)]
pub struct Written {
    /// Of what is in the lake, and can be found there by queries.
    pub rows: usize,
    pub objects: usize,
    pub bytes: usize,
    /// Rows of which a value of the partition is missing.
    pub default_partition_rows: usize,
    /// Declared attributes of another type than was declared.
    pub misfits: usize,
    /// Of what has to be written again.
    pub failures: Vec<Failure>,
}

/// Rows of one file that are not in the lake, or cannot be found there.
#[derive(Debug)]
pub struct Failure {
    /// Their places among the rows that were given.
    pub positions: Vec<usize>,
    pub error: WriteError,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error("the time was up")]
    OutOfTime,
    #[error("a file cannot be compressed: {}", .0.kind())]
    Compression(#[from] io::Error),
}

/// A file that is in the bucket.
struct Uploaded {
    location: Location,
    positions: Vec<usize>,
    bytes: usize,
    misfits: usize,
}

impl Lake {
    /// Writes rows, one file for each of their partitions, and registers the partitions. What is not done by then counts
    /// as not done: written again, the same rows make the same files.
    pub async fn write(&self, rows: Vec<Row>, until: Instant) -> Written {
        let mut written = Written::default();
        let mut encoder = match Encoder::new(&self.config, self.compression) {
            Ok(encoder) => encoder,
            Err(error) => {
                let positions = (0..rows.len()).collect();
                written.failures.push(Failure { positions, error: error.into() });
                return written;
            }
        };
        let uploads: Vec<Result<Uploaded, Failure>> = stream::iter(group(&self.config.partition, rows))
            .map(|group| {
                let file = encoder.encode(&group.partition, &group.rows);
                let Group { partition, positions, .. } = group;
                async move {
                    match self.upload(file, until).await {
                        Ok((bytes, misfits)) => {
                            let folder = object_key::folder(object_key::RAW, &self.config, &partition);
                            let uri = format!("s3://{}/{folder}", self.bucket_name);
                            Ok(Uploaded { location: Location { partition, uri }, positions, bytes, misfits })
                        }
                        Err(error) => Err(Failure { positions, error }),
                    }
                }
                .boxed()
            })
            .buffer_unordered(CONCURRENT_UPLOADS)
            .collect()
            .await;
        self.register(uploads, until, &mut written).await;
        written
    }

    /// Answers the file's bytes and misfits.
    async fn upload(&self, file: io::Result<RawFile>, until: Instant) -> Result<(usize, usize), WriteError> {
        let RawFile { key, body, misfits } = file?;
        let bytes = body.len();
        let request = self
            .s3
            .put_object()
            .bucket(&self.bucket_name)
            .key(key)
            .content_type(content_type(self.compression))
            .body(ByteStream::from(body));
        let put = timeout_at(until, request.send()).await.map_err(|_| WriteError::OutOfTime)?;
        put.map_err(|error| DependencyError::of("s3:PutObject", &error))?;
        Ok((bytes, misfits))
    }

    /// Makes the files visible to queries; until then their rows do not count as written.
    async fn register(&self, uploads: Vec<Result<Uploaded, Failure>>, until: Instant, written: &mut Written) {
        let locations = uploads.iter().flatten().map(|upload| upload.location.clone()).collect();
        let mut unregistered = self.catalog.register(locations, until).await;
        for upload in uploads {
            match upload {
                Ok(upload) => match unregistered.remove(&upload.location.partition) {
                    None => written.add(&upload),
                    Some(error) => {
                        written.failures.push(Failure { positions: upload.positions, error: error.into() });
                    }
                },
                Err(failure) => written.failures.push(failure),
            }
        }
    }
}

impl Written {
    fn add(&mut self, upload: &Uploaded) {
        let rows = upload.positions.len();
        self.rows += rows;
        self.objects += 1;
        self.bytes += upload.bytes;
        self.misfits += upload.misfits;
        if upload.location.partition.missing() > 0 {
            self.default_partition_rows += rows;
        }
    }
}

/// Not an encoding of the object: readers tell the compression by the name, and would take it off twice.
fn content_type(compression: Compression) -> &'static str {
    match compression {
        Compression::Zstd => "application/zstd",
        Compression::Gzip => "application/gzip",
    }
}
