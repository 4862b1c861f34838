//! The services that the compactor calls, on a port of this machine, in a test's own process: a bucket with conditional
//! writes and a clock of its own, a catalog, a queue. A reader looks after each request that changes something.

#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod objects;
mod reader;
mod rows;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use bytes::Bytes;
use domain::lake::LakeConfig;
use domain::lake::compaction::Rules;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use lake_compactor::{Answer, Bucket, Event, Plan, State, handle};
use lake_writer::Catalog;
use metrique::test_util::test_entry_sink;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use objects::Object;
pub use reader::Reader;
pub use rows::{change, remove, snapshot};

pub const BUCKET: &str = "lake-bucket";
pub const KEEP: SignedDuration = SignedDuration::from_hours(24);

/// What the services hold.
pub struct World {
    pub objects: BTreeMap<String, Object>,
    pub now: Timestamp,
    /// Partitions in the catalog: values and location.
    pub partitions: BTreeMap<Vec<String>, String>,
    /// Bodies of the messages that wait in the queue.
    pub messages: Vec<String>,
    pub calls: Vec<Call>,
    pub reader: Reader,
    /// So many requests are still done; then whoever asks is dead.
    pub fuse: Option<usize>,
    faults: Vec<Fault>,
    turns: Option<Turns>,
}

type Fault = Box<dyn FnMut(&Call, &mut World) -> Option<Reply> + Send>;

/// Requests that wait for their turn, and whose it is.
struct Turns {
    random: fastrand::Rng,
    waiting: Vec<oneshot::Sender<()>>,
}

#[derive(Debug, Clone)]
pub struct Call {
    pub operation: String,
    pub uri: Uri,
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    pub fn is(&self, operation: &str) -> bool {
        self.operation == operation
    }

    pub fn key(&self) -> String {
        let path = percent_encoding::percent_decode_str(self.uri.path()).decode_utf8().unwrap().into_owned();
        path.trim_start_matches('/')
            .strip_prefix(BUCKET)
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub struct Reply {
    pub status: u16,
    pub body: Bytes,
}

impl Reply {
    pub fn of(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, body: body.into() }
    }

    pub fn s3_error(status: u16, code: &str) -> Self {
        Self::of(status, format!("<Error><Code>{code}</Code><Message>Ngozi</Message></Error>"))
    }
}

pub struct Lake {
    endpoint: String,
    world: Arc<Mutex<World>>,
    died: Arc<Notify>,
    scratch: tempfile::TempDir,
    server: JoinHandle<()>,
}

impl Drop for Lake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub fn config() -> LakeConfig {
    LakeConfig::parse(
        r#"{"table": "items", "partition": {"attributes": ["site"]},
            "columns": {"name": "string", "weight": "decimal(38,9)", "at": "timestamp", "tags": "json"}}"#,
    )
    .unwrap()
}

