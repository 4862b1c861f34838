//! A reader who lists the lake whenever something changes in it, and who is never to miss a row.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::lake::object_key::Compression;
use domain::lake::{Item, Row, RowOperation};
use jiff::Timestamp;
use lake_parquet::RowReader;

use super::{KEEP, Object};

/// Every change has a number; a set of changes is a set of bits.
type Changes = u128;

#[derive(Default, Clone)]
pub struct Reader {
    rows: Vec<Row>,
    /// The changes in each file that was ever there. A file never changes.
    files: BTreeMap<String, Changes>,
    lists: Vec<List>,
    pub violations: Vec<String>,
}

/// What one look at the lists told.
#[derive(Clone)]
struct List {
    at: Timestamp,
    raw: Changes,
    compact: Changes,
    latest: Changes,
    expected: Changes,
}

/// Texts of an item's values, such that the same values have the same texts.
fn values(item: &Item) -> BTreeMap<String, serde_json::Value> {
    item.iter().map(|(name, json)| (name.to_owned(), serde_json::from_str(json).unwrap())).collect()
}

fn is_same(a: &Row, b: &Row) -> bool {
    let plain = |row: &Row| Row { item: Item::default(), ..row.clone() };
    plain(a) == plain(b) && values(&a.item) == values(&b.item)
}

impl Reader {
    /// From the next look on, these rows are in the lake.
    pub fn expect(&mut self, rows: &[Row]) {
        for row in rows {
            if !self.rows.iter().any(|known| known.event_id == row.event_id) {
                self.rows.push(row.clone());
            }
        }
        assert!(self.rows.len() <= 128);
    }

    fn changes(&mut self, key: &str, body: &Bytes) -> Changes {
        if let Some(changes) = self.files.get(key) {
            return *changes;
        }
        let mut changes = 0;
        for row in rows_of(key, body) {
            let Some(number) = self.rows.iter().position(|known| known.event_id == row.event_id) else {
                self.violations.push(format!("a row that nobody wrote in {key}"));
                continue;
            };
            let mut expected = self.rows[number].clone();
            if key.starts_with("latest/") && expected.operation == RowOperation::Remove {
                expected.item = Item::default();
            }
            if !is_same(&row, &expected) {
                self.violations.push(format!("change {number} is altered in {key}"));
            }
            changes |= 1 << number;
        }
        self.files.insert(key.to_owned(), changes);
        changes
    }

    pub fn look(&mut self, at: Timestamp, objects: &BTreeMap<String, Object>) {
        let mut list = List { at, raw: 0, compact: 0, latest: 0, expected: 0 };
        for (key, object) in objects {
            match key.split('/').next().unwrap() {
                _ if key.ends_with('/') => (),
                "raw" if !key.contains("unreadable") => list.raw |= self.changes(key, &object.body),
                "compact" => list.compact |= self.changes(key, &object.body),
                "latest" => list.latest |= self.changes(key, &object.body),
                _ => (),
            }
        }
        list.expected = (0..self.rows.len()).fold(0, |all, number| all | 1 << number);
        let highest = self.highest();
        // A reader who listed one folder at any moment of the last day, and the other now.
        for before in self.lists.iter().chain([&list]) {
            if list.at.duration_since(before.at) >= KEEP {
                continue;
            }
            for (order, seen) in
                [("raw first", before.raw | list.compact), ("compact first", before.compact | list.raw)]
            {
                let missing = before.expected & !seen;
                if missing != 0 {
                    self.violations.push(format!("{order}: changes {missing:b} are missing"));
                }
            }
            // Of rows that came since, nothing is promised.
            if before.expected != list.expected {
                continue;
            }
            for (order, seen) in
                [("raw first", before.raw | list.latest), ("latest first", before.latest | list.raw)]
            {
                let missing = highest & !seen;
                if missing != 0 {
                    self.violations.push(format!("{order}: the latest {missing:b} are missing"));
                }
            }
        }
        self.lists.push(list);
    }

    /// The highest change of each key.
    fn highest(&self) -> Changes {
        let mut highest: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (number, row) in self.rows.iter().enumerate() {
            let best = highest.entry((&row.id, &row.sk)).or_insert(number);
            if self.rows[*best].precedence() < row.precedence() {
                *best = number;
            }
        }
        highest.into_values().fold(0, |all, number| all | 1 << number)
    }

    /// How often each change is in files below these prefixes.
    pub fn copies(&self, objects: &BTreeMap<String, Object>, prefixes: &[&str]) -> Vec<usize> {
        let files = objects.keys().filter(|key| prefixes.iter().any(|prefix| key.starts_with(prefix)));
        let sets: Vec<Changes> = files.filter_map(|key| self.files.get(key).copied()).collect();
        (0..self.rows.len()).map(|number| sets.iter().filter(|set| *set >> number & 1 == 1).count()).collect()
    }

    /// What `latest` shows: the highest row of each key, removals gone.
    pub fn shown(objects: &BTreeMap<String, Object>) -> Vec<String> {
        let mut highest: BTreeMap<(String, String), Row> = BTreeMap::new();
        let files = objects.iter().filter(|(key, _)| key.starts_with("latest/") || key.starts_with("raw/"));
        for row in files
            .filter(|(key, _)| !key.contains("unreadable"))
            .flat_map(|(key, object)| rows_of(key, &object.body))
        {
            let best = highest.entry((row.id.clone(), row.sk.clone())).or_insert_with(|| row.clone());
            if best.precedence() < row.precedence() {
                *best = row;
            }
        }
        let shown = highest.into_values().filter(|row| row.operation != RowOperation::Remove);
        shown.map(|row| format!("{} {}", row.id, row.sequence.as_str().trim_start_matches('0'))).collect()
    }
}

pub fn rows_of(key: &str, body: &Bytes) -> Vec<Row> {
    if key.starts_with("compact/") || key.starts_with("latest/") {
        return RowReader::new(body.clone()).unwrap().map(Result::unwrap).collect();
    }
    let text = if Compression::of_key(key) == Some(Compression::Gzip) {
        std::io::read_to_string(flate2::read::GzDecoder::new(&body[..])).unwrap()
    } else {
        String::from_utf8(zstd::decode_all(&body[..]).unwrap()).unwrap()
    };
    text.lines().map(|line| Row::read_line(line).unwrap()).collect()
}
