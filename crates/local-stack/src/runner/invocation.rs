//! One batch, once through enrichment and target.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::batch::{PAYLOAD_BYTES, Record};
use super::definition::PipeDefinition;

/// Sends the batch through the pipe. Answers the records that the target reported as failed.
///
/// # Errors
/// Where the whole batch failed: a function failed, a payload was too large, or an answer cannot be read.
pub(crate) async fn send(client: &Client, pipe: &PipeDefinition, batch: &[Record]) -> Result<Vec<Record>> {
    let records: Vec<&RawValue> = batch.iter().map(|record| &*record.json).collect();
    let mut payload = serde_json::to_vec(&records)?;
    if let Some(enrichment) = &pipe.enrichment_arn {
        payload = invoke(client, enrichment, payload).await.context("enrichment")?;
        let enriched: Vec<&RawValue> =
            serde_json::from_slice(&payload).context("the enrichment's answer is no array")?;
        if enriched.is_empty() {
            return Ok(Vec::new());
        }
    }
    let answer = invoke(client, &pipe.target_arn, payload).await.context("target")?;
    failed_records(batch, &answer)
}

async fn invoke(client: &Client, function: &str, payload: Vec<u8>) -> Result<Vec<u8>> {
    check_size("request", payload.len())?;
    let output = client.invoke().function_name(function).payload(Blob::new(payload)).send().await?;
    if output.function_error.is_some() {
        // The error's message is the function's own: it may go to the log no more than on AWS.
        bail!("the function failed");
    }
    let answer = output.payload.map(Blob::into_inner).unwrap_or_default();
    check_size("answer", answer.len())?;
    Ok(answer)
}

fn check_size(what: &str, bytes: usize) -> Result<()> {
    if bytes > PAYLOAD_BYTES {
        bail!("a {what} of {bytes} bytes is over Lambda's {PAYLOAD_BYTES}");
    }
    Ok(())
}

/// EventBridge user guide, "Amazon EventBridge Pipes batching and concurrency": an answer without `batchItemFailures` is
/// a success; an identifier that is empty or not of this batch fails the batch as a whole.
fn failed_records(batch: &[Record], answer: &[u8]) -> Result<Vec<Record>> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        #[serde(default)]
        batch_item_failures: Vec<Failure>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure {
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

    fn batch() -> Vec<Record> {
        ["a", "b", "c"]
            .map(|id| Record {
                event_id: id.to_owned(),
                sequence_number: String::new(),
                created_at: 0,
                json: RawValue::from_string("{}".to_owned()).unwrap(),
            })
            .to_vec()
    }

    #[test]
    fn a_target_reports_records_by_event_id() {
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
            let failed = failed_records(&batch(), answer.as_bytes()).ok();
            let ids: Option<Vec<String>> =
                failed.map(|failed| failed.into_iter().map(|record| record.event_id).collect());
            assert_eq!(ids, expected.map(|ids| ids.iter().map(ToString::to_string).collect()), "{answer}");
        }
    }

    #[test]
    fn payloads_over_six_megabytes_are_refused() {
        assert!(check_size("request", PAYLOAD_BYTES).is_ok());
        assert!(check_size("request", PAYLOAD_BYTES + 1).is_err());
    }
}
