//! A run: one execution of a datastore's state machine, and its record in the table of runs.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::datastore::{Datastore, DatastoreId};
use super::failure::Failure;
use super::job::JobId;
use super::poll::Chain;
use super::tally::Tally;
use super::window::{Mode, Window};
use crate::digest::digest;

/// The name of the execution.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A run among those of its datastore.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunKey {
    pub started_at: Timestamp,
    pub id: RunId,
}

impl RunKey {
    /// To the millisecond, as Step Functions gives the start, so that the order of the texts is that of the times.
    #[must_use]
    pub fn sort_key(&self) -> String {
        format!("RUN#{:.3}#{}", self.started_at, self.id)
    }

    /// The name of the run's job: HealthLake takes 64 characters, an execution's name has up to 80.
    #[must_use]
    pub fn job_name(&self, datastore: &DatastoreId) -> String {
        digest("job", &[datastore.as_str(), &self.id.0])
    }
}

/// What the steps of a run hand on to each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    #[serde(flatten)]
    pub key: RunKey,
    pub datastore: Datastore,
    pub mode: Mode,
    pub window: Window,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunStatus {
    /// The lease is taken; no job is known yet.
    Starting,
    /// A job is followed.
    Exporting,
    /// The job is done; its ranges are published.
    Publishing,
    /// Everything is published, and the cursor moved (a replay leaves it).
    Completed,
    /// What there was is published; the cursor stays, and the next run exports the window again.
    Incomplete,
    Failed,
}

impl RunStatus {
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Incomplete | Self::Failed)
    }
}

/// The run's item in the table of runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    #[serde(flatten)]
    pub key: RunKey,
    /// Counts the writes of this record: a write is conditional on the number that was read.
    pub revision: u64,
    pub status: RunStatus,
    pub mode: Mode,
    pub window: Window,
    /// The cursor that the run began with. It moves this one and no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Timestamp>,
    /// Whose expired lease the run took. That run is cleaned up before this one goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_over: Option<RunKey>,
    /// When a starter last set out to start a job, and how often one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intended_at: Option<Timestamp>,
    #[serde(default)]
    pub intents: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    #[serde(default)]
    pub chain: Chain,
    /// When the job was first seen to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_since: Option<Timestamp>,
    /// How many ranges the job's files were cut into.
    #[serde(default)]
    pub ranges: u32,
    /// Why the export is not whole, though its job is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<Shortfall>,
    /// What was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tally: Option<Tally>,
    /// What a publisher could tell of a range that it gave up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_failure: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What follows a run's end is done: no job works for it any more, and the bus knows.
    #[serde(default)]
    pub is_settled: bool,
    /// When and why an operator moved the cursor past this incomplete run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Acceptance>,
}

/// What the export step of a run tells the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    pub manifest_key: String,
    pub ranges: u32,
    pub is_incomplete: bool,
}

/// The message that asks for a job. The token lets its receiver end the state machine's step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartMessage {
    pub task_token: String,
    pub run: Run,
}

/// What an export lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shortfall {
    /// HealthLake completed the job with errors.
    pub has_job_errors: bool,
    /// Files that the job lists and that are not there.
    pub missing_files: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acceptance {
    pub at: Timestamp,
    /// The operator's own words.
    pub reason: String,
}

impl RunRecord {
    /// As [`super::lease::begin`] writes it first.
    #[must_use]
    pub fn begun(key: RunKey, mode: Mode, window: Window, cursor: Option<Timestamp>) -> Self {
        Self {
            key,
            revision: 1,
            status: RunStatus::Starting,
            mode,
            window,
            cursor,
            took_over: None,
            intended_at: None,
            intents: 0,
            job_id: None,
            chain: Chain::default(),
            running_since: None,
            ranges: 0,
            shortfall: None,
            tally: None,
            range_failure: None,
            error: None,
            ended_at: None,
            is_settled: false,
            accepted: None,
        }
    }

    /// Of a run that ended before it had begun, so that a late attempt to begin it finds that it is over.
    #[must_use]
    pub fn stillborn(key: RunKey) -> Self {
        let window = Window { since: None, until: key.started_at };
        Self { revision: 0, ..Self::begun(key, Mode::default(), window, None) }
    }

    /// Whether the datastore's cursor was at the end of this run's window once.
    #[must_use]
    pub fn has_moved_cursor(&self) -> bool {
        (self.status == RunStatus::Completed && self.mode != Mode::Replay) || self.accepted.is_some()
    }

    /// The next revision of this record.
    #[must_use]
    pub fn revised(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        change(&mut next);
        next.revision = self.revision + 1;
        next
    }
}
