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
    Follower::open(client.clone(), stream_arn).await?.more().await
}

/// Reads a stream from its beginning, and goes on where it stopped.
pub struct Follower {
    client: Client,
    stream_arn: String,
    /// Of each shard that is open.
    iterators: Vec<String>,
}

impl Follower {
    /// # Errors
    /// Where the stream does not answer.
    pub async fn open(client: Client, stream_arn: &str) -> Result<Self> {
        let description =
            client.describe_stream().stream_arn(stream_arn).send().await.context("DescribeStream")?;
        let shards = description.stream_description.and_then(|stream| stream.shards).unwrap_or_default();
        let mut iterators = Vec::new();
        for shard in shards {
            let opened = client
                .get_shard_iterator()
                .stream_arn(stream_arn)
                .set_shard_id(shard.shard_id)
                .shard_iterator_type(ShardIteratorType::TrimHorizon)
                .send()
                .await
                .context("GetShardIterator")?;
            iterators.extend(opened.shard_iterator);
        }
        Ok(Self { client, stream_arn: stream_arn.to_owned(), iterators })
    }

    /// What the stream holds since the last call.
    ///
    /// # Errors
    /// Where the stream does not answer, or a record has no key.
    pub async fn more(&mut self) -> Result<Vec<HistoryRecord>> {
        let mut history = Vec::new();
        for mut iterator in std::mem::take(&mut self.iterators) {
            loop {
                let page =
                    self.client.get_records().shard_iterator(&iterator).send().await.context("GetRecords")?;
                let records = page.records.unwrap_or_default();
                let is_end = records.is_empty();
                for record in records {
                    let record =
                        history_record(record, &self.stream_arn).context("a record without its members")?;
                    history.push(record);
                }
                // Without one, the shard is closed and has been read.
                let Some(next) = page.next_shard_iterator else { break };
                if is_end {
                    self.iterators.push(next);
                    break;
                }
                iterator = next;
            }
        }
        Ok(history)
    }
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
