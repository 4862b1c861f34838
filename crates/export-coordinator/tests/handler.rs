//! Steps of runs, against a table, a bus, a bucket and a HealthLake on this machine.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../export-runs/tests/loopback_aws/mod.rs"]
mod loopback_aws;

use std::time::Duration;

use domain::export::announce::EVENT_SOURCE;
use domain::export::failure::{Failure, FailureCode};
use domain::export::job::JobId;
use domain::export::lease::{Lease, State as DatastoreState};
use domain::export::run::{Run, RunRecord, RunStatus, Shortfall};
use export_coordinator::{Config, State, handle};
use healthlake::HealthLake;
use jiff::Timestamp;
use lambda_support::put_events::EventBus;
use lambda_support::step::StepError;
use loopback_aws::{Aws, BUCKET, Job, Reply, TABLE, datastore, run, state_of, time};
use metrique::test_util::test_entry_sink;
use serde_json::{Value, json};
use tokio::time::Instant;

const LIST: &str = "healthlake:ListFHIRExportJobs";
const CANCEL: &str = "healthlake:CancelFHIRExportJobWithDelete";
const PUT_EVENTS: &str = "events:PutEvents";

fn in_the_run() -> Timestamp {
    time("2026-11-22T08:10:00Z")
}

/// When the lease of a run that started at eight has expired.
fn an_hour_later() -> Timestamp {
    time("2026-11-22T09:00:01Z")
}

async fn step_at(aws: &Aws, clock: fn() -> Timestamp, event: Value) -> Result<Value, StepError> {
    let sdk = aws.sdk();
    let state = State {
        runs: aws.runs(),
        healthlake: HealthLake::new(&sdk, Some(&aws.endpoint)).unwrap(),
        bus: EventBus {
            client: aws_sdk_eventbridge::Client::new(&sdk),
            name: "changes".to_owned(),
            source: EVENT_SOURCE,
            request_bytes: 262_144,
        },
        s3: aws_sdk_s3::Client::new(&sdk),
        config: Config {
            runs_table_name: TABLE.to_owned(),
            export_bucket_name: BUCKET.to_owned(),
            event_bus_name: "changes".to_owned(),
            healthlake_endpoint: Some(aws.endpoint.clone()),
        },
        metrics: test_entry_sink().sink,
        clock,
    };
    let answer = handle(&state, event, Instant::now() + Duration::from_millis(900)).await?;
    Ok(serde_json::to_value(answer).unwrap())
}

async fn step(aws: &Aws, event: Value) -> Result<Value, StepError> {
    step_at(aws, in_the_run, event).await
}

fn execution(run: &Run) -> Value {
    json!({"id": run.key.id, "executionArn": "arn:aws:states:x", "startedAt": run.key.started_at})
}

fn begin(run: &Run, request: &Value) -> Value {
    json!({"step": "begin", "run": execution(run), "request": request, "datastore": run.datastore})
}

fn commit(run: &Run, ranges: u32) -> Value {
    let export = json!({"manifestKey": "manifests/d1/r1.json", "ranges": ranges, "isIncomplete": false});
    json!({"step": "commit", "run": run, "export": export})
}

fn fail(run: &Run, name: &str, cause: &str) -> Value {
    json!({"step": "fail", "datastoreId": "d1", "run": execution(run), "error": {"name": name, "cause": cause}})
}

fn clean_up(run: &Run, status: &str) -> Value {
    let ended = json!({"id": run.key.id, "startedAt": run.key.started_at.as_millisecond()});
    json!({"step": "clean-up", "datastoreId": "d1", "run": ended, "status": status})
}

fn accept(run: &str, reason: &str) -> Value {
    json!({"step": "accept", "datastoreId": "d1", "runId": run, "reason": reason})
}

async fn leased_with(change: impl FnOnce(&mut RunRecord)) -> (Aws, Run) {
    let aws = Aws::start().await;
    let run = run("r1");
    aws.lease_to(&run, change).await;
    (aws, run)
}

fn publishing(record: &mut RunRecord) {
    record.status = RunStatus::Publishing;
    record.job_id = Some(JobId("j1".to_owned()));
    record.intents = 1;
}

fn job_of(run: &Run, id: &str, status: &str) -> Job {
    Job::new(id, &run.key.job_name(&run.datastore.id), status)
}

