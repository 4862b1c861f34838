//! The REST API of a data store: FHIR resources and `$export`.

use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::{
    CONTENT_LOCATION, CONTENT_TYPE, ETAG, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::answer::{Answer, empty, fhir_json};
use super::export_request::{Filter, Scope, StartBody};
use super::faults::{FaultKind, KeyCasing, Operation};
use super::job_json::description;
use super::outcome::Refusal;
use super::resource_types::is_resource_type;
use super::resources::Written;
use super::state::{HealthLake, is_datastore_id};
use super::times;

/// What a request asks of a data store.
pub(crate) struct Call<'r> {
    pub datastore_id: &'r str,
    interaction: Interaction<'r>,
}

enum Interaction<'r> {
    Start(Scope),
    Describe { job_id: &'r str },
    Cancel { job_id: &'r str },
    Create { resource_type: &'r str },
    Read { resource_type: &'r str, id: &'r str },
    Update { resource_type: &'r str, id: &'r str },
    Delete { resource_type: &'r str, id: &'r str },
}

impl<'r> Call<'r> {
    /// From the method and the decoded segments of the path.
    pub(crate) fn parse(method: &Method, path: &[&'r str]) -> Result<Self, Refusal> {
        let ["datastore", datastore_id, "r4", rest @ ..] = path else {
            return Err(Refusal::NotFound("There is no such address.".to_owned()));
        };
        if !is_datastore_id(datastore_id) {
            return Err(Refusal::invalid("The id of a data store has 32 hexadecimal digits."));
        }
        let interaction = match (method, rest) {
            (&Method::POST, ["$export"]) => Interaction::Start(Scope::System),
            (&Method::POST, ["Patient", "$export"]) => Interaction::Start(Scope::Patient),
            (&Method::POST, ["Group", group_id, "$export"]) => {
                Interaction::Start(Scope::Group { group_id: (*group_id).to_owned() })
            }
            (&Method::GET, ["export", job_id]) => Interaction::Describe { job_id },
            (&Method::DELETE, ["export", job_id]) => Interaction::Cancel { job_id },
            (_, [resource_type, ..]) if !is_resource_type(resource_type) => {
                return Err(Refusal::invalid("The address names no resource type of FHIR R4."));
            }
            (&Method::POST, [resource_type]) => Interaction::Create { resource_type },
            (&Method::GET, [resource_type, id]) => Interaction::Read { resource_type, id },
            (&Method::PUT, [resource_type, id]) => Interaction::Update { resource_type, id },
            (&Method::DELETE, [resource_type, id]) => Interaction::Delete { resource_type, id },
            _ => return Err(Refusal::NotSupported),
        };
        Ok(Self { datastore_id, interaction })
    }

    pub(crate) fn operation(&self) -> Operation {
        match self.interaction {
            Interaction::Start(_) => Operation::Start,
            Interaction::Describe { .. } => Operation::Describe,
            Interaction::Cancel { .. } => Operation::Cancel,
            Interaction::Read { .. } => Operation::Read,
            Interaction::Create { .. } | Interaction::Update { .. } | Interaction::Delete { .. } => {
                Operation::Write
            }
        }
    }

    pub(crate) fn answer(
        &self,
        healthlake: &Arc<HealthLake>,
        request: &Request<Bytes>,
    ) -> Result<Answer, Refusal> {
        let datastore_id = self.datastore_id;
        match &self.interaction {
            Interaction::Start(scope) => start(healthlake, datastore_id, scope.clone(), request),
            Interaction::Describe { job_id } => describe(healthlake, datastore_id, job_id),
            Interaction::Cancel { job_id } => {
                let job = healthlake.cancel(datastore_id, job_id)?;
                let json = json!({"exportJobProperties": {
                    "jobId": job.id, "jobStatus": job.status, "datastoreId": datastore_id,
                }});
                let json = key_casing(healthlake, datastore_id, Operation::Cancel).spell(json);
                Ok(fhir_json(StatusCode::ACCEPTED, &json.to_string()))
            }
            Interaction::Create { resource_type } => {
                let written = healthlake.create(datastore_id, resource_type, text(request)?)?;
                Ok(of_write(datastore_id, &written))
            }
            Interaction::Update { resource_type, id } => {
                let written = healthlake.update(datastore_id, resource_type, id, text(request)?)?;
                Ok(of_write(datastore_id, &written))
            }
            Interaction::Read { resource_type, id } => {
                let resource = healthlake.read(datastore_id, resource_type, id)?;
                Ok(fhir_json(StatusCode::OK, &resource.line))
            }
            Interaction::Delete { resource_type, id } => {
                healthlake.delete(datastore_id, resource_type, id)?;
                Ok(empty(StatusCode::NO_CONTENT))
            }
        }
    }
}

fn start(
    healthlake: &Arc<HealthLake>,
    datastore_id: &str,
    scope: Scope,
    request: &Request<Bytes>,
) -> Result<Answer, Refusal> {
    require(request.headers(), &CONTENT_TYPE, "application/fhir+json")?;
    require(request.headers(), &HeaderName::from_static("prefer"), "respond-async")?;
    let query = request.uri().query().unwrap_or_default();
    let filter = Filter::parse(scope, form_urlencoded::parse(query.as_bytes()))?;
    let body: StartBody = serde_json::from_slice(request.body())
        .map_err(|_| Refusal::invalid("The body is not the JSON of a start."))?;
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let decoded: Vec<String> =
        form_urlencoded::parse(query.as_bytes()).map(|(name, value)| format!("{name}={value}")).collect();
    let url = format!("http://{host}{}?{}", request.uri().path(), decoded.join("&"));
    let job = healthlake.start(datastore_id, body.accept(filter, url)?)?;
    let json = json!({"datastoreId": datastore_id, "jobStatus": job.status, "jobId": job.id});
    let json = key_casing(healthlake, datastore_id, Operation::Start).spell(json);
    let mut answer = fhir_json(StatusCode::ACCEPTED, &json.to_string());
    let location = format!("http://{host}/datastore/{datastore_id}/r4/export/{}", job.id);
    insert(&mut answer, CONTENT_LOCATION, &location);
    Ok(answer)
}

/// `transactionTime` is the present: in a recorded answer it was the instant of the call, 38 s after the job had ended.
fn describe(healthlake: &HealthLake, datastore_id: &str, job_id: &str) -> Result<Answer, Refusal> {
    let (job, status) = healthlake.describe(datastore_id, job_id)?;
    let mut state = healthlake.state();
    let form = state.faults.take(datastore_id, Operation::Describe, |kind| match kind {
        FaultKind::TimeForm { form } => Some(*form),
        _ => None,
    });
    let offset = state.faults.take(datastore_id, Operation::Describe, |kind| match kind {
        FaultKind::TransactionTimeOffset { milliseconds } => Some(*milliseconds),
        _ => None,
    });
    let clock_offset = state.faults.clock_offset(datastore_id);
    drop(state);
    let transaction_time = times::now(clock_offset.saturating_add(offset.unwrap_or_default()));
    let json: Value = description(&job, &status, form.unwrap_or_default(), transaction_time);
    let json = key_casing(healthlake, datastore_id, Operation::Describe).spell(json);
    Ok(fhir_json(StatusCode::OK, &json.to_string()))
}

fn key_casing(healthlake: &HealthLake, datastore_id: &str, operation: Operation) -> KeyCasing {
    let select = |kind: &FaultKind| match kind {
        FaultKind::KeyCasing { casing } => Some(*casing),
        _ => None,
    };
    healthlake.state().faults.take(datastore_id, operation, select).unwrap_or_default()
}

fn of_write(datastore_id: &str, Written { resource, is_new }: &Written) -> Answer {
    let status = if *is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut answer = fhir_json(status, &resource.line);
    let version = resource.version.as_deref().unwrap_or_default();
    insert(&mut answer, ETAG, &format!("W/\"{version}\""));
    let (resource_type, id) = (&resource.resource_type, &resource.id);
    let location = format!("/datastore/{datastore_id}/r4/{resource_type}/{id}/_history/{version}");
    insert(&mut answer, LOCATION, &location);
    answer
}

fn insert(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

fn require(headers: &HeaderMap, name: &HeaderName, value: &str) -> Result<(), Refusal> {
    let given = headers.get(name).and_then(|given| given.to_str().ok()).unwrap_or_default();
    let is_given = given.split(';').next().is_some_and(|first| first.trim().eq_ignore_ascii_case(value));
    is_given.then_some(()).ok_or_else(|| Refusal::invalid(format!("The header {name} has to be {value}.")))
}

pub(crate) fn text(request: &Request<Bytes>) -> Result<&str, Refusal> {
    std::str::from_utf8(request.body()).map_err(|_| Refusal::invalid("The body is no UTF-8."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn method_and_path_say_what_is_asked_for() {
        let cases: [(Method, &[&str], Result<Operation, Refusal>); 14] = [
            (Method::POST, &["$export"], Ok(Operation::Start)),
            (Method::POST, &["Patient", "$export"], Ok(Operation::Start)),
            (Method::POST, &["Group", "1", "$export"], Ok(Operation::Start)),
            (Method::GET, &["export", "j"], Ok(Operation::Describe)),
            (Method::DELETE, &["export", "j"], Ok(Operation::Cancel)),
            (Method::POST, &["Patient"], Ok(Operation::Write)),
            (Method::PUT, &["Patient", "1"], Ok(Operation::Write)),
            (Method::DELETE, &["Patient", "1"], Ok(Operation::Write)),
            (Method::GET, &["Patient", "1"], Ok(Operation::Read)),
            (Method::GET, &["Patient"], Err(Refusal::NotSupported)),
            (Method::GET, &["Patient", "$export"], Ok(Operation::Read)),
            (
                Method::PUT,
                &["export", "j"],
                Err(Refusal::invalid("The address names no resource type of FHIR R4.")),
            ),
            (
                Method::GET,
                &["Unicorn", "1"],
                Err(Refusal::invalid("The address names no resource type of FHIR R4.")),
            ),
            (Method::GET, &[], Err(Refusal::NotSupported)),
        ];
        for (method, rest, expected) in cases {
            let path = [&["datastore", ID, "r4"], rest].concat();
            let operation = Call::parse(&method, &path).map(|call| call.operation());
            assert_eq!(operation, expected, "{method} {rest:?}");
        }
        assert!(matches!(Call::parse(&Method::GET, &["metadata"]), Err(Refusal::NotFound(_))));
        let short = ["datastore", "1", "r4", "Patient", "1"];
        assert!(matches!(Call::parse(&Method::GET, &short), Err(Refusal::Invalid(_))));
    }

    #[test]
    fn a_start_needs_its_headers() {
        let name = HeaderName::from_static("content-type");
        for (given, expected) in [
            (Some("application/fhir+json"), true),
            (Some("application/fhir+json; charset=utf-8"), true),
            (Some("Application/FHIR+JSON"), true),
            (Some("application/json"), false),
            (None, false),
        ] {
            let headers: HeaderMap =
                given.map(|value| (name.clone(), HeaderValue::from_static(value))).into_iter().collect();
            assert_eq!(require(&headers, &name, "application/fhir+json").is_ok(), expected, "{given:?}");
        }
    }
}
