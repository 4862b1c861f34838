//! Everything that the stand-in holds, in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::events::Announcer;
use super::faults::{Faults, Operation};
use super::files::Bucket;
use super::job::{Job, JobStatus};
use super::outcome::Refusal;
use super::store::Store;
use super::times;

pub(crate) struct HealthLake {
    state: Mutex<State>,
    /// Told whenever a job may have come to its turn.
    pub queue_changed: Notify,
    pub bucket: Bucket,
    announcer: Announcer,
}

#[derive(Default)]
pub(crate) struct State {
    pub datastores: HashMap<String, Datastore>,
    /// Of all data stores, in the order in which they were submitted.
    pub jobs: Vec<Job>,
    pub faults: Faults,
}

#[derive(Default)]
pub(crate) struct Datastore {
    pub store: Store,
    pub requests: BTreeMap<Operation, u64>,
}

impl HealthLake {
    pub(crate) fn new(bucket: Bucket, announcer: Announcer) -> Self {
        Self { state: Mutex::default(), queue_changed: Notify::new(), bucket, announcer }
    }

    /// Held for a moment, never across an await. What a panic left behind is as good as what it found: every change is
    /// one assignment.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves a job on and announces it, unless it is elsewhere by now.
    pub(crate) fn advance(&self, job_id: &str, from: JobStatus, to: JobStatus) -> bool {
        let mut state = self.state();
        let State { jobs, faults, .. } = &mut *state;
        let Some(job) = jobs.iter_mut().find(|job| job.id == job_id && job.status == from) else {
            return false;
        };
        let now = times::now(faults.clock_offset(&job.datastore_id));
        job.status = to;
        if to == JobStatus::InProgress {
            job.scan_started_at = Some(now);
        }
        if to.is_final() {
            job.ended_at = Some(now);
        }
        self.announcer.announce(job);
        drop(state);
        self.queue_changed.notify_one();
        true
    }

    pub(crate) fn announce(&self, job: &Job) {
        self.announcer.announce(job);
    }
}

impl State {
    /// A data store exists as soon as it is named.
    pub(crate) fn datastore(&mut self, id: &str) -> &mut Datastore {
        self.datastores.entry(id.to_owned()).or_default()
    }

    /// The clock of HealthLake.
    pub(crate) fn now(&self, datastore_id: &str) -> Timestamp {
        times::now(self.faults.clock_offset(datastore_id))
    }

    pub(crate) fn job(&mut self, datastore_id: &str, job_id: &str) -> Result<&mut Job, Refusal> {
        self.jobs
            .iter_mut()
            .find(|job| job.id == job_id && job.datastore_id == datastore_id)
            .ok_or_else(|| Refusal::NotFound("There is no such job.".to_owned()))
    }
}

/// 32 hexadecimal digits, in lower case, as HealthLake makes them.
pub(crate) fn is_datastore_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_data_store_is_known_by_its_form() {
        for (id, expected) in [
            ("0123456789abcdef0123456789abcdef", true),
            ("0123456789ABCDEF0123456789ABCDEF", false),
            ("0123456789abcdef0123456789abcde", false),
            ("0123456789abcdef0123456789abcdeg", false),
            ("", false),
        ] {
            assert_eq!(is_datastore_id(id), expected, "{id}");
        }
    }
}
