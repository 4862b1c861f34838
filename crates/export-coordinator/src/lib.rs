//! The beginning and the end of a run.
//!
//! Every step may be asked for twice, because the answer may be lost: it finds then that its work is done, and does what
//! is left of it. What a run leaves behind, a job that still runs and news that the bus has not heard, is settled before
//! its record says so.

mod aftermath;
mod config;
mod step;
mod tally;

use std::fmt;

use aws_sdk_s3 as s3;
use domain::export::announce::{Announcement, Warning};
use domain::export::close::{self, Commit};
use domain::export::datastore::{Datastore, DatastoreId};
use domain::export::failure::{Failure, FailureCode};
use domain::export::lease::{Beginning, SkipReason, begin};
use domain::export::run::{Exported, Run, RunId, RunKey, RunRecord, RunStatus};
use domain::export::window::RunRequest;
use export_runs::{DECISIONS, ExportRuns, RunsError, Swap, pause};
use healthlake::HealthLake;
use jiff::Timestamp;
use lambda_support::put_events::EventBus;
use lambda_support::step::StepError;
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use serde_json::Value;
use tokio::time::Instant;

pub use config::Config;
pub use step::{Answer, Begun};

use step::Step;

/// What the handler works with, built once.
pub struct State {
    pub runs: ExportRuns,
    pub healthlake: HealthLake,
    pub bus: EventBus,
    pub s3: s3::Client,
    pub config: Config,
    pub metrics: BoxEntrySink,
    pub clock: fn() -> Timestamp,
}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct RunMetrics {
    started_runs: usize,
    skipped_runs: usize,
    completed_runs: usize,
    incomplete_runs: usize,
    failed_runs: usize,
    resources_published: u64,
    lines_rejected: u64,
}

/// Does one step of a run.
///
/// # Errors
/// Under the name by which the state machine decides; `DependencyFailed` alone is worth another attempt.
pub async fn handle(state: &State, event: Value, until: Instant) -> Result<Answer, StepError> {
    let step: Step = serde_json::from_value(event)
        .map_err(|_| StepError::new(FailureCode::RequestInvalid, "this is no step of a run"))?;
    let mut metrics = RunMetrics::default();
    let answered = match step {
        Step::Begin { run, request, datastore } => {
            begin_run(state, run.key(), request, datastore, &mut metrics, until).await
        }
        Step::Commit { run, export } => commit_run(state, &run, &export, &mut metrics, until).await,
        Step::Fail { datastore_id, run, error } => {
            let failed = Failed { datastore: &datastore_id, run: run.key(), failure: error.failure() };
            fail_run(state, failed, &mut metrics, until).await
        }
        Step::CleanUp { datastore_id, run, status } => {
            let failure = Failure::new(FailureCode::of_execution_status(&status), None);
            fail_run(state, Failed { datastore: &datastore_id, run: run.key(), failure }, &mut metrics, until)
                .await
        }
        Step::Accept { datastore_id, run_id, reason } => {
            accept_run(state, &datastore_id, &run_id, reason).await
        }
    };
    if let Err(error) = &answered {
        tracing::error!(code = %error.code, detail = error.detail, "the step failed");
    }
    drop(metrics.append_on_drop(state.metrics.clone()));
    answered
}

