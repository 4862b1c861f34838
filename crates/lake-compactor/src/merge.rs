//! Sorted streams of rows become one.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;

use domain::lake::Row;
use lake_parquet::RowReader;

use crate::error::CompactError;
use crate::order::order;
use crate::packed_rows::Spill;
use crate::sorter::Sorter;

/// Rows in their order.
pub(crate) enum Source {
    Memory(Box<dyn Iterator<Item = Result<Row, CompactError>> + Send>),
    Spill(Spill),
    /// The files of a run, of which one is open.
    Run {
        reader: Option<RowReader<File>>,
        files: VecDeque<File>,
    },
}

impl Source {
    pub(crate) fn of_run(files: impl IntoIterator<Item = File>) -> Self {
        Self::Run { reader: None, files: files.into_iter().collect() }
    }
}

impl Iterator for Source {
    type Item = Result<Row, CompactError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Memory(rows) => rows.next(),
            Self::Spill(rows) => rows.next(),
            Self::Run { reader, files } => loop {
                if let Some(row) = reader.as_mut().and_then(Iterator::next) {
                    return Some(row.map_err(CompactError::from));
                }
                match RowReader::new(files.pop_front()?) {
                    Ok(next) => *reader = Some(next),
                    Err(error) => return Some(Err(error.into())),
                }
            },
        }
    }
}

/// The rows of all sources in their order, repeats included.
pub(crate) struct Merged {
    sources: Vec<Source>,
    heads: BinaryHeap<Head>,
}

/// The next row of a source. The greatest is the one that comes first.
struct Head {
    row: Row,
    source: usize,
}

impl Merged {
    pub(crate) fn new(sources: Vec<Source>) -> Result<Self, CompactError> {
        let mut merged = Self { heads: BinaryHeap::with_capacity(sources.len()), sources };
        for source in 0..merged.sources.len() {
            merged.advance(source)?;
        }
        Ok(merged)
    }

    pub(crate) fn of_sorter(sorter: Sorter<'_>) -> Result<Self, CompactError> {
        let (rows, spills) = sorter.finish()?;
        let in_memory = (rows.len() > 0).then(|| Source::Memory(Box::new(rows.into_rows())));
        Self::new(spills.into_iter().map(Source::Spill).chain(in_memory).collect())
    }

    fn advance(&mut self, source: usize) -> Result<(), CompactError> {
        if let Some(row) = self.sources.get_mut(source).and_then(Iterator::next).transpose()? {
            self.heads.push(Head { row, source });
        }
        Ok(())
    }

    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, CompactError> {
        if let [only] = self.sources.as_mut_slice() {
            // Its first row waits among the heads.
            return match self.heads.pop() {
                Some(head) => Ok(Some(head.row)),
                None => only.next().transpose(),
            };
        }
        let Some(Head { row, source }) = self.heads.pop() else { return Ok(None) };
        self.advance(source)?;
        Ok(Some(row))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        order(&other.row, &self.row).then_with(|| other.source.cmp(&self.source))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}
