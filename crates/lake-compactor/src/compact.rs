//! A directory, step by step: each ends with a commit, and nothing is lost between two requests.

use std::collections::HashSet;

use domain::lake::Directory;
use domain::lake::compaction::{Rules, StepLimit, StoredFile};
use jiff::SignedDuration;
use lambda_support::queue::send_json;
use tokio::time::Instant;

use crate::State;
use crate::compact_raw::compact_raw;
use crate::directory_state::DirectoryState;
use crate::error::CompactError;
use crate::event::CompactMessage;
use crate::merge_files::{due, merge};
use crate::outcome::Outcome;
use crate::retire::retire;

/// What one step reads: small files cost requests, compressed bytes cost time and temporary storage.
const STEP: StepLimit = StepLimit { files: 10_000, bytes: 256 * 1024 * 1024 };

/// Merges of one message. Each leaves fewer files, so that this is never reached but by mistake.
const MERGES: usize = 32;

/// Compacts the directory that the message names. Wherever it is given up, nothing has changed that a reader sees.
pub(crate) async fn compact(
    state: &State,
    message: &CompactMessage,
    directory: &Directory,
    attempt: u32,
    until: Instant,
    outcome: &mut Outcome,
) -> Result<(), CompactError> {
    let limit = STEP.of_attempt(attempt);
    let settle = message
        .settle_seconds
        .map_or(state.rules.settle, |seconds| SignedDuration::from_secs(i64::from(seconds)));
    let rules = Rules { settle, ..state.rules };
    let mut unreadable = HashSet::new();
    let mut due_since = None;
    loop {
        let began = Instant::now();
        let now = (state.clock)();
        let seen = DirectoryState::read(&state.bucket, directory, now, limit.files).await?;
        // What is begun is ended, though what is left of it would not be due; what has come meanwhile is for another time,
        // or this would follow a table that never rests.
        due_since = due_since.or(seen.waiting.is_due(&rules, now).then_some(now));
        let is_taken = |file: &&StoredFile| {
            due_since.is_some_and(|since| file.modified <= since) && !unreadable.contains(&file.key)
        };
        let mut taken: Vec<StoredFile> = seen.raw.iter().filter(is_taken).cloned().collect();
        if taken.is_empty() {
            break;
        }
        taken.truncate(limit.take(&taken));
        outcome.add(&compact_raw(state, directory, &seen, taken, &mut unreadable, until).await?);
        if Instant::now() + began.elapsed() * 2 > until {
            return go_on_later(state, message).await;
        }
    }
    for _ in 0..MERGES {
        let began = Instant::now();
        let now = (state.clock)();
        let seen = DirectoryState::read(&state.bucket, directory, now, 0).await?;
        let runs = due(state, directory, &seen, attempt);
        if runs.is_empty() {
            outcome.files_deleted += retire(state, &seen.commits, now).await?;
            return Ok(());
        }
        let covers_until = seen.waiting.oldest.map_or(now, |oldest| oldest.min(now));
        outcome.add(&merge(state, directory, covers_until, &runs, until).await?);
        if Instant::now() + began.elapsed() * 2 > until {
            return go_on_later(state, message).await;
        }
    }
    Ok(())
}

/// Another invocation does the rest.
async fn go_on_later(state: &State, message: &CompactMessage) -> Result<(), CompactError> {
    Ok(send_json(&state.sqs, &state.queue_url, message, 0).await?)
}
