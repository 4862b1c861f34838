//! The runner executes an event source mapping as Lambda does.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod fake_stack;

use std::path::Path;
use std::time::{Duration, Instant};

use fake_stack::{Doing, FakeStack, SHARD, STREAM, UUID, sequence_numbers};
use local_stack::{endpoint, runner};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

const BUCKET: &str = "arn:aws:s3:::dead";

/// A runner that is killed when the test ends.
struct Runner(JoinHandle<()>);

impl Runner {
    async fn start(port: u16, checkpoints: &Path) -> Self {
        let (config, folder) = (endpoint::sdk_config(port).await, checkpoints.to_owned());
        Self(tokio::spawn(async move { runner::run(&config, folder).await.unwrap() }))
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(15), "not within 15 s: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

fn done(_: &[String]) -> Doing {
    Doing::Answers(Value::Null)
}

fn failed(sequence_number: &str) -> Doing {
    Doing::Answers(json!({"batchItemFailures": [{"itemIdentifier": sequence_number}]}))
}

/// The payload of what the mapping wrote to its bucket.
fn payload(object: &Value) -> Value {
    serde_json::from_str(object["payload"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_function_gets_the_records_as_lambda_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let (stack, port) = FakeStack::start(&json!({}), done).await;
    stack.write([41], 0);
    let _runner = Runner::start(port, folder.path()).await;
    eventually("one invocation", || stack.events().len() == 1).await;
    let mut event = stack.events().remove(0);
    let created = event["Records"][0]["dynamodb"]["ApproximateCreationDateTime"].take();
    assert!(created.is_i64());
    assert_eq!(
        event,
        json!({"Records": [{
            "eventID": "e41", "eventName": "REMOVE", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1", "eventSourceARN": STREAM,
            "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
            "dynamodb": {
                "ApproximateCreationDateTime": null, "Keys": {"id": {"S": "41"}}, "SequenceNumber": "41",
                "SizeBytes": 3, "StreamViewType": "KEYS_ONLY",
            },
        }]})
    );
}

#[tokio::test]
async fn a_batch_is_full_or_its_window_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = json!({"BatchSize": 3, "MaximumBatchingWindowInSeconds": 1});
    let (stack, port) = FakeStack::start(&mapping, done).await;
    stack.write(1..=4, 0);
    let _runner = Runner::start(port, folder.path()).await;
    eventually("the full batch", || stack.invocations() == [["1", "2", "3"]]).await;
    let since = Instant::now();
    eventually("the rest", || stack.invocations().len() == 2).await;
    assert!(since.elapsed() > Duration::from_millis(700), "{:?}", since.elapsed());
    assert_eq!(stack.invocations()[1], ["4"]);
}

#[tokio::test]
async fn a_disabled_mapping_rests_and_a_changed_one_goes_on_at_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (stack, port) = FakeStack::start(&json!({}), done).await;
    stack.write([1], 0);
    let _runner = Runner::start(port, folder.path()).await;
    eventually("the first", || stack.invocations() == [["1"]]).await;
    stack.change_mapping("State", json!("Disabled"));
    sleep(Duration::from_millis(1_200)).await;
    stack.write([2, 3], 0);
    sleep(Duration::from_millis(300)).await;
    assert_eq!(stack.invocations().len(), 1);
    stack.change_mapping("FilterCriteria", json!({"Filters": [{"Pattern": r#"{"eventID":["e3"]}"#}]}));
    stack.change_mapping("State", json!("Enabled"));
    eventually("the one that passes the filter", || stack.invocations() == [["1"], ["3"]]).await;
}

/// From the lowest number that was reported; with bisection that costs no retry.
#[tokio::test]
async fn what_was_reported_comes_again_from_there_on() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = json!({
        "FunctionResponseTypes": ["ReportBatchItemFailures"], "BisectBatchOnFunctionError": true,
        "MaximumRetryAttempts": 0, "DestinationConfig": {"OnFailure": {"Destination": BUCKET}},
    });
    let mut patience = 3;
    let (stack, port) = FakeStack::start(&mapping, move |batch| {
        patience -= 1;
        match batch {
            [_, _, third, .., last] if patience >= 0 => Doing::Answers(
                json!({"batchItemFailures": [{"itemIdentifier": last}, {"itemIdentifier": third}]}),
            ),
            _ => done(batch),
        }
    })
    .await;
    stack.write(7..=14, 0);
    let _runner = Runner::start(port, folder.path()).await;
    let expected =
        [vec![7, 8, 9, 10, 11, 12, 13, 14], vec![9, 10, 11, 12, 13, 14], vec![11, 12, 13, 14], vec![13, 14]];
    let expected = expected.map(|batch| batch.iter().map(ToString::to_string).collect::<Vec<_>>());
    eventually("four invocations", || stack.invocations().len() == 4).await;
    assert_eq!(stack.invocations(), expected);
    assert_eq!(stack.objects(), []);
}

/// The poison goes whole to the bucket; nothing else does, and nothing overtakes.
#[tokio::test]
async fn i3_poison_is_isolated_and_kept_with_its_records() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = json!({
        "BisectBatchOnFunctionError": true, "MaximumRetryAttempts": 1,
        "DestinationConfig": {"OnFailure": {"Destination": BUCKET}},
    });
    let has_poison = |batch: &[String]| batch.iter().any(|number| number == "3");
    let function = move |batch: &[String]| if has_poison(batch) { Doing::Fails } else { done(batch) };
    let (stack, port) = FakeStack::start(&mapping, function).await;
    stack.write(1..=5, 0);
    let _runner = Runner::start(port, folder.path()).await;
    eventually("the last record", || {
        stack.invocations().last().is_some_and(|batch| batch.contains(&"5".to_owned()) && !has_poison(batch))
    })
    .await;
    let delivered: Vec<String> =
        stack.invocations().into_iter().filter(|batch| !has_poison(batch)).flatten().collect();
    assert_eq!(delivered, ["1", "2", "4", "5"]);
    let tries = stack.invocations().iter().filter(|batch| **batch == ["3"]).count();
    assert_eq!(tries, 2, "{:?}", stack.invocations());

    let [(path, object)] = stack.objects().try_into().unwrap();
    assert!(path.starts_with(&format!("/dead/aws/lambda/{UUID}/{SHARD}/20")), "{path}");
    assert_eq!(object["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(object["requestContext"]["requestId"], "request-1");
    assert_eq!(object["responseContext"]["functionError"], "Unhandled");
    assert_eq!(object["DDBStreamBatchInfo"]["startSequenceNumber"], "3");
    assert_eq!(object["DDBStreamBatchInfo"]["batchSize"], 1);
    let poison = stack.events().into_iter().find(|event| sequence_numbers(event) == ["3"]).unwrap();
    assert_eq!(payload(&object), poison);
}

/// A batch whose first record is the reported one cannot be split there.
#[tokio::test]
async fn i3_poison_at_the_beginning_is_isolated_too() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = json!({
        "FunctionResponseTypes": ["ReportBatchItemFailures"], "BisectBatchOnFunctionError": true,
        "MaximumRetryAttempts": 0, "DestinationConfig": {"OnFailure": {"Destination": BUCKET}},
    });
    let function = |batch: &[String]| match batch {
        [first, ..] if first == "1" => failed("1"),
        _ => done(batch),
    };
    let (stack, port) = FakeStack::start(&mapping, function).await;
    stack.write(1..=4, 0);
    let _runner = Runner::start(port, folder.path()).await;
    let expected = [vec!["1", "2", "3", "4"], vec!["1", "2"], vec!["1"], vec!["2"], vec!["3", "4"]];
    eventually("five invocations", || stack.invocations() == expected).await;
    let [(_, object)] = stack.objects().try_into().unwrap();
    assert_eq!(sequence_numbers(&payload(&object)), ["1"]);
}

/// A queue gets no records.
#[tokio::test]
async fn without_bisection_the_whole_batch_is_given_up_after_its_retries() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = json!({
        "MaximumRetryAttempts": 2, "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:dead"}},
    });
    let (stack, port) = FakeStack::start(&mapping, |_| failed("unknown")).await;
    stack.write(1..=2, 0);
    let _runner = Runner::start(port, folder.path()).await;
    eventually("a message", || stack.messages().len() == 1).await;
    assert_eq!(stack.invocations(), [["1", "2"], ["1", "2"], ["1", "2"]]);
    let message = stack.messages().remove(0);
    assert_eq!(message["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(message["responseContext"]["functionError"], Value::Null);
    assert_eq!(message["DDBStreamBatchInfo"]["endSequenceNumber"], "2");
    assert_eq!(message["payload"], Value::Null);
}

/// Its answer means nothing unless the mapping says that it reports.
#[tokio::test]
async fn a_mapping_that_does_not_ask_for_failures_ignores_them() {
    let folder = tempfile::tempdir().unwrap();
    let (stack, port) = FakeStack::start(&json!({"BatchSize": 1}), |_| failed("1")).await;
    stack.write(1..=2, 0);
    let _runner = Runner::start(port, folder.path()).await;
    eventually("both", || stack.invocations() == [["1"], ["2"]]).await;
}

/// A throttled function uses up no retry, and records that are too old are not delivered.
#[tokio::test]
async fn only_their_age_ends_records_that_could_not_be_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = json!({
        "MaximumRetryAttempts": 0, "MaximumRecordAgeInSeconds": 60,
        "DestinationConfig": {"OnFailure": {"Destination": BUCKET}},
    });
    let mut throttled = 2;
    let (stack, port) = FakeStack::start(&mapping, move |batch| {
        throttled -= 1;
        if throttled >= 0 { Doing::IsThrottled } else { done(batch) }
    })
    .await;
    stack.write([1], 100);
    stack.write([2], 0);
    let _runner = Runner::start(port, folder.path()).await;
    eventually("an invocation", || !stack.invocations().is_empty()).await;
    assert_eq!(stack.invocations(), [["2"]]);
    let [(_, object)] = stack.objects().try_into().unwrap();
    assert_eq!(object["requestContext"]["condition"], "RecordAgeExceeded");
    assert_eq!(object["requestContext"]["approximateInvokeCount"], 0);
    assert_eq!(sequence_numbers(&payload(&object)), ["1"]);
}

#[tokio::test]
async fn i1_a_killed_runner_goes_on_at_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, blocked) = std::sync::mpsc::channel();
    let mut first = true;
    let (stack, port) = FakeStack::start(&json!({"BatchSize": 2}), move |batch| {
        if batch == ["3", "4"] && std::mem::take(&mut first) {
            sender.send(()).unwrap();
            return Doing::Fails;
        }
        done(batch)
    })
    .await;
    stack.write(1..=4, 0);
    let runner = Runner::start(port, folder.path()).await;
    eventually("the second batch", || blocked.try_recv().is_ok()).await;
    drop(runner);
    let before = stack.invocations().len();
    let _runner = Runner::start(port, folder.path()).await;
    eventually("the second batch again", || stack.invocations().len() > before).await;
    sleep(Duration::from_millis(200)).await;
    let invocations = stack.invocations();
    assert_eq!(invocations.iter().filter(|batch| **batch == ["1", "2"]).count(), 1, "{invocations:?}");
    assert_eq!(invocations.last().unwrap(), &["3", "4"]);
}
