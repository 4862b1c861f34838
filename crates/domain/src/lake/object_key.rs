//! Where the files of the lake lie in their bucket.

use std::str::FromStr;

use super::{LakeConfig, Partition, Row};
use crate::digest::digest;

/// Of the writer: JSON lines, small files.
pub const RAW: &str = "raw/";
/// Of the compactor: Parquet, every change.
pub const COMPACT: &str = "compact/";
/// Of the compactor: Parquet, the current state of each key.
pub const LATEST: &str = "latest/";
/// Which files have replaced which.
pub const COMMITS: &str = "commits/";

/// How raw files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    #[default]
    Zstd,
    Gzip,
}

impl Compression {
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Zstd => "zst",
            Self::Gzip => "gz",
        }
    }

    /// By the name of a file.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        [Self::Zstd, Self::Gzip].into_iter().find(|it| key.ends_with(&format!(".json.{}", it.extension())))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected zstd or gzip")]
pub struct CompressionUnknown;

impl FromStr for Compression {
    type Err = CompressionUnknown;

    fn from_str(text: &str) -> Result<Self, CompressionUnknown> {
        match text {
            "zstd" => Ok(Self::Zstd),
            "gzip" => Ok(Self::Gzip),
            _ => Err(CompressionUnknown),
        }
    }
}

/// The folder of a partition below [`RAW`] or [`COMPACT`], with its last slash.
#[must_use]
pub fn folder(area: &str, config: &LakeConfig, partition: &Partition) -> String {
    format!("{area}{}/{partition}/", config.table)
}

/// The key of a raw file: a function of its rows. A batch that comes again is written over itself.
#[must_use]
pub fn raw(
    config: &LakeConfig,
    partition: &Partition,
    rows: &[Row],
    compression: Compression,
) -> Option<String> {
    let first = rows.iter().map(|row| &row.sequence).min()?;
    let last = rows.iter().map(|row| &row.sequence).max()?;
    let ids: Vec<&str> = rows.iter().map(|row| row.event_id.as_str()).collect();
    Some(format!(
        "{}{}-{}-{}.json.{}",
        folder(RAW, config, partition),
        first.as_str(),
        last.as_str(),
        digest("raw file", &ids),
        compression.extension()
    ))
}
