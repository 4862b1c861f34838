//! What the bus learns of a run.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::datastore::DatastoreId;
use super::failure::Failure;
use super::job::JobId;
use super::lease::SkipReason;
use super::run::{RunId, RunKey, RunRecord, Shortfall};
use super::tally::Tally;
use super::window::{Mode, Window};
use crate::change::{ChangeId, SCHEMA_VERSION};

/// `source` of every event about a run.
pub const EVENT_SOURCE: &str = "tributary.exports";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunMeta {
    /// The same for every delivery of the event.
    pub id: ChangeId,
    /// The run, as in the events of the resources that it publishes.
    pub correlation_id: RunId,
    pub datastore_id: DatastoreId,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub occurred_at: Timestamp,
    pub schema_version: String,
}

/// A run has taken the lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportRunStarted {
    pub meta: RunMeta,
    pub mode: Mode,
    pub window: Window,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// The run whose expired lease this one took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_over: Option<RunId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Warning {
    /// There is no cursor though the datastore has had runs: somebody deleted it. Everything is exported.
    CursorMissing,
}

/// All that changed in the window is published, and the cursor is at its end; a replay leaves the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportRunCompleted {
    pub meta: RunMeta,
    pub mode: Mode,
    pub window: Window,
    pub job_id: Option<JobId>,
    pub tally: Tally,
    pub seconds: u64,
}

/// What there was is published; the cursor stays, and the next run exports the window again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportRunIncomplete {
    pub meta: RunMeta,
    pub mode: Mode,
    pub window: Window,
    pub job_id: Option<JobId>,
    pub tally: Tally,
    pub seconds: u64,
    pub shortfall: Shortfall,
}

/// The run ended without a commit; the cursor stays, and the next run exports the window again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportRunFailed {
    pub meta: RunMeta,
    pub mode: Mode,
    pub window: Window,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    pub failure: Failure,
    pub seconds: u64,
}

/// The run had nothing to do, and changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportRunSkipped {
    pub meta: RunMeta,
    /// `lease-held`, `cursor-is-later` or `run-is-over`.
    pub reason: String,
    /// The run that holds the lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by: Option<RunId>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Announcement {
    Started(ExportRunStarted),
    Completed(ExportRunCompleted),
    Incomplete(ExportRunIncomplete),
    Failed(ExportRunFailed),
    Skipped(ExportRunSkipped),
}

impl Announcement {
    #[must_use]
    pub fn detail_type(&self) -> &'static str {
        match self {
            Self::Started(_) => "ExportRunStarted",
            Self::Completed(_) => "ExportRunCompleted",
            Self::Incomplete(_) => "ExportRunIncomplete",
            Self::Failed(_) => "ExportRunFailed",
            Self::Skipped(_) => "ExportRunSkipped",
        }
    }

    #[must_use]
    pub fn started(datastore: &DatastoreId, record: &RunRecord, warnings: Vec<Warning>) -> Self {
        Self::Started(ExportRunStarted {
            meta: meta(datastore, &record.key, "ExportRunStarted", record.key.started_at),
            mode: record.mode,
            window: record.window,
            warnings,
            took_over: record.took_over.as_ref().map(|run| run.id.clone()),
        })
    }

    #[must_use]
    pub fn skipped(datastore: &DatastoreId, run: &RunKey, reason: &SkipReason) -> Self {
        let held_by = match reason {
            SkipReason::LeaseHeld { by } => Some(by.clone()),
            SkipReason::CursorIsLater | SkipReason::RunIsOver => None,
        };
        Self::Skipped(ExportRunSkipped {
            meta: meta(datastore, run, "ExportRunSkipped", run.started_at),
            reason: reason.code().to_owned(),
            held_by,
        })
    }

    /// How a run ended, from its record alone, so that the event can be sent again as it was; `None` while it goes on.
    #[must_use]
    pub fn ended(datastore: &DatastoreId, record: &RunRecord) -> Option<Self> {
        let ended_at = record.ended_at?;
        let seconds = ended_at.duration_since(record.key.started_at).as_secs();
        let seconds = u64::try_from(seconds).unwrap_or_default();
        let meta = |detail_type| meta(datastore, &record.key, detail_type, ended_at);
        let (mode, window, job_id) = (record.mode, record.window, record.job_id.clone());
        let tally = record.tally.clone().unwrap_or_default();
        Some(match (&record.error, record.shortfall) {
            (Some(failure), _) => {
                let (meta, failure) = (meta("ExportRunFailed"), failure.clone());
                Self::Failed(ExportRunFailed { meta, mode, window, job_id, failure, seconds })
            }
            (None, Some(shortfall)) => {
                let meta = meta("ExportRunIncomplete");
                Self::Incomplete(ExportRunIncomplete {
                    meta,
                    mode,
                    window,
                    job_id,
                    tally,
                    seconds,
                    shortfall,
                })
            }
            (None, None) => {
                let meta = meta("ExportRunCompleted");
                Self::Completed(ExportRunCompleted { meta, mode, window, job_id, tally, seconds })
            }
        })
    }
}

fn meta(datastore: &DatastoreId, run: &RunKey, detail_type: &str, occurred_at: Timestamp) -> RunMeta {
    RunMeta {
        id: ChangeId::of_run_event(datastore.as_str(), &run.id.0, detail_type),
        correlation_id: run.id.clone(),
        datastore_id: datastore.clone(),
        occurred_at,
        schema_version: SCHEMA_VERSION.to_owned(),
    }
}
