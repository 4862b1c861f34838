//! The lake's bucket: lists, reads, and writes that overwrite nothing.

use std::collections::VecDeque;
use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, Object, ObjectIdentifier};
use domain::lake::compaction::StoredFile;
use jiff::Timestamp;
use lambda_support::dependency::DependencyError;
use tokio::io::AsyncWriteExt;

/// Amazon S3 API reference, "DeleteObjects": at most 1,000 keys a request.
const REQUEST_KEYS: usize = 1_000;

/// What S3 answers where another writes the same key at the same time (Amazon S3 user guide, "How to prevent object
/// overwrites with conditional writes"): the write may be tried again.
const CONFLICT: &str = "ConditionalRequestConflict";
const CONFLICTS: usize = 5;

const GET: &str = "s3:GetObject";
const PUT: &str = "s3:PutObject";

#[derive(Debug)]
pub struct Bucket {
    pub client: Client,
    pub name: String,
}

/// The objects below a prefix, a page at a time, in the order of their keys.
pub(crate) struct List<'b> {
    bucket: &'b Bucket,
    prefix: String,
    page: VecDeque<StoredFile>,
    next: Next,
}

enum Next {
    First,
    Page(String),
    End,
}

impl Bucket {
    pub(crate) fn list(&self, prefix: impl Into<String>) -> List<'_> {
        List { bucket: self, prefix: prefix.into(), page: VecDeque::new(), next: Next::First }
    }

    /// The folders right below a prefix, without their last slash.
    pub(crate) async fn folders(&self, prefix: &str) -> Result<Vec<String>, DependencyError> {
        let mut folders = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).delimiter("/");
            let answer = request.set_continuation_token(token).send().await;
            let answer = answer.map_err(|error| DependencyError::of("s3:ListBucket", &error))?;
            let prefixes = answer.common_prefixes.unwrap_or_default().into_iter().filter_map(|it| it.prefix);
            folders.extend(prefixes.map(|prefix| prefix.trim_end_matches('/').to_owned()));
            match answer.next_continuation_token {
                Some(next) => token = Some(next),
                None => return Ok(folders),
            }
        }
    }

    /// `None` where the object is gone: another has replaced it, and time has passed.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, DependencyError> {
        let Some(object) = self.object(key).await? else { return Ok(None) };
        let body = object.collect().await.map_err(|_| broken_off())?;
        Ok(Some(body.to_vec()))
    }

    /// Reads an object into a file. Answers whether it is still there.
    pub(crate) async fn download(&self, key: &str, path: &Path) -> Result<bool, DependencyError> {
        let Some(mut object) = self.object(key).await? else { return Ok(false) };
        let storage = |_| DependencyError { operation: GET, code: "no room for the file".to_owned() };
        let mut file = tokio::fs::File::create(path).await.map_err(storage)?;
        while let Some(piece) = object.try_next().await.map_err(|_| broken_off())? {
            file.write_all(&piece).await.map_err(storage)?;
        }
        file.flush().await.map_err(storage)?;
        Ok(true)
    }

    async fn object(&self, key: &str) -> Result<Option<ByteStream>, DependencyError> {
        match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(object) => Ok(Some(object.body)),
            Err(error) => match DependencyError::of(GET, &error) {
                gone if gone.code == "NoSuchKey" => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Writes a file, unless there is one of this key: then it is the same. `sha256` lets S3 check what arrives.
    pub(crate) async fn put_file(&self, key: &str, path: &Path, sha256: &str) -> Result<(), DependencyError> {
        self.put_once(async |request: PutObjectFluentBuilder| {
            let body = ByteStream::from_path(path).await.map_err(|_| DependencyError {
                operation: PUT,
                code: "the file cannot be read".to_owned(),
            })?;
            Ok(request
                .key(key)
                .checksum_sha256(sha256)
                .content_type("application/vnd.apache.parquet")
                .body(body))
        })
        .await
    }

    pub(crate) async fn put_json(&self, key: &str, json: &str) -> Result<(), DependencyError> {
        self.put_once(async |request: PutObjectFluentBuilder| {
            let body = ByteStream::from(json.as_bytes().to_vec());
            Ok(request.key(key).content_type("application/json").body(body))
        })
        .await
    }

    async fn put_once(
        &self,
        fill: impl AsyncFn(PutObjectFluentBuilder) -> Result<PutObjectFluentBuilder, DependencyError>,
    ) -> Result<(), DependencyError> {
        for _ in 0..CONFLICTS {
            let request = self.client.put_object().bucket(&self.name).if_none_match("*");
            let put = fill(request).await?.send().await;
            match put.as_ref().map_err(|error| error.as_service_error().and_then(ProvideErrorMetadata::code))
            {
                Ok(PutObjectOutput { .. }) | Err(Some("PreconditionFailed")) => return Ok(()),
                Err(Some(CONFLICT)) => (),
                Err(_) => return put.map(drop).map_err(|error| DependencyError::of(PUT, &error)),
            }
        }
        Err(DependencyError { operation: PUT, code: CONFLICT.to_owned() })
    }

    /// Deletes objects; one that is not there counts as deleted.
    pub(crate) async fn delete(&self, keys: &[String]) -> Result<(), DependencyError> {
        const OPERATION: &str = "s3:DeleteObject";
        let unbuilt =
            |_| DependencyError { operation: OPERATION, code: "the request could not be built".to_owned() };
        for keys in keys.chunks(REQUEST_KEYS) {
            let identifiers: Result<Vec<_>, _> =
                keys.iter().map(|key| ObjectIdentifier::builder().key(key).build()).collect();
            let delete =
                Delete::builder().set_objects(Some(identifiers.map_err(unbuilt)?)).quiet(true).build();
            let request = self.client.delete_objects().bucket(&self.name).delete(delete.map_err(unbuilt)?);
            let answer = request.send().await.map_err(|error| DependencyError::of(OPERATION, &error))?;
            if let Some(error) = answer.errors.unwrap_or_default().into_iter().next() {
                let code = error.code.unwrap_or_else(|| "an error without a code".to_owned());
                return Err(DependencyError { operation: OPERATION, code });
            }
        }
        Ok(())
    }
}

impl List<'_> {
    pub(crate) async fn next(&mut self) -> Result<Option<StoredFile>, DependencyError> {
        self.fill().await?;
        Ok(self.page.pop_front())
    }

    /// The object that [`next`](Self::next) will give.
    pub(crate) async fn peek(&mut self) -> Result<Option<&StoredFile>, DependencyError> {
        self.fill().await?;
        Ok(self.page.front())
    }

    pub(crate) async fn collect(mut self) -> Result<Vec<StoredFile>, DependencyError> {
        let mut files = Vec::new();
        while let Some(file) = self.next().await? {
            files.push(file);
        }
        Ok(files)
    }

    async fn fill(&mut self) -> Result<(), DependencyError> {
        while self.page.is_empty() {
            let token = match std::mem::replace(&mut self.next, Next::End) {
                Next::First => None,
                Next::Page(token) => Some(token),
                Next::End => return Ok(()),
            };
            let request = self.bucket.client.list_objects_v2().bucket(&self.bucket.name).prefix(&self.prefix);
            let answer = request.set_continuation_token(token).send().await;
            let answer = answer.map_err(|error| DependencyError::of("s3:ListBucket", &error))?;
            if let Some(token) = answer.next_continuation_token {
                self.next = Next::Page(token);
            }
            self.page = answer.contents.unwrap_or_default().into_iter().filter_map(stored).collect();
        }
        Ok(())
    }
}

/// `None` where it is a folder, which consoles store as an empty object.
fn stored(object: Object) -> Option<StoredFile> {
    let modified = object.last_modified?;
    Some(StoredFile {
        key: object.key.filter(|key| !key.ends_with('/'))?,
        bytes: object.size.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
        modified: Timestamp::from_millisecond(modified.to_millis().ok()?).ok()?,
    })
}

fn broken_off() -> DependencyError {
    DependencyError { operation: GET, code: "the body broke off".to_owned() }
}
