//! A table that was full before the lake was there: what is copied into the lake never wins over a change that the stream
//! told, and nothing that was removed comes back.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;

use domain::change::{ChangeId, Sequence};
use domain::lake::{Item, Micros, Row, RowOperation, Snapshot};
use proptest::prelude::*;
use serde_json::{Value, json};

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/items";
/// The first write; each comes some microseconds after the one before it.
const BEGIN: i64 = 1_795_331_640_000_000;

/// A write of one of a few keys: a version of the item, or its removal.
#[derive(Debug, Clone)]
struct Write {
    key: u8,
    is_removal: bool,
    after: i64,
}

#[derive(Debug, Clone)]
struct History {
    writes: Vec<Write>,
    /// From which write on the stream is read.
    stream_begins: usize,
    /// Before which write a full export stands.
    full_export_at: usize,
    /// Where the windows of incremental exports end that follow it. The last one reaches what the stream tells.
    windows: Vec<usize>,
    /// Before which write a scan begins, and how many writes it takes to come to each key.
    scan_at: usize,
    scan_reaches: Vec<usize>,
    /// How long the stream's sequence numbers are.
    digits: usize,
}

fn history() -> impl Strategy<Value = History> {
    let write = (0..4_u8, prop::bool::weighted(0.35), 1..2_000_000_i64)
        .prop_map(|(key, is_removal, after)| Write { key, is_removal, after });
    (prop::collection::vec(write, 1..24), 21..=40_usize).prop_flat_map(|(writes, digits)| {
        let end = writes.len();
        (0..=end).prop_flat_map(move |stream_begins| {
            let writes = writes.clone();
            (
                0..=end,
                stream_begins..=end,
                prop::collection::vec(0..=end, 0..4),
                stream_begins..=end,
                prop::collection::vec(0..6_usize, 4),
            )
                .prop_map(
                    move |(full_export_at, covered, mut windows, scan_at, scan_reaches)| {
                        windows.push(covered);
                        windows.sort_unstable();
                        windows.retain(|window| *window > full_export_at);
                        History {
                            writes: writes.clone(),
                            stream_begins,
                            full_export_at,
                            windows,
                            scan_at,
                            scan_reaches,
                            digits,
                        }
                    },
                )
        })
    })
}

impl History {
    fn micros(&self, write: usize) -> i64 {
        BEGIN + self.writes.iter().take(write + 1).map(|write| write.after).sum::<i64>()
    }

    /// How an item stood before a write: which write it comes from.
    fn state(&self, key: u8, before: usize) -> Option<usize> {
        let last = self.last_write(key, 0, before)?;
        (!self.writes[last].is_removal).then_some(last)
    }

    fn last_write(&self, key: u8, from: usize, before: usize) -> Option<usize> {
        (from..before).rev().find(|index| self.writes[*index].key == key)
    }

    /// Just before a write.
    fn instant(&self, before: usize) -> Micros {
        Micros::new(if before == 0 { BEGIN } else { self.micros(before - 1) }).unwrap()
    }

    fn stream_rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (index, write) in self.writes.iter().enumerate().skip(self.stream_begins) {
            let old = self.state(write.key, index).map(|version| image(write.key, version));
            let new = (!write.is_removal).then(|| image(write.key, index));
            let operation = match (&old, &new) {
                (None, Some(_)) => "INSERT",
                (Some(_), Some(_)) => "MODIFY",
                (Some(_), None) => "REMOVE",
                // Removing what is not there is no change.
                (None, None) => continue,
            };
            let mut change = json!({
                "ApproximateCreationDateTime": self.micros(index) / 1_000_000,
                "Keys": {"id": {"S": write.key.to_string()}, "sk": {"S": "A"}},
                "SequenceNumber": format!("1{index:0>width$}", width = self.digits - 1),
            });
            for (name, image) in [("OldImage", old), ("NewImage", new)] {
                if let Some(image) = image {
                    change[name] = image;
                }
            }
            let record = json!({
                "eventID": index.to_string(), "eventName": operation, "eventSourceARN": format!("{TABLE}/stream/1"),
                "dynamodb": change,
            });
            let record = serde_json::value::to_raw_value(&record).unwrap();
            rows.push(Row::of_record(&record).unwrap().0);
        }
        rows
    }

    fn full_export(&self) -> Vec<Row> {
        let at = self.full_export_at;
        let snapshot = Snapshot { table_arn: TABLE.to_owned(), taken_at: self.instant(at) };
        let versions = (0..4).filter_map(|key| Some((key, self.state(key, at)?)));
        let line = |(key, version)| json!({"Item": image(key, version)}).to_string();
        versions.map(|version| snapshot.row_of_line(&line(version)).unwrap()).collect()
    }

    /// What an export of the writes of a window says: the last state of each item that is another than before.
    fn incremental_export(&self, from: usize, before: usize) -> Vec<Row> {
        let mut rows = Vec::new();
        for key in 0..4 {
            let Some(last) = self.last_write(key, from, before) else { continue };
            let (old, new) = (self.state(key, from), self.state(key, before));
            if old.is_none() && new.is_none() {
                continue;
            }
            let mut line = json!({
                "Metadata": {"WriteTimestampMicros": {"N": self.micros(last).to_string()}},
                "Keys": {"id": {"S": key.to_string()}, "sk": {"S": "A"}},
            });
            for (name, version) in [("OldImage", old), ("NewImage", new)] {
                if let Some(version) = version {
                    line[name] = image(key, version);
                }
            }
            rows.push(Row::of_incremental_line(TABLE, &line.to_string()).unwrap());
        }
        rows
    }

    /// It comes to each key at another time, and writes go on meanwhile.
    fn scan(&self) -> Vec<Row> {
        let snapshot = Snapshot { table_arn: TABLE.to_owned(), taken_at: self.instant(self.scan_at) };
        let mut rows = Vec::new();
        for (key, reaches) in (0..4).zip(&self.scan_reaches) {
            let at = (self.scan_at + reaches).min(self.writes.len());
            if let Some(version) = self.state(key, at) {
                rows.push(snapshot.row_of_image(&image(key, version).to_string()).unwrap());
            }
        }
        rows
    }

    /// The full export with the incremental ones that lead to the stream.
    fn exports(&self) -> Vec<Row> {
        let mut rows = self.full_export();
        let mut from = self.full_export_at;
        for before in &self.windows {
            rows.extend(self.incremental_export(from, *before));
            from = *before;
        }
        rows
    }

    fn table(&self) -> BTreeMap<String, usize> {
        let versions = (0..4).filter_map(|key| Some((key.to_string(), self.state(key, self.writes.len())?)));
        versions.collect()
    }
}

