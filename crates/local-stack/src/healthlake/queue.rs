//! One export at a time for the whole account; the others wait in the order in which they came.

use std::future::pending;
use std::sync::Arc;

use super::export::{End, Export};
use super::job::{Job, JobStatus};
use super::state::{HealthLake, State};

/// Runs jobs until the process ends.
pub(crate) async fn run(healthlake: Arc<HealthLake>) {
    loop {
        let next = next_in_queue(&healthlake.state());
        let Some(job) = next else {
            healthlake.queue_changed.notified().await;
            continue;
        };
        tokio::select! {
            () = run_job(&healthlake, &job) => (),
            () = job.cancelled.notified() => (),
        }
    }
}

/// The first of those that wait, as soon as it stands in the queue and none is under way.
fn next_in_queue(state: &State) -> Option<Job> {
    if state.jobs.iter().any(Job::is_running) {
        return None;
    }
    let is_waiting = |job: &&Job| matches!(job.status, JobStatus::Submitted | JobStatus::Queued);
    state.jobs.iter().find(is_waiting).filter(|job| job.status == JobStatus::Queued).cloned()
}

async fn run_job(healthlake: &HealthLake, job: &Job) {
    if job.plan.is_stuck_in_queue {
        pending::<()>().await;
    }
    if !healthlake.advance(&job.id, JobStatus::Queued, JobStatus::InProgress) {
        return;
    }
    let end = Export::new(healthlake, job).run().await.unwrap_or_else(|error| {
        tracing::error!(job = job.id, error = format!("{error:#}"), "the files were not written");
        End::failed("The files could not be written to S3.")
    });
    if job.plan.is_stuck_in_progress {
        pending::<()>().await;
    }
    if let Ok(job) = healthlake.state().job(&job.datastore_id, &job.id) {
        job.output = end.output;
        job.errors = end.errors;
        job.message = end.message;
    }
    healthlake.advance(&job.id, JobStatus::InProgress, end.status);
}
