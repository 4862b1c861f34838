//! Stream records of the common shape, made rows without a parser.
//!
//! Of the two images only the one that the row keeps is looked into. Everything that is not as usual (an expiry, an escape in
//! a key, whatever is wrong) is left to [`LakeRecord`](super::LakeRecord).

use super::json_cursor::JsonCursor;
use super::{Item, Micros, Row, RowOperation};
use crate::change::{ChangeId, Sequence, whole_second};

/// A number of so many characters is the same double to every parser.
const EXACT_DIGITS: usize = 15;

#[derive(Default)]
struct Record<'a> {
    event_id: Option<&'a str>,
    operation: Option<RowOperation>,
    stream_arn: Option<&'a str>,
    change: Option<Change<'a>>,
}

#[derive(Default)]
struct Change<'a> {
    created_at: Option<Micros>,
    keys: Option<(&'a str, &'a str)>,
    new_image: Option<Item>,
    old_image: Option<OldImage>,
    sequence_number: Option<&'a str>,
}

enum OldImage {
    Read(Item),
    /// Behind the new one, which the row keeps.
    Passed,
}

/// The row, and the record's sequence number. `None` where the record, which has to be valid JSON, is of another shape.
pub(super) fn read(json: &str) -> Option<(Row, &str)> {
    let mut record = Record::default();
    JsonCursor::of(json).members(|cursor, name| match name {
        "eventID" => set(&mut record.event_id, cursor.plain_string()?),
        "eventName" => set(&mut record.operation, operation(cursor.plain_string()?)?),
        "eventSourceARN" => set(&mut record.stream_arn, cursor.plain_string()?),
        "dynamodb" => set(&mut record.change, change(cursor)?),
        "userIdentity" => None,
        _ => cursor.value().map(drop),
    })?;

    let change = record.change?;
    let operation = record.operation?;
    let item = match (operation, change.new_image, change.old_image) {
        (RowOperation::Insert, Some(new), _) | (RowOperation::Modify, Some(new), Some(_)) => new,
        (RowOperation::Remove, None, Some(OldImage::Read(old))) => old,
        _ => return None,
    };
    let (id, sk) = change.keys?;
    let number = change.sequence_number?;
    let row = Row {
        operation,
        event_id: ChangeId::of_record(record.stream_arn?, record.event_id?, number),
        sequence: Sequence::parse(number).ok()?,
        changed_at: change.created_at?,
        removed_by: None,
        id: id.to_owned(),
        sk: sk.to_owned(),
        item,
    };
    Some((row, number))
}

fn operation(name: &str) -> Option<RowOperation> {
    match name {
        "INSERT" => Some(RowOperation::Insert),
        "MODIFY" => Some(RowOperation::Modify),
        "REMOVE" => Some(RowOperation::Remove),
        _ => None,
    }
}

fn change<'a>(cursor: &mut JsonCursor<'a>) -> Option<Change<'a>> {
    let mut change = Change::default();
    cursor.members(|cursor, name| match name {
        "ApproximateCreationDateTime" => set(&mut change.created_at, time(cursor.value()?)?),
        "Keys" => set(&mut change.keys, keys(cursor)?),
        "NewImage" => set(&mut change.new_image, Item::from_plain_image(cursor)?),
        "OldImage" if change.new_image.is_some() => {
            let is_image = cursor.peek()? == b'{';
            cursor.value()?;
            is_image.then(|| set(&mut change.old_image, OldImage::Passed))?
        }
        "OldImage" => set(&mut change.old_image, OldImage::Read(Item::from_plain_image(cursor)?)),
        "SequenceNumber" => set(&mut change.sequence_number, cursor.plain_string()?),
        _ => cursor.value().map(drop),
    })?;
    Some(change)
}

fn time(number: &str) -> Option<Micros> {
    let seconds: f64 = (number.len() <= EXACT_DIGITS).then(|| number.parse().ok())??;
    Micros::from_second(whole_second(seconds)?)
}

fn keys<'a>(cursor: &mut JsonCursor<'a>) -> Option<(&'a str, &'a str)> {
    let (mut id, mut sk) = (None, None);
    cursor.members(|cursor, name| match name {
        "id" => set(&mut id, text(cursor)?),
        "sk" => set(&mut sk, text(cursor)?),
        _ => None,
    })?;
    Some((id?, sk?))
}

