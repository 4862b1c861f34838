//! What keeps I4 and I5, one thing each; taken out by lying to the decision about what it looks at.

use super::system::{Bounds, I4_COVERED, I4_NO_GAP, I5_CURSOR, I5_LEASE, ONE_JOB};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// A run commits only while the lease is its own.
    LeaseAtCommit,
    /// A run commits only over the cursor that it began with.
    CursorAtCommit,
    /// What is written replaces what was read.
    CompareAndSet,
    /// A run begins only if its window ends after the cursor.
    WindowAfterCursor,
    /// An export that is not whole leaves the cursor.
    IncompleteLeavesCursor,
    /// A window reaches back as far as writes may become visible late.
    Overlap,
    /// The next cursor is the run's start, not a time after its scan.
    CursorIsStart,
    /// The export has no end: versions that are written while it runs come along.
    NoUntil,
    /// A failed run frees the lease only if it is its own.
    LeaseAtFailure,
    /// A run follows the job that its record names, and no other.
    OneJob,
}

impl Guard {
    pub const ALL: [Self; 10] = [
        Self::LeaseAtCommit,
        Self::CursorAtCommit,
        Self::CompareAndSet,
        Self::WindowAfterCursor,
        Self::IncompleteLeavesCursor,
        Self::Overlap,
        Self::CursorIsStart,
        Self::NoUntil,
        Self::LeaseAtFailure,
        Self::OneJob,
    ];

    /// The property that needs it.
    pub fn property(self) -> &'static str {
        match self {
            Self::CursorAtCommit | Self::IncompleteLeavesCursor | Self::Overlap | Self::CursorIsStart => {
                I4_NO_GAP
            }
            Self::NoUntil => I4_COVERED,
            Self::LeaseAtCommit | Self::CompareAndSet | Self::LeaseAtFailure => I5_LEASE,
            Self::WindowAfterCursor => I5_CURSOR,
            Self::OneJob => ONE_JOB,
        }
    }

    /// The smallest world that shows it.
    pub fn shown_within(self) -> Bounds {
        let (runs, ticks, writes, faults) = match self {
            Self::LeaseAtCommit | Self::LeaseAtFailure | Self::WindowAfterCursor => (2, 2, 0, 0),
            Self::CursorAtCommit => (2, 3, 0, 1),
            Self::CompareAndSet => (1, 1, 0, 1),
            Self::IncompleteLeavesCursor => (1, 3, 0, 1),
            Self::Overlap => (1, 2, 1, 1),
            Self::CursorIsStart => (1, 4, 1, 0),
            Self::NoUntil => (1, 3, 1, 0),
            Self::OneJob => (1, 3, 0, 2),
        };
        Bounds { runs, ticks, writes, faults }
    }
}
