//! Which directories are due. The lists of files and of commits are read side by side, in the order of their keys: what
//! is held at a time is one directory's commits and the few files of which only they know (I7).

use domain::lake::Directory;
use domain::lake::commit::covers_until;
use domain::lake::compaction::{Coverage, Rules, StoredFile, Waiting, coverage, may_retire};
use domain::lake::object_key::{COMMITS, COMPACT, LATEST, RAW};
use jiff::{SignedDuration, Timestamp};
use lambda_support::dependency::DependencyError;

use crate::State;
use crate::bucket::List;
use crate::directory_state::{DirectoryState, replaced};
use crate::event::{CompactMessage, Plan, PlanRequest};
use crate::merge_files;
use crate::queue::Messages;

/// Files of which only the commits know whether they wait. Of more, the rest counts as waiting: the compaction of the
/// directory knows better.
const UNCLEAR_FILES: usize = 10_000;

pub(crate) async fn plan(state: &State, request: PlanRequest) -> Result<Plan, DependencyError> {
    let settle = request.settle_seconds;
    let settle_for =
        settle.map_or(state.rules.settle, |seconds| SignedDuration::from_secs(i64::from(seconds)));
    let rules = Rules { settle: settle_for, ..state.rules };
    let now = (state.clock)();
    let message =
        |directory: &Directory| CompactMessage { directory: directory.to_string(), settle_seconds: settle };
    let mut messages = Messages::new(state);
    let mut plan = Plan::default();
    let mut oldest: Option<Timestamp> = None;

    let mut partitions = Partitions::new(state);
    while let Some(partition) = partitions.next().await? {
        let Some(directory) = Directory::partition(&state.lake, &partition.path) else {
            plan.unknown_folders += 1;
            continue;
        };
        plan.partitions += u64::from(partition.raw_files > 0);
        let is_due = match partition.waiting(state, &rules, now).await {
            Ok(waiting) => {
                plan.files += waiting.files;
                plan.bytes += waiting.bytes;
                oldest = [oldest, waiting.oldest].into_iter().flatten().min();
                waiting.is_due(&rules, now)
            }
            Err(error) => plan.count_as_unread(&directory, &error),
        };
        if is_due || is_any_retired(&partition.commits, &rules, now) {
            messages.push(&message(&directory)).await;
        }
    }
    for directory in latest_directories(state).await? {
        let is_due = match DirectoryState::read(&state.bucket, &directory, now, 0).await {
            Ok(seen) => {
                let bytes = seen.compacted.iter().map(|file| file.bytes).sum();
                plan.largest_latest_bytes = plan.largest_latest_bytes.max(bytes);
                let is_merged = !merge_files::due(state, &directory, &seen, 1).is_empty();
                is_merged || is_any_retired(&seen.commits, &rules, now)
            }
            Err(error) => plan.count_as_unread(&directory, &error),
        };
        if is_due {
            messages.push(&message(&directory)).await;
        }
    }
    messages.send().await;
    let age = oldest.map(|oldest| now.duration_since(oldest).as_secs()).unwrap_or_default();
    plan.oldest_seconds = u64::try_from(age).unwrap_or_default();
    (plan.directories, plan.not_sent) = (messages.sent, messages.not_sent);
    Ok(plan)
}

fn is_any_retired(commits: &[StoredFile], rules: &Rules, now: Timestamp) -> bool {
    commits.iter().any(|commit| may_retire(commit.modified, rules, now))
}

impl Plan {
    /// Counts a directory of which nothing is known, and answers that it is due: the plan goes on to the others, and it is
    /// this directory's own message that fails, again and again, until somebody is told (I3).
    fn count_as_unread(&mut self, directory: &Directory, error: &DependencyError) -> bool {
        tracing::warn!(directory = directory.digest(), %error, "what was done to a directory cannot be read");
        self.unread_directories += 1;
        true
    }
}

