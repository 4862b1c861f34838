//! Exports when something goes wrong.
//!
//! The scenarios share two stacks, and each has a datastore of its own. Each ends with a good run: the cursor stands at
//! its end, the lease is free, and the latest version of every resource has arrived (I1, I4, I5).

#![expect(clippy::print_stdout, reason = "a long test says how far it is")]

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sfn::types::ExecutionStatus;
use demo::datastore::Datastore;
use domain::export::failure::FailureCode;
use domain::export::run::RunStatus;
use e2e::exports::{Exports, SOON, jobs, run_of, settled_state, state, until, until_status};
use futures_util::future::join_all;
use local_stack::healthlake::control::{Fault, FaultKind, JobStatus, Operation};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::time::sleep;

/// A name that must not be found outside the data path (I6).
const SECRET: &str = "Quesadilla";

fn patient(id: &str, note: usize) -> String {
    json!({"resourceType": "Patient", "id": id, "name": [{"family": SECRET}], "multipleBirthInteger": note})
        .to_string()
}

fn patients(count: usize) -> String {
    (0..count).map(|number| patient(&format!("p{number}"), 0)).collect::<Vec<_>>().join("\n")
}

async fn two_executions_at_once(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    exports.disturb_healthlake(&clinic, [FaultKind::JobDuration { milliseconds: 2000 }.into()]).await?;
    let input = json!({});
    let (one, other) = tokio::try_join!(clinic.start_run(&input), clinic.start_run(&input))?;
    let mut completed = 0;
    for execution in [&one, &other] {
        let ended = clinic.until_ended(execution, SOON).await?;
        ensure!(ended.status == ExecutionStatus::Succeeded, "{ended:?}");
        if let Ok(record) = clinic.record(&ended.run_id).await {
            completed += usize::from(record.status == RunStatus::Completed);
        } else {
            // A run that has nothing to do writes nothing.
            let event = exports.announced(&ended.run_id, "ExportRunSkipped").await?;
            ensure!(event["reason"] == "lease-held", "{event}");
        }
    }
    ensure!(completed == 1 && jobs(&clinic).await?.len() == 1, "{completed} runs completed");
    exports.good_run(&clinic).await.map(drop)
}

async fn start_message_delivered_twice(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    let twice = json!([{"service": "sqs", "queue": "tributary-dev-export-starts", "deliver": 2, "times": 1}]);
    exports.disturb(twice).await?;
    let record = clinic.run(&json!({}), SOON).await?;
    ensure!(record.status == RunStatus::Completed && jobs(&clinic).await?.len() == 1, "{record:?}");
    exports.good_run(&clinic).await.map(drop)
}

async fn poll_messages_delivered_twice(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    exports.disturb_healthlake(&clinic, [FaultKind::JobDuration { milliseconds: 5000 }.into()]).await?;
    let twice = json!([{"service": "sqs", "queue": "tributary-dev-export-polls", "deliver": 2, "times": 3}]);
    exports.disturb(twice).await?;
    let record = clinic.run(&json!({}), SOON).await?;
    ensure!(record.status == RunStatus::Completed, "{record:?}");
    let describes = clinic.healthlake.jobs(clinic.id.as_str()).await?.requests[&Operation::Describe];
    // A second chain would ask as often again. Each doubled message may ask once more before it is found out.
    let taken = u64::from(record.chain.taken.context("no message was taken")?) + 1;
    ensure!(describes <= taken + 3, "asked {describes} times for {taken} messages");
    exports.good_run(&clinic).await.map(drop)
}

