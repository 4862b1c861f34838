//! The job of the function, without what it waits for.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use domain::export::resource::{DETAIL_TYPE, EVENT_SOURCE, EventWriter, ExportedResource};
use domain::export::run::Run;
use memchr::memchr_iter;
use serde_json::json;

use crate::Job;

const EVENT_BUS_NAME: &str = "events";

/// From the lines of an exported file to the details of their events.
pub struct Publisher {
    lines: Vec<u8>,
    writer: EventWriter,
}

impl Publisher {
    /// # Errors
    /// Where the input cannot be read.
    pub fn new(folder: &Path) -> Result<Self> {
        let lines = std::fs::read(folder.join("lines.ndjson")).context("reading lines.ndjson")?;
        let run = std::fs::read(folder.join("run.json")).context("reading run.json")?;
        let run: Run = serde_json::from_slice(&run).context("run.json is no run")?;
        Ok(Self { lines, writer: EventWriter::of(&run) })
    }

    fn details(&self) -> Result<Vec<String>> {
        let mut start = 0;
        let detail = |end: usize| {
            let line = &self.lines[start..end];
            start = end + 1;
            let resource = ExportedResource::read(line).map_err(|reason| anyhow!("{reason:?}"))?;
            let mut detail = String::with_capacity(resource.line_bytes() + EventWriter::META_BYTES);
            self.writer.write(&resource, &mut detail);
            Ok(detail)
        };
        memchr_iter(b'\n', &self.lines).map(detail).collect()
    }
}

impl Job for Publisher {
    fn run(&mut self) -> Result<usize> {
        Ok(self.details()?.len())
    }

    fn records(&mut self) -> Result<Vec<String>> {
        let entry = |detail| {
            json!({
                "Source": EVENT_SOURCE,
                "DetailType": DETAIL_TYPE,
                "EventBusName": EVENT_BUS_NAME,
                "Detail": detail,
            })
            .to_string()
        };
        Ok(self.details()?.into_iter().map(entry).collect())
    }
}