impl Lake {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World {
            objects: BTreeMap::new(),
            now: "2026-11-22T07:00:00Z".parse().unwrap(),
            partitions: BTreeMap::new(),
            messages: Vec::new(),
            calls: Vec::new(),
            reader: Reader::default(),
            fuse: None,
            faults: Vec::new(),
            turns: None,
        }));
        let died = Arc::new(Notify::new());
        let server = tokio::spawn(serve(listener, world.clone(), died.clone()));
        Self { endpoint, world, died, scratch: tempfile::tempdir().unwrap(), server }
    }

    /// Another lake that is as this one is now.
    pub async fn copy(&self) -> Self {
        let copy = Self::start().await;
        {
            let (from, mut to) = (self.world(), copy.world());
            to.objects.clone_from(&from.objects);
            to.now = from.now;
            to.partitions.clone_from(&from.partitions);
            to.messages.clone_from(&from.messages);
            to.reader = from.reader.clone();
        }
        copy
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn pass(&self, time: SignedDuration) {
        self.world().now += time;
    }

    /// Asked before each call is done: what it answers is the answer, and then the call is not done.
    pub fn fault(&self, fault: impl FnMut(&Call, &mut World) -> Option<Reply> + Send + 'static) {
        self.world().faults.push(Box::new(fault));
    }

    pub fn mend(&self) {
        self.world().faults.clear();
    }

    fn sdk(&self) -> SdkConfig {
        let credentials = Credentials::new("local", "local", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(&self.endpoint)
            .retry_config(RetryConfig::disabled())
            .build()
    }

    /// A compactor as a new process would have it.
    pub fn compactor(&self) -> State {
        let sdk = self.sdk();
        let world = self.world.clone();
        State {
            lake: config(),
            bucket: Bucket { client: aws_sdk_s3::Client::new(&sdk), name: BUCKET.to_owned() },
            catalog: Catalog::new(aws_sdk_glue::Client::new(&sdk), "lake".to_owned(), "compact".to_owned()),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            queue_url: format!("{}/queue", self.endpoint),
            rules: Rules {
                settle: SignedDuration::from_mins(15),
                keep_replaced: KEEP,
                merge_files: 3,
                file_bytes: 4_000,
                merge_bytes: 1_000_000,
            },
            memory_bytes: 4 * 1024 * 1024 * 32,
            latest_buckets: 2,
            scratch: self.scratch.path().to_owned(),
            metrics: test_entry_sink().sink,
            clock: Box::new(move || world.lock().unwrap().now),
        }
    }

    /// Plans, and compacts what the plan asks for. Answers the plan, and how many messages failed.
    pub async fn round(&self, compactor: &State) -> (Plan, usize) {
        let plan = ask(compactor, json!({"plan": {}})).await;
        let Answer::Plan(plan) = plan else { panic!("no plan") };
        (plan, self.work(compactor).await)
    }

    /// Works on the messages until none is left, each once.
    pub async fn work(&self, compactor: &State) -> usize {
        let mut failures = 0;
        loop {
            let Some(body) = self.world().messages.first().cloned() else { return failures };
            failures += usize::from(!compact(compactor, &body).await);
            let mut world = self.world();
            // Like a queue, it forgets a message when the work is done; here also after a failure.
            if let Some(place) = world.messages.iter().position(|message| *message == body) {
                world.messages.remove(place);
            }
        }
    }

    /// The same, but the process dies after so many requests. Answers whether it did.
    pub async fn round_killed_after(&self, requests: usize) -> bool {
        let compactor = self.compactor();
        self.world().fuse = Some(requests);
        let died = tokio::select! {
            _ = self.round(&compactor) => false,
            () = self.died.notified() => true,
        };
        self.world().fuse = None;
        died
    }

    /// From now on requests are done one by one, in an order that the seed decides, and time passes between them.
    pub fn take_turns(&self, seed: u64) -> JoinHandle<()> {
        self.world().turns = Some(Turns { random: fastrand::Rng::with_seed(seed), waiting: Vec::new() });
        let world = self.world.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_micros(400)).await;
                let mut world = world.lock().unwrap();
                let Some(turns) = &mut world.turns else { return };
                if turns.waiting.is_empty() {
                    continue;
                }
                let chosen = turns.random.usize(..turns.waiting.len());
                let _ = turns.waiting.swap_remove(chosen).send(());
                let minutes = if turns.random.u8(..) < 8 { 25 * 60 } else { turns.random.i64(0..3) };
                world.now += SignedDuration::from_mins(minutes);
            }
        })
    }

    pub fn end_turns(&self) {
        if let Some(turns) = self.world().turns.take() {
            for turn in turns.waiting {
                let _ = turn.send(());
            }
        }
    }
}

pub async fn ask(compactor: &State, event: Value) -> Answer {
    let event: Event = serde_json::from_value(event).unwrap();
    handle(compactor, event, Instant::now() + Duration::from_mins(1)).await.unwrap()
}

/// Answers whether the queue may forget the message.
pub async fn compact(compactor: &State, body: &str) -> bool {
    let message = json!({"messageId": "m", "body": body, "attributes": {"ApproximateReceiveCount": "1"}});
    let Answer::Directories(answer) = ask(compactor, json!({"Records": [message]})).await else {
        panic!("no answer of a compaction")
    };
    answer.batch_item_failures.is_empty()
}

