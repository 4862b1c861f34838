//! The message that a pipe leaves in its dead-letter queue for a DynamoDB stream.

use serde::Deserialize;

/// EventBridge user guide, "Amazon EventBridge Pipes error handling and troubleshooting"; the members are those of
/// Lambda's failed-event record for streams.
#[derive(Debug, Deserialize)]
pub(crate) struct PipeDeadLetter {
    pub context: Context,
    #[serde(rename = "DDBStreamBatchInfo")]
    pub batch: StreamBatch,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Context {
    /// Why the pipe gave up, such as `RetryAttemptsExhausted`.
    pub condition: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StreamBatch {
    pub shard_id: String,
    pub start_sequence_number: String,
    pub end_sequence_number: String,
    pub stream_arn: String,
}
