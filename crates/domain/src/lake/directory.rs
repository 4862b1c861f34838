//! What is compacted at once: the files of one folder.

use std::fmt;

use super::hive::escape;
use super::object_key::{COMMITS, COMPACT, LATEST, RAW};
use super::{LakeConfig, Partition};
use crate::digest::digest;

/// A folder whose files a compaction replaces by fewer. As text it is the folder's key without the last slash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Directory {
    /// Every change of a partition: its files below `raw/` and `compact/`.
    Partition { table: String, path: String },
    /// The current state of the keys of a bucket.
    Latest { table: String, bucket: String },
}

impl Directory {
    /// The partition of this path, such as `itemType=Patient/year=2026`; `None` where it is none, or none of those that
    /// are declared now.
    #[must_use]
    pub fn partition(config: &LakeConfig, path: &str) -> Option<Self> {
        Partition::parse(path)?;
        let names = path.split('/').filter_map(|folder| Some(folder.split_once('=')?.0));
        if !names.eq(config.partition.names().into_iter().map(escape)) {
            return None;
        }
        Some(Self::Partition { table: config.table.clone(), path: path.to_owned() })
    }

    /// The current state of the keys of which [`bucket_of`] is this one.
    #[must_use]
    pub fn latest(config: &LakeConfig, bucket: u32) -> Self {
        Self::Latest { table: config.table.clone(), bucket: format!("bucket={bucket:02}") }
    }

    /// Reads what [`Display`](fmt::Display) writes; `None` where it is no directory of this table.
    #[must_use]
    pub fn parse(config: &LakeConfig, text: &str) -> Option<Self> {
        let below = |area: &str| text.strip_prefix(area)?.strip_prefix(&config.table)?.strip_prefix('/');
        if let Some(path) = below(COMPACT) {
            return Self::partition(config, path);
        }
        let bucket = below(LATEST)?;
        let digits = bucket.strip_prefix("bucket=")?;
        let is_number = digits.len() >= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| Self::Latest { table: config.table.clone(), bucket: bucket.to_owned() })
    }

    /// Where its compacted files are, with the last slash.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("{self}/")
    }

    /// Where the files of the writer are.
    #[must_use]
    pub fn raw_folder(&self) -> Option<String> {
        match self {
            Self::Partition { table, path } => Some(format!("{RAW}{table}/{path}/")),
            Self::Latest { .. } => None,
        }
    }

    #[must_use]
    pub fn commits_folder(&self) -> String {
        format!("{COMMITS}{self}/")
    }

    /// A name for logs, which may not show the values of a partition (I6).
    #[must_use]
    pub fn digest(&self) -> String {
        digest("directory", &[&self.to_string()])
    }
}

impl fmt::Display for Directory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition { table, path } => write!(formatter, "{COMPACT}{table}/{path}"),
            Self::Latest { table, bucket } => write!(formatter, "{LATEST}{table}/{bucket}"),
        }
    }
}

/// Which of so many buckets holds the current state of a key. The order of its bits makes the answer the same for ever:
/// FNV-1a (IETF, draft-eastlake-fnv), with the high bits folded into the low ones, which decide.
#[must_use]
pub fn bucket_of(id: &str, sk: &str, buckets: u32) -> u32 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    // No text has the byte 0xff, so that no two keys are one run of bytes.
    let bytes = id.bytes().chain([0xff]).chain(sk.bytes());
    let hash = bytes.fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let folded = hash ^ (hash >> 32);
    u32::try_from(folded % u64::from(buckets.max(1))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> LakeConfig {
        LakeConfig::parse(r#"{"table": "items", "partition": {"attributes": ["site"]}}"#).unwrap()
    }

    #[test]
    fn a_directory_is_read_from_its_text() {
        for (text, raw) in [
            ("compact/items/site=a%2Fb", Some("raw/items/site=a%2Fb/")),
            (
                "compact/items/site=__HIVE_DEFAULT_PARTITION__",
                Some("raw/items/site=__HIVE_DEFAULT_PARTITION__/"),
            ),
            ("latest/items/bucket=03", None),
            ("latest/items/bucket=127", None),
        ] {
            let directory = Directory::parse(&config(), text).unwrap();
            assert_eq!(directory.to_string(), text);
            assert_eq!(directory.folder(), format!("{text}/"));
            assert_eq!(directory.commits_folder(), format!("commits/{text}/"));
            assert_eq!(directory.raw_folder().as_deref(), raw);
            assert!(!directory.digest().contains("site"));
        }
        for text in [
            "",
            "compact/items",
            "compact/items/",
            "compact/other/site=a",
            "raw/items/site=a",
            "compact/items/a",
            "compact/items/ward=a",
            "compact/items/site=a/year=2026",
            "latest/items/bucket=x",
            "latest/items/bucket=3",
            "latest/items/bucket=03/",
        ] {
            assert_eq!(Directory::parse(&config(), text), None, "{text}");
        }
    }

    #[test]
    fn keys_are_spread_over_the_buckets_and_stay_where_they_are() {
        let mut counts = [0_u32; 8];
        for number in 0..8_000 {
            let bucket = bucket_of(&format!("PATIENT#{number}"), "PATIENT", 8);
            *counts.get_mut(usize::try_from(bucket).unwrap()).unwrap() += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
        assert_eq!(bucket_of("PATIENT#1", "PATIENT#1", 8), 7);
        assert_ne!(bucket_of("a", "bc", 1 << 30), bucket_of("ab", "c", 1 << 30));
        assert_eq!(bucket_of("a", "b", 0), 0);
    }
}
