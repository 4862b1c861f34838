//! One step of a directory whose compacted files are many: they become few.

use std::fs::File;

use domain::lake::Directory;
use domain::lake::merge::{MergeLimit, Run, run_name, runs, to_merge, unfilled};
use jiff::Timestamp;
use lake_parquet::ROW_GROUP_BYTES;
use tokio::time::Instant;

use crate::State;
use crate::directory_state::DirectoryState;
use crate::error::CompactError;
use crate::merge::{Merged, Source};
use crate::outcome::{Outcome, commit};
use crate::rewrite::Outputs;
use crate::run_writer::Target;

/// Which files of the directory become one now.
pub(crate) fn due(state: &State, directory: &Directory, seen: &DirectoryState, attempt: u32) -> Vec<Run> {
    let rules = &state.rules;
    let runs = match directory {
        Directory::Partition { .. } => unfilled(seen.compacted.clone(), rules.file_bytes),
        Directory::Latest { .. } => runs(&seen.compacted),
    };
    // A run that is read holds a row group at most, and decodes it.
    let side_by_side = (state.memory_bytes / ROW_GROUP_BYTES).max(2);
    let limit = MergeLimit { runs: side_by_side, bytes: rules.merge_bytes }.of_attempt(attempt);
    to_merge(runs, rules.merge_files.min(side_by_side), limit)
}

/// Makes one run of these.
pub(crate) async fn merge(
    state: &State,
    directory: &Directory,
    covers_until: Timestamp,
    runs: &[Run],
    until: Instant,
) -> Result<Outcome, CompactError> {
    let scratch = tempfile::tempdir_in(&state.scratch)?;
    let mut sources = Vec::with_capacity(runs.len());
    for run in runs {
        let mut files = Vec::with_capacity(run.files.len());
        for file in &run.files {
            let local = tempfile::NamedTempFile::new_in(scratch.path())?;
            if !state.bucket.download(&file.key, local.path()).await? {
                return Err(CompactError::InputGone);
            }
            // It has no name any more, and goes when it was read.
            files.push(File::open(local.path())?);
        }
        sources.push(Source::of_run(files));
    }
    let replaced: Vec<String> = runs.iter().flat_map(|run| &run.files).map(|file| file.key.clone()).collect();
    let names: Vec<&str> = replaced.iter().map(String::as_str).collect();
    let run = run_name(&state.lake.columns, &names);
    let target = Target::in_bucket(state, scratch.path(), &run);
    let outputs = match directory {
        Directory::Partition { .. } => Outputs::changes(target, directory),
        Directory::Latest { .. } => Outputs::latest(target, &state.lake, state.latest_buckets),
    };
    let rewritten = outputs.write(Merged::new(sources)?, until).await?;
    let outcome = commit(state, directory, covers_until, replaced, rewritten).await?;
    // They were counted when they came out of raw files.
    Ok(Outcome { misfits: 0, ..outcome })
}
