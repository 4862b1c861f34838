//! What a compaction computes, from files of this machine to files of this machine: to be measured beside other programs.

use std::path::{Path, PathBuf};

use domain::lake::{Directory, LakeConfig, Partition};
use tokio::time::Instant;

use crate::error::CompactError;
use crate::latest_runs::LatestRuns;
use crate::merge::Merged;
use crate::raw_file::{RawFileReader, ReadError};
use crate::rewrite::Outputs;
use crate::run_writer::{Destination, RunWriter, Target};
use crate::sorter::Sorter;

/// Files, and what there is to compact them.
#[derive(Debug)]
pub struct LocalFiles<'f> {
    pub config: &'f LakeConfig,
    /// Of one partition.
    pub raw: &'f [PathBuf],
    pub partition: &'f Partition,
    /// Where the Parquet files go.
    pub output: &'f Path,
    pub scratch: &'f Path,
    pub memory_bytes: usize,
    pub file_bytes: u64,
    /// Where the current state of keys is written too.
    pub latest_buckets: Option<u32>,
}

/// Answers how many rows were written.
///
/// # Errors
/// Where a file cannot be read or written.
pub async fn compact_local(files: &LocalFiles<'_>, until: Instant) -> Result<u64, ReadError> {
    let mut sorter = Sorter::new(files.scratch, files.memory_bytes / 2);
    let mut reader = RawFileReader::new().map_err(CompactError::from)?;
    for path in files.raw {
        let body = std::fs::read(path).map_err(CompactError::from)?;
        reader.for_each_row(&path.to_string_lossy(), &body, |row| sorter.push(row))?;
        sorter.complete_file();
    }
    let target = Target {
        destination: Destination::Folder(files.output),
        scratch: files.scratch,
        columns: &files.config.columns,
        file_bytes: files.file_bytes,
        run: "local",
    };
    let directory = Directory::partition(files.config, &files.partition.to_string());
    let directory = directory.ok_or(CompactError::MessageUnreadable)?;
    let outputs = Outputs {
        changes: Some(RunWriter::new(target, directory)),
        latest: files.latest_buckets.map(|buckets| LatestRuns::new(files.config, buckets, target)),
    };
    Ok(outputs.write(Merged::of_sorter(sorter)?, until).await?.rows)
}
