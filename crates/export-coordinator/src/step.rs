//! What the state machine, the rule on its status and an operator ask of the coordinator.

use domain::export::datastore::{Datastore, DatastoreId};
use domain::export::failure::{Failure, FailureCode};
use domain::export::run::{Exported, Run, RunId, RunKey, RunStatus};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(crate) enum Step {
    Begin {
        run: Execution,
        /// The execution's input, which anybody may have typed: read apart, so that its error has a name of its own.
        request: Value,
        datastore: Datastore,
    },
    Commit {
        run: Run,
        export: Exported,
    },
    Fail {
        datastore_id: DatastoreId,
        run: Execution,
        error: CaughtError,
    },
    CleanUp {
        datastore_id: DatastoreId,
        run: EndedExecution,
        status: String,
    },
    /// An operator commits past an incomplete run.
    Accept {
        datastore_id: DatastoreId,
        run_id: RunId,
        reason: String,
    },
}

/// An execution, as its own context names it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Execution {
    id: RunId,
    started_at: Timestamp,
}

impl Execution {
    pub(crate) fn key(self) -> RunKey {
        key(self.id, self.started_at)
    }
}

/// An execution, as its status event names it (Step Functions developer guide, "Automating Step Functions event delivery
/// with EventBridge").
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndedExecution {
    id: RunId,
    /// In milliseconds since 1970.
    started_at: i64,
}

impl EndedExecution {
    pub(crate) fn key(self) -> RunKey {
        key(self.id, Timestamp::from_millisecond(self.started_at).unwrap_or_default())
    }
}

/// To the millisecond, which both forms have.
fn key(id: RunId, started_at: Timestamp) -> RunKey {
    let started_at = Timestamp::from_millisecond(started_at.as_millisecond()).unwrap_or_default();
    RunKey { started_at, id }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CaughtError {
    name: String,
    #[serde(default)]
    cause: String,
}

impl CaughtError {
    /// The detail is told only where it is one of ours: the cause of a function that crashed may quote what it worked on (I6).
    pub(crate) fn failure(&self) -> Failure {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct FunctionError {
            error_message: String,
        }
        let code = FailureCode::of_error(&self.name);
        if code.name() != self.name {
            return Failure::new(code, Some(&self.name));
        }
        match serde_json::from_str::<FunctionError>(&self.cause) {
            Ok(error) => Failure::new(code, Some(&error.error_message)),
            // From `SendTaskFailure`, whose cause is a whole sentence already.
            Err(_) if !self.cause.is_empty() => Failure { code, cause: self.cause.clone() },
            Err(_) => Failure::new(code, None),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Begun(Box<Begun>),
    Committed {
        status: RunStatus,
    },
    Failed {
        code: String,
        cause: String,
    },
    Accepted {
        /// The cursor, where the next window begins.
        cursor: Option<Timestamp>,
    },
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Begun {
    Leased { run: Run },
    Skipped { reason: &'static str },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caught_error_tells_what_is_ours_and_nothing_else() {
        let failure = |name: &str, cause: &str| {
            CaughtError { name: name.to_owned(), cause: cause.to_owned() }.failure()
        };
        let cases = [
            (
                "BusRefused",
                r#"{"errorType":"BusRefused","errorMessage":"3 of 10"}"#,
                FailureCode::BusRefused,
                "3 of 10",
            ),
            ("JobFailed", "HealthLake's export job failed (job 1)", FailureCode::JobFailed, "job 1"),
            ("States.HeartbeatTimeout", "", FailureCode::HeartbeatMissing, "States.HeartbeatTimeout"),
        ];
        for (name, cause, code, told) in cases {
            let failure = failure(name, cause);
            assert!(failure.code == code && failure.cause.contains(told), "{failure:?}");
        }
        let crash = failure("Lambda.Unknown", r#"{"errorMessage":"panicked at Ngozi"}"#);
        assert!(
            crash.code == FailureCode::DependencyFailed && !crash.cause.contains("Ngozi"),
            "i6: {crash:?}"
        );
    }
}
