//! One synchronous call of a function, within Lambda's limits.

use anyhow::{Result, bail};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::primitives::Blob;

use super::batch::PAYLOAD_BYTES;

/// What came back from a function that was invoked, whether or not it failed.
#[derive(Debug)]
pub(crate) struct Response {
    pub request_id: Option<String>,
    pub status_code: i32,
    pub executed_version: Option<String>,
    pub function_error: Option<String>,
    payload: Vec<u8>,
}

/// # Errors
/// Where the function was not invoked.
pub(crate) async fn invoke(client: &Client, function: &str, payload: Vec<u8>) -> Result<Response> {
    check_size("request", payload.len())?;
    let output = client.invoke().function_name(function).payload(Blob::new(payload)).send().await?;
    Ok(Response {
        request_id: output.request_id().map(str::to_owned),
        status_code: output.status_code,
        executed_version: output.executed_version,
        function_error: output.function_error,
        payload: output.payload.map(Blob::into_inner).unwrap_or_default(),
    })
}

impl Response {
    /// # Errors
    /// Where the function failed, or answered too much.
    pub(crate) fn answer(&self) -> Result<&[u8]> {
        if self.function_error.is_some() {
            // The error's message is the function's own: it may go to the log no more than on AWS.
            bail!("the function failed");
        }
        check_size("answer", self.payload.len())?;
        Ok(&self.payload)
    }
}

fn check_size(what: &str, bytes: usize) -> Result<()> {
    if bytes > PAYLOAD_BYTES {
        bail!("a {what} of {bytes} bytes is over Lambda's {PAYLOAD_BYTES}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_over_six_megabytes_are_refused() {
        assert!(check_size("request", PAYLOAD_BYTES).is_ok());
        assert!(check_size("request", PAYLOAD_BYTES + 1).is_err());
    }
}
