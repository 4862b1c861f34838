//! What [`control`](super::control) is answered.

use std::sync::Arc;

use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, empty, fhir_json, plain_json};
use super::control::{JobReport, JobsReport};
use super::export_request::Token;
use super::faults::Faults;
use super::job::Job;
use super::outcome::Refusal;
use super::resources::LoadedMeta;
use super::rest_api::text;
use super::state::{HealthLake, is_datastore_id};

/// From the segments of the path behind `/_control/`.
pub(crate) fn answer(
    healthlake: &Arc<HealthLake>,
    path: &[&str],
    request: &Request<Bytes>,
) -> Result<Answer, Refusal> {
    match (request.method(), path) {
        (&Method::GET, ["faults"]) => json_of(&healthlake.state().faults),
        (&Method::PUT, ["faults"]) => {
            let faults: Faults = serde_json::from_slice(request.body())
                .map_err(|error| Refusal::invalid(format!("This is no array of faults: {error}.")))?;
            healthlake.state().faults = faults;
            Ok(empty(StatusCode::NO_CONTENT))
        }
        (&Method::DELETE, ["faults"]) => {
            healthlake.state().faults = Faults::default();
            Ok(empty(StatusCode::NO_CONTENT))
        }
        (_, ["datastores", datastore_id, rest @ ..]) if is_datastore_id(datastore_id) => {
            of_datastore(healthlake, datastore_id, rest, request)
        }
        (_, ["datastores", ..]) => Err(Refusal::invalid("The id of a data store has 32 hexadecimal digits.")),
        _ => Err(Refusal::NotSupported),
    }
}

fn of_datastore(
    healthlake: &Arc<HealthLake>,
    datastore_id: &str,
    path: &[&str],
    request: &Request<Bytes>,
) -> Result<Answer, Refusal> {
    match (request.method(), path) {
        (&Method::POST, ["load"]) => {
            let meta = match request.uri().query() {
                Some("keepMeta=true") => LoadedMeta::Kept,
                Some("keepMeta=false") | None => LoadedMeta::New,
                Some(_) => return Err(Refusal::invalid("The query may be keepMeta=true or keepMeta=false.")),
            };
            let loaded = healthlake.load(datastore_id, text(request)?, meta)?;
            json_of(&json!({"loaded": loaded}))
        }
        (&Method::GET, ["jobs"]) => json_of(&report(healthlake, datastore_id)),
        (&Method::PUT, ["resources", resource_type, id]) => {
            let written = healthlake.update(datastore_id, resource_type, id, text(request)?)?;
            Ok(fhir_json(StatusCode::OK, &written.resource.line))
        }
        (&Method::DELETE, ["resources", resource_type, id]) => {
            healthlake.delete(datastore_id, resource_type, id)?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Refusal::NotSupported),
    }
}

fn json_of(value: &impl Serialize) -> Result<Answer, Refusal> {
    let json =
        serde_json::to_string(value).map_err(|_| Refusal::Server(StatusCode::INTERNAL_SERVER_ERROR))?;
    Ok(plain_json(json))
}

fn report(healthlake: &HealthLake, datastore_id: &str) -> JobsReport {
    let mut state = healthlake.state();
    let requests = state.datastore(datastore_id).requests.clone();
    let jobs = state.jobs.iter().filter(|job| job.datastore_id == datastore_id).map(job_report).collect();
    JobsReport { requests, jobs }
}

fn job_report(job: &Job) -> JobReport {
    let filter = &job.request.filter;
    JobReport {
        job_id: job.id.clone(),
        job_name: job.request.job_name.clone(),
        status: job.status,
        scope: filter.scope.clone(),
        since: filter.since,
        until: filter.until,
        resource_types: filter.resource_types.clone(),
        tags: filter.tags.iter().map(Token::text).collect(),
        security: filter.security.iter().map(Token::text).collect(),
        folder: job.folder(),
        submitted_at: job.submitted_at,
        scan_started_at: job.scan_started_at,
        ended_at: job.ended_at,
        resources_written: job.resources_written,
        cancel_requests: job.cancel_requests,
    }
}
