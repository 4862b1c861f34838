//! Letters in a mocked bucket, against mocked functions of the pipe.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_s3::error::ErrorMetadata;
use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::Object;
use aws_sdk_s3::types::error::NoSuchKey;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use dead_letter_replayer::{Config, Report, Request, State, handle};
use metrique::test_util::test_entry_sink;
use serde_json::{Value, json};
use tokio::time::Instant;

type Bucket = Arc<Mutex<BTreeMap<String, String>>>;

fn no_such_key() -> GetObjectError {
    let meta = ErrorMetadata::builder().code("NoSuchKey").build();
    GetObjectError::NoSuchKey(NoSuchKey::builder().meta(meta).build())
}

/// A bucket of letters for the records with these ids, and rules for its list, get and delete.
fn bucket(ids: &[&str]) -> (Bucket, [Rule; 4]) {
    let letters = ids.iter().map(|id| {
        let letter = json!({
            "schemaVersion": "1.0", "recordId": format!("{id:0>32}"),
            "cause": {"kind": "pipe-gave-up", "condition": "RetryAttemptsExhausted"}, "record": {"eventID": id},
        });
        (format!("dead/{id}.json"), letter.to_string())
    });
    let bucket: Bucket = Arc::new(Mutex::new(letters.collect()));
    let (listed, got, missing, removed) = (bucket.clone(), bucket.clone(), bucket.clone(), bucket.clone());
    let list = mock!(aws_sdk_s3::Client::list_objects_v2).then_compute_output(move |request| {
        assert_eq!(request.prefix(), Some("dead/"));
        let after = request.start_after().unwrap_or_default().to_owned();
        let bucket = listed.lock().unwrap();
        let objects = bucket.iter().filter(|(key, _)| **key > after).map(|(key, letter)| {
            Object::builder().key(key).size(i64::try_from(letter.len()).unwrap()).build()
        });
        ListObjectsV2Output::builder().set_contents(Some(objects.collect())).build()
    });
    let get_missing = mock!(aws_sdk_s3::Client::get_object)
        .match_requests(move |request| !missing.lock().unwrap().contains_key(request.key().unwrap()))
        .then_error(no_such_key);
    let get = mock!(aws_sdk_s3::Client::get_object).then_compute_output(move |request| {
        let letter = got.lock().unwrap()[request.key().unwrap()].clone();
        GetObjectOutput::builder().body(ByteStream::from(letter.into_bytes())).build()
    });
    let delete = mock!(aws_sdk_s3::Client::delete_object).then_compute_output(move |request| {
        removed.lock().unwrap().remove(request.key().unwrap());
        DeleteObjectOutput::builder().build()
    });
    (bucket, [list, get_missing, get, delete])
}

/// An enricher that still rejects ids beginning with `p`, and a router that cannot hand on those beginning with `f`.
fn functions() -> [Rule; 2] {
    let payload = |json: Value| InvokeOutput::builder().payload(Blob::new(json.to_string())).build();
    let read = |request: &aws_sdk_lambda::operation::invoke::InvokeInput| -> Vec<Value> {
        serde_json::from_slice(request.payload().unwrap().as_ref()).unwrap()
    };
    let enricher = mock!(aws_sdk_lambda::Client::invoke)
        .match_requests(|request| request.function_name() == Some("enricher"))
        .then_compute_output(move |request| {
            let outcomes = read(request).into_iter().map(|record| {
                let id = record["eventID"].as_str().unwrap().to_owned();
                if id.starts_with('p') {
                    json!({"eventID": id, "rejected": {
                        "recordId": format!("{id:0>32}"), "reason": "code-unknown", "element": "gender",
                        "sequence": null, "record": record,
                    }})
                } else {
                    json!({"eventID": id, "event": {}})
                }
            });
            payload(outcomes.collect())
        });
    let router = mock!(aws_sdk_lambda::Client::invoke)
        .match_requests(|request| request.function_name() == Some("router"))
        .then_compute_output(move |request| {
            let failures: Vec<Value> = read(request)
                .iter()
                .filter(|outcome| outcome["eventID"].as_str().unwrap().starts_with('f'))
                .map(|outcome| json!({"itemIdentifier": outcome["eventID"]}))
                .collect();
            payload(json!({"batchItemFailures": failures}))
        });
    [enricher, router]
}

