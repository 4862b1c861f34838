//! What the demo shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::change::Operation;

use crate::export_ledger;
use crate::inbox::{Arrival, Arrivals};
use crate::lake::Table;
use crate::lake_demo::Shown;
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

/// Rows of an answer beyond these are counted only.
const ROWS: usize = 12;

/// The folders of the lake, what it was asked, and what is in it.
#[must_use]
pub fn lake(shown: &Shown) -> String {
    let mut text = shown.trees.join("");
    for answer in &shown.answers {
        let _ = write!(text, "\n{}:\n{}", answer.question, answer_table(&answer.table));
    }
    let summary = &shown.summary;
    let _ = writeln!(
        text,
        "\n{} changes written, {} rows in the lake ({} distinct), {} missing, {} doubled; {} of {} raw files in {} \
         partitions compacted.",
        summary.changes,
        summary.rows,
        summary.distinct,
        summary.missing,
        summary.doubled,
        summary.files_compacted,
        summary.files,
        summary.partitions
    );
    text
}

fn answer_table(Table { columns, rows }: &Table) -> String {
    let shown: Vec<Vec<&str>> = rows
        .iter()
        .take(ROWS)
        .map(|row| row.iter().map(|value| value.as_deref().unwrap_or("-")).collect())
        .collect();
    let width = |column: usize| {
        let values = shown.iter().filter_map(|row| row.get(column)).map(|value| value.chars().count());
        values.chain(columns.get(column).map(|name| name.chars().count())).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    let names = columns.iter().map(String::as_str).collect();
    for row in std::iter::once(&names).chain(&shown) {
        let cells = row.iter().zip(&widths).map(|(value, width)| format!("{value:<width$}"));
        let _ = writeln!(text, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    if rows.len() > ROWS {
        let _ = writeln!(text, "  … {} rows more", rows.len() - ROWS);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_in_columns() {
        let row = |id: &str, count: Option<&str>| vec![Some(id.to_owned()), count.map(str::to_owned)];
        let table = Table {
            columns: vec!["id".to_owned(), "resources".to_owned()],
            rows: [vec![row("PATIENT#1", Some("5"))], vec![row("é", None); 12]].concat(),
        };
        let text = answer_table(&table);
        assert!(text.starts_with("  id         resources\n  PATIENT#1  5\n  é          -\n"), "{text}");
        assert!(text.ends_with("  … 1 rows more\n"), "{text}");
    }
}