fn result(aws: &Aws, index: u32, patients: u32) {
    let result = json!({
        "index": index, "etag": "e", "startedAt": "2026-11-22T08:05:00Z", "endedAt": "2026-11-22T08:06:00Z",
        "tally": {"published": {"Patient": patients, "Device": 1}, "rejected": {"line-not-json": 1}, "claimChecked": 1, "bytes": 10},
    });
    aws.store_export(&format!("results/d1/r1/{index:06}.json"), result.to_string());
}

/// Detail types of the events, and the runs that they tell of.
fn events(aws: &Aws) -> Vec<(String, String)> {
    let events = aws.world().events.clone();
    events
        .iter()
        .map(|event| {
            assert_eq!(event.source, EVENT_SOURCE);
            let run = event.json()["meta"]["correlationId"].as_str().unwrap().to_owned();
            (event.detail_type.clone(), run)
        })
        .collect()
}

fn last_event(aws: &Aws) -> Value {
    aws.world().events.last().unwrap().json()
}

fn event_ids(aws: &Aws) -> Vec<Value> {
    aws.world().events.iter().map(|event| event.json()["meta"]["id"].clone()).collect()
}

fn said(name: &str, run: &str) -> (String, String) {
    (name.to_owned(), run.to_owned())
}

/// Everything that is stored in the table.
fn stored(aws: &Aws) -> String {
    format!("{:?}", aws.world().table)
}

fn writes(aws: &Aws) -> usize {
    aws.calls("dynamodb:PutItem").len() + aws.calls("dynamodb:TransactWriteItems").len()
}

#[tokio::test]
async fn the_first_run_takes_the_lease_and_exports_everything() {
    let aws = Aws::start().await;
    let run = run("r1");
    let answer = step(&aws, begin(&run, &json!({}))).await.unwrap();
    let window = json!({"until": "2026-11-22T08:00:00Z"});
    let leased = json!({
        "id": "r1", "startedAt": "2026-11-22T08:00:00Z", "datastore": run.datastore, "mode": "incremental",
        "window": window,
    });
    assert_eq!(answer, json!({"outcome": "leased", "run": leased}));
    let lease = aws.stored_state().await.unwrap().lease.unwrap();
    assert_eq!((lease.holder(), lease.expires_at), (run.key.clone(), time("2026-11-22T08:25:00Z")));
    assert_eq!(events(&aws), [said("ExportRunStarted", "r1")]);
    let event = last_event(&aws);
    assert_eq!(
        (&event["window"], &event["mode"], event.get("warnings")),
        (&window, &json!("incremental"), None)
    );
}

#[tokio::test]
async fn i2_a_run_whose_answer_was_lost_begins_once() {
    let aws = Aws::start().await;
    let run = run("r1");
    let answer = step(&aws, begin(&run, &json!({}))).await.unwrap();
    let before = stored(&aws);
    assert_eq!(step(&aws, begin(&run, &json!({}))).await.unwrap(), answer);
    assert_eq!(stored(&aws), before);
    let ids = event_ids(&aws);
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
}

#[tokio::test]
async fn i5_of_two_executions_at_once_one_begins() {
    for _ in 0..10 {
        let aws = Aws::start().await;
        let (one, other) = (run("r1"), run("r2"));
        let nothing = json!({});
        let (first, second) =
            tokio::join!(step(&aws, begin(&one, &nothing)), step(&aws, begin(&other, &nothing)));
        let mut outcomes =
            [first, second].map(|answer| answer.unwrap()["outcome"].as_str().unwrap().to_owned());
        outcomes.sort();
        assert_eq!(outcomes, ["leased", "skipped"]);
    }
}

#[tokio::test]
async fn a_run_that_has_nothing_to_do_says_so_and_writes_nothing() {
    let (aws, _) = leased_with(|_| ()).await;
    let second = run("r2");
    let answer = step(&aws, begin(&second, &json!({}))).await.unwrap();
    assert_eq!(answer, json!({"outcome": "skipped", "reason": "lease-held"}));
    assert_eq!((writes(&aws), events(&aws)), (0, vec![said("ExportRunSkipped", "r2")]));
    let event = last_event(&aws);
    assert_eq!((&event["reason"], &event["heldBy"]), (&json!("lease-held"), &json!("r1")));
}

