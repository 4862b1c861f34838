//! Batches against mocked buckets and a mocked catalog.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod catalog;
mod lake;

use std::io::Read as _;
use std::time::Duration;

use domain::lake::object_key::Compression;
use domain::lake::{Columns, Row};
use lake_writer::{Answer, Event, RejectsNotStored, State, handle};
use metrique::test_util::{TestEntrySink, test_entry_sink};
use serde_json::{Value, json};
use tokio::time::Instant;

use catalog::Glue;
use lake::{Bucket, lake};

/// What one test looks at.
struct Writer {
    state: State,
    bucket: Bucket,
    glue: Glue,
    metrics: TestEntrySink,
}

fn writer(compression: Compression, bucket: Bucket, glue: Glue) -> Writer {
    let metrics = test_entry_sink();
    let state = State {
        lake: lake(compression, &bucket, &glue),
        dead_letter_bucket_name: "dead-letters".to_owned(),
        metrics: metrics.sink.clone(),
    };
    Writer { state, bucket, glue, metrics }
}

impl Writer {
    async fn try_handle(&self, records: &[Value]) -> Result<Answer, RejectsNotStored> {
        self.handle_within(records, Duration::from_secs(5)).await
    }

    async fn handle_within(&self, records: &[Value], time: Duration) -> Result<Answer, RejectsNotStored> {
        let event: Event = serde_json::from_str(&json!({"Records": records}).to_string()).unwrap();
        handle(&self.state, event, Instant::now() + time).await
    }

    /// The sequence numbers that are answered, in order.
    async fn failures(&self, records: &[Value]) -> Vec<String> {
        let answer = self.try_handle(records).await.unwrap();
        let mut numbers: Vec<_> =
            answer.batch_item_failures.into_iter().map(|it| it.item_identifier).collect();
        numbers.sort();
        numbers
    }

    fn metric(&self, name: &str) -> u64 {
        self.metrics.inspector.entries().iter().map(|entry| entry.metrics[name].as_u64()).sum()
    }
}

/// An insert of the item of that number, in the ward.
fn record(number: usize, ward: &str) -> Value {
    json!({
        "eventID": format!("e{number}"), "eventName": "INSERT", "eventSourceARN": "arn:aws:dynamodb:stream",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_331_640,
            "Keys": {"id": {"S": format!("PATIENT#{number}")}, "sk": {"S": "PROFILE"}},
            "NewImage": {
                "id": {"S": format!("PATIENT#{number}")}, "sk": {"S": "PROFILE"},
                "ward": {"S": ward}, "weight": {"N": "61.50"}, "born": {"S": "1980-03-17"},
            },
            "SequenceNumber": sequence_number(number),
        },
    })
}

fn sequence_number(number: usize) -> String {
    format!("{}", 400_000_000_000_000_000_000_u128 + number as u128)
}

fn rows(file: &[u8], compression: Compression) -> Vec<Row> {
    let mut lines = String::new();
    match compression {
        Compression::Zstd => lines = String::from_utf8(zstd::decode_all(file).unwrap()).unwrap(),
        Compression::Gzip => {
            flate2::read::GzDecoder::new(file).read_to_string(&mut lines).unwrap();
        }
    }
    lines.lines().map(|line| Row::read_line(line).unwrap()).collect()
}

/// What the record's row should be, by way of the library alone.
fn row(record: &Value) -> Row {
    let row = domain::lake::LakeRecord::decode(&record.to_string()).unwrap().row().unwrap();
    let columns: Columns = lake::config().columns;
    let mut line = String::new();
    row.write_line(&columns, &mut line);
    Row::read_line(line.trim_end()).unwrap()
}

