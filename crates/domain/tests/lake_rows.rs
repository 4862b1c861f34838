//! What the lake promises of every row: whatever an item holds and whatever was declared, it comes back as it was.

use std::collections::BTreeMap;

use domain::change::{ChangeId, Reject, RemovedBy, Sequence};
use domain::lake::object_key::{self, Compression};
use domain::lake::{
    ColumnType, Columns, Item, LakeConfig, Micros, Partition, PartitionSpec, Row, RowOperation,
};
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Names that items and declarations share, so that they meet; and any other.
fn attribute_name() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => prop::sample::select(vec!["birthDate", "amount", "a b", "a/b=c%", "größe", "", "_op", "_extra", "ID", "at"])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,37})",
        "-?(0|[1-9][0-9]{0,18})\\.[0-9]{1,19}",
        "-?[1-9](\\.[0-9]{1,37})?E[+-]?[1-9][0-9]{0,2}",
        "17[0-9]{8}(\\.[0-9]{1,7})?",
    ]
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<String>().prop_map(|text| Value::from(text).to_string()),
        "20[0-9]{2}-0[1-9]-[12][0-9]T1[0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,7})?(Z|\\+02:00)"
            .prop_map(|time| format!("\"{time}\"")),
        number(),
        prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|map| {
                let members: Vec<_> =
                    map.iter().map(|(name, json)| format!("{}:{json}", Value::from(name.as_str()))).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn item() -> impl Strategy<Value = Item> {
    prop::collection::btree_map(attribute_name(), value(), 0..8).prop_map(|attributes| {
        let mut item = Item::default();
        for (name, json) in attributes.iter().filter(|(name, _)| *name != "id" && *name != "sk") {
            item.push(name, json);
        }
        item
    })
}

fn columns() -> impl Strategy<Value = Columns> {
    let column_type = prop_oneof![
        Just(ColumnType::String),
        Just(ColumnType::Boolean),
        Just(ColumnType::BigInt),
        Just(ColumnType::Timestamp),
        Just(ColumnType::TimestampSeconds),
        Just(ColumnType::TimestampMilliseconds),
        Just(ColumnType::Json),
        (1..=38_u8)
            .prop_flat_map(|precision| (Just(precision), 0..=precision))
            .prop_map(|(precision, scale)| ColumnType::Decimal { precision, scale }),
    ];
    prop::collection::btree_map(attribute_name(), column_type, 0..8)
        .prop_filter_map("columns that exclude each other", |types| Columns::new(types).ok())
}

/// Attributes by name; a number by its digits and their place, since `1.10` and `1.1E0` are the same number.
fn attributes(item: &Item) -> BTreeMap<String, String> {
    item.iter().map(|(name, json)| (name.to_owned(), canonical(json))).collect()
}

fn canonical(json: &str) -> String {
    match serde_json::from_str::<&RawValue>(json).expect("well-formed").get() {
        // The column of a text keeps its characters, not its escapes.
        text if text.starts_with('"') => {
            Value::from(serde_json::from_str::<String>(text).expect("well-formed")).to_string()
        }
        number if number.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => {
            let (mantissa, exponent) = number.split_once('E').unwrap_or((number, "0"));
            let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let sign = if whole.starts_with('-') { "-" } else { "" };
            let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
            let trimmed = digits.trim_start_matches('0').trim_end_matches('0');
            if trimmed.is_empty() {
                return "0".to_owned();
            }
            let count = |digits: usize| i64::try_from(digits).expect("few");
            let trailing = digits.len() - digits.trim_end_matches('0').len();
            let place = exponent.parse::<i64>().expect("digits") - count(fraction.len()) + count(trailing);
            format!("{sign}{trimmed}E{place}")
        }
        other => other.to_owned(),
    }
}

fn row(item: Item, operation: RowOperation, second: i64) -> Row {
    Row {
        operation,
        event_id: ChangeId::of_record("arn", "event", "7"),
        sequence: Sequence::parse("700000000000000000001").expect("well-formed"),
        changed_at: Micros::from_second(second).expect("well-formed"),
        removed_by: (operation == RowOperation::Remove).then_some(RemovedBy::Ttl),
        id: "PATIENT#1 \"\u{e9}\\".to_owned(),
        sk: String::new(),
        item,
    }
}

proptest! {
    #[test]
    fn a_line_gives_back_every_attribute(item in item(), columns in columns(), second in 0..4_000_000_000_i64) {
        for operation in [RowOperation::Insert, RowOperation::Modify, RowOperation::Remove, RowOperation::Snapshot] {
            let row = row(item.clone(), operation, second);
            let mut line = String::new();
            row.write_line(&columns, &mut line);
            prop_assert_eq!(line.matches('\n').count(), 1);
            let read = Row::read_line(line.trim_end()).expect("well-formed");
            prop_assert_eq!(attributes(&read.item), attributes(&row.item));
            prop_assert_eq!(read.item.iter().count(), row.item.iter().count());
            prop_assert_eq!(Row { item: Item::default(), ..read }, Row { item: Item::default(), ..row });
        }
    }

    #[test]
    fn columns_and_their_rest_give_back_every_attribute(item in item(), columns in columns()) {
        let split = columns.split(&item);
        let joined = columns.join(&split.cells, &split.extra).expect("well-formed");
        prop_assert_eq!(attributes(&joined), attributes(&item));
        prop_assert_eq!(joined.iter().count(), item.iter().count());
    }

    #[test]
    fn the_path_of_a_partition_is_read_back(item in item(), second in 0..4_000_000_000_i64) {
        let spec: PartitionSpec = serde_json::from_value(json!({
            "attributes": ["birthDate", "a/b=c%"],
            "time": {"from": {"attribute": "at", "format": "rfc3339"}, "unit": "minute"},
        })).expect("well-formed");
        let partition = spec.partition(&item, Micros::from_second(second).expect("well-formed"));
        prop_assert_eq!(Partition::parse(&partition.to_string()), Some(partition));
    }
}

fn record(operation: &str, new: &str, old: &str) -> String {
    format!(
        r#"{{"eventID": "e", "eventName": "{operation}", "eventSourceARN": "arn", "dynamodb": {{
            "ApproximateCreationDateTime": 1795331640, "SequenceNumber": "7",
            "Keys": {{"id": {{"S": "PATIENT#1"}}, "sk": {{"S": "ADDRESS#1"}}}}{new}{old}}}}}"#
    )
}

