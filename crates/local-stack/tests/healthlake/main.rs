//! The stand-in for HealthLake over HTTP: signed requests, the SDK, files and events in a fake stack.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod client;
mod fake_stack;

use std::time::Duration;

use aws_sdk_healthlake::error::ProvideErrorMetadata;
use aws_sdk_healthlake::primitives::DateTime;
use aws_sdk_healthlake::types::{JobStatus, OutputDataConfig, S3Configuration};
use client::{DATASTORE, HEADERS, HealthLake, start_body};
use hyper::StatusCode;
use jiff::Timestamp;
use local_stack::healthlake::control::{Fault, FaultKind, KeyCasing, LoadedMeta, Operation, Scope, TimeForm};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const PATIENT_1: &str = r#"{"resourceType":"Patient","id":"1","active":true}"#;
const PATIENT_2: &str = r#"{"resourceType":"Patient","id":"2"}"#;
const WEIGHT: &str = concat!(
    r#"{"resourceType":"Observation","id":"w","subject":{"reference":"Patient/1"},"#,
    r#""valueQuantity":{"value":70.10,"x":1E2}}"#
);

fn ids(lines: &[String]) -> Vec<String> {
    let id = |line: &String| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    lines.iter().map(id).collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}

#[tokio::test]
async fn a_full_export_has_every_resource_as_it_is_stored() {
    let healthlake = HealthLake::start().await;
    healthlake.load(&[PATIENT_1, PATIENT_2, WEIGHT]).await;
    let answer = healthlake.start_export("$export?_outputFormat=ndjson", "a-job").await.unwrap();
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let started = answer.json();
    let job_id = started["jobId"].as_str().unwrap();
    assert_eq!(started, json!({"datastoreId": DATASTORE, "jobStatus": "SUBMITTED", "jobId": job_id}));
    let location = answer.content_location.unwrap();
    assert!(location.ends_with(&format!("/datastore/{DATASTORE}/r4/export/{job_id}")), "{location}");

    let description = healthlake.when(job_id, "COMPLETED").await;
    let folder = format!("s3://bucket/exports/{DATASTORE}-FHIR_EXPORT-{job_id}/");
    let configuration = &description["exportJobProperties"]["outputDataConfig"]["s3Configuration"];
    assert_eq!(*configuration, json!({"s3Uri": folder, "kmsKeyId": "a-key"}));
    let types: Vec<&str> =
        description["output"].as_array().unwrap().iter().map(|file| file["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["Observation", "Patient"]);
    let lines = healthlake.lines(&description);
    assert_eq!(ids(&lines), ["w", "1", "2"]);
    for line in &lines {
        let resource: Value = serde_json::from_str(line).unwrap();
        let path =
            format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let read = healthlake.request("GET", &path, "").await.unwrap();
        assert_eq!(read.text, *line, "what is exported is what is stored");
    }
    assert!(lines[0].contains(r#""valueQuantity":{"value":70.10,"x":1E2}"#), "{}", lines[0]);

    let events = healthlake.events_until(job_id, "Export Job Completed").await;
    let mut detail_types = Vec::new();
    for (access_key, detail_type, detail) in events {
        assert_eq!(access_key, "local-service");
        assert_eq!(detail["outputDataConfig"]["s3Configuration"]["s3Uri"], folder);
        detail_types.push(detail_type);
    }
    assert_eq!(
        detail_types,
        ["Export Job Submitted", "Export Job Queued", "Export Job In Progress", "Export Job Completed"]
    );
}

#[tokio::test]
async fn an_incremental_export_has_what_changed_and_no_deletion() {
    let healthlake = HealthLake::start().await;
    healthlake.load(&[PATIENT_1, PATIENT_2, WEIGHT]).await;
    sleep(Duration::from_millis(2)).await;
    let since = Timestamp::now();
    sleep(Duration::from_millis(2)).await;
    let stored = healthlake.control.put_resource(DATASTORE, "Patient", "1", PATIENT_1).await.unwrap();
    assert!(stored.get().contains(r#""versionId":"2""#), "{stored}");
    healthlake.control.delete_resource(DATASTORE, "Patient", "2").await.unwrap();
    let lines = healthlake.exported(&format!("?_since={since:.3}")).await;
    assert_eq!(lines, [stored.get()]);
    assert!(healthlake.exported(&format!("?_since={:.3}", Timestamp::now())).await.is_empty());
    let lines = healthlake.exported(&format!("?_until={since:.3}")).await;
    assert_eq!(ids(&lines), ["w"], "only current versions: patient 1 has a later one");
}

/// Types are read in their order: of two that change while the scan is under way, the later one is met anew.
#[tokio::test]
async fn a_scan_takes_the_version_that_is_current_when_it_meets_it() {
    let healthlake = HealthLake::start().await;
    healthlake.load(&[PATIENT_1, WEIGHT]).await;
    healthlake.control.set_faults([FaultKind::JobDuration { milliseconds: 600 }.into()]).await.unwrap();
    let job_id = healthlake.export("").await;
    healthlake.when(&job_id, "IN_PROGRESS").await;
    sleep(Duration::from_millis(100)).await;
    healthlake.control.put_resource(DATASTORE, "Observation", "w", WEIGHT).await.unwrap();
    healthlake.control.put_resource(DATASTORE, "Patient", "1", PATIENT_1).await.unwrap();
    let lines = healthlake.lines(&healthlake.when(&job_id, "COMPLETED").await);
    assert!(lines[0].contains(r#""versionId":"1""#), "{}", lines[0]);
    assert!(lines[1].contains(r#""versionId":"2""#), "{}", lines[1]);
}

#[tokio::test]
async fn patients_and_groups_have_exports_of_their_own() {
    let healthlake = HealthLake::start().await;
    let group = r#"{"resourceType":"Group","id":"g","member":[{"entity":{"reference":"Patient/2"}}]}"#;
    let location = r#"{"resourceType":"Location","id":"l"}"#;
    healthlake.load(&[PATIENT_1, PATIENT_2, WEIGHT, group, location]).await;
    for (path, expected) in [
        ("Patient/%24export", ["w", "1", "2"].as_slice()),
        ("Patient/$export?_type=Patient", &["1", "2"]),
        ("Group/g/$export", &["2"]),
    ] {
        let answer = healthlake.start_export(path, "a-job").await.unwrap();
        let description = healthlake.when(answer.json()["jobId"].as_str().unwrap(), "COMPLETED").await;
        assert_eq!(ids(&healthlake.lines(&description)), expected, "{path}");
    }
    let unknown = healthlake.start_export("Group/h/$export", "a-job").await.unwrap();
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let report = healthlake.control.jobs(DATASTORE).await.unwrap();
    assert_eq!(report.jobs[2].scope, Scope::Group { group_id: "g".to_owned() });
}

#[tokio::test]
async fn resources_are_created_read_updated_and_deleted() {
    let healthlake = HealthLake::start().await;
    let created = healthlake.request("POST", "Patient", r#"{"resourceType":"Patient"}"#).await.unwrap();
    assert_eq!(created.status, StatusCode::CREATED);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let path = format!("Patient/{id}");
    assert_eq!(healthlake.request("GET", &path, "").await.unwrap().text, created.text);
    let body = format!(r#"{{"resourceType":"Patient","id":"{id}","active":true}}"#);
    let updated = healthlake.request("PUT", &path, &body).await.unwrap();
    assert_eq!((updated.status, &updated.json()["meta"]["versionId"]), (StatusCode::OK, &json!("2")));
    let deleted = healthlake.request("DELETE", &path, "").await.unwrap();
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(healthlake.request("GET", &path, "").await.unwrap().status, StatusCode::GONE);
    let again = healthlake.request("PUT", &path, &body).await.unwrap();
    assert_eq!((again.status, &again.json()["meta"]["versionId"]), (StatusCode::CREATED, &json!("4")));
    for (method, path, body, expected) in [
        ("GET", "Patient/nobody", "", StatusCode::NOT_FOUND),
        ("PUT", "Patient/2", PATIENT_1, StatusCode::BAD_REQUEST),
        ("PUT", "Observation/1", PATIENT_1, StatusCode::BAD_REQUEST),
        ("POST", "Patient", "{", StatusCode::BAD_REQUEST),
    ] {
        let refused = healthlake.request(method, path, body).await.unwrap();
        assert_eq!(refused.status, expected, "{method} {path}");
        assert_eq!(refused.json()["resourceType"], "OperationOutcome");
    }
}

#[tokio::test]
async fn without_a_good_signature_nothing_is_done() {
    let healthlake = HealthLake::start().await;
    for secret in [None, Some("wrong")] {
        let refused = healthlake.send("PUT", "Patient/1", PATIENT_1, &HEADERS, secret).await.unwrap();
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.json()["__type"].as_str().unwrap().ends_with("Exception"), "{}", refused.text);
    }
    assert!(healthlake.control.jobs(DATASTORE).await.unwrap().requests.is_empty());
    assert_eq!(healthlake.request("GET", "Patient/1", "").await.unwrap().status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_start_that_makes_no_sense_is_refused() {
    let healthlake = HealthLake::start().await;
    for (path, job_name) in [
        ("$export?_since=yesterday", "a-job"),
        ("$export?_type=Unicorn", "a-job"),
        ("$export?_typeFilter=x", "a-job"),
        ("$export", &"x".repeat(65)),
    ] {
        let refused = healthlake.start_export(path, job_name).await.unwrap();
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(refused.json()["issue"][0]["code"], "invalid", "{path}");
    }
    for header in HEADERS {
        let refused =
            healthlake.send("POST", "$export", &start_body("a-job"), &[header], Some("local")).await;
        assert_eq!(refused.unwrap().status, StatusCode::BAD_REQUEST, "with no header but {header:?}");
    }
    assert!(healthlake.control.jobs(DATASTORE).await.unwrap().jobs.is_empty());
}

#[tokio::test]
async fn the_sdk_lists_jobs_page_by_page() {
    let healthlake = HealthLake::start().await;
    let sdk = healthlake.sdk();
    for number in 0..23 {
        let name = format!("job-{}", number % 2);
        assert!(healthlake.start_export("$export", &name).await.is_some());
    }
    let list = || sdk.list_fhir_export_jobs().datastore_id(DATASTORE);
    let first = list().send().await.unwrap();
    assert_eq!(first.export_job_properties_list().len(), 10);
    let token = first.next_token().expect("there are more");
    let second = list().next_token(token).max_results(12).send().await.unwrap();
    assert_eq!(second.export_job_properties_list().len(), 12);
    let third = list().next_token(second.next_token().unwrap()).send().await.unwrap();
    assert_eq!((third.export_job_properties_list().len(), third.next_token()), (1, None));

    let submitted: Vec<DateTime> = healthlake
        .control
        .jobs(DATASTORE)
        .await
        .unwrap()
        .jobs
        .iter()
        .map(|job| DateTime::from_millis(job.submitted_at.as_millisecond()))
        .collect();
    let all = list().max_results(500);
    let between = submitted.iter().filter(|time| **time > submitted[4] && **time < submitted[20]).count();
    let cases = [
        (all.clone(), 23),
        (all.clone().job_name("job-1"), 11),
        (all.clone().job_name("job-2"), 0),
        (all.clone().submitted_after(submitted[4]).submitted_before(submitted[20]), between),
        (all.clone().submitted_after(submitted[22]), 0),
        (all.clone().job_status(JobStatus::Failed), 0),
    ];
    for (position, (request, expected)) in cases.into_iter().enumerate() {
        let listed = request.send().await.unwrap();
        assert_eq!(listed.export_job_properties_list().len(), expected, "case {position}");
    }
    let elsewhere = "f".repeat(32);
    let listed = sdk.list_fhir_export_jobs().datastore_id(elsewhere).send().await.unwrap();
    assert!(listed.export_job_properties_list().is_empty());
}

#[tokio::test]
async fn the_sdk_starts_and_describes_jobs() {
    let healthlake = HealthLake::start().await;
    healthlake.load(&[PATIENT_1]).await;
    let sdk = healthlake.sdk();
    let target =
        S3Configuration::builder().s3_uri("s3://bucket/exports").kms_key_id("a-key").build().unwrap();
    let start = sdk
        .start_fhir_export_job()
        .datastore_id(DATASTORE)
        .job_name("a-job")
        .data_access_role_arn("arn:aws:iam::000000000000:role/exports")
        .output_data_config(OutputDataConfig::S3Configuration(target));
    let started = start.clone().client_token("once").send().await.unwrap();
    assert_eq!(started.job_status(), &JobStatus::Submitted);
    let again = start.client_token("once").send().await.unwrap();
    assert_eq!(again.job_id(), started.job_id(), "a client token starts one job");
    let lines = healthlake.lines(&healthlake.when(started.job_id(), "COMPLETED").await);
    assert_eq!(ids(&lines), ["1"]);

    let describe =
        |job_id: &str| sdk.describe_fhir_export_job().datastore_id(DATASTORE).job_id(job_id).send();
    let described = describe(started.job_id()).await.unwrap();
    let properties = described.export_job_properties().unwrap();
    assert_eq!((properties.job_status(), properties.job_name()), (&JobStatus::Completed, Some("a-job")));
    assert!(properties.end_time().unwrap() > properties.submit_time());
    let error = describe(&"0".repeat(32)).await.unwrap_err();
    assert_eq!(error.code(), Some("ResourceNotFoundException"));
    let refused = sdk.list_fhir_export_jobs().datastore_id(DATASTORE).max_results(501).send().await;
    assert_eq!(refused.unwrap_err().code(), Some("ValidationException"));
}

#[tokio::test]
async fn one_job_runs_and_the_others_wait_in_their_order() {
    let healthlake = HealthLake::start().await;
    let mut job_ids = Vec::new();
    for _ in 0..3 {
        job_ids.push(healthlake.export("").await);
    }
    healthlake.when(&job_ids[0], "IN_PROGRESS").await;
    healthlake.when(&job_ids[1], "QUEUED").await;
    let cancelled = healthlake.request("DELETE", &format!("export/{}", job_ids[0]), "").await.unwrap();
    assert_eq!(cancelled.status, StatusCode::ACCEPTED);
    healthlake.when(&job_ids[2], "COMPLETED").await;
    let jobs = healthlake.control.jobs(DATASTORE).await.unwrap().jobs;
    for pair in jobs.windows(2) {
        assert!(pair[1].scan_started_at.unwrap() >= pair[0].ended_at.unwrap(), "two jobs at once");
    }
}

#[tokio::test]
async fn a_job_can_be_cancelled_until_it_has_ended() {
    let healthlake = HealthLake::start().await;
    healthlake.control.set_faults([FaultKind::StuckInProgress.into()]).await.unwrap();
    let running = healthlake.export("").await;
    healthlake.control.set_faults([FaultKind::StuckInQueue.into()]).await.unwrap();
    let waiting = healthlake.export("").await;
    healthlake.control.set_faults([]).await.unwrap();
    let behind = healthlake.export("").await;
    healthlake.when(&running, "IN_PROGRESS").await;
    let cancel =
        async |job_id: &str| healthlake.request("DELETE", &format!("export/{job_id}"), "").await.unwrap();

    let cancelled = cancel(&running).await;
    let properties = json!({"jobId": running, "jobStatus": "CANCEL_SUBMITTED", "datastoreId": DATASTORE});
    assert_eq!(cancelled.json(), json!({"exportJobProperties": properties}));
    healthlake.when(&running, "CANCEL_COMPLETED").await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(healthlake.status(&waiting).await, "QUEUED", "stuck");
    assert_eq!(healthlake.status(&behind).await, "QUEUED", "behind one that is stuck");
    assert_eq!(cancel(&waiting).await.status, StatusCode::ACCEPTED);
    healthlake.when(&behind, "COMPLETED").await;

    for job_id in [&running, &behind] {
        let refused = cancel(job_id).await;
        assert_eq!(refused.json()["issue"][0]["code"], "not-supported", "{}", refused.text);
    }
    let jobs = healthlake.control.jobs(DATASTORE).await.unwrap().jobs;
    assert_eq!(jobs.iter().map(|job| job.cancel_requests).collect::<Vec<_>>(), [2, 1, 1]);
    let detail_types: Vec<String> =
        healthlake.stack.events(&running).into_iter().map(|(_, detail_type, _)| detail_type).collect();
    assert!(!detail_types.iter().any(|detail_type| detail_type.contains("Cancel")), "{detail_types:?}");
}

#[tokio::test]
async fn requests_are_throttled_refused_and_cut_off_on_demand() {
    let healthlake = HealthLake::start().await;
    healthlake
        .control
        .set_faults([
            Fault::from(FaultKind::Throttling).on(Operation::Start).times(1),
            Fault::from(FaultKind::ServerError { status: 503 }).on(Operation::Start).times(1),
            Fault::from(FaultKind::ConnectionCutBefore).on(Operation::Start).times(1),
            Fault::from(FaultKind::Throttling).on(Operation::List),
            Fault::from(FaultKind::Throttling).in_datastore("f".repeat(32)),
        ])
        .await
        .unwrap();
    let start = async || healthlake.start_export("$export", "a-job").await;
    assert_eq!(start().await.unwrap().status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(start().await.unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(start().await.is_none(), "cut");
    assert!(healthlake.control.jobs(DATASTORE).await.unwrap().jobs.is_empty());
    assert_eq!(start().await.unwrap().status, StatusCode::ACCEPTED);
    let throttled = healthlake.sdk().list_fhir_export_jobs().datastore_id(DATASTORE).send().await;
    assert_eq!(throttled.unwrap_err().code(), Some("ThrottlingException"));
    let report = healthlake.control.jobs(DATASTORE).await.unwrap();
    assert_eq!((report.requests[&Operation::Start], report.requests[&Operation::List]), (4, 1));
    assert_eq!(report.jobs.len(), 1);
}

#[tokio::test]
async fn an_answer_is_held_or_lost_when_the_job_is_accepted_already() {
    let healthlake = HealthLake::start().await;
    let held = Duration::from_secs(1);
    healthlake
        .control
        .set_faults([
            Fault::from(FaultKind::AnswerHeld { milliseconds: milliseconds(held) })
                .on(Operation::Start)
                .times(1),
            Fault::from(FaultKind::ConnectionCutAfter).on(Operation::Start).times(1),
            FaultKind::ListLag { milliseconds: 3_000 }.into(),
        ])
        .await
        .unwrap();
    let asked = Instant::now();
    let (answer, early) = tokio::join!(healthlake.start_export("$export", "a-job"), async {
        sleep(held / 2).await;
        healthlake.control.jobs(DATASTORE).await.unwrap().jobs.len()
    });
    assert!(answer.is_none() && asked.elapsed() >= held);
    assert_eq!(early, 1, "accepted before the answer");
    let sdk = healthlake.sdk();
    let listed = async || {
        let output = sdk.list_fhir_export_jobs().datastore_id(DATASTORE).job_name("a-job").send().await;
        output.unwrap().export_job_properties_list().len()
    };
    assert_eq!(listed().await, 0, "the list lags behind");
    sleep(Duration::from_millis(2_200)).await;
    assert_eq!(listed().await, 1);
}

#[tokio::test]
async fn a_description_is_told_in_every_documented_way() {
    let healthlake = HealthLake::start().await;
    let job_id = healthlake.export("?_since=2026-11-22T00%3A00%3A00Z").await;
    let description = healthlake.when(&job_id, "COMPLETED").await;
    let request = description["request"].as_str().unwrap();
    assert!(
        request.ends_with(&format!("/datastore/{DATASTORE}/r4/$export?_since=2026-11-22T00:00:00Z")),
        "{request}"
    );
    let set = async |kind: FaultKind| healthlake.control.set_faults([kind.into()]).await.unwrap();

    set(FaultKind::UnknownStatus { status: "RESTING".to_owned() }).await;
    assert_eq!(healthlake.status(&job_id).await, "RESTING");
    set(FaultKind::TimeForm { form: TimeForm::EpochSeconds }).await;
    assert!(healthlake.describe(&job_id).await["exportJobProperties"]["endTime"].is_f64());
    set(FaultKind::TimeForm { form: TimeForm::WithoutHalfOfDay }).await;
    let time =
        healthlake.describe(&job_id).await["exportJobProperties"]["endTime"].as_str().unwrap().to_owned();
    assert!(!time.ends_with('M'), "{time}");
    set(FaultKind::KeyCasing { casing: KeyCasing::Pascal }).await;
    assert_eq!(healthlake.describe(&job_id).await["ExportJobProperties"]["JobStatus"], "COMPLETED");
    set(FaultKind::KeyCasing { casing: KeyCasing::Mixed }).await;
    assert_eq!(healthlake.describe(&job_id).await["exportJobProperties"]["JobName"], "a-job");

    for (kind, expected) in [
        (FaultKind::TransactionTimeOffset { milliseconds: 38_000 }, 38_000),
        (FaultKind::ClockOffset { milliseconds: -90_000 }, -90_000),
    ] {
        set(kind).await;
        let description = healthlake.describe(&job_id).await;
        let told: Timestamp = description["transactionTime"].as_str().unwrap().parse().unwrap();
        let ahead = told.as_millisecond() - Timestamp::now().as_millisecond();
        assert!((ahead - expected).abs() < 5_000, "{ahead} {expected}");
    }
    let stored = healthlake.control.put_resource(DATASTORE, "Patient", "1", PATIENT_1).await.unwrap();
    let stored: Value = serde_json::from_str(stored.get()).unwrap();
    let updated: Timestamp = stored["meta"]["lastUpdated"].as_str().unwrap().parse().unwrap();
    assert!(updated.as_millisecond() < Timestamp::now().as_millisecond() - 85_000);
}

#[tokio::test]
async fn a_write_becomes_visible_to_exports_late() {
    let healthlake = HealthLake::start().await;
    healthlake.load(&[PATIENT_1]).await;
    let late = Fault::from(FaultKind::LateVisibility { milliseconds: 1_000 }).in_datastore(DATASTORE);
    healthlake.control.set_faults([late]).await.unwrap();
    let written = Instant::now();
    let stored = healthlake.control.put_resource(DATASTORE, "Patient", "1", PATIENT_1).await.unwrap();
    assert_eq!(healthlake.request("GET", "Patient/1", "").await.unwrap().text, stored.get());
    let lines = healthlake.exported("").await;
    assert!(lines[0].contains(r#""versionId":"1""#), "{}", lines[0]);
    tokio::time::sleep_until(written + Duration::from_secs(1)).await;
    assert_eq!(healthlake.exported("").await, [stored.get()]);
}

#[tokio::test]
async fn jobs_go_wrong_on_demand() {
    let healthlake = HealthLake::start().await;
    let patients: Vec<String> =
        (0..10).map(|id| format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#)).collect();
    healthlake.load(&patients.iter().map(String::as_str).chain([WEIGHT]).collect::<Vec<_>>()).await;
    let run = async |kind: FaultKind, status: &str| {
        healthlake.control.set_faults([Fault::from(kind).times(1)]).await.unwrap();
        let job_id = healthlake.export("").await;
        healthlake.when(&job_id, status).await
    };

    let failed = run(FaultKind::JobFails, "FAILED").await;
    assert!(failed["exportJobProperties"]["message"].is_string() && failed["output"] == json!([]));

    let left_out = FaultKind::CompletesWithErrors { resource_types: vec!["Patient".to_owned()], percent: 30 };
    let with_errors = run(left_out, "COMPLETED_WITH_ERRORS").await;
    assert_eq!(healthlake.lines(&with_errors).len(), 8);
    let error_file = with_errors["error"][0]["url"].as_str().unwrap();
    assert_eq!(healthlake.stack.lines(error_file).unwrap().len(), 1);

    let missing = FaultKind::ListedFileMissing { resource_type: Some("Patient".to_owned()) };
    let missing = run(missing, "COMPLETED").await;
    let has_file = |file: &Value| healthlake.stack.lines(file["url"].as_str().unwrap()).is_some();
    let files = missing["output"].as_array().unwrap();
    assert_eq!(files.iter().map(has_file).collect::<Vec<_>>(), [true, false]);

    let malformed =
        healthlake.lines(&run(FaultKind::MalformedLine { resource_type: None }, "COMPLETED").await);
    assert_eq!(malformed.iter().filter(|line| serde_json::from_str::<Value>(line).is_err()).count(), 1);

    let small = run(FaultKind::FileSize { bytes: 1 }, "COMPLETED").await;
    assert_eq!((small["output"].as_array().unwrap().len(), healthlake.lines(&small).len()), (11, 11));

    let whole = healthlake.exported("").await;
    assert_eq!(whole.len(), 11, "each fault happened once");
    let report = healthlake.control.jobs(DATASTORE).await.unwrap();
    let written: Vec<u64> = report.jobs.iter().map(|job| job.resources_written).collect();
    assert_eq!(written, [11, 8, 1, 11, 11, 11]);

    healthlake.stack.refuse_objects(true);
    let job_id = healthlake.export("").await;
    healthlake.when(&job_id, "FAILED").await;
}

#[tokio::test]
async fn what_is_loaded_is_all_of_it_or_nothing() {
    let healthlake = HealthLake::start().await;
    let kept = r#"{"resourceType":"Patient","id":"1","meta":{"versionId":"7","lastUpdated":"2020-01-01T00:00:00Z"}}"#;
    let ndjson = format!("{kept}\n\n{PATIENT_2}\r\n");
    assert_eq!(healthlake.control.load(DATASTORE, ndjson, LoadedMeta::Kept).await.unwrap(), 2);
    assert_eq!(healthlake.exported("").await, [kept, PATIENT_2]);
    let lines = healthlake.exported("?_until=2026-01-01T00:00:00Z").await;
    assert_eq!(lines, [kept], "one without lastUpdated is later than any _until");
    let lines = healthlake.exported("?_since=2026-01-01T00:00:00Z").await;
    assert_eq!(lines, [PATIENT_2], "and later than any _since");
    let broken = format!("{WEIGHT}\n{{\"resourceType\":\"Patient\"}}");
    let error = healthlake.control.load(DATASTORE, broken, LoadedMeta::New).await.unwrap_err();
    assert!(error.to_string().contains("Line 2"), "{error:#}");
    assert_eq!(healthlake.exported("").await.len(), 2);
    assert!(healthlake.control.load("x", "", LoadedMeta::New).await.is_err());
}