#[tokio::test]
async fn i1_each_row_is_in_the_file_of_its_partition() {
    for compression in [Compression::Zstd, Compression::Gzip] {
        let writer = writer(compression, Bucket::open(), Glue::open());
        let batch = [record(1, "a"), record(2, "b/1"), record(3, "a")];
        assert!(writer.failures(&batch).await.is_empty());

        let extension = compression.extension();
        let files = writer.bucket.objects();
        let keys: Vec<&str> = files.keys().map(String::as_str).collect();
        let [a, b] = keys[..] else { panic!("{keys:?}") };
        let sequence = |number| format!("{:0>40}", sequence_number(number));
        let start =
            format!("lake/raw/items/ward=a/year=2026/month=11/day=22/{}-{}-", sequence(1), sequence(3));
        assert!(a.starts_with(&start) && a.ends_with(&format!(".json.{extension}")), "{a}");
        assert!(b.starts_with("lake/raw/items/ward=b%2F1/year=2026/month=11/day=22/"), "{b}");
        assert_eq!(rows(&files[a], compression), [row(&batch[0]), row(&batch[2])]);
        assert_eq!(rows(&files[b], compression), [row(&batch[1])]);
        assert_eq!(rows(&files[b], compression)[0].item.get("weight"), Some("61.5"));

        let registered = writer.glue.registered();
        let locations: Vec<_> =
            registered.iter().map(|(values, location)| (values.join("|"), location.as_str())).collect();
        let day = "year=2026/month=11/day=22";
        assert_eq!(
            locations,
            [
                ("a|2026|11|22".to_owned(), format!("s3://lake/raw/items/ward=a/{day}/").as_str()),
                ("b/1|2026|11|22".to_owned(), format!("s3://lake/raw/items/ward=b%2F1/{day}/").as_str()),
            ]
        );
        assert_eq!((writer.metric("Records"), writer.metric("Objects"), writer.metric("Failed")), (3, 2, 0));
        let bytes: usize = files.values().map(Vec::len).sum();
        assert_eq!(writer.metric("Bytes"), bytes as u64);
    }
}

#[tokio::test]
async fn i2_a_batch_that_comes_again_is_written_over_itself() {
    let writer = writer(Compression::Zstd, Bucket::open(), Glue::open());
    let batch: Vec<Value> = (0..50).map(|number| record(number, ["a", "b", "c"][number % 3])).collect();
    assert!(writer.failures(&batch).await.is_empty());
    let first = writer.bucket.objects();
    assert!(writer.failures(&batch).await.is_empty());
    assert_eq!(writer.bucket.objects(), first);
    assert_eq!(writer.bucket.puts(), 6);
    assert_eq!(first.len(), 3);
}

#[tokio::test]
async fn i1_a_file_that_cannot_be_put_fails_its_records_and_no_other() {
    let writer = writer(Compression::Zstd, Bucket::refusing("ward=b"), Glue::open());
    let batch: Vec<Value> = (0..9).map(|number| record(number, ["a", "b", "c"][number % 3])).collect();
    assert_eq!(writer.failures(&batch).await, [1, 4, 7].map(sequence_number));
    assert_eq!((writer.metric("Records"), writer.metric("Failed"), writer.metric("Objects")), (6, 3, 2));
    assert!(!writer.glue.registered().keys().any(|values| values[0] == "b"), "registered without a file");
}

#[tokio::test]
async fn i1_a_partition_that_cannot_be_registered_fails_its_records_and_no_other() {
    let writer = writer(Compression::Zstd, Bucket::open(), Glue::refusing("b"));
    let batch: Vec<Value> = (0..6).map(|number| record(number, ["a", "b"][number % 2])).collect();
    assert_eq!(writer.failures(&batch).await, [1, 3, 5].map(sequence_number));
    // Not remembered as registered: it is tried, and fails, again.
    assert_eq!(writer.failures(&batch).await, [1, 3, 5].map(sequence_number));
    assert_eq!(writer.metric("Failed"), 6);
}

#[tokio::test]
async fn i1_a_catalog_that_is_down_fails_all_records() {
    let writer = writer(Compression::Zstd, Bucket::open(), Glue::down());
    let batch: Vec<Value> = (0..6).map(|number| record(number, ["a", "b"][number % 2])).collect();
    assert_eq!(writer.failures(&batch).await.len(), 6);
    assert_eq!(writer.metric("Records"), 0);
}

