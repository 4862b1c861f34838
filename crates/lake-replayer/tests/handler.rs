//! Batches and letters in a mocked bucket, against a mocked writer.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::ErrorMetadata;
use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectOutput};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::Object;
use aws_sdk_s3::types::error::NotFound;
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use lake_replayer::{Config, Report, Request, State, handle};
use metrique::test_util::test_entry_sink;
use serde_json::{Value, json};
use tokio::time::Instant;

const WRITER: &str = "tributary-test-lake-writer";

/// Each object with the number of its version.
type Bucket = Arc<Mutex<BTreeMap<String, (String, usize)>>>;
type Events = Arc<Mutex<Vec<Value>>>;

fn record(sequence_number: &str) -> Value {
    json!({
        "eventID": sequence_number, "eventName": "INSERT", "eventSourceARN": "arn:stream",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_331_640_u32, "SequenceNumber": sequence_number,
            "Keys": {"id": {"S": "PATIENT#1"}, "sk": {"S": "A"}},
            "NewImage": {"id": {"S": "PATIENT#1"}, "sk": {"S": "A"}},
        },
    })
}

fn discarded(function: &str, payload: &Value) -> String {
    json!({
        "requestContext": {
            "requestId": "1", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 4,
            "functionArn": format!("arn:aws:lambda:eu-west-1:111122223333:function:{function}"),
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0", "timestamp": "2026-11-22T07:14:00.028Z", "payload": payload,
    })
    .to_string()
}

fn letter(record: &Value) -> String {
    json!({
        "schemaVersion": "1.0", "recordId": "0".repeat(32), "record": record,
        "cause": {"kind": "rejected", "reason": "record-unreadable", "element": "dynamodb.NewImage"},
    })
    .to_string()
}

fn refused(code: &str) -> ErrorMetadata {
    ErrorMetadata::builder().code(code).build()
}

/// The answer of a service that is told by its status.
fn status(status: u16) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::empty())
}