#[tokio::test]
async fn a_request_that_is_wrong_is_refused_by_name_and_takes_no_lease() {
    let requests = [
        json!({"mode": "everything"}),
        json!({"untill": "2026-11-22T08:00:00Z"}),
        json!({"since": "2026-11-22T08:00:00Z"}),
        json!({"mode": "replay"}),
        json!({"mode": "replay", "until": "2027-01-01T00:00:00Z"}),
        json!("now"),
    ];
    let aws = Aws::start().await;
    for request in requests {
        let error = step(&aws, begin(&run("r1"), &request)).await.unwrap_err();
        assert_eq!(error.code, FailureCode::RequestInvalid, "{request}");
    }
    for event in [json!({}), json!({"step": "dance"}), json!({"step": "commit"})] {
        assert_eq!(step(&aws, event).await.unwrap_err().code, FailureCode::RequestInvalid);
    }
    assert_eq!((writes(&aws), aws.world().events.len()), (0, 0));
}

/// The datastore of a run that fell silent, and the next run.
async fn silent() -> (Aws, Run, Run) {
    let (aws, silent) = leased_with(|record| {
        record.status = RunStatus::Exporting;
        record.job_id = Some(JobId("j1".to_owned()));
        record.intents = 1;
    })
    .await;
    let job = job_of(&silent, "j1", "IN_PROGRESS");
    aws.world().jobs.push(job);
    let mut next = run("r2");
    next.key.started_at = time("2026-11-22T09:00:00Z");
    (aws, silent, next)
}

#[tokio::test]
async fn i5_who_takes_an_expired_lease_cleans_up_after_the_run_that_held_it() {
    let (aws, silent, next) = silent().await;
    let answer = step_at(&aws, an_hour_later, begin(&next, &json!({}))).await.unwrap();
    assert_eq!(answer["run"]["window"]["since"], "2026-11-22T06:58:00Z", "the cursor is where it was");
    let record = aws.stored_record(&silent).await;
    let code = record.error.as_ref().map(|error| error.code);
    assert_eq!(
        (record.status, code, record.is_settled),
        (RunStatus::Failed, Some(FailureCode::LeaseExpired), true)
    );
    assert_eq!(aws.world().jobs[0].status, "CANCEL_SUBMITTED");
    assert_eq!(events(&aws), [said("ExportRunFailed", "r1"), said("ExportRunStarted", "r2")]);
    assert_eq!(last_event(&aws)["tookOver"], "r1");
    let state = aws.stored_state().await.unwrap();
    assert_eq!((state.lease.unwrap().run_id.0.as_str(), state.cursor), ("r2", state_of(&silent).cursor));
}

#[tokio::test]
async fn i5_a_take_over_that_broke_off_is_finished_by_the_next_attempt() {
    for operation in [LIST, CANCEL, PUT_EVENTS] {
        let (aws, silent, next) = silent().await;
        aws.break_down(operation);
        let error = step_at(&aws, an_hour_later, begin(&next, &json!({}))).await.unwrap_err();
        assert_eq!(error.code, FailureCode::DependencyFailed, "{operation}");
        assert!(!aws.stored_record(&silent).await.is_settled, "{operation}");
        aws.mend();
        let answer = step_at(&aws, an_hour_later, begin(&next, &json!({}))).await.unwrap();
        assert_eq!(answer["outcome"], "leased", "{operation}");
        assert!(aws.stored_record(&silent).await.is_settled, "{operation}");
        assert_eq!(aws.world().jobs[0].status, "CANCEL_SUBMITTED", "{operation}");
        assert_eq!(
            events(&aws),
            [said("ExportRunFailed", "r1"), said("ExportRunStarted", "r2")],
            "{operation}"
        );
    }
}

#[tokio::test]
async fn i5_a_job_that_healthlake_has_forgotten_holds_up_no_take_over() {
    let (aws, silent, next) = silent().await;
    aws.world().jobs.clear();
    step_at(&aws, an_hour_later, begin(&next, &json!({}))).await.unwrap();
    assert!(aws.stored_record(&silent).await.is_settled);
}

