//! Messages that ask how a job stands, against a HealthLake, a table, a bucket and a queue on this machine.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../export-runs/tests/loopback_aws/mod.rs"]
mod loopback_aws;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use domain::export::job::JobId;
use domain::export::manifest::Range;
use domain::export::poll::Chain;
use domain::export::run::{Run, RunRecord, RunStatus, Shortfall};
use export_poller::{Config, State, handle};
use healthlake::HealthLake;
use loopback_aws::{Aws, BUCKET, Job, Reply, TABLE, Told, run, time};
use metrique::test_util::test_entry_sink;
use serde_json::{Value, json};
use tokio::time::Instant;

const DESCRIBE: &str = "healthlake:DescribeFHIRExportJobWithGet";
const CANCEL: &str = "healthlake:CancelFHIRExportJobWithDelete";
const MANIFEST: &str = "manifests/d1/r1.json";
/// The poller keeps ten of them for what comes after the answer.
const ENOUGH: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(10_500);

fn state(aws: &Aws) -> State {
    let sdk = aws.sdk();
    State {
        runs: aws.runs(),
        healthlake: HealthLake::new(&sdk, Some(&aws.endpoint)).unwrap(),
        step_functions: aws_sdk_sfn::Client::new(&sdk),
        s3: aws_sdk_s3::Client::new(&sdk),
        sqs: aws_sdk_sqs::Client::new(&sdk),
        config: Config {
            runs_table_name: TABLE.to_owned(),
            export_bucket_name: BUCKET.to_owned(),
            poll_queue_url: "https://polls".to_owned(),
            healthlake_endpoint: Some(aws.endpoint.clone()),
        },
        metrics: test_entry_sink().sink,
        clock: || time("2026-11-22T08:15:00Z"),
    }
}

/// Whether the message was dealt with.
async fn poll_in(aws: &Aws, run: &Run, number: u32, message_id: &str, time: Duration) -> bool {
    let mut message = SqsMessage::default();
    message.message_id = Some(message_id.to_owned());
    let body = json!({"taskToken": "token", "run": run, "jobId": "j1", "number": number});
    message.body = Some(body.to_string());
    let mut event = SqsEvent::default();
    event.records = vec![message];
    handle(&state(aws), event, Instant::now() + time).await.batch_item_failures.is_empty()
}

async fn poll(aws: &Aws, run: &Run, number: u32, message_id: &str) -> bool {
    poll_in(aws, run, number, message_id, ENOUGH).await
}

/// A run that follows the job `j1`, of that status.
async fn exporting_with(status: &str, change: impl FnOnce(&mut RunRecord)) -> (Aws, Run) {
    let aws = Aws::start().await;
    let run = run("r1");
    aws.lease_to(&run, |record| {
        record.status = RunStatus::Exporting;
        record.job_id = Some(JobId("j1".to_owned()));
        change(record);
    })
    .await;
    aws.world().jobs.push(Job::new("j1", "name", status));
    (aws, run)
}

async fn exporting(status: &str) -> (Aws, Run) {
    exporting_with(status, |_| ()).await
}

fn list_files(aws: &Aws, keys: &[&str]) {
    aws.world().jobs[0].files = keys.iter().map(|key| format!("s3://{BUCKET}/{key}")).collect();
}

fn failure_told(aws: &Aws) -> (String, String) {
    match aws.world().told.last() {
        Some(Told::Failure { error, cause }) => (error.clone(), cause.clone()),
        other => panic!("{other:?}"),
    }
}

