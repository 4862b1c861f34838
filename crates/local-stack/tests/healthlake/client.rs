//! A client of the real server, as somebody who deploys to a stack would write one.

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use aws_sdk_healthlake::config::{BehaviorVersion, Credentials, Region};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use local_stack::healthlake;
use local_stack::healthlake::control::Control;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::fake_stack::FakeStack;

/// A data store of a HealthLake of its own.
pub const DATASTORE: &str = "0123456789abcdef0123456789abcdef";
/// What a start needs.
pub const HEADERS: [(&str, &str); 2] =
    [("content-type", "application/fhir+json"), ("prefer", "respond-async")];
const PATIENCE: Duration = Duration::from_secs(10);

pub struct HealthLake {
    pub stack: FakeStack,
    pub control: Control,
    port: u16,
    http: legacy::Client<HttpConnector, Full<Bytes>>,
}

pub struct Answer {
    pub status: StatusCode,
    pub content_location: Option<String>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

pub fn start_body(job_name: &str) -> String {
    let body = json!({
        "JobName": job_name,
        "DataAccessRoleArn": "arn:aws:iam::000000000000:role/exports",
        "OutputDataConfig": {"S3Configuration": {"S3Uri": "s3://bucket/exports/", "KmsKeyId": "a-key"}},
    });
    body.to_string()
}

impl HealthLake {
    pub async fn start() -> Self {
        let (stack, stack_port) = FakeStack::start().await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(healthlake::serve(listener, stack_port));
        let http = legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { stack, control: Control::new(port), port, http }
    }

    /// The SDK's client, which tries nothing again.
    pub fn sdk(&self) -> aws_sdk_healthlake::Client {
        let config = aws_sdk_healthlake::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .retry_config(aws_sdk_healthlake::config::retry::RetryConfig::disabled())
            .endpoint_url(format!("http://127.0.0.1:{}", self.port))
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("000000000000", "local", None, None, "a test"))
            .build();
        aws_sdk_healthlake::Client::from_conf(config)
    }

    /// A request below the data store's address. `None` where the connection was cut.
    pub async fn request(&self, method: &str, path: &str, body: &str) -> Option<Answer> {
        self.send(method, path, body, &HEADERS, Some("local")).await
    }

    /// With other headers, or another secret, or none.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
        secret: Option<&str>,
    ) -> Option<Answer> {
        let uri = format!("http://127.0.0.1:{}/datastore/{DATASTORE}/r4/{path}", self.port);
        let request = headers
            .iter()
            .fold(Request::builder(), |request, (name, value)| request.header(*name, *value))
            .method(method)
            .uri(&uri);
        let mut request = request.body(Full::from(body.to_owned())).unwrap();
        if let Some(secret) = secret {
            let identity = Credentials::new("local", secret, None, None, "a test").into();
            let parameters = SigningParams::builder()
                .identity(&identity)
                .region("us-east-1")
                .name("healthlake")
                .time(SystemTime::now())
                .settings(SigningSettings::default())
                .build()
                .unwrap();
            let body = SignableBody::Bytes(body.as_bytes());
            let signable = SignableRequest::new(method, uri, headers.iter().copied(), body).unwrap();
            let (instructions, _) = sign(signable, &parameters.into()).unwrap().into_parts();
            instructions.apply_to_request_http1x(&mut request);
        }
        let answer = self.http.request(request).await.ok()?;
        let (head, body) = answer.into_parts();
        let content_location =
            head.headers.get("content-location").map(|value| value.to_str().unwrap().to_owned());
        let text = String::from_utf8(body.collect().await.ok()?.to_bytes().to_vec()).unwrap();
        Some(Answer { status: head.status, content_location, text })
    }

    /// A start as it should be; answers the id of the job.
    pub async fn export(&self, query: &str) -> String {
        let answer = self.start_export(&format!("$export{query}"), "a-job").await.unwrap();
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        answer.json()["jobId"].as_str().unwrap().to_owned()
    }

    pub async fn start_export(&self, path: &str, job_name: &str) -> Option<Answer> {
        self.request("POST", path, &start_body(job_name)).await
    }

    pub async fn describe(&self, job_id: &str) -> Value {
        let answer = self.request("GET", &format!("export/{job_id}"), "").await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    pub async fn status(&self, job_id: &str) -> String {
        self.describe(job_id).await["exportJobProperties"]["jobStatus"].as_str().unwrap().to_owned()
    }

    /// The description of a job as soon as it has that status.
    pub async fn when(&self, job_id: &str, status: &str) -> Value {
        let started = Instant::now();
        loop {
            let description = self.describe(job_id).await;
            let now = &description["exportJobProperties"]["jobStatus"];
            if now == status {
                return description;
            }
            assert!(started.elapsed() < PATIENCE, "the job is {now}, not {status}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The events about a job, as soon as there is one of that detail type.
    pub async fn events_until(&self, job_id: &str, last: &str) -> Vec<(String, String, Value)> {
        let started = Instant::now();
        loop {
            let events = self.stack.events(job_id);
            if events.iter().any(|(_, detail_type, _)| detail_type == last) {
                return events;
            }
            assert!(started.elapsed() < PATIENCE, "no event {last}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Exports with that query, and answers the lines of all files.
    pub async fn exported(&self, query: &str) -> Vec<String> {
        let job_id = self.export(query).await;
        let description = self.when(&job_id, "COMPLETED").await;
        self.lines(&description)
    }

    /// The lines of all files that a description lists.
    pub fn lines(&self, description: &Value) -> Vec<String> {
        let files = description["output"].as_array().unwrap();
        files
            .iter()
            .flat_map(|file| self.stack.lines(file["url"].as_str().unwrap()).expect("a listed file exists"))
            .collect()
    }

    pub async fn load(&self, lines: &[&str]) {
        let loaded = self.control.load(DATASTORE, lines.join("\n"), healthlake::control::LoadedMeta::New);
        assert_eq!(loaded.await.unwrap(), lines.len() as u64);
    }
}
