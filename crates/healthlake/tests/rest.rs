//! Calls against a HealthLake on this machine.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../export-runs/tests/loopback_aws/mod.rs"]
mod loopback_aws;

use std::time::Duration;

use domain::export::datastore::{Datastore, DatastoreId, Scope};
use domain::export::job::{JobId, JobStatus, Phase};
use domain::export::window::{Mode, Window};
use healthlake::{HealthLake, HealthLakeError, Permanence, StartExport};
use loopback_aws::{Aws, Call, DATA_ROLE, Job, Reply, datastore, time};
use serde_json::json;
use tokio::time::Instant;

const START: &str = "healthlake:StartFHIRExportJobWithPost";
const DESCRIBE: &str = "healthlake:DescribeFHIRExportJobWithGet";
const CANCEL: &str = "healthlake:CancelFHIRExportJobWithDelete";
const LIST: &str = "healthlake:ListFHIRExportJobs";

fn client(aws: &Aws) -> HealthLake {
    HealthLake::new(&aws.sdk(), Some(&aws.endpoint)).unwrap()
}

fn enough() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(700)
}

fn id() -> DatastoreId {
    datastore().id
}

fn job_id(id: &str) -> JobId {
    JobId(id.to_owned())
}

fn request(datastore: &Datastore, mode: Mode) -> StartExport<'_> {
    StartExport {
        datastore,
        mode,
        window: Window {
            since: Some(time("2026-11-22T06:58:00.4619Z")),
            until: time("2026-11-22T08:00:00Z"),
        },
        job_name: "name".to_owned(),
        data_access_role_arn: DATA_ROLE,
        output_uri: "s3://exports-bucket/exports/".to_owned(),
        key_arn: "arn:aws:kms:eu-west-1:111122223333:key/k",
    }
}

/// The request that such a start makes.
async fn started(datastore: &Datastore, mode: Mode) -> Call {
    let aws = Aws::start().await;
    let job = client(&aws).start(&request(datastore, mode), enough()).await.unwrap();
    assert_eq!(job, job_id("job-1"));
    aws.calls(START).remove(0)
}

fn is_signed(call: &Call) -> bool {
    let authorization = call.header("authorization");
    authorization.starts_with("AWS4-HMAC-SHA256 Credential=local/")
        && authorization.contains("/eu-west-1/healthlake/aws4_request")
        && authorization.contains("SignedHeaders=")
        && !call.header("x-amz-date").is_empty()
}

#[tokio::test]
async fn a_start_asks_for_what_the_developer_guide_says() {
    let call = started(&datastore(), Mode::Incremental).await;
    assert!(is_signed(&call), "{:?}", call.headers);
    assert_eq!(call.uri.path(), "/datastore/d1/r4/$export");
    assert_eq!(
        (call.header("content-type"), call.header("prefer")),
        ("application/fhir+json", "respond-async")
    );
    let s3 = json!({
        "S3Uri": "s3://exports-bucket/exports/", "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/k",
    });
    assert_eq!(
        call.json(),
        json!({
            "JobName": "name", "DataAccessRoleArn": DATA_ROLE, "OutputDataConfig": {"S3Configuration": s3},
        })
    );
}

#[tokio::test]
async fn i4_until_is_asked_for_in_a_replay_alone_and_since_is_never_rounded_up() {
    let since = "_outputFormat=application%2Ffhir%2Bndjson&_since=2026-11-22T06%3A58%3A00.461Z";
    let until = "_until=2026-11-22T08%3A00%3A00.000Z";
    let types = "_type=Patient%2CObservation";
    for mode in [Mode::Incremental, Mode::Full] {
        let call = started(&datastore(), mode).await;
        assert_eq!(call.uri.query().unwrap(), format!("{since}&{types}"));
    }
    let call = started(&datastore(), Mode::Replay).await;
    assert_eq!(call.uri.query().unwrap(), format!("{since}&{until}&{types}"));
}

#[tokio::test]
async fn scope_types_and_tags_are_in_the_address() {
    let base = || Datastore { resource_types: Vec::new(), ..datastore() };
    let group = Scope::Group { group_id: "g1".to_owned() };
    let tagged = Datastore { tags: vec!["https://a.example|b".to_owned(), "|c".to_owned()], ..base() };
    let cases = [
        (Datastore { scope: Scope::Patient, ..base() }, "Patient/$export", ""),
        (Datastore { scope: group, ..base() }, "Group/g1/$export", ""),
        (tagged, "$export", "&_tag=https%3A%2F%2Fa.example%7Cb&_tag=%7Cc"),
    ];
    for (datastore, path, tags) in cases {
        let call = started(&datastore, Mode::Incremental).await;
        assert_eq!(call.uri.path(), format!("/datastore/d1/r4/{path}"));
        let (_, rest) = call.uri.query().unwrap().split_once("06%3A58%3A00.461Z").unwrap();
        assert_eq!(rest, tags);
    }
}

