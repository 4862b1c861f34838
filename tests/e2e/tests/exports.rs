//! Exports from HealthLake, when everything goes well.

#![expect(clippy::print_stdout, reason = "a scenario says what it has measured")]

use std::collections::{BTreeMap, HashMap};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_sfn::types::{HistoryEvent, TaskScheduledEventDetails};
use demo::datastore::Datastore;
use demo::export_ledger::gaps;
use demo::plain_json::canonical;
use domain::export::run::RunStatus;
use e2e::exports::{Exports, SOON, settled_state, state, until};
use jiff::{SignedDuration, Timestamp};
use local_stack::healthlake::control::FaultKind;
use serde_json::{Value, json};
use tokio::time::sleep;

/// Step Functions developer guide, "Service quotas": what a state may take in or hand on.
const STATE_BYTES: usize = 262_144;
/// A name that must not be found outside the data path (I6).
const SECRET: &str = "Quesadilla";

fn quick(overlap_seconds: u32) -> Value {
    json!({
        "scheduleEnabled": false, "overlapSeconds": overlap_seconds,
        "poll": {"firstDelaySeconds": 1, "longestDelaySeconds": 2},
    })
}

/// A resource with what JSON libraries like to change: digits of numbers, escapes, the order of members.
fn observation(id: &str, note: usize) -> String {
    format!(
        r#"{{"status":"final","resourceType":"Observation","id":"{id}","valueQuantity":{{"value":1.{note}0,"unit":"m\u00e9g"}},"note":[{{"text":"{SECRET} 12345678901234567890.0123456789"}}]}}"#
    )
}

fn patient(id: &str) -> String {
    json!({"resourceType": "Patient", "id": id, "name": [{"family": SECRET}]}).to_string()
}

/// The exported lines of a run, from the files themselves, by type and id.
async fn exported_lines(
    exports: &Exports,
    datastore: &Datastore,
) -> Result<HashMap<(String, String), String>> {
    let s3 = aws_sdk_s3::Client::new(&exports.scenario.deployment.config);
    let bucket = exports.scenario.deployment.output("ExportBucketName")?;
    let folder = datastore.healthlake.jobs(datastore.id.as_str()).await?.jobs.pop().context("no job")?.folder;
    let prefix = folder.strip_prefix(&format!("s3://{bucket}/")).unwrap_or(&folder).to_owned();
    let mut lines = HashMap::new();
    for object in s3.list_objects_v2().bucket(bucket).prefix(prefix).send().await?.contents() {
        let file = s3.get_object().bucket(bucket).key(object.key().unwrap_or_default()).send().await?;
        let text = String::from_utf8(file.body.collect().await?.to_vec())?;
        for line in text.lines() {
            let resource: Value = serde_json::from_str(line)?;
            let name = |member: &str| resource[member].as_str().unwrap_or_default().to_owned();
            lines.insert((name("resourceType"), name("id")), line.to_owned());
        }
    }
    Ok(lines)
}

/// The first run publishes everything, the second what has changed, the third nothing; every digit arrives.
async fn three_runs(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    let resources: Vec<String> = (0..300)
        .map(|number| {
            if number % 3 == 0 {
                patient(&format!("p{number}"))
            } else {
                observation(&format!("o{number}"), number)
            }
        })
        .collect();
    clinic.load(resources.join("\n")).await?;
    // Past the overlap, so that the second run repeats nothing.
    sleep(Duration::from_millis(1200)).await;
    let first = exports.good_run(&clinic).await?;
    let published = first.tally.clone().context("no tally")?.published;
    ensure!(
        published == BTreeMap::from([("Observation".to_owned(), 200), ("Patient".to_owned(), 100)]),
        "{published:?}"
    );
    let lines = exported_lines(exports, &clinic).await?;
    ensure!(lines.len() == 300, "{} lines", lines.len());
    for arrival in &exports.scenario.arrivals().await.resources {
        if arrival.datastore_id == clinic.id.0 {
            let line = &lines[&(arrival.resource_type.clone(), arrival.resource_id.clone())];
            ensure!(
                canonical(line)? == canonical(arrival.fhir.get())?,
                "not the exported line: {}",
                arrival.resource_id
            );
        }
    }

    for number in 0..50 {
        clinic.put(&observation(&format!("o{number}"), number + 1)).await?;
    }
    for number in 0..10 {
        clinic.put(&patient(&format!("new-{number}"))).await?;
    }
    sleep(Duration::from_millis(1200)).await;
    let second = exports.good_run(&clinic).await?;
    ensure!(second.tally.as_ref().is_some_and(|tally| tally.published_total() == 60), "{second:?}");
    let third = exports.good_run(&clinic).await?;
    ensure!(third.tally.as_ref().is_some_and(|tally| tally.published_total() == 0), "{third:?}");
    let runs = [first, second, third];
    ensure!(gaps(&runs, SignedDuration::from_secs(1)) == 0, "i4: the windows do not tile: {runs:?}");
    for record in &runs {
        exports.announced(&record.key.id, "ExportRunStarted").await?;
        exports.announced(&record.key.id, "ExportRunCompleted").await?;
    }
    Ok(())
}