async fn starter_killed_after_the_job_was_accepted(
    exports: &mut Exports,
    mut clinic: Datastore,
) -> Result<()> {
    clinic.load(patients(5)).await?;
    let held = Fault::from(FaultKind::AnswerHeld { milliseconds: 20_000 }).on(Operation::Start).times(1);
    let slow = Fault::from(FaultKind::JobDuration { milliseconds: 3000 });
    exports.disturb_healthlake(&clinic, [held, slow]).await?;
    let execution = clinic.start_run(&json!({})).await?;
    let job = until(SOON, "the job is accepted", || async { Ok(jobs(&clinic).await?.pop()) }).await?;
    exports.signal("export-starter", Signal::SIGKILL)?;
    let ended = clinic.until_ended(&execution, SOON).await?;
    let record = clinic.record(&ended.run_id).await?;
    ensure!(record.status == RunStatus::Completed, "{ended:?} {record:?}");
    ensure!(record.job_id.is_some_and(|followed| followed.0 == job.job_id), "another job was followed");
    ensure!(jobs(&clinic).await?.len() == 1, "a second job was started");
    exports.good_run(&clinic).await.map(drop)
}

async fn list_lags_behind_a_start_without_an_answer(
    exports: &mut Exports,
    mut clinic: Datastore,
) -> Result<()> {
    clinic.load(patients(5)).await?;
    let cut = Fault::from(FaultKind::ConnectionCutAfter).on(Operation::Start).times(1);
    let lag = Fault::from(FaultKind::ListLag { milliseconds: 9000 });
    exports.disturb_healthlake(&clinic, [cut, lag]).await?;
    let record = clinic.run(&json!({}), SOON).await?;
    ensure!(record.status == RunStatus::Completed && jobs(&clinic).await?.len() == 1, "{record:?}");
    exports.good_run(&clinic).await.map(drop)
}

async fn poller_killed_between_manifest_and_success(
    exports: &mut Exports,
    mut clinic: Datastore,
) -> Result<()> {
    clinic.load(patients(5)).await?;
    exports
        .disturb(json!([{"service": "states", "operation": "SendTaskSuccess", "status": 503, "code": "ServiceUnavailable"}]))
        .await?;
    let execution = clinic.start_run(&json!({})).await?;
    until_status(&clinic, &execution, RunStatus::Publishing).await?;
    exports.signal("export-poller", Signal::SIGKILL)?;
    exports.calm().await?;
    let ended = clinic.until_ended(&execution, SOON).await?;
    ensure!(clinic.record(&ended.run_id).await?.status == RunStatus::Completed, "{ended:?}");
    exports.good_run(&clinic).await.map(drop)
}

async fn throttled_for_a_minute(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    exports.disturb_healthlake(&clinic, [FaultKind::Throttling.into()]).await?;
    let execution = clinic.start_run(&json!({})).await?;
    sleep(Duration::from_mins(1)).await;
    clinic.healthlake.set_faults([]).await?;
    let ended = clinic.until_ended(&execution, SOON).await?;
    ensure!(clinic.record(&ended.run_id).await?.status == RunStatus::Completed, "{ended:?}");
    ensure!(jobs(&clinic).await?.len() == 1, "more than one job");
    exports.good_run(&clinic).await.map(drop)
}

async fn server_errors_and_cut_connections(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    let faults = [
        // A start without an answer is a scenario of its own.
        Fault::from(FaultKind::ServerError { status: 503 }).on(Operation::Describe).times(4),
        Fault::from(FaultKind::ConnectionCutBefore).on(Operation::List).times(6),
        Fault::from(FaultKind::ConnectionCutAfter).on(Operation::Describe).times(2),
        Fault::from(FaultKind::ClockOffset { milliseconds: -1500 }),
        Fault::from(FaultKind::TransactionTimeOffset { milliseconds: 3_600_000 }),
    ];
    exports.disturb_healthlake(&clinic, faults).await?;
    let record = clinic.run(&json!({}), SOON).await?;
    ensure!(record.status == RunStatus::Completed, "{record:?}");
    clinic.put(&patient("p1", 1)).await?;
    exports.good_run(&clinic).await.map(drop)
}

