//! A stack that has only what the runner needs of one: an event source mapping, a stream of one shard, a function, and
//! the destinations.

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

pub const UUID: &str = "14e0db71-5d35-4eb5-b481-8945cf9d10c2";
pub const STREAM: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/items/stream/2026-01-01T00:00:00.000";
pub const SHARD: &str = "shardId-00000000000000000000-00000000";

/// What the function does with a batch.
pub enum Doing {
    Answers(Value),
    Fails,
    IsThrottled,
}

type Function = Box<dyn FnMut(&[String]) -> Doing + Send>;

#[derive(Clone)]
pub struct FakeStack {
    state: Arc<Mutex<State>>,
}

struct State {
    mapping: Value,
    records: Vec<Value>,
    function: Function,
    /// The events of all invocations that were not throttled.
    events: Vec<Value>,
    /// By path.
    objects: Vec<(String, Value)>,
    messages: Vec<Value>,
}

impl FakeStack {
    /// Listens, and answers at which port.
    pub async fn start(
        mapping: &Value,
        function: impl FnMut(&[String]) -> Doing + Send + 'static,
    ) -> (Self, u16) {
        let mut whole = json!({
            "UUID": UUID, "EventSourceArn": STREAM, "State": "Enabled", "StartingPosition": "TRIM_HORIZON",
            "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:reader",
        });
        whole.as_object_mut().unwrap().extend(mapping.as_object().unwrap().clone());
        let state = State {
            mapping: whole,
            records: Vec::new(),
            function: Box::new(function),
            events: Vec::new(),
            objects: Vec::new(),
            messages: Vec::new(),
        };
        let stack = Self { state: Arc::new(Mutex::new(state)) };
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
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        let path = head.uri.path();
        let mut state = self.state.lock().unwrap();
        if head.method == Method::PUT {
            state.objects.push((path.to_owned(), serde_json::from_slice(&body).unwrap()));
            return Response::new(Full::default());
        }
        if path.ends_with("/invocations") {
            return state.invoke(&body);
        }
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let answer = match operation {
            "DescribeStream" => json!({"StreamDescription": {"Shards": [{"ShardId": SHARD}]}}),
            "GetShardIterator" => json!({"ShardIterator": state.position(&request).to_string()}),
            "GetRecords" => state.read(&request),
            "GetQueueUrl" => json!({"QueueUrl": "http://127.0.0.1/queue"}),
            "SendMessage" => {
                let message = request["MessageBody"].as_str().unwrap();
                state.messages.push(serde_json::from_str(message).unwrap());
                json!({"MessageId": "1"})
            }
            _ if path.contains("event-source-mappings") => json!({"EventSourceMappings": [state.mapping]}),
            _ => json!({"Pipes": []}),
        };
        Response::new(Full::from(answer.to_string()))
    }

    /// Writes one record for each of these sequence numbers, created `age` seconds ago.
    pub fn write(&self, sequence_numbers: impl IntoIterator<Item = u64>, age: i64) {
        let created = jiff::Timestamp::now().as_second() - age;
        let records = sequence_numbers.into_iter().map(|number| {
            json!({
                "eventID": format!("e{number}"), "eventName": "REMOVE", "eventVersion": "1.1",
                "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
                "userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
                "dynamodb": {
                    "ApproximateCreationDateTime": created, "Keys": {"id": {"S": number.to_string()}},
                    "SequenceNumber": number.to_string(), "SizeBytes": 3, "StreamViewType": "KEYS_ONLY",
                },
            })
        });
        self.state.lock().unwrap().records.extend(records);
    }

    pub fn change_mapping(&self, field: &str, value: Value) {
        self.state.lock().unwrap().mapping[field] = value;
    }

    pub fn events(&self) -> Vec<Value> {
        self.state.lock().unwrap().events.clone()
    }

    /// The sequence numbers of each invocation.
    pub fn invocations(&self) -> Vec<Vec<String>> {
        self.events().iter().map(sequence_numbers).collect()
    }

    pub fn objects(&self) -> Vec<(String, Value)> {
        self.state.lock().unwrap().objects.clone()
    }

    pub fn messages(&self) -> Vec<Value> {
        self.state.lock().unwrap().messages.clone()
    }
}

impl State {
    fn invoke(&mut self, body: &[u8]) -> Response<Full<Bytes>> {
        let event: Value = serde_json::from_slice(body).unwrap();
        let doing = (self.function)(&sequence_numbers(&event));
        let response = Response::builder().header("x-amzn-requestid", "request-1");
        let response = match &doing {
            Doing::IsThrottled => response.status(StatusCode::TOO_MANY_REQUESTS),
            Doing::Fails => response.header("X-Amz-Function-Error", "Unhandled"),
            Doing::Answers(_) => response.header("X-Amz-Executed-Version", "$LATEST"),
        };
        let answer = match doing {
            Doing::IsThrottled => return response.body(Full::from("{}")).unwrap(),
            Doing::Fails => json!({"errorType": "Error"}),
            Doing::Answers(answer) => answer,
        };
        self.events.push(event);
        response.body(Full::from(answer.to_string())).unwrap()
    }

    /// The index of the record from which on a new iterator reads.
    fn position(&self, request: &Value) -> usize {
        match request["ShardIteratorType"].as_str().unwrap() {
            "TRIM_HORIZON" => 0,
            "LATEST" => self.records.len(),
            _ => {
                let after =
                    |record: &Value| record["dynamodb"]["SequenceNumber"] == request["SequenceNumber"];
                self.records.iter().position(after).unwrap() + 1
            }
        }
    }

    fn read(&self, request: &Value) -> Value {
        let from: usize = request["ShardIterator"].as_str().unwrap().parse().unwrap();
        json!({"Records": &self.records[from..], "NextShardIterator": self.records.len().to_string()})
    }
}

pub fn sequence_numbers(event: &Value) -> Vec<String> {
    let records = event["Records"].as_array().unwrap().iter();
    records.map(|record| record["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned()).collect()
}
