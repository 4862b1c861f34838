//! Lines out of a compressed file that comes in pieces.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

/// Of one line. An item has at most 400 KB (Amazon DynamoDB developer guide, "Quotas in Amazon DynamoDB"); an incremental
/// export writes it twice, and JSON makes up to six bytes of one.
const LINE_BYTES: usize = 16 * 1024 * 1024;

pub(crate) struct GzipLines {
    decoder: MultiGzDecoder<Vec<u8>>,
    /// How much of what was decoded has been given out.
    taken: usize,
    /// Where to go on looking for the end of a line.
    searched: usize,
    is_empty: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum GzipError {
    #[error("it cannot be decompressed: {0}")]
    Gzip(#[from] io::Error),
    #[error("a line is longer than {} MiB", LINE_BYTES >> 20)]
    LongLine,
}

impl GzipLines {
    /// So little at once that what comes out stays small, whatever went in: gzip makes at most about 1,000 bytes of one.
    pub(crate) const PIECE_BYTES: usize = 16 * 1024;

    pub(crate) fn new() -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()), taken: 0, searched: 0, is_empty: true }
    }

    /// Takes the next piece of the file, of at most [`PIECE_BYTES`](Self::PIECE_BYTES). The lines of the one before it have
    /// to be taken out.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), GzipError> {
        let decoded = self.decoder.get_mut();
        decoded.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        self.is_empty &= piece.is_empty();
        self.decoder.write_all(piece)?;
        Ok(())
    }

    /// The next whole line, without its end.
    pub(crate) fn next_line(&mut self) -> Result<Option<&[u8]>, GzipError> {
        let decoded = self.decoder.get_ref();
        let unseen = decoded.get(self.searched..).unwrap_or_default();
        let Some(length) = memchr::memchr(b'\n', unseen) else {
            self.searched = decoded.len();
            return if decoded.len() - self.taken > LINE_BYTES { Err(GzipError::LongLine) } else { Ok(None) };
        };
        let (start, end) = (self.taken, self.searched + length);
        self.taken = end + 1;
        self.searched = self.taken;
        Ok(decoded.get(start..end))
    }

    /// The file is whole: what follows the last end of a line is a line. The file of an empty partition may be empty itself.
    pub(crate) fn finish(&mut self) -> Result<(), GzipError> {
        if self.is_empty {
            return Ok(());
        }
        self.decoder.try_finish()?;
        let decoded = self.decoder.get_mut();
        if decoded.len() > self.taken && !decoded.ends_with(b"\n") {
            decoded.push(b'\n');
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn lines(file: &[u8], piece: usize) -> Result<Vec<String>, GzipError> {
        let mut lines = GzipLines::new();
        let mut all = Vec::new();
        for piece in file.chunks(piece) {
            lines.push(piece)?;
            while let Some(line) = lines.next_line()? {
                all.push(String::from_utf8(line.to_vec()).unwrap());
            }
        }
        lines.finish()?;
        while let Some(line) = lines.next_line()? {
            all.push(String::from_utf8(line.to_vec()).unwrap());
        }
        Ok(all)
    }

    #[test]
    fn lines_are_the_same_however_the_file_is_cut() {
        let file = [gzip(b"one\n\ntwo\nthr"), gzip(b"ee\nlast")].concat();
        for piece in 1..file.len() {
            assert_eq!(lines(&file, piece).unwrap(), ["one", "", "two", "three", "last"], "{piece}");
        }
        assert!(lines(b"", 1).unwrap().is_empty());
        assert!(lines(&gzip(b""), 1).unwrap().is_empty());
    }

    #[test]
    fn a_damaged_or_cut_file_is_an_error() {
        let file = gzip(b"one\ntwo\nthree\n");
        for length in 1..file.len() {
            assert!(lines(&file[..length], 7).is_err(), "{length}");
        }
        assert!(lines(b"{\"Item\":{}}\n", 5).is_err());
    }

    #[test]
    fn i7_a_line_without_end_is_not_kept() {
        let file = gzip(&vec![b'x'; LINE_BYTES + 1_000_000]);
        assert!(matches!(lines(&file, GzipLines::PIECE_BYTES), Err(GzipError::LongLine)));
    }
}
