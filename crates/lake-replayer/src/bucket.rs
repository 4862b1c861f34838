//! Objects of the dead-letter bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::DateTime;
use lambda_support::dependency::DependencyError;

use crate::calls::{Called, called};

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
pub(crate) async fn get(client: &Client, bucket: &str, key: &str) -> Called<Option<(Version, String)>> {
    let operation = "s3:GetObject";
    let object = match called(operation, client.get_object().bucket(bucket).key(key).send().await)? {
        Ok(object) => object,
        Err(error) if error.code == "NoSuchKey" => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    let failed = |code: &str| DependencyError { operation, code: code.to_owned() };
    let version = Version { id: object.version_id, etag: object.e_tag, modified: object.last_modified };
    let Ok(body) = object.body.collect().await else { return Ok(Err(failed("the body broke off"))) };
    let json = String::from_utf8(body.to_vec()).map_err(|_| failed("the body is no UTF-8"));
    Ok(json.map(|json| Some((version, json))))
}

pub(crate) async fn remove(client: &Client, bucket: &str, key: &str) -> Called<()> {
    let removed = client.delete_object().bucket(bucket).key(key).send().await;
    called("s3:DeleteObject", removed.map(drop))
}

/// Removes an object, unless somebody has written it anew since it was read. Answers whether it is gone, which it may be
/// already: two replays at once remove the same objects.
pub(crate) async fn remove_unchanged(
    client: &Client,
    bucket: &str,
    key: &str,
    read: &Version,
) -> Called<bool> {
    let head = client.head_object().bucket(bucket).key(key).send().await;
    let head = match called("s3:GetObject", head)? {
        Ok(head) => head,
        // Without a body, so that the code is of the status (Amazon S3 API reference, "HeadObject").
        Err(error) if error.code == "NotFound" => return Ok(Ok(true)),
        Err(error) => return Ok(Err(error)),
    };
    let version = Version { id: head.version_id, etag: head.e_tag, modified: head.last_modified };
    if version != *read {
        return Ok(Ok(false));
    }
    Ok(remove(client, bucket, key).await?.map(|()| true))
}
