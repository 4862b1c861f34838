//! Which compacted files become one, and what the files of a compaction are called.

use super::compaction::StoredFile;
use super::{Columns, Directory};
use crate::digest::digest;

/// Part of every name: other bytes of the same rows get other names.
const FORMAT: &str = "1";

/// Files are merged with files that are not much smaller: the largest has at most this many times the bytes of all the
/// others together. So a row is rewritten as often as the number of files has digits, not each time that one is added.
const LARGEST: u64 = 2;

/// The files that one step of a compaction wrote into a directory, in the order of their rows: each begins where the one
/// before it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub files: Vec<StoredFile>,
}

impl Run {
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    fn first_key(&self) -> &str {
        self.files.first().map_or("", |file| &file.key)
    }
}

/// The name of a run: a function of its inputs, so that the same step, done again, writes the same files.
#[must_use]
pub fn run_name(columns: &Columns, inputs: &[&str]) -> String {
    let declared: Vec<String> =
        columns.iter().map(|column| format!("{}:{}", column.attribute, column.column_type)).collect();
    let declared: Vec<&str> = declared.iter().map(String::as_str).collect();
    let mut inputs = inputs.to_vec();
    inputs.sort_unstable();
    digest("run", &[FORMAT, &digest("columns", &declared), &digest("inputs", &inputs)])
}

/// The key of a run's file. `content` is a digest of its bytes: a file that is there under this name is this file.
#[must_use]
pub fn file_key(directory: &Directory, run: &str, number: usize, content: &str) -> String {
    format!("{}{run}-{number:05}-{content}.parquet", directory.folder())
}

/// Files by the run that they belong to. They come in the order of their keys, as a list gives them.
///
/// A step that was done twice by different programs, or under different options, has left files of one run and number that
/// are cut elsewhere. They do not follow each other, so that each is a run of its own.
#[must_use]
pub fn runs(files: &[StoredFile]) -> Vec<Run> {
    let mut runs = Vec::new();
    for files in files.chunk_by(|a, b| run_and_number(a).0 == run_and_number(b).0) {
        if files.is_sorted_by(|file, next| run_and_number(file).1 < run_and_number(next).1) {
            runs.push(Run { files: files.to_vec() });
        } else {
            runs.extend(files.iter().map(|file| Run { files: vec![file.clone()] }));
        }
    }
    runs
}

/// Out of the name that [`file_key`] gave.
fn run_and_number(file: &StoredFile) -> (&str, &str) {
    let name = file.key.rsplit('/').next().unwrap_or_default();
    let (run, rest) = name.split_once('-').unwrap_or((name, ""));
    (run, rest.split_once('-').map_or("", |(number, _)| number))
}

/// The files of a partition that a merge may take, each for itself: those that are not full.
#[must_use]
pub fn unfilled(files: Vec<StoredFile>, file_bytes: u64) -> Vec<Run> {
    let unfilled = files.into_iter().filter(|file| file.bytes < file_bytes);
    unfilled.map(|file| Run { files: vec![file] }).collect()
}

/// What one merge takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergeLimit {
    /// Runs that are read side by side.
    pub runs: usize,
    pub bytes: u64,
}

impl MergeLimit {
    /// After an attempt that did not come to its end, the next tries half of it.
    #[must_use]
    pub fn of_attempt(self, attempt: u32) -> Self {
        Self { bytes: self.bytes >> attempt.saturating_sub(1).min(16), ..self }
    }
}