#[tokio::test]
async fn i3_a_partition_that_the_catalog_refuses_to_read_stops_no_other() {
    let writer = writer(Compression::Zstd, Bucket::open(), Glue::choking_on("b"));
    let batch: Vec<Value> = (0..6).map(|number| record(number, ["a", "b", "c"][number % 3])).collect();
    assert_eq!(writer.failures(&batch).await, [1, 4].map(sequence_number));
}

#[tokio::test]
async fn a_partition_is_registered_once_by_a_process() {
    let writer = writer(Compression::Zstd, Bucket::open(), Glue::open());
    for _ in 0..3 {
        assert!(writer.failures(&[record(1, "a")]).await.is_empty());
    }
    assert_eq!((writer.glue.tables_read(), writer.glue.created(), writer.glue.updated()), (1, 1, 0));
}

#[tokio::test]
async fn a_partition_that_was_registered_under_an_older_table_gets_its_columns() {
    let glue = Glue::open();
    let before = writer(Compression::Zstd, Bucket::open(), glue.clone());
    assert!(before.failures(&[record(1, "a")]).await.is_empty());
    glue.add_column("height");
    let after = writer(Compression::Zstd, Bucket::open(), glue.clone());
    assert!(after.failures(&[record(2, "a"), record(3, "b")]).await.is_empty());
    assert_eq!(glue.updated(), 1);
    assert!(
        glue.columns().values().all(|columns| columns.contains(&"height".to_owned())),
        "{:?}",
        glue.columns()
    );
}

#[tokio::test]
async fn i1_a_partition_whose_columns_cannot_be_changed_fails_its_records() {
    let glue = Glue::open();
    let before = writer(Compression::Zstd, Bucket::open(), glue.clone());
    assert!(before.failures(&[record(1, "a"), record(2, "b")]).await.is_empty());
    let after = writer(Compression::Zstd, Bucket::open(), glue.now_refusing("b"));
    // Not remembered as registered: it is tried, and fails, again.
    for _ in 0..2 {
        assert_eq!(after.failures(&[record(3, "a"), record(4, "b")]).await, [sequence_number(4)]);
    }
}

/// AWS Lambda developer guide, "Configuring partial batch response with DynamoDB and Lambda": what else it might be called is
/// taken for success.
#[tokio::test]
async fn i1_what_failed_is_named_as_lambda_reads_it() {
    let writer = writer(Compression::Zstd, Bucket::open(), Glue::down());
    let answer = writer.try_handle(&[record(1, "a")]).await.unwrap();
    let failed = json!({"batchItemFailures": [{"itemIdentifier": sequence_number(1)}]});
    assert_eq!(serde_json::to_value(&answer).unwrap(), failed);
}

#[tokio::test]
async fn partitions_are_registered_a_hundred_at_a_time() {
    let writer = writer(Compression::Zstd, Bucket::open(), Glue::open());
    let batch: Vec<Value> = (0..250).map(|number| record(number, &format!("w{number}"))).collect();
    assert!(writer.failures(&batch).await.is_empty());
    assert_eq!(writer.glue.registered().len(), 250);
    assert_eq!(writer.glue.requests(), [100, 100, 50]);
}

#[tokio::test]
async fn i1_a_record_that_is_no_row_goes_whole_to_the_dead_letters_and_stops_no_other() {
    let writer = writer(Compression::Zstd, Bucket::open(), Glue::open());
    let mut poison = record(2, "a");
    poison["dynamodb"]["NewImage"]["weight"] = json!({"N": "Ngozi"});
    assert!(writer.failures(&[record(1, "a"), poison.clone(), record(3, "a")]).await.is_empty());

    let objects = writer.bucket.objects();
    let letters: Vec<_> =
        objects.iter().filter(|(key, _)| key.starts_with("dead-letters/dead/lake/")).collect();
    let [(key, letter)] = letters[..] else { panic!("{:?}", objects.keys()) };
    let letter: Value = serde_json::from_slice(letter).unwrap();
    assert_eq!(letter["record"], poison);
    assert_eq!(letter["cause"]["kind"], "rejected");
    assert_eq!(*key, format!("dead-letters/dead/lake/{}.json", letter["recordId"].as_str().unwrap()));
    assert!(!letter["cause"].to_string().contains("Ngozi"), "i6: {letter}");
    assert_eq!((writer.metric("Records"), writer.metric("Rejected"), writer.metric("Failed")), (2, 1, 0));
}

