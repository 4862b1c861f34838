//! One step of a partition: raw files become Parquet, and the current state of their keys.

use std::collections::HashSet;

use domain::lake::compaction::{StoredFile, covered_until};
use domain::lake::merge::run_name;
use domain::lake::{Directory, Partition};
use futures_util::{StreamExt, stream};
use lake_writer::Location;
use tokio::time::Instant;

use crate::State;
use crate::directory_state::DirectoryState;
use crate::error::CompactError;
use crate::latest_runs::LatestRuns;
use crate::merge::Merged;
use crate::outcome::{Outcome, commit};
use crate::raw_file::{RawFileReader, RawFileUnreadable, ReadError};
use crate::rewrite::Outputs;
use crate::run_writer::{RunWriter, Target};
use crate::sorter::Sorter;

/// Reads under way at once, if the files are small.
const CONCURRENT_READS: usize = 16;

/// What the reads under way hold together, in shares of the memory.
const SHARE_OF_READS: usize = 8;

/// Compacts these files of the partition. What cannot be read is left as it is, and is added to `unreadable`.
pub(crate) async fn compact_raw(
    state: &State,
    directory: &Directory,
    seen: &DirectoryState,
    taken: Vec<StoredFile>,
    unreadable: &mut HashSet<String>,
    until: Instant,
) -> Result<Outcome, CompactError> {
    let scratch = tempfile::tempdir_in(&state.scratch)?;
    let mut sorter = Sorter::new(scratch.path(), state.memory_bytes / 2);
    let known = unreadable.len();
    let inputs = read(state, directory, taken, unreadable, &mut sorter, until).await?;
    let mut outcome = Outcome { unreadable: (unreadable.len() - known) as u64, ..Outcome::default() };
    if inputs.is_empty() {
        return Ok(outcome);
    }

    let names: Vec<&str> = inputs.iter().map(|file| file.key.as_str()).collect();
    let run = run_name(&state.lake.columns, &names);
    let target = Target::in_bucket(state, scratch.path(), &run);
    let rows = Merged::of_sorter(sorter)?;
    let outputs = Outputs {
        changes: Some(RunWriter::new(target, directory.clone())),
        latest: Some(LatestRuns::new(&state.lake, state.latest_buckets, target)),
    };
    let rewritten = outputs.write(rows, until).await?;

    register(state, directory, until).await?;
    let is_taken: HashSet<&str> = names.into_iter().collect();
    let left = seen.raw.iter().filter(|file| !is_taken.contains(file.key.as_str()));
    // Beyond the files that were kept of the list, only the oldest time of all is known.
    let beyond = (seen.waiting.files > seen.raw.len() as u64).then_some(seen.waiting.oldest).flatten();
    let covers_until = covered_until(seen.listed_at, left).min(beyond.unwrap_or(seen.listed_at));
    let replaced: Vec<String> = inputs.into_iter().map(|file| file.key).collect();
    outcome.add(&commit(state, directory, covers_until, replaced, rewritten).await?);
    Ok(outcome)
}

/// Reads files into the sorter. Answers those that were read whole.
async fn read(
    state: &State,
    directory: &Directory,
    taken: Vec<StoredFile>,
    unreadable: &mut HashSet<String>,
    sorter: &mut Sorter<'_>,
    until: Instant,
) -> Result<Vec<StoredFile>, CompactError> {
    let limit = (state.memory_bytes / SHARE_OF_READS) as u64;
    let largest = taken.iter().map(|file| file.bytes).filter(|bytes| *bytes <= limit).max().unwrap_or(1);
    let reads = usize::try_from(limit / largest.max(1)).unwrap_or(usize::MAX).clamp(1, CONCURRENT_READS);
    // In their order, so that the same files make the same rows.
    let mut bodies = stream::iter(taken)
        .map(|file| async move {
            let body =
                if file.bytes > limit { Ok(None) } else { state.bucket.get(&file.key).await.map(Some) };
            (file, body)
        })
        .buffered(reads);

    let mut reader = RawFileReader::new()?;
    let mut inputs = Vec::new();
    while let Some((file, body)) = bodies.next().await {
        if Instant::now() >= until {
            return Err(CompactError::OutOfTime);
        }
        let read = match body? {
            Some(Some(body)) => reader.for_each_row(&file.key, &body, |row| sorter.push(row)),
            // Another compaction has replaced it, long ago.
            Some(None) => continue,
            None => Err(RawFileUnreadable::TooLarge.into()),
        };
        match read {
            Ok(()) => {
                sorter.complete_file();
                inputs.push(file);
            }
            Err(ReadError::Unreadable(reason)) => {
                sorter.take_back_file();
                tracing::error!(
                    directory = directory.digest(), bytes = file.bytes, %reason,
                    "a raw file cannot be read; it stays as it is"
                );
                unreadable.insert(file.key);
            }
            Err(ReadError::Compact(error)) => return Err(error),
        }
    }
    Ok(inputs)
}

/// Lets queries find the partition.
async fn register(state: &State, directory: &Directory, until: Instant) -> Result<(), CompactError> {
    let Directory::Partition { path, .. } = directory else { return Ok(()) };
    let Some(partition) = Partition::parse(path) else { return Ok(()) };
    let uri = format!("s3://{}/{}", state.bucket.name, directory.folder());
    let unregistered = state.catalog.register(vec![Location { partition, uri }], until).await;
    unregistered.into_values().next().map_or(Ok(()), |error| Err(error.into()))
}