#[tokio::test]
async fn a_start_is_tried_again_only_where_nothing_can_have_happened() {
    type Fault = fn() -> Reply;
    let again: [(&str, Fault); 3] = [
        ("429", || Reply::empty(429)),
        ("throttled as 400", || Reply::error(400, "ThrottlingException")),
        ("another name", || Reply::error(400, "com.amazonaws.healthlake#TooManyRequestsException")),
    ];
    for (name, fault) in again {
        let aws = Aws::start().await;
        let mut asked = 0;
        aws.fault(move |call, _| {
            asked += usize::from(call.is(START));
            (call.is(START) && asked < 3).then(fault)
        });
        client(&aws).start(&request(&datastore(), Mode::Incremental), enough()).await.unwrap();
        assert_eq!((aws.calls(START).len(), aws.world().jobs.len()), (3, 1), "{name}");
    }
    let never: [(&str, Fault, Permanence); 6] = [
        ("500", || Reply::error(500, "InternalServerException"), Permanence::Unknown),
        ("503", || Reply::empty(503), Permanence::Unknown),
        ("cut before the answer", Reply::cut, Permanence::Unknown),
        ("cut within the answer", || Reply::json(&json!({"jobId": "j"})).cut_after(3), Permanence::Unknown),
        ("an answer of another kind", || Reply::text(202, "<html>"), Permanence::Unknown),
        ("refused", || Reply::error(400, "ValidationException"), Permanence::Refused),
    ];
    for (name, fault, permanence) in never {
        let aws = Aws::start().await;
        aws.fault(move |call, _| call.is(START).then(fault));
        let started = client(&aws).start(&request(&datastore(), Mode::Incremental), enough()).await;
        let error = started.unwrap_err();
        assert_eq!(error.permanence, permanence, "{name}");
        assert_eq!(aws.calls(START).len(), 1, "{name}");
        assert!(!format!("{error:?} {error}").contains("Ngozi"), "i6: {error}");
    }
}

#[tokio::test]
async fn a_start_that_is_throttled_for_too_long_says_so() {
    let aws = Aws::start().await;
    aws.fault(|call, _| call.is(START).then(|| Reply::error(400, "ThrottlingException")));
    let error = client(&aws).start(&request(&datastore(), Mode::Incremental), soon()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.permanence), ("ThrottlingException", Permanence::Throttled));
    assert!(aws.calls(START).len() > 1);
}

#[tokio::test]
async fn a_job_is_described_whatever_came_in_between() {
    let aws = Aws::start().await;
    let files = vec!["s3://exports-bucket/exports/a.ndjson".to_owned()];
    aws.world().jobs.push(Job { files, errors: 1, ..Job::new("j1", "name", "COMPLETED_WITH_ERRORS") });
    let mut faults = vec![Reply::cut(), Reply::empty(503), Reply::error(400, "ThrottlingException")];
    aws.fault(move |call, _| if call.is(DESCRIBE) { faults.pop() } else { None });
    let job = client(&aws).describe(&id(), &job_id("j1"), enough()).await.unwrap();
    assert_eq!((&job.status, job.errors), (&JobStatus::CompletedWithErrors, 1));
    let [file] = job.files.as_slice() else { panic!("{:?}", job.files) };
    assert_eq!(file.key_in("exports-bucket"), Some("exports/a.ndjson"));
    assert_eq!(file.key_in("exports"), None);
    assert_eq!(file.key_in("exports-bucket/exports/a.ndjson"), None);
    let calls = aws.calls(DESCRIBE);
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(is_signed));
    assert!(calls.iter().all(|call| call.uri.path() == "/datastore/d1/r4/export/j1"));
}

#[tokio::test]
async fn answers_are_read_in_either_casing() {
    let aws = Aws::start().await;
    aws.fault(|call, _| {
        let properties = json!({"JobId": "j1", "JobStatus": "PAUSED", "SubmitTime": "Aug 26, 2023 1:46:56"});
        match call.operation.as_str() {
            START => Some(Reply::text(202, json!({"JobId": "j1", "JobStatus": "SUBMITTED"}).to_string())),
            DESCRIBE => Some(Reply::json(&json!({
                "ExportJobProperties": properties, "Output": [{"Url": "s3://b/k"}], "Error": null,
            }))),
            _ => None,
        }
    });
    let client = client(&aws);
    let job = client.start(&request(&datastore(), Mode::Incremental), enough()).await.unwrap();
    let job = client.describe(&id(), &job, enough()).await.unwrap();
    assert_eq!(job.status, JobStatus::Unknown("PAUSED".to_owned()));
    assert_eq!(job.files.iter().map(|file| file.key_in("b")).collect::<Vec<_>>(), [Some("k")]);
}

