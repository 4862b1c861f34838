//! Answers over HTTP.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

pub(crate) type Answer = Response<Full<Bytes>>;

/// Without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

pub(crate) fn fhir_json(status: StatusCode, json: &str) -> Answer {
    with_body(status, "application/fhir+json", json.to_owned())
}

/// AWS JSON 1.0, the protocol of HealthLake's own API.
pub(crate) fn aws_json(status: StatusCode, json: &Value) -> Answer {
    with_body(status, "application/x-amz-json-1.0", json.to_string())
}

pub(crate) fn plain_json(json: String) -> Answer {
    with_body(StatusCode::OK, "application/json", json)
}

fn with_body(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
