//! A pipe: enrichment, target, and a dead-letter queue for what is given up.

mod dead_letter;
pub(crate) mod definition;

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_sdk_lambda::Client;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Clients;
use super::batch::Record;
use super::consumer::{GivenUp, Source, Undelivered};
use super::invocation::invoke;
use super::retries::Failure;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pipe {
    pub arn: String,
    pub dead_letter_queue_arn: Option<String>,
    pub enrichment_arn: Option<String>,
    pub target_arn: String,
}

impl Pipe {
    pub(crate) async fn attempt(&self, clients: &Clients, batch: &[Record]) -> Option<Undelivered> {
        let (records, error) = match self.send(&clients.lambda, batch).await {
            Ok(failed) if failed.is_empty() => return None,
            Ok(failed) => (failed, None),
            Err(error) => (batch.to_vec(), Some(error)),
        };
        Some(Undelivered { records, failure: Failure::Failed, error, response: None })
    }

    pub(crate) async fn give_up(
        &self,
        clients: &Clients,
        source: &Source,
        shard: &str,
        given_up: &GivenUp<'_>,
    ) -> Result<()> {
        let Some(queue_arn) = &self.dead_letter_queue_arn else { return Ok(()) };
        dead_letter::send(&clients.sqs, queue_arn, &self.arn, source, shard, given_up).await
    }

    /// Sends the batch through the pipe. Answers the records that the target reported as failed.
    ///
    /// # Errors
    /// Where the whole batch failed: a function failed, a payload was too large, or an answer cannot be read.
    async fn send(&self, client: &Client, batch: &[Record]) -> Result<Vec<Record>> {
        let records: Vec<&RawValue> = batch.iter().map(|record| &*record.json).collect();
        let mut payload = serde_json::to_vec(&records)?;
        if let Some(enrichment) = &self.enrichment_arn {
            let response = invoke(client, enrichment, payload).await.context("enrichment")?;
            payload = response.answer().context("enrichment")?.to_vec();
            let enriched: Vec<&RawValue> =
                serde_json::from_slice(&payload).context("the enrichment's answer is no array")?;
            if enriched.is_empty() {
                return Ok(Vec::new());
            }
        }
        let response = invoke(client, &self.target_arn, payload).await.context("target")?;
        failed_records(batch, response.answer().context("target")?)
    }
}

/// EventBridge user guide, "Amazon EventBridge Pipes batching and concurrency": an answer without `batchItemFailures` is
/// a success; an identifier that is empty or not of this batch fails the batch as a whole.
fn failed_records(batch: &[Record], answer: &[u8]) -> Result<Vec<Record>> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        #[serde(default)]
        batch_item_failures: Vec<FailedItem>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct FailedItem {
        item_identifier: String,
    }
    // A function may answer anything; only this form means something.
    let answer: Answer = serde_json::from_slice(answer).unwrap_or_default();
    let positions: HashMap<&str, usize> =
        batch.iter().enumerate().map(|(position, record)| (record.event_id.as_str(), position)).collect();
    let mut failed: Vec<usize> = answer
        .batch_item_failures
        .iter()
        .map(|failure| positions.get(failure.item_identifier.as_str()).copied())
        .collect::<Option<_>>()
        .context("the target reported a record that is not of this batch")?;
    failed.sort_unstable();
    failed.dedup();
    Ok(failed.into_iter().filter_map(|position| batch.get(position).cloned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::batch::tests::records;

    #[test]
    fn a_target_reports_records_by_event_id() {
        let mut batch = records(["1", "2", "3"]);
        for (record, event_id) in batch.iter_mut().zip(["a", "b", "c"]) {
            record.event_id = event_id.to_owned();
        }
        let cases: [(&str, Option<&[&str]>); 7] = [
            ("null", Some(&[])),
            ("\"done\"", Some(&[])),
            (r#"{"batchItemFailures": []}"#, Some(&[])),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}"#,
                Some(&["a", "c"]),
            ),
            (r#"{"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "b"}]}"#, Some(&["b"])),
            (r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#, None),
            (r#"{"batchItemFailures": [{"itemIdentifier": "x"}]}"#, None),
        ];
        for (answer, expected) in cases {
            let failed = failed_records(&batch, answer.as_bytes()).ok();
            let ids: Option<Vec<String>> =
                failed.map(|failed| failed.into_iter().map(|record| record.event_id).collect());
            assert_eq!(ids, expected.map(|ids| ids.iter().map(ToString::to_string).collect()), "{answer}");
        }
    }
}
