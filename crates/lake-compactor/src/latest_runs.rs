//! The current state of keys, a run for each bucket that they belong to.

use std::collections::BTreeMap;

use domain::lake::{Directory, Item, LakeConfig, Row, RowOperation, bucket_of};
use lake_parquet::ROW_GROUP_BYTES;

use crate::error::CompactError;
use crate::run_writer::{RunWriter, Target};

/// Rows of a key come to one bucket, those of a sorted stream to all of them in turn: the buckets share the memory of one
/// row group.
pub(crate) struct LatestRuns<'w> {
    config: &'w LakeConfig,
    buckets: u32,
    target: Target<'w>,
    runs: BTreeMap<u32, RunWriter<'w>>,
}

impl<'w> LatestRuns<'w> {
    pub(crate) fn new(config: &'w LakeConfig, buckets: u32, target: Target<'w>) -> Self {
        Self { config, buckets, target, runs: BTreeMap::new() }
    }

    /// Takes the highest row of a key. A removal stays, because it hides the rows of the key that come from elsewhere;
    /// what was removed is not needed.
    pub(crate) async fn push(&mut self, mut row: Row) -> Result<(), CompactError> {
        if row.operation == RowOperation::Remove {
            row.item = Item::default();
        }
        let bucket = bucket_of(&row.id, &row.sk, self.buckets);
        let (target, config) = (self.target, self.config);
        let run = self.runs.entry(bucket);
        let run = run.or_insert_with(|| RunWriter::new(target, Directory::latest(config, bucket)));
        run.push(&row).await?;
        let held: usize = self.runs.values().map(RunWriter::bytes_held).sum();
        if held >= ROW_GROUP_BYTES
            && let Some(largest) = self.runs.values_mut().max_by_key(|run| run.bytes_held())
        {
            largest.end_row_group()?;
        }
        Ok(())
    }

    /// Answers the keys of the files.
    pub(crate) async fn finish(self) -> Result<Vec<String>, CompactError> {
        let mut written = Vec::new();
        for run in self.runs.into_values() {
            let (files, _) = run.finish().await?;
            written.extend(files);
        }
        Ok(written)
    }
}
