//! How a step ends: with its commit, and what it counts.

use domain::lake::Directory;
use domain::lake::commit::Commit;
use jiff::Timestamp;

use crate::State;
use crate::error::CompactError;
use crate::rewrite::Rewritten;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    pub rows_read: u64,
    pub rows_written: u64,
    pub repeats: u64,
    pub misfits: u64,
    pub files_replaced: u64,
    pub files_written: u64,
    pub files_deleted: u64,
    pub unreadable: u64,
}

impl Outcome {
    pub(crate) fn add(&mut self, other: &Self) {
        self.rows_read += other.rows_read;
        self.rows_written += other.rows_written;
        self.repeats += other.repeats;
        self.misfits += other.misfits;
        self.files_replaced += other.files_replaced;
        self.files_written += other.files_written;
        self.files_deleted += other.files_deleted;
        self.unreadable += other.unreadable;
    }
}

/// Says that files have replaced others. Before this, all of them are there.
pub(crate) async fn commit(
    state: &State,
    directory: &Directory,
    covers_until: Timestamp,
    replaced: Vec<String>,
    rewritten: Rewritten,
) -> Result<Outcome, CompactError> {
    let outcome = Outcome {
        rows_read: rewritten.rows_read,
        rows_written: rewritten.rows,
        repeats: rewritten.repeats,
        misfits: rewritten.misfits,
        files_replaced: replaced.len() as u64,
        files_written: rewritten.files.len() as u64,
        files_deleted: 0,
        unreadable: 0,
    };
    let commit = Commit {
        covers_until,
        committed_at: (state.clock)(),
        replaced,
        written: rewritten.files,
        rows: rewritten.rows,
        repeats: rewritten.repeats,
        misfits: rewritten.misfits,
    };
    let json = serde_json::to_string(&commit).map_err(|_| CompactError::CommitUnwritable)?;
    state.bucket.put_json(&commit.key(directory), &json).await?;
    Ok(outcome)
}
