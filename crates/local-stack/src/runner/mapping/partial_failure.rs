//! What a function that reports batch item failures answers (AWS Lambda developer guide, "Configuring partial batch
//! response with DynamoDB and Lambda").

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::runner::batch::Record;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Option<Vec<FailedItem>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FailedItem {
    item_identifier: String,
}

/// From which record of the batch on it failed: the lowest sequence number that was reported. `None` where all succeeded.
///
/// # Errors
/// Where the answer fails the batch as a whole: an identifier that is missing, null, empty or not of this batch, or an
/// answer that is neither an object nor null.
pub(super) fn begin(batch: &[Record], answer: &[u8]) -> Result<Option<usize>> {
    if answer.is_empty() {
        return Ok(None);
    }
    let answer: Option<Answer> =
        serde_json::from_slice(answer).ok().context("the function's answer cannot be read")?;
    let failures = answer.and_then(|answer| answer.batch_item_failures).unwrap_or_default();
    let positions: Option<Vec<usize>> = failures
        .iter()
        .map(|failure| batch.iter().position(|record| record.sequence_number == failure.item_identifier))
        .collect();
    let positions = positions.context("the function reported a record that is not of this batch")?;
    // The batch is in the stream's order.
    Ok(positions.into_iter().min())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::batch::tests::records;

    #[test]
    fn the_lowest_sequence_number_is_where_it_failed() {
        // In the order of numbers, which is not that of texts.
        let batch = records(["9", "10", "11"]);
        let cases = [
            ("", Some(None)),
            ("null", Some(None)),
            ("{}", Some(None)),
            (r#"{"batchItemFailures": null}"#, Some(None)),
            (r#"{"batchItemFailures": []}"#, Some(None)),
            (r#"{"batchItemFailures": [{"itemIdentifier": "10"}]}"#, Some(Some(1))),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "11"}, {"itemIdentifier": "9"}, {"itemIdentifier": "10"}]}"#,
                Some(Some(0)),
            ),
            (r#"{"batchItemFailures": [{"itemIdentifier": "11"}, {"itemIdentifier": "11"}]}"#, Some(Some(2))),
            (r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#, None),
            (r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#, None),
            (r#"{"batchItemFailures": [{"sequenceNumber": "10"}]}"#, None),
            (r#"{"batchItemFailures": [{"itemIdentifier": "11"}, {"itemIdentifier": "12"}]}"#, None),
            (r#"{"batchItemFailures": "10"}"#, None),
            (r#""done""#, None),
        ];
        for (answer, expected) in cases {
            assert_eq!(begin(&batch, answer.as_bytes()).ok(), expected, "{answer}");
        }
    }
}
