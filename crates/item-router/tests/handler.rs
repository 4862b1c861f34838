//! Outcomes against a mocked bus, buckets and queue.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_eventbridge::operation::put_events::{PutEventsError, PutEventsOutput};
use aws_sdk_eventbridge::types::PutEventsResultEntry;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_sqs::operation::send_message::SendMessageOutput;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::change::{EVENT_SOURCE, RejectNotice};
use item_router::{Config, State, handle};
use lambda_support::put_events::EventBus;
use metrique::test_util::test_entry_sink;
use serde_json::{Value, json};
use tokio::time::Instant;

const REQUEST_BYTES: usize = 262_144;

fn state(bus: &[&Rule], s3: &[&Rule], sqs: &[&Rule]) -> State {
    State {
        bus: EventBus {
            client: mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, bus),
            name: "changes".to_owned(),
            source: EVENT_SOURCE,
            request_bytes: REQUEST_BYTES,
        },
        s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, s3),
        sqs: mock_client!(aws_sdk_sqs, RuleMode::MatchAny, sqs),
        config: Config {
            event_bus_name: "changes".to_owned(),
            dead_letter_bucket_name: "dead-letters".to_owned(),
            claim_check_bucket_name: "claim-check".to_owned(),
            rejects_queue_url: "https://rejects".to_owned(),
            put_events_request_bytes: REQUEST_BYTES,
        },
        metrics: test_entry_sink().sink,
    }
}

fn enriched(number: usize, item_type: &str, filler: usize) -> Value {
    json!({
        "eventID": format!("e{number}"),
        "key": format!("{number:032x}"),
        "event": {
            "meta": {
                "id": format!("{number:032x}"), "correlationId": "c", "changeType": format!("{item_type}Insert"),
                "itemType": item_type, "operation": "INSERT", "sequence": format!("{number:040}"),
                "occurredAt": "2026-11-22T07:14:00Z", "schemaVersion": "1.0",
            },
            "item": {"id": "PATIENT#1", "sk": "X#1", "filler": "x".repeat(filler)},
        },
    })
}

fn rejected(number: usize, record: &Value) -> Value {
    json!({
        "eventID": format!("e{number}"),
        "key": format!("{number:032x}"),
        "rejected": {
            "recordId": format!("{number:032x}"), "reason": "code-unknown", "element": "gender",
            "sequence": format!("{number:040}"), "record": record,
        },
    })
}

/// Detail type and detail of each entry that a bus took.
type Taken = Arc<Mutex<Vec<(String, String)>>>;

/// A bus that takes everything.
fn open_bus() -> (Rule, Taken) {
    let taken = Taken::default();
    let rule = {
        let taken = taken.clone();
        mock!(aws_sdk_eventbridge::Client::put_events)
            .match_requests(move |request| {
                let mut taken = taken.lock().unwrap();
                let mut bytes = 0;
                for entry in request.entries() {
                    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
                    assert_eq!(entry.source(), Some(EVENT_SOURCE));
                    assert_eq!(entry.event_bus_name(), Some("changes"));
                    let (detail_type, detail) = (text(entry.detail_type()), text(entry.detail()));
                    bytes += EVENT_SOURCE.len() + detail_type.len() + detail.len();
                    taken.push((detail_type, detail));
                }
                assert!(
                    request.entries().len() <= 10 && bytes <= REQUEST_BYTES,
                    "a request of {bytes} bytes"
                );
                true
            })
            .then_compute_output(|request| accepted(request.entries().len()))
    };
    (rule, taken)
}

fn accepted(entries: usize) -> PutEventsOutput {
    let entry = PutEventsResultEntry::builder().event_id("b").build();
    PutEventsOutput::builder().failed_entry_count(0).set_entries(Some(vec![entry; entries])).build()
}

fn open_bucket() -> (Rule, Arc<Mutex<Vec<String>>>) {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let rule = {
        let keys = keys.clone();
        mock!(aws_sdk_s3::Client::put_object)
            .match_requests(move |request| {
                let place = format!("{}/{}", request.bucket().unwrap(), request.key().unwrap());
                keys.lock().unwrap().push(place);
                true
            })
            .then_output(|| PutObjectOutput::builder().build())
    };
    (rule, keys)
}

