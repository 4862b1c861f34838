//! Objects of the dead-letter bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::DateTime;
use lambda_support::dependency::DependencyError;

/// An object that was listed.
pub(crate) struct Listed {
    pub key: String,
    pub bytes: i64,
}

/// Which writing of an object it is. A bucket without versions tells it by the rest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Version {
    id: Option<String>,
    etag: Option<String>,
    modified: Option<DateTime>,
}

/// The next objects below a prefix, in the order of their keys; none after the last.
pub(crate) async fn list(
    client: &Client,
    bucket: &str,
    prefix: &str,
    after: Option<&str>,
    limit: i32,
) -> Result<Vec<Listed>, DependencyError> {
    let page = client
        .list_objects_v2()
        .bucket(bucket)
        .prefix(prefix)
        .max_keys(limit)
        .set_start_after(after.map(str::to_owned))
        .send()
        .await
        .map_err(|error| DependencyError::of("s3:ListBucket", &error))?;
    let listed = page.contents.unwrap_or_default().into_iter();
    Ok(listed.filter_map(|it| Some(Listed { key: it.key?, bytes: it.size.unwrap_or_default() })).collect())
}

/// `None` where it is gone: somebody else has replayed it.
pub(crate) async fn get(
    client: &Client,
    bucket: &str,
    key: &str,
) -> Result<Option<(Version, String)>, DependencyError> {
    let operation = "s3:GetObject";
    let object = match client.get_object().bucket(bucket).key(key).send().await {
        Ok(object) => object,
        Err(error) => {
            let error = DependencyError::of(operation, &error);
            return if error.code == "NoSuchKey" { Ok(None) } else { Err(error) };
        }
    };
    let failed = |code: &str| DependencyError { operation, code: code.to_owned() };
    let version = Version { id: object.version_id, etag: object.e_tag, modified: object.last_modified };
    let body = object.body.collect().await.map_err(|_| failed("the body broke off"))?;
    let json = String::from_utf8(body.to_vec()).map_err(|_| failed("the body is no UTF-8"))?;
    Ok(Some((version, json)))
}

pub(crate) async fn remove(client: &Client, bucket: &str, key: &str) -> Result<(), DependencyError> {
    let removed = client.delete_object().bucket(bucket).key(key).send().await;
    removed.map(drop).map_err(|error| DependencyError::of("s3:DeleteObject", &error))
}

/// Removes an object, unless somebody has written it anew since it was read. Answers which.
pub(crate) async fn remove_unchanged(
    client: &Client,
    bucket: &str,
    key: &str,
    read: &Version,
) -> Result<bool, DependencyError> {
    let head = client.head_object().bucket(bucket).key(key).send().await;
    let head = head.map_err(|error| DependencyError::of("s3:GetObject", &error))?;
    let version = Version { id: head.version_id, etag: head.e_tag, modified: head.last_modified };
    if version != *read {
        return Ok(false);
    }
    remove(client, bucket, key).await?;
    Ok(true)
}
