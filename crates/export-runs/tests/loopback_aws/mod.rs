//! The services of AWS that a run of exports calls, on a port of this machine, in a test's own process.
//!
//! They do what the functions rely on and nothing else: a table with its conditions, objects with ranges and ETags, a bus,
//! a queue, tokens and export jobs. A test looks at the [`World`] and breaks single calls by [`Aws::fault`].

#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod callbacks;
mod dynamodb;
mod fixtures;
mod healthlake;
mod reply;
mod s3;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use callbacks::{Event, Message, Told};
pub use fixtures::{BUCKET, TABLE, datastore, run, state_of, time};
pub use healthlake::{DATA_ROLE, Job};
pub use reply::Reply;

/// What the services hold, and what they were asked.
#[derive(Default)]
pub struct World {
    pub table: dynamodb::Table,
    /// By bucket and key, with a slash between.
    pub objects: BTreeMap<String, Bytes>,
    pub events: Vec<Event>,
    pub messages: Vec<Message>,
    /// What Step Functions was told of the task.
    pub told: Vec<Told>,
    pub token_is_dead: bool,
    pub jobs: Vec<Job>,
    pub calls: Vec<Call>,
    faults: Vec<Fault>,
}

type Fault = Box<dyn FnMut(&Call, &mut World) -> Option<Reply> + Send>;

/// A request, as a service got it.
#[derive(Debug, Clone)]
pub struct Call {
    /// In IAM's spelling, such as `s3:PutObject`.
    pub operation: String,
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    pub fn is(&self, operation: &str) -> bool {
        self.operation == operation
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// The services, as long as this lives.
pub struct Aws {
    pub endpoint: String,
    world: Arc<Mutex<World>>,
    server: JoinHandle<()>,
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Aws {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::<Mutex<World>>::default();
        let server = tokio::spawn(serve(listener, world.clone()));
        Self { endpoint, world, server }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// What every client here is made of: no call is tried again, so that a test sees each.
    pub fn sdk(&self) -> SdkConfig {
        let credentials = Credentials::new("local", "local", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(&self.endpoint)
            .retry_config(RetryConfig::disabled())
            .build()
    }

    /// Asked before each call is done: what it answers is the answer, and then the call is not done.
    pub fn fault(&self, fault: impl FnMut(&Call, &mut World) -> Option<Reply> + Send + 'static) {
        self.world().faults.push(Box::new(fault));
    }

    /// Every such call fails by the service's own fault.
    pub fn break_down(&self, operation: &'static str) {
        self.fault(move |call, _| call.is(operation).then(|| Reply::error(500, "InternalServerError")));
    }

    pub fn mend(&self) {
        self.world().faults.clear();
    }

    /// The calls of this operation, from the first on.
    pub fn calls(&self, operation: &str) -> Vec<Call> {
        self.world().calls.iter().filter(|call| call.is(operation)).cloned().collect()
    }

    /// The operations that were asked for, in their order.
    pub fn operations(&self) -> Vec<String> {
        self.world().calls.iter().map(|call| call.operation.clone()).collect()
    }
}

async fn serve(listener: TcpListener, world: Arc<Mutex<World>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let world = world.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(world.clone(), request));
            // A connection that is cut ends with an error; that is what was asked for.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    world: Arc<Mutex<World>>,
    request: Request<Incoming>,
) -> Result<hyper::Response<reply::Body>, &'static str> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| "the request broke off")?.to_bytes();
    let operation = operation(&head.method, &head.uri, &head.headers);
    let call = Call { operation, method: head.method, uri: head.uri, headers: head.headers, body };
    let reply = {
        let mut world = world.lock().unwrap();
        world.calls.push(call.clone());
        let mut faults = std::mem::take(&mut world.faults);
        let fault = faults.iter_mut().find_map(|fault| fault(&call, &mut world));
        world.faults = faults;
        fault.unwrap_or_else(|| world.act(&call))
    };
    reply.into_response()
}

fn operation(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    if let Some(target) = headers.get("x-amz-target") {
        let (service, operation) = target.to_str().unwrap().split_once('.').unwrap();
        let service = match service {
            "DynamoDB_20120810" => "dynamodb",
            "AWSEvents" => "events",
            "AWSStepFunctions" => "states",
            "AmazonSQS" => "sqs",
            "HealthLake" => "healthlake",
            other => panic!("service {other}"),
        };
        return format!("{service}:{operation}");
    }
    let is_list = uri.query().is_some_and(|query| query.contains("list-type=2"));
    let operation = match method.as_str() {
        "POST" if uri.path().starts_with("/datastore/") => "healthlake:StartFHIRExportJobWithPost",
        "GET" if uri.path().starts_with("/datastore/") => "healthlake:DescribeFHIRExportJobWithGet",
        "DELETE" if uri.path().starts_with("/datastore/") => "healthlake:CancelFHIRExportJobWithDelete",
        "GET" if is_list => "s3:ListBucket",
        "GET" => "s3:GetObject",
        "HEAD" => "s3:HeadObject",
        "PUT" => "s3:PutObject",
        other => panic!("{other} {uri}"),
    };
    operation.to_owned()
}

impl World {
    fn act(&mut self, call: &Call) -> Reply {
        match call.operation.split_once(':').unwrap() {
            ("dynamodb", operation) => self.table.act(operation, &call.json()),
            ("s3", operation) => self.object_store(operation, call),
            ("healthlake", operation) => self.healthlake(operation, call),
            (_, operation) => self.callback(operation, &call.json()),
        }
    }
}
