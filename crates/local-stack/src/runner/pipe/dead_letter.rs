//! The dead letter of a pipe from a stream: a range, not the records (EventBridge user guide, "Amazon EventBridge Pipes
//! error handling and troubleshooting").

use anyhow::Result;
use jiff::Timestamp;

use crate::runner::consumer::{GivenUp, Source};
use crate::runner::{batch_info, queue};

pub(super) async fn send(
    client: &aws_sdk_sqs::Client,
    queue_arn: &str,
    pipe_arn: &str,
    source: &Source,
    shard: &str,
    given_up: &GivenUp<'_>,
) -> Result<()> {
    let letter = serde_json::json!({
        "context": {"partnerResourceArn": pipe_arn, "condition": given_up.condition.word()},
        "version": "1.0",
        "timestamp": Timestamp::now().to_string(),
        "DDBStreamBatchInfo": batch_info::of(&source.stream_arn, shard, given_up.records),
    });
    queue::send(client, queue_arn, letter.to_string()).await
}