async fn failures(state: &State, batch: &[Value], time: Duration) -> BTreeSet<String> {
    let answer = handle(state, &json!(batch).to_string(), Instant::now() + time).await.unwrap();
    answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

#[tokio::test]
async fn each_change_goes_out_under_its_type_and_nothing_is_dropped_for_being_new() {
    let (bus, taken) = open_bus();
    let state = state(&[&bus], &[], &[]);
    let batch: Vec<Value> = ["Patient", "Address", "Invoice", "Item"]
        .iter()
        .enumerate()
        .map(|(n, it)| enriched(n, it, 0))
        .collect();
    assert!(failures(&state, &batch, Duration::from_secs(5)).await.is_empty());
    let taken: BTreeSet<String> =
        taken.lock().unwrap().iter().map(|(detail_type, _)| detail_type.clone()).collect();
    assert_eq!(taken, ["AddressChange", "ItemChange", "PatientChange"].map(str::to_owned).into());
}

#[tokio::test]
async fn a_change_over_the_limit_goes_to_s3_and_its_event_says_where() {
    let (bus, taken) = open_bus();
    let (bucket, keys) = open_bucket();
    let state = state(&[&bus], &[&bucket], &[]);
    let batch = [enriched(1, "Patient", 300_000), enriched(2, "Patient", 10)];
    assert!(failures(&state, &batch, Duration::from_secs(5)).await.is_empty());
    assert_eq!(*keys.lock().unwrap(), [format!("claim-check/changes/{:032x}.json", 1)]);
    let taken = taken.lock().unwrap();
    let referring = taken.iter().find(|(_, detail)| detail.contains("dataRef")).unwrap();
    let referring: Value = serde_json::from_str(&referring.1).unwrap();
    assert_eq!(referring["dataRef"]["bucket"], "claim-check");
    assert!(referring.get("item").is_none());
    assert_eq!(referring["meta"]["itemType"], "Patient");
}

#[tokio::test]
async fn a_reject_is_stored_whole_before_it_is_announced() {
    let (bucket, keys) = open_bucket();
    let notices = Arc::new(Mutex::new(Vec::new()));
    let queue = {
        let (notices, keys) = (notices.clone(), keys.clone());
        mock!(aws_sdk_sqs::Client::send_message)
            .match_requests(move |request| {
                assert_eq!(keys.lock().unwrap().len(), 1, "announced before it was stored");
                notices.lock().unwrap().push(request.message_body().unwrap().to_owned());
                request.queue_url() == Some("https://rejects")
            })
            .then_output(|| SendMessageOutput::builder().build())
    };
    let state = state(&[], &[&bucket], &[&queue]);
    let record = json!({"eventID": "e7", "dynamodb": {"NewImage": {"gender": {"S": "Ngozi"}}}});
    assert!(failures(&state, &[rejected(7, &record)], Duration::from_secs(5)).await.is_empty());
    let key = format!("dead/{:032x}.json", 7);
    assert_eq!(*keys.lock().unwrap(), [format!("dead-letters/{key}")]);
    let notice = notices.lock().unwrap().remove(0);
    assert!(!notice.contains("Ngozi"), "i6: {notice}");
    let notice: RejectNotice = serde_json::from_str(&notice).unwrap();
    assert_eq!((notice.bucket.as_str(), notice.object_key), ("dead-letters", key));
    assert_eq!((notice.reason.code(), notice.element.as_str()), ("code-unknown", "gender"));
}

#[tokio::test]
async fn i1_a_reject_that_cannot_be_stored_is_reported_and_not_announced() {
    let bucket = mock!(aws_sdk_s3::Client::put_object)
        .then_error(|| aws_sdk_s3::operation::put_object::PutObjectError::unhandled("down"));
    let queue = mock!(aws_sdk_sqs::Client::send_message).then_output(|| SendMessageOutput::builder().build());
    let (bus, _) = open_bus();
    let state = state(&[&bus], &[&bucket], &[&queue]);
    let batch = [rejected(1, &json!({})), enriched(2, "Patient", 0)];
    assert_eq!(failures(&state, &batch, Duration::from_secs(5)).await, ["e1".to_owned()].into());
    assert_eq!(queue.num_calls(), 0);
}

#[tokio::test]
async fn what_the_bus_does_not_take_in_time_is_reported_and_the_rest_is_not() {
    let bus = mock!(aws_sdk_eventbridge::Client::put_events).then_compute_output(|request| {
        let entries = request.entries().iter().map(|entry| {
            let refused = entry.detail().is_some_and(|detail| detail.contains(&format!("\"{:032x}\"", 1)));
            let entry = PutEventsResultEntry::builder();
            if refused {
                entry.error_code("ThrottlingException").build()
            } else {
                entry.event_id("b").build()
            }
        });
        PutEventsOutput::builder().set_entries(Some(entries.collect())).build()
    });
    let state = state(&[&bus], &[], &[]);
    let batch: Vec<Value> = (0..30).map(|number| enriched(number, "Patient", 0)).collect();
    assert_eq!(failures(&state, &batch, Duration::from_millis(300)).await, ["e1".to_owned()].into());
    assert!(bus.num_calls() > 4, "it was not tried again");
}

#[tokio::test]
async fn a_bus_that_is_down_loses_nothing() {
    let bus = mock!(aws_sdk_eventbridge::Client::put_events).then_error(|| PutEventsError::unhandled("down"));
    let state = state(&[&bus], &[], &[]);
    let batch: Vec<Value> = (0..3).map(|number| enriched(number, "Patient", 0)).collect();
    assert_eq!(failures(&state, &batch, Duration::from_millis(100)).await.len(), 3);
}

#[tokio::test]
async fn an_outcome_of_another_release_is_reported_not_dropped() {
    let state = state(&[], &[], &[]);
    let batch = [json!({"eventID": "e1", "verdict": "unheard of"})];
    assert_eq!(failures(&state, &batch, Duration::from_millis(100)).await, ["e1".to_owned()].into());
}
