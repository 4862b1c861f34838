//! Messages that ask for a job, against a HealthLake, a table and a queue on this machine.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../export-runs/tests/loopback_aws/mod.rs"]
mod loopback_aws;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use domain::export::job::JobId;
use domain::export::run::{Run, RunStatus};
use export_starter::{Config, State, handle};
use healthlake::HealthLake;
use jiff::Timestamp;
use loopback_aws::{Aws, BUCKET, DATA_ROLE, Job, Reply, TABLE, Told, run, time};
use metrique::test_util::test_entry_sink;
use serde_json::json;
use tokio::time::Instant;

const START: &str = "healthlake:StartFHIRExportJobWithPost";
const LIST: &str = "healthlake:ListFHIRExportJobs";
const CANCEL: &str = "healthlake:CancelFHIRExportJobWithDelete";
const ENOUGH: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(700);

fn minute_one() -> Timestamp {
    time("2026-11-22T08:01:00Z")
}

/// When the job of a starter that set out at minute one would be listed.
fn minute_three() -> Timestamp {
    time("2026-11-22T08:03:00Z")
}

fn state_at(aws: &Aws, clock: fn() -> Timestamp) -> State {
    let sdk = aws.sdk();
    State {
        runs: aws.runs(),
        healthlake: HealthLake::new(&sdk, Some(&aws.endpoint)).unwrap(),
        step_functions: aws_sdk_sfn::Client::new(&sdk),
        sqs: aws_sdk_sqs::Client::new(&sdk),
        config: Config {
            runs_table_name: TABLE.to_owned(),
            export_bucket_name: BUCKET.to_owned(),
            export_key_arn: "arn:aws:kms:eu-west-1:111122223333:key/k".to_owned(),
            data_access_role_arn: DATA_ROLE.to_owned(),
            poll_queue_url: "https://polls".to_owned(),
            healthlake_endpoint: Some(aws.endpoint.clone()),
        },
        metrics: test_entry_sink().sink,
        clock,
    }
}

fn event(bodies: &[String]) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = (1..)
        .zip(bodies)
        .map(|(number, body)| {
            let mut message = SqsMessage::default();
            message.message_id = Some(format!("m{number}"));
            message.body = Some(body.clone());
            message
        })
        .collect();
    event
}

fn asks_for(run: &Run) -> String {
    json!({"taskToken": "token", "run": run}).to_string()
}

