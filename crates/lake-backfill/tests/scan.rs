//! Scans of the table, on their way into the lake.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::error::ErrorMetadata;
use aws_sdk_dynamodb::operation::scan::{ScanError, ScanOutput};
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use common::{Store, TABLE};
use domain::lake::{Micros, RowOperation};
use lake_backfill::{Outcome, Scan, ScanOptions, Table};
use tokio::time::Instant;

/// Small, so that a segment makes several chunks.
const CHUNK: usize = 1_500;
const SEGMENTS: u32 = 3;
const SEGMENT_ITEMS: usize = 20;
const PAGE_ITEMS: usize = 3;

/// A table of which each segment has its own items.
#[derive(Clone, Default)]
struct Items {
    pages: Arc<AtomicUsize>,
    refused_page: Arc<AtomicUsize>,
    /// What the names of all items are.
    version: Arc<Mutex<String>>,
    consistent: Arc<AtomicUsize>,
    /// How many items of each segment, from its eighth on, have a key that is no text.
    unreadable: Arc<AtomicUsize>,
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

impl Items {
    fn end_at_page(&self, number: usize) {
        self.pages.store(0, Ordering::SeqCst);
        self.refused_page.store(number, Ordering::SeqCst);
    }

    fn table(&self) -> Table {
        let items = self.clone();
        let scan = mock!(aws_sdk_dynamodb::Client::scan).then_compute_response(move |request| {
            let number = items.pages.fetch_add(1, Ordering::SeqCst) + 1;
            let refused_page = items.refused_page.load(Ordering::SeqCst);
            if refused_page > 0 && number >= refused_page {
                let meta = ErrorMetadata::builder().code("AccessDeniedException").build();
                return MockResponse::Error(ScanError::generic(meta));
            }
            items
                .consistent
                .fetch_add(usize::from(request.consistent_read() == Some(true)), Ordering::SeqCst);
            assert_eq!(request.total_segments(), Some(i32::try_from(SEGMENTS).unwrap()));
            let segment = usize::try_from(request.segment().unwrap()).unwrap();
            let first = request.exclusive_start_key().map_or(0, |key| {
                let sk = key["sk"].as_s().unwrap();
                sk.parse::<usize>().unwrap() + 1
            });
            let last = (first + PAGE_ITEMS).min(SEGMENT_ITEMS);
            let version = items.version.lock().unwrap().clone();
            let unreadable = 7..7 + items.unreadable.load(Ordering::SeqCst);
            let found = (first..last).map(|number| {
                let id = if unreadable.contains(&number) {
                    AttributeValue::N(number.to_string())
                } else {
                    text(format!("PATIENT#{segment}"))
                };
                HashMap::from([
                    ("id".to_owned(), id),
                    ("sk".to_owned(), text(format!("{number:0>3}"))),
                    ("itemType".to_owned(), text("Patient")),
                    ("name".to_owned(), text(format!("Ngozi {version}"))),
                    ("weight".to_owned(), AttributeValue::N("1.10".to_owned())),
                    (
                        "nested".to_owned(),
                        AttributeValue::M(HashMap::from([
                            ("a".to_owned(), text("x")),
                            ("b".to_owned(), text("y")),
                            ("c".to_owned(), text("z")),
                        ])),
                    ),
                ])
            });
            let last_key = (last < SEGMENT_ITEMS).then(|| {
                HashMap::from([
                    ("id".to_owned(), text(format!("PATIENT#{segment}"))),
                    ("sk".to_owned(), text(format!("{:0>3}", last - 1))),
                ])
            });
            let capacity = ConsumedCapacity::builder().capacity_units(5.0).build();
            let page = ScanOutput::builder().set_items(Some(found.collect())).consumed_capacity(capacity);
            MockResponse::Output(page.set_last_evaluated_key(last_key).build())
        });
        Table {
            client: mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&scan]),
            name: "tributary-test-items".to_owned(),
            arn: TABLE.to_owned(),
            id: Some("1".to_owned()),
        }
    }
}

fn options() -> ScanOptions {
    ScanOptions { segments: SEGMENTS, consistent_read: false, units_per_second: None, anew: false }
}

