//! Rows on their way into the lake.

use std::ops::AddAssign;
use std::time::Duration;

use domain::lake::Row;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::markers::Markers;
use crate::{Backfill, PartError};

/// For the files of one chunk. The clients try again by themselves; this ends what hangs.
const LONGEST_WRITE: Duration = Duration::from_mins(5);

/// What is written together. Where it is cut depends on nothing but what came before it in its part, so that a part that is
/// done again makes the same files.
#[derive(Default)]
pub(crate) struct Chunk {
    rows: Vec<Row>,
    /// Items that are no rows, a line each.
    unreadable: Vec<u8>,
    bytes: usize,
    counts: PartCounts,
}

/// What a part has, or a chunk of it.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartCounts {
    pub rows: u64,
    /// Items that could not be read, and are kept as they came.
    #[serde(default)]
    pub unreadable: u64,
}

impl Chunk {
    pub(crate) fn push(&mut self, row: Row) {
        self.bytes += row.size();
        self.rows.push(row);
        self.counts.rows += 1;
    }

    /// Takes an item that is no row, as a line: it is kept, and stops no other (I3).
    pub(crate) fn push_unreadable(&mut self, line: &[u8]) {
        self.bytes += line.len();
        self.unreadable.extend_from_slice(line);
        self.unreadable.push(b'\n');
        self.counts.unreadable += 1;
    }

    pub(crate) fn is_full(&self, backfill: &Backfill) -> bool {
        self.bytes >= backfill.chunk_bytes
    }
}

impl AddAssign for PartCounts {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.unreadable += other.unreadable;
    }
}

impl Backfill {
    /// Writes a chunk of a part, and adds it to what the part has so far once all of it is in the lake.
    pub(crate) async fn write(
        &self,
        chunk: Chunk,
        markers: &Markers,
        part: &str,
        so_far: &mut PartCounts,
    ) -> Result<(), PartError> {
        let Chunk { rows, unreadable, counts, .. } = chunk;
        if !unreadable.is_empty() {
            // What came before it in the part tells it from the part's other chunks.
            let before = so_far.rows + so_far.unreadable;
            markers.put_unreadable(part, before, unreadable).await?;
        }
        if !rows.is_empty() {
            let mut written = self.lake.write(rows, Instant::now() + LONGEST_WRITE).await;
            self.progress.written(&written);
            if let Some(last) = written.failures.pop() {
                let failed = written.failures.iter().map(|it| it.positions.len()).sum::<usize>();
                return Err(PartError::NotWritten { rows: failed + last.positions.len(), error: last.error });
            }
        }
        *so_far += counts;
        Ok(())
    }
}
