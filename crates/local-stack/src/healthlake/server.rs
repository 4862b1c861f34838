//! HTTP: which API a request is for, and what goes wrong on its way.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::answer::Answer;
use super::faults::{FaultKind, Operation};
use super::outcome::Refusal;
use super::state::HealthLake;
use super::{control_api, json_api, rest_api, signature};

/// Ends a connection without an answer.
#[derive(Debug)]
struct ConnectionCut;

impl fmt::Display for ConnectionCut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is cut")
    }
}

impl std::error::Error for ConnectionCut {}

/// Serves until the process ends.
pub(crate) async fn serve(listener: TcpListener, healthlake: Arc<HealthLake>) -> std::io::Result<()> {
    loop {
        let (connection, _) = listener.accept().await?;
        let healthlake = healthlake.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(healthlake.clone(), request));
            let served = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
            if let Err(error) = served {
                tracing::debug!(error = error.to_string(), "a connection ended");
            }
        });
    }
}

async fn answer(healthlake: Arc<HealthLake>, request: Request<Incoming>) -> Result<Answer, ConnectionCut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| ConnectionCut)?.to_bytes();
    let request = Request::from_parts(head, body);
    let decoded: Vec<String> = request
        .uri()
        .path()
        .split('/')
        .skip(1)
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let path: Vec<&str> = decoded.iter().map(String::as_str).collect();
    if let ["_control", path @ ..] = path.as_slice() {
        return Ok(control_api::answer(&healthlake, path, &request).unwrap_or_else(|refusal| refusal.rest()));
    }
    if let Err(fault) = signature::verify(&request, Timestamp::now()) {
        tracing::warn!(?fault, "a signature was refused");
        return Ok(fault.answer());
    }
    match path.as_slice() {
        [""] => of_json_api(&healthlake, &request).await,
        path => of_rest_api(&healthlake, path, &request).await,
    }
}

async fn of_json_api(
    healthlake: &Arc<HealthLake>,
    request: &Request<Bytes>,
) -> Result<Answer, ConnectionCut> {
    let call = match json_api::Call::parse(request) {
        Ok(call) => call,
        Err(refusal) => return Ok(refusal.json()),
    };
    let (datastore_id, operation) = (call.datastore_id.clone(), call.operation);
    let done = match before(healthlake, &datastore_id, operation) {
        Some(Before::Cut) => return Err(ConnectionCut),
        Some(Before::Refused(refusal)) => Err(refusal),
        None => call.answer(healthlake),
    };
    match done {
        Ok(answer) => after(healthlake, &datastore_id, operation, answer).await,
        Err(refusal) => Ok(refusal.json()),
    }
}

async fn of_rest_api(
    healthlake: &Arc<HealthLake>,
    path: &[&str],
    request: &Request<Bytes>,
) -> Result<Answer, ConnectionCut> {
    let call = match rest_api::Call::parse(request.method(), path) {
        Ok(call) => call,
        Err(refusal) => return Ok(refusal.rest()),
    };
    let (datastore_id, operation) = (call.datastore_id, call.operation());
    let done = match before(healthlake, datastore_id, operation) {
        Some(Before::Cut) => return Err(ConnectionCut),
        Some(Before::Refused(refusal)) => Err(refusal),
        None => call.answer(healthlake, request),
    };
    match done {
        Ok(answer) => after(healthlake, datastore_id, operation, answer).await,
        Err(refusal) => Ok(refusal.rest()),
    }
}

/// What becomes of a request that is not looked at.
enum Before {
    Cut,
    Refused(Refusal),
}

/// Counts the request, and takes the fault that keeps it from being done.
fn before(healthlake: &HealthLake, datastore_id: &str, operation: Operation) -> Option<Before> {
    let mut state = healthlake.state();
    *state.datastore(datastore_id).requests.entry(operation).or_default() += 1;
    state.faults.take(datastore_id, operation, |kind| match kind {
        FaultKind::ConnectionCutBefore => Some(Before::Cut),
        FaultKind::Throttling => Some(Before::Refused(Refusal::Throttled)),
        FaultKind::ServerError { status } => {
            let status = StatusCode::from_u16(*status).ok().filter(StatusCode::is_server_error);
            Some(Before::Refused(Refusal::Server(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))))
        }
        _ => None,
    })
}

/// Holds or loses the answer to a request that has been done.
async fn after(
    healthlake: &HealthLake,
    datastore_id: &str,
    operation: Operation,
    answer: Answer,
) -> Result<Answer, ConnectionCut> {
    let held = healthlake.state().faults.take(datastore_id, operation, |kind| match kind {
        FaultKind::AnswerHeld { milliseconds } => Some(Duration::from_millis(*milliseconds)),
        _ => None,
    });
    let is_cut = healthlake
        .state()
        .faults
        .take(datastore_id, operation, |kind| matches!(kind, FaultKind::ConnectionCutAfter).then_some(()));
    if let Some(held) = held {
        sleep(held).await;
    }
    match is_cut {
        Some(()) => Err(ConnectionCut),
        None => Ok(answer),
    }
}