fn state(s3: &[Rule], lambda: &[Rule]) -> State {
    State {
        s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, s3),
        lambda: mock_client!(aws_sdk_lambda, RuleMode::MatchAny, lambda),
        config: Config {
            dead_letter_bucket_name: "dead-letters".to_owned(),
            enricher_function_name: "enricher".to_owned(),
            router_function_name: "router".to_owned(),
        },
        metrics: test_entry_sink().sink,
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

#[tokio::test]
async fn i1_a_letter_leaves_the_bucket_only_once_its_record_is_handed_on() {
    let (bucket, s3) = bucket(&["a1", "a2", "f1", "p1", "p2"]);
    let report = handle(&state(&s3, &functions()), Request::default(), soon()).await.unwrap();
    let rejected = [("code-unknown".to_owned(), 2)].into();
    assert_eq!(report, Report { replayed: 2, rejected, failed: 1, next: None });
    let left: Vec<String> = bucket.lock().unwrap().keys().cloned().collect();
    assert_eq!(left, ["dead/f1.json", "dead/p1.json", "dead/p2.json"]);
}

#[tokio::test]
async fn when_the_time_is_up_the_report_says_where_to_go_on() {
    let (bucket, s3) = bucket(&["a1", "a2"]);
    let state = state(&s3, &functions());
    let report =
        handle(&state, Request { after: Some("dead/a1.json".to_owned()) }, Instant::now()).await.unwrap();
    assert_eq!(report, Report { next: Some("dead/a1.json".to_owned()), ..Report::default() });
    let report = handle(&state, Request { after: report.next }, soon()).await.unwrap();
    assert_eq!((report.replayed, report.next), (1, None));
    assert!(bucket.lock().unwrap().contains_key("dead/a1.json"));
}

#[tokio::test]
async fn a_letter_that_somebody_else_replays_meanwhile_is_passed_over() {
    let (all, [list, get_missing, get, delete]) = bucket(&["a1", "a2"]);
    let gone = mock!(aws_sdk_s3::Client::get_object)
        .match_requests(|request| request.key() == Some("dead/a1.json"))
        .then_error(no_such_key);
    let state = state(&[gone, list, get_missing, get, delete], &functions());
    let report = handle(&state, Request::default(), soon()).await.unwrap();
    assert_eq!((report.replayed, report.failed), (1, 0));
    assert!(!all.lock().unwrap().contains_key("dead/a2.json"));
}

#[tokio::test]
async fn an_object_that_is_no_letter_is_counted_and_left_alone() {
    let (bucket, s3) = bucket(&["a1"]);
    bucket.lock().unwrap().insert("dead/x.json".to_owned(), "{}".to_owned());
    let report = handle(&state(&s3, &functions()), Request::default(), soon()).await.unwrap();
    assert_eq!((report.replayed, report.failed), (1, 1));
    assert!(bucket.lock().unwrap().contains_key("dead/x.json"));
}

#[tokio::test]
async fn a_function_that_fails_ends_the_replay_and_removes_nothing() {
    let (bucket, s3) = bucket(&["a1"]);
    let down = mock!(aws_sdk_lambda::Client::invoke)
        .then_output(|| InvokeOutput::builder().function_error("Unhandled").build());
    let error = handle(&state(&s3, &[down]), Request::default(), soon()).await.unwrap_err();
    assert_eq!(error.to_string(), "enricher answered with an error: Unhandled");
    assert_eq!(bucket.lock().unwrap().len(), 1);
}
