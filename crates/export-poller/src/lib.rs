//! The way of a job, from its start to the manifest of what it wrote.
//!
//! One delayed message after the other asks HealthLake how the job stands. Each tells the state machine that the run
//! lives, and renews the lease; the last writes the manifest and lets the state machine go on.

mod config;
mod files;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_s3 as s3;
use aws_sdk_sfn as step_functions;
use aws_sdk_sqs as sqs;
use domain::export::failure::FailureCode;
use domain::export::job::Phase;
use domain::export::manifest::{manifest_key, ranges};
use domain::export::poll::{self, Next, PollMessage, Turn, delay_seconds, take_turn};
use domain::export::run::{Exported, RunRecord, RunStatus, Shortfall};
use export_runs::{DECISIONS, ExportRuns, RenewError, RunsError, Swap, pause};
use healthlake::{HealthLake, HealthLakeError, Job, Permanence};
use jiff::Timestamp;
use lambda_support::dependency::DependencyError;
use lambda_support::objects::put_json;
use lambda_support::queue::send_json;
use lambda_support::task::{Task, Token};
use metrique::unit_of_work::metrics;
use metrique::writer::BoxEntrySink;
use tokio::time::Instant;

pub use config::Config;

/// What the handler works with, built once.
pub struct State {
    pub runs: ExportRuns,
    pub healthlake: HealthLake,
    pub step_functions: step_functions::Client,
    pub s3: s3::Client,
    pub sqs: sqs::Client,
    pub config: Config,
    pub metrics: BoxEntrySink,
    pub clock: fn() -> Timestamp,
}

/// Why a message comes again.
#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error("the message asks about no job")]
    MessageUnreadable,
    #[error(transparent)]
    Runs(#[from] RunsError),
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error(transparent)]
    HealthLake(#[from] HealthLakeError),
    #[error("what comes next cannot be written")]
    Unwritable,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    AskedAgain,
    Exported,
    /// The message belongs to no chain that goes on.
    Dropped,
    /// The step has been told that it failed.
    Failed,
}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct PollerMetrics {
    polls: usize,
    exports_done: usize,
    polls_dropped: usize,
    exports_failed: usize,
    polls_retried: usize,
}

/// What is left for HealthLake's last answer, the files and the manifest when asking has to stop.
const RESERVE: Duration = Duration::from_secs(10);

/// Asks about the job of each message; one that cannot be dealt with now comes again by its queue.
pub async fn handle(state: &State, event: SqsEvent, until: Instant) -> SqsBatchResponse {
    let mut metrics = PollerMetrics::default();
    let mut answer = SqsBatchResponse::default();
    for message in event.records {
        let message_id = message.message_id.unwrap_or_default();
        match poll(state, &message_id, message.body.as_deref().unwrap_or_default(), until).await {
            Ok(Outcome::AskedAgain) => metrics.polls += 1,
            Ok(Outcome::Exported) => metrics.exports_done += 1,
            Ok(Outcome::Dropped) => metrics.polls_dropped += 1,
            Ok(Outcome::Failed) => metrics.exports_failed += 1,
            Err(error) => {
                metrics.polls_retried += 1;
                tracing::warn!(message_id, %error, "not asked; the queue brings the message again");
                answer.add_failure(message_id);
            }
        }
    }
    drop(metrics.append_on_drop(state.metrics.clone()));
    answer
}

async fn poll(state: &State, message_id: &str, body: &str, until: Instant) -> Result<Outcome, PollError> {
    let message: PollMessage = serde_json::from_str(body).map_err(|_| PollError::MessageUnreadable)?;
    let run = &message.run;
    let Some(record) = turn(state, &message, message_id).await? else {
        tracing::info!(run = %run.key.id, number = message.number, "the message is not the run's next; dropped");
        return Ok(Outcome::Dropped);
    };
    let task = Task { client: &state.step_functions, token: &message.task_token };
    if task.heartbeat().await? == Token::Dead {
        if record.status != RunStatus::Publishing {
            tracing::warn!(run = %run.key.id, job = %message.job_id, "the step is over; the job is cancelled");
            state.healthlake.cancel(&run.datastore.id, &message.job_id, until).await?;
        }
        return Ok(Outcome::Dropped);
    }
    match state.runs.renew_lease(run, (state.clock)()).await {
        Ok(()) => (),
        Err(RenewError::Lost(lost)) => {
            state.healthlake.cancel(&run.datastore.id, &message.job_id, until).await?;
            return fail(&task, &message, FailureCode::LeaseLost, &lost.to_string()).await;
        }
        Err(RenewError::Runs(error)) => return Err(error.into()),
    }
    let ask_until = until.checked_sub(RESERVE).unwrap_or(until);
    let job = match state.healthlake.describe(&run.datastore.id, &message.job_id, ask_until).await {
        Err(error) if error.permanence == Permanence::Refused => {
            return fail(&task, &message, FailureCode::HealthLakeRefused, &error.to_string()).await;
        }
        job => job?,
    };
    let phase = job.status.phase();
    let record = note(state, &message, record, phase).await?;
    match poll::next(phase, record.running_since, &run.datastore.poll, (state.clock)()) {
        Next::Wait => {
            tracing::info!(run = %run.key.id, job = %message.job_id, status = ?job.status, number = message.number, "the job goes on");
            ask_again(state, &message).await?;
            Ok(Outcome::AskedAgain)
        }
        Next::Publish { has_errors } => export(state, &message, &task, record, &job, has_errors).await,
        Next::Fail(code) => fail(&task, &message, code, &format!("job {}", message.job_id)).await,
        Next::CancelAndFail(code) => {
            state.healthlake.cancel(&run.datastore.id, &message.job_id, until).await?;
            fail(&task, &message, code, &format!("job {}", message.job_id)).await
        }
    }
}

