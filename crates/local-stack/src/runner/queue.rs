//! A queue that is known by its ARN.

use anyhow::{Context, Result};
use aws_sdk_sqs::Client;

pub(crate) async fn send(client: &Client, queue_arn: &str, message: String) -> Result<()> {
    let name = queue_arn.rsplit(':').next().context("a queue without a name")?;
    let queue = client.get_queue_url().queue_name(name).send().await.context("looking up a queue")?;
    client
        .send_message()
        .set_queue_url(queue.queue_url)
        .message_body(message)
        .send()
        .await
        .context("sending to a queue")?;
    Ok(())
}