/// A writer that does not write sequence numbers that begin with 4, puts letters of those that begin with 5 back, and
/// fails at one that begins with 6. An event with one that begins with 7 is too large; with 8, Lambda throttles; with 3,
/// another replay removes the letter meanwhile. Objects of which the key ends so are `.denied`, `.binary` or `.slow`.
fn state(objects: &[(&str, String)]) -> (State, Bucket, Events) {
    let objects = objects.iter().map(|(key, json)| ((*key).to_owned(), (json.clone(), 1)));
    let bucket: Bucket = Arc::new(Mutex::new(objects.collect()));
    let events = Events::default();
    let (listed, got, looked, removed) = (bucket.clone(), bucket.clone(), bucket.clone(), bucket.clone());
    let list = mock!(aws_sdk_s3::Client::list_objects_v2).then_compute_output(move |request| {
        let prefix = request.prefix().unwrap();
        assert!(prefix == "aws/lambda/" || prefix == "dead/lake/");
        let after = request.start_after().unwrap_or_default();
        let bucket = listed.lock().unwrap();
        let limit = usize::try_from(request.max_keys().unwrap()).unwrap();
        let objects =
            bucket.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after).take(limit);
        let objects = objects.map(|(key, (json, _))| {
            Object::builder().key(key).size(i64::try_from(json.len()).unwrap()).build()
        });
        ListObjectsV2Output::builder().set_contents(Some(objects.collect())).build()
    });
    let get = mock!(aws_sdk_s3::Client::get_object).then_compute_response(move |request| {
        let key = request.key().unwrap();
        let (json, version) = got.lock().unwrap()[key].clone();
        let body = match key.rsplit_once('.') {
            Some((_, "denied")) => {
                return MockResponse::Error(GetObjectError::generic(refused("AccessDenied")));
            }
            Some((_, "slow")) => return MockResponse::Http(status(503)),
            Some((_, "binary")) => vec![0xff],
            _ => json.into_bytes(),
        };
        let object = GetObjectOutput::builder().version_id(version.to_string());
        MockResponse::Output(object.body(ByteStream::from(body)).build())
    });
    let head = mock!(aws_sdk_s3::Client::head_object).then_compute_response(move |request| {
        if let Some((_, version)) = looked.lock().unwrap().get(request.key().unwrap()) {
            MockResponse::Output(HeadObjectOutput::builder().version_id(version.to_string()).build())
        } else {
            let error = NotFound::builder().meta(refused("NotFound")).build();
            MockResponse::Error(HeadObjectError::NotFound(error))
        }
    });
    let delete = mock!(aws_sdk_s3::Client::delete_object).then_compute_output(move |request| {
        removed.lock().unwrap().remove(request.key().unwrap());
        DeleteObjectOutput::builder().build()
    });
    let (seen, rejecting) = (events.clone(), bucket.clone());
    let invoke = mock!(aws_sdk_lambda::Client::invoke).then_compute_response(move |request| {
        assert_eq!(request.function_name(), Some(WRITER));
        let event: Value = serde_json::from_slice(request.payload().unwrap().as_ref()).unwrap();
        seen.lock().unwrap().push(event.clone());
        let numbers: Vec<String> = event["Records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned())
            .collect();
        let has = |digit: char| numbers.iter().any(|number| number.starts_with(digit));
        if has('7') {
            return MockResponse::Http(status(413));
        }
        if has('8') {
            return MockResponse::Http(status(429));
        }
        if has('0') {
            return MockResponse::Output(InvokeOutput::builder().payload(Blob::new("{}")).build());
        }
        if has('6') {
            let answer = json!({"errorType": "RejectsNotStored", "errorMessage": "Ngozi"}).to_string();
            let failed = InvokeOutput::builder().function_error("Unhandled").payload(Blob::new(answer));
            return MockResponse::Output(failed.build());
        }
        for number in &numbers {
            let (mut bucket, key) = (rejecting.lock().unwrap(), format!("dead/lake/{number}.json"));
            match number.as_bytes()[0] {
                b'3' => drop(bucket.remove(&key)),
                b'5' => bucket.get_mut(&key).unwrap().1 += 1,
                _ => (),
            }
        }
        let failures = numbers.iter().filter(|number| number.starts_with('4'));
        let failures: Vec<Value> = failures.map(|number| json!({"itemIdentifier": number})).collect();
        let answer = json!({"batchItemFailures": failures}).to_string();
        MockResponse::Output(InvokeOutput::builder().payload(Blob::new(answer)).build())
    });
    let state = State {
        s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&list, &get, &head, &delete], |config| {
            config.retry_config(RetryConfig::disabled())
        }),
        lambda: mock_client!(aws_sdk_lambda, RuleMode::MatchAny, [&invoke], |config| {
            config.retry_config(RetryConfig::disabled())
        }),
        config: Config {
            dead_letter_bucket_name: "dead-letters".to_owned(),
            lake_writer_function_name: WRITER.to_owned(),
        },
        metrics: test_entry_sink().sink,
    };
    (state, bucket, events)
}

async fn run(state: &State) -> Report {
    handle(state, Request::default(), Instant::now() + Duration::from_mins(1)).await.unwrap()
}

