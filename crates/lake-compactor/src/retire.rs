//! What was replaced long ago goes.

use domain::lake::compaction::{StoredFile, may_retire};
use jiff::Timestamp;

use crate::State;
use crate::directory_state::read_commit;
use crate::error::CompactError;

/// Deletes what old commits replaced, then those commits: while a commit is there, its files do not count. Answers how
/// many files it deleted.
pub(crate) async fn retire(
    state: &State,
    commits: &[StoredFile],
    now: Timestamp,
) -> Result<u64, CompactError> {
    let mut deleted = 0;
    for old in commits.iter().filter(|commit| may_retire(commit.modified, &state.rules, now)) {
        let Some(commit) = read_commit(&state.bucket, &old.key).await? else { continue };
        state.bucket.delete(&commit.replaced).await?;
        state.bucket.delete(std::slice::from_ref(&old.key)).await?;
        deleted += commit.replaced.len() as u64;
    }
    Ok(deleted)
}
