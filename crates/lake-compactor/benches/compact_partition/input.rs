//! Raw files of one partition, the same at every run.

use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::change::{ChangeId, Sequence};
use domain::lake::object_key::Compression;
use domain::lake::{Item, LakeConfig, Micros, Partition, Row, RowOperation};
use lake_writer::{Encoder, group};

/// 2026-11-22T07:14:00Z.
const FIRST_SECOND: i64 = 1_795_331_640;

const FAMILIES: [&str; 8] =
    ["Okafor", "Sample-Ünal", "Lindqvist", "O'Hara", "Nakamura", "Silva", "Ivanova", "Ng"];
const GIVEN: [&str; 8] = ["Zoë", "José", "Amara", "Linh", "Noah", "Ingrid", "Mateo", "Sana"];

/// What was written.
pub struct Input {
    pub partition: Partition,
    pub files: Vec<PathBuf>,
    /// Of the lines, before they were compressed.
    pub bytes: u64,
}

/// Writes files of so many rows each, as the writer does, until `is_enough` of the files and of their lines' bytes.
pub fn write(
    config: &LakeConfig,
    folder: &Path,
    rows_of_file: u64,
    is_enough: impl Fn(usize, u64) -> bool,
) -> anyhow::Result<Input> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut encoder = Encoder::new(config, Compression::Zstd)?;
    let (mut partition, mut files, mut bytes, mut number) = (None, Vec::new(), 0, 0);
    let mut line = String::new();
    while !is_enough(files.len(), bytes) {
        let rows: Vec<Row> = (number..number + rows_of_file).map(|number| row(number, &mut random)).collect();
        number += rows_of_file;
        for group in group(&config.partition, rows) {
            line.clear();
            group.rows.first().map(|row| row.write_line(&config.columns, &mut line));
            bytes += (line.len() * group.rows.len()) as u64;
            let file = encoder.encode(&group.partition, &group.rows)?;
            let path = folder.join(file.key);
            std::fs::create_dir_all(path.parent().context("a key without a folder")?)?;
            std::fs::write(&path, file.body)?;
            files.push(path);
            partition.get_or_insert(group.partition);
        }
    }
    Ok(Input { partition: partition.context("no files")?, files, bytes })
}

/// A change of a patient: 1 KB as a line.
fn row(number: u64, random: &mut fastrand::Rng) -> Row {
    let patient = format!("PATIENT#{:08}", random.u32(..10_000_000));
    let mut item = Item::default();
    item.push("id", &format!("\"{patient}\""));
    item.push("sk", &format!("\"{patient}\""));
    item.push("itemType", "\"Patient\"");
    item.push("siteId", "2");
    item.push("correlationId", &format!("\"{:032x}\"", random.u128(..)));
    item.push("active", if random.u8(..10) > 0 { "true" } else { "false" });
    item.push("revision", &random.u32(1..50).to_string());
    item.push("balance", &format!("{}.{:02}", random.u32(..2_000), random.u32(..100)));
    item.push("updatedAt", &format!("\"2026-11-22T07:{:02}:{:02}Z\"", random.u32(..60), random.u32(..60)));
    item.push("mrn", &format!(r#"{{"system":"urn:example:mrn","value":"{:08}"}}"#, random.u32(..10_000_000)));
    let (family, given) = (pick(&FAMILIES, random), pick(&GIVEN, random));
    item.push("names", &format!(r#"[{{"use":"official","family":"{family}","given":["{given}"]}}]"#));
    let (year, month, day) = (random.u32(1930..2020), random.u32(1..13), random.u32(1..29));
    item.push("birthDate", &format!("\"{year}-{month:02}-{day:02}\""));
    item.push("gender", if random.bool() { "\"female\"" } else { "\"male\"" });
    item.push(
        "telecom",
        &format!(
            r#"[{{"system":"phone","value":"555-{:04}","use":"home"}},{{"system":"email","value":"sample{:06}@example.org"}}]"#,
            random.u32(..10_000),
            random.u32(..1_000_000)
        ),
    );
    item.push("consents", r#"["portal","research"]"#);
    item.push("note", &format!("\"seen at {:08x}, next at {:08x}\"", random.u32(..), random.u32(..)));
    let sequence = 400_000_000_000_000_000_000_u128 + u128::from(number) * 997;
    Row {
        operation: if number.is_multiple_of(10) { RowOperation::Insert } else { RowOperation::Modify },
        event_id: ChangeId::of_record("sample", &number.to_string(), &sequence.to_string()),
        sequence: Sequence::parse(&sequence.to_string()).unwrap_or_else(|_| unreachable!("21 digits")),
        changed_at: Micros::from_second(FIRST_SECOND)
            .unwrap_or_else(|| unreachable!("a time of this century")),
        removed_by: None,
        id: patient.clone(),
        sk: patient,
        item,
    }
}

fn pick<'t>(texts: &[&'t str], random: &mut fastrand::Rng) -> &'t str {
    random.choice(texts).copied().unwrap_or_default()
}