fn left(bucket: &Bucket) -> Vec<String> {
    bucket.lock().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn i1_a_batch_leaves_the_bucket_only_when_all_of_it_is_written() {
    let event =
        |numbers: &[&str]| json!({"Records": numbers.iter().map(|it| record(it)).collect::<Vec<_>>()});
    let text = |event: Value| Value::String(event.to_string());
    let (state, bucket, events) = state(&[
        ("aws/lambda/m/1", discarded(WRITER, &text(event(&["11", "12"])))),
        ("aws/lambda/m/2", discarded(WRITER, &event(&["13"]))),
        ("aws/lambda/m/3", discarded(WRITER, &text(event(&["14", "41"])))),
        ("aws/lambda/m/4", discarded(WRITER, &text(event(&["61"])))),
        ("aws/lambda/m/5", discarded("another", &text(event(&["15"])))),
        ("aws/lambda/m/6", discarded(WRITER, &json!("no event"))),
        ("aws/lambda/m/7", "{}".to_owned()),
    ]);
    let report = run(&state).await;
    assert_eq!(report, Report { batches: 2, of_others: 1, failed: 4, ..Report::default() });
    assert_eq!(left(&bucket), ["3", "4", "5", "6", "7"].map(|number| format!("aws/lambda/m/{number}")));
    let sent: Vec<usize> =
        events.lock().unwrap().iter().map(|event| event["Records"].as_array().unwrap().len()).collect();
    assert_eq!(sent, [2, 1, 2, 1]);
}

/// A record that is rejected again stands in the bucket under the same key: removing it would lose it.
#[tokio::test]
async fn i1_a_letter_leaves_the_bucket_only_when_its_record_is_written() {
    let mut unreadable = record("17");
    unreadable["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    let (state, bucket, events) = state(&[
        ("dead/lake/11.json", letter(&record("11"))),
        ("dead/lake/17.json", letter(&unreadable)),
        ("dead/lake/41.json", letter(&record("41"))),
        ("dead/lake/51.json", letter(&record("51"))),
        ("dead/lake/9.json", "no letter".to_owned()),
    ]);
    let report = run(&state).await;
    assert_eq!((report.letters, report.failed), (1, 2));
    let rejected: Vec<_> = report.rejected.keys().map(String::as_str).collect();
    assert!(
        rejected[0].contains("dynamodb.NewImage") && rejected[1].contains("older release"),
        "{rejected:?}"
    );
    assert_eq!(left(&bucket), ["17", "41", "51", "9"].map(|number| format!("dead/lake/{number}.json")));
    let events = events.lock().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0], json!({"Records": [record("11"), record("41"), record("51")]}));
}