#[tokio::test]
async fn i1_a_dead_letter_that_cannot_be_put_is_reported() {
    let writer = writer(Compression::Zstd, Bucket::refusing("dead/lake/"), Glue::open());
    let mut poison = record(2, "a");
    poison["dynamodb"]["NewImage"] = json!("no image");
    assert_eq!(writer.failures(&[record(1, "a"), poison]).await, [sequence_number(2)]);
    assert_eq!((writer.metric("Rejected"), writer.metric("Failed")), (0, 1));
}

#[tokio::test]
async fn i1_a_record_without_a_number_whose_dead_letter_cannot_be_put_fails_the_batch() {
    let refusing = writer(Compression::Zstd, Bucket::refusing("dead/lake/"), Glue::open());
    let error = refusing.try_handle(&[record(1, "a"), json!({"dynamodb": 5})]).await.unwrap_err();
    assert_eq!(error.to_string(), "1 records without a sequence number are not stored");

    let open = writer(Compression::Zstd, Bucket::open(), Glue::open());
    assert!(open.failures(&[json!({"dynamodb": 5})]).await.is_empty());
    assert_eq!(open.metric("Rejected"), 1);
}

#[tokio::test]
async fn a_batch_without_records_is_written() {
    let writer = writer(Compression::Zstd, Bucket::open(), Glue::open());
    assert!(writer.failures(&[]).await.is_empty());
    assert_eq!((writer.bucket.puts(), writer.glue.tables_read()), (0, 0));
}

#[tokio::test]
async fn what_is_missing_or_does_not_fit_is_counted_and_kept() {
    let writer = writer(Compression::Zstd, Bucket::open(), Glue::open());
    let (mut nowhere, mut heavy) = (record(1, "a"), record(2, "a"));
    nowhere["dynamodb"]["NewImage"].as_object_mut().unwrap().remove("ward");
    heavy["dynamodb"]["NewImage"]["weight"] = json!({"S": "heavy"});
    assert!(writer.failures(&[nowhere, heavy.clone(), record(3, "a")]).await.is_empty());
    assert_eq!((writer.metric("DefaultPartition"), writer.metric("Misfits")), (1, 1));
    let objects = writer.bucket.objects();
    assert!(
        objects.keys().any(|key| key.contains("/ward=__HIVE_DEFAULT_PARTITION__/")),
        "{:?}",
        objects.keys()
    );
    let kept =
        objects.values().flat_map(|file| rows(file, Compression::Zstd)).find(|it| it.id == "PATIENT#2");
    assert_eq!(kept.unwrap().item.get("weight"), Some(r#""heavy""#));
}

#[tokio::test]
async fn i1_what_is_not_done_in_time_is_reported() {
    // Takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut writer = writer(Compression::Zstd, Bucket::open(), Glue::open());
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let config =
        aws_sdk_s3::Config::builder().with_test_defaults_v2().endpoint_url(endpoint).force_path_style(true);
    writer.state.lake.s3 = aws_sdk_s3::Client::from_conf(config.build());
    let mut poison = record(3, "a");
    poison["dynamodb"]["Keys"] = json!({});
    let batch = [record(1, "a"), record(2, "b"), poison];
    let started = Instant::now();
    let answer = writer.handle_within(&batch, Duration::from_millis(50)).await.unwrap();
    assert_eq!(answer.batch_item_failures.len(), 3);
    assert_eq!(writer.metric("Failed"), 3);
    assert!(started.elapsed() < Duration::from_secs(2), "it went on after its time");
}
