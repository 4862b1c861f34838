//! Exports to S3, on their way into the lake.

#![expect(clippy::unwrap_used, clippy::format_push_string, reason = "a test may fail, and need not be quick")]

mod common;

use std::io::Write as _;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{LAKE, Store, TABLE};
use domain::lake::{Micros, RowOperation};
use lake_backfill::{Export, ExportError, ExportKind, Outcome};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

/// Small, so that a file makes several chunks.
const CHUNK: usize = 2_000;
const EXPORTS: &str = "exports";
const FOLDER: &str = "2026/AWSDynamoDB/01795331640028-a1b2c3d4/";

/// Puts the files of an export, and its manifests.
fn put_export(store: &Store, summary: &Value, files: &[Vec<Value>]) {
    let mut manifest = String::new();
    for (number, lines) in files.iter().enumerate() {
        let file = gzip(lines);
        let key = format!("{FOLDER}data/file{number}.json.gz");
        let listed = json!({
            "itemCount": lines.len(), "md5Checksum": STANDARD.encode(Md5::digest(&file)),
            "etag": "af83d6f217c19b8b0fff8023d8ca4716-1", "dataFileS3Key": key,
        });
        manifest.push_str(&format!("{listed}\n"));
        store.put(EXPORTS, &key, file);
    }
    let files_key = format!("{FOLDER}manifest-files.json");
    let mut whole = json!({
        "version": "2020-06-30", "exportArn": format!("{TABLE}/export/01795331640028-a1b2c3d4"),
        "startTime": "2026-11-22T07:14:00.028Z", "endTime": "2026-11-22T07:24:00.028Z", "tableArn": TABLE,
        "tableId": "12345a12-abcd-123a-ab12-1234abc12345", "exportTime": "2026-11-22T07:14:00.028Z",
        "s3Bucket": EXPORTS, "s3Prefix": "2026", "s3SseAlgorithm": "KMS", "manifestFilesS3Key": files_key,
        "billedSizeBytes": 0, "itemCount": files.iter().map(Vec::len).sum::<usize>(),
        "outputFormat": "DYNAMODB_JSON", "exportType": "FULL_EXPORT",
    });
    for (name, value) in summary.as_object().unwrap() {
        whole[name] = value.clone();
    }
    store.put(EXPORTS, &files_key, manifest.into_bytes());
    store.put(EXPORTS, &format!("{FOLDER}manifest-summary.json"), whole.to_string().into_bytes());
}

fn gzip(lines: &[Value]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for line in lines {
        writeln!(encoder, "{line}").unwrap();
    }
    encoder.finish().unwrap()
}

/// The attributes of a patient's item.
fn patient(number: usize) -> Value {
    json!({
        "id": {"S": format!("PATIENT#{number:0>3}")}, "sk": {"S": "PATIENT"}, "itemType": {"S": "Patient"},
        "name": {"S": format!("Ngozi {number}")}, "weight": {"N": "70.123456789"},
        "long": {"N": "12345678901234567890.123456789012345678"},
    })
}

fn location() -> lake_backfill::Location {
    format!("s3://{EXPORTS}/{FOLDER}").parse().unwrap()
}

async fn open(store: &Store) -> Result<Export, ExportError> {
    Export::open(&store.client(), &location()).await
}

async fn run(store: &Store, anew: bool) -> Outcome {
    let export = open(store).await.unwrap();
    export.backfill(&store.backfill(CHUNK), &store.client(), 2, anew).await.unwrap()
}

fn items(files: usize, items: usize) -> Vec<Vec<Value>> {
    let file = |file| (0..items).map(|item| json!({"Item": patient(file * items + item)})).collect();
    (0..files).map(file).collect()
}

fn full(files: usize, items_each: usize) -> Store {
    let store = Store::default();
    put_export(&store, &json!({}), &items(files, items_each));
    store
}

