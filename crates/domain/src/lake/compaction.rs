//! When a directory is compacted, what one step takes, and when a replaced file may go.

use jiff::{SignedDuration, Timestamp};

/// A partition with so many files is compacted though it may still grow: a query opens each of them.
const MANY_FILES: u64 = 1_000;

/// A partition that grows without pause is compacted all the same.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);

/// How far two clocks may disagree, and how long an upload takes: the time of an object in S3 is that of the upload's
/// beginning.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A file as a list of the bucket tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub key: String,
    pub bytes: u64,
    pub modified: Timestamp,
}

/// What the deployer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// A partition to which nothing was added for so long is closed.
    pub settle: SignedDuration,
    /// How long a replaced file stays: longer than any query takes.
    pub keep_replaced: SignedDuration,
    /// So many files, or runs, become one.
    pub merge_files: usize,
    /// A file of this size is not merged any more.
    pub file_bytes: u64,
    /// What one merge reads at most, which all lies in temporary storage meanwhile.
    pub merge_bytes: u64,
}

/// Raw files that no commit has replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    pub files: u64,
    pub bytes: u64,
    pub oldest: Option<Timestamp>,
    pub newest: Option<Timestamp>,
}

impl Waiting {
    pub fn add(&mut self, file: &StoredFile) {
        self.files += 1;
        self.bytes += file.bytes;
        self.oldest = Some(self.oldest.map_or(file.modified, |oldest| oldest.min(file.modified)));
        self.newest = Some(self.newest.map_or(file.modified, |newest| newest.max(file.modified)));
    }

    /// Whether it is time to compact them.
    #[must_use]
    pub fn is_due(&self, rules: &Rules, now: Timestamp) -> bool {
        let age =
            |time: Option<Timestamp>| time.map(|time| now.duration_since(time).max(SignedDuration::ZERO));
        self.files >= MANY_FILES
            || (self.files > 0 && self.bytes >= rules.file_bytes)
            || age(self.newest).is_some_and(|age| age >= rules.settle)
            || age(self.oldest).is_some_and(|age| age >= LONGEST_WAIT)
    }
}

impl<'f> FromIterator<&'f StoredFile> for Waiting {
    fn from_iter<I: IntoIterator<Item = &'f StoredFile>>(files: I) -> Self {
        let mut waiting = Self::default();
        files.into_iter().for_each(|file| waiting.add(file));
        waiting
    }
}

/// What the key of a directory's latest commit tells of a raw file, without reading the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// The commit, or one before it, has replaced the file.
    Replaced,
    /// So near that only the commits themselves know.
    Unclear,
    /// It came afterwards.
    Waiting,
}

#[must_use]
pub fn coverage(file: &StoredFile, covers_until: Option<Timestamp>) -> Coverage {
    let Some(covers_until) = covers_until else { return Coverage::Waiting };
    let after = file.modified.duration_since(covers_until);
    if after >= SKEW {
        Coverage::Waiting
    } else if after >= -SKEW {
        Coverage::Unclear
    } else {
        Coverage::Replaced
    }
}

/// Until when a commit covers the directory, of which `left` were listed and not taken.
#[must_use]
pub fn covered_until<'f>(listed_at: Timestamp, left: impl IntoIterator<Item = &'f StoredFile>) -> Timestamp {
    left.into_iter().map(|file| file.modified).fold(listed_at, Timestamp::min)
}

/// What one step of a compaction takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepLimit {
    pub files: usize,
    pub bytes: u64,
}

impl StepLimit {
    /// After an attempt that did not come to its end, the next tries half of it.
    #[must_use]
    pub fn of_attempt(self, attempt: u32) -> Self {
        let halvings = attempt.saturating_sub(1).min(16);
        Self { files: (self.files >> halvings).max(1), bytes: self.bytes >> halvings }
    }

    /// How many of these, from the first on, one step takes: at least one.
    #[must_use]
    pub fn take(self, files: &[StoredFile]) -> usize {
        let mut bytes = 0_u64;
        let fits = |file: &&StoredFile| {
            bytes = bytes.saturating_add(file.bytes);
            bytes <= self.bytes
        };
        files.iter().take(self.files.max(1)).take_while(fits).count().max(usize::from(!files.is_empty()))
    }
}

