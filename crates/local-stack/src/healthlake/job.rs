//! An export job: what was asked for, what is to happen to it, and how far it is.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::export_request::ExportRequest;
use super::faults::{FaultKind, Faults, Operation};

const DURATION: Duration = Duration::from_millis(300);
const FILE_BYTES: usize = 64 * 1024 * 1024;

/// The words of the API (API reference, "ExportJobProperties"; `QUEUED` is in the SDK's model).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    Submitted,
    Queued,
    InProgress,
    CompletedWithErrors,
    Completed,
    Failed,
    CancelSubmitted,
    CancelInProgress,
    CancelCompleted,
}

impl JobStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Queued => "QUEUED",
            Self::InProgress => "IN_PROGRESS",
            Self::CompletedWithErrors => "COMPLETED_WITH_ERRORS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::CancelSubmitted => "CANCEL_SUBMITTED",
            Self::CancelInProgress => "CANCEL_IN_PROGRESS",
            Self::CancelCompleted => "CANCEL_COMPLETED",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::CompletedWithErrors | Self::Completed | Self::Failed | Self::CancelCompleted)
    }

    pub(crate) fn can_be_cancelled(self) -> bool {
        matches!(self, Self::Submitted | Self::Queued | Self::InProgress)
    }
}

/// How the job is to go, settled when it is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobPlan {
    pub duration: Duration,
    pub is_stuck_in_queue: bool,
    pub is_stuck_in_progress: bool,
    pub fails: bool,
    pub left_out: Option<LeftOut>,
    pub missing_file: Option<FirstFile>,
    pub malformed_line: Option<FirstFile>,
    pub file_bytes: usize,
    pub list_lag: Duration,
}

/// The resources that a job with errors leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// None named: every type.
    pub resource_types: Vec<String>,
    pub percent: u8,
}

/// The first file of a job, or the first of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FirstFile {
    pub resource_type: Option<String>,
}

impl JobPlan {
    /// Takes what concerns a job from the faults that hold.
    pub(crate) fn take(faults: &mut Faults, datastore_id: &str) -> Self {
        let mut plan = Self::default();
        for kind in faults.take_each(datastore_id, Operation::Start, FaultKind::concerns_a_job) {
            match kind {
                FaultKind::JobDuration { milliseconds } => {
                    plan.duration = Duration::from_millis(milliseconds);
                }
                FaultKind::StuckInQueue => plan.is_stuck_in_queue = true,
                FaultKind::StuckInProgress => plan.is_stuck_in_progress = true,
                FaultKind::JobFails => plan.fails = true,
                FaultKind::CompletesWithErrors { resource_types, percent } => {
                    plan.left_out = Some(LeftOut { resource_types, percent });
                }
                FaultKind::ListedFileMissing { resource_type } => {
                    plan.missing_file = Some(FirstFile { resource_type });
                }
                FaultKind::MalformedLine { resource_type } => {
                    plan.malformed_line = Some(FirstFile { resource_type });
                }
                FaultKind::FileSize { bytes } => plan.file_bytes = bytes,
                FaultKind::ListLag { milliseconds } => plan.list_lag = Duration::from_millis(milliseconds),
                _ => (),
            }
        }
        plan
    }
}

impl Default for JobPlan {
    fn default() -> Self {
        Self {
            duration: DURATION,
            is_stuck_in_queue: false,
            is_stuck_in_progress: false,
            fails: false,
            left_out: None,
            missing_file: None,
            malformed_line: None,
            file_bytes: FILE_BYTES,
            list_lag: Duration::ZERO,
        }
    }
}

/// A file as the job lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ListedFile {
    #[serde(rename = "type")]
    pub resource_type: String,
    pub url: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub id: String,
    pub datastore_id: String,
    pub request: ExportRequest,
    pub plan: JobPlan,
    pub status: JobStatus,
    pub submitted_at: Timestamp,
    /// Before then it is in no list.
    pub listed_from: Instant,
    pub scan_started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub message: Option<String>,
    pub output: Vec<ListedFile>,
    pub errors: Vec<ListedFile>,
    pub resources_written: u64,
    pub cancel_requests: u32,
    /// Told when the job is to stop.
    pub cancelled: Arc<Notify>,
}

impl Job {
    pub(crate) fn new(
        datastore_id: &str,
        request: ExportRequest,
        plan: JobPlan,
        submitted_at: Timestamp,
    ) -> Self {
        Self {
            id: format!("{:032x}", fastrand::u128(..)),
            datastore_id: datastore_id.to_owned(),
            request,
            listed_from: Instant::now() + plan.list_lag,
            plan,
            status: JobStatus::Submitted,
            submitted_at,
            scan_started_at: None,
            ended_at: None,
            message: None,
            output: Vec::new(),
            errors: Vec::new(),
            resources_written: 0,
            cancel_requests: 0,
            cancelled: Arc::default(),
        }
    }

    /// The job has the account's one place, or is still leaving it.
    pub(crate) fn is_running(&self) -> bool {
        self.scan_started_at.is_some() && !self.status.is_final()
    }

    /// The folder of its files: `s3://bucket/exports/{datastoreId}-FHIR_EXPORT-{jobId}/`.
    pub(crate) fn folder(&self) -> String {
        let uri = self.request.s3_uri.trim_end_matches('/');
        format!("{uri}/{}-FHIR_EXPORT-{}/", self.datastore_id, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::faults::Fault;
    use super::*;

    #[test]
    fn a_plan_is_taken_from_the_faults_and_stays() {
        let kinds = [
            FaultKind::JobDuration { milliseconds: 5 },
            FaultKind::StuckInProgress,
            FaultKind::JobFails,
            FaultKind::CompletesWithErrors { resource_types: Vec::new(), percent: 10 },
            FaultKind::ListedFileMissing { resource_type: Some("Patient".to_owned()) },
            FaultKind::FileSize { bytes: 100 },
            FaultKind::ListLag { milliseconds: 7 },
        ];
        let once = kinds.into_iter().map(|kind| Fault::from(kind).times(1)).collect();
        let mut faults = Faults(once);
        let expected = JobPlan {
            duration: Duration::from_millis(5),
            is_stuck_in_progress: true,
            fails: true,
            left_out: Some(LeftOut { resource_types: Vec::new(), percent: 10 }),
            missing_file: Some(FirstFile { resource_type: Some("Patient".to_owned()) }),
            file_bytes: 100,
            list_lag: Duration::from_millis(7),
            ..JobPlan::default()
        };
        assert_eq!(JobPlan::take(&mut faults, "a"), expected);
        assert_eq!(JobPlan::take(&mut faults, "a"), JobPlan::default(), "each happened once");
    }

    #[test]
    fn a_status_is_one_word_everywhere() {
        for status in [
            JobStatus::Submitted,
            JobStatus::Queued,
            JobStatus::InProgress,
            JobStatus::CompletedWithErrors,
            JobStatus::Completed,
            JobStatus::Failed,
            JobStatus::CancelSubmitted,
            JobStatus::CancelInProgress,
            JobStatus::CancelCompleted,
        ] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.word());
            assert!(!(status.is_final() && status.can_be_cancelled()), "{status:?}");
        }
    }
}
