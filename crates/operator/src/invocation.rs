//! A function, invoked for its answer.

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub async fn invoke<A: DeserializeOwned>(
    client: &Client,
    function: &str,
    request: &impl Serialize,
) -> Result<A> {
    let output = client
        .invoke()
        .function_name(function)
        .payload(Blob::new(serde_json::to_vec(request)?))
        .send()
        .await
        .with_context(|| format!("invoking {function}"))?;
    let answer = output.payload.map(Blob::into_inner).unwrap_or_default();
    if output.function_error.is_some() {
        bail!("{function} failed: {}", String::from_utf8_lossy(&answer));
    }
    serde_json::from_slice(&answer).with_context(|| format!("the answer of {function}"))
}
