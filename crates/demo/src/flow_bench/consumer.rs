//! Consumers that wait at the queue by long poll, and say which item arrived when.

use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow, bail};
use aws_sdk_sqs::Client;
use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use super::items;
use crate::deployment::Deployment;
use crate::queue;

/// The longest that SQS lets a receiver wait, in seconds (SQS API reference, "ReceiveMessage").
const LONG_POLL_SECONDS: i32 = 20;
/// The most that one request receives (the same).
const MESSAGES: i32 = 10;
/// How long nothing may arrive before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(45);

/// An item whose event a consumer holds.
#[derive(Debug, Clone)]
pub struct Received {
    /// The item's `id`.
    pub id: String,
    pub at: Instant,
}

/// The consumers of the queue for patients.
pub struct Consumers {
    received: UnboundedReceiver<Received>,
    consumers: JoinSet<Result<()>>,
}

impl Consumers {
    /// # Errors
    /// Where the deployment has no queue for patients.
    pub fn open(deployment: &Deployment, number: usize) -> Result<Self> {
        let url = deployment.output(&format!("{}QueueUrl", items::DETAIL_TYPE))?;
        let client = Client::new(&deployment.config);
        let (sender, received) = unbounded_channel();
        let mut consumers = JoinSet::new();
        for _ in 0..number {
            consumers.spawn(consume(client.clone(), url.to_owned(), sender.clone()));
        }
        Ok(Self { received, consumers })
    }

    /// The next item that arrives. One that the queue delivers twice arrives twice.
    ///
    /// # Errors
    /// Where a consumer failed, or nothing arrives for so long that it is lost.
    pub async fn next(&mut self) -> Result<Received> {
        let next = async {
            tokio::select! {
                received = self.received.recv() => received.context("no consumer is left"),
                ended = self.consumers.join_next() => match ended {
                    Some(ended) => Err(reason(ended)),
                    None => bail!("no consumer is left"),
                },
            }
        };
        match timeout(PATIENCE, next).await {
            Ok(next) => next,
            Err(_) => bail!("nothing has arrived for {} s", PATIENCE.as_secs()),
        }
    }

    /// What has arrived by now, without waiting.
    ///
    /// # Errors
    /// Where a consumer failed: what it did not receive would seem to be under way.
    pub fn arrived(&mut self) -> Result<Vec<Received>> {
        match self.consumers.try_join_next() {
            Some(ended) => Err(reason(ended)),
            None => Ok(std::iter::from_fn(|| self.received.try_recv().ok()).collect()),
        }
    }
}

/// Why a consumer has ended, which none does while somebody listens.
fn reason(ended: Result<Result<()>, JoinError>) -> Error {
    match ended {
        Ok(Ok(())) => anyhow!("a consumer has ended"),
        Ok(Err(error)) => error,
        Err(error) => error.into(),
    }
}

/// Receives until nobody listens any more.
async fn consume(client: Client, url: String, sender: UnboundedSender<Received>) -> Result<()> {
    loop {
        let received = client
            .receive_message()
            .queue_url(&url)
            .max_number_of_messages(MESSAGES)
            .wait_time_seconds(LONG_POLL_SECONDS)
            .send()
            .await
            .context("ReceiveMessage")?;
        let at = Instant::now();
        let messages = received.messages.unwrap_or_default();
        for message in &messages {
            let id = item_id(message.body().unwrap_or_default())?;
            if sender.send(Received { id, at }).is_err() {
                return Ok(());
            }
        }
        queue::delete(&client, &url, &messages).await?;
    }
}

/// The `id` of the item that an event carries. An event of a patient is small: it is never claim-checked.
fn item_id(message: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Event {
        detail: Detail,
    }
    #[derive(Deserialize)]
    struct Detail {
        item: Item,
    }
    #[derive(Deserialize)]
    struct Item {
        id: String,
    }
    let event: Event = serde_json::from_str(message).context("a message that is no event of an item")?;
    Ok(event.detail.item.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_which_item_it_is_of() {
        let event = r#"{"detail-type": "PatientChange", "detail": {"meta": {}, "item": {"id": "PATIENT#7", "sk": "x"}}}"#;
        assert_eq!(item_id(event).unwrap(), "PATIENT#7");
        assert!(item_id(r#"{"detail": {"meta": {}}}"#).is_err());
    }
}
