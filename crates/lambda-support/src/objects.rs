//! JSON objects in S3: claim checks and dead letters.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use domain::change::DataRef;

use crate::dependency::DependencyError;

/// Writes an object, over an earlier one of the same key: the keys are functions of what is written.
///
/// # Errors
/// Where S3 does not take it.
pub async fn put_json(
    client: &Client,
    bucket: &str,
    key: String,
    json: String,
) -> Result<DataRef, DependencyError> {
    let bytes = json.len();
    client
        .put_object()
        .bucket(bucket)
        .key(&key)
        .content_type("application/json")
        .body(ByteStream::from(json.into_bytes()))
        .send()
        .await
        .map_err(|error| DependencyError::of("s3:PutObject", &error))?;
    Ok(DataRef { bucket: bucket.to_owned(), key, bytes })
}

/// # Errors
/// Where S3 does not give it, or it is no text.
pub async fn get_json(client: &Client, bucket: &str, key: &str) -> Result<String, DependencyError> {
    let object = client
        .get_object()
        .bucket(bucket)
        .key(key)
        .send()
        .await
        .map_err(|error| DependencyError::of("s3:GetObject", &error))?;
    let failed = |code: &str| DependencyError { operation: "s3:GetObject", code: code.to_owned() };
    let body = object.body.collect().await.map_err(|_| failed("the body broke off"))?;
    String::from_utf8(body.to_vec()).map_err(|_| failed("the body is no UTF-8"))
}
