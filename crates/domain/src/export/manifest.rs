//! The manifest of an export: the byte ranges that the map hands out, one to an invocation.

use serde::{Deserialize, Serialize};

use super::datastore::DatastoreId;
use super::run::RunId;

/// Under which HealthLake writes its files in the bucket of exports.
pub const EXPORTS_PREFIX: &str = "exports/";

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    pub key: String,
    pub etag: String,
    pub bytes: u64,
}

/// A part of an exported file. Its lines are those that *start* in it: one that crosses the end belongs to it whole, one
/// that crosses the beginning does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Range {
    pub index: u32,
    pub key: String,
    /// What the file was when it was listed. Another one under its key is not read.
    pub etag: String,
    /// In bytes from the beginning of the file.
    pub start: u64,
    /// The first byte that is not in the range.
    pub end: u64,
    pub file_bytes: u64,
}

/// Cuts the files into ranges of about `range_bytes`, as equal as they can be. A file without content yields none.
#[must_use]
pub fn ranges(files: &[ExportedFile], range_bytes: u64) -> Vec<Range> {
    let range_bytes = range_bytes.max(1);
    let mut ranges = Vec::new();
    for file in files {
        let parts = file.bytes.div_ceil(range_bytes);
        for part in 0..parts {
            let edge = |part: u64| {
                let edge = u128::from(file.bytes) * u128::from(part) / u128::from(parts);
                u64::try_from(edge).unwrap_or(file.bytes)
            };
            ranges.push(Range {
                index: u32::try_from(ranges.len()).unwrap_or(u32::MAX),
                key: file.key.clone(),
                etag: file.etag.clone(),
                start: edge(part),
                end: edge(part + 1),
                file_bytes: file.bytes,
            });
        }
    }
    ranges
}

#[must_use]
pub fn manifest_key(datastore: &DatastoreId, run: &RunId) -> String {
    format!("manifests/{datastore}/{run}.json")
}

/// Under which the results of a run's ranges lie.
#[must_use]
pub fn results_prefix(datastore: &DatastoreId, run: &RunId) -> String {
    format!("results/{datastore}/{run}/")
}

#[must_use]
pub fn result_key(datastore: &DatastoreId, run: &RunId, range: &Range) -> String {
    format!("{}{:06}.json", results_prefix(datastore, run), range.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(key: &str, bytes: u64) -> ExportedFile {
        ExportedFile { key: key.to_owned(), etag: "e".to_owned(), bytes }
    }

    #[test]
    fn i1_ranges_cover_each_file_once_without_a_gap() {
        let files = [file("a", 0), file("b", 1), file("c", 100), file("d", 101), file("e", 1 << 40)];
        for range_bytes in [1, 7, 100, 1 << 26] {
            // A terabyte in small ranges would be the test of a machine.
            let files = if range_bytes < 1 << 20 { &files[..4] } else { &files[..] };
            let ranges = ranges(files, range_bytes);
            for file in files {
                let mut reached = 0;
                for range in ranges.iter().filter(|range| range.key == file.key) {
                    assert_eq!((range.start, range.file_bytes), (reached, file.bytes));
                    assert!(range.end > range.start && range.end - range.start <= range_bytes, "{range:?}");
                    reached = range.end;
                }
                assert_eq!(reached, file.bytes, "{range_bytes}");
            }
            let indexes: Vec<u32> = ranges.iter().map(|range| range.index).collect();
            assert_eq!(indexes, (0..).take(ranges.len()).collect::<Vec<u32>>());
        }
    }
}
