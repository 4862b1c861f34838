//! What the lake has to hold, made from the stream's records.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::{Context, Result, ensure};
use demo::history::HistoryRecord;
use demo::lake::DumpedRow;
use demo::plain_json::canonical_values;
use domain::change::Image;
use domain::lake::{LakeConfig, LakeRecord, Micros, Partition};
use serde::Deserialize;
use serde_json::value::RawValue;

type Key = (String, String);

/// One change.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub key: Key,
    pub sequence: String,
    pub operation: String,
    pub changed_at: String,
    /// After the change; after a removal, before it.
    pub item: String,
}

#[derive(Debug, Default)]
pub struct Expected {
    /// By event id.
    pub changes: HashMap<String, Change>,
    /// How many changes belong to each.
    pub partitions: BTreeMap<Partition, usize>,
}

/// Items that a scan has copied, and that were removed before or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    pub gone: usize,
    pub put_again: usize,
}

/// A stream record, read without the code that writes the lake.
#[derive(Deserialize)]
struct Record<'r> {
    #[serde(rename = "eventName")]
    operation: String,
    #[serde(borrow)]
    dynamodb: Images<'r>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Images<'r> {
    approximate_creation_date_time: i64,
    #[serde(borrow)]
    new_image: Option<&'r RawValue>,
    #[serde(borrow)]
    old_image: Option<&'r RawValue>,
}

impl Expected {
    /// # Errors
    /// Where a record is none, or two have the same id (I2).
    pub fn of(history: &[HistoryRecord], config: &LakeConfig) -> Result<Self> {
        let mut expected = Self::default();
        for record in history {
            let row = LakeRecord::decode(record.json.get())?.row().ok().context("a record that is no row")?;
            let partition = config.partition.partition(&row.item, row.changed_at);
            *expected.partitions.entry(partition).or_default() += 1;
            let change = change(record)?;
            let twice = expected.changes.insert(row.event_id.as_str().to_owned(), change);
            ensure!(twice.is_none(), "{} stands for two changes", row.event_id);
        }
        Ok(expected)
    }

    /// Takes in the rows of a scan that was under way while these changes were made, over a table that was so before them.
    ///
    /// An item that none of them concerns is there once. One that they concern is there as it stood at some moment: more than
    /// once, where its segment was scanned again, and not at all, where it was removed before.
    ///
    /// # Errors
    /// Where a row is no such copy, or an item that was there all the while has none.
    pub fn add_snapshots(&mut self, rows: &[DumpedRow], before: &HashMap<Key, String>) -> Result<Copied> {
        let mut removed: HashSet<&Key> = HashSet::new();
        let mut last: HashMap<&Key, &Change> = HashMap::new();
        let mut states: HashMap<&str, &Key> = before.iter().map(|(key, item)| (item.as_str(), key)).collect();
        for change in self.changes.values() {
            if change.operation == "REMOVE" {
                removed.insert(&change.key);
            } else {
                states.insert(&change.item, &change.key);
            }
            let last = last.entry(&change.key).or_insert(change);
            if last.sequence < change.sequence {
                *last = change;
            }
        }
        let mut snapshots = HashMap::new();
        let mut copied: HashSet<&Key> = HashSet::new();
        let mut taken_at: HashSet<(&str, &str)> = HashSet::new();
        for row in rows {
            let id = &row.event_id;
            let key = states.remove(row.item.get());
            let key = key.with_context(|| format!("{id} is no state of an item, or is there twice"))?;
            copied.insert(key);
            taken_at.insert((&row.sequence, &row.changed_at));
            let snapshot = Change {
                key: key.clone(),
                sequence: row.sequence.clone(),
                operation: row.operation.clone(),
                changed_at: row.changed_at.clone(),
                item: row.item.get().to_owned(),
            };
            ensure!(snapshots.insert(id.clone(), snapshot).is_none(), "{id} stands for two copies");
        }
        ensure!(taken_at.len() == 1, "the copies are of {} times", taken_at.len());
        let lacking = before.keys().filter(|key| !removed.contains(key) && !copied.contains(key)).count();
        ensure!(lacking == 0, "{lacking} of {} items were not copied", before.len());
        let was_removed = copied.iter().filter(|key| removed.contains(*key));
        let (gone, again): (Vec<&Key>, Vec<&Key>) =
            was_removed.partition(|key| last.get(*key).is_some_and(|change| change.operation == "REMOVE"));
        let counts = Copied { gone: gone.len(), put_again: again.len() };
        self.changes.extend(snapshots);
        Ok(counts)
    }

