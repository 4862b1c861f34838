//! What goes into a Parquet file comes out of it.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::change::{ChangeId, RemovedBy, Sequence};
use domain::lake::{ColumnType, Columns, Item, Micros, Row, RowOperation};
use lake_parquet::{ROW_GROUP_BYTES, RowReader, RowWriter};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

fn file(rows: &[Row], columns: &Columns) -> Bytes {
    let mut writer = RowWriter::new(Vec::new(), columns).unwrap();
    for row in rows {
        writer.push(row).unwrap();
    }
    Bytes::from(writer.finish().unwrap())
}

fn rows_of(file: &Bytes) -> Vec<Row> {
    RowReader::new(file.clone()).unwrap().map(Result::unwrap).collect()
}

fn columns(declared: &BTreeMap<String, ColumnType>) -> Columns {
    // Where two would share a column, or one would hide another, it is left out here.
    let mut kept = BTreeMap::new();
    for (attribute, column_type) in declared {
        kept.insert(attribute.clone(), *column_type);
        if Columns::new(kept.clone()).is_err() {
            kept.remove(attribute);
        }
    }
    Columns::new(kept).unwrap()
}

/// A value of an attribute, such that two texts of the same value are equal.
#[derive(Debug, PartialEq, Eq)]
enum Plain {
    Number { negative: bool, digits: String, exponent: i64 },
    Text(String),
    Other(String),
}

fn plain(json: &str) -> Plain {
    if json.starts_with('"') {
        return Plain::Text(serde_json::from_str(json).unwrap());
    }
    if !json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Plain::Other(json.to_owned());
    }
    let (negative, magnitude) = (json.starts_with('-'), json.trim_start_matches('-'));
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let digits = all.trim_end_matches('0');
    let digits_at = |count: usize| i64::try_from(count).unwrap();
    let exponent = exponent.parse::<i64>().unwrap() - digits_at(fraction.len());
    let exponent = exponent + digits_at(all.len() - digits.len());
    match digits.trim_start_matches('0') {
        "" => Plain::Number { negative: false, digits: String::new(), exponent: 0 },
        digits => Plain::Number { negative, digits: digits.to_owned(), exponent },
    }
}

/// A row with the values of its attributes.
fn told(row: &Row) -> (Row, BTreeMap<String, Plain>) {
    let attributes = row.item.iter().map(|(name, json)| (name.to_owned(), plain(json))).collect();
    (Row { item: Item::default(), ..row.clone() }, attributes)
}

fn all_told(rows: &[Row]) -> Vec<(Row, BTreeMap<String, Plain>)> {
    rows.iter().map(told).collect()
}

fn name() -> impl Strategy<Value = String> {
    let known = ["name", "Name", "birthDate", "amount", "a b", "a/b=c%", "_op", "東京", "", "x"];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
        .prop_filter("the key has columns of its own", |name| name != "id" && name != "sk")
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        "-?[1-9][0-9]{0,37}",
        "-?(0|[1-9][0-9]{0,9})\\.[0-9]{1,28}",
        "-?[1-9](\\.[0-9]{1,20})?[eE][+-]?[0-9]{1,2}",
        Just("-0".to_owned()),
        Just("1.10".to_owned()),
    ]
}

