//! What may go wrong, on demand.
//!
//! A fault is set over the control endpoint and holds until it is replaced, or has happened as often as it is to
//! happen. Several may hold at once: of a kind the first that fits counts, and different kinds combine.

use std::mem::discriminant;

use serde::{Deserialize, Serialize};

use super::times::TimeForm;

/// What a client asks for. `list` is of the JSON API alone, `cancel`, `read` and `write` of the REST API alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    Start,
    Describe,
    Cancel,
    List,
    /// Of a FHIR resource.
    Read,
    /// Creation, update and deletion of a FHIR resource.
    Write,
}

/// A kind of fault, and to what it is limited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    #[serde(flatten)]
    pub kind: FaultKind,
    /// `None` for every data store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datastore_id: Option<String>,
    /// `None` for every operation that the kind is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// How often it happens; `None` for always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self { kind, datastore_id: None, operation: None, times: None }
    }
}

impl Fault {
    #[must_use]
    pub fn in_datastore(self, id: impl Into<String>) -> Self {
        Self { datastore_id: Some(id.into()), ..self }
    }

    #[must_use]
    pub fn on(self, operation: Operation) -> Self {
        Self { operation: Some(operation), ..self }
    }

    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    fn happened(&mut self) {
        self.times = self.times.map(|times| times.saturating_sub(1));
    }
}

/// The kinds. What concerns a job is settled when the job is accepted and stays with it, whatever becomes of the fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FaultKind {
    /// A request is refused: 429 by the REST API, 400 `ThrottlingException` by the JSON API.
    Throttling,
    /// A request is refused with a status of 500 to 599.
    ServerError { status: u16 },
    /// The connection ends before the request is looked at.
    ConnectionCutBefore,
    /// The connection ends when the request has been done, instead of an answer.
    ConnectionCutAfter,
    /// The answer comes that much after the request has been done.
    AnswerHeld { milliseconds: u64 },
    /// A describe says this status instead of the job's own.
    UnknownStatus { status: String },
    /// How a describe of the REST API shows times.
    TimeForm { form: TimeForm },
    /// How start, describe and cancel of the REST API spell their keys.
    KeyCasing { casing: KeyCasing },
    /// A describe's `transactionTime` is that far from the present.
    TransactionTimeOffset { milliseconds: i64 },
    /// A job takes that long.
    JobDuration { milliseconds: u64 },
    /// A job stays `QUEUED`, and those behind it with it, until it is cancelled.
    StuckInQueue,
    /// A job stays `IN_PROGRESS` until it is cancelled.
    StuckInProgress,
    /// A job ends as `FAILED` when it has written its files.
    JobFails,
    /// A job leaves out that share of the resources of these types (none named: of all), lists an error and ends as
    /// `COMPLETED_WITH_ERRORS`.
    CompletesWithErrors {
        #[serde(default)]
        resource_types: Vec<String>,
        percent: u8,
    },
    /// A job lists its first file (of that type) and never writes it.
    ListedFileMissing {
        #[serde(default)]
        resource_type: Option<String>,
    },
    /// The first file (of that type) of a job has one more line, which is no JSON.
    MalformedLine {
        #[serde(default)]
        resource_type: Option<String>,
    },
    /// A job's files end at that size, or with their first line.
    FileSize { bytes: usize },
    /// A job appears in lists that long after its start.
    ListLag { milliseconds: u64 },
    /// A write becomes visible to exports that long after it, with its `lastUpdated` as it was. Until then they see
    /// what was there before. Reads see it at once, and what is loaded is never late.
    LateVisibility { milliseconds: u64 },
    /// The clock of HealthLake: `lastUpdated`, the times of jobs, `transactionTime`. Signatures are held to the true
    /// one. It does not count how often it happens.
    ClockOffset { milliseconds: i64 },
}

impl FaultKind {
    pub(crate) fn concerns_a_job(&self) -> bool {
        matches!(
            self,
            Self::JobDuration { .. }
                | Self::StuckInQueue
                | Self::StuckInProgress
                | Self::JobFails
                | Self::CompletesWithErrors { .. }
                | Self::ListedFileMissing { .. }
                | Self::MalformedLine { .. }
                | Self::FileSize { .. }
                | Self::ListLag { .. }
        )
    }
}

/// Spellings of the keys of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyCasing {
    /// `jobName`, `s3Uri`: what a recorded answer has.
    #[default]
    Camel,
    /// `JobName`, `S3Uri`, for every key.
    Pascal,
    /// `jobId` beside `JobName`, as in the examples of the developer guide.
    Mixed,
}

