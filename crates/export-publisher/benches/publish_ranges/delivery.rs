//! What the bus has taken, line by line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use domain::export::resource::FhirResourceChanged;
use serde::Deserialize;

use crate::ndjson_file::{NdjsonFile, number_of, to_usize};

pub struct Delivery {
    file: Arc<NdjsonFile>,
    pub calls: u64,
    pub events: u64,
    /// Events and claim checks whose resource is no line of the file, byte for byte.
    pub altered: u64,
    /// How often each line came, by its number.
    times: Vec<u8>,
    /// Of the claim checks that hold a line, its number; by key.
    claim_checks: HashMap<String, usize>,
}

#[derive(Deserialize)]
struct PutEvents<'a> {
    #[serde(rename = "Entries", borrow)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "Detail", borrow)]
    detail: Cow<'a, str>,
}

impl Delivery {
    pub fn of(file: Arc<NdjsonFile>) -> Self {
        let lines = to_usize(file.lines_before(file.bytes()));
        Self { file, calls: 0, events: 0, altered: 0, times: vec![0; lines], claim_checks: HashMap::new() }
    }

    /// Answers the number of entries.
    pub fn take_request(&mut self, request: &[u8]) -> usize {
        self.calls += 1;
        let Ok(PutEvents { entries }) = serde_json::from_slice(request) else {
            self.altered += 1;
            return 0;
        };
        for entry in &entries {
            self.events += 1;
            match self.line_of(&entry.detail).and_then(|number| self.times.get_mut(number)) {
                Some(times) => *times = times.saturating_add(1),
                None => self.altered += 1,
            }
        }
        entries.len()
    }

    pub fn take_claim_check(&mut self, key: &str, object: &[u8]) {
        match std::str::from_utf8(object).ok().and_then(|detail| self.line_of(detail)) {
            Some(number) => {
                self.claim_checks.insert(key.to_owned(), number);
            }
            None => self.altered += 1,
        }
    }

    /// An event that refers to a claim check counts where that came before it.
    fn line_of(&self, detail: &str) -> Option<usize> {
        let event: FhirResourceChanged = serde_json::from_str(detail).ok()?;
        let number = number_of(&event.meta.resource_id)?;
        let is_whole = match (event.fhir, &event.data_ref) {
            (Some(resource), None) => resource.get().as_bytes() == self.file.line(number),
            (None, Some(data_ref)) => self.claim_checks.get(&data_ref.key) == Some(&to_usize(number)),
            _ => false,
        };
        is_whole.then(|| to_usize(number))
    }

    pub fn claim_checks(&self) -> usize {
        self.claim_checks.len()
    }

    /// How many of the lines came as often as asked.
    pub fn lines_that_came(&self, lines: &Range<u64>, is_wanted: impl Fn(u8) -> bool) -> u64 {
        let times = &self.times[to_usize(lines.start)..to_usize(lines.end)];
        times.iter().filter(|times| is_wanted(**times)).count() as u64
    }

    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.events += other.events;
        self.altered += other.altered;
        for (times, others) in self.times.iter_mut().zip(&other.times) {
            *times = times.saturating_add(*others);
        }
    }
}
