//! Rows in memory, and put aside. Packed, a row costs the bytes that it holds and no allocation.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, Write as _};
use std::path::Path;

use domain::lake::{Row, packed_order};

use crate::error::CompactError;

/// The quickest: a file that is read once and then deleted.
const ZSTD_LEVEL: i32 = 1;

/// Rows lie in blocks of this size, so that they need not move when more come.
const BLOCK_BYTES: usize = 1024 * 1024;

/// Blocks that the memory for rows is divided into at least.
const BLOCKS: usize = 16;

pub(crate) struct PackedRows {
    limit_bytes: usize,
    blocks: Vec<Vec<u8>>,
    places: Vec<Place>,
    /// Bytes of the blocks, whether used or not.
    block_bytes: usize,
}

/// Where a row lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The beginning of its `id`, in whose order rows are: most comparisons need not look at the rows themselves.
    prefix: u128,
    block: usize,
    start: usize,
    end: usize,
}

impl PackedRows {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, blocks: Vec::new(), places: Vec::new(), block_bytes: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether the memory is not enough for this row too.
    pub(crate) fn is_full_for(&self, row: &Row) -> bool {
        let more = if self.has_room(row.size()) { 0 } else { self.block_for(row.size()) };
        self.bytes() + more + size_of::<Place>() > self.limit_bytes
    }

    fn block_for(&self, bytes: usize) -> usize {
        BLOCK_BYTES.min(self.limit_bytes / BLOCKS).max(bytes)
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.blocks.last().is_some_and(|block| block.capacity() - block.len() >= bytes)
    }

    pub(crate) fn push(&mut self, row: &Row) {
        // Packed, a row takes less than this.
        let bytes = row.size();
        if !self.has_room(bytes) {
            let block = Vec::with_capacity(self.block_for(bytes));
            self.block_bytes += block.capacity();
            self.blocks.push(block);
        }
        let block = self.blocks.len() - 1;
        if let Some(bytes) = self.blocks.last_mut() {
            let start = bytes.len();
            row.pack(bytes);
            self.places.push(Place { prefix: prefix(&row.id), block, start, end: bytes.len() });
        }
    }

    /// Forgets the rows from this one on, and answers where they lie.
    pub(crate) fn split_off(&mut self, at: usize) -> Vec<Place> {
        self.places.split_off(at)
    }

    /// Takes those instead of what is there.
    pub(crate) fn keep_only(&mut self, places: Vec<Place>) {
        self.places = places;
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.limit_bytes);
    }

    pub(crate) fn sort(&mut self) {
        let blocks = &self.blocks;
        self.places.sort_unstable_by(|a, b| {
            a.prefix.cmp(&b.prefix).then_with(|| packed_order(at(blocks, *a), at(blocks, *b)))
        });
    }

    /// What is held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.block_bytes + self.places.len() * size_of::<Place>()
    }

    /// Puts the rows aside, sorted.
    pub(crate) fn spill(&mut self, scratch: &Path) -> Result<PutAside, CompactError> {
        self.sort();
        let mut encoder = zstd::stream::write::Encoder::new(tempfile::tempfile_in(scratch)?, ZSTD_LEVEL)?;
        for place in &self.places {
            let packed = at(&self.blocks, *place);
            encoder.write_all(&(packed.len() as u64).to_le_bytes())?;
            encoder.write_all(packed)?;
        }
        Ok(PutAside { file: encoder.finish()?, rows: self.places.len() })
    }

    pub(crate) fn into_rows(self) -> impl Iterator<Item = Result<Row, CompactError>> {
        let blocks = self.blocks;
        self.places.into_iter().map(move |place| unpack(at(&blocks, place)))
    }
}

/// The first bytes of a text, as a number of the same order; a shorter one ends with zeros.
fn prefix(id: &str) -> u128 {
    let mut first = [0; size_of::<u128>()];
    first.iter_mut().zip(id.bytes()).for_each(|(place, byte)| *place = byte);
    u128::from_be_bytes(first)
}

fn at(blocks: &[Vec<u8>], place: Place) -> &[u8] {
    blocks.get(place.block).and_then(|block| block.get(place.start..place.end)).unwrap_or_default()
}

fn unpack(packed: &[u8]) -> Result<Row, CompactError> {
    Row::unpack(packed).ok_or(CompactError::SpillUnreadable)
}

/// A file of rows that were put aside.
pub(crate) struct PutAside {
    file: File,
    rows: usize,
}

impl PutAside {
    pub(crate) fn read(mut self) -> Result<Spill, CompactError> {
        self.file.rewind()?;
        let decoder = zstd::stream::read::Decoder::new(self.file)?;
        Ok(Spill { bytes: BufReader::new(decoder), rows_left: self.rows, packed: Vec::new() })
    }
}

/// The rows of such a file, in their order. It ends with the last of them, and fails where the file does before: what is
/// read here is about to be committed, and what it was read from to be deleted.
pub(crate) struct Spill {
    bytes: BufReader<zstd::stream::read::Decoder<'static, BufReader<File>>>,
    rows_left: usize,
    packed: Vec<u8>,
}

impl Spill {
    fn read(&mut self) -> Result<Row, CompactError> {
        let mut length = [0; 8];
        self.bytes.read_exact(&mut length)?;
        let length =
            usize::try_from(u64::from_le_bytes(length)).map_err(|_| CompactError::SpillUnreadable)?;
        self.packed.resize(length, 0);
        self.bytes.read_exact(&mut self.packed)?;
        unpack(&self.packed)
    }
}

impl Iterator for Spill {
    type Item = Result<Row, CompactError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows_left = self.rows_left.checked_sub(1)?;
        Some(self.read())
    }
}
