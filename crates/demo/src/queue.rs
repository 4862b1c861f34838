//! Messages of a queue.

use anyhow::{Context, Result};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message};

/// Removes what one request received, ten messages at most. Of nothing there is nothing to remove.
///
/// # Errors
/// Where the queue refuses the request.
pub async fn delete(client: &Client, url: &str, messages: &[Message]) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let entries = messages.iter().enumerate().map(|(number, message)| {
        DeleteMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .set_receipt_handle(message.receipt_handle.clone())
            .build()
    });
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    client
        .delete_message_batch()
        .queue_url(url)
        .set_entries(Some(entries))
        .send()
        .await
        .context("DeleteMessageBatch")?;
    Ok(())
}