async fn begin_run(
    state: &State,
    key: RunKey,
    request: Value,
    datastore: Datastore,
    metrics: &mut RunMetrics,
    until: Instant,
) -> Result<Answer, StepError> {
    let invalid = |error: &dyn fmt::Display| StepError::new(FailureCode::RequestInvalid, error.to_string());
    // The words of serde name the member and where it stands; what is quoted is the operator's own input.
    let request: RunRequest = serde_json::from_value(request).map_err(|error| invalid(&error))?;
    let record = match take_lease(state, &key, &request, &datastore).await? {
        Ok(record) => record,
        Err(reason) => {
            metrics.skipped_runs += 1;
            tracing::info!(run = %key.id, datastore = %datastore.id, reason = reason.code(), "the run has nothing to do");
            let announcement = Announcement::skipped(&datastore.id, &key, &reason);
            aftermath::announce(state, &announcement, until).await?;
            return Ok(Answer::Begun(Box::new(Begun::Skipped { reason: reason.code() })));
        }
    };
    if let Some(silent) = &record.took_over {
        let detail = format!("run {} took it over", key.id);
        let failure = Failure::new(FailureCode::LeaseExpired, Some(&detail));
        fail_run(state, Failed { datastore: &datastore.id, run: silent.clone(), failure }, metrics, until)
            .await?;
    }
    let warnings = warnings(state, &datastore.id, &record).await?;
    metrics.started_runs += 1;
    tracing::info!(
        run = %key.id, datastore = %datastore.id, mode = ?record.mode, since = ?record.window.since,
        until = %record.window.until, ?warnings, "the run has the lease"
    );
    let announcement = Announcement::started(&datastore.id, &record, warnings);
    aftermath::announce(state, &announcement, until).await?;
    let run = Run { key, datastore, mode: record.mode, window: record.window };
    Ok(Answer::Begun(Box::new(Begun::Leased { run })))
}

async fn take_lease(
    state: &State,
    key: &RunKey,
    request: &RunRequest,
    datastore: &Datastore,
) -> Result<Result<RunRecord, SkipReason>, StepError> {
    for attempt in 0..DECISIONS {
        let was = state.runs.state(&datastore.id).await?;
        let record = state.runs.record(&datastore.id, key).await?;
        let beginning = begin(was.as_ref(), record.as_ref(), key, request, datastore, (state.clock)())
            .map_err(|error| StepError::new(FailureCode::RequestInvalid, error.to_string()))?;
        match beginning {
            Beginning::Skipped(reason) => return Ok(Err(reason)),
            Beginning::Resumed(record) => return Ok(Ok(*record)),
            Beginning::Lost => {
                return Err(StepError::new(FailureCode::LeaseLost, "before the run had begun"));
            }
            Beginning::Leased(leased) => {
                let written =
                    state.runs.write_both(&datastore.id, was.as_ref(), &leased.state, &leased.record).await;
                match written? {
                    Swap::Written => return Ok(Ok(leased.record)),
                    Swap::Overtaken => pause(attempt).await,
                }
            }
        }
    }
    Err(RunsError::Contended.into())
}

/// A datastore that has had runs and has no cursor has lost it, unless none of them was ever committed.
async fn warnings(
    state: &State,
    datastore: &DatastoreId,
    record: &RunRecord,
) -> Result<Vec<Warning>, StepError> {
    if record.cursor.is_some() {
        return Ok(Vec::new());
    }
    let earlier = state.runs.latest(datastore, EARLIER_RUNS).await?;
    let was_committed = earlier.iter().any(RunRecord::has_moved_cursor);
    Ok(was_committed.then_some(Warning::CursorMissing).into_iter().collect())
}

/// How many of the latest runs are looked at for one that was committed.
const EARLIER_RUNS: i32 = 100;

async fn commit_run(
    state: &State,
    run: &Run,
    export: &Exported,
    metrics: &mut RunMetrics,
    until: Instant,
) -> Result<Answer, StepError> {
    let datastore = &run.datastore.id;
    let tally = tally::of_results(state, run, export.ranges).await?;
    for attempt in 0..DECISIONS {
        let was = state.runs.state(datastore).await?;
        let record = state.runs.record(datastore, &run.key).await?;
        let record =
            record.ok_or_else(|| StepError::new(FailureCode::LeaseLost, "the run's record is gone"))?;
        let record = match close::commit(was.as_ref(), &record, tally.clone(), (state.clock)()) {
            Commit::Refused(code) => return Err(StepError::new(code, "the run may not commit")),
            Commit::AlreadyClosed(_) => record,
            Commit::Close(closed) => {
                let Some(next) = &closed.state else {
                    return Err(StepError::new(FailureCode::LeaseLost, "the run may not commit"));
                };
                let written = state.runs.write_both(datastore, was.as_ref(), next, &closed.record).await;
                if written? == Swap::Overtaken {
                    pause(attempt).await;
                    continue;
                }
                closed.record
            }
        };
        match record.status {
            RunStatus::Incomplete => metrics.incomplete_runs += 1,
            _ => metrics.completed_runs += 1,
        }
        metrics.resources_published += tally.published_total();
        metrics.lines_rejected += tally.rejected_total();
        tracing::info!(
            run = %run.key.id, %datastore, status = ?record.status, published = tally.published_total(),
            rejected = tally.rejected_total(), "the run is closed"
        );
        aftermath::settle(state, datastore, &record, until).await?;
        return Ok(Answer::Committed { status: record.status });
    }
    Err(RunsError::Contended.into())
}