/// Amazon S3 user guide, "Naming Amazon S3 objects": a key has at most 1,024 bytes.
#[test]
fn the_longest_names_and_values_make_a_key_that_s3_takes() {
    let names: Vec<String> = ('a'..='d').map(|name| name.to_string().repeat(48)).collect();
    let config = LakeConfig::parse(
        &json!({"table": "items", "partition": {
            "attributes": names, "time": {"from": {"attribute": "at", "format": "rfc3339"}, "unit": "minute"},
        }})
        .to_string(),
    )
    .expect("four names of 48 bytes");
    let mut item = Item::default();
    for name in &names {
        item.push(name, &json!("é".repeat(64)).to_string());
    }
    let partition = config.partition.partition(&item, Micros::from_second(0).expect("well-formed"));
    assert_eq!(partition.missing(), 5, "the values are taken, and the time is missing");
    let record = record("INSERT", r#", "NewImage": {}"#, "");
    let row = row_of(&record).expect("well-formed");
    let key = object_key::raw(&config, &partition, &[row], Compression::Zstd).expect("a row");
    assert!((950..=1_024).contains(&key.len()), "{} bytes", key.len());
}

fn row_of(record: &str) -> Result<Row, Reject> {
    let record: &RawValue = serde_json::from_str(record).expect("JSON");
    Row::of_record(record).map(|(row, _)| row)
}

#[test]
fn the_row_of_a_removed_item_says_what_it_was() {
    let new = r#", "NewImage": {"city": {"S": "Bern"}}"#;
    let old = r#", "OldImage": {"city": {"S": "Biel"}}"#;
    for (operation, new, old, city) in [
        ("INSERT", new, "", r#""Bern""#),
        ("MODIFY", new, old, r#""Bern""#),
        ("REMOVE", "", old, r#""Biel""#),
    ] {
        let record = record(operation, new, old);
        let row = row_of(&record).expect("well-formed");
        assert_eq!(row.operation.to_string(), operation);
        assert_eq!(row.item.get("city"), Some(city));
        assert_eq!((row.id.as_str(), row.sk.as_str()), ("PATIENT#1", "ADDRESS#1"));
    }
}

#[test]
fn an_image_that_cannot_be_read_is_a_reject_that_names_it() {
    let record = record("INSERT", r#", "NewImage": {"city": {"X": "Bern"}}"#, "");
    let reject = row_of(&record).unwrap_err();
    assert!(format!("{reject:?}").contains("dynamodb.NewImage"), "{reject:?}");
}

#[test]
fn a_line_is_what_the_readers_expect() {
    let columns: BTreeMap<String, ColumnType> = serde_json::from_value(json!({
        "birthDate": "string", "amount": "decimal(38,9)", "active": "boolean", "visits": "bigint", "tags": "json",
        "seenAt": "timestamp", "savedAt": "timestamp_s", "sentAt": "timestamp_ms", "unfit": "boolean",
    }))
    .expect("well-formed");
    let item = Item::from_json(
        r#"{"birthDate": "1990-02-03", "amount": 12345678901234567890.5, "active": true, "visits": 3,
            "tags": ["a", 1.10], "seenAt": "2026-11-22T08:14:00+01:00", "savedAt": 1795331640, "sentAt": 1795331640250,
            "unfit": "yes", "other \"one\"": null}"#,
    )
    .expect("well-formed");
    let mut line = String::new();
    let row = row(item, RowOperation::Modify, 1_795_331_640);
    assert_eq!(row.write_line(&Columns::new(columns).expect("well-formed"), &mut line), 1, "misfits");
    let read = Row::read_line(&line).expect("well-formed");
    assert_eq!(attributes(&read.item), attributes(&row.item));
    assert_eq!(read.item.iter().count(), row.item.iter().count());
    let object: BTreeMap<String, String> = serde_json::from_str(&line).expect("well-formed");
    insta::assert_json_snapshot!(object);
}
