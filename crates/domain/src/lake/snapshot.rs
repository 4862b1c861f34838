//! Rows of what stood in the table before the stream was read.
//!
//! Their sequence is a time in microseconds, which has 16 digits. A stream's sequence numbers have 21 or more (DynamoDB
//! Streams API reference, "StreamRecord"), so that a snapshot never wins over a change, and never brings back what a change
//! has removed. Among themselves snapshots are ordered by their time.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::columns::push_member;
use super::{Item, Micros, Row, RowOperation};
use crate::change::{ChangeId, Reject, RejectReason, Sequence};

/// A copy of a whole table: a full export, or a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub table_arn: String,
    /// Every item is at least as new as that.
    pub taken_at: Micros,
}

/// A line of a full export (Amazon DynamoDB developer guide, "DynamoDB table export output format").
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FullLine<'a> {
    #[serde(borrow)]
    item: &'a RawValue,
}

/// A line of an incremental export (same page): the last state of an item that changed in the export's window. One that
/// was deleted has no new image; the old ones are there if the export was asked for them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IncrementalLine<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    keys: &'a RawValue,
    #[serde(borrow)]
    new_image: Option<&'a RawValue>,
    #[serde(borrow)]
    old_image: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    write_timestamp_micros: NumberAttribute<'a>,
}

#[derive(Deserialize)]
struct NumberAttribute<'a> {
    #[serde(rename = "N")]
    digits: &'a str,
}

impl Snapshot {
    /// # Errors
    /// Where the line is none of a full export.
    pub fn row_of_line(&self, line: &str) -> Result<Row, Reject> {
        let line: FullLine<'_> = read(line)?;
        self.row_of_image(line.item.get())
    }

    /// The row of an item, given as a map of DynamoDB's attribute values.
    ///
    /// # Errors
    /// Where it is none, or has no key.
    pub fn row_of_image(&self, image: &str) -> Result<Row, Reject> {
        row(&self.table_arn, RowOperation::Snapshot, self.taken_at, item(image, "Item")?)
    }
}

impl Row {
    /// The row of a line of an incremental export.
    ///
    /// # Errors
    /// Where the line is none.
    pub fn of_incremental_line(table_arn: &str, line: &str) -> Result<Self, Reject> {
        let IncrementalLine { metadata, keys, new_image, old_image } = read(line)?;
        let written_at = metadata.write_timestamp_micros.digits.parse().ok().and_then(Micros::new);
        let written_at = written_at.ok_or_else(|| Reject::record("Metadata.WriteTimestampMicros"))?;
        let (operation, item) = match (new_image, old_image) {
            (Some(image), _) => (RowOperation::Snapshot, item(image.get(), "NewImage")?),
            (None, Some(image)) => (RowOperation::Remove, item(image.get(), "OldImage")?),
            (None, None) => (RowOperation::Remove, item(keys.get(), "Keys")?),
        };
        row(table_arn, operation, written_at, item)
    }
}

fn read<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, Reject> {
    serde_json::from_str(line)
        .map_err(|error| Reject::unreadable(RejectReason::RecordUnreadable, "the line", &error))
}

fn item(image: &str, element: &str) -> Result<Item, Reject> {
    Item::from_image(image)
        .map_err(|error| Reject::unreadable(RejectReason::RecordUnreadable, element, &error))
}

fn row(table_arn: &str, operation: RowOperation, at: Micros, item: Item) -> Result<Row, Reject> {
    let key = |name: &str| {
        let text = item.get(name).and_then(|json| serde_json::from_str::<String>(json).ok());
        text.ok_or_else(|| Reject::record(name))
    };
    let (id, sk) = (key("id")?, key("sk")?);
    let micros = at.get().to_string();
    Ok(Row {
        operation,
        event_id: ChangeId::of_snapshot(table_arn, operation.as_str(), &id, &sk, &micros, &sorted(&item)),
        sequence: Sequence::parse(&micros).map_err(|_| Reject::record("the time of the snapshot"))?,
        changed_at: at,
        removed_by: None,
        id,
        sk,
        item,
    })
}

