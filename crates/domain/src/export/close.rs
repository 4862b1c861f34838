//! How a run ends: the cursor moves or it stays, and the lease is free.

use jiff::Timestamp;

use super::failure::{Failure, FailureCode};
use super::lease::{LastRun, Lease, State};
use super::run::{Acceptance, RunRecord, RunStatus};
use super::tally::Tally;
use super::window::Mode;

/// What is to be written, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Absent where the lease is not this run's: then nothing of the datastore's item is its to write.
    pub state: Option<State>,
    pub record: RunRecord,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    Close(Box<Closed>),
    /// An earlier attempt has committed, and may have died before it said so.
    AlreadyClosed(RunStatus),
    Refused(FailureCode),
}

/// May the run, all of whose ranges are published, move the cursor to the end of its window?
///
/// Only while the lease is its own and the cursor is the one it began with (I4, I5). A run whose export is not whole
/// leaves the cursor, and so does a replay.
#[must_use]
pub fn commit(state: Option<&State>, record: &RunRecord, tally: Tally, now: Timestamp) -> Commit {
    match record.status {
        RunStatus::Completed | RunStatus::Incomplete => return Commit::AlreadyClosed(record.status),
        RunStatus::Failed => return Commit::Refused(FailureCode::LeaseLost),
        RunStatus::Starting | RunStatus::Exporting | RunStatus::Publishing => (),
    }
    let Some(state) = state.filter(|state| state.is_leased_to(&record.key)) else {
        return Commit::Refused(FailureCode::LeaseLost);
    };
    if state.cursor != record.cursor {
        return Commit::Refused(FailureCode::CursorMoved);
    }
    let status = if record.shortfall.is_some() { RunStatus::Incomplete } else { RunStatus::Completed };
    let moves_cursor = status == RunStatus::Completed && record.mode != Mode::Replay;
    let cursor = if moves_cursor { Some(record.window.until) } else { state.cursor };
    let record = record.revised(|record| {
        record.status = status;
        record.tally = Some(tally);
        record.range_failure = None;
        record.ended_at = Some(now);
    });
    let state = State { cursor, lease: None, last_run: Some(last_run(&record)) };
    Commit::Close(Box::new(Closed { state: Some(state), record }))
}

fn last_run(record: &RunRecord) -> LastRun {
    LastRun { id: record.key.id.clone(), status: record.status }
}

/// Closes a run that failed, or whose execution is no more. `None` where it is closed already.
///
/// The lease is freed only if it is the run's, and the cursor stays.
#[must_use]
pub fn fail(state: Option<&State>, record: &RunRecord, failure: Failure, now: Timestamp) -> Option<Closed> {
    if record.status.is_over() {
        return None;
    }
    let record = record.revised(|record| {
        record.status = RunStatus::Failed;
        record.error = Some(failure);
        record.ended_at = Some(now);
    });
    let state = state.filter(|state| state.is_leased_to(&record.key)).map(|state| State {
        lease: None,
        last_run: Some(last_run(&record)),
        ..state.clone()
    });
    Some(Closed { state, record })
}

/// Why an operator may not commit past a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    #[error("the run is not INCOMPLETE but {0:?}: only an incomplete run leaves something to commit past")]
    NotIncomplete(RunStatus),
    #[error("the run was a replay, which never moves the cursor")]
    Replay,
    #[error("the run has been accepted already")]
    AlreadyAccepted,
    #[error("run {0} is under way: wait until it has ended")]
    LeaseHeld(super::run::RunId),
    #[error(
        "the cursor is not the one that the run began with: a later run has moved it, and covers this one's window"
    )]
    CursorMoved,
}

/// Moves the cursor past an incomplete run, on the record: what its export lacked stays unpublished until it changes
/// again or a full run exports it.
///
/// # Errors
/// Where there is nothing to commit past, or another run is under way.
pub fn accept(
    state: Option<&State>,
    record: &RunRecord,
    reason: String,
    now: Timestamp,
) -> Result<Closed, AcceptError> {
    let state = state.cloned().unwrap_or_default();
    if record.status != RunStatus::Incomplete {
        return Err(AcceptError::NotIncomplete(record.status));
    }
    if record.mode == Mode::Replay {
        return Err(AcceptError::Replay);
    }
    if record.accepted.is_some() {
        return Err(AcceptError::AlreadyAccepted);
    }
    if let Some(Lease { run_id, .. }) = &state.lease {
        return Err(AcceptError::LeaseHeld(run_id.clone()));
    }
    if state.cursor != record.cursor {
        return Err(AcceptError::CursorMoved);
    }
    let record = record.revised(|record| record.accepted = Some(Acceptance { at: now, reason }));
    Ok(Closed { state: Some(State { cursor: Some(record.window.until), ..state }), record })
}
