//! What the status of a HealthLake export job means.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// HealthLake's name of a job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct JobId(pub String);

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// `JobStatus` of the AWS HealthLake API reference, "ExportJobProperties". The set is open.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JobStatus {
    Submitted,
    Queued,
    InProgress,
    Completed,
    CompletedWithErrors,
    Failed,
    CancelSubmitted,
    CancelInProgress,
    CancelCompleted,
    CancelFailed,
    /// One that this code does not know.
    Unknown(String),
}

impl FromStr for JobStatus {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "SUBMITTED" => Self::Submitted,
            "QUEUED" => Self::Queued,
            "IN_PROGRESS" => Self::InProgress,
            "COMPLETED" => Self::Completed,
            "COMPLETED_WITH_ERRORS" => Self::CompletedWithErrors,
            "FAILED" => Self::Failed,
            "CANCEL_SUBMITTED" => Self::CancelSubmitted,
            "CANCEL_IN_PROGRESS" => Self::CancelInProgress,
            "CANCEL_COMPLETED" => Self::CancelCompleted,
            "CANCEL_FAILED" => Self::CancelFailed,
            other => Self::Unknown(other.to_owned()),
        })
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// In HealthLake's queue.
    Waiting,
    Running,
    Done {
        has_errors: bool,
    },
    Failed,
    Cancelled,
}

impl JobStatus {
    /// An unknown status is that of a job that runs: until its deadline, it may still complete.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self {
            Self::Submitted | Self::Queued => Phase::Waiting,
            Self::InProgress
            | Self::CancelSubmitted
            | Self::CancelInProgress
            | Self::CancelFailed
            | Self::Unknown(_) => Phase::Running,
            Self::Completed => Phase::Done { has_errors: false },
            Self::CompletedWithErrors => Phase::Done { has_errors: true },
            Self::Failed => Phase::Failed,
            Self::CancelCompleted => Phase::Cancelled,
        }
    }
}

impl Phase {
    /// Whether HealthLake still works at the job, or will.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_phase() {
        let cases = [
            ("SUBMITTED", Phase::Waiting),
            ("QUEUED", Phase::Waiting),
            ("IN_PROGRESS", Phase::Running),
            ("COMPLETED", Phase::Done { has_errors: false }),
            ("COMPLETED_WITH_ERRORS", Phase::Done { has_errors: true }),
            ("FAILED", Phase::Failed),
            ("CANCEL_SUBMITTED", Phase::Running),
            ("CANCEL_IN_PROGRESS", Phase::Running),
            ("CANCEL_COMPLETED", Phase::Cancelled),
            ("CANCEL_FAILED", Phase::Running),
            ("PAUSED_FOR_MAINTENANCE", Phase::Running),
            ("", Phase::Running),
        ];
        for (status, phase) in cases {
            let Ok(parsed) = status.parse::<JobStatus>();
            assert_eq!(parsed.phase(), phase, "{status}");
        }
    }
}