/// The item as one text that does not depend on the order of its attributes, which DynamoDB does not promise.
fn sorted(item: &Item) -> String {
    let mut attributes: Vec<_> = item.iter().collect();
    attributes.sort_unstable();
    let mut json = String::with_capacity(item.size());
    for (name, value) in attributes {
        push_member(&mut json, name, value);
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/items";

    fn snapshot() -> Snapshot {
        let taken_at = Micros::from_rfc3339("2026-11-22T07:14:00.028Z").unwrap();
        Snapshot { table_arn: TABLE.to_owned(), taken_at }
    }

    fn incremental(rest: &str) -> Result<Row, Reject> {
        let keys = r#""Keys":{"id":{"S":"PATIENT#1"},"sk":{"S":"A"}}"#;
        Row::of_incremental_line(
            TABLE,
            &format!(r#"{{"Metadata":{{"WriteTimestampMicros":{{"N":"1795331640000007"}}}},{keys}{rest}}}"#),
        )
    }

    #[test]
    fn a_line_of_a_full_export_is_how_the_item_stood() {
        let line = r#"{"Item":{"id":{"S":"PATIENT#1"},"sk":{"S":"A"},"weight":{"N":"1.10"}}}"#;
        let row = snapshot().row_of_line(line).unwrap();
        assert_eq!(
            (row.operation, row.id.as_str(), row.sk.as_str()),
            (RowOperation::Snapshot, "PATIENT#1", "A")
        );
        assert_eq!(row.sequence.as_str(), "0000000000000000000000001795331640028000");
        assert_eq!(row.changed_at.to_string(), "2026-11-22 07:14:00.028");
        assert_eq!(row.item.get("weight"), Some("1.10"));
    }

    #[test]
    fn a_line_of_an_incremental_export_is_a_snapshot_or_a_removal() {
        let image = r#"{"id":{"S":"PATIENT#1"},"sk":{"S":"A"},"name":{"S":"x"}}"#;
        for (rest, operation, name) in [
            (format!(r#","NewImage":{image}"#), RowOperation::Snapshot, Some(r#""x""#)),
            (format!(r#","NewImage":{image},"OldImage":{{}}"#), RowOperation::Snapshot, Some(r#""x""#)),
            (format!(r#","OldImage":{image}"#), RowOperation::Remove, Some(r#""x""#)),
            (String::new(), RowOperation::Remove, None),
        ] {
            let row = incremental(&rest).unwrap();
            assert_eq!((row.operation, row.item.get("name")), (operation, name), "{rest}");
            assert_eq!((row.id.as_str(), row.sk.as_str()), ("PATIENT#1", "A"));
            assert_eq!(row.sequence.as_str(), "0000000000000000000000001795331640000007");
        }
    }

    #[test]
    fn i2_an_id_depends_on_what_the_row_says_and_on_no_order() {
        let id = |image: &str| snapshot().row_of_image(image).unwrap().event_id;
        let item = r#"{"id":{"S":"1"},"sk":{"S":"2"},"a":{"N":"1"}}"#;
        assert_eq!(id(item), id(r#"{"a":{"N":"1"},"sk":{"S":"2"},"id":{"S":"1"}}"#));
        assert_ne!(id(item), id(r#"{"a":{"N":"2"},"sk":{"S":"2"},"id":{"S":"1"}}"#));
        let later = Snapshot { taken_at: Micros::new(7).unwrap(), ..snapshot() };
        assert_ne!(id(item), later.row_of_image(item).unwrap().event_id);
        let elsewhere = Snapshot { table_arn: format!("{TABLE}-2"), ..snapshot() };
        assert_ne!(id(item), elsewhere.row_of_image(item).unwrap().event_id);
    }

    #[test]
    fn i6_what_cannot_be_read_is_told_without_a_value() {
        let before_the_epoch = Snapshot { taken_at: Micros::new(-1).unwrap(), ..snapshot() };
        let whole = r#"{"id":{"S":"Ngozi"},"sk":{"S":"Ngozi"}}"#;
        for rejected in [
            snapshot().row_of_line("Ngozi"),
            snapshot().row_of_line(r#"{"NewImage":{}}"#),
            snapshot().row_of_line(r#"{"Item":{"id":"Ngozi"}}"#),
            snapshot().row_of_line(r#"{"Item":{"id":{"S":"Ngozi"}}}"#),
            snapshot().row_of_line(r#"{"Item":{"id":{"S":"Ngozi"},"sk":{"N":"5"}}}"#),
            before_the_epoch.row_of_image(whole),
            incremental(r#","NewImage":{"id":{"S":5}}"#),
            Row::of_incremental_line(TABLE, &format!(r#"{{"Item":{whole}}}"#)),
            Row::of_incremental_line(
                TABLE,
                &format!(r#"{{"Metadata":{{"WriteTimestampMicros":{{"N":"Ngozi"}}}},"Keys":{whole}}}"#),
            ),
        ] {
            let reject = rejected.unwrap_err().to_string();
            assert!(!reject.contains("Ngozi"), "{reject}");
        }
    }
}
