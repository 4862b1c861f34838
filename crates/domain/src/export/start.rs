//! Whether a run has to start a job, or one is there to be followed.
//!
//! HealthLake takes no token that would make a second start harmless, and an answer may be lost after the job was
//! accepted. So a starter writes down that it sets out before it does, and whoever comes after it looks for a job of the
//! run's name. At most one job is followed; any other of the name is cancelled.

use jiff::{SignedDuration, Timestamp};

use super::job::{JobId, Phase};
use super::run::{RunRecord, RunStatus};

/// How long after a starter set out its job may still be missing in HealthLake's list: the starter has 60 s to live
/// (`infra/lib/export-starter.ts`), and a list may lag behind.
pub const SETTLES_AFTER: SignedDuration = SignedDuration::from_secs(90);

/// A job of the run's name, as HealthLake lists it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListedJob {
    pub id: JobId,
    pub submitted_at: Option<Timestamp>,
    pub phase: Phase,
}

/// What a starter does first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingOut {
    /// A job is known already.
    Follow(JobId),
    /// Look for a job; if there is none, wait: another starter may have started one that is not listed yet.
    LookOnly,
    /// Write the record, then look for a job; if there is none, start one.
    LookAndStart(Box<RunRecord>),
    /// The run has been closed.
    Stop,
}

#[must_use]
pub fn set_out(record: &RunRecord, now: Timestamp) -> SettingOut {
    if record.status.is_over() {
        return SettingOut::Stop;
    }
    if let Some(job) = &record.job_id {
        return SettingOut::Follow(job.clone());
    }
    match record.intended_at {
        Some(intended_at) if now.duration_since(intended_at) < SETTLES_AFTER => SettingOut::LookOnly,
        _ => SettingOut::LookAndStart(Box::new(record.revised(|record| {
            record.intended_at = Some(now);
            record.intents += 1;
        }))),
    }
}

/// The record of a starter that set out and is sure that it started nothing: the next one need not wait.
#[must_use]
pub fn withdraw(record: &RunRecord) -> RunRecord {
    record.revised(|record| {
        record.intended_at = None;
        record.intents = record.intents.saturating_sub(1);
    })
}

/// Of the jobs that carry the run's name, the one to follow: the first that was submitted.
#[must_use]
pub fn job_to_follow(listed: &[ListedJob]) -> Option<&ListedJob> {
    listed.iter().min_by_key(|job| (job.submitted_at.is_none(), job.submitted_at, &job.id))
}

/// The jobs that carry the run's name, that it does not follow, and that HealthLake still works at.
pub fn jobs_to_cancel<'a>(
    listed: &'a [ListedJob],
    followed: Option<&'a JobId>,
) -> impl Iterator<Item = &'a JobId> {
    listed.iter().filter(move |job| Some(&job.id) != followed && job.phase.is_open()).map(|job| &job.id)
}

/// The record with the job that is followed from now on; `None` where it follows another already, or is over: then this
/// one is to be cancelled.
#[must_use]
pub fn follow(record: &RunRecord, job: &JobId) -> Option<RunRecord> {
    match &record.job_id {
        _ if record.status.is_over() => None,
        Some(followed) if followed == job => Some(record.clone()),
        Some(_) => None,
        None => Some(record.revised(|record| {
            record.job_id = Some(job.clone());
            record.status = RunStatus::Exporting;
        })),
    }
}
