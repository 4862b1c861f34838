//! The lines that start in a range.

use bytes::Bytes;
use domain::export::manifest::Range;
use lambda_support::step::StepError;
use memchr::memchr;

use crate::range_reader::RangeReader;

/// The longest line that is held in memory. HealthLake takes no resource near this size.
pub(crate) const LONGEST_LINE_BYTES: usize = 8 * 1024 * 1024;

/// Cuts what a reader brings into lines.
pub(crate) struct Lines<'a> {
    reader: RangeReader<'a>,
    range: &'a Range,
    /// The piece under way, from the next line on.
    piece: Bytes,
    /// Of the first byte of `piece`, from the beginning of the file.
    offset: u64,
    /// The beginning of a line that goes on in the next piece.
    carry: Vec<u8>,
    /// Where the first line of the range starts.
    begin: u64,
    is_begun: bool,
}

/// A line of the range, without its line feed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Held {
        offset: u64,
        bytes: Bytes,
    },
    /// Too long to be held.
    TooLong {
        offset: u64,
        length: u64,
    },
}

impl<'a> Lines<'a> {
    pub(crate) fn new(reader: RangeReader<'a>, range: &'a Range) -> Self {
        let offset = reader.offset();
        Self { reader, range, piece: Bytes::new(), offset, carry: Vec::new(), begin: offset, is_begun: false }
    }

    /// What the lines of the range take, from where the first of them starts; those of all ranges are the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.offset - self.begin
    }

    pub(crate) async fn next_line(&mut self) -> Result<Option<Line>, StepError> {
        if !self.is_begun {
            self.is_begun = true;
            // The line that the byte before the range belongs to is the range's before, or ends just there.
            if self.range.start > 0 {
                self.read_line(0).await?;
                self.begin = self.offset;
            }
        }
        if self.offset >= self.range.end {
            return Ok(None);
        }
        self.read_line(LONGEST_LINE_BYTES).await
    }

    /// Reads up to the next line feed or the end of the file, and holds at most `limit` bytes.
    async fn read_line(&mut self, limit: usize) -> Result<Option<Line>, StepError> {
        let begin = self.offset;
        let mut length = 0_u64;
        self.carry.clear();
        loop {
            if self.piece.is_empty() {
                match self.reader.next_piece().await? {
                    Some(piece) => self.piece = piece,
                    None if length == 0 => return Ok(None),
                    None => return Ok(Some(self.line(begin, length, Bytes::new()))),
                }
            }
            let feed = memchr(b'\n', &self.piece);
            let part = self.piece.split_to(feed.unwrap_or(self.piece.len()));
            length += part.len() as u64;
            self.offset += part.len() as u64;
            if feed.is_some() {
                drop(self.piece.split_to(1));
                self.offset += 1;
                return Ok(Some(self.line(begin, length, part)));
            }
            if length <= limit as u64 {
                self.carry.extend_from_slice(&part);
            } else {
                self.carry = Vec::new();
            }
        }
    }

    /// `last` is what the last piece brought; what came before lies in `carry`.
    fn line(&mut self, offset: u64, length: u64, last: Bytes) -> Line {
        if length > LONGEST_LINE_BYTES as u64 {
            return Line::TooLong { offset, length };
        }
        if self.carry.is_empty() {
            return Line::Held { offset, bytes: last };
        }
        self.carry.extend_from_slice(&last);
        Line::Held { offset, bytes: Bytes::from(std::mem::take(&mut self.carry)) }
    }
}
