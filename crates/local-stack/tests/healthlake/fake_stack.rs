//! A stack that has only what HealthLake needs of one: `PutObject` and `PutEvents`, and remembers both.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Clone, Default)]
pub struct FakeStack {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By `bucket/key`.
    objects: BTreeMap<String, Bytes>,
    /// Access key and entry.
    events: Vec<(String, Value)>,
    refuses_objects: bool,
}

impl FakeStack {
    /// Listens, and answers at which port.
    pub async fn start() -> (Self, u16) {
        let stack = Self::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = stack.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let stack = serving.clone();
                let service = service_fn(move |request| {
                    let stack = stack.clone();
                    async move { Ok::<_, Infallible>(stack.answer(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
            }
        });
        (stack, port)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let header = |name: &str| {
            head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let mut state = self.state.lock().unwrap();
        let mut answer = Response::new(Full::from("{}"));
        if head.method == Method::PUT {
            if state.refuses_objects {
                *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            } else {
                state.objects.insert(head.uri.path().trim_start_matches('/').to_owned(), body);
            }
        } else if header("x-amz-target") == "AWSEvents.PutEvents" {
            let request: Value = serde_json::from_slice(&body).unwrap();
            let access_key = header("authorization");
            let access_key = access_key.split(['=', '/']).nth(1).unwrap_or_default();
            for entry in request["Entries"].as_array().unwrap() {
                state.events.push((access_key.to_owned(), entry.clone()));
            }
            let result = json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]});
            answer = Response::new(Full::from(result.to_string()));
        }
        answer
    }

    pub fn refuse_objects(&self, refuses: bool) {
        self.state.lock().unwrap().refuses_objects = refuses;
    }

    /// The lines of a file, by its URL.
    pub fn lines(&self, url: &str) -> Option<Vec<String>> {
        let state = self.state.lock().unwrap();
        let object = state.objects.get(url.strip_prefix("s3://").unwrap())?;
        let text = std::str::from_utf8(object).unwrap();
        assert!(text.ends_with('\n'), "the last line of a file has an end too");
        Some(text.lines().map(str::to_owned).collect())
    }

    /// Access keys, detail types and details of the events from HealthLake about a job.
    pub fn events(&self, job_id: &str) -> Vec<(String, String, Value)> {
        let state = self.state.lock().unwrap();
        let events = state.events.iter().filter(|(_, entry)| entry["Source"] == "aws.healthlake");
        events
            .map(|(access_key, entry)| {
                let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
                (access_key.clone(), entry["DetailType"].as_str().unwrap().to_owned(), detail)
            })
            .filter(|(_, _, detail)| detail["jobId"] == job_id)
            .collect()
    }
}
