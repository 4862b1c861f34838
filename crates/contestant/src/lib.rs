//! What Tributary does between what comes in and what goes out, as jobs that can be repeated on the same input.

pub mod command_line;
pub mod enricher;
pub mod lake_writer;
pub mod limits;
pub mod publisher;

use std::path::Path;

use anyhow::{Result, bail};
use domain::lake::object_key::Compression;
use memchr::memchr_iter;

/// A job on input that was read before.
pub trait Job {
    /// From bytes in memory to bytes in memory. Answers how many bytes it made, so that nothing is left out as unused.
    ///
    /// # Errors
    /// Where the input is not what the job takes.
    fn run(&mut self) -> Result<usize>;

    /// What the job makes, one record a line.
    ///
    /// # Errors
    /// Where the input is not what the job takes.
    fn records(&mut self) -> Result<Vec<String>>;
}

/// # Errors
/// Where there is no such job, or its input cannot be read.
pub fn job(name: &str, folder: &Path) -> Result<Box<dyn Job>> {
    Ok(match name {
        "enricher" => Box::new(enricher::Enricher::new(folder)?),
        "lake-writer" => Box::new(lake_writer::LakeWriter::new(folder, Compression::Zstd)?),
        "lake-writer-gzip" => Box::new(lake_writer::LakeWriter::new(folder, Compression::Gzip)?),
        "publisher" => Box::new(publisher::Publisher::new(folder)?),
        "typed-parse" => Box::new(limits::TypedParse::new(folder, true)?),
        "typed-parse-alone" => Box::new(limits::TypedParse::new(folder, false)?),
        "line-copy" => Box::new(limits::LineCopy::new(folder)?),
        _ => bail!("there is no job {name}"),
    })
}

/// Each line that a line feed ends, without it.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr_iter(b'\n', text).map(move |end| {
        let line = &text[start..end];
        start = end + 1;
        line
    })
}