async fn job_fails(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    let before = exports.good_run(&clinic).await?;
    clinic.put(&patient("p1", 1)).await?;
    exports.disturb_healthlake(&clinic, [FaultKind::JobFails.into()]).await?;
    let execution = clinic.start_run(&json!({})).await?;
    exports.fails_with(&clinic, &execution, FailureCode::JobFailed, Some(before.window.until)).await?;
    exports.good_run(&clinic).await.map(drop)
}

async fn incomplete(exports: &mut Exports, mut clinic: Datastore, fault: FaultKind) -> Result<()> {
    clinic.load(patients(5)).await?;
    let before = exports.good_run(&clinic).await?;
    for number in 0..5 {
        clinic.put(&patient(&format!("p{number}"), 1)).await?;
    }
    exports.disturb_healthlake(&clinic, [fault.into()]).await?;
    let record = clinic.run(&json!({}), SOON).await?;
    ensure!(record.status == RunStatus::Incomplete && record.shortfall.is_some(), "{record:?}");
    ensure!(settled_state(&clinic).await?.cursor == Some(before.window.until), "the cursor has moved");
    exports.announced(&record.key.id, "ExportRunIncomplete").await?;
    let next = exports.good_run(&clinic).await?;
    ensure!(next.cursor == Some(before.window.until), "the next run did not take the window again");
    Ok(())
}

async fn completes_with_errors(exports: &mut Exports, clinic: Datastore) -> Result<()> {
    incomplete(exports, clinic, FaultKind::CompletesWithErrors { resource_types: Vec::new(), percent: 60 })
        .await
}

async fn lacks_a_listed_file(exports: &mut Exports, clinic: Datastore) -> Result<()> {
    incomplete(exports, clinic, FaultKind::ListedFileMissing { resource_type: None }).await
}

async fn never_ends(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    exports.disturb_healthlake(&clinic, [FaultKind::StuckInProgress.into()]).await?;
    let execution = clinic.start_run(&json!({})).await?;
    exports.fails_with(&clinic, &execution, FailureCode::JobTookTooLong, None).await?;
    is_cancelled(&clinic).await?;
    exports.good_run(&clinic).await.map(drop)
}

async fn is_cancelled(clinic: &Datastore) -> Result<()> {
    let cancelled = until(SOON, "the job is cancelled", || async {
        Ok(jobs(clinic).await?.pop().filter(|job| job.status == JobStatus::CancelCompleted))
    });
    cancelled.await.map(drop)
}

async fn rewritten_every_second_through_five_runs(
    exports: &mut Exports,
    mut clinic: Datastore,
) -> Result<()> {
    clinic.load(patients(1)).await?;
    exports.disturb_healthlake(&clinic, [FaultKind::JobDuration { milliseconds: 1500 }.into()]).await?;
    let mut note = 0;
    for _ in 0..5 {
        let execution = clinic.start_run(&json!({})).await?;
        let ended = loop {
            note += 1;
            clinic.put(&patient("p0", note)).await?;
            match clinic.until_ended(&execution, Duration::from_secs(1)).await {
                Ok(ended) => break ended,
                Err(_) if note < 200 => (),
                Err(error) => return Err(error),
            }
        };
        let record = clinic.record(&ended.run_id).await?;
        ensure!(record.status == RunStatus::Completed, "{record:?}");
        let published = record.tally.map(|tally| tally.published_total());
        ensure!(published == Some(1), "a run passed the resource over: {published:?}");
    }
    exports.good_run(&clinic).await.map(drop)
}

async fn writes_become_visible_90_seconds_late(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(2)).await?;
    exports.good_run(&clinic).await?;
    exports.disturb_healthlake(&clinic, [FaultKind::LateVisibility { milliseconds: 90_000 }.into()]).await?;
    clinic.put(&patient("p1", 1)).await?;
    let late = tokio::time::Instant::now() + Duration::from_secs(91);
    while tokio::time::Instant::now() < late {
        let record = clinic.run(&json!({}), SOON).await?;
        ensure!(record.status == RunStatus::Completed, "{record:?}");
        sleep(Duration::from_secs(10)).await;
    }
    exports.good_run(&clinic).await.map(drop)
}

