//! Stream records of the common shape, read without a parser.
//!
//! Everything that is not as usual (an escape in a key, a member that comes twice, whatever is wrong) is left to the parser
//! of [`StreamRecord::decode`].

use std::borrow::Cow;

use super::record::{Wire, WireChange};
use super::{Keys, Operation, StreamRecord, StringAttribute};
use crate::json_cursor::JsonCursor;

/// A number of so many characters is the same double to every parser.
const EXACT_DIGITS: usize = 15;

/// An image as a reader of stream records wants it.
pub(crate) trait PlainImage<'a>: Sized {
    /// Reads the image at which the cursor stands; `None` where it is of another shape than the common one. `is_behind_new`
    /// says that it is the old image, and that the new one came before it.
    fn read(cursor: &mut JsonCursor<'a>, is_behind_new: bool) -> Option<Self>;
}

/// The record at which the cursor stands; `None` where it is of another shape than the common one.
pub(crate) fn read<'a, I: PlainImage<'a>>(cursor: &mut JsonCursor<'a>) -> Option<StreamRecord<'a, I>> {
    let (mut event_id, mut event_name, mut stream_arn) = (None, None, None);
    let (mut dynamodb, mut user_identity) = (None, None);
    cursor.members(|cursor, name| match name {
        "eventID" => set(&mut event_id, cursor.plain_string()?),
        "eventName" => set(&mut event_name, operation(cursor.plain_string()?)?),
        "eventSourceARN" => set(&mut stream_arn, cursor.plain_string()?),
        "dynamodb" => set(&mut dynamodb, change(cursor)?),
        "userIdentity" => set(&mut user_identity, serde_json::from_str(cursor.value()?).ok()?),
        _ => cursor.value().map(drop),
    })?;
    let wire = Wire {
        event_id: Cow::Borrowed(event_id?),
        event_name: event_name?,
        stream_arn: Cow::Borrowed(stream_arn?),
        dynamodb: dynamodb?,
        user_identity,
    };
    StreamRecord::of_wire(wire).ok()
}

fn operation(name: &str) -> Option<Operation> {
    match name {
        "INSERT" => Some(Operation::Insert),
        "MODIFY" => Some(Operation::Modify),
        "REMOVE" => Some(Operation::Remove),
        _ => None,
    }
}

fn change<'a, I: PlainImage<'a>>(cursor: &mut JsonCursor<'a>) -> Option<WireChange<'a, I>> {
    let (mut created_at, mut keys_of_item, mut sequence_number) = (None, None, None);
    let (mut new_image, mut old_image) = (None, None);
    cursor.members(|cursor, name| match name {
        "ApproximateCreationDateTime" => set(&mut created_at, seconds(cursor.value()?)?),
        "Keys" => set(&mut keys_of_item, keys(cursor)?),
        "NewImage" => set(&mut new_image, I::read(cursor, false)?),
        "OldImage" => set(&mut old_image, I::read(cursor, new_image.is_some())?),
        "SequenceNumber" => set(&mut sequence_number, cursor.plain_string()?),
        _ => cursor.value().map(drop),
    })?;
    Some(WireChange {
        approximate_creation_date_time: Some(created_at?),
        keys: keys_of_item?,
        new_image,
        old_image,
        sequence_number: Cow::Borrowed(sequence_number?),
    })
}

fn seconds(number: &str) -> Option<f64> {
    (number.len() <= EXACT_DIGITS).then(|| number.parse().ok())?
}

fn keys<'a>(cursor: &mut JsonCursor<'a>) -> Option<Keys<'a>> {
    let (mut id, mut sk) = (None, None);
    cursor.members(|cursor, name| match name {
        "id" => set(&mut id, text(cursor)?),
        "sk" => set(&mut sk, text(cursor)?),
        _ => None,
    })?;
    Some(Keys { id: id?, sk: sk? })
}

