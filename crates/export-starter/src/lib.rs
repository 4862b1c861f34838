//! The start of a run's job in HealthLake.
//!
//! The message may come twice, and a starter may die at any point. So before it starts a job it proves that the run
//! lives, writes down that it sets out, and looks for a job of the run's name; and it follows at most one.

mod config;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sfn as step_functions;
use aws_sdk_sqs as sqs;
use domain::export::failure::FailureCode;
use domain::export::job::JobId;
use domain::export::manifest::EXPORTS_PREFIX;
use domain::export::poll::{PollMessage, delay_seconds};
use domain::export::run::{Run, RunRecord, StartMessage};
use domain::export::start::{SettingOut, follow, job_to_follow, set_out, withdraw};
use export_runs::{DECISIONS, ExportRuns, RenewError, RunsError, Swap, pause};
use healthlake::{HealthLake, HealthLakeError, Permanence, StartExport};
use jiff::Timestamp;
use lambda_support::dependency::DependencyError;
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
    pub sqs: sqs::Client,
    pub config: Config,
    pub metrics: BoxEntrySink,
    pub clock: fn() -> Timestamp,
}

/// Why a message comes again.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("the message asks for no start")]
    MessageUnreadable,
    #[error("another starter has set out, and its job may not be listed yet")]
    Settling,
    #[error(transparent)]
    Runs(#[from] RunsError),
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error(transparent)]
    HealthLake(#[from] HealthLakeError),
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Following,
    /// The run is over, or its step of the state machine is.
    Dropped,
    /// The step has been told that it failed.
    Failed,
}

#[metrics(rename_all = "PascalCase")]
#[derive(Default)]
struct StarterMetrics {
    jobs_followed: usize,
    starts_dropped: usize,
    starts_failed: usize,
    starts_retried: usize,
}

/// Starts a job for each message; one that cannot be dealt with now comes again by its queue.
pub async fn handle(state: &State, event: SqsEvent, until: Instant) -> SqsBatchResponse {
    let mut metrics = StarterMetrics::default();
    let mut answer = SqsBatchResponse::default();
    for message in event.records {
        let message_id = message.message_id.unwrap_or_default();
        match start(state, message.body.as_deref().unwrap_or_default(), until).await {
            Ok(Outcome::Following) => metrics.jobs_followed += 1,
            Ok(Outcome::Dropped) => metrics.starts_dropped += 1,
            Ok(Outcome::Failed) => metrics.starts_failed += 1,
            Err(error) => {
                metrics.starts_retried += 1;
                tracing::warn!(message_id, %error, "no job started; the queue brings the message again");
                answer.add_failure(message_id);
            }
        }
    }
    drop(metrics.append_on_drop(state.metrics.clone()));
    answer
}

async fn start(state: &State, body: &str, until: Instant) -> Result<Outcome, StartError> {
    let message: StartMessage = serde_json::from_str(body).map_err(|_| StartError::MessageUnreadable)?;
    let run = &message.run;
    let task = Task { client: &state.step_functions, token: &message.task_token };
    if task.heartbeat().await? == Token::Dead {
        tracing::warn!(run = %run.key.id, "the step is over; nothing is started");
        return Ok(Outcome::Dropped);
    }
    match state.runs.renew_lease(run, (state.clock)()).await {
        Ok(()) => (),
        Err(RenewError::Lost(lost)) => {
            return fail(&task, run, FailureCode::LeaseLost, &lost.to_string()).await;
        }
        Err(RenewError::Runs(error)) => return Err(error.into()),
    }
    for attempt in 0..DECISIONS {
        let Some(record) = state.runs.record(&run.datastore.id, &run.key).await? else {
            return fail(&task, run, FailureCode::LeaseLost, "the run's record is gone").await;
        };
        let (record, may_start) = match set_out(&record, (state.clock)()) {
            SettingOut::Stop => return Ok(Outcome::Dropped),
            SettingOut::Follow(job) => {
                tracing::info!(run = %run.key.id, %job, "the job is known already");
                send_first_poll(state, &message, &job).await?;
                return Ok(Outcome::Following);
            }
            SettingOut::LookOnly => (record, false),
            SettingOut::LookAndStart(intended) => {
                if state.runs.write_record(&run.datastore.id, &intended).await? == Swap::Overtaken {
                    pause(attempt).await;
                    continue;
                }
                (*intended, true)
            }
        };
        let job = match find_or_start(state, run, may_start, until).await {
            Err(NotStarted { error: StartError::HealthLake(error), .. })
                if error.permanence == Permanence::Refused =>
            {
                return fail(&task, run, FailureCode::HealthLakeRefused, &error.to_string()).await;
            }
            Err(NotStarted { error, is_certain }) => {
                if may_start && is_certain {
                    // Overtaken by who closes the run: then there is nothing to withdraw from.
                    let _ = state.runs.write_record(&run.datastore.id, &withdraw(&record)).await?;
                }
                return Err(error);
            }
            Ok(job) => job,
        };
        return follow_job(state, &message, record, &job, until).await;
    }
    Err(RunsError::Contended.into())
}

