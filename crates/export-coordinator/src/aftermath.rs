//! What is left to do when a run has ended: no job may go on working for it, and the bus has to know.

use domain::export::announce::Announcement;
use domain::export::datastore::DatastoreId;
use domain::export::failure::FailureCode;
use domain::export::run::{RunRecord, RunStatus};
use domain::export::start::jobs_to_cancel;
use lambda_support::dependency::DependencyError;
use lambda_support::put_events::{Entry, Fate};
use lambda_support::step::StepError;
use tokio::time::Instant;

use crate::State;

/// Cancels what still works for the run, tells the bus, and writes down that this is done.
pub(crate) async fn settle(
    state: &State,
    datastore: &DatastoreId,
    record: &RunRecord,
    until: Instant,
) -> Result<(), StepError> {
    if record.is_settled {
        return Ok(());
    }
    // A job that nobody follows can only be there where more than one was set out for, or the run failed.
    if record.intents > 1 || (record.status == RunStatus::Failed && record.intents > 0) {
        cancel_jobs(state, datastore, record, until).await?;
    }
    if let Some(announcement) = Announcement::ended(datastore, record) {
        announce(state, &announcement, until).await?;
    }
    let settled = record.revised(|record| record.is_settled = true);
    // Overtaken by another attempt, which settles it just as well.
    let _ = state.runs.write_record(datastore, &settled).await?;
    Ok(())
}

/// By id, and by name where the id was never stored. Of a run that failed the followed job too.
async fn cancel_jobs(
    state: &State,
    datastore: &DatastoreId,
    record: &RunRecord,
    until: Instant,
) -> Result<(), StepError> {
    let name = record.key.job_name(datastore);
    let listed = state.healthlake.jobs_named(datastore, &name, until).await.map_err(dependency)?;
    let followed = record.job_id.as_ref().filter(|_| record.status != RunStatus::Failed);
    let unlisted = record
        .job_id
        .as_ref()
        .filter(|job| record.status == RunStatus::Failed && !listed.iter().any(|listed| listed.id == **job));
    for job in jobs_to_cancel(&listed, followed).chain(unlisted) {
        tracing::info!(run = %record.key.id, %job, "cancelling the job");
        state.healthlake.cancel(datastore, job, until).await.map_err(dependency)?;
    }
    Ok(())
}

fn dependency(error: healthlake::HealthLakeError) -> StepError {
    DependencyError::from(error).into()
}

pub(crate) async fn announce(
    state: &State,
    announcement: &Announcement,
    until: Instant,
) -> Result<(), StepError> {
    let unsent = |detail: &str| StepError::new(FailureCode::DependencyFailed, detail);
    let detail = serde_json::to_string(announcement).map_err(|_| unsent("the event cannot be written"))?;
    let entry = Entry { detail_type: announcement.detail_type(), detail, key: None };
    match state.bus.put(&[entry], until).await.as_slice() {
        [Fate::Accepted] => Ok(()),
        _ => Err(unsent("events:PutEvents failed: the bus did not take the event about the run")),
    }
}
