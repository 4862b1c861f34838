//! What is known of a directory: its commits, and the files that none of them has replaced.

use domain::lake::Directory;
use domain::lake::commit::{Commit, Replaced};
use domain::lake::compaction::{StoredFile, Waiting};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use lambda_support::dependency::DependencyError;

use crate::bucket::Bucket;

const CONCURRENT_READS: usize = 16;

#[derive(Debug)]
pub(crate) struct DirectoryState {
    /// Before the first list was asked for.
    pub listed_at: Timestamp,
    pub commits: Vec<StoredFile>,
    /// All raw files that wait.
    pub waiting: Waiting,
    /// The first of them, in the order of their keys.
    pub raw: Vec<StoredFile>,
    /// The compacted files that count.
    pub compacted: Vec<StoredFile>,
}

impl DirectoryState {
    /// Keeps at most so many raw files, whatever their number.
    pub(crate) async fn read(
        bucket: &Bucket,
        directory: &Directory,
        listed_at: Timestamp,
        raw_files: usize,
    ) -> Result<Self, DependencyError> {
        let commits = bucket.list(directory.commits_folder()).collect().await?;
        let replaced = replaced(bucket, &commits).await?;
        let mut state =
            Self { listed_at, commits, waiting: Waiting::default(), raw: Vec::new(), compacted: Vec::new() };
        if let Some(folder) = directory.raw_folder() {
            let mut list = bucket.list(&folder);
            while let Some(file) = list.next().await? {
                if is_in(&folder, &file) && !replaced.contains(&file.key) {
                    state.waiting.add(&file);
                    if state.raw.len() < raw_files {
                        state.raw.push(file);
                    }
                }
            }
        }
        let folder = directory.folder();
        let mut list = bucket.list(&folder);
        while let Some(file) = list.next().await? {
            if is_in(&folder, &file) && !replaced.contains(&file.key) {
                state.compacted.push(file);
            }
        }
        Ok(state)
    }
}

/// Whether the file is in this folder, and not in one below it, as there is where the partitions were once declared finer.
fn is_in(folder: &str, file: &StoredFile) -> bool {
    file.key.strip_prefix(folder).is_some_and(|name| !name.contains('/'))
}

/// What these commits have replaced. One that is gone has no replaced files left.
pub(crate) async fn replaced(bucket: &Bucket, commits: &[StoredFile]) -> Result<Replaced, DependencyError> {
    let reads = stream::iter(commits).map(|commit| read_commit(bucket, &commit.key));
    let all = Replaced::default();
    reads
        .buffer_unordered(CONCURRENT_READS)
        .try_fold(all, async |mut all, commit| {
            if let Some(commit) = commit {
                all.add(commit);
            }
            Ok(all)
        })
        .await
}

/// `None` where it is gone.
pub(crate) async fn read_commit(bucket: &Bucket, key: &str) -> Result<Option<Commit>, DependencyError> {
    let Some(json) = bucket.get(key).await? else { return Ok(None) };
    let unreadable =
        |_| DependencyError { operation: "s3:GetObject", code: "the commit cannot be read".to_owned() };
    serde_json::from_slice(&json).map(Some).map_err(unreadable)
}