async fn failed(state: &State, bodies: &[String], time: Duration) -> Vec<String> {
    let answer = handle(state, event(bodies), Instant::now() + time).await;
    answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

/// Whether the message was dealt with.
async fn start(aws: &Aws, run: &Run, clock: fn() -> Timestamp) -> bool {
    failed(&state_at(aws, clock), &[asks_for(run)], ENOUGH).await.is_empty()
}

async fn leased() -> (Aws, Run) {
    let aws = Aws::start().await;
    let run = run("r1");
    aws.lease_to(&run, |_| ()).await;
    (aws, run)
}

fn name_of(run: &Run) -> String {
    run.key.job_name(&run.datastore.id)
}

#[tokio::test]
async fn a_run_that_lives_gets_its_job_and_is_polled() {
    let (aws, run) = leased().await;
    assert!(start(&aws, &run, minute_one).await);
    let operations = aws.operations();
    let position = |operation: &str| operations.iter().position(|it| it == operation).unwrap();
    let order =
        ["states:SendTaskHeartbeat", "dynamodb:PutItem", LIST, START, "sqs:SendMessage"].map(position);
    assert!(order.is_sorted(), "{operations:?}");
    let record = aws.stored_record(&run).await;
    assert_eq!((record.status, record.job_id), (RunStatus::Exporting, Some(JobId("job-1".to_owned()))));
    assert_eq!((record.intents, record.intended_at), (1, Some(minute_one())));
    let request = aws.calls(START).remove(0).json();
    assert_eq!(
        (&request["JobName"], &request["DataAccessRoleArn"]),
        (&json!(name_of(&run)), &json!(DATA_ROLE))
    );
    let output = json!({
        "S3Uri": "s3://exports-bucket/exports/", "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/k",
    });
    assert_eq!(request["OutputDataConfig"]["S3Configuration"], output);
    let message = aws.world().messages.remove(0);
    assert_eq!((message.queue_url.as_str(), message.delay_seconds), ("https://polls", 10));
    assert_eq!(message.body, json!({"taskToken": "token", "run": run, "jobId": "job-1", "number": 0}));
    assert_eq!(aws.world().told, [Told::Heartbeat]);
}

#[tokio::test]
async fn i5_nothing_is_started_for_a_token_that_is_dead() {
    let (aws, run) = leased().await;
    aws.world().token_is_dead = true;
    assert!(start(&aws, &run, minute_one).await);
    assert_eq!(aws.operations(), ["states:SendTaskHeartbeat"]);
}

#[tokio::test]
async fn i5_a_message_delivered_twice_starts_one_job() {
    let (aws, run) = leased().await;
    for clock in [minute_one, minute_one, minute_three] {
        assert!(start(&aws, &run, clock).await);
    }
    assert_eq!((aws.calls(START).len(), aws.calls(LIST).len()), (1, 1));
    let numbers: Vec<_> = aws.world().messages.iter().map(|message| message.body["number"].clone()).collect();
    assert_eq!(numbers, [0, 0, 0], "the poller tells the chains apart");
}

#[tokio::test]
async fn i5_of_two_starters_at_once_one_starts_a_job() {
    for _ in 0..10 {
        let (aws, run) = leased().await;
        let (one, other) = tokio::join!(start(&aws, &run, minute_one), start(&aws, &run, minute_one));
        assert!(one || other);
        assert_eq!(aws.calls(START).len(), 1);
    }
}

#[tokio::test]
async fn i5_the_job_of_a_starter_that_died_is_found_and_followed() {
    for clock in [minute_one, minute_three] {
        let (aws, run) = leased().await;
        let record = aws.stored_record(&run).await.revised(|record| {
            record.intended_at = Some(minute_one());
            record.intents = 1;
        });
        let _ = aws.runs().write_record(&run.datastore.id, &record).await.unwrap();
        aws.world().jobs.push(Job { submitted_at: 2, ..Job::new("second", &name_of(&run), "QUEUED") });
        aws.world().jobs.push(Job { submitted_at: 1, ..Job::new("first", &name_of(&run), "IN_PROGRESS") });
        aws.world().jobs.push(Job::new("another's", &format!("{}0", name_of(&run)), "IN_PROGRESS"));
        assert!(start(&aws, &run, clock).await);
        assert!(aws.calls(START).is_empty());
        assert_eq!(aws.stored_record(&run).await.job_id, Some(JobId("first".to_owned())));
    }
}

#[tokio::test]
async fn i5_a_job_that_may_not_be_listed_yet_is_waited_for() {
    let (aws, run) = leased().await;
    // The job is accepted, and the answer is lost.
    aws.fault(|call, world| {
        call.is(START).then(|| {
            drop(world.healthlake("StartFHIRExportJobWithPost", call));
            world.jobs[0].name = "not listed yet".to_owned();
            Reply::cut()
        })
    });
    assert!(!start(&aws, &run, minute_one).await);
    assert!(!start(&aws, &run, minute_one).await);
    assert_eq!(aws.calls(START).len(), 1, "a second job was started");
    aws.world().jobs[0].name = name_of(&run);
    assert!(start(&aws, &run, minute_three).await);
    assert_eq!((aws.calls(START).len(), aws.world().jobs.len()), (1, 1));
    assert_eq!(aws.stored_record(&run).await.job_id, Some(JobId("job-1".to_owned())));
}

#[tokio::test]
async fn i5_a_second_job_is_cancelled() {
    let (aws, run) = leased().await;
    let run_sort_key = run.key.sort_key();
    aws.fault(move |call, world| {
        if call.is(START) {
            let item = world.table.items.iter_mut().find(|((_, sk), _)| *sk == run_sort_key).unwrap().1;
            item.insert("jobId".to_owned(), json!({"S": "another"}));
            item.insert("revision".to_owned(), json!({"N": "9"}));
        }
        None
    });
    assert!(start(&aws, &run, minute_one).await);
    assert_eq!(aws.world().jobs[0].status, "CANCEL_SUBMITTED");
    assert_eq!(aws.stored_record(&run).await.job_id, Some(JobId("another".to_owned())));
    assert!(aws.world().messages.is_empty());
}

#[tokio::test]
async fn i5_a_run_without_the_lease_or_a_record_fails_by_name() {
    let (aws, run) = leased().await;
    aws.lease_lost(&run).await;
    assert!(start(&aws, &run, minute_one).await);
    let aws_without_record = Aws::start().await;
    aws_without_record.lease_to(&run, |_| ()).await;
    aws_without_record.world().table.items.retain(|(_, sk), _| sk == "STATE");
    assert!(start(&aws_without_record, &run, minute_one).await);
    for aws in [aws, aws_without_record] {
        let world = aws.world();
        assert!(
            matches!(world.told.as_slice(), [Told::Heartbeat, Told::Failure { error, .. }] if error == "LeaseLost"),
            "{:?}",
            world.told
        );
        assert!(world.jobs.is_empty() && world.messages.is_empty());
    }
}

#[tokio::test]
async fn a_run_that_is_over_starts_nothing() {
    let (aws, run) = leased().await;
    let over = aws.stored_record(&run).await.revised(|record| record.status = RunStatus::Failed);
    let _ = aws.runs().write_record(&run.datastore.id, &over).await.unwrap();
    assert!(start(&aws, &run, minute_one).await);
    assert!(aws.calls(LIST).is_empty() && aws.calls(START).is_empty());
    assert_eq!(aws.world().told, [Told::Heartbeat]);
}

#[tokio::test]
async fn what_healthlake_would_refuse_again_fails_the_run_at_once() {
    for (operation, code) in
        [(START, "ValidationException"), (START, "AccessDeniedException"), (LIST, "ValidationException")]
    {
        let (aws, run) = leased().await;
        aws.fault(move |call, _| call.is(operation).then(|| Reply::error(400, code)));
        assert!(start(&aws, &run, minute_one).await, "{operation} {code}");
        let Some(Told::Failure { error, cause }) = aws.world().told.pop() else { panic!("no failure") };
        assert_eq!(error, "HealthLakeRefused");
        assert!(cause.contains(&format!("({operation} failed: {code})")), "{cause}");
        assert!(!cause.contains("Ngozi"), "i6: {cause}");
        assert!(aws.world().messages.is_empty());
    }
}

#[tokio::test]
async fn what_may_pass_is_left_to_the_queue() {
    type Fault = fn() -> Reply;
    let faults: [(&'static str, Fault); 9] = [
        (START, || Reply::empty(429)),
        (START, || Reply::error(400, "ThrottlingException")),
        (START, || Reply::error(500, "InternalServerException")),
        (START, Reply::cut),
        (LIST, || Reply::error(500, "InternalServerException")),
        ("states:SendTaskHeartbeat", || Reply::error(500, "InternalServerError")),
        ("dynamodb:GetItem", || Reply::error(500, "InternalServerError")),
        ("dynamodb:PutItem", || Reply::error(400, "ProvisionedThroughputExceededException")),
        ("sqs:SendMessage", || Reply::error(500, "InternalServerError")),
    ];
    for (operation, fault) in faults {
        let (aws, run) = leased().await;
        aws.fault(move |call, _| call.is(operation).then(fault));
        let state = state_at(&aws, minute_one);
        assert_eq!(failed(&state, &[asks_for(&run)], SHORT).await, ["m1"], "{operation}");
        assert!(!aws.world().told.iter().any(|told| *told != Told::Heartbeat), "{operation}");
        aws.mend();
        assert!(start(&aws, &run, minute_three).await, "{operation}");
        let world = aws.world();
        assert_eq!((world.jobs.len(), world.messages.len()), (1, 1), "{operation}");
    }
}

#[tokio::test]
async fn i3_a_message_that_asks_for_nothing_holds_up_no_other() {
    let (aws, run) = leased().await;
    let state = state_at(&aws, minute_one);
    let bodies = ["{}".to_owned(), asks_for(&run), "Ngozi".to_owned()];
    assert_eq!(failed(&state, &bodies, ENOUGH).await, ["m1", "m3"]);
    assert_eq!(aws.calls(START).len(), 1);
    assert!(aws.calls(CANCEL).is_empty());
}
