//! Parts of a backfill, done beside each other.

use std::time::Duration;

use domain::change::Reject;
use lake_writer::WriteError;
use lambda_support::dependency::DependencyError;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Backfill;
use crate::write::PartCounts;

/// A connection that breaks while a file is read is no reason to fail; a service that refuses is tried again by the clients.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// What became of a backfill. Whatever has failed is done by the same command again.
#[derive(Debug)]
pub struct Outcome {
    /// Under which its markers lie.
    pub id: String,
    pub parts: usize,
    pub parts_done: usize,
    /// Of all parts that are done, also before.
    pub rows: u64,
    /// Items of them that are no rows, because they cannot be read.
    pub unreadable: u64,
    /// Where these are kept in the lake's bucket, as lines of exports.
    pub unreadable_folder: String,
    pub failures: Vec<PartFailed>,
}

impl Outcome {
    /// Whether nothing is left to do.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.parts_done == self.parts && self.failures.is_empty()
    }

    /// Whether each item is in the lake.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.has_ended() && self.unreadable == 0
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{part}: {error}")]
pub struct PartFailed {
    /// The object key of a file, or which segment.
    pub part: String,
    pub error: PartError,
}

#[derive(Debug, thiserror::Error)]
pub enum PartError {
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error("the connection broke while it was read")]
    BrokeOff,
    /// What is there is not what DynamoDB wrote.
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("the scan cannot go on: {0}")]
    Key(Reject),
    #[error("{rows} rows are not written: {error}")]
    NotWritten { rows: usize, error: WriteError },
}

impl PartError {
    /// Whether the other parts will most likely fail alike.
    fn concerns_all(&self) -> bool {
        matches!(self, Self::Dependency(_) | Self::NotWritten { .. })
    }
}

/// A part that is still to do: its name, and how to do it, which tells what it has.
pub(crate) trait Part: Send + Sync + 'static {
    fn name(&self) -> String;
    fn run(&self) -> impl Future<Output = Result<PartCounts, PartError>> + Send;
}

impl Backfill {
    /// Does the parts, so many at once. Where the lake or the source does not answer, no further part is begun.
    /// Adds what they have to what those have that were done before.
    pub(crate) async fn run_parts<P: Part>(
        &self,
        parts: Vec<P>,
        at_once: usize,
        counts: &mut PartCounts,
    ) -> Vec<PartFailed> {
        let mut waiting = parts.into_iter();
        let mut running = JoinSet::new();
        let mut failures = Vec::new();
        let mut goes_on = true;
        loop {
            while goes_on
                && running.len() < at_once.max(1)
                && let Some(part) = waiting.next()
            {
                running.spawn(async move { (part.name(), attempt(&part).await) });
            }
            match running.join_next().await {
                None => return failures,
                Some(Ok((_, Ok(of_part)))) => {
                    *counts += of_part;
                    self.progress.part_done();
                }
                Some(Ok((part, Err(error)))) => {
                    goes_on &= !error.concerns_all();
                    failures.push(PartFailed { part, error });
                }
                Some(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
            }
        }
    }
}

async fn attempt<P: Part>(part: &P) -> Result<PartCounts, PartError> {
    let mut attempts = 1;
    loop {
        match part.run().await {
            Err(PartError::BrokeOff) if attempts < ATTEMPTS => {
                sleep(PAUSE * attempts).await;
                attempts += 1;
            }
            done => return done,
        }
    }
}