/// The run's record, if it is this message's turn.
async fn turn(
    state: &State,
    message: &PollMessage,
    message_id: &str,
) -> Result<Option<RunRecord>, PollError> {
    let datastore = &message.run.datastore.id;
    for attempt in 0..DECISIONS {
        let Some(record) = state.runs.record(datastore, &message.run.key).await? else { return Ok(None) };
        match take_turn(&record, message.number, message_id) {
            Turn::Superseded | Turn::Over => return Ok(None),
            Turn::TakeAgain => return Ok(Some(record)),
            Turn::Take(taken) => match state.runs.write_record(datastore, &taken).await? {
                Swap::Written => return Ok(Some(*taken)),
                Swap::Overtaken => pause(attempt).await,
            },
        }
    }
    Err(RunsError::Contended.into())
}

/// Writes down that the job was seen to run, from where its deadline counts.
async fn note(
    state: &State,
    message: &PollMessage,
    record: RunRecord,
    phase: Phase,
) -> Result<RunRecord, PollError> {
    match poll::seen(&record, phase, (state.clock)()) {
        None => Ok(record),
        Some(seen) => match state.runs.write_record(&message.run.datastore.id, &seen).await? {
            Swap::Written => Ok(seen),
            // Somebody closes the run: the message comes again and finds it so.
            Swap::Overtaken => Err(RunsError::Contended.into()),
        },
    }
}

async fn ask_again(state: &State, message: &PollMessage) -> Result<(), PollError> {
    let next = PollMessage { number: message.number + 1, ..message.clone() };
    let delay = delay_seconds(&message.run.datastore.poll, next.number);
    Ok(send_json(&state.sqs, &state.config.poll_queue_url, &next, delay).await?)
}

/// Writes the manifest, and then lets the state machine go on.
async fn export(
    state: &State,
    message: &PollMessage,
    task: &Task<'_>,
    record: RunRecord,
    job: &Job,
    has_errors: bool,
) -> Result<Outcome, PollError> {
    let run = &message.run;
    let found = files::find(&state.s3, &state.config.export_bucket_name, &job.files).await?;
    let shortfall = Shortfall { has_job_errors: has_errors || job.errors > 0, missing_files: found.missing };
    let shortfall = (shortfall != Shortfall::default()).then_some(shortfall);
    let ranges = ranges(&found.files, run.datastore.range_bytes);
    let manifest_key = manifest_key(&run.datastore.id, &run.key.id);
    let manifest = serde_json::to_string(&ranges).map_err(|_| PollError::Unwritable)?;
    put_json(&state.s3, &state.config.export_bucket_name, manifest_key.clone(), manifest).await?;
    let count = u32::try_from(ranges.len()).unwrap_or(u32::MAX);
    let publishing = poll::publishing(&record, count, shortfall);
    if state.runs.write_record(&run.datastore.id, &publishing).await? == Swap::Overtaken {
        return Err(RunsError::Contended.into());
    }
    tracing::info!(
        run = %run.key.id, job = %message.job_id, files = found.files.len(), missing = found.missing, ranges = count,
        is_incomplete = shortfall.is_some(), "the export is done"
    );
    let exported = Exported { manifest_key, ranges: count, is_incomplete: shortfall.is_some() };
    let output = serde_json::to_string(&exported).map_err(|_| PollError::Unwritable)?;
    match task.succeed(output).await? {
        Token::Alive => Ok(Outcome::Exported),
        // Somebody else has answered, or the run was closed meanwhile: what it left is cleaned up by who closed it.
        Token::Dead => Ok(Outcome::Dropped),
    }
}

async fn fail(
    task: &Task<'_>,
    message: &PollMessage,
    code: FailureCode,
    detail: &str,
) -> Result<Outcome, PollError> {
    tracing::error!(run = %message.run.key.id, job = %message.job_id, %code, detail, "the export failed");
    // A dead token means that the run is over already.
    let _ = task.fail(code, detail).await?;
    Ok(Outcome::Failed)
}
