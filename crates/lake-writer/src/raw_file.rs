//! Files of the lake's `raw/`: compressed lines of JSON.

use std::io::{self, Write as _};

use domain::lake::object_key::{self, Compression};
use domain::lake::{LakeConfig, Partition, Row};

/// The level at which zstd is faster than gzip and smaller.
const ZSTD_LEVEL: i32 = 3;
const GZIP_LEVEL: u32 = 6;

/// A file before it is uploaded.
#[derive(Debug)]
pub struct RawFile {
    pub key: String,
    pub body: Vec<u8>,
    /// How many declared attributes are of another type than was declared.
    pub misfits: usize,
}

/// Makes files, one after the other, in buffers that it keeps.
pub struct Encoder<'c> {
    config: &'c LakeConfig,
    compressor: Compressor,
    lines: String,
}

enum Compressor {
    Zstd(zstd::bulk::Compressor<'static>),
    Gzip,
}

impl<'c> Encoder<'c> {
    /// # Errors
    /// Where there is no memory.
    pub fn new(config: &'c LakeConfig, compression: Compression) -> io::Result<Self> {
        let compressor = match compression {
            Compression::Zstd => Compressor::Zstd(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
            Compression::Gzip => Compressor::Gzip,
        };
        Ok(Self { config, compressor, lines: String::new() })
    }

    /// The file of these rows, which all belong to the partition. The same rows make the same file, byte for byte.
    ///
    /// # Errors
    /// Where there are no rows, or no memory.
    pub fn encode(&mut self, partition: &Partition, rows: &[Row]) -> io::Result<RawFile> {
        let compression = self.compressor.compression();
        let key = object_key::raw(self.config, partition, rows, compression)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a file without rows"))?;
        self.lines.clear();
        let misfits = rows.iter().map(|row| row.write_line(&self.config.columns, &mut self.lines)).sum();
        let body = self.compressor.compress(self.lines.as_bytes())?;
        Ok(RawFile { key, body, misfits })
    }
}

impl Compressor {
    fn compression(&self) -> Compression {
        match self {
            Self::Zstd(_) => Compression::Zstd,
            Self::Gzip => Compression::Gzip,
        }
    }

    fn compress(&mut self, lines: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(compressor) => compressor.compress(lines),
            // Its header has no time: the same lines would not be the same file.
            Self::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(lines.len() / 4), level);
                encoder.write_all(lines)?;
                encoder.finish()
            }
        }
    }
}