/// An attribute value that is a text.
fn text<'a>(cursor: &mut JsonCursor<'a>) -> Option<&'a str> {
    let mut text = None;
    cursor.members(|cursor, descriptor| match descriptor {
        "S" => set(&mut text, cursor.plain_string()?),
        _ => None,
    })?;
    text
}

/// A member that comes twice is an error; the parser says which.
fn set<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use super::*;
    use crate::lake::LakeRecord;

    fn records() -> Vec<Value> {
        let image =
            |weight: &str| json!({"id": {"S": "a"}, "weight": {"N": weight}, "tags": {"SS": ["b", "a"]}});
        let record = |operation: &str, images: Value| {
            let mut record = json!({
                "eventID": "e", "eventName": operation, "eventVersion": "1.1", "eventSourceARN": "arn:a",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_795_331_640, "SizeBytes": 64,
                    "Keys": {"id": {"S": "a"}, "sk": {"S": "größe"}}, "SequenceNumber": "400000000000000000000",
                },
            });
            record["dynamodb"].as_object_mut().unwrap().extend(images.as_object().unwrap().clone());
            record
        };
        let both = json!({"NewImage": image("2.50"), "OldImage": image("1")});
        vec![
            record("INSERT", json!({"NewImage": image("1")})),
            record("MODIFY", both.clone()),
            record("REMOVE", json!({"OldImage": image("1")})),
            record("REMOVE", both.clone()),
            record("INSERT", both),
        ]
    }

    /// Every place in the value, as a JSON pointer.
    fn places(value: &Value, at: &str, places: &mut Vec<String>) {
        for (name, member) in value.as_object().into_iter().flatten() {
            let place = format!("{at}/{name}");
            self::places(member, &place, places);
            places.push(place);
        }
    }

    /// Whether the record is common enough to be read here; whatever is read has to be what the parser reads.
    fn is_plain(json: &str) -> bool {
        let parsed = LakeRecord::decode(json).and_then(|record| Ok((record.row()?, record.sequence_number)));
        let plain = read(json);
        if let Some((row, number)) = &plain {
            let (parsed_row, parsed_number) = parsed.as_ref().expect(json);
            assert_eq!((row, *number), (parsed_row, parsed_number.as_ref()), "{json}");
        }
        let record: &RawValue = serde_json::from_str(json).unwrap();
        assert_eq!(Row::of_record(record), parsed, "{json}");
        plain.is_some()
    }

    #[test]
    fn the_parser_and_the_reading_of_common_records_agree() {
        for (position, record) in records().into_iter().enumerate() {
            assert_eq!(is_plain(&record.to_string()), position != 3, "{record}");
            let spaced = serde_json::to_string_pretty(&record).unwrap();
            assert_eq!(is_plain(&spaced), position != 3, "{spaced}");
        }
    }

    #[test]
    fn the_parser_and_the_reading_of_common_records_agree_where_something_is_wrong() {
        let values = [
            json!(null),
            json!(5),
            json!("x"),
            json!("a \"b\""),
            json!({}),
            json!([]),
            json!(1.5e9),
            json!(1e300),
        ];
        let mut changed = 0;
        for record in records() {
            let mut all = Vec::new();
            places(&record, "", &mut all);
            for place in all {
                for value in &values {
                    let mut record = record.clone();
                    *record.pointer_mut(&place).unwrap() = value.clone();
                    is_plain(&record.to_string());
                    changed += 1;
                }
                let (parent, name) = place.rsplit_once('/').unwrap();
                let mut record = record.clone();
                record.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
                is_plain(&record.to_string());
            }
        }
        assert!(changed > 500, "{changed}");
    }

    #[test]
    fn what_is_not_common_is_left_to_the_parser() {
        let record = records().remove(0).to_string();
        let with = |old: &str, new: &str| {
            let changed = record.replacen(old, new, 1);
            assert_ne!(changed, record);
            is_plain(&changed)
        };
        assert!(with("1795331640", "1.79533164E9"));
        assert!(!with("1795331640", "1795331640.0000000001"));
        assert!(!with(
            r#""eventVersion":"1.1""#,
            r#""userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}"#
        ));
        assert!(!with(r#""eventVersion":"1.1""#, r#""eventID":"e""#));
        assert!(!with(r#""größe""#, r#""gr\u00f6\u00dfe""#));
        assert!(!with("}}", r#","NewImage":{}}}"#));
    }
}
