//! Rows in any order become sorted streams, in bounded memory: what is too much is sorted and put aside.

use std::path::Path;

use domain::lake::Row;

use crate::error::CompactError;
use crate::packed_rows::{PackedRows, PutAside, Spill};

/// Collects the rows of files, each of which can be taken back until it is complete.
pub(crate) struct Sorter<'s> {
    scratch: &'s Path,
    rows: PackedRows,
    /// How many of `rows` belong to files that are complete.
    complete: usize,
    spills: Vec<PutAside>,
    /// How many of `spills` belong to files that are complete.
    complete_spills: usize,
}

impl<'s> Sorter<'s> {
    pub(crate) fn new(scratch: &'s Path, limit_bytes: usize) -> Self {
        Self {
            scratch,
            rows: PackedRows::new(limit_bytes),
            complete: 0,
            spills: Vec::new(),
            complete_spills: 0,
        }
    }

    pub(crate) fn push(&mut self, row: &Row) -> Result<(), CompactError> {
        if self.rows.len() > 0 && self.rows.is_full_for(row) {
            let begun = self.rows.split_off(self.complete);
            if self.complete > 0 {
                self.spills.insert(self.complete_spills, self.rows.spill(self.scratch)?);
                self.complete_spills += 1;
            }
            if !begun.is_empty() {
                self.rows.keep_only(begun);
                self.spills.push(self.rows.spill(self.scratch)?);
            }
            self.rows.clear();
            self.complete = 0;
        }
        self.rows.push(row);
        Ok(())
    }

    /// The rows since the last file was complete are a whole file.
    pub(crate) fn complete_file(&mut self) {
        self.complete = self.rows.len();
        self.complete_spills = self.spills.len();
    }

    /// The rows since the last file was complete are not to be taken.
    pub(crate) fn take_back_file(&mut self) {
        self.rows.split_off(self.complete);
        self.spills.truncate(self.complete_spills);
    }

    /// The rows of the complete files: in memory, or all of them put aside, because merging needs the memory.
    pub(crate) fn finish(mut self) -> Result<(PackedRows, Vec<Spill>), CompactError> {
        self.take_back_file();
        if !self.spills.is_empty() && self.complete > 0 {
            self.spills.push(self.rows.spill(self.scratch)?);
            self.rows.clear();
        }
        self.rows.sort();
        let spills: Result<Vec<_>, CompactError> = self.spills.into_iter().map(PutAside::read).collect();
        Ok((self.rows, spills?))
    }
}

#[cfg(test)]
mod tests {
    use domain::change::{ChangeId, Sequence};
    use domain::lake::{Item, Micros, RowOperation};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::merge::Merged;
    use crate::order::order;

    fn row(key: u8, number: usize) -> Row {
        let mut item = Item::default();
        item.push("number", &number.to_string());
        Row {
            operation: RowOperation::Insert,
            event_id: ChangeId::of_record("arn", "event", &number.to_string()),
            sequence: Sequence::parse(&number.to_string()).unwrap(),
            changed_at: Micros::from_second(0).unwrap(),
            removed_by: None,
            id: "k".repeat(usize::from(key % 40)),
            sk: key.to_string(),
            item,
        }
    }

    proptest! {
        /// Whatever fits into memory, of which there is never more than one row too much, and whichever files are taken
        /// back when.
        #[test]
        fn i7_rows_of_complete_files_come_in_their_order(
            files in vec((vec(any::<u8>(), 0..20), any::<bool>()), 0..12),
            limit_bytes in 1_usize..40_000,
        ) {
            let scratch = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(scratch.path(), limit_bytes);
            let (mut expected, mut number) = (Vec::new(), 0);
            for (keys, is_complete) in files {
                for key in keys {
                    number += 1;
                    sorter.push(&row(key, number)).unwrap();
                    prop_assert!(sorter.rows.bytes() <= limit_bytes || sorter.rows.len() == 1);
                    expected.extend(is_complete.then(|| row(key, number)));
                }
                if is_complete { sorter.complete_file() } else { sorter.take_back_file() }
            }
            expected.sort_by(order);
            let mut merged = Merged::of_sorter(sorter).unwrap();
            let sorted: Vec<Row> = std::iter::from_fn(|| merged.next_row().unwrap()).collect();
            prop_assert_eq!(sorted, expected);
        }
    }
}