#[tokio::test]
async fn i1_every_item_of_a_full_export_becomes_a_row() {
    let store = Store::default();
    let mut files = items(3, 19);
    // A partition may be empty.
    files.push(Vec::new());
    put_export(&store, &json!({}), &files);
    store.put(EXPORTS, &format!("{FOLDER}data/file3.json.gz"), gzip(&[]));

    let export = open(&store).await.unwrap();
    assert_eq!(
        export.kind,
        ExportKind::Full { taken_at: Micros::from_rfc3339("2026-11-22T07:14:00.028Z").unwrap() }
    );
    assert_eq!((export.items, export.files(), export.table_arn.as_str()), (57, 4, TABLE));

    let outcome = run(&store, false).await;
    assert!(outcome.is_whole(), "{:?}", outcome.failures);
    assert_eq!((outcome.rows, outcome.parts, outcome.id.as_str()), (57, 4, "01795331640028-a1b2c3d4"));
    let rows = store.rows();
    assert_eq!(rows.len(), 57);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row.operation, RowOperation::Snapshot);
        assert_eq!(row.id, format!("PATIENT#{number:0>3}"));
        assert_eq!(row.sequence.as_str(), "0000000000000000000000001795331640028000");
        assert_eq!(row.item.get("long"), Some("12345678901234567890.123456789012345678"));
    }
    assert!(store.under("lake/raw/items/itemType=Patient/year=2026/month=11/day=22/").len() > 3);
}

#[tokio::test]
async fn i1_an_incremental_export_brings_removals_too() {
    let store = Store::default();
    let keys = |number: usize| json!({"id": {"S": format!("PATIENT#{number:0>3}")}, "sk": {"S": "PATIENT"}});
    let line = |number: usize, rest: Value| {
        let mut line = json!({
            "Metadata": {"WriteTimestampMicros": {"N": format!("179533164002800{number}")}}, "Keys": keys(number),
        });
        for (name, image) in rest.as_object().unwrap() {
            line[name] = image.clone();
        }
        line
    };
    let lines = vec![
        line(0, json!({"NewImage": patient(0)})),
        line(1, json!({"NewImage": patient(1), "OldImage": patient(1)})),
        line(2, json!({"OldImage": patient(2)})),
        line(3, json!({})),
    ];
    let summary = json!({
        "exportType": "INCREMENTAL_EXPORT", "exportTime": null, "exportFromTime": "2026-11-22T07:00:00Z",
        "exportToTime": "2026-11-22T08:00:00Z", "outputView": "NEW_AND_OLD_IMAGES",
    });
    put_export(&store, &summary, &[lines]);
    assert_eq!(
        open(&store).await.unwrap().kind.until(),
        Micros::from_rfc3339("2026-11-22T08:00:00Z").unwrap()
    );

    assert!(run(&store, false).await.is_whole());
    let rows = store.rows();
    let seen: Vec<_> = rows.iter().map(|row| (row.operation, row.item.get("name").is_some())).collect();
    let (snapshot, remove) = (RowOperation::Snapshot, RowOperation::Remove);
    assert_eq!(seen, [(snapshot, true), (snapshot, true), (remove, true), (remove, false)]);
    assert_eq!(rows[2].sequence.as_str(), "0000000000000000000000001795331640028002");
}

/// Wherever it ends, and whatever is refused once, the next one makes what one that is not interrupted makes: the same
/// objects, byte for byte.
#[tokio::test]
async fn i2_an_export_that_was_interrupted_anywhere_goes_on_to_the_same_files() {
    let whole = full(3, 19);
    assert!(run(&whole, false).await.is_whole());
    let (expected, puts) = (whole.under("lake/"), whole.puts());
    assert!(puts > 9, "{puts}");
    for (put, fail) in
        (1..=puts).flat_map(|put| [(put, Store::end_at_put as fn(&Store, usize)), (put, Store::refuse_put)])
    {
        let store = full(3, 19);
        fail(&store, put);
        let outcome = run(&store, false).await;
        assert!(!outcome.is_whole() && !outcome.failures.is_empty(), "{put}");
        store.end_at_put(0);
        let outcome = run(&store, false).await;
        assert!(outcome.is_whole(), "{put}: {:?}", outcome.failures);
        assert_eq!(outcome.rows, 57);
        assert!(store.under("lake/") == expected, "{put}");
    }
}