fn success_told(aws: &Aws) -> Value {
    match aws.world().told.last() {
        Some(Told::Success(output)) => output.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_job_that_goes_on_is_asked_about_again_whatever_its_status_is_called() {
    for status in ["SUBMITTED", "QUEUED", "IN_PROGRESS", "CANCEL_FAILED", "PAUSED_FOR_MAINTENANCE"] {
        let (aws, run) = exporting(status).await;
        assert!(poll(&aws, &run, 0, "m1").await);
        assert_eq!(aws.world().told, [Told::Heartbeat]);
        let message = aws.world().messages.remove(0);
        assert_eq!((message.queue_url.as_str(), message.delay_seconds), ("https://polls", 15), "{status}");
        assert_eq!(message.body, json!({"taskToken": "token", "run": run, "jobId": "j1", "number": 1}));
        let record = aws.stored_record(&run).await;
        assert_eq!(record.chain, Chain { taken: Some(0), by_message: Some("m1".to_owned()) });
        let is_waiting = ["SUBMITTED", "QUEUED"].contains(&status);
        assert_eq!(record.running_since, (!is_waiting).then(|| time("2026-11-22T08:15:00Z")), "{status}");
        let expires_at = aws.stored_state().await.unwrap().lease.unwrap().expires_at;
        assert_eq!(expires_at, time("2026-11-22T08:30:00Z"), "the lease is not renewed");
    }
}

#[tokio::test]
async fn a_job_that_is_done_yields_its_ranges() {
    let (aws, mut run) = exporting("COMPLETED").await;
    run.datastore.range_bytes = 10;
    let etag = aws.store_export("exports/a.ndjson", "x".repeat(25));
    aws.store_export("exports/empty.ndjson", "");
    list_files(&aws, &["exports/a.ndjson", "exports/empty.ndjson"]);
    assert!(poll(&aws, &run, 0, "m1").await);
    let exported = json!({"manifestKey": MANIFEST, "ranges": 3, "isIncomplete": false});
    assert_eq!(success_told(&aws), exported);
    let manifest = aws.world().objects[&format!("{BUCKET}/{MANIFEST}")].clone();
    let ranges: Vec<Range> = serde_json::from_slice(&manifest).unwrap();
    let edges: Vec<(u64, u64)> = ranges.iter().map(|range| (range.start, range.end)).collect();
    assert_eq!(edges, [(0, 8), (8, 16), (16, 25)]);
    assert!(
        ranges
            .iter()
            .all(|range| range.etag == etag && range.key == "exports/a.ndjson" && range.file_bytes == 25)
    );
    let record = aws.stored_record(&run).await;
    assert_eq!((record.status, record.ranges, record.shortfall), (RunStatus::Publishing, 3, None));
    let operations = aws.operations();
    let position = |operation: &str| operations.iter().rposition(|it| it == operation).unwrap();
    assert!(position("s3:PutObject") < position("states:SendTaskSuccess"), "{operations:?}");
    assert!(aws.world().messages.is_empty());
}

#[tokio::test]
async fn a_job_that_wrote_nothing_is_done_too() {
    let (aws, run) = exporting("COMPLETED").await;
    assert!(poll(&aws, &run, 0, "m1").await);
    assert_eq!(success_told(&aws), json!({"manifestKey": MANIFEST, "ranges": 0, "isIncomplete": false}));
}

#[tokio::test]
async fn i4_an_export_that_is_not_whole_says_so() {
    let cases = [
        ("errors by status", "COMPLETED_WITH_ERRORS", 0, "exports/a.ndjson", true, 0),
        ("errors by list", "COMPLETED", 1, "exports/a.ndjson", true, 0),
        ("a file is missing", "COMPLETED", 0, "exports/gone.ndjson", false, 1),
        ("both", "COMPLETED_WITH_ERRORS", 2, "exports/gone.ndjson", true, 1),
    ];
    for (name, status, errors, key, has_job_errors, missing_files) in cases {
        let (aws, run) = exporting(status).await;
        aws.store_export("exports/a.ndjson", "x");
        list_files(&aws, &["exports/a.ndjson", key]);
        aws.world().jobs[0].errors = errors;
        assert!(poll(&aws, &run, 0, "m1").await);
        assert_eq!(success_told(&aws)["isIncomplete"], true, "{name}");
        let record = aws.stored_record(&run).await;
        assert_eq!(record.shortfall, Some(Shortfall { has_job_errors, missing_files }), "{name}");
    }
    let (aws, run) = exporting("COMPLETED").await;
    aws.world().jobs[0].files = vec!["s3://another-bucket/exports/a.ndjson".to_owned()];
    assert!(poll(&aws, &run, 0, "m1").await);
    assert_eq!(success_told(&aws)["isIncomplete"], true, "a file that is elsewhere");
}

#[tokio::test]
async fn a_job_that_failed_fails_the_run_by_name() {
    for (status, code) in [("FAILED", "JobFailed"), ("CANCEL_COMPLETED", "JobCancelled")] {
        let (aws, run) = exporting(status).await;
        assert!(poll(&aws, &run, 0, "m1").await);
        let (error, cause) = failure_told(&aws);
        assert_eq!(error, code);
        assert!(cause.ends_with("(job j1)"), "{cause}");
        assert!(aws.world().messages.is_empty() && aws.calls(CANCEL).is_empty());
    }
}

#[tokio::test]
async fn a_job_that_runs_for_too_long_is_cancelled_before_the_run_fails() {
    let since = |text: &'static str| move |record: &mut RunRecord| record.running_since = Some(time(text));
    for status in ["IN_PROGRESS", "PAUSED_FOR_MAINTENANCE"] {
        let (aws, run) = exporting_with(status, since("2026-11-22T07:15:00Z")).await;
        aws.world().jobs[0].status = "IN_PROGRESS".to_owned();
        assert!(poll(&aws, &run, 0, "m1").await);
        assert_eq!(failure_told(&aws).0, "JobTookTooLong");
        assert_eq!(aws.world().jobs[0].status, "CANCEL_SUBMITTED");
        let operations = aws.operations();
        let cancelled = operations.iter().position(|it| it == CANCEL);
        assert!(cancelled < operations.iter().position(|it| it == "states:SendTaskFailure"));
    }
    for (status, text) in [("IN_PROGRESS", "2026-11-22T07:15:01Z"), ("QUEUED", "2026-11-22T01:00:00Z")] {
        let (aws, run) = exporting_with(status, since(text)).await;
        assert!(poll(&aws, &run, 0, "m1").await);
        assert_eq!(aws.world().messages.len(), 1, "{status} since {text}");
    }
}

#[tokio::test]
async fn i5_a_second_chain_ends_where_it_meets_the_first() {
    let taken = |record: &mut RunRecord| {
        record.chain = Chain { taken: Some(3), by_message: Some("m1".to_owned()) };
    };
    for (number, message_id, goes_on) in
        [(4, "m9", true), (3, "m1", true), (3, "m2", false), (0, "m2", false)]
    {
        let (aws, run) = exporting_with("IN_PROGRESS", taken).await;
        assert!(poll(&aws, &run, number, message_id).await);
        let asked = usize::from(goes_on);
        assert_eq!(
            (aws.calls(DESCRIBE).len(), aws.world().messages.len()),
            (asked, asked),
            "{number} {message_id}"
        );
    }
}

#[tokio::test]
async fn i5_of_two_messages_at_once_one_goes_on() {
    for _ in 0..10 {
        let (aws, run) = exporting("IN_PROGRESS").await;
        let (one, other) = tokio::join!(poll(&aws, &run, 0, "m1"), poll(&aws, &run, 0, "m2"));
        assert!(one && other);
        assert_eq!((aws.calls(DESCRIBE).len(), aws.world().messages.len()), (1, 1));
    }
}

#[tokio::test]
async fn a_job_whose_step_is_over_is_cancelled_and_its_chain_ends() {
    let (aws, run) = exporting("IN_PROGRESS").await;
    aws.world().token_is_dead = true;
    assert!(poll(&aws, &run, 0, "m1").await);
    assert_eq!(aws.world().jobs[0].status, "CANCEL_SUBMITTED");
    assert!(aws.world().messages.is_empty() && aws.calls(DESCRIBE).is_empty());
    let (aws, run) = exporting_with("COMPLETED", |record| record.status = RunStatus::Publishing).await;
    aws.world().token_is_dead = true;
    assert!(poll(&aws, &run, 0, "m1").await);
    assert!(aws.calls(CANCEL).is_empty(), "its step was answered, and the run goes on");
}

#[tokio::test]
async fn i5_a_run_that_lost_its_lease_cancels_its_job_and_fails() {
    let (aws, run) = exporting("IN_PROGRESS").await;
    aws.lease_lost(&run).await;
    assert!(poll(&aws, &run, 0, "m1").await);
    assert_eq!(failure_told(&aws).0, "LeaseLost");
    assert_eq!(aws.world().jobs[0].status, "CANCEL_SUBMITTED");
    assert_eq!(aws.stored_state().await.unwrap().lease.unwrap().run_id.0, "another");
}

#[tokio::test]
async fn a_run_that_is_over_or_gone_is_polled_no_more() {
    let (aws, run) = exporting_with("IN_PROGRESS", |record| record.status = RunStatus::Failed).await;
    assert!(poll(&aws, &run, 0, "m1").await);
    assert_eq!(aws.operations(), ["dynamodb:GetItem"]);
    aws.world().table.items.clear();
    aws.world().calls.clear();
    assert!(poll(&aws, &run, 0, "m1").await);
    assert_eq!(aws.operations(), ["dynamodb:GetItem"]);
}

#[tokio::test]
async fn what_healthlake_would_refuse_again_fails_the_run_at_once() {
    let (aws, run) = exporting("IN_PROGRESS").await;
    aws.fault(|call, _| call.is(DESCRIBE).then(|| Reply::error(400, "ValidationException")));
    assert!(poll(&aws, &run, 0, "m1").await);
    let (error, cause) = failure_told(&aws);
    assert_eq!((error.as_str(), aws.calls(DESCRIBE).len()), ("HealthLakeRefused", 1));
    assert!(cause.contains("ValidationException") && !cause.contains("Ngozi"), "i6: {cause}");
}

#[tokio::test]
async fn what_may_pass_is_left_to_the_queue_and_the_same_message_goes_on() {
    type Fault = fn() -> Reply;
    let faults: [(&'static str, Fault); 9] = [
        (DESCRIBE, || Reply::error(400, "ThrottlingException")),
        (DESCRIBE, || Reply::error(503, "ServiceUnavailable")),
        (DESCRIBE, Reply::cut),
        ("s3:HeadObject", || Reply::empty(503)),
        ("s3:PutObject", || Reply::s3_error(503, "SlowDown")),
        ("dynamodb:PutItem", || Reply::error(500, "InternalServerError")),
        ("dynamodb:GetItem", || Reply::error(500, "InternalServerError")),
        ("states:SendTaskHeartbeat", || Reply::error(500, "InternalServerError")),
        ("states:SendTaskSuccess", || Reply::error(500, "InternalServerError")),
    ];
    for (operation, fault) in faults {
        let (aws, run) = exporting("COMPLETED").await;
        aws.store_export("exports/a.ndjson", "x");
        list_files(&aws, &["exports/a.ndjson"]);
        aws.fault(move |call, _| call.is(operation).then(fault));
        assert!(!poll_in(&aws, &run, 0, "m1", SHORT).await, "{operation}");
        assert!(aws.world().told.iter().all(|told| *told == Told::Heartbeat), "{operation}");
        aws.mend();
        assert!(poll(&aws, &run, 0, "m1").await, "{operation}");
        let exported = json!({"manifestKey": MANIFEST, "ranges": 1, "isIncomplete": false});
        assert_eq!(success_told(&aws), exported, "{operation}");
    }
    let (aws, run) = exporting("IN_PROGRESS").await;
    aws.break_down("sqs:SendMessage");
    assert!(!poll(&aws, &run, 0, "m1").await);
    aws.mend();
    assert!(poll(&aws, &run, 0, "m1").await);
    assert_eq!(aws.world().messages.len(), 1);
}

#[tokio::test]
async fn a_message_that_asks_about_nothing_comes_again() {
    let aws = Aws::start().await;
    let mut message = SqsMessage::default();
    message.message_id = Some("m1".to_owned());
    let mut event = SqsEvent::default();
    event.records = vec![message];
    let answer = handle(&state(&aws), event, Instant::now() + ENOUGH).await;
    assert_eq!(answer.batch_item_failures.len(), 1);
}
