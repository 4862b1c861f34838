//! Rows in their order become files: all changes once, or the highest of each key, or both.

use std::cmp::Ordering;

use domain::lake::{Directory, LakeConfig, Row};
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::error::CompactError;
use crate::latest_runs::LatestRuns;
use crate::merge::Merged;
use crate::order::{is_same_key, order};
use crate::run_writer::{RunWriter, Target};

/// So many rows pass before others get their turn: uploads and the deadline.
const ROWS_IN_TURN: u64 = 4_096;

/// Which files come of the rows.
pub(crate) struct Outputs<'w> {
    pub changes: Option<RunWriter<'w>>,
    pub latest: Option<LatestRuns<'w>>,
}

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Rewritten {
    pub files: Vec<String>,
    pub rows_read: u64,
    pub rows: u64,
    pub repeats: u64,
    pub misfits: u64,
}

impl<'w> Outputs<'w> {
    pub(crate) fn changes(target: Target<'w>, directory: &Directory) -> Self {
        Self { changes: Some(RunWriter::new(target, directory.clone())), latest: None }
    }

    pub(crate) fn latest(target: Target<'w>, config: &'w LakeConfig, buckets: u32) -> Self {
        Self { changes: None, latest: Some(LatestRuns::new(config, buckets, target)) }
    }

    /// Takes all rows.
    pub(crate) async fn write(mut self, mut rows: Merged, until: Instant) -> Result<Rewritten, CompactError> {
        let mut rewritten = Rewritten::default();
        let mut previous: Option<Row> = None;
        while let Some(row) = rows.next_row()? {
            rewritten.rows_read += 1;
            if rewritten.rows_read % ROWS_IN_TURN == 0 {
                if Instant::now() >= until {
                    return Err(CompactError::OutOfTime);
                }
                yield_now().await;
            }
            if let Some(before) = &previous {
                match order(before, &row) {
                    Ordering::Less => (),
                    // The same change.
                    Ordering::Equal => continue,
                    // The highest row of a key would be told wrongly.
                    Ordering::Greater => return Err(CompactError::Unsorted),
                }
            }
            if let Some(changes) = &mut self.changes {
                changes.push(&row).await?;
                rewritten.rows += 1;
            }
            if let Some(before) = previous.replace(row)
                && previous.as_ref().is_some_and(|row| !is_same_key(&before, row))
            {
                self.push_latest(before, &mut rewritten).await?;
            }
        }
        if let Some(last) = previous {
            self.push_latest(last, &mut rewritten).await?;
        }
        rewritten.repeats = rewritten.rows_read - rewritten.rows;
        if let Some(changes) = self.changes {
            let (files, misfits) = changes.finish().await?;
            rewritten.files.extend(files);
            rewritten.misfits = misfits;
        }
        if let Some(latest) = self.latest {
            rewritten.files.extend(latest.finish().await?);
        }
        Ok(rewritten)
    }

    async fn push_latest(&mut self, row: Row, rewritten: &mut Rewritten) -> Result<(), CompactError> {
        if let Some(latest) = &mut self.latest {
            latest.push(row).await?;
            rewritten.rows += u64::from(self.changes.is_none());
        }
        Ok(())
    }
}