#[tokio::test]
async fn what_is_done_is_not_done_again_unless_that_is_wanted() {
    let store = full(3, 20);
    assert!(run(&store, false).await.is_whole());
    let objects = store.under("lake/");
    let puts = store.puts();
    let outcome = run(&store, false).await;
    assert!(outcome.is_whole() && outcome.rows == 60 && outcome.parts_done == 3);
    assert_eq!(store.puts(), puts);
    assert!(run(&store, true).await.is_whole());
    // Of each file, that it is done is taken back first.
    assert_eq!(store.puts(), 2 * puts + 3);
    assert!(store.under("lake/") == objects);
}

/// What it was to do again is not taken for done because it had been done before.
#[tokio::test]
async fn i1_a_run_anew_that_was_interrupted_anywhere_is_gone_on_with() {
    for put in 1..=20 {
        let store = full(3, 20);
        assert!(run(&store, false).await.is_whole());
        let objects = store.under("lake/");
        // Somebody has emptied the lake.
        store.objects.lock().unwrap().retain(|key, _| !key.starts_with("lake/raw/"));
        store.end_at_put(put);
        let export = open(&store).await.unwrap();
        let begun = export.backfill(&store.backfill(CHUNK), &store.client(), 2, true).await;
        assert!(!begun.is_ok_and(|outcome| outcome.is_whole()), "{put}");
        let has_begun = put > 3;
        store.end_at_put(0);
        assert!(run(&store, !has_begun).await.is_whole(), "{put}");
        assert!(store.under("lake/") == objects, "{put}");
    }
}

#[tokio::test]
async fn a_file_is_read_again_when_the_connection_breaks() {
    let store = full(2, 20);
    store.broken_bodies.store(3, Ordering::SeqCst);
    let outcome = run(&store, false).await;
    assert!(outcome.is_whole(), "{:?}", outcome.failures);
    assert_eq!(store.rows().len(), 40);
}

/// It is named, nothing of it is in the lake, and the others are.
#[tokio::test]
async fn i3_a_damaged_file_stops_no_other() {
    let file = format!("{FOLDER}data/file1.json.gz");
    let whole = gzip(&items(3, 20)[1]);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    let mut longer = items(3, 20)[1].clone();
    longer.pop();
    for (damage, body, told) in [
        ("flipped", Some(flipped), "it is damaged"),
        ("cut", Some(whole[..whole.len() - 9].to_vec()), "it is damaged"),
        ("empty", Some(Vec::new()), "it is damaged: its MD5"),
        ("another", Some(gzip(&longer)), "it is damaged: its MD5"),
        ("plain", Some(b"{\"Item\":{}}\n".to_vec()), "it is damaged"),
        ("gone", None, "it is damaged: it is not there"),
    ] {
        let store = Store::default();
        put_export(&store, &json!({}), &items(3, 20));
        match body {
            Some(body) => store.put(EXPORTS, &file, body),
            None => drop(store.objects.lock().unwrap().remove(&format!("{EXPORTS}/{file}"))),
        }
        let outcome = run(&store, false).await;
        let failures: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
        assert_eq!(failures.len(), 1, "{damage}: {failures:?}");
        assert!(failures[0].contains(&file) && failures[0].contains(told), "{damage}: {failures:?}");
        assert_eq!(store.rows().len(), 40, "{damage}");
        store.put(EXPORTS, &file, whole.clone());
        assert!(run(&store, false).await.is_whole(), "{damage}");
        assert_eq!(store.rows().len(), 60, "{damage}");
    }
}