fn image(key: u8, version: usize) -> Value {
    json!({"id": {"S": key.to_string()}, "sk": {"S": "A"}, "version": {"N": version.to_string()}})
}

/// What the view `latest` says of these rows.
fn latest(rows: &[Row]) -> BTreeMap<String, &Row> {
    let mut highest: BTreeMap<String, &Row> = BTreeMap::new();
    for row in rows {
        let best = highest.entry(row.id.clone()).or_insert(row);
        if row.precedence() > best.precedence() {
            *best = row;
        }
    }
    highest
}

fn versions(latest: &BTreeMap<String, &Row>) -> BTreeMap<String, usize> {
    let present = latest.iter().filter(|(_, row)| row.operation != RowOperation::Remove);
    present.map(|(id, row)| (id.clone(), row.item.get("version").unwrap().parse().unwrap())).collect()
}

proptest! {
    #[test]
    fn i1_the_stream_and_a_copy_of_what_was_before_it_make_the_table(history in history()) {
        let (exported, scanned) = (history.exports(), history.scan());
        for copies in [vec![&exported], vec![&scanned], vec![&exported, &scanned, &exported]] {
            let rows: Vec<Row> = copies.into_iter().flatten().cloned().chain(history.stream_rows()).collect();
            prop_assert_eq!(versions(&latest(&rows)), history.table());
        }
    }

    #[test]
    fn i1_a_snapshot_never_wins_over_a_change_whatever_its_time(
        history in history(), seconds in prop::collection::vec(0..253_402_207_200_i64, 4), is_removal in any::<bool>(),
    ) {
        let stream = history.stream_rows();
        let mut rows = stream.clone();
        for (key, second) in (0..4).zip(seconds) {
            let taken_at = Micros::from_second(second).unwrap();
            let snapshot = Snapshot { table_arn: TABLE.to_owned(), taken_at };
            let mut row = snapshot.row_of_image(&image(key, usize::MAX).to_string()).unwrap();
            row.operation = if is_removal { RowOperation::Remove } else { RowOperation::Snapshot };
            rows.push(row);
        }
        let with_snapshots = latest(&rows);
        for (id, row) in latest(&stream) {
            prop_assert_eq!(with_snapshots[&id], row);
        }
    }

    /// A scan that goes on after an interruption, or an export that is taken in again, may repeat any of its rows.
    #[test]
    fn i2_what_is_copied_again_has_the_same_ids(history in history()) {
        let ids = |rows: Vec<Row>| -> Vec<ChangeId> { rows.into_iter().map(|row| row.event_id).collect() };
        prop_assert_eq!(ids(history.exports()), ids(history.exports()));
        prop_assert_eq!(ids(history.scan()), ids(history.scan()));
    }
}

#[test]
fn i1_the_latest_time_is_below_the_lowest_sequence_number_of_a_stream() {
    let latest = Micros::from_rfc3339("9999-12-30T21:59:59.999999Z").unwrap();
    let snapshot = Snapshot { table_arn: TABLE.to_owned(), taken_at: latest };
    let row = snapshot.row_of_image(&image(1, 1).to_string()).unwrap();
    assert!(row.sequence < Sequence::parse("100000000000000000000").unwrap());
    assert_eq!(row.item, Item::from_image(&image(1, 1).to_string()).unwrap());
}