/// An attribute value that is a text.
fn text<'a>(cursor: &mut JsonCursor<'a>) -> Option<StringAttribute<'a>> {
    let mut text = None;
    cursor.members(|cursor, descriptor| match descriptor {
        "S" => set(&mut text, cursor.plain_string()?),
        _ => None,
    })?;
    Some(StringAttribute { text: Cow::Borrowed(text?) })
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
    use crate::change::{Image, Reject};
    use crate::lake::{LakeRecord, Row};

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
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let parsed: Result<StreamRecord<'_>, Reject> = StreamRecord::decode(json);
        let plain: Option<StreamRecord<'_, Image>> = read(&mut JsonCursor::of(raw));
        if let Some(plain) = &plain {
            assert_eq!(plain, parsed.as_ref().expect(json), "{json}");
        }
        let row = LakeRecord::decode(json).and_then(|record| {
            let number = record.sequence_number.clone();
            Ok((record.row()?, number))
        });
        assert_eq!(Row::of_record(raw), row, "{json}");
        let batch = format!("[{json}, {json}]");
        let batch: &RawValue = serde_json::from_str(&batch).unwrap();
        assert_eq!(StreamRecord::read_batch(batch).expect(json), [parsed.clone(), parsed], "{json}");
        plain.is_some()
    }

    #[test]
    fn the_parser_and_the_reading_of_common_records_agree() {
        for record in records() {
            assert!(is_plain(&record.to_string()), "{record}");
            let spaced = serde_json::to_string_pretty(&record).unwrap();
            assert!(is_plain(&spaced), "{spaced}");
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

    /// An image of every kind of value, with what a change takes from an image.
    fn full_image(version: &str) -> Value {
        json!({
            "id": {"S": "a"}, "itemType": {"S": "Patient"}, "correlationId": {"S": version}, "count": {"N": "12.50"},
            "note": {"S": "\"two\"\nlines"}, "photo": {"B": "AAE="}, "active": {"BOOL": true}, "gone": {"NULL": true},
            "tags": {"SS": ["b", "a", "\u{7}"]}, "counts": {"NS": ["2", "1"]}, "keys": {"BS": ["Ag==", "AQ=="]},
            "names": {"L": [{"M": {"given": {"L": [{"S": version}, {"NULL": true}]}, "na\"me": {"N": "1E3"}}}, {"L": []}]},
        })
    }

    #[test]
    fn images_of_every_kind_are_read_alike_in_either_order() {
        for operation in ["MODIFY", "REMOVE"] {
            for (first, second) in [("NewImage", "OldImage"), ("OldImage", "NewImage")] {
                let images = |first_image: &Value, second_image: &Value| {
                    let record = records().remove(0).to_string().replace("INSERT", operation);
                    let images = format!(r#""{first}":{first_image},"{second}":{second_image}"#);
                    let new = format!(
                        r#""NewImage":{}"#,
                        json!({"id": {"S": "a"}, "weight": {"N": "1"}, "tags": {"SS": ["b", "a"]}})
                    );
                    let changed = record.replacen(&new, &images, 1);
                    assert_ne!(changed, record);
                    changed
                };
                is_plain(&images(&full_image("1"), &full_image("2")));
                is_plain(&images(&json!({"id": {"X": 1}}), &full_image("2")));
                is_plain(&images(&full_image("1"), &json!({"id": {"X": 1}})));
                let usual = json!({"id": {"S": "a"}, "itemType": {"S": "A"}, "names": {"L": [{"M": {"n": {"N": "1"}}}]}});
                assert!(is_plain(&images(&usual, &usual)), "{operation}, {first}");
            }
        }
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
        for identity in
            [r#"{"type":"Service","principalId":"dynamodb.amazonaws.com"}"#, r#"{"type":"Service"}"#, "{}"]
        {
            assert!(with(r#""eventVersion":"1.1""#, &format!(r#""userIdentity":{identity}"#)), "{identity}");
        }
        assert!(!with(r#""eventVersion":"1.1""#, r#""userIdentity":{"type":5}"#));
        assert!(!with(r#""eventVersion":"1.1""#, r#""userIdentity":null"#));
        assert!(!with(r#""eventVersion":"1.1""#, r#""eventID":"e""#));
        assert!(!with(r#""größe""#, r#""gr\u00f6\u00dfe""#));
        assert!(!with("}}", r#","NewImage":{}}}"#));
    }
}