/// What `cargo xtask export` runs.
fn operate(exports: &Exports, arguments: &[&str]) -> Result<(bool, String)> {
    let stack = &exports.scenario.stack;
    let Output { status, stdout, stderr } = Command::new(stack.repository.root.join("target/debug/operator"))
        .arg("export")
        .args(arguments)
        .arg("--local-folder")
        .arg(&stack.folder)
        .output()
        .context("starting the operator's program")?;
    Ok((status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()))
}

/// A full export, a replay that leaves the cursor, an incomplete run that is accepted, and what cannot be.
async fn operators_commands(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    let name = ["--datastore", "operated"];
    clinic.load((0..5).map(|number| patient(&format!("p{number}"))).collect::<Vec<_>>().join("\n")).await?;
    let (succeeded, said) = operate(exports, &[&["start"][..], &name].concat())?;
    ensure!(succeeded && said.contains("COMPLETED") && said.contains("5 published"), "{said}");
    let cursor = settled_state(&clinic).await?.cursor.context("no cursor")?;

    let (succeeded, said) =
        operate(exports, &[&["start", "--until", &cursor.to_string()][..], &name].concat())?;
    ensure!(succeeded && said.contains("5 published"), "{said}");
    ensure!(settled_state(&clinic).await?.cursor == Some(cursor), "a replay has moved the cursor");
    let later = (Timestamp::now() + SignedDuration::from_hours(1)).to_string();
    let (succeeded, said) = operate(exports, &[&["start", "--until", &later][..], &name].concat())?;
    ensure!(
        !succeeded && said.contains("RequestInvalid") && said.contains("until must not be after"),
        "{said}"
    );

    let (succeeded, said) = operate(exports, &[&["start", "--full"][..], &name].concat())?;
    ensure!(succeeded && said.contains("since the beginning") && said.contains("5 published"), "{said}");
    let cursor = settled_state(&clinic).await?.cursor.context("no cursor")?;

    clinic.put(&patient("p1")).await?;
    exports
        .disturb_healthlake(&clinic, [FaultKind::ListedFileMissing { resource_type: None }.into()])
        .await?;
    let (succeeded, said) = operate(exports, &[&["start"][..], &name].concat())?;
    ensure!(succeeded && said.contains("INCOMPLETE") && said.contains("1 files missing"), "{said}");
    let incomplete = clinic.runs.latest(&clinic.id, 1).await?.pop().context("no run")?;
    ensure!(incomplete.status == RunStatus::Incomplete, "{incomplete:?}");
    ensure!(settled_state(&clinic).await?.cursor == Some(cursor), "an incomplete run has moved the cursor");
    let accept =
        |reason| [&["accept", "--run", &incomplete.key.id.0, "--reason", reason][..], &name].concat();
    let (succeeded, said) = operate(exports, &accept(" "))?;
    ensure!(!succeeded && said.contains("say why"), "{said}");
    let (succeeded, said) = operate(exports, &accept("the file is known to be lost"))?;
    ensure!(succeeded && said.contains("is accepted"), "{said}");
    ensure!(
        state(&clinic).await?.cursor == Some(incomplete.window.until),
        "accepting has not moved the cursor"
    );
    let (succeeded, said) = operate(exports, &accept("once more"))?;
    ensure!(!succeeded && said.contains("accepted already"), "{said}");
    let (succeeded, said) = operate(exports, &[&["runs"][..], &name].concat())?;
    ensure!(succeeded && said.contains("the file is known to be lost"), "{said}");
    let (succeeded, said) = operate(exports, &["runs", "--datastore", "nowhere"])?;
    ensure!(!succeeded && said.contains("operated") && said.contains("--datastore"), "{said}");
    // What the operator gave up is published by a full run.
    clinic.healthlake.set_faults([]).await?;
    let (succeeded, said) = operate(exports, &[&["start", "--full"][..], &name].concat())?;
    ensure!(succeeded, "{said}");
    exports.everything_arrives(&clinic).await
}