/// Why there is no job to follow.
struct NotStarted {
    error: StartError,
    /// Whether HealthLake has started none for this attempt.
    is_certain: bool,
}

/// A job of the run's name if there is one, else a new one.
async fn find_or_start(
    state: &State,
    run: &Run,
    may_start: bool,
    until: Instant,
) -> Result<JobId, NotStarted> {
    let job_name = run.key.job_name(&run.datastore.id);
    let listed = state
        .healthlake
        .jobs_named(&run.datastore.id, &job_name, until)
        .await
        .map_err(|error| NotStarted { error: error.into(), is_certain: true })?;
    if let Some(job) = job_to_follow(&listed) {
        tracing::info!(run = %run.key.id, job = %job.id, jobs = listed.len(), "a job of the run's name is there");
        return Ok(job.id.clone());
    }
    if !may_start {
        return Err(NotStarted { error: StartError::Settling, is_certain: true });
    }
    let request = StartExport {
        datastore: &run.datastore,
        mode: run.mode,
        window: run.window,
        job_name,
        data_access_role_arn: &state.config.data_access_role_arn,
        output_uri: format!("s3://{}/{EXPORTS_PREFIX}", state.config.export_bucket_name),
        key_arn: &state.config.export_key_arn,
    };
    let job = state.healthlake.start(&request, until).await.map_err(|error| NotStarted {
        is_certain: error.permanence != Permanence::Unknown,
        error: error.into(),
    })?;
    tracing::info!(run = %run.key.id, %job, "the job is started");
    Ok(job)
}

/// Stores which job is followed, and begins to. A job that comes second is cancelled.
async fn follow_job(
    state: &State,
    message: &StartMessage,
    mut record: RunRecord,
    job: &JobId,
    until: Instant,
) -> Result<Outcome, StartError> {
    let run = &message.run;
    for attempt in 0..DECISIONS {
        let Some(following) = follow(&record, job) else {
            tracing::warn!(run = %run.key.id, %job, "the run follows another job, or is over; this one is cancelled");
            state.healthlake.cancel(&run.datastore.id, job, until).await?;
            return Ok(Outcome::Dropped);
        };
        let is_stored = following == record
            || state.runs.write_record(&run.datastore.id, &following).await? == Swap::Written;
        if is_stored {
            send_first_poll(state, message, job).await?;
            return Ok(Outcome::Following);
        }
        pause(attempt).await;
        match state.runs.record(&run.datastore.id, &run.key).await? {
            Some(now) => record = now,
            None => break,
        }
    }
    Err(RunsError::Contended.into())
}

async fn send_first_poll(state: &State, message: &StartMessage, job: &JobId) -> Result<(), StartError> {
    let poll = PollMessage {
        task_token: message.task_token.clone(),
        run: message.run.clone(),
        job_id: job.clone(),
        number: 0,
    };
    let delay = delay_seconds(&message.run.datastore.poll, poll.number);
    Ok(send_json(&state.sqs, &state.config.poll_queue_url, &poll, delay).await?)
}

async fn fail(task: &Task<'_>, run: &Run, code: FailureCode, detail: &str) -> Result<Outcome, StartError> {
    tracing::error!(run = %run.key.id, %code, detail, "the run cannot start its job");
    // A dead token means that the run is over already.
    let _ = task.fail(code, detail).await?;
    Ok(Outcome::Failed)
}