#[tokio::test]
async fn a_cursor_that_was_deleted_is_warned_of() {
    let earlier = |status: RunStatus| move |record: &mut RunRecord| record.status = status;
    for (status, is_warned) in [(RunStatus::Completed, true), (RunStatus::Failed, false)] {
        let (aws, _) = leased_with(earlier(status)).await;
        aws.world().table.items.retain(|(_, sk), _| sk != "STATE");
        let mut next = run("r2");
        next.key.started_at = time("2026-11-22T09:00:00Z");
        let answer = step_at(&aws, an_hour_later, begin(&next, &json!({}))).await.unwrap();
        assert_eq!(answer["run"]["window"].get("since"), None);
        let warned = is_warned.then(|| json!(["cursor-missing"]));
        assert_eq!(last_event(&aws).get("warnings"), warned.as_ref(), "{status:?}");
    }
}

#[tokio::test]
async fn i4_a_run_whose_ranges_are_all_published_moves_the_cursor() {
    let (aws, run) = leased_with(publishing).await;
    for (index, patients) in [(0, 5), (1, 7), (2, 1)] {
        result(&aws, index, patients);
    }
    assert_eq!(step(&aws, commit(&run, 3)).await.unwrap(), json!({"status": "COMPLETED"}));
    let state = aws.stored_state().await.unwrap();
    assert_eq!((state.cursor, &state.lease), (Some(run.window.until), &None));
    assert_eq!(state.last_run.unwrap().status, RunStatus::Completed);
    let record = aws.stored_record(&run).await;
    assert!(record.is_settled && record.ended_at == Some(in_the_run()));
    let tally = json!({
        "published": {"Patient": 13, "Device": 3}, "rejected": {"line-not-json": 3}, "claimChecked": 3, "bytes": 30,
    });
    assert_eq!(serde_json::to_value(record.tally.unwrap()).unwrap(), tally);
    assert_eq!(events(&aws), [said("ExportRunCompleted", "r1")]);
    let event = last_event(&aws);
    assert_eq!((&event["tally"], &event["seconds"], &event["jobId"]), (&tally, &json!(600), &json!("j1")));
    assert!(aws.calls(LIST).is_empty() && aws.calls(CANCEL).is_empty());
}

#[tokio::test]
async fn i5_a_commit_whose_answer_was_lost_is_done_once() {
    let (aws, run) = leased_with(publishing).await;
    result(&aws, 0, 1);
    let answer = step(&aws, commit(&run, 1)).await.unwrap();
    let before = stored(&aws);
    assert_eq!(step(&aws, commit(&run, 1)).await.unwrap(), answer);
    assert_eq!((stored(&aws), aws.world().events.len()), (before, 1));
}

#[tokio::test]
async fn i4_an_incomplete_run_leaves_the_cursor() {
    let shortfall = Shortfall { has_job_errors: false, missing_files: 2 };
    let (aws, run) = leased_with(|record| {
        publishing(record);
        record.shortfall = Some(shortfall);
    })
    .await;
    assert_eq!(step(&aws, commit(&run, 0)).await.unwrap(), json!({"status": "INCOMPLETE"}));
    let state = aws.stored_state().await.unwrap();
    assert_eq!((state.cursor, state.lease), (state_of(&run).cursor, None));
    assert_eq!(events(&aws), [said("ExportRunIncomplete", "r1")]);
    assert_eq!(last_event(&aws)["shortfall"], json!({"hasJobErrors": false, "missingFiles": 2}));
}

#[tokio::test]
async fn i4_a_range_without_a_result_keeps_the_cursor_where_it_is() {
    let (aws, run) = leased_with(publishing).await;
    let before = stored(&aws);
    for index in [0, 2, 3] {
        result(&aws, index, 1);
    }
    let error = step(&aws, commit(&run, 4)).await.unwrap_err();
    assert_eq!(error, StepError::new(FailureCode::PublishFailed, "1 of 4 ranges have left no result"));
    aws.store_export("results/d1/r1/000001.json", "Ngozi");
    let error = step(&aws, commit(&run, 4)).await.unwrap_err();
    assert!(error.code == FailureCode::PublishFailed && !error.detail.contains("Ngozi"), "{error:?}");
    assert_eq!((stored(&aws), aws.world().events.len()), (before, 0));
}

