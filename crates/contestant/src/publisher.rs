//! The job of the function, without what it waits for.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use domain::export::resource::{DETAIL_TYPE, EVENT_SOURCE, EventWriter, ExportedResource};
use domain::export::run::Run;
use memchr::memchr_iter;
use serde_json::json;

use crate::Job;

const EVENT_BUS_NAME: &str = "events";
/// Amazon EventBridge API reference, "PutEvents".
const REQUEST_ENTRIES: usize = 10;

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

    fn details(&self) -> impl Iterator<Item = Result<String>> {
        let mut start = 0;
        memchr_iter(b'\n', &self.lines).map(move |end| {
            let line = &self.lines[start..end];
            start = end + 1;
            let resource = ExportedResource::read(line).map_err(|reason| anyhow!("{reason:?}"))?;
            let mut detail = String::with_capacity(resource.line_bytes() + EventWriter::META_BYTES);
            self.writer.write(&resource, &mut detail);
            Ok(detail)
        })
    }
}

impl Job for Publisher {
    /// A request's worth at a time, as the function hands them on.
    fn run(&mut self) -> Result<usize> {
        let mut bytes = 0;
        let mut request = Vec::with_capacity(REQUEST_ENTRIES);
        for detail in self.details() {
            request.push(detail?);
            if request.len() == REQUEST_ENTRIES {
                bytes += request.iter().map(String::len).sum::<usize>();
                request.clear();
            }
        }
        Ok(bytes + request.iter().map(String::len).sum::<usize>())
    }

    fn records(&mut self) -> Result<Vec<String>> {
        let entry = |detail: Result<String>| {
            Ok(json!({
                "Source": EVENT_SOURCE,
                "DetailType": DETAIL_TYPE,
                "EventBusName": EVENT_BUS_NAME,
                "Detail": detail?,
            })
            .to_string())
        };
        self.details().map(entry).collect()
    }
}
