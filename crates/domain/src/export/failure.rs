//! Why a run failed: a code for the state machine, the record and the event, and what it means for an operator.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The names under which tasks fail, and which a run's record keeps. `docs/runbook.md` says what to do about each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FailureCode {
    /// The input of the execution is wrong.
    RequestInvalid,
    /// HealthLake refused to start the job, or to tell of it, and would again.
    HealthLakeRefused,
    JobFailed,
    JobCancelled,
    JobTookTooLong,
    /// Nobody has told for a while that the export goes on.
    HeartbeatMissing,
    /// The export as a whole took longer than the datastore's limit.
    ExportTimedOut,
    /// A file of the export is gone, or another one than when it was listed.
    ExportFileChanged,
    /// The event bus did not take what was published.
    BusRefused,
    /// A range failed, for a reason that it could not tell.
    PublishFailed,
    /// Another run took the lease, or the datastore's item was deleted.
    LeaseLost,
    /// The run ended without giving its lease back; the run that took it over says so.
    LeaseExpired,
    /// The cursor is not the one that the run began with.
    CursorMoved,
    /// A service that the run needs did not answer, for as long as it was tried again.
    DependencyFailed,
    /// Somebody stopped the execution.
    ExecutionStopped,
    ExecutionTimedOut,
    /// Step Functions ended the execution by itself.
    ExecutionFailed,
}

impl FailureCode {
    pub const ALL: [Self; 17] = [
        Self::RequestInvalid,
        Self::HealthLakeRefused,
        Self::JobFailed,
        Self::JobCancelled,
        Self::JobTookTooLong,
        Self::HeartbeatMissing,
        Self::ExportTimedOut,
        Self::ExportFileChanged,
        Self::BusRefused,
        Self::PublishFailed,
        Self::LeaseLost,
        Self::LeaseExpired,
        Self::CursorMoved,
        Self::DependencyFailed,
        Self::ExecutionStopped,
        Self::ExecutionTimedOut,
        Self::ExecutionFailed,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestInvalid => "RequestInvalid",
            Self::HealthLakeRefused => "HealthLakeRefused",
            Self::JobFailed => "JobFailed",
            Self::JobCancelled => "JobCancelled",
            Self::JobTookTooLong => "JobTookTooLong",
            Self::HeartbeatMissing => "HeartbeatMissing",
            Self::ExportTimedOut => "ExportTimedOut",
            Self::ExportFileChanged => "ExportFileChanged",
            Self::BusRefused => "BusRefused",
            Self::PublishFailed => "PublishFailed",
            Self::LeaseLost => "LeaseLost",
            Self::LeaseExpired => "LeaseExpired",
            Self::CursorMoved => "CursorMoved",
            Self::DependencyFailed => "DependencyFailed",
            Self::ExecutionStopped => "ExecutionStopped",
            Self::ExecutionTimedOut => "ExecutionTimedOut",
            Self::ExecutionFailed => "ExecutionFailed",
        }
    }

    /// What happened, in a sentence for an operator.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::RequestInvalid => "the execution's input asks for a window that cannot be exported",
            Self::HealthLakeRefused => "HealthLake refused a request that it would refuse again",
            Self::JobFailed => "HealthLake's export job failed",
            Self::JobCancelled => "HealthLake's export job was cancelled by somebody else",
            Self::JobTookTooLong => {
                "HealthLake's export job ran longer than the datastore's limit and was cancelled"
            }
            Self::HeartbeatMissing => "no starter or poller has told for a while that the export goes on",
            Self::ExportTimedOut => {
                "the export took longer than the datastore's limit, the time in HealthLake's queue included"
            }
            Self::ExportFileChanged => "a file of the export is gone, or another than when it was listed",
            Self::BusRefused => "the event bus did not take all events in time",
            Self::PublishFailed => "a range of the export could not be published",
            Self::LeaseLost => "another run took the lease of the datastore, or its item was deleted",
            Self::LeaseExpired => "the run fell silent, its lease expired, and the next run took it",
            Self::CursorMoved => "somebody moved the cursor while the run was under way",
            Self::DependencyFailed => "a service did not answer for as long as it was tried again",
            Self::ExecutionStopped => "the execution was stopped",
            Self::ExecutionTimedOut => "the execution ran into its time limit",
            Self::ExecutionFailed => "Step Functions ended the execution by itself",
        }
    }

    /// The code for an error that a state machine caught: one of ours, or one of Step Functions' own (Step Functions
    /// developer guide, "Handling errors in Step Functions workflows").
    #[must_use]
    pub fn of_error(name: &str) -> Self {
        let own = Self::ALL.into_iter().find(|code| code.name() == name);
        own.unwrap_or(match name {
            "States.HeartbeatTimeout" => Self::HeartbeatMissing,
            "States.Timeout" => Self::ExportTimedOut,
            "States.ExceedToleratedFailureThreshold" | "States.ItemReaderFailed" => Self::PublishFailed,
            _ => Self::DependencyFailed,
        })
    }

    /// The code for an execution that ended without its own handling of errors.
    #[must_use]
    pub fn of_execution_status(status: &str) -> Self {
        match status {
            "ABORTED" => Self::ExecutionStopped,
            "TIMED_OUT" => Self::ExecutionTimedOut,
            _ => Self::ExecutionFailed,
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A failure as the run's record and its event tell it. It holds codes and counts, nothing of a resource (I6).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub code: FailureCode,
    /// What happened, and what is known of why.
    pub cause: String,
}

impl Failure {
    #[must_use]
    pub fn new(code: FailureCode, detail: Option<&str>) -> Self {
        let cause = match detail {
            Some(detail) => format!("{} ({detail})", code.meaning()),
            None => code.meaning().to_owned(),
        };
        Self { code, cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_what_is_serialized_and_found_again() {
        for code in FailureCode::ALL {
            assert_eq!(serde_json::to_value(code).expect("a code"), code.name());
            assert_eq!(FailureCode::of_error(code.name()), code);
        }
    }

    #[test]
    fn errors_of_step_functions_have_codes_of_ours() {
        let cases = [
            ("States.HeartbeatTimeout", FailureCode::HeartbeatMissing),
            ("States.Timeout", FailureCode::ExportTimedOut),
            ("States.ExceedToleratedFailureThreshold", FailureCode::PublishFailed),
            ("Lambda.Unknown", FailureCode::DependencyFailed),
            ("Runtime.ExitError", FailureCode::DependencyFailed),
        ];
        for (name, code) in cases {
            assert_eq!(FailureCode::of_error(name), code, "{name}");
        }
        assert_eq!(FailureCode::of_execution_status("ABORTED"), FailureCode::ExecutionStopped);
        assert_eq!(FailureCode::of_execution_status("TIMED_OUT"), FailureCode::ExecutionTimedOut);
        assert_eq!(FailureCode::of_execution_status("FAILED"), FailureCode::ExecutionFailed);
    }
}
