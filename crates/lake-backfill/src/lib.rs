//! Takes a table that was there before the lake into the lake: from an export to S3, or by a scan.
//!
//! Each item becomes a row ([`domain::lake::Snapshot`]) in a raw file, as the writer of the stream makes them. A backfill
//! is divided into parts, the files of an export or the segments of a scan. What is done is kept in the lake's bucket under
//! `backfills/<table>/<id>/`, so that a backfill that was interrupted goes on where it was; and a part that is done twice
//! makes the same files under the same names.
//!
//! An item that cannot be read is kept beside the markers as it came, and counted. These and the markers, which name keys of
//! items, are patients' data: they lie in the lake and are told to nobody.

mod attributes;
mod export;
mod gzip_lines;
mod markers;
mod pace;
mod parts;
mod progress;
mod scan;
mod write;

use std::sync::Arc;

use lake_writer::Lake;

pub use export::{Export, ExportError, ExportKind, Location, LocationError};
pub use parts::{Outcome, PartError, PartFailed};
pub use progress::{Counts, Progress};
pub use scan::{Scan, ScanOptions, Table};

/// Of one part, in memory. A file of the lake is smaller: it holds the rows of one partition, compressed.
pub const CHUNK_BYTES: usize = 16 * 1024 * 1024;

/// Where to, and how far it is.
#[derive(Clone)]
pub struct Backfill {
    lake: Arc<Lake>,
    progress: Arc<Progress>,
    chunk_bytes: usize,
}

impl Backfill {
    /// `chunk_bytes` is what each part that is under way may have in memory, as [`CHUNK_BYTES`]. A part that goes on with
    /// another size makes other files of the same rows.
    #[must_use]
    pub fn new(lake: Lake, chunk_bytes: usize) -> Self {
        Self { lake: Arc::new(lake), progress: Arc::default(), chunk_bytes }
    }

    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }
}
