//! What the function is asked for, and what it answers.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Event {
    Plan { plan: PlanRequest },
    Directories(SqsEvent),
}

/// Of the schedule, or of an operator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanRequest {
    /// Overrides `SETTLE_SECONDS`; with 0 everything is compacted that there is.
    pub settle_seconds: Option<u32>,
}

/// Asks for the compaction of one directory.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CompactMessage {
    pub directory: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_seconds: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Plan(Plan),
    Directories(SqsBatchResponse),
}

/// What was found, for an operator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Of which a compaction was asked for.
    pub directories: u64,
    /// Partitions that have raw files.
    pub partitions: u64,
    /// Raw files that wait for compaction.
    pub files: u64,
    pub bytes: u64,
    pub oldest_seconds: u64,
    /// Folders of raw files that are no partitions as they are declared now. Nothing is done about them.
    pub unknown_folders: u64,
    /// Directories whose commits cannot be read. Their compaction is asked for, and will tell.
    pub unread_directories: u64,
    /// Of the folder below `latest/` that holds most, all that counts.
    pub largest_latest_bytes: u64,
    /// Directories of which the queue did not take the message; the next plan finds them again.
    pub not_sent: u64,
}
