//! HealthLake's own API: AWS JSON 1.0, as the SDKs speak it (API reference).

use std::sync::Arc;

use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::{Answer, aws_json};
use super::export_request::{Filter, Scope, StartBody};
use super::exports::ListFilter;
use super::faults::{KeyCasing, Operation};
use super::job_json::properties;
use super::outcome::Refusal;
use super::state::{HealthLake, is_datastore_id};
use super::times::{TimeForm, from_epoch_seconds};

/// Small, so that a client meets more than one page; the true one is not documented.
const DEFAULT_PAGE: usize = 10;
const LARGEST_PAGE: usize = 500;

/// What a request asks of a data store.
pub(crate) struct Call {
    pub datastore_id: String,
    pub operation: Operation,
    body: Value,
}

impl Call {
    /// From the target header and the body.
    pub(crate) fn parse(request: &Request<Bytes>) -> Result<Self, Refusal> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = match target.and_then(|target| target.strip_prefix("HealthLake.")) {
            Some("StartFHIRExportJob") => Operation::Start,
            Some("DescribeFHIRExportJob") => Operation::Describe,
            Some("ListFHIRExportJobs") => Operation::List,
            _ => return Err(Refusal::NotSupported),
        };
        let body: Value = serde_json::from_slice(request.body()).map_err(|_| not_of_the_model())?;
        let datastore_id = body["DatastoreId"].as_str().unwrap_or_default().to_owned();
        if !is_datastore_id(&datastore_id) {
            return Err(Refusal::invalid("DatastoreId has 32 hexadecimal digits."));
        }
        Ok(Self { datastore_id, operation, body })
    }

    pub(crate) fn answer(self, healthlake: &Arc<HealthLake>) -> Result<Answer, Refusal> {
        let Self { datastore_id, operation, body } = self;
        let json = match operation {
            Operation::Start => start(healthlake, &datastore_id, body)?,
            Operation::Describe => describe(healthlake, &datastore_id, body)?,
            Operation::List => list(healthlake, &datastore_id, body)?,
            Operation::Cancel | Operation::Read | Operation::Write => return Err(Refusal::NotSupported),
        };
        Ok(aws_json(StatusCode::OK, &KeyCasing::Pascal.spell(json)))
    }
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, Refusal> {
    serde_json::from_value(body).map_err(|_| not_of_the_model())
}

fn not_of_the_model() -> Refusal {
    Refusal::invalid("The body is not that of the operation.")
}

/// Of the whole data store: this API knows no scope, no times and no types.
fn start(healthlake: &Arc<HealthLake>, datastore_id: &str, body: Value) -> Result<Value, Refusal> {
    let body: StartBody = read(body)?;
    let request = body.accept(Filter::everything(Scope::System), String::new())?;
    let job = healthlake.start(datastore_id, request)?;
    Ok(json!({"jobId": job.id, "jobStatus": job.status, "datastoreId": datastore_id}))
}

fn describe(healthlake: &HealthLake, datastore_id: &str, body: Value) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Describe {
        job_id: String,
    }
    let Describe { job_id } = read(body)?;
    let (job, status) = healthlake.describe(datastore_id, &job_id)?;
    Ok(json!({"exportJobProperties": properties(&job, &status, TimeForm::EpochSeconds)}))
}

fn list(healthlake: &HealthLake, datastore_id: &str, body: Value) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct List {
        next_token: Option<String>,
        max_results: Option<usize>,
        job_name: Option<String>,
        job_status: Option<String>,
        submitted_after: Option<f64>,
        submitted_before: Option<f64>,
    }
    let list: List = read(body)?;
    let count = list.max_results.unwrap_or(DEFAULT_PAGE);
    if !(1..=LARGEST_PAGE).contains(&count) {
        return Err(Refusal::invalid("MaxResults is 1 to 500."));
    }
    let from = match &list.next_token {
        Some(token) => {
            usize::from_str_radix(token, 16).map_err(|_| Refusal::invalid("NextToken is none."))?
        }
        None => 0,
    };
    let time = |seconds: Option<f64>| match seconds.map(from_epoch_seconds) {
        Some(None) => Err(Refusal::invalid("A time is none.")),
        time => Ok(time.flatten()),
    };
    let filter = ListFilter {
        job_name: list.job_name,
        status: list.job_status,
        submitted_after: time(list.submitted_after)?,
        submitted_before: time(list.submitted_before)?,
    };
    let page = healthlake.list(datastore_id, &filter, from, count);
    let jobs: Vec<Value> =
        page.jobs.iter().map(|job| properties(job, job.status.word(), TimeForm::EpochSeconds)).collect();
    let mut json = json!({"exportJobPropertiesList": jobs});
    if let Some(next) = page.next {
        json["nextToken"] = json!(format!("{next:x}"));
    }
    Ok(json)
}
