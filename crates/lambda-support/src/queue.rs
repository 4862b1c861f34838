//! Messages to SQS.

use aws_sdk_sqs::Client;
use serde::Serialize;

use crate::dependency::DependencyError;

/// Sends a message as JSON, to be delivered after so many seconds.
///
/// # Errors
/// Where SQS does not take it.
pub async fn send_json(
    client: &Client,
    queue_url: &str,
    message: &impl Serialize,
    delay_seconds: u32,
) -> Result<(), DependencyError> {
    const OPERATION: &str = "sqs:SendMessage";
    let body = serde_json::to_string(message).map_err(|_| DependencyError {
        operation: OPERATION,
        code: "the message cannot be written".to_owned(),
    })?;
    client
        .send_message()
        .queue_url(queue_url)
        .message_body(body)
        .delay_seconds(i32::try_from(delay_seconds).unwrap_or(i32::MAX))
        .send()
        .await
        .map_err(|error| DependencyError::of(OPERATION, &error))?;
    Ok(())
}