struct Failed<'a> {
    datastore: &'a DatastoreId,
    run: RunKey,
    failure: Failure,
}

/// Closes a run that cannot go on, and sees to what it left behind. One that is closed already keeps its first reason.
async fn fail_run(
    state: &State,
    failed: Failed<'_>,
    metrics: &mut RunMetrics,
    until: Instant,
) -> Result<Answer, StepError> {
    let Failed { datastore, run, failure } = failed;
    for attempt in 0..DECISIONS {
        let was = state.runs.state(datastore).await?;
        let record = state.runs.record(datastore, &run).await?;
        let record = record.unwrap_or_else(|| RunRecord::stillborn(run.clone()));
        let failure = match &record.range_failure {
            Some(known) if failure.code == FailureCode::PublishFailed => known.clone(),
            _ => failure.clone(),
        };
        let record = match close::fail(was.as_ref(), &record, failure.clone(), (state.clock)()) {
            None => record,
            Some(closed) => {
                let written = match &closed.state {
                    Some(next) => state.runs.write_both(datastore, was.as_ref(), next, &closed.record).await,
                    None => state.runs.write_record(datastore, &closed.record).await,
                };
                if written? == Swap::Overtaken {
                    pause(attempt).await;
                    continue;
                }
                metrics.failed_runs += 1;
                tracing::warn!(run = %run.id, %datastore, code = %failure.code, cause = failure.cause, "the run failed");
                closed.record
            }
        };
        aftermath::settle(state, datastore, &record, until).await?;
        let failure = record.error.unwrap_or(failure);
        return Ok(Answer::Failed { code: failure.code.name().to_owned(), cause: failure.cause });
    }
    Err(RunsError::Contended.into())
}

async fn accept_run(
    state: &State,
    datastore: &DatastoreId,
    run: &RunId,
    reason: String,
) -> Result<Answer, StepError> {
    let refused = |why: String| StepError::new(FailureCode::RequestInvalid, why);
    if reason.trim().is_empty() {
        return Err(refused("say why: the reason is kept in the run's record".to_owned()));
    }
    for attempt in 0..DECISIONS {
        let was = state.runs.state(datastore).await?;
        let latest = state.runs.latest(datastore, EARLIER_RUNS).await?;
        let record = latest.into_iter().find(|record| record.key.id == *run).ok_or_else(|| {
            refused(format!("run {run} is none of the latest {EARLIER_RUNS} of the datastore"))
        })?;
        let closed = close::accept(was.as_ref(), &record, reason.clone(), (state.clock)())
            .map_err(|error| refused(error.to_string()))?;
        let Some(next) = closed.state else { return Err(refused("the datastore has no state".to_owned())) };
        match state.runs.write_both(datastore, was.as_ref(), &next, &closed.record).await? {
            Swap::Overtaken => pause(attempt).await,
            Swap::Written => {
                tracing::warn!(%run, %datastore, "the cursor was moved past an incomplete run by an operator");
                return Ok(Answer::Accepted { cursor: next.cursor });
            }
        }
    }
    Err(RunsError::Contended.into())
}
