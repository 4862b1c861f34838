//! Rows that tests begin with.

use domain::change::{ChangeId, Sequence};
use domain::lake::object_key::Compression;
use domain::lake::{Item, LakeConfig, Micros, Row, RowOperation};
use lake_writer::{Encoder, group};

use super::{World, config};

/// A change of a key, the `number`-th of the table. Its values are of all kinds.
pub fn change(key: &str, site: &str, number: u64) -> Row {
    let mut item = Item::default();
    item.push("site", &format!("\"{site}\""));
    item.push("name", &format!("\"Patient {number} é \\\"\""));
    item.push("weight", if number.is_multiple_of(3) { "\"heavy\"" } else { "70.25" });
    item.push("at", "\"2026-11-22T08:14:00+01:00\"");
    item.push("tags", "[1.10,null,{}]");
    item.push("a b/c", &format!("[{number}]"));
    row(key, RowOperation::Modify, number, &format!("event {number}"), item)
}

/// The removal of a key. It carries the item that was removed.
pub fn remove(key: &str, site: &str, number: u64) -> Row {
    Row { operation: RowOperation::Remove, ..change(key, site, number) }
}

/// How a key stood at a time; two of them may be of the same time.
pub fn snapshot(key: &str, site: &str, time: u64, name: &str) -> Row {
    let mut item = Item::default();
    item.push("site", &format!("\"{site}\""));
    item.push("name", &format!("\"{name}\""));
    row(key, RowOperation::Snapshot, time, &format!("snapshot {key} {name}"), item)
}

fn row(key: &str, operation: RowOperation, number: u64, event: &str, item: Item) -> Row {
    Row {
        operation,
        event_id: ChangeId::of_record("arn", event, &number.to_string()),
        sequence: Sequence::parse(&number.to_string()).unwrap(),
        changed_at: Micros::from_second(1_795_331_640).unwrap(),
        removed_by: None,
        id: key.to_owned(),
        sk: "PATIENT".to_owned(),
        item,
    }
}

impl World {
    /// Writes rows as the writer does: a file for each partition.
    pub fn write(&mut self, rows: &[Row]) -> Vec<String> {
        self.write_as(rows, Compression::Zstd, &config())
    }

    pub fn write_as(&mut self, rows: &[Row], compression: Compression, config: &LakeConfig) -> Vec<String> {
        let mut encoder = Encoder::new(config, compression).unwrap();
        let mut keys = Vec::new();
        for group in group(&config.partition, rows.to_vec()) {
            let file = encoder.encode(&group.partition, &group.rows).unwrap();
            self.put(&file.key, file.body);
            keys.push(file.key);
        }
        self.reader.expect(rows);
        self.look();
        keys
    }
}