async fn unknown_status(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    let unknown = Fault::from(FaultKind::UnknownStatus { status: "REINDEXING".to_owned() }).times(2);
    exports.disturb_healthlake(&clinic, [unknown]).await?;
    let record = clinic.run(&json!({}), SOON).await?;
    ensure!(record.status == RunStatus::Completed && record.chain.taken >= Some(2), "{record:?}");
    exports.good_run(&clinic).await.map(drop)
}

async fn stop(clinic: &Datastore, execution: &str) -> Result<()> {
    clinic.step_functions.stop_execution().execution_arn(execution).send().await.context("stopping")?;
    Ok(())
}

async fn stopped_while_the_job_runs(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    exports.disturb_healthlake(&clinic, [FaultKind::StuckInProgress.into()]).await?;
    let execution = clinic.start_run(&json!({})).await?;
    until_status(&clinic, &execution, RunStatus::Exporting).await?;
    stop(&clinic, &execution).await?;
    exports.fails_with(&clinic, &execution, FailureCode::ExecutionStopped, None).await?;
    is_cancelled(&clinic).await?;
    exports.good_run(&clinic).await.map(drop)
}

/// Nothing that the publisher sends is taken, so that a range stays under way.
fn bus_down() -> Value {
    json!([{
        "service": "events", "operation": "PutEvents", "resource": "FhirResourceChanged",
        "status": 503, "code": "ServiceUnavailable",
    }])
}

/// A run whose range is under way, and stays so until the stack is calm again.
async fn publishing_stalls(exports: &Exports, clinic: &Datastore) -> Result<String> {
    exports.disturb(bus_down()).await?;
    let execution = clinic.start_run(&json!({})).await?;
    until_status(clinic, &execution, RunStatus::Publishing).await?;
    let client = &clinic.step_functions;
    until(SOON, "a range is under way", || async {
        let maps = client.list_map_runs().execution_arn(&execution).send().await?;
        let Some(map) = maps.map_runs().first() else { return Ok(None) };
        let running = client.list_executions().map_run_arn(&map.map_run_arn);
        let running = running.status_filter(ExecutionStatus::Running).send().await?;
        Ok((!running.executions().is_empty()).then_some(()))
    })
    .await?;
    Ok(execution)
}

async fn stopped_while_ranges_publish(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    let execution = publishing_stalls(exports, &clinic).await?;
    stop(&clinic, &execution).await?;
    exports.fails_with(&clinic, &execution, FailureCode::ExecutionStopped, None).await?;
    exports.good_run(&clinic).await.map(drop)
}

async fn heartbeats_missing(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    exports.disturb_healthlake(&clinic, [FaultKind::StuckInProgress.into()]).await?;
    let late =
        json!([{"service": "sqs", "queue": "tributary-dev-export-polls", "withholdSeconds": 60, "times": 1}]);
    exports.disturb(late).await?;
    let execution = clinic.start_run(&json!({})).await?;
    exports.fails_with(&clinic, &execution, FailureCode::HeartbeatMissing, None).await?;
    is_cancelled(&clinic).await?;
    exports.good_run(&clinic).await.map(drop)
}