/// Began at that second, if it is a new one.
async fn run_with(store: &Store, table: Table, second: i64, options: ScanOptions) -> (Scan, Outcome) {
    let backfill = store.backfill(CHUNK);
    let now = Micros::from_second(1_795_331_640 + second).unwrap();
    let scan = Scan::open(&backfill, table, options, now).await.unwrap();
    let outcome = scan.backfill(&backfill).await.unwrap();
    (scan, outcome)
}

async fn run(store: &Store, items: &Items, second: i64) -> (Scan, Outcome) {
    run_with(store, items.table(), second, options()).await
}

#[tokio::test]
async fn i1_every_item_of_the_table_becomes_a_row() {
    let (store, items) = (Store::default(), Items::default());
    let (scan, outcome) = run(&store, &items, 0).await;
    assert!(outcome.is_whole() && !scan.goes_on, "{:?}", outcome.failures);
    assert_eq!((outcome.rows, outcome.parts, scan.id.as_str()), (60, 3, "scan-1795331640000000"));
    let rows = store.rows();
    assert_eq!(rows.len(), 60);
    for row in &rows {
        assert_eq!(row.operation, RowOperation::Snapshot);
        assert_eq!(row.sequence.as_str(), "0000000000000000000000001795331640000000");
        assert_eq!(row.item.get("nested"), Some(r#"{"a":"x","b":"y","c":"z"}"#));
    }
    assert_eq!(items.consistent.load(Ordering::SeqCst), 0);
}

/// Wherever it ends, at a page or at anything that it writes, the next one makes the same objects, byte for byte.
#[tokio::test]
async fn i2_a_scan_that_was_interrupted_anywhere_goes_on_to_the_same_files() {
    let (whole, items) = (Store::default(), Items::default());
    assert!(run(&whole, &items, 0).await.1.is_whole());
    let (expected, puts, pages) = (whole.under("lake/"), whole.puts(), items.pages.load(Ordering::SeqCst));
    assert_eq!(pages, 21);
    assert!(puts > 12, "{puts}");
    let ends =
        (1..=pages).map(|page| (page, 0, 0)).chain((2..=puts).flat_map(|put| [(0, put, 0), (0, 0, put)]));
    for (page, put, refused) in ends {
        let (store, items) = (Store::default(), Items::default());
        items.end_at_page(page);
        store.end_at_put(put);
        if refused > 0 {
            store.refuse_put(refused);
        }
        let backfill = store.backfill(CHUNK);
        let now = Micros::from_second(1_795_331_640).unwrap();
        let scan = Scan::open(&backfill, items.table(), options(), now).await.unwrap();
        let ended = scan.backfill(&backfill).await;
        assert!(!ended.is_ok_and(|outcome| outcome.is_whole()), "{page} {put} {refused}");

        items.end_at_page(0);
        store.end_at_put(0);
        let (scan, outcome) = run(&store, &items, 60).await;
        assert!(scan.goes_on && outcome.is_whole(), "{page} {put} {refused}: {:?}", outcome.failures);
        assert_eq!(outcome.rows, 60);
        assert!(store.under("lake/") == expected, "{page} {put} {refused}");
    }
}

/// A scan that goes on repeats no page of which the rows are in the lake.
#[tokio::test]
async fn a_scan_goes_on_after_what_is_in_the_lake() {
    let (store, items) = (Store::default(), Items::default());
    items.end_at_page(20);
    assert!(!run(&store, &items, 0).await.1.is_whole());
    items.end_at_page(0);
    assert!(run(&store, &items, 60).await.1.is_whole());
    let pages = items.pages.load(Ordering::SeqCst);
    assert!(pages < 12, "{pages}");
}

#[tokio::test]
async fn a_scan_that_has_ended_or_is_of_another_table_is_followed_by_a_new_one() {
    let (store, items) = (Store::default(), Items::default());
    assert!(run(&store, &items, 0).await.1.is_whole());
    let (second, outcome) = run(&store, &items, 60).await;
    assert!(!second.goes_on && outcome.is_whole());
    assert_eq!(store.rows().len(), 120);

    items.end_at_page(5);
    let (unfinished, _) = run(&store, &items, 120).await;
    items.end_at_page(0);
    let replaced = Table { id: Some("2".to_owned()), ..items.table() };
    let (of_replaced, _) = run_with(&store, replaced, 180, options()).await;
    assert!(!unfinished.goes_on && !of_replaced.goes_on);

    items.end_at_page(5);
    run(&store, &items, 240).await;
    items.end_at_page(0);
    let anew = ScanOptions { anew: true, ..options() };
    let (anew, outcome) = run_with(&store, items.table(), 300, anew).await;
    assert!(!anew.goes_on && outcome.is_whole());
}

/// The number of segments is part of what a segment is.
#[tokio::test]
async fn a_scan_goes_on_with_its_own_number_of_segments() {
    let (store, items) = (Store::default(), Items::default());
    items.end_at_page(5);
    run(&store, &items, 0).await;
    items.end_at_page(0);
    let more = ScanOptions { segments: 7, consistent_read: true, ..options() };
    let (scan, outcome) = run_with(&store, items.table(), 60, more).await;
    assert!(scan.goes_on && outcome.is_whole());
    assert_eq!((scan.segments(), store.rows().len()), (SEGMENTS, 60));
    assert!(items.consistent.load(Ordering::SeqCst) > 0);
}

/// What was written before the interruption, and is not known to be done, stays beside what is found then.
#[tokio::test]
async fn i2_an_item_that_changed_meanwhile_is_another_row_of_the_same_time() {
    let (store, items) = (Store::default(), Items::default());
    // After the plan and three more objects, of which one at least is a file whose marker is not there.
    store.end_at_put(5);
    assert!(!run(&store, &items, 0).await.1.is_whole());
    let before = store.rows();
    store.end_at_put(0);
    "again".clone_into(&mut items.version.lock().unwrap());
    assert!(run(&store, &items, 60).await.1.is_whole());
    let rows = store.rows();
    assert!(rows.len() > 60 && rows.len() <= 60 + before.len(), "{} after {}", rows.len(), before.len());
    let ids: BTreeSet<_> = rows.iter().map(|row| &row.event_id).collect();
    assert_eq!(ids.len(), rows.len());
    assert!(rows.iter().all(|row| row.sequence == before[0].sequence));
}

/// It is kept as a line of an export, wherever the scan was interrupted.
#[tokio::test]
async fn i3_an_item_that_cannot_be_read_stops_no_other() {
    let (whole, items) = (Store::default(), Items::default());
    items.unreadable.store(2, Ordering::SeqCst);
    let (_, outcome) = run(&whole, &items, 0).await;
    assert!(outcome.has_ended() && !outcome.is_whole());
    assert_eq!((outcome.rows, outcome.unreadable), (54, 6));
    let (expected, puts) = (whole.under("lake/"), whole.puts());
    let kept = whole.under(&format!("lake/{}segments/00001/", outcome.unreadable_folder));
    let lines = String::from_utf8(kept.into_values().flatten().collect()).unwrap();
    let keys: Vec<_> = lines
        .lines()
        .map(|line| {
            let (start, end) = (line.find(r#""id":{"N":""#).unwrap(), line.find(r#""sk":{"S":""#).unwrap());
            assert!(line.starts_with(r#"{"Item":{"#) && end > start);
            line[end + 11..end + 14].to_owned()
        })
        .collect();
    assert_eq!(keys, ["007", "008"]);
    assert!(!run(&whole, &items, 60).await.0.goes_on, "it has ended");
    for put in 2..=puts {
        let store = Store::default();
        store.end_at_put(put);
        let backfill = store.backfill(CHUNK);
        let now = Micros::from_second(1_795_331_640).unwrap();
        let scan = Scan::open(&backfill, items.table(), options(), now).await.unwrap();
        assert!(!scan.backfill(&backfill).await.is_ok_and(|outcome| outcome.has_ended()), "{put}");
        store.end_at_put(0);
        let (scan, outcome) = run(&store, &items, 60).await;
        assert!(scan.goes_on && outcome.has_ended(), "{put}");
        assert_eq!((outcome.rows, outcome.unreadable), (54, 6), "{put}");
        assert!(store.under("lake/") == expected, "{put}");
    }
}

#[tokio::test]
async fn a_scan_keeps_to_its_rate() {
    let (store, items) = (Store::default(), Items::default());
    let limited = ScanOptions { units_per_second: Some(200), ..options() };
    let started = Instant::now();
    let (_, outcome) = run_with(&store, items.table(), 0, limited).await;
    let took = started.elapsed().as_millis();
    assert!(outcome.is_whole());
    // 21 pages of 5 units; three segments may begin at once, and nobody waits for the last pages.
    assert!(took >= 350, "{took} ms");
}
