//! The lease of a datastore: who may export it now.
//!
//! One item per datastore holds the cursor and the lease. A run takes the lease, renews it while it lives, and gives it
//! back when it ends. A lease that was not renewed in time may be taken by the next run, which then cleans up after the
//! one that held it. Whoever lost the lease changes nothing any more (I5).

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::datastore::Datastore;
use super::run::{Run, RunId, RunKey, RunRecord, RunStatus};
use super::window::{Mode, RunRequest, WindowError};

/// The datastore's item in the table of runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Everything that was modified before is published. Absent until a run has been committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Timestamp>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lease {
    #[serde(rename = "leaseRunId")]
    pub run_id: RunId,
    #[serde(rename = "leaseRunStartedAt")]
    pub run_started_at: Timestamp,
    #[serde(rename = "leaseExpiresAt")]
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LastRun {
    #[serde(rename = "lastRunId")]
    pub id: RunId,
    #[serde(rename = "lastStatus")]
    pub status: RunStatus,
}

impl Lease {
    fn of(run: &RunKey, datastore: &Datastore, now: Timestamp) -> Self {
        Self { run_id: run.id.clone(), run_started_at: run.started_at, expires_at: expiry(datastore, now) }
    }

    #[must_use]
    pub fn holder(&self) -> RunKey {
        RunKey { started_at: self.run_started_at, id: self.run_id.clone() }
    }

    #[must_use]
    pub fn is_of(&self, run: &RunKey) -> bool {
        self.run_id == run.id && self.run_started_at == run.started_at
    }
}

fn expiry(datastore: &Datastore, now: Timestamp) -> Timestamp {
    now.checked_add(i64::from(datastore.lease_seconds).seconds()).unwrap_or(Timestamp::MAX)
}

impl State {
    #[must_use]
    pub fn is_leased_to(&self, run: &RunKey) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.is_of(run))
    }
}

/// What comes of a run's wish to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beginning {
    /// Both are to be written, in one transaction.
    Leased(Box<Leased>),
    /// An earlier attempt of this run has taken the lease already.
    Resumed(Box<RunRecord>),
    /// An earlier attempt had taken the lease, and it is gone.
    Lost,
    /// Nothing is to be written.
    Skipped(SkipReason),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    pub state: State,
    pub record: RunRecord,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// Another run is under way.
    LeaseHeld { by: RunId },
    /// The cursor has passed this run's start: a later run was committed before this one began.
    CursorIsLater,
    /// This run has been closed already: its execution was stopped.
    RunIsOver,
}

impl SkipReason {
    /// For the event and the log.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::LeaseHeld { .. } => "lease-held",
            Self::CursorIsLater => "cursor-is-later",
            Self::RunIsOver => "run-is-over",
        }
    }
}

/// May the run begin? `state` and `record` are what is stored now, `record` the run's own.
///
/// # Errors
/// Where the request names no window that can be exported.
pub fn begin(
    state: Option<&State>,
    record: Option<&RunRecord>,
    run: &RunKey,
    request: &RunRequest,
    datastore: &Datastore,
    now: Timestamp,
) -> Result<Beginning, WindowError> {
    let state = state.cloned().unwrap_or_default();
    match record {
        Some(record) if record.status.is_over() => return Ok(Beginning::Skipped(SkipReason::RunIsOver)),
        Some(_) if !state.is_leased_to(run) => return Ok(Beginning::Lost),
        Some(record) => return Ok(Beginning::Resumed(Box::new(record.clone()))),
        None => (),
    }
    let window = request.window(state.cursor, datastore.overlap_seconds, run.started_at)?;
    if let Some(lease) = state.lease.as_ref().filter(|lease| now < lease.expires_at) {
        return Ok(Beginning::Skipped(SkipReason::LeaseHeld { by: lease.run_id.clone() }));
    }
    let is_behind = state.cursor.is_some_and(|cursor| window.until <= cursor);
    if is_behind && request.mode != Mode::Replay {
        return Ok(Beginning::Skipped(SkipReason::CursorIsLater));
    }
    let took_over = state.lease.as_ref().map(Lease::holder);
    let record = RunRecord { took_over, ..RunRecord::begun(run.clone(), request.mode, window, state.cursor) };
    let state = State { lease: Some(Lease::of(run, datastore, now)), ..state };
    Ok(Beginning::Leased(Box::new(Leased { state, record })))
}

/// The lease is another's, or nobody's: the run may change nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease is not this run's any more")]
pub struct LeaseLost;

/// The lease, renewed; `None` while at least half of it is left, so that many who renew it seldom meet.
///
/// A lease that has expired and that nobody took is still the run's.
///
/// # Errors
/// Where the lease is not the run's.
pub fn renew(state: Option<&State>, run: &Run, now: Timestamp) -> Result<Option<State>, LeaseLost> {
    let state = state.filter(|state| state.is_leased_to(&run.key)).ok_or(LeaseLost)?;
    let renewed = Lease::of(&run.key, &run.datastore, now);
    let half = now.checked_add((i64::from(run.datastore.lease_seconds) * 500).milliseconds());
    let is_fresh = half.is_ok_and(|half| state.lease.as_ref().is_some_and(|lease| lease.expires_at >= half));
    Ok((!is_fresh).then(|| State { lease: Some(renewed), ..state.clone() }))
}