async fn lease_expires_while_a_range_publishes(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    // One that idles since an earlier scenario would be stopped, too, and the second run would be given to it.
    exports.scenario.kill("tributary-dev-export-publisher")?;
    let first = publishing_stalls(exports, &clinic).await?;
    let publishers = until(SOON, "a publisher runs", || async {
        Ok(Some(exports.processes_of("export-publisher")?).filter(|processes| !processes.is_empty()))
    })
    .await?;
    exports.signal("export-publisher", Signal::SIGSTOP)?;
    exports.calm().await?;
    let expires_at = state(&clinic).await?.lease.context("no lease")?.expires_at;
    until(SOON, "the lease expires", || async { Ok((jiff::Timestamp::now() > expires_at).then_some(())) })
        .await?;
    let second = clinic.run(&json!({}), SOON).await?;
    ensure!(second.took_over.as_ref().is_some_and(|run| run.id == run_of(&first)), "{second:?}");
    ensure!(second.status == RunStatus::Completed, "{second:?}");
    for publisher in publishers {
        nix::sys::signal::kill(publisher, Signal::SIGCONT)?;
    }
    exports.fails_with(&clinic, &first, FailureCode::LeaseExpired, Some(second.window.until)).await?;
    exports.good_run(&clinic).await.map(drop)
}

async fn put_events_fails_in_part(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(200)).await?;
    exports.disturb(json!([{"service": "events", "failEntries": {"oneIn": 3}, "times": 150}])).await?;
    let record = clinic.run(&json!({}), SOON).await?;
    ensure!(record.tally.is_some_and(|tally| tally.published_total() == 200), "not all are counted");
    exports.good_run(&clinic).await.map(drop)
}

async fn put_events_fails_wholly(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    let client = aws_sdk_lambda::Client::new(&exports.scenario.deployment.config);
    let function = exports.scenario.deployment.output("PublisherFunctionName")?.to_owned();
    let set_timeout =
        |seconds| client.update_function_configuration().function_name(&function).timeout(seconds).send();
    set_timeout(8).await?;
    exports.disturb(bus_down()).await?;
    let execution = clinic.start_run(&json!({})).await?;
    let record = exports.fails_with(&clinic, &execution, FailureCode::BusRefused, None).await?;
    ensure!(record.error.is_some_and(|error| error.cause.contains("range 0")), "which range is not told");
    set_timeout(900).await?;
    exports.good_run(&clinic).await.map(drop)
}

async fn malformed_line(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    exports.disturb_healthlake(&clinic, [FaultKind::MalformedLine { resource_type: None }.into()]).await?;
    let record = clinic.run(&json!({}), SOON).await?;
    let tally = record.tally.context("no tally")?;
    ensure!((tally.published_total(), tally.rejected_total()) == (5, 1), "{tally:?}");
    let s3 = aws_sdk_s3::Client::new(&exports.scenario.deployment.config);
    let bucket = exports.scenario.deployment.output("DeadLetterBucketName")?;
    let dead = s3.list_objects_v2().bucket(bucket).prefix("dead/lines/").send().await?;
    ensure!(dead.contents().len() == 1, "{} dead lines", dead.contents().len());
    exports.good_run(&clinic).await.map(drop)
}

async fn a_resource_of_3_mb(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    let long = "x".repeat(3_000_000);
    let attachment = json!({"resourceType": "Binary", "id": "b1", "contentType": "text/plain", "data": long});
    clinic.load(format!("{}\n{attachment}", patients(2))).await?;
    let record = exports.good_run(&clinic).await?;
    ensure!(record.tally.is_some_and(|tally| tally.claim_checked == 1), "not through S3");
    let arrivals = exports.scenario.arrivals().await;
    let arrived = arrivals
        .resources
        .iter()
        .find(|arrival| arrival.datastore_id == clinic.id.0 && arrival.claim_checked);
    ensure!(arrived.is_some_and(|arrival| arrival.fhir.get().len() > 3_000_000), "not whole");
    Ok(())
}

async fn publisher_killed_in_mid_range(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    let execution = publishing_stalls(exports, &clinic).await?;
    exports.signal("export-publisher", Signal::SIGKILL)?;
    exports.calm().await?;
    let ended = clinic.until_ended(&execution, SOON).await?;
    ensure!(clinic.record(&ended.run_id).await?.status == RunStatus::Completed, "{ended:?}");
    exports.good_run(&clinic).await.map(drop)
}

