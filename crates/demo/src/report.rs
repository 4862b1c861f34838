//! What the demo shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::change::Operation;

use crate::export_ledger;
use crate::inbox::{Arrival, Arrivals};
use crate::ledger::Summary;
use crate::plain_json::indented;

#[derive(Default)]
struct Row {
    inserts: usize,
    modifies: usize,
    removes: usize,
    with_fhir: usize,
    claim_checked: usize,
}

/// One line for each type of event.
#[must_use]
pub fn table(arrivals: &Arrivals) -> String {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for arrival in &arrivals.changes {
        let row = rows.entry(&arrival.detail_type).or_default();
        match arrival.operation {
            Operation::Insert => row.inserts += 1,
            Operation::Modify => row.modifies += 1,
            Operation::Remove => row.removes += 1,
        }
        row.with_fhir += usize::from(arrival.has_fhir);
        row.claim_checked += usize::from(arrival.claim_checked);
    }
    let mut text = format!(
        "{:<22}{:>9}{:>9}{:>9}{:>9}{:>11}\n",
        "events", "inserts", "modifies", "removes", "FHIR", "through S3"
    );
    for (detail_type, row) in rows {
        let _ = writeln!(
            text,
            "{detail_type:<22}{:>9}{:>9}{:>9}{:>9}{:>11}",
            row.inserts, row.modifies, row.removes, row.with_fhir, row.claim_checked
        );
    }
    text
}

/// One event in full, indented: the richest of the small ones.
#[must_use]
pub fn example(arrivals: &Arrivals) -> Option<String> {
    let is_readable = |arrival: &&Arrival| !arrival.claim_checked && arrival.event.get().len() < 4_000;
    let arrival = arrivals.changes.iter().filter(is_readable).max_by_key(|arrival| {
        (arrival.has_fhir, arrival.operation == Operation::Modify, arrival.event.get().len())
    })?;
    let event = indented(arrival.event.get());
    Some(format!("One of them, {} in the queue for {}:\n{event}\n", arrival.change_type, arrival.queue))
}

/// The rejected records, by reason; what each held stays in the bucket.
#[must_use]
pub fn rejects(arrivals: &Arrivals) -> String {
    let mut reasons: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for notice in &arrivals.rejects {
        *reasons.entry((notice.reason.code(), &notice.element)).or_default() += 1;
    }
    let mut text = String::new();
    for ((reason, element), count) in reasons {
        let _ = writeln!(text, "{count} rejected: {reason} at {element}; whole in the dead-letter bucket");
    }
    text
}

#[must_use]
pub fn verdict(summary: &Summary) -> String {
    format!(
        "{} changes written, {} events delivered ({} distinct), {} rejected, {} lost.\n\
         {} FHIR resources checked by two validators, {} invalid. From write to queue: p50 {} ms, p99 {} ms.\n",
        summary.written,
        summary.delivered,
        summary.distinct,
        summary.rejected,
        summary.lost,
        summary.fhir_checked,
        summary.fhir_invalid,
        summary.latency_ms.p50,
        summary.latency_ms.p99,
    )
}

/// The runs of exports, and what came of them.
#[must_use]
pub fn exports(summary: &export_ledger::Summary) -> String {
    let mut text =
        format!("{:<12}{:>27}{:>27}{:>11}{:>7}\n", "run", "modified since", "until", "published", "new");
    for run in &summary.runs {
        let since = run.since.map_or_else(|| "the beginning".to_owned(), |since| since.to_string());
        let status = format!("{:?}", run.status).to_lowercase();
        let until = run.until.to_string();
        let _ = writeln!(text, "{status:<12}{since:>27}{until:>27}{:>11}{:>7}", run.published, run.new);
    }
    let _ = writeln!(
        text,
        "{} versions of resources in HealthLake, {} events delivered ({} distinct), {} lost, {} gaps between windows.",
        summary.resources, summary.events, summary.distinct, summary.lost, summary.gaps
    );
    text
}