async fn serve(listener: TcpListener, world: Arc<Mutex<World>>, died: Arc<Notify>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (world, died) = (world.clone(), died.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(world.clone(), died.clone(), request));
            // A process that dies breaks its connections off.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    world: Arc<Mutex<World>>,
    died: Arc<Notify>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| "the request broke off")?.to_bytes();
    let operation = operation(&head.method, &head.uri, &head.headers);
    let call = Call { operation, uri: head.uri, method: head.method, headers: head.headers, body };
    let turn = world.lock().unwrap().turns.as_mut().map(|turns| {
        let (turn, comes) = oneshot::channel();
        turns.waiting.push(turn);
        comes
    });
    if let Some(turn) = turn {
        let _ = turn.await;
    }
    let reply = {
        let mut world = world.lock().unwrap();
        match &mut world.fuse {
            Some(0) => None,
            Some(left) => {
                *left -= 1;
                Some(world.act(&call))
            }
            None => Some(world.act(&call)),
        }
    };
    let Some(reply) = reply else {
        died.notify_one();
        return std::future::pending().await;
    };
    Ok(Response::builder().status(reply.status).body(Full::new(reply.body)).unwrap())
}

fn operation(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    if let Some(target) = headers.get("x-amz-target") {
        return target.to_str().unwrap().to_owned();
    }
    let query = uri.query().unwrap_or_default();
    let operation = match method.as_str() {
        "GET" if query.contains("list-type=2") => "ListObjectsV2",
        "GET" => "GetObject",
        "PUT" => "PutObject",
        "POST" if query.contains("delete") => "DeleteObjects",
        other => panic!("{other} {uri}"),
    };
    operation.to_owned()
}

impl World {
    fn act(&mut self, call: &Call) -> Reply {
        self.calls.push(call.clone());
        let mut faults = std::mem::take(&mut self.faults);
        let fault = faults.iter_mut().find_map(|fault| fault(call, self));
        self.faults = faults;
        if let Some(reply) = fault {
            return reply;
        }
        let reply = match call.operation.as_str() {
            "AWSGlue.GetTable" => {
                let columns = json!([{"Name": "name", "Type": "string"}]);
                let descriptor = json!({"Columns": columns, "InputFormat": "parquet"});
                let table = json!({"Table": {"Name": "compact", "StorageDescriptor": descriptor}});
                Reply::of(200, table.to_string())
            }
            "AWSGlue.BatchCreatePartition" => self.create_partitions(call),
            "AWSGlue.BatchUpdatePartition" => Reply::of(200, json!({"Errors": []}).to_string()),
            "AmazonSQS.SendMessageBatch" => self.send_messages(call),
            "AmazonSQS.SendMessage" => {
                let message: Value = serde_json::from_slice(&call.body).unwrap();
                self.messages.push(message["MessageBody"].as_str().unwrap().to_owned());
                Reply::of(200, json!({"MessageId": "m"}).to_string())
            }
            _ => self.object_store(call),
        };
        if ["PutObject", "DeleteObjects"].contains(&call.operation.as_str()) {
            self.look();
        }
        reply
    }

    /// Lets the reader look at what is there.
    pub fn look(&mut self) {
        let (now, objects) = (self.now, &self.objects);
        self.reader.look(now, objects);
    }

    fn create_partitions(&mut self, call: &Call) -> Reply {
        let request: Value = serde_json::from_slice(&call.body).unwrap();
        let mut errors = Vec::new();
        for input in request["PartitionInputList"].as_array().unwrap() {
            let values: Vec<String> = serde_json::from_value(input["Values"].clone()).unwrap();
            let location = input["StorageDescriptor"]["Location"].as_str().unwrap().to_owned();
            if self.partitions.insert(values.clone(), location).is_some() {
                let detail = json!({"ErrorCode": "AlreadyExistsException"});
                errors.push(json!({"PartitionValues": values, "ErrorDetail": detail}));
            }
        }
        Reply::of(200, json!({"Errors": errors}).to_string())
    }

    fn send_messages(&mut self, call: &Call) -> Reply {
        let request: Value = serde_json::from_slice(&call.body).unwrap();
        let mut sent = Vec::new();
        for entry in request["Entries"].as_array().unwrap() {
            self.messages.push(entry["MessageBody"].as_str().unwrap().to_owned());
            sent.push(json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
        }
        Reply::of(200, json!({"Successful": sent, "Failed": []}).to_string())
    }
}