#[tokio::test]
async fn letters_are_sent_in_as_many_invocations_as_it_takes() {
    let big = |number: &str| {
        let mut record = record(number);
        record["dynamodb"]["NewImage"]["note"] = json!({"S": "x".repeat(2_000_000)});
        letter(&record)
    };
    let letters =
        ["11", "12", "13", "14", "15"].map(|number| (format!("dead/lake/{number}.json"), big(number)));
    let letters: Vec<(&str, String)> =
        letters.iter().map(|(key, json)| (key.as_str(), json.clone())).collect();
    let (state, bucket, events) = state(&letters);
    let report = run(&state).await;
    assert_eq!((report.letters, left(&bucket).len()), (5, 0));
    assert_eq!(events.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn what_the_time_did_not_suffice_for_is_gone_on_with() {
    let event = |number: &str| Value::String(json!({"Records": [record(number)]}).to_string());
    let (state, bucket, _) = state(&[
        ("aws/lambda/m/1", discarded(WRITER, &event("11"))),
        ("aws/lambda/m/2", discarded(WRITER, &event("12"))),
        ("dead/lake/13.json", letter(&record("13"))),
    ]);
    let mut request = Request::default();
    let mut invocations = 0;
    loop {
        let report = handle(&state, request, Instant::now()).await.unwrap();
        invocations += 1;
        let Some(next) = report.next else { break };
        assert_eq!(left(&bucket).len(), 3 - invocations, "one each time, and none twice");
        request = next;
    }
    assert_eq!((invocations, left(&bucket).len()), (4, 0));
}

/// One object of each kind that fails by itself, and one behind it.
#[tokio::test]
async fn i3_one_batch_stops_no_other() {
    let event = |number: &str| discarded(WRITER, &json!({"Records": [record(number)]}));
    let (state, bucket, _) = state(&[
        ("aws/lambda/m/1", event("61")),
        ("aws/lambda/m/2", event("71")),
        ("aws/lambda/m/3.denied", event("11")),
        ("aws/lambda/m/4.binary", event("12")),
        ("aws/lambda/m/5", event("13")),
    ]);
    let report = run(&state).await;
    assert_eq!(report, Report { batches: 1, failed: 4, ..Report::default() });
    assert_eq!(left(&bucket), ["1", "2", "3.denied", "4.binary"].map(|it| format!("aws/lambda/m/{it}")));
}

/// The writer fails with every event that holds one of them; the others reach it all the same, each once.
#[tokio::test]
async fn i3_one_letter_stops_no_other() {
    let numbers: Vec<usize> = (100..200).chain([600]).chain(900..1_000).collect();
    let mut letters: Vec<(String, String)> = numbers
        .iter()
        // So that those at which the writer fails lie among the others.
        .map(|number| match number {
            142 => (format!("dead/lake/{number}.json"), letter(&record("742"))),
            917 => (format!("dead/lake/{number}.json"), letter(&record("617"))),
            _ => (format!("dead/lake/{number}.json"), letter(&record(&number.to_string()))),
        })
        .collect();
    letters.push(("dead/lake/150.denied".to_owned(), letter(&record("15"))));
    letters.push(("dead/lake/930.binary".to_owned(), letter(&record("93"))));
    letters.push(("dead/lake/950.json".to_owned(), "no letter".to_owned()));
    let letters: Vec<(&str, String)> =
        letters.iter().map(|(key, json)| (key.as_str(), json.clone())).collect();
    let (state, bucket, events) = state(&letters);
    let report = run(&state).await;
    assert_eq!(report, Report { letters: 197, failed: 6, ..Report::default() });
    let stay = ["142.json", "150.denied", "600.json", "917.json", "930.binary", "950.json"];
    assert_eq!(left(&bucket), stay.map(|name| format!("dead/lake/{name}")));
    let invocations = events.lock().unwrap().len();
    assert!(invocations < 100, "{invocations}");
}

/// However often the time is up, each answer is nearer to the letter at which the writer fails.
#[tokio::test]
async fn i3_what_halves_are_left_is_gone_on_with() {
    let letters = ["11", "12", "13", "61", "15", "16"];
    let letters = letters.map(|number| (format!("dead/lake/{number}.json"), letter(&record(number))));
    let (state, bucket, _) = state(&letters.each_ref().map(|(key, json)| (key.as_str(), json.clone())));
    let (mut request, mut total) = (Request::default(), Report::default());
    for _ in 0..20 {
        let mut report = handle(&state, request, Instant::now()).await.unwrap();
        let next = report.next.take();
        total.add(report);
        let Some(next) = next else {
            assert_eq!(total, Report { letters: 5, failed: 1, ..Report::default() });
            assert_eq!(left(&bucket), ["dead/lake/61.json"]);
            return;
        };
        request = next;
    }
    panic!("it does not end");
}

#[tokio::test]
async fn a_letter_that_another_replay_has_removed_is_gone() {
    let letters = ["11", "31"].map(|number| (format!("dead/lake/{number}.json"), letter(&record(number))));
    let (state, bucket, _) = state(&letters.each_ref().map(|(key, json)| (key.as_str(), json.clone())));
    assert_eq!(run(&state).await, Report { letters: 2, ..Report::default() });
    assert!(left(&bucket).is_empty());
}

#[tokio::test]
async fn i1_a_service_that_throttles_or_an_answer_that_tells_nothing_ends_the_replay() {
    for (key, number, told) in [
        ("dead/lake/81.json", "81", "lambda:InvokeFunction failed"),
        ("dead/lake/11.slow", "11", "s3:GetObject failed"),
        ("dead/lake/01.json", "01", "an answer of another form"),
    ] {
        let (state, bucket, _) = state(&[(key, letter(&record(number)))]);
        let until = Instant::now() + Duration::from_mins(1);
        let error = handle(&state, Request::default(), until).await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        assert_eq!(left(&bucket), [key]);
    }
}
