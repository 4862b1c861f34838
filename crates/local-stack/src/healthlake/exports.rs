//! What may be done about export jobs.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::export_request::{ExportRequest, Scope};
use super::faults::{FaultKind, Operation};
use super::job::{Job, JobPlan, JobStatus};
use super::outcome::Refusal;
use super::state::HealthLake;
use super::store::Found;

/// How long a job is `SUBMITTED` before it stands in the queue.
const SUBMITTED_FOR: Duration = Duration::from_millis(20);
/// How long each of the two steps of a cancellation takes.
const CANCEL_STEP: Duration = Duration::from_millis(50);

/// Which jobs a list has.
#[derive(Debug, Default)]
pub(crate) struct ListFilter {
    pub job_name: Option<String>,
    pub status: Option<String>,
    pub submitted_after: Option<Timestamp>,
    pub submitted_before: Option<Timestamp>,
}

/// A page of a list, and the position at which the next one begins.
pub(crate) struct Page {
    pub jobs: Vec<Job>,
    pub next: Option<usize>,
}

impl HealthLake {
    /// Takes a job into the queue. It is HealthLake's from here on, whether the answer arrives or not.
    pub(crate) fn start(
        self: &Arc<Self>,
        datastore_id: &str,
        request: ExportRequest,
    ) -> Result<Job, Refusal> {
        let mut state = self.state();
        if let Scope::Group { group_id } = &request.filter.scope
            && !matches!(state.datastore(datastore_id).store.read("Group", group_id), Found::Resource(_))
        {
            return Err(Refusal::NotFound("There is no such group.".to_owned()));
        }
        let earlier = state.jobs.iter().find(|job| {
            job.datastore_id == datastore_id
                && job.request.client_token.is_some()
                && job.request.client_token == request.client_token
        });
        if let Some(earlier) = earlier {
            return Ok(earlier.clone());
        }
        let plan = JobPlan::take(&mut state.faults, datastore_id);
        let job = Job::new(datastore_id, request, plan, state.now(datastore_id));
        state.jobs.push(job.clone());
        self.announce(&job);
        let healthlake = self.clone();
        let id = job.id.clone();
        tokio::spawn(async move {
            sleep(SUBMITTED_FOR).await;
            healthlake.advance(&id, JobStatus::Submitted, JobStatus::Queued);
        });
        Ok(job)
    }

    /// The job, with the status that is to be told.
    pub(crate) fn describe(&self, datastore_id: &str, job_id: &str) -> Result<(Job, String), Refusal> {
        let mut state = self.state();
        let job = state.job(datastore_id, job_id)?.clone();
        let unknown = state.faults.take(datastore_id, Operation::Describe, |kind| match kind {
            FaultKind::UnknownStatus { status } => Some(status.clone()),
            _ => None,
        });
        let status = unknown.unwrap_or_else(|| job.status.word().to_owned());
        Ok((job, status))
    }

    /// Asks a job to stop; it needs a while.
    pub(crate) fn cancel(self: &Arc<Self>, datastore_id: &str, job_id: &str) -> Result<Job, Refusal> {
        let mut state = self.state();
        let job = state.job(datastore_id, job_id)?;
        job.cancel_requests += 1;
        if !job.status.can_be_cancelled() {
            return Err(Refusal::NotSupported);
        }
        job.status = JobStatus::CancelSubmitted;
        job.cancelled.notify_one();
        let job = job.clone();
        let healthlake = self.clone();
        let id = job.id.clone();
        tokio::spawn(async move {
            sleep(CANCEL_STEP).await;
            healthlake.advance(&id, JobStatus::CancelSubmitted, JobStatus::CancelInProgress);
            sleep(CANCEL_STEP).await;
            healthlake.advance(&id, JobStatus::CancelInProgress, JobStatus::CancelCompleted);
        });
        Ok(job)
    }

    /// Jobs from a position on, in the order in which they were submitted: one that comes later does not move those
    /// that were there.
    pub(crate) fn list(&self, datastore_id: &str, filter: &ListFilter, from: usize, count: usize) -> Page {
        let state = self.state();
        let now = Instant::now();
        let mut matching = state.jobs.iter().enumerate().skip(from).filter(|(_, job)| {
            job.datastore_id == datastore_id && job.listed_from <= now && filter.matches(job)
        });
        let page: Vec<(usize, &Job)> = matching.by_ref().take(count).collect();
        let next = page.last().map(|(position, _)| position + 1).filter(|_| matching.next().is_some());
        Page { jobs: page.into_iter().map(|(_, job)| job.clone()).collect(), next }
    }
}

impl ListFilter {
    fn matches(&self, job: &Job) -> bool {
        self.job_name.as_ref().is_none_or(|name| job.request.job_name.as_ref() == Some(name))
            && self.status.as_ref().is_none_or(|status| job.status.word() == status)
            && self.submitted_after.is_none_or(|after| job.submitted_at > after)
            && self.submitted_before.is_none_or(|before| job.submitted_at < before)
    }
}
