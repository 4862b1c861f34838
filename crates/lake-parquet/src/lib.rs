//! Rows of the lake as Parquet files, and back.
//!
//! A file has the columns that every row has, then the declared ones, then `_extra`. It says in its own metadata which
//! attribute and which type each declared column had, so that its rows come back exactly under any later declaration.
//! The same rows under the same declaration make the same bytes.

mod buffer;
mod read;
mod schema;
mod write;

pub use read::RowReader;
pub use write::{ROW_GROUP_BYTES, RowWriter};

/// Why a file could not be written or read. It shows nothing of what is in it (I6).
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("a Parquet file could not be written or read: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("a Parquet file has no readable \"{0}\"")]
    Unreadable(&'static str),
}
