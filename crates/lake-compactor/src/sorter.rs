//! Rows in any order become sorted streams, in bounded memory: what is too much is sorted and put aside.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;

use domain::lake::{Columns, Row};

use crate::error::CompactError;
use crate::order::order;

/// The quickest: a file that is read once and then deleted.
const ZSTD_LEVEL: i32 = 1;

/// Collects the rows of files, each of which can be taken back until it is complete.
pub(crate) struct Sorter<'s> {
    scratch: &'s Path,
    limit_bytes: usize,
    rows: Vec<Row>,
    bytes: usize,
    /// How many of `rows` belong to files that are complete.
    complete: usize,
    complete_bytes: usize,
    spills: Vec<File>,
    /// How many of `spills` belong to files that are complete.
    complete_spills: usize,
}

/// Rows that were put aside, sorted.
pub(crate) struct Spill {
    lines: BufReader<zstd::stream::read::Decoder<'static, BufReader<File>>>,
    line: String,
}

impl<'s> Sorter<'s> {
    pub(crate) fn new(scratch: &'s Path, limit_bytes: usize) -> Self {
        Self {
            scratch,
            limit_bytes,
            rows: Vec::new(),
            bytes: 0,
            complete: 0,
            complete_bytes: 0,
            spills: Vec::new(),
            complete_spills: 0,
        }
    }

    pub(crate) fn push(&mut self, row: Row) -> Result<(), CompactError> {
        self.bytes += row.size();
        self.rows.push(row);
        if self.bytes < self.limit_bytes {
            return Ok(());
        }
        let begun = self.rows.split_off(self.complete);
        let complete = std::mem::replace(&mut self.rows, begun);
        if let Some(spill) = self.spill(complete)? {
            self.spills.insert(self.complete_spills, spill);
            self.complete_spills += 1;
        }
        let begun = std::mem::take(&mut self.rows);
        self.spills.extend(self.spill(begun)?);
        (self.bytes, self.complete, self.complete_bytes) = (0, 0, 0);
        Ok(())
    }

    /// The rows since the last file was complete are a whole file.
    pub(crate) fn complete_file(&mut self) {
        self.complete = self.rows.len();
        self.complete_bytes = self.bytes;
        self.complete_spills = self.spills.len();
    }

    /// The rows since the last file was complete are not to be taken.
    pub(crate) fn take_back_file(&mut self) {
        self.rows.truncate(self.complete);
        self.bytes = self.complete_bytes;
        self.spills.truncate(self.complete_spills);
    }

    /// The rows of the complete files, in memory and in what was put aside.
    pub(crate) fn finish(mut self) -> Result<(Vec<Row>, Vec<Spill>), CompactError> {
        self.take_back_file();
        let mut rows = std::mem::take(&mut self.rows);
        if !self.spills.is_empty() {
            // Merging needs the memory.
            let last = self.spill(std::mem::take(&mut rows))?;
            self.spills.extend(last);
        }
        rows.sort_unstable_by(order);
        let spills: Result<Vec<_>, _> = self.spills.into_iter().map(Spill::new).collect();
        Ok((rows, spills?))
    }

    fn spill(&self, mut rows: Vec<Row>) -> Result<Option<File>, CompactError> {
        if rows.is_empty() {
            return Ok(None);
        }
        rows.sort_unstable_by(order);
        let mut encoder = zstd::stream::write::Encoder::new(tempfile::tempfile_in(self.scratch)?, ZSTD_LEVEL)?;
        let mut line = String::new();
        for row in rows {
            line.clear();
            // Without declared columns every attribute goes into the line as it is.
            row.write_line(&Columns::default(), &mut line);
            encoder.write_all(line.as_bytes())?;
        }
        Ok(Some(encoder.finish()?))
    }
}

impl Spill {
    fn new(mut file: File) -> Result<Self, CompactError> {
        std::io::Seek::rewind(&mut file)?;
        let decoder = zstd::stream::read::Decoder::new(file)?;
        Ok(Self { lines: BufReader::new(decoder), line: String::new() })
    }
}

impl Iterator for Spill {
    type Item = Result<Row, CompactError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line.clear();
        match self.lines.read_line(&mut self.line) {
            Ok(0) => None,
            Ok(_) => Some(Row::read_line(&self.line).map_err(|_| CompactError::SpillUnreadable)),
            Err(error) => Some(Err(error.into())),
        }
    }
}
