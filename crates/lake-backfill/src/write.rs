//! Rows on their way into the lake.

use std::time::Duration;

use domain::lake::Row;
use tokio::time::Instant;

use crate::{Backfill, PartError};

/// For the files of one chunk. The clients try again by themselves; this ends what hangs.
const LONGEST_WRITE: Duration = Duration::from_mins(5);

/// Rows that are written together. Where they are cut depends on nothing but the rows before them in their part, so that a
/// part that is done again makes the same files.
#[derive(Default)]
pub(crate) struct Chunk {
    rows: Vec<Row>,
    bytes: usize,
}

impl Chunk {
    pub(crate) fn push(&mut self, row: Row) {
        self.bytes += row.size();
        self.rows.push(row);
    }

    pub(crate) fn is_full(&self, backfill: &Backfill) -> bool {
        self.bytes >= backfill.chunk_bytes
    }
}

impl Backfill {
    /// Writes a chunk, and tells of how many rows it was, once all of them are in the lake.
    pub(crate) async fn write(&self, chunk: Chunk) -> Result<u64, PartError> {
        let rows = chunk.rows.len();
        if rows == 0 {
            return Ok(0);
        }
        let mut written = self.lake.write(chunk.rows, Instant::now() + LONGEST_WRITE).await;
        self.progress.written(&written);
        match written.failures.pop() {
            None => Ok(rows as u64),
            Some(last) => {
                let failed = written.failures.iter().map(|it| it.positions.len()).sum::<usize>();
                Err(PartError::NotWritten { rows: failed + last.positions.len(), error: last.error })
            }
        }
    }
}
