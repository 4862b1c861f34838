//! The table's own history: its stream, read from the beginning, beside whatever else reads it.

use anyhow::{Context, Result};
use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use domain::change::Sequence;
use serde_json::value::RawValue;
use stream_record_json::to_pipe_json;

/// One stream record.
#[derive(Debug, Clone)]
pub struct HistoryRecord {
    pub key: (String, String),
    pub sequence: Sequence,
    pub json: Box<RawValue>,
}

/// Every record that the stream holds.
///
/// # Errors
/// Where the stream does not answer, or a record has no key.
pub async fn read(client: &Client, stream_arn: &str) -> Result<Vec<HistoryRecord>> {
    let description =
        client.describe_stream().stream_arn(stream_arn).send().await.context("DescribeStream")?;
    let shards = description.stream_description.and_then(|stream| stream.shards).unwrap_or_default();
    let mut history = Vec::new();
    for shard in shards {
        let opened = client
            .get_shard_iterator()
            .stream_arn(stream_arn)
            .set_shard_id(shard.shard_id)
            .shard_iterator_type(ShardIteratorType::TrimHorizon)
            .send()
            .await
            .context("GetShardIterator")?;
        let mut iterator = opened.shard_iterator;
        while let Some(open) = iterator {
            let page = client.get_records().shard_iterator(open).send().await.context("GetRecords")?;
            let records = page.records.unwrap_or_default();
            iterator = page.next_shard_iterator.filter(|_| !records.is_empty());
            for record in records {
                history.push(history_record(record, stream_arn).context("a record without its members")?);
            }
        }
    }
    Ok(history)
}

fn history_record(record: aws_sdk_dynamodbstreams::types::Record, stream_arn: &str) -> Option<HistoryRecord> {
    let change = record.dynamodb.as_ref()?;
    let text = |name: &str| change.keys.as_ref()?.get(name)?.as_s().ok().cloned();
    Some(HistoryRecord {
        key: (text("id")?, text("sk")?),
        sequence: Sequence::parse(change.sequence_number.as_deref()?).ok()?,
        json: to_pipe_json(record, stream_arn)?,
    })
}