/// Those of the runs that become one: none where they are fewer than `merge_files`.
#[must_use]
pub fn to_merge(mut runs: Vec<Run>, merge_files: usize, limit: MergeLimit) -> Vec<Run> {
    runs.sort_by(|a, b| a.bytes().cmp(&b.bytes()).then_with(|| a.first_key().cmp(b.first_key())));
    runs.truncate(limit.runs);
    let mut bytes: u64 = runs.iter().map(Run::bytes).sum();
    while let Some(largest) = runs.last().map(Run::bytes) {
        let others = bytes - largest;
        if bytes <= limit.bytes && largest <= others.saturating_mul(LARGEST) {
            break;
        }
        bytes = others;
        runs.pop();
    }
    if runs.len() < merge_files.max(2) { Vec::new() } else { runs }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    const UNLIMITED: MergeLimit = MergeLimit { runs: usize::MAX, bytes: u64::MAX };

    fn file(key: &str, bytes: u64) -> StoredFile {
        StoredFile { key: key.to_owned(), bytes, modified: Timestamp::UNIX_EPOCH }
    }

    fn runs_of(sizes: &[u64]) -> Vec<Run> {
        sizes
            .iter()
            .enumerate()
            .map(|(number, bytes)| Run { files: vec![file(&format!("{number:03}-0"), *bytes)] })
            .collect()
    }

    fn merged(sizes: &[u64], merge_files: usize, limit: MergeLimit) -> Vec<u64> {
        to_merge(runs_of(sizes), merge_files, limit).iter().map(Run::bytes).collect()
    }

    #[test]
    fn runs_of_one_size_are_merged_and_a_large_one_is_left_until_it_is_worth_it() {
        for (sizes, taken) in [
            (&[][..], &[][..]),
            (&[1, 1, 1], &[]),
            (&[1, 1, 1, 1], &[1, 1, 1, 1]),
            (&[100, 1, 1, 1, 1], &[1, 1, 1, 1]),
            (&[100, 1, 1, 1], &[]),
            (&[100, 30, 30, 1], &[1, 30, 30, 100]),
            (&[0, 0, 0, 0], &[0, 0, 0, 0]),
        ] {
            assert_eq!(merged(sizes, 4, UNLIMITED), taken, "{sizes:?}");
        }
        assert_eq!(merged(&[5, 5, 5, 5, 5], 2, MergeLimit { runs: 3, bytes: u64::MAX }), [5, 5, 5]);
        assert_eq!(merged(&[5, 5, 5, 5, 5], 2, MergeLimit { runs: 9, bytes: 12 }), [5, 5]);
        assert_eq!(merged(&[5, 5], 0, UNLIMITED), [5, 5]);
        assert_eq!(merged(&[5], 0, UNLIMITED), [0_u64; 0]);
    }

    #[test]
    fn the_files_of_a_run_stay_together() {
        let files = vec![
            file("latest/items/bucket=00/a-00000-x", 1),
            file("latest/items/bucket=00/a-00001-y", 2),
            file("latest/items/bucket=00/b-00000-z", 4),
        ];
        let runs = runs(&files);
        assert_eq!(runs.iter().map(Run::bytes).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn files_of_a_run_that_was_written_twice_are_runs_of_their_own() {
        let files = ["a-00000-x", "b-00000-x", "b-00000-y", "b-00001-x", "c-00000-x"]
            .map(|name| file(&format!("latest/items/bucket=00/{name}"), 1));
        assert_eq!(runs(&files).iter().map(Run::bytes).collect::<Vec<_>>(), [1, 1, 1, 1, 1]);
    }

    #[test]
    fn a_name_is_a_function_of_the_columns_and_the_inputs() {
        let columns = Columns::new([("a".to_owned(), "string".parse().unwrap())].into()).unwrap();
        let name = run_name(&columns, &["x", "y"]);
        assert_eq!(run_name(&columns, &["y", "x"]), name);
        assert_ne!(run_name(&Columns::default(), &["x", "y"]), name);
        assert_ne!(run_name(&columns, &["x"]), name);
        assert_ne!(run_name(&columns, &["xy"]), name);
    }

    proptest! {
        /// Whatever the sizes of what is added: the number of runs stays small, and a byte is not rewritten each time.
        #[test]
        fn merges_keep_runs_few_and_rewrite_seldom(added in prop::collection::vec(1_u64..1_000, 1..400)) {
            let (mut sizes, mut rewritten) = (Vec::new(), 0);
            for bytes in &added {
                sizes.push(*bytes);
                loop {
                    let taken = to_merge(runs_of(&sizes), 8, UNLIMITED);
                    if taken.is_empty() {
                        break;
                    }
                    let total: u64 = taken.iter().map(Run::bytes).sum();
                    for run in &taken {
                        let place = sizes.iter().position(|size| *size == run.bytes()).unwrap();
                        sizes.swap_remove(place);
                    }
                    sizes.push(total);
                    rewritten += total;
                }
                prop_assert!(sizes.len() < 8 + 20, "{:?}", sizes);
            }
            let total: u64 = added.iter().sum();
            prop_assert_eq!(total, sizes.iter().sum::<u64>());
            prop_assert!(rewritten <= total * 10, "{rewritten} of {total}");
        }
    }
}
