//! The table's history against what arrived: is anything lost?

use std::collections::{HashMap, HashSet};

use domain::change::DeadLetterCause;
use serde::Serialize;

use crate::dead_letters::Dead;
use crate::history::HistoryRecord;
use crate::inbox::{Arrival, Arrivals};
use crate::writer::SentAt;

/// A stream record by what identifies it without any code of ours: the item's key and the sequence number.
type RecordName = ((String, String), String);

/// The demo's summary of change events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Stream records.
    pub written: usize,
    /// Messages that came out of the queues.
    pub delivered: usize,
    /// Distinct event ids among them.
    pub distinct: usize,
    /// Records with neither an event nor a dead letter.
    pub lost: usize,
    /// Records that stand in the dead-letter bucket because they cannot become an event.
    pub rejected: usize,
    pub fhir_checked: usize,
    pub fhir_invalid: usize,
    pub latency_ms: Latency,
}

/// From the write to the queue, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    pub p50: u64,
    pub p99: u64,
}

/// Whether each record of the history has become an event, or lies in the dead-letter bucket.
#[must_use]
pub fn missing<'h>(
    history: &'h [HistoryRecord],
    arrivals: &Arrivals,
    dead: &[Dead],
) -> Vec<&'h HistoryRecord> {
    let accounted: HashSet<RecordName> = arrivals
        .changes
        .iter()
        .map(|arrival| (arrival.key.clone(), arrival.sequence.clone()))
        .chain(dead.iter().map(|dead| (dead.key.clone(), dead.sequence.clone())))
        .collect();
    history
        .iter()
        .filter(|record| !accounted.contains(&(record.key.clone(), record.sequence.as_str().to_owned())))
        .collect()
}

/// Event ids that stand for more than one change (I2).
#[must_use]
pub fn ids_used_twice(arrivals: &Arrivals) -> Vec<&str> {
    let mut records: HashMap<&str, (&(String, String), &str)> = HashMap::new();
    arrivals
        .changes
        .iter()
        .filter_map(|arrival| {
            let record = (&arrival.key, arrival.sequence.as_str());
            let known = *records.entry(&arrival.change_id).or_insert(record);
            (known != record).then_some(arrival.change_id.as_str())
        })
        .collect()
}

/// The consumer's rule: of each key, the event with the highest sequence.
#[must_use]
pub fn latest(arrivals: &Arrivals) -> HashMap<&(String, String), &Arrival> {
    let mut latest: HashMap<&(String, String), &Arrival> = HashMap::new();
    for arrival in &arrivals.changes {
        let kept = latest.entry(&arrival.key).or_insert(arrival);
        if arrival.sequence > kept.sequence {
            *kept = arrival;
        }
    }
    latest
}

#[must_use]
pub fn summary(
    history: &[HistoryRecord],
    arrivals: &Arrivals,
    dead: &[Dead],
    sent_at: &SentAt,
    (fhir_checked, fhir_invalid): (usize, usize),
) -> Summary {
    let ids: HashSet<&str> = arrivals.changes.iter().map(|arrival| arrival.change_id.as_str()).collect();
    Summary {
        written: history.len(),
        delivered: arrivals.changes.len(),
        distinct: ids.len(),
        lost: missing(history, arrivals, dead).len(),
        rejected: dead.iter().filter(|dead| matches!(dead.cause, DeadLetterCause::Rejected { .. })).count(),
        fhir_checked,
        fhir_invalid,
        latency_ms: latency(history, arrivals, sent_at),
    }
}

/// The n-th record of a key in the history is its n-th write; the first arrival of each counts.
fn latency(history: &[HistoryRecord], arrivals: &Arrivals, sent_at: &SentAt) -> Latency {
    let mut arrived: HashMap<(&(String, String), &str), u64> = HashMap::new();
    for arrival in &arrivals.changes {
        let first = arrived.entry((&arrival.key, &arrival.sequence)).or_insert(arrival.arrived_at);
        *first = arrival.arrived_at.min(*first);
    }
    let mut seen: HashMap<&(String, String), usize> = HashMap::new();
    let mut latencies: Vec<u64> = history
        .iter()
        .filter_map(|record| {
            let nth = seen.entry(&record.key).or_default();
            let sent = sent_at.get(&record.key)?.get(*nth)?;
            *nth += 1;
            let arrived = arrived.get(&(&record.key, record.sequence.as_str()))?;
            Some(arrived.saturating_sub(*sent))
        })
        .collect();
    latencies.sort_unstable();
    let percentile =
        |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or_default();
    Latency { p50: percentile(50), p99: percentile(99) }
}