/// No state takes in or hands on more than Step Functions lets it, however many ranges there are.
async fn ten_thousand_ranges(mut clinic: Datastore) -> Result<()> {
    let text = "x".repeat(1100);
    let resources = (0..10_000).map(|number| {
        json!({"resourceType": "Basic", "id": format!("b{number}"), "language": text}).to_string()
    });
    clinic.load(resources.collect::<Vec<_>>().join("\n")).await?;
    let execution = clinic.start_run(&json!({})).await?;
    let ended = clinic.until_ended(&execution, Duration::from_mins(15)).await?;
    let record = clinic.record(&ended.run_id).await?;
    ensure!(
        record.status == RunStatus::Completed && record.ranges >= 10_000,
        "{ended:?} {} ranges",
        record.ranges
    );
    ensure!(record.tally.is_some_and(|tally| tally.published_total() == 10_000), "not all are counted");
    let mut pages = clinic
        .step_functions
        .get_execution_history()
        .execution_arn(&execution)
        .include_execution_data(true)
        .into_paginator()
        .items()
        .send();
    let (mut largest, mut measured) = (0, 0);
    while let Some(event) = pages.next().await {
        for bytes in payload_bytes(&event?) {
            largest = largest.max(bytes);
            measured += 1;
        }
    }
    println!("{} ranges: the largest of {measured} inputs and outputs has {largest} bytes", record.ranges);
    ensure!(measured > 10 && largest < STATE_BYTES, "{measured} measured, the largest has {largest} bytes");
    Ok(())
}

fn payload_bytes(event: &HistoryEvent) -> Vec<usize> {
    let texts = [
        event.execution_started_event_details().and_then(|details| details.input()),
        event.execution_succeeded_event_details().and_then(|details| details.output()),
        event.state_entered_event_details().and_then(|details| details.input()),
        event.state_exited_event_details().and_then(|details| details.output()),
        event.task_scheduled_event_details().map(TaskScheduledEventDetails::parameters),
        event.task_submitted_event_details().and_then(|details| details.output()),
        event.task_succeeded_event_details().and_then(|details| details.output()),
    ];
    texts.into_iter().flatten().map(str::len).collect()
}

/// The schedule starts a run by itself, and goes on starting them.
async fn scheduled(exports: &mut Exports, mut clinic: Datastore) -> Result<()> {
    clinic.load(patient("p1")).await?;
    let run = until(SOON, "the schedule starts a run", || async {
        let runs = clinic.runs.latest(&clinic.id, 1).await?;
        Ok(runs.into_iter().find(|record| record.status == RunStatus::Completed))
    })
    .await?;
    ensure!(run.window.since.is_none(), "{run:?}");
    exports.everything_arrives(&clinic).await
}

#[tokio::test]
async fn what_changed_since_the_last_run_arrives() -> Result<()> {
    let mut scheduled_options = quick(1);
    scheduled_options["scheduleEnabled"] = true.into();
    scheduled_options["schedule"] = "rate(1 minute)".into();
    let mut many_ranges = quick(1);
    many_ranges["rangeBytes"] = 1_024.into();
    many_ranges["publishConcurrency"] = 16.into();
    let datastores = json!({
        "clinic": quick(1), "operated": quick(1), "many-ranges": many_ranges, "scheduled": scheduled_options,
    });
    let mut exports = Exports::start("exports", &datastores).await?;
    let clinic = exports.datastore("clinic")?;
    let operated = exports.datastore("operated")?;
    let of_schedule = exports.datastore("scheduled")?;
    let of_many_ranges = exports.datastore("many-ranges")?;
    let others = async {
        three_runs(&mut exports, clinic).await?;
        operators_commands(&mut exports, operated).await?;
        scheduled(&mut exports, of_schedule).await
    };
    // The ranges take minutes, in which the others have time enough.
    tokio::try_join!(ten_thousand_ranges(of_many_ranges), others)?;
    for trace in exports.scenario.traces().await? {
        ensure!(!trace.text.contains(SECRET), "i6: a name is in {}", trace.place);
    }
    exports.scenario.end().await
}