async fn s3_unavailable_for_20_seconds(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    let unavailable = |operation: &str| json!({"service": "s3", "operation": operation, "resource": "FHIR_EXPORT", "status": 503, "code": "SlowDown", "forSeconds": 20});
    exports.disturb(json!([unavailable("GetObject"), unavailable("HeadObject")])).await?;
    let record = clinic.run(&json!({}), SOON).await?;
    let took = record.ended_at.context("not ended")?.duration_since(record.key.started_at);
    ensure!(record.status == RunStatus::Completed && took.as_secs() >= 15, "{record:?}");
    exports.good_run(&clinic).await.map(drop)
}

async fn cursor_deleted(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    exports.good_run(&clinic).await?;
    clinic
        .runs
        .client
        .delete_item()
        .table_name(&clinic.runs.table_name)
        .key("pk", AttributeValue::S(format!("DATASTORE#{}", clinic.id)))
        .key("sk", AttributeValue::S("STATE".to_owned()))
        .send()
        .await?;
    let record = exports.good_run(&clinic).await?;
    ensure!(record.window.since.is_none(), "no full export: {record:?}");
    ensure!(record.tally.is_some_and(|tally| tally.published_total() == 5), "not everything");
    let event = exports.announced(&record.key.id, "ExportRunStarted").await?;
    ensure!(event["warnings"] == json!(["cursor-missing"]), "{event}");
    Ok(())
}

/// By an operator who wants everything again, and who spells times in their own way.
async fn cursor_set_back_by_hand(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(5)).await?;
    exports.good_run(&clinic).await?;
    clinic
        .runs
        .client
        .update_item()
        .table_name(&clinic.runs.table_name)
        .key("pk", AttributeValue::S(format!("DATASTORE#{}", clinic.id)))
        .key("sk", AttributeValue::S("STATE".to_owned()))
        .update_expression("SET #cursor = :cursor")
        .expression_attribute_names("#cursor", "cursor")
        .expression_attribute_values(":cursor", AttributeValue::S("2020-01-01T00:00:00.000+00:00".to_owned()))
        .send()
        .await?;
    let record = exports.good_run(&clinic).await?;
    ensure!(record.tally.is_some_and(|tally| tally.published_total() == 5), "not everything");
    Ok(())
}

async fn one_id_in_two_datastores(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    let mut other = exports.datastore("second-clinic")?;
    for datastore in [&mut clinic, &mut other] {
        datastore.load(patients(1)).await?;
    }
    exports.good_run(&clinic).await?;
    exports.good_run(&other).await?;
    let arrivals = exports.scenario.arrivals().await;
    let id_in = |datastore: &Datastore| {
        let arrival = arrivals.resources.iter().find(|arrival| arrival.datastore_id == datastore.id.0);
        arrival.map(|arrival| arrival.id.clone()).context("no event")
    };
    ensure!(id_in(&clinic)? != id_in(&other)?, "i2: two changes share an id");
    Ok(())
}

async fn input_that_cannot_be(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patients(1)).await?;
    for input in
        [json!({"mode": "replay"}), json!({"mode": "yesterday"}), json!({"since": "2026-01-01T00:00:00Z"})]
    {
        let execution = clinic.start_run(&input).await?;
        exports.fails_with(&clinic, &execution, FailureCode::RequestInvalid, None).await?;
    }
    exports.good_run(&clinic).await.map(drop)
}

/// A scenario's name, which is its datastore's, and what it does.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        async fn run(exports: &mut Exports, name: &str, datastore: Datastore) -> Result<()> {
            match name {
                $(stringify!($name) => $name(exports, datastore).await,)*
                _ => anyhow::bail!("there is no scenario {name}"),
            }
        }
    };
}

