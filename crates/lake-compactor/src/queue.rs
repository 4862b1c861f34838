//! Messages to the queue of directories, ten at a time.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use lambda_support::dependency::DependencyError;

use crate::State;
use crate::event::CompactMessage;

/// Amazon SQS API reference, "SendMessageBatch": at most ten entries a request.
const REQUEST_ENTRIES: usize = 10;
const ATTEMPTS: usize = 3;

pub(crate) struct Messages<'s> {
    state: &'s State,
    batch: Vec<String>,
    pub sent: u64,
    pub not_sent: u64,
}

impl<'s> Messages<'s> {
    pub(crate) fn new(state: &'s State) -> Self {
        Self { state, batch: Vec::new(), sent: 0, not_sent: 0 }
    }

    pub(crate) async fn push(&mut self, message: &CompactMessage) {
        match serde_json::to_string(message) {
            Ok(body) => self.batch.push(body),
            Err(_) => self.not_sent += 1,
        }
        if self.batch.len() >= REQUEST_ENTRIES {
            self.send().await;
        }
    }

    /// Sends what is left. What the queue does not take is counted: the next plan finds it again.
    pub(crate) async fn send(&mut self) {
        let mut bodies = std::mem::take(&mut self.batch);
        let all = bodies.len() as u64;
        for attempt in 1..=ATTEMPTS {
            match self.attempt(&bodies).await {
                Ok(failed) => bodies = failed,
                Err(error) => tracing::warn!(%error, attempt, "directories are not sent"),
            }
            if bodies.is_empty() {
                break;
            }
        }
        let failed = bodies.len() as u64;
        self.not_sent += failed;
        self.sent += all - failed;
    }

    /// Answers what the queue did not take.
    async fn attempt(&self, bodies: &[String]) -> Result<Vec<String>, DependencyError> {
        const OPERATION: &str = "sqs:SendMessage";
        if bodies.is_empty() {
            return Ok(Vec::new());
        }
        let entries: Result<Vec<_>, _> = bodies
            .iter()
            .enumerate()
            .map(|(place, body)| {
                SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(body).build()
            })
            .collect();
        let entries = entries.map_err(|_| DependencyError {
            operation: OPERATION,
            code: "the request could not be built".to_owned(),
        })?;
        let request = self.state.sqs.send_message_batch().queue_url(&self.state.queue_url);
        let answer = request.set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|error| DependencyError::of(OPERATION, &error))?;
        let failed =
            answer.failed.into_iter().filter_map(|failed| bodies.get(failed.id.parse::<usize>().ok()?));
        Ok(failed.cloned().collect())
    }
}
