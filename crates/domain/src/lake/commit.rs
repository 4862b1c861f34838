//! Which files have replaced which: what a compaction writes last.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Directory;
use crate::digest::digest;

/// From here on the replaced files are not needed. They stay for a while, for readers who have listed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    /// Every raw file of the directory that was there before this time is replaced, by this commit or by an earlier one.
    pub covers_until: Timestamp,
    pub committed_at: Timestamp,
    pub replaced: Vec<String>,
    /// Files that hold the rows of the replaced ones. All of them were there before the commit was.
    pub written: Vec<String>,
    /// In the files that were written for all changes, or, of a directory of the current state, for that.
    pub rows: u64,
    /// Rows that were there more than once, or, in the current state, that are older than another of their key.
    pub repeats: u64,
    /// Declared attributes of another type than was declared.
    pub misfits: u64,
}

impl Commit {
    /// Where it is stored: by the time that it covers, so that a list of keys tells the latest, and by what it says, so
    /// that two compactions which did the same write the same.
    #[must_use]
    pub fn key(&self, directory: &Directory) -> String {
        let replaced = digest("replaced", &self.replaced.iter().map(String::as_str).collect::<Vec<_>>());
        let written = digest("written", &self.written.iter().map(String::as_str).collect::<Vec<_>>());
        format!(
            "{}{:013}-{}.json",
            directory.commits_folder(),
            self.covers_until.as_millisecond().max(0),
            digest("commit", &[&replaced, &written])
        )
    }
}

/// [`Commit::covers_until`] by the commit's key.
#[must_use]
pub fn covers_until(key: &str) -> Option<Timestamp> {
    let (_, name) = key.rsplit_once('/')?;
    let (millisecond, _) = name.strip_suffix(".json")?.split_once('-')?;
    Timestamp::from_millisecond(millisecond.parse().ok()?).ok()
}

/// The files that the commits of a directory have replaced.
#[derive(Debug, Default)]
pub struct Replaced(HashSet<String>);

impl Replaced {
    pub fn add(&mut self, commit: Commit) {
        self.0.extend(commit.replaced);
    }

    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::LakeConfig;

    fn commit() -> Commit {
        Commit {
            covers_until: "2026-11-22T07:14:00.123456Z".parse().unwrap(),
            committed_at: "2026-11-22T07:15:00Z".parse().unwrap(),
            replaced: vec!["raw/items/site=a/1".to_owned()],
            written: vec!["compact/items/site=a/x".to_owned()],
            rows: 2,
            repeats: 1,
            misfits: 0,
        }
    }

    #[test]
    fn a_key_tells_the_time_and_what_the_commit_says() {
        let config =
            LakeConfig::parse(r#"{"table": "items", "partition": {"attributes": ["site"]}}"#).unwrap();
        let directory = Directory::parse(&config, "compact/items/site=a").unwrap();
        let key = commit().key(&directory);
        assert!(key.starts_with("commits/compact/items/site=a/1795331640123-"), "{key}");
        assert_eq!(covers_until(&key), Some("2026-11-22T07:14:00.123Z".parse().unwrap()));

        let later = Commit { committed_at: Timestamp::MAX, ..commit() };
        assert_eq!(later.key(&directory), key);
        let moved = Commit { replaced: commit().written, written: commit().replaced, ..commit() };
        assert_ne!(moved.key(&directory), key);
        for key in ["", "commits/x", "commits/x/1.json", "commits/x/a-b.json", "commits/x/1-b.txt"] {
            assert_eq!(covers_until(key), None, "{key}");
        }
    }

    #[test]
    fn a_commit_is_read_as_it_was_written() {
        let json = serde_json::to_value(commit()).unwrap();
        assert_eq!(json["coversUntil"], "2026-11-22T07:14:00.123456Z");
        assert_eq!(serde_json::from_value::<Commit>(json).unwrap(), commit());
    }
}