/// Whether what a commit replaced may be deleted. `stored_at` is S3's time, not that of whoever wrote it.
#[must_use]
pub fn may_retire(stored_at: Timestamp, rules: &Rules, now: Timestamp) -> bool {
    now.duration_since(stored_at) >= rules.keep_replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        settle: SignedDuration::from_mins(15),
        keep_replaced: SignedDuration::from_hours(24),
        merge_files: 8,
        file_bytes: 1_000_000,
        merge_bytes: 10_000_000,
    };

    fn at(time: &str) -> Timestamp {
        format!("2026-11-22T{time}Z").parse().unwrap()
    }

    fn file(bytes: u64, modified: &str) -> StoredFile {
        StoredFile { key: String::new(), bytes, modified: at(modified) }
    }

    #[test]
    fn a_partition_is_due_when_it_is_closed_or_large_or_old() {
        let now = at("12:00:00");
        let many = vec![file(1, "11:59:59"); 1_000];
        for (files, is_due) in [
            (vec![], false),
            (vec![file(1, "11:45:01")], false),
            (vec![file(1, "11:45:00")], true),
            (vec![file(1, "01:00:00"), file(1, "11:50:00")], false),
            (vec![file(400_000, "11:59:59"), file(600_000, "11:59:59")], true),
            (vec![file(400_000, "11:59:59"), file(599_999, "11:59:59")], false),
            (many.get(1..).unwrap().to_vec(), false),
            (many, true),
            // A clock that is ahead.
            (vec![file(1, "12:00:01")], false),
        ] {
            assert_eq!(Waiting::from_iter(&files).is_due(&RULES, now), is_due, "{}", files.len());
        }
        let old = Waiting::from_iter(&[file(1, "00:00:00"), file(1, "23:59:59")]);
        assert!(!old.is_due(&RULES, at("23:59:59")));
        assert!(old.is_due(&RULES, "2026-11-23T00:00:00Z".parse().unwrap()));
        let at_once = Rules { settle: SignedDuration::ZERO, ..RULES };
        assert!(Waiting::from_iter(&[file(1, "12:00:01")]).is_due(&at_once, now));
        assert!(!Waiting::default().is_due(&at_once, now));
    }

    #[test]
    fn i1_what_a_commit_left_is_never_taken_for_covered() {
        let listed_at = at("12:00:00");
        let left = file(1, "08:00:00");
        let until = covered_until(listed_at, [&left, &file(1, "09:00:00")]);
        assert_eq!(until, at("08:00:00"));
        assert_ne!(coverage(&left, Some(until)), Coverage::Replaced);
        assert_eq!(covered_until(listed_at, []), listed_at);
        // A file whose upload began before the list and ended after it.
        assert_eq!(coverage(&file(1, "11:56:00"), Some(listed_at)), Coverage::Unclear);
        assert_eq!(coverage(&file(1, "11:54:59"), Some(listed_at)), Coverage::Replaced);
        assert_eq!(coverage(&file(1, "12:05:00"), Some(listed_at)), Coverage::Waiting);
        assert_eq!(coverage(&file(1, "00:00:00"), None), Coverage::Waiting);
    }

    #[test]
    fn a_step_takes_what_it_may_and_at_least_one() {
        let limit = StepLimit { files: 3, bytes: 100 };
        for (bytes, taken) in [
            (vec![], 0),
            (vec![1], 1),
            (vec![1, 1, 1, 1], 3),
            (vec![50, 50, 1], 2),
            (vec![50, 51, 1], 1),
            (vec![1_000, 1], 1),
        ] {
            let files: Vec<_> = bytes.iter().map(|bytes| file(*bytes, "12:00:00")).collect();
            assert_eq!(limit.take(&files), taken, "{bytes:?}");
        }
        assert_eq!(limit.of_attempt(0), limit);
        assert_eq!(limit.of_attempt(1), limit);
        assert_eq!(limit.of_attempt(2), StepLimit { files: 1, bytes: 50 });
        assert_eq!(limit.of_attempt(u32::MAX), StepLimit { files: 1, bytes: 0 });
    }

    #[test]
    fn replaced_files_stay_for_a_day() {
        assert!(!may_retire(at("12:00:00"), &RULES, "2026-11-23T11:59:59Z".parse().unwrap()));
        assert!(may_retire(at("12:00:00"), &RULES, "2026-11-23T12:00:00Z".parse().unwrap()));
        assert!(!may_retire(at("12:00:00"), &RULES, at("11:00:00")));
    }
}