#[tokio::test]
async fn i5_nobody_commits_with_another_lease_or_another_cursor() {
    let (aws, run) = leased_with(publishing).await;
    aws.lease_lost(&run).await;
    let before = stored(&aws);
    let error = step(&aws, commit(&run, 0)).await.unwrap_err();
    assert_eq!((error.code, stored(&aws)), (FailureCode::LeaseLost, before));
    let (aws, run) = leased_with(publishing).await;
    let was = aws.stored_state().await.unwrap();
    let moved = DatastoreState { cursor: Some(time("2026-11-22T07:30:00Z")), ..was.clone() };
    let _ = aws.runs().write_state(&run.datastore.id, Some(&was), &moved).await.unwrap();
    let error = step(&aws, commit(&run, 0)).await.unwrap_err();
    assert_eq!((error.code, aws.stored_state().await), (FailureCode::CursorMoved, Some(moved)));
    assert!(aws.world().events.is_empty());
}

#[tokio::test]
async fn i5_a_lease_that_is_taken_between_reading_and_writing_stops_the_commit() {
    let (aws, run) = leased_with(publishing).await;
    let mut is_taken = false;
    aws.fault(move |call, world| {
        if call.is("dynamodb:TransactWriteItems") && !std::mem::replace(&mut is_taken, true) {
            for item in world.table.items.values_mut() {
                item.insert("leaseRunId".to_owned(), json!({"S": "another"}));
            }
        }
        None
    });
    assert_eq!(step(&aws, commit(&run, 0)).await.unwrap_err().code, FailureCode::LeaseLost);
    assert_eq!(aws.stored_state().await.unwrap().cursor, state_of(&run).cursor);
}

#[tokio::test]
async fn a_run_is_settled_when_no_job_works_for_it_and_the_bus_knows() {
    for operation in [LIST, CANCEL, PUT_EVENTS] {
        let (aws, run) = leased_with(|record| {
            publishing(record);
            record.intents = 2;
        })
        .await;
        let jobs = [job_of(&run, "j1", "COMPLETED"), job_of(&run, "extra", "IN_PROGRESS")];
        aws.world().jobs.extend(jobs);
        aws.break_down(operation);
        assert_eq!(step(&aws, commit(&run, 0)).await.unwrap_err().code, FailureCode::DependencyFailed);
        let record = aws.stored_record(&run).await;
        assert_eq!((record.status, record.is_settled), (RunStatus::Completed, false), "{operation}");
        aws.mend();
        assert_eq!(step(&aws, commit(&run, 0)).await.unwrap(), json!({"status": "COMPLETED"}));
        assert!(aws.stored_record(&run).await.is_settled, "{operation}");
        assert_eq!(aws.world().jobs[1].status, "CANCEL_SUBMITTED", "{operation}");
        assert_eq!(events(&aws), [said("ExportRunCompleted", "r1")], "{operation}");
        assert!(aws.calls(CANCEL).iter().all(|call| !call.uri.path().ends_with("j1")), "the followed job");
    }
}

#[tokio::test]
async fn a_failed_run_gives_back_its_lease_cancels_its_jobs_and_says_why() {
    let (aws, run) = leased_with(publishing).await;
    let jobs = [
        job_of(&run, "j1", "IN_PROGRESS"),
        job_of(&run, "extra", "QUEUED"),
        Job::new("other", "o", "QUEUED"),
    ];
    aws.world().jobs.extend(jobs);
    let cause = json!({"errorType": "BusRefused", "errorMessage": "3 of 10 events"}).to_string();
    let answer = step(&aws, fail(&run, "BusRefused", &cause)).await.unwrap();
    assert_eq!(answer["code"], "BusRefused");
    assert!(answer["cause"].as_str().unwrap().ends_with("(3 of 10 events)"), "{answer}");
    let state = aws.stored_state().await.unwrap();
    assert_eq!((state.cursor, &state.lease), (state_of(&run).cursor, &None));
    let statuses: Vec<String> = aws.world().jobs.iter().map(|job| job.status.clone()).collect();
    assert_eq!(statuses, ["CANCEL_SUBMITTED", "CANCEL_SUBMITTED", "QUEUED"]);
    assert_eq!(events(&aws), [said("ExportRunFailed", "r1")]);
    assert_eq!(last_event(&aws)["failure"], answer);
    // Its answer may be lost, and the status of its execution asks again.
    let before = stored(&aws);
    assert_eq!(step(&aws, fail(&run, "States.Timeout", "")).await.unwrap(), answer);
    assert_eq!(step(&aws, clean_up(&run, "FAILED")).await.unwrap(), answer);
    assert_eq!((stored(&aws), aws.world().events.len()), (before, 1));
}

