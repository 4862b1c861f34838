use std::io;

use lake_parquet::FileError;
use lambda_runtime::Diagnostic;
use lambda_support::dependency::DependencyError;

/// Why nothing is planned, or not all of it; the next plan begins anew.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lake is not planned: {0}")]
pub struct PlanFailed(#[from] DependencyError);

impl From<PlanFailed> for Diagnostic {
    fn from(error: PlanFailed) -> Self {
        Diagnostic { error_type: "PlanFailed".to_owned(), error_message: error.to_string() }
    }
}

/// Why a directory is not compacted; nothing is lost by it. It shows no key and no value (I6).
#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    #[error("the message names no directory of this lake")]
    MessageUnreadable,
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("temporary storage failed: {}", .0.kind())]
    Storage(#[from] io::Error),
    #[error("a file that was to be merged is gone")]
    InputGone,
    #[error("a line that was put aside cannot be read")]
    SpillUnreadable,
    #[error("the rows of a file are not in their order")]
    Unsorted,
    #[error("the commit cannot be written as JSON")]
    CommitUnwritable,
    #[error("the time was up")]
    OutOfTime,
}