/// Few: one for each bucket.
async fn latest_directories(state: &State) -> Result<Vec<Directory>, DependencyError> {
    let table = &state.lake.table;
    let mut folders = state.bucket.folders(&format!("{LATEST}{table}/")).await?;
    let committed = state.bucket.folders(&format!("{COMMITS}{LATEST}{table}/")).await?;
    folders.extend(committed.iter().filter_map(|folder| folder.strip_prefix(COMMITS)).map(str::to_owned));
    folders.sort_unstable();
    folders.dedup();
    Ok(folders.iter().filter_map(|folder| Directory::parse(&state.lake, folder)).collect())
}

/// What the keys of a partition's files tell.
struct PartitionKeys {
    path: String,
    commits: Vec<StoredFile>,
    raw_files: u64,
    waiting: Waiting,
    unclear: Vec<StoredFile>,
}

impl PartitionKeys {
    /// Reads the commits that know of what is unclear, if it matters.
    async fn waiting(
        &self,
        state: &State,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Waiting, DependencyError> {
        let mut with_unclear = self.waiting;
        self.unclear.iter().for_each(|file| with_unclear.add(file));
        if self.unclear.is_empty() || !with_unclear.is_due(rules, now) {
            return Ok(with_unclear);
        }
        let replaced = replaced(&state.bucket, &self.commits).await?;
        let mut waiting = self.waiting;
        self.unclear.iter().filter(|file| !replaced.contains(&file.key)).for_each(|file| waiting.add(file));
        Ok(waiting)
    }
}

/// The partitions that have raw files or commits, in the order of their paths.
struct Partitions<'s> {
    raw: List<'s>,
    raw_prefix: String,
    commits: List<'s>,
    commits_prefix: String,
}

impl<'s> Partitions<'s> {
    fn new(state: &'s State) -> Self {
        let raw_prefix = format!("{RAW}{}/", state.lake.table);
        let commits_prefix = format!("{COMMITS}{COMPACT}{}/", state.lake.table);
        Self {
            raw: state.bucket.list(&raw_prefix),
            raw_prefix,
            commits: state.bucket.list(&commits_prefix),
            commits_prefix,
        }
    }

    async fn next(&mut self) -> Result<Option<PartitionKeys>, DependencyError> {
        let raw = folder_of(self.raw.peek().await?, &self.raw_prefix);
        let committed = folder_of(self.commits.peek().await?, &self.commits_prefix);
        let Some(folder) = [raw, committed].into_iter().flatten().min() else { return Ok(None) };
        let mut keys = PartitionKeys {
            path: folder.trim_end_matches('/').to_owned(),
            commits: Vec::new(),
            raw_files: 0,
            waiting: Waiting::default(),
            unclear: Vec::new(),
        };
        while let Some(commit) = next_in(&mut self.commits, &self.commits_prefix, &folder).await? {
            keys.commits.push(commit);
        }
        let covered = keys.commits.iter().filter_map(|commit| covers_until(&commit.key)).max();
        while let Some(file) = next_in(&mut self.raw, &self.raw_prefix, &folder).await? {
            keys.raw_files += 1;
            match coverage(&file, covered) {
                Coverage::Replaced => (),
                Coverage::Unclear if keys.unclear.len() < UNCLEAR_FILES => keys.unclear.push(file),
                Coverage::Unclear | Coverage::Waiting => keys.waiting.add(&file),
            }
        }
        Ok(Some(keys))
    }
}

/// The folder of a file below a prefix, with its last slash: then folders are in the order of their files.
fn folder_of(file: Option<&StoredFile>, prefix: &str) -> Option<String> {
    let below = file?.key.strip_prefix(prefix)?;
    Some(below.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/")))
}

/// The next file of a list, if it is in this folder.
async fn next_in(
    list: &mut List<'_>,
    prefix: &str,
    folder: &str,
) -> Result<Option<StoredFile>, DependencyError> {
    let next = folder_of(list.peek().await?, prefix);
    if next.as_deref() == Some(folder) { list.next().await } else { Ok(None) }
}
