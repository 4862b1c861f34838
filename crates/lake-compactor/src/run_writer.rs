//! The files of one run: each begins where the one before it ends, and none is much larger than it should be.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use aws_smithy_types::base64;
use domain::lake::merge::file_key;
use domain::lake::{Columns, Directory, Row};
use lake_parquet::RowWriter;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::State;
use crate::bucket::Bucket;
use crate::error::CompactError;

/// How many bytes of a file's digest are in its name.
const NAMED_BYTES: usize = 16;

/// What all files of a step have in common.
#[derive(Clone, Copy)]
pub(crate) struct Target<'w> {
    pub destination: Destination<'w>,
    pub scratch: &'w Path,
    pub columns: &'w Columns,
    pub file_bytes: u64,
    /// The run's name.
    pub run: &'w str,
}

/// Where finished files go.
#[derive(Clone, Copy)]
pub(crate) enum Destination<'w> {
    Bucket(&'w Bucket),
    /// Of this machine: what is computed is measured without requests.
    Folder(&'w Path),
}

impl<'w> Target<'w> {
    /// Of a run of this name, in the bucket.
    pub(crate) fn in_bucket(state: &'w State, scratch: &'w Path, run: &'w str) -> Self {
        Self {
            destination: Destination::Bucket(&state.bucket),
            scratch,
            columns: &state.lake.columns,
            file_bytes: state.rules.file_bytes,
            run,
        }
    }
}

pub(crate) struct RunWriter<'w> {
    target: Target<'w>,
    directory: Directory,
    file: Option<RowWriter<DigestedFile>>,
    /// Keys of the files that are in the bucket.
    written: Vec<String>,
    misfits: u64,
}

impl<'w> RunWriter<'w> {
    pub(crate) fn new(target: Target<'w>, directory: Directory) -> Self {
        Self { target, directory, file: None, written: Vec::new(), misfits: 0 }
    }

    pub(crate) async fn push(&mut self, row: &Row) -> Result<(), CompactError> {
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let out = DigestedFile::new_in(self.target.scratch)?;
            let row_group_bytes = usize::try_from(self.target.file_bytes).unwrap_or(usize::MAX);
            let file = RowWriter::new(out, self.target.columns)?.with_row_group_bytes(row_group_bytes);
            self.file.insert(file)
        };
        file.push(row)?;
        if file.bytes_written() as u64 >= self.target.file_bytes {
            self.end_file().await?;
        }
        Ok(())
    }

    /// Bytes in memory, about.
    pub(crate) fn bytes_held(&self) -> usize {
        self.file.as_ref().map_or(0, RowWriter::bytes_held)
    }

    pub(crate) fn end_row_group(&mut self) -> Result<(), CompactError> {
        if let Some(file) = &mut self.file {
            file.end_row_group()?;
        }
        Ok(())
    }

    async fn end_file(&mut self) -> Result<(), CompactError> {
        let Some(file) = self.file.take() else { return Ok(()) };
        self.misfits += file.misfits();
        let DigestedFile { file, hasher } = file.finish()?;
        let digest = hasher.finalize();
        let mut content = String::with_capacity(NAMED_BYTES * 2);
        for byte in digest.iter().take(NAMED_BYTES) {
            let _ = write!(content, "{byte:02x}");
        }
        let key = file_key(&self.directory, self.target.run, self.written.len(), &content);
        match self.target.destination {
            Destination::Bucket(bucket) => {
                // On the heap, because it holds a request.
                Box::pin(bucket.put_file(&key, file.path(), &base64::encode(digest))).await?;
            }
            Destination::Folder(folder) => {
                let path = folder.join(&key);
                std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
                std::fs::copy(file.path(), path)?;
            }
        }
        self.written.push(key);
        Ok(())
    }

    /// Answers the keys of the files, and how many of their attributes are misfits.
    pub(crate) async fn finish(mut self) -> Result<(Vec<String>, u64), CompactError> {
        self.end_file().await?;
        Ok((self.written, self.misfits))
    }
}

/// A temporary file, and the digest of what is in it.
struct DigestedFile {
    file: NamedTempFile<File>,
    hasher: Sha256,
}

impl DigestedFile {
    fn new_in(scratch: &Path) -> io::Result<Self> {
        Ok(Self { file: NamedTempFile::new_in(scratch)?, hasher: Sha256::new() })
    }
}

impl Write for DigestedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        if let Some(bytes) = bytes.get(..written) {
            self.hasher.update(bytes);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