#[tokio::test]
async fn a_description_that_is_refused_is_not_asked_for_again() {
    let aws = Aws::start().await;
    let error = client(&aws).describe(&id(), &job_id("j1"), enough()).await.unwrap_err();
    let expected = HealthLakeError {
        operation: DESCRIBE,
        code: "ResourceNotFoundException".to_owned(),
        permanence: Permanence::Refused,
    };
    assert_eq!(error, expected);
    assert_eq!(aws.calls(DESCRIBE).len(), 1);
}

#[tokio::test]
async fn a_job_that_is_over_or_gone_is_as_good_as_cancelled() {
    let aws = Aws::start().await;
    let client = client(&aws);
    for (job, status) in [("running", "IN_PROGRESS"), ("done", "COMPLETED")] {
        aws.world().jobs.push(Job::new(job, "name", status));
    }
    for job in ["running", "done", "gone"] {
        client.cancel(&id(), &job_id(job), enough()).await.unwrap();
    }
    assert_eq!(aws.world().jobs[0].status, "CANCEL_SUBMITTED");
    assert!(aws.calls(CANCEL).len() == 3 && aws.calls(CANCEL).iter().all(is_signed));
    aws.fault(|call, _| call.is(CANCEL).then(|| Reply::empty(202)));
    client.cancel(&id(), &job_id("running"), soon()).await.unwrap();
}

#[tokio::test]
async fn a_cancellation_is_tried_again_unless_it_is_refused() {
    let aws = Aws::start().await;
    aws.world().jobs.push(Job::new("running", "name", "IN_PROGRESS"));
    let mut faults = vec![Reply::cut(), Reply::empty(503), Reply::empty(429)];
    aws.fault(move |call, _| if call.is(CANCEL) { faults.pop() } else { None });
    client(&aws).cancel(&id(), &job_id("running"), enough()).await.unwrap();
    assert_eq!(aws.calls(CANCEL).len(), 4);
    aws.mend();
    aws.fault(|call, _| call.is(CANCEL).then(|| Reply::error(403, "AccessDeniedException")));
    let error = client(&aws).cancel(&id(), &job_id("running"), enough()).await.unwrap_err();
    assert_eq!((error.permanence, aws.calls(CANCEL).len()), (Permanence::Refused, 5));
}

#[tokio::test]
async fn jobs_of_that_very_name_are_listed_to_the_last_page() {
    let aws = Aws::start().await;
    let mut pages = 0;
    aws.fault(move |call, _| {
        let job = |id: &str, name: &str, status: &str| {
            json!({
                "JobId": id, "JobName": name, "JobStatus": status, "SubmitTime": 1_795_331_640.5,
                "DatastoreId": "d1", "OutputDataConfig": {"S3Configuration": {"S3Uri": "s3://b/", "KmsKeyId": "k"}},
            })
        };
        if !call.is(LIST) {
            return None;
        }
        pages += 1;
        let (jobs, next) = match pages {
            1 => (vec![job("a", "name", "IN_PROGRESS"), job("b", "name-2", "QUEUED")], json!("1")),
            2 => (Vec::new(), json!("2")),
            _ => (vec![job("c", "name", "PAUSED_FOR_MAINTENANCE")], json!(null)),
        };
        Some(Reply::json(&json!({"ExportJobPropertiesList": jobs, "NextToken": next})))
    });
    let jobs = client(&aws).jobs_named(&id(), "name", enough()).await.unwrap();
    let found: Vec<(&str, Phase)> = jobs.iter().map(|job| (job.id.0.as_str(), job.phase)).collect();
    assert_eq!(found, [("a", Phase::Running), ("c", Phase::Running)]);
    assert_eq!(jobs[0].submitted_at.unwrap(), time("2026-11-22T07:14:00Z"));
    assert_eq!(aws.calls(LIST).len(), 3);
    assert!(aws.calls(LIST).iter().all(is_signed));
}

#[tokio::test]
async fn why_a_list_failed_is_told_by_class() {
    let cases: [(Reply, Permanence); 4] = [
        (Reply::error(400, "ThrottlingException"), Permanence::Throttled),
        (Reply::error(500, "InternalServerException"), Permanence::Unknown),
        (Reply::error(400, "ValidationException"), Permanence::Refused),
        (Reply::cut(), Permanence::Unknown),
    ];
    for (reply, permanence) in cases {
        let aws = Aws::start().await;
        let mut reply = Some(reply);
        aws.fault(move |call, _| if call.is(LIST) { reply.take() } else { None });
        let error = client(&aws).jobs_named(&id(), "name", enough()).await.unwrap_err();
        assert_eq!(error.permanence, permanence, "{error}");
        assert!(!format!("{error:?} {error}").contains("Ngozi"), "i6: {error}");
    }
}
