//! The job of the function, without what it waits for.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use domain::fhir::CodeMaps;
use serde_json::value::RawValue;
use stream_enricher::Batch;

use crate::Job;

/// From the pipe's batch to the enrichment's answer, of patients without addresses.
pub struct Enricher {
    event: Vec<u8>,
    codes: CodeMaps,
}

impl Enricher {
    /// # Errors
    /// Where the input cannot be read.
    pub fn new(folder: &Path) -> Result<Self> {
        let event = std::fs::read(folder.join("event.json")).context("reading event.json")?;
        Ok(Self { event, codes: CodeMaps::default() })
    }

    fn answer(&self) -> Result<String> {
        // As the runtime does.
        let event: Box<RawValue> = serde_json::from_slice(&self.event)?;
        let answer = Batch::read(&event)?.answer(&HashMap::new(), &self.codes, "claim-checks")?;
        answer.into_json().context("the batch is larger than an answer")
    }
}

impl Job for Enricher {
    fn run(&mut self) -> Result<usize> {
        Ok(self.answer()?.len())
    }

    fn records(&mut self) -> Result<Vec<String>> {
        let answer = self.answer()?;
        let outcomes: Vec<&RawValue> = serde_json::from_str(&answer)?;
        Ok(outcomes.iter().map(|outcome| outcome.get().to_owned()).collect())
    }
}