/// The faults that hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// What `select` makes of the first fault that fits, which has then happened once more.
    pub(crate) fn take<T>(
        &mut self,
        datastore_id: &str,
        operation: Operation,
        select: impl Fn(&FaultKind) -> Option<T>,
    ) -> Option<T> {
        self.fitting(datastore_id, operation).find_map(|fault| {
            let selected = select(&fault.kind)?;
            fault.happened();
            Some(selected)
        })
    }

    /// The first that fits of every kind that is wanted, each of which has then happened once more.
    pub(crate) fn take_each(
        &mut self,
        datastore_id: &str,
        operation: Operation,
        is_wanted: impl Fn(&FaultKind) -> bool,
    ) -> Vec<FaultKind> {
        let mut taken: Vec<FaultKind> = Vec::new();
        for fault in self.fitting(datastore_id, operation).filter(|fault| is_wanted(&fault.kind)) {
            if taken.iter().all(|kind| discriminant(kind) != discriminant(&fault.kind)) {
                fault.happened();
                taken.push(fault.kind.clone());
            }
        }
        taken
    }

    fn fitting(&mut self, datastore_id: &str, operation: Operation) -> impl Iterator<Item = &mut Fault> {
        self.0.iter_mut().filter(move |fault| {
            fault.times != Some(0)
                && fault.datastore_id.as_deref().is_none_or(|id| id == datastore_id)
                && fault.operation.is_none_or(|it| it == operation)
        })
    }

    pub(crate) fn clock_offset(&self, datastore_id: &str) -> i64 {
        let offset = |fault: &Fault| match fault.kind {
            FaultKind::ClockOffset { milliseconds } => Some(milliseconds),
            _ => None,
        };
        let is_here = |fault: &&Fault| fault.datastore_id.as_deref().is_none_or(|id| id == datastore_id);
        self.0.iter().filter(is_here).find_map(offset).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn throttled(faults: &mut Faults, datastore_id: &str, operation: Operation) -> bool {
        let select = |kind: &FaultKind| matches!(kind, FaultKind::Throttling).then_some(());
        faults.take(datastore_id, operation, select).is_some()
    }

    #[test]
    fn a_fault_happens_where_and_as_often_as_it_is_to() {
        let fault = || Fault::from(FaultKind::Throttling);
        let cases = [
            (fault(), [true, true, true]),
            (fault().times(2), [true, true, false]),
            (fault().times(0), [false, false, false]),
            (fault().in_datastore("b"), [false, false, true]),
            (fault().on(Operation::Describe), [false, true, false]),
            (fault().on(Operation::Start).in_datastore("a").times(1), [true, false, false]),
            (FaultKind::JobFails.into(), [false, false, false]),
        ];
        for (fault, expected) in cases {
            let mut faults = Faults(vec![fault.clone()]);
            let happened = [("a", Operation::Start), ("a", Operation::Describe), ("b", Operation::Start)]
                .map(|(datastore_id, operation)| throttled(&mut faults, datastore_id, operation));
            assert_eq!(happened, expected, "{fault:?}");
        }
    }

    #[test]
    fn faults_that_are_used_up_give_way_to_the_next() {
        let fault = |milliseconds| Fault::from(FaultKind::AnswerHeld { milliseconds });
        let mut faults = Faults(vec![fault(1).times(1), FaultKind::Throttling.into(), fault(2)]);
        let mut held = || {
            faults.take("a", Operation::Start, |kind| match kind {
                FaultKind::AnswerHeld { milliseconds } => Some(*milliseconds),
                _ => None,
            })
        };
        assert_eq!([held(), held(), held()], [Some(1), Some(2), Some(2)]);
    }

    #[test]
    fn the_clock_is_that_of_the_data_store() {
        let offset = |milliseconds| Fault::from(FaultKind::ClockOffset { milliseconds });
        let faults = Faults(vec![offset(5).in_datastore("a"), offset(-7).times(0)]);
        assert_eq!((faults.clock_offset("a"), faults.clock_offset("b")), (5, -7));
        assert_eq!(Faults::default().clock_offset("a"), 0);
    }

    #[test]
    fn faults_are_written_as_json() {
        let cases = [
            (json!({"kind": "throttling"}), FaultKind::Throttling.into()),
            (
                json!({"kind": "unknownStatus", "status": "RESTING", "times": 3, "operation": "describe"}),
                Fault::from(FaultKind::UnknownStatus { status: "RESTING".to_owned() })
                    .times(3)
                    .on(Operation::Describe),
            ),
            (
                json!({
                    "kind": "completesWithErrors", "resourceTypes": ["Patient"], "percent": 20, "datastoreId": "a",
                }),
                Fault::from(FaultKind::CompletesWithErrors {
                    resource_types: vec!["Patient".to_owned()],
                    percent: 20,
                })
                .in_datastore("a"),
            ),
            (
                json!({"kind": "timeForm", "form": "withoutHalfOfDay"}),
                FaultKind::TimeForm { form: TimeForm::WithoutHalfOfDay }.into(),
            ),
        ];
        for (json, fault) in cases {
            assert_eq!(serde_json::to_value(&fault).unwrap(), json);
            assert_eq!(serde_json::from_value::<Fault>(json).unwrap(), fault);
        }
        assert!(serde_json::from_value::<Fault>(json!({"kind": "slow"})).is_err());
    }
}