#[tokio::test]
async fn a_job_whose_id_was_never_stored_is_cancelled_by_its_name() {
    let (aws, run) = leased_with(|record| record.intents = 1).await;
    let jobs = [job_of(&run, "unknown", "IN_PROGRESS")];
    aws.world().jobs.extend(jobs);
    step(&aws, clean_up(&run, "ABORTED")).await.unwrap();
    assert_eq!(aws.world().jobs[0].status, "CANCEL_SUBMITTED");
    let (aws, run) = leased_with(|_| ()).await;
    step(&aws, clean_up(&run, "ABORTED")).await.unwrap();
    assert!(aws.calls(LIST).is_empty(), "nobody has set out to start a job");
}

#[tokio::test]
async fn a_job_that_the_list_lacks_is_cancelled_by_its_id() {
    let (aws, run) = leased_with(publishing).await;
    aws.world().jobs.push(Job::new("j1", "not listed", "IN_PROGRESS"));
    step(&aws, clean_up(&run, "ABORTED")).await.unwrap();
    assert_eq!(aws.world().jobs[0].status, "CANCEL_SUBMITTED");
}

#[tokio::test]
async fn an_execution_that_ended_by_itself_is_told_from_one_that_was_stopped() {
    let cases = [
        ("ABORTED", FailureCode::ExecutionStopped),
        ("TIMED_OUT", FailureCode::ExecutionTimedOut),
        ("FAILED", FailureCode::ExecutionFailed),
    ];
    for (status, code) in cases {
        let (aws, run) = leased_with(|_| ()).await;
        let answer = step(&aws, clean_up(&run, status)).await.unwrap();
        assert_eq!((&answer["code"], &answer["cause"]), (&json!(code.name()), &json!(code.meaning())));
        assert_eq!(aws.stored_record(&run).await.error.unwrap().code, code);
        assert_eq!(aws.stored_state().await.unwrap().lease, None);
    }
}

#[tokio::test]
async fn the_reason_of_a_range_is_that_of_the_run() {
    let known = Failure::new(FailureCode::BusRefused, Some("range 4: 3 of 10 events"));
    for (name, code) in [
        ("States.ExceedToleratedFailureThreshold", FailureCode::BusRefused),
        ("States.Timeout", FailureCode::ExportTimedOut),
    ] {
        let known = known.clone();
        let (aws, run) = leased_with(|record| record.range_failure = Some(known)).await;
        let answer = step(&aws, fail(&run, name, "")).await.unwrap();
        assert_eq!(answer["code"], code.name(), "{name}");
    }
}

#[tokio::test]
async fn i5_a_failed_run_leaves_the_lease_of_another_alone() {
    let (aws, run) = leased_with(publishing).await;
    aws.lease_lost(&run).await;
    let before = aws.stored_state().await;
    step(&aws, fail(&run, "LeaseLost", "")).await.unwrap();
    assert_eq!(aws.stored_state().await, before);
    assert_eq!(aws.stored_record(&run).await.status, RunStatus::Failed);
}

#[tokio::test]
async fn i5_a_run_that_failed_before_it_began_can_begin_no_more() {
    let aws = Aws::start().await;
    let run = run("r1");
    step(&aws, clean_up(&run, "ABORTED")).await.unwrap();
    assert_eq!(aws.stored_record(&run).await.status, RunStatus::Failed);
    let answer = step(&aws, begin(&run, &json!({}))).await.unwrap();
    assert_eq!(answer, json!({"outcome": "skipped", "reason": "run-is-over"}));
    assert_eq!(aws.stored_state().await, None);
}

#[tokio::test]
async fn i5_a_committed_run_cannot_fail_any_more() {
    let (aws, run) = leased_with(publishing).await;
    step(&aws, commit(&run, 0)).await.unwrap();
    let before = stored(&aws);
    for event in [fail(&run, "DependencyFailed", ""), clean_up(&run, "FAILED")] {
        let _ = step(&aws, event).await.unwrap();
        assert_eq!((stored(&aws), aws.world().events.len()), (before.clone(), 1));
    }
}