/// A file that is what DynamoDB wrote, but not what the manifest tells of.
#[tokio::test]
async fn i1_a_file_with_fewer_items_than_were_counted_is_not_done() {
    let store = full(2, 20);
    let key = format!("{FOLDER}manifest-files.json");
    let manifest = store.objects.lock().unwrap()[&format!("{EXPORTS}/{key}")].clone();
    let manifest = String::from_utf8(manifest).unwrap();
    let manifest = manifest.replacen("\"itemCount\":20", "\"itemCount\":21", 1);
    let manifest = manifest.replacen("\"itemCount\":20", "\"itemCount\":19", 1);
    store.put(EXPORTS, &key, manifest.into_bytes());
    let outcome = run(&store, false).await;
    assert_eq!((outcome.failures.len(), outcome.parts_done, store.rows().len()), (2, 0, 0));
    let failure = outcome.failures[0].to_string();
    assert!(failure.contains("it has 20 items, and the manifest tells of"), "{failure}");
}

/// They are kept as they came, whatever they are, and told by their number.
#[tokio::test]
async fn i3_i6_a_line_that_cannot_be_read_stops_no_other_and_is_not_shown() {
    let mut files = items(2, 40);
    let unreadable = json!({"Item": {"id": {"S": "PATIENT#Ngozi"}, "name": {"X": "Ngozi"}}});
    files[0][1] = unreadable.clone();
    files[0][2] = json!("Ngozi");
    files[0][37] = unreadable.clone();
    let store = Store::default();
    put_export(&store, &json!({}), &files);
    let expected =
        [("000000000000.json", format!("{unreadable}\n\"Ngozi\"\n")), ("", format!("{unreadable}\n"))];
    // Also where it is done already, and where it is done again.
    for anew in [false, false, true] {
        let outcome = run(&store, anew).await;
        assert!(outcome.has_ended() && !outcome.is_whole());
        assert_eq!((outcome.rows, outcome.unreadable, outcome.parts_done), (77, 3, 2));
        assert_eq!(outcome.unreadable_folder, "backfills/items/01795331640028-a1b2c3d4/unreadable/");
        assert!(!format!("{outcome:?}").contains("Ngozi"));
        assert_eq!(store.rows().len(), 77);
        let kept = store.under(&format!("{LAKE}/{}files/file0.json.gz/", outcome.unreadable_folder));
        assert_eq!(kept.len(), expected.len());
        for ((key, lines), (name, told)) in kept.into_iter().zip(&expected) {
            assert!(key.ends_with(name), "{key}");
            assert_eq!(String::from_utf8(lines).unwrap(), *told);
        }
    }
}

#[tokio::test]
async fn an_export_that_cannot_be_taken_in_is_refused_before_anything_is_written() {
    for (summary, told) in [
        (
            json!({"outputFormat": "ION"}),
            "format ION, and only DYNAMODB_JSON can be read: export the table again",
        ),
        (json!({"exportType": "SOME_EXPORT"}), "the kind SOME_EXPORT"),
        (json!({"exportTime": null}), "it has no exportTime"),
        (json!({"exportType": "INCREMENTAL_EXPORT"}), "it has no exportFromTime"),
        (json!({"exportArn": "arn:aws:dynamodb:::table/x/export/../y"}), "exportArn is of no export"),
        (json!({"itemCount": 61}), "tells of 61 items"),
        (
            json!({"manifestFilesS3Key": "elsewhere"}),
            "elsewhere cannot be had: s3:GetObject failed: NoSuchKey",
        ),
    ] {
        let store = Store::default();
        put_export(&store, &summary, &items(3, 20));
        let error = open(&store).await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        assert!(store.under(LAKE).is_empty());
    }
    let store = full(1, 1);
    store.put(EXPORTS, &format!("{FOLDER}manifest-files.json"), b"{\"itemCount\": 1}\n".to_vec());
    let error = open(&store).await.unwrap_err().to_string();
    assert!(error.contains("manifest-files.json is no manifest of an export: line 1"), "{error}");
    let error = open(&Store::default()).await.unwrap_err().to_string();
    assert!(error.contains("the export has not ended"), "{error}");
}
