//! The job of the function, without what it waits for.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, Result};
use domain::lake::LakeConfig;
use domain::lake::object_key::Compression;
use flate2::read::GzDecoder;
use lake_writer::{Encoder, Event, RawFile, group};
use serde_json::json;
use serde_json::value::RawValue;

use crate::Job;

/// From Lambda's batch to the compressed files of its partitions.
pub struct LakeWriter {
    event: String,
    config: LakeConfig,
    compression: Compression,
}

impl LakeWriter {
    /// # Errors
    /// Where the input cannot be read.
    pub fn new(folder: &Path, compression: Compression) -> Result<Self> {
        let event = std::fs::read_to_string(folder.join("event.json")).context("reading event.json")?;
        let config = std::fs::read_to_string(folder.join("lake.json")).context("reading lake.json")?;
        Ok(Self { event, config: LakeConfig::parse(&config)?, compression })
    }

    fn files(&self) -> Result<Vec<(String, RawFile)>> {
        let event: Event = serde_json::from_slice(self.event.as_bytes())?;
        let groups = group(&self.config.partition, event.records.rows);
        let mut encoder = Encoder::new(&self.config, self.compression)?;
        let file = |group: &lake_writer::Group| {
            Ok((group.partition.to_string(), encoder.encode(&group.partition, &group.rows)?))
        };
        groups.iter().map(file).collect()
    }
}

impl Job for LakeWriter {
    fn run(&mut self) -> Result<usize> {
        Ok(self.files()?.iter().map(|(_, file)| file.body.len()).sum())
    }

    fn records(&mut self) -> Result<Vec<String>> {
        let mut records = Vec::new();
        for (partition, file) in self.files()? {
            let mut rows = String::new();
            match self.compression {
                Compression::Zstd => zstd::Decoder::new(file.body.as_slice())?.read_to_string(&mut rows)?,
                Compression::Gzip => GzDecoder::new(file.body.as_slice()).read_to_string(&mut rows)?,
            };
            for row in rows.lines() {
                let row: &RawValue = serde_json::from_str(row)?;
                records.push(json!({"partition": partition, "row": row}).to_string());
            }
        }
        Ok(records)
    }
}