fn json() -> impl Strategy<Value = String> {
    let text = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    let time = prop::sample::select(vec![
        r#""2026-11-22T07:14:00Z""#,
        r#""2026-11-22T08:14:00.250000+01:00""#,
        r#""1969-12-31T23:59:59.999999Z""#,
        r#""2026-11-22""#,
        r#""\u00e9\ud83e\udec0\/""#,
        r#""""#,
    ]);
    let leaf = prop_oneof![
        text,
        time.prop_map(str::to_owned),
        number(),
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("null".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            btree_map(any::<String>(), inner, 0..4).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| format!("{}:{value}", serde_json::to_string(name).unwrap()))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn column_type() -> impl Strategy<Value = ColumnType> {
    let numbers = ["bigint", "decimal(38,9)", "decimal(38,0)", "decimal(10,2)"];
    let others = ["string", "boolean", "timestamp", "timestamp_s", "timestamp_ms", "json"];
    prop::sample::select([&numbers[..], &others[..]].concat()).prop_map(|text| text.parse().unwrap())
}

fn declared() -> impl Strategy<Value = Columns> {
    btree_map(name(), column_type(), 0..8).prop_map(|declared| columns(&declared))
}

fn row() -> impl Strategy<Value = Row> {
    let operations =
        [RowOperation::Insert, RowOperation::Modify, RowOperation::Remove, RowOperation::Snapshot];
    let keys = (any::<String>(), any::<String>());
    let change = (
        prop::sample::select(operations.to_vec()),
        "[0-9]{1,40}",
        any::<bool>(),
        -62_167_219_200_000_000_i64..253_402_300_800_000_000,
    );
    (keys, change, btree_map(name(), json(), 0..8)).prop_map(|((id, sk), change, attributes)| {
        let (operation, sequence, is_expired, micros) = change;
        let mut item = Item::default();
        for (name, json) in &attributes {
            item.push(name, json);
        }
        Row {
            operation,
            event_id: ChangeId::of_record("arn", &id, &sequence),
            sequence: Sequence::parse(&sequence).unwrap(),
            changed_at: Micros::new(micros).unwrap(),
            removed_by: is_expired.then_some(RemovedBy::Ttl),
            id,
            sk,
            item,
        }
    })
}

proptest! {
    #[test]
    fn i1_rows_come_back_whatever_was_declared(rows in vec(row(), 0..6), columns in declared()) {
        let written = file(&rows, &columns);
        prop_assert_eq!(&written, &file(&rows, &columns), "the same rows make the same bytes");
        let read = rows_of(&written);
        prop_assert_eq!(all_told(&read), all_told(&rows));
        prop_assert_eq!(&file(&read, &columns), &file(&rows_of(&file(&read, &columns)), &columns));
    }

    #[test]
    fn i1_rows_come_back_when_columns_are_gained_dropped_and_retyped(
        rows in vec(row(), 1..6),
        schemas in vec(declared(), 1..4),
    ) {
        let mut read = rows.clone();
        for columns in &schemas {
            read = rows_of(&file(&read, columns));
            let mut line = String::new();
            let through_lines = read.iter().map(|row| {
                line.clear();
                row.write_line(columns, &mut line);
                Row::read_line(&line).unwrap()
            });
            read = through_lines.collect();
        }
        prop_assert_eq!(all_told(&read), all_told(&rows));
    }
}

fn patient(number: usize, note: &str) -> Row {
    let mut item = Item::default();
    item.push("name", &format!("\"Patient {number}\""));
    item.push("note", &format!("\"{note}{number}\""));
    Row {
        operation: RowOperation::Insert,
        event_id: ChangeId::of_record("arn", "event", &number.to_string()),
        sequence: Sequence::parse(&number.to_string()).unwrap(),
        changed_at: Micros::from_second(1_795_331_640).unwrap(),
        removed_by: None,
        id: format!("PATIENT#{number:08}"),
        sk: "PATIENT".to_owned(),
        item,
    }
}

#[test]
fn i7_row_groups_are_bounded_and_have_statistics() {
    let columns = columns(&BTreeMap::from([("name".to_owned(), ColumnType::String)]));
    let note = "n".repeat(1_000_000);
    let rows: Vec<Row> = (0..100).map(|number| patient(number, &note)).collect();
    let written = file(&rows, &columns);
    let reader = SerializedFileReader::new(written.clone()).unwrap();
    let groups = reader.metadata().row_groups();
    assert_eq!(groups.len(), 3);
    for group in groups {
        let bytes = usize::try_from(group.total_byte_size()).unwrap();
        assert!(bytes <= ROW_GROUP_BYTES + note.len() + 100_000, "{bytes}");
        let ids = group.columns().iter().find(|column| column.column_path().string() == "id").unwrap();
        assert!(ids.statistics().unwrap().min_bytes_opt().unwrap().starts_with(b"PATIENT#"));
        assert_eq!(group.sorting_columns().unwrap().len(), 3);
    }
    assert_eq!(rows_of(&written), rows);
}

#[test]
fn what_is_no_file_of_the_lake_is_refused() {
    assert!(RowReader::new(Bytes::from_static(b"PAR1 and nothing else PAR1")).is_err());
    let whole = file(&[patient(1, "")], &Columns::default());
    for end in [0, 4, whole.len() / 2, whole.len() - 1] {
        assert!(RowReader::new(whole.slice(..end)).is_err(), "{end}");
    }
}
