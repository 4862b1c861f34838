//! The job of the function, without what it waits for.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use domain::export::resource::{DETAIL_TYPE, EVENT_SOURCE, EventWriter, ExportedResource};
use domain::export::run::Run;
use lambda_support::put_events::{Entry, REQUEST_ENTRIES};
use serde_json::json;

use crate::{Job, lines};

const EVENT_BUS_NAME: &str = "events";

/// From the lines of an exported file to the entries of their events, as the function makes and weighs them.
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

    fn entries(&self) -> impl Iterator<Item = Result<Entry>> {
        lines(&self.lines).map(|line| {
            let resource = ExportedResource::read(line).map_err(|reason| anyhow!("{reason:?}"))?;
            let mut detail = String::with_capacity(resource.line_bytes() + EventWriter::META_BYTES);
            self.writer.write(&resource, &mut detail);
            Ok(Entry { detail_type: DETAIL_TYPE, detail, key: None })
        })
    }
}

impl Job for Publisher {
    /// A request's worth at a time, as the function hands them on.
    fn run(&mut self) -> Result<usize> {
        let bytes = |entry: &Entry| entry.bytes(EVENT_SOURCE);
        let mut sent = 0;
        let mut request = Vec::with_capacity(REQUEST_ENTRIES);
        for entry in self.entries() {
            request.push(entry?);
            if request.len() == REQUEST_ENTRIES {
                sent += request.iter().map(bytes).sum::<usize>();
                request.clear();
            }
        }
        Ok(sent + request.iter().map(bytes).sum::<usize>())
    }

    fn records(&mut self) -> Result<Vec<String>> {
        let record = |entry: Result<Entry>| {
            let Entry { detail_type, detail, .. } = entry?;
            Ok(json!({
                "Source": EVENT_SOURCE,
                "DetailType": detail_type,
                "EventBusName": EVENT_BUS_NAME,
                "Detail": detail,
            })
            .to_string())
        };
        self.entries().map(record).collect()
    }
}