    #[must_use]
    pub fn in_default_partition(&self) -> usize {
        self.partitions
            .iter()
            .filter(|(partition, _)| partition.missing() > 0)
            .map(|(_, changes)| changes)
            .sum()
    }

    /// The folders.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<String> {
        self.partitions.keys().map(ToString::to_string).collect()
    }

    /// The values that the catalog has to know.
    #[must_use]
    pub fn partition_values(&self) -> BTreeSet<Vec<String>> {
        self.partitions.keys().map(|partition| partition.values().map(str::to_owned).collect()).collect()
    }

    /// # Errors
    /// Where the rows are not the changes, each once, attribute by attribute.
    pub fn are_changes(&self, rows: &[DumpedRow]) -> Result<()> {
        let mut seen = BTreeSet::new();
        for row in rows {
            let id = &row.event_id;
            ensure!(seen.insert(id), "{id} is there twice");
            let change = self.changes.get(id).with_context(|| format!("{id} is no change of the stream"))?;
            ensure!(
                (&row.sequence, &row.operation, &row.changed_at)
                    == (&change.sequence, &change.operation, &change.changed_at),
                "{id} is {row:?}, and was {change:?}"
            );
            ensure!(row.item.get() == change.item, "{id} has the item {}, and had {}", row.item, change.item);
        }
        ensure!(
            seen.len() == self.changes.len(),
            "{} of {} changes are there",
            seen.len(),
            self.changes.len()
        );
        Ok(())
    }

    /// # Errors
    /// Where the rows are not the table, attribute by attribute, each item by its last change.
    pub fn are_latest(&self, rows: &[DumpedRow], table: &HashMap<Key, String>) -> Result<()> {
        let mut last: HashMap<&Key, &str> = HashMap::new();
        for change in self.changes.values() {
            let last = last.entry(&change.key).or_default();
            *last = change.sequence.as_str().max(last);
        }
        let mut seen = BTreeSet::new();
        for row in rows {
            let id = &row.event_id;
            let change = self.changes.get(id).with_context(|| format!("{id} is no change of the stream"))?;
            ensure!(seen.insert(&change.key), "a key is there twice, once as {id}");
            ensure!(
                last.get(&change.key) == Some(&row.sequence.as_str()),
                "{id} is not its key's last change"
            );
            let item =
                table.get(&change.key).with_context(|| format!("the item of {id} is not in the table"))?;
            ensure!(row.item.get() == item, "{id} has the item {}, the table {item}", row.item);
        }
        ensure!(seen.len() == table.len(), "{} of {} items are there", seen.len(), table.len());
        Ok(())
    }
}

fn change(record: &HistoryRecord) -> Result<Change> {
    let Record { operation, dynamodb } = serde_json::from_str(record.json.get())?;
    let image = dynamodb.new_image.or(dynamodb.old_image).context("a record without an image")?;
    let item = serde_json::from_str::<Image>(image.get())?.json;
    let changed_at = Micros::from_second(dynamodb.approximate_creation_date_time).context("a time")?;
    Ok(Change {
        key: record.key.clone(),
        sequence: record.sequence.as_str().to_owned(),
        operation,
        changed_at: changed_at.to_rfc3339(),
        item: canonical_values(&item)?,
    })
}
