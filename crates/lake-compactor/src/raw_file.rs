//! Rows out of the writer's files.

use std::io::{self, BufRead, BufReader};

use domain::lake::object_key::Compression;
use domain::lake::{LineUnreadable, Row};

use crate::error::CompactError;

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

/// Shows each row of a file in turn, so that no more than a line of it is held decompressed.
///
/// # Errors
/// Where the file is not wholly readable, or `see` fails; some of its rows were then shown.
pub(crate) fn for_each_row(
    key: &str,
    body: &[u8],
    see: impl FnMut(Row) -> Result<(), CompactError>,
) -> Result<(), ReadError> {
    if body.is_empty() {
        return Err(RawFileUnreadable::Empty.into());
    }
    match Compression::of_key(key) {
        Some(Compression::Zstd) => {
            let decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(RawFileUnreadable::from)?;
            for_each_line(BufReader::with_capacity(zstd::stream::read::Decoder::<&[u8]>::recommended_output_size(), decoder), see)
        }
        Some(Compression::Gzip) => for_each_line(BufReader::new(flate2::bufread::MultiGzDecoder::new(body)), see),
        None => Err(RawFileUnreadable::Name.into()),
    }
}

fn for_each_line(
    mut lines: impl BufRead,
    mut see: impl FnMut(Row) -> Result<(), CompactError>,
) -> Result<(), ReadError> {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(RawFileUnreadable::from)? > 0 {
        let text = std::str::from_utf8(&line).map_err(|_| RawFileUnreadable::Utf8)?;
        see(Row::read_line(text).map_err(RawFileUnreadable::from)?)?;
        line.clear();
    }
    Ok(())
}
