//! Rows out of the writer's files.

use std::io::{self, BufRead, BufReader};

use domain::lake::object_key::Compression;
use domain::lake::{LineReader, LineUnreadable, Row};

use crate::error::CompactError;

/// A file of this size or less is decompressed at once; of a larger one no more than a line is held.
const FILE_BYTES: usize = 4 * 1024 * 1024;

/// A file, or a line of it, that is not as the writer writes it.
#[derive(Debug, thiserror::Error)]
pub enum RawFileUnreadable {
    #[error("its name ends like no file of the writer")]
    Name,
    #[error("it is empty")]
    Empty,
    #[error("it cannot be decompressed: {}", .0.kind())]
    Compression(#[from] io::Error),
    #[error("it is larger than memory allows")]
    TooLarge,
    #[error(transparent)]
    Line(#[from] LineUnreadable),
    #[error("a line is no UTF-8")]
    Utf8,
}

/// Why the rows of a file were not all taken.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file has to stay as it is.
    #[error(transparent)]
    Unreadable(#[from] RawFileUnreadable),
    #[error(transparent)]
    Compact(#[from] CompactError),
}

/// Reads files, one after the other, in buffers that it keeps.
pub(crate) struct RawFileReader {
    decompressor: zstd::bulk::Decompressor<'static>,
    /// The lines of a file that is as small as most are.
    file: Vec<u8>,
    /// A line of a larger one.
    line: Vec<u8>,
    lines: LineReader,
}

impl RawFileReader {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            decompressor: zstd::bulk::Decompressor::new()?,
            file: Vec::with_capacity(FILE_BYTES),
            line: Vec::new(),
            lines: LineReader::default(),
        })
    }

    /// Shows each row of a file in turn.
    ///
    /// # Errors
    /// Where the file is not wholly readable, or `see` fails; some of its rows were then shown.
    pub(crate) fn for_each_row(
        &mut self,
        key: &str,
        body: &[u8],
        see: impl FnMut(&Row) -> Result<(), CompactError>,
    ) -> Result<(), ReadError> {
        if body.is_empty() {
            return Err(RawFileUnreadable::Empty.into());
        }
        match Compression::of_key(key) {
            Some(Compression::Zstd) => {
                self.file.clear();
                if self.decompressor.decompress_to_buffer(body, &mut self.file).is_ok() {
                    return self.for_each_line_in_memory(see);
                }
                // It is too large, or cannot be decompressed; then this says so.
                let decoder =
                    zstd::stream::read::Decoder::with_buffer(body).map_err(RawFileUnreadable::from)?;
                self.for_each_line(BufReader::new(decoder), see)
            }
            Some(Compression::Gzip) => {
                self.for_each_line(BufReader::new(flate2::bufread::MultiGzDecoder::new(body)), see)
            }
            None => Err(RawFileUnreadable::Name.into()),
        }
    }

    fn for_each_line_in_memory(
        &mut self,
        mut see: impl FnMut(&Row) -> Result<(), CompactError>,
    ) -> Result<(), ReadError> {
        let text = std::str::from_utf8(&self.file).map_err(|_| RawFileUnreadable::Utf8)?;
        for line in text.split_inclusive('\n') {
            see(&self.lines.read(line).map_err(RawFileUnreadable::from)?)?;
        }
        Ok(())
    }

    fn for_each_line(
        &mut self,
        mut lines: impl BufRead,
        mut see: impl FnMut(&Row) -> Result<(), CompactError>,
    ) -> Result<(), ReadError> {
        self.line.clear();
        while lines.read_until(b'\n', &mut self.line).map_err(RawFileUnreadable::from)? > 0 {
            let text = std::str::from_utf8(&self.line).map_err(|_| RawFileUnreadable::Utf8)?;
            see(&self.lines.read(text).map_err(RawFileUnreadable::from)?)?;
            self.line.clear();
        }
        Ok(())
    }
}