#[tokio::test]
async fn a_failure_that_is_not_settled_comes_again() {
    for operation in [LIST, CANCEL, PUT_EVENTS] {
        let (aws, run) = leased_with(publishing).await;
        let jobs = [job_of(&run, "j1", "IN_PROGRESS")];
        aws.world().jobs.extend(jobs);
        aws.break_down(operation);
        let error = step(&aws, fail(&run, "JobFailed", "")).await.unwrap_err();
        assert_eq!(error.code, FailureCode::DependencyFailed, "{operation}");
        assert!(!aws.stored_record(&run).await.is_settled, "{operation}");
        assert_eq!(aws.stored_state().await.unwrap().lease, None, "the next run need not wait for it");
        aws.mend();
        assert_eq!(step(&aws, fail(&run, "JobFailed", "")).await.unwrap()["code"], "JobFailed");
        assert!(aws.stored_record(&run).await.is_settled, "{operation}");
        assert_eq!(events(&aws), [said("ExportRunFailed", "r1")], "{operation}");
    }
}

#[tokio::test]
async fn i6_no_answer_and_no_event_quotes_what_a_function_said_as_it_crashed() {
    let (aws, run) = leased_with(publishing).await;
    let crash = json!({"errorType": "Runtime.ExitError", "errorMessage": "panicked at Ngozi"}).to_string();
    let answer = step(&aws, fail(&run, "Runtime.ExitError", &crash)).await.unwrap();
    assert!(!answer.to_string().contains("Ngozi") && !last_event(&aws).to_string().contains("Ngozi"));
    assert!(!stored(&aws).contains("Ngozi"));
    let aws = Aws::start().await;
    aws.fault(|_, _| Some(Reply::error(400, "ValidationException")));
    let error = step(&aws, begin(&run, &json!({}))).await.unwrap_err();
    assert_eq!(
        error,
        StepError::new(FailureCode::DependencyFailed, "dynamodb:GetItem failed: ValidationException")
    );
}

async fn incomplete() -> (Aws, Run) {
    let (aws, run) = leased_with(|record| {
        publishing(record);
        record.shortfall = Some(Shortfall { has_job_errors: true, missing_files: 0 });
    })
    .await;
    step(&aws, commit(&run, 0)).await.unwrap();
    (aws, run)
}

#[tokio::test]
async fn an_operator_commits_past_an_incomplete_run_on_the_record() {
    let (aws, run) = incomplete().await;
    let answer = step(&aws, accept("r1", "the file is lost")).await.unwrap();
    assert_eq!(answer, json!({"cursor": "2026-11-22T08:00:00Z"}));
    assert_eq!(aws.stored_state().await.unwrap().cursor, Some(run.window.until));
    let record = aws.stored_record(&run).await;
    let accepted = record.accepted.unwrap();
    assert_eq!((accepted.reason.as_str(), accepted.at), ("the file is lost", in_the_run()));
    assert_eq!(record.status, RunStatus::Incomplete);
    let again = step(&aws, accept("r1", "once more")).await.unwrap_err();
    assert_eq!(again.code, FailureCode::RequestInvalid);
}

#[tokio::test]
async fn i5_what_an_operator_may_not_commit_past_stays() {
    let (aws, run) = incomplete().await;
    let before = stored(&aws);
    for event in [accept("r1", " "), accept("another", "because")] {
        assert_eq!(step(&aws, event).await.unwrap_err().code, FailureCode::RequestInvalid);
    }
    assert_eq!(stored(&aws), before);
    let was = aws.stored_state().await.unwrap();
    let lease = Lease {
        run_id: loopback_aws::run("r2").key.id,
        run_started_at: run.key.started_at,
        expires_at: run.key.started_at,
    };
    let held = DatastoreState { lease: Some(lease), ..was.clone() };
    let _ = aws.runs().write_state(&datastore().id, Some(&was), &held).await.unwrap();
    assert_eq!(step(&aws, accept("r1", "because")).await.unwrap_err().code, FailureCode::RequestInvalid);
    assert_eq!(aws.stored_state().await, Some(held));
}
