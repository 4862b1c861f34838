//! How far a backfill is, for whoever watches it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use lake_writer::Written;

/// What this process has done so far.
#[derive(Debug, Default)]
pub struct Progress {
    parts: AtomicUsize,
    parts_done: AtomicUsize,
    rows: AtomicU64,
    objects: AtomicUsize,
    bytes: AtomicUsize,
    misfits: AtomicUsize,
    default_partition_rows: AtomicUsize,
}

/// A look at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files of the export, or segments of the scan.
    pub parts: usize,
    /// Of them, also what was done before.
    pub parts_done: usize,
    pub rows: u64,
    pub objects: usize,
    pub bytes: usize,
    /// Declared attributes of another type than was declared.
    pub misfits: usize,
    /// Rows of which a value of the partition is missing.
    pub default_partition_rows: usize,
}

impl Progress {
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            parts: self.parts.load(Ordering::Relaxed),
            parts_done: self.parts_done.load(Ordering::Relaxed),
            rows: self.rows.load(Ordering::Relaxed),
            objects: self.objects.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            misfits: self.misfits.load(Ordering::Relaxed),
            default_partition_rows: self.default_partition_rows.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn begin(&self, parts: usize, done: usize) {
        self.parts.store(parts, Ordering::Relaxed);
        self.parts_done.store(done, Ordering::Relaxed);
    }

    pub(crate) fn part_done(&self) {
        self.parts_done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn written(&self, written: &Written) {
        self.rows.fetch_add(written.rows as u64, Ordering::Relaxed);
        self.objects.fetch_add(written.objects, Ordering::Relaxed);
        self.bytes.fetch_add(written.bytes, Ordering::Relaxed);
        self.misfits.fetch_add(written.misfits, Ordering::Relaxed);
        self.default_partition_rows.fetch_add(written.default_partition_rows, Ordering::Relaxed);
    }
}