scenarios![
    two_executions_at_once,
    start_message_delivered_twice,
    poll_messages_delivered_twice,
    starter_killed_after_the_job_was_accepted,
    list_lags_behind_a_start_without_an_answer,
    poller_killed_between_manifest_and_success,
    throttled_for_a_minute,
    server_errors_and_cut_connections,
    job_fails,
    completes_with_errors,
    lacks_a_listed_file,
    never_ends,
    rewritten_every_second_through_five_runs,
    unknown_status,
    stopped_while_the_job_runs,
    stopped_while_ranges_publish,
    heartbeats_missing,
    lease_expires_while_a_range_publishes,
    put_events_fails_in_part,
    put_events_fails_wholly,
    malformed_line,
    a_resource_of_3_mb,
    publisher_killed_in_mid_range,
    s3_unavailable_for_20_seconds,
    writes_become_visible_90_seconds_late,
    cursor_deleted,
    cursor_set_back_by_hand,
    one_id_in_two_datastores,
    input_that_cannot_be,
];

/// What all datastores have, and what a scenario needs otherwise.
fn options(name: &str) -> Value {
    let mut options = json!({
        "scheduleEnabled": false, "overlapSeconds": 1, "poll": {"firstDelaySeconds": 1, "longestDelaySeconds": 2},
    });
    match name {
        "never_ends" => options["poll"]["runningLimitSeconds"] = 5.into(),
        "heartbeats_missing" => options["heartbeatSeconds"] = 15.into(),
        "lease_expires_while_a_range_publishes" => options["leaseSeconds"] = 10.into(),
        "writes_become_visible_90_seconds_late" => options["overlapSeconds"] = 120.into(),
        // Clocks that differ by more than the overlap are the deployer's to allow for.
        "server_errors_and_cut_connections" => options["overlapSeconds"] = 3.into(),
        _ => (),
    }
    options
}

/// `s12`: a datastore's name is short.
fn datastore_name(number: usize) -> String {
    format!("s{number}")
}

/// A stack of CloudFormation holds 500 resources, and a datastore takes a dozen.
const DATASTORES: usize = 15;

/// All of them, or those whose names contain what `SCENARIO` says. The stacks go side by side: a scenario mostly waits.
#[tokio::test]
async fn i1_i4_i5_hold_whatever_goes_wrong() -> Result<()> {
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    let chosen: Vec<&str> = NAMES.iter().copied().filter(|name| name.contains(&wanted)).collect();
    ensure!(!chosen.is_empty(), "SCENARIO={wanted} is no part of any scenario's name");
    let stacks = chosen.chunks(DATASTORES).enumerate();
    let ended =
        join_all(stacks.map(|(number, names)| run_all(format!("export-faults-{number}"), names))).await;
    let failed = ended.into_iter().collect::<Result<Vec<_>>>()?.concat();
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// Runs the scenarios in one stack, one at a time: what disturbs the stack would disturb another one, too. Answers those that
/// failed.
async fn run_all<'n>(stack: String, names: &[&'n str]) -> Result<Vec<&'n str>> {
    let mut datastores: serde_json::Map<String, Value> =
        names.iter().enumerate().map(|(number, name)| (datastore_name(number), options(name))).collect();
    datastores.insert("second-clinic".to_owned(), options(""));
    let mut exports = Exports::start(&stack, &Value::Object(datastores)).await?;
    let mut failed = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let started = std::time::Instant::now();
        let datastore = exports.datastore(&datastore_name(number))?;
        let result = run(&mut exports, name, datastore).await;
        exports.calm().await?;
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        println!("{name}: {word} after {} s", started.elapsed().as_secs());
        if let Err(error) = result {
            println!("  {error:#}");
            failed.push(*name);
        }
    }
    for trace in exports.scenario.traces().await? {
        ensure!(!trace.text.contains(SECRET), "i6: a name is in {}", trace.place);
    }
    exports.scenario.end().await?;
    Ok(failed)
}
