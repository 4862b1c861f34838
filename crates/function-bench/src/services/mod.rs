//! The services behind the enricher and the router: as much of each as a function of either kind calls. They answer at
//! once; how long AWS takes is not what is measured.

mod dynamodb;
mod event_bus;
mod key_condition;
mod objects;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::{Method, Request, Response, StatusCode};
use md5::{Digest, Md5};
use serde_json::{Value, json};

pub use event_bus::{Entry, entries};

use crate::server::Services;
use objects::Objects;

/// What is counted, by the name of its API.
const OPERATIONS: [&str; 6] = ["Query", "GetItem", "PutEvents", "PutObject", "GetObject", "SendMessage"];

#[derive(Default)]
pub struct AwsServices {
    received: Mutex<Received>,
    objects: Objects,
}

/// What the function has sent, and how much it got.
#[derive(Debug, Default)]
pub struct Received {
    pub requests: Requests,
    /// The bodies of the `PutEvents` requests, as they came.
    pub put_events: Vec<Bytes>,
    /// Of the answers' bodies: what a function asks for, it must read.
    pub answered_bytes: u64,
}

/// How often each operation was called.
pub type Requests = BTreeMap<&'static str, u64>;

/// All operations, none of them called.
#[must_use]
pub fn no_requests() -> Requests {
    OPERATIONS.map(|operation| (operation, 0)).into()
}

/// A request that is not answered as AWS would.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: &'static str,
    pub message: String,
}

impl AwsServices {
    /// What came since the last call.
    pub fn take_received(&self) -> Received {
        std::mem::take(&mut *self.received())
    }

    fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, operation: &'static str) {
        *self.received().requests.entry(operation).or_default() += 1;
    }

    /// AWS JSON: the operation is in a header. DynamoDB and SQS speak version 1.0, EventBridge 1.1; the SDKs that are
    /// measured do not look.
    fn json_operation(&self, target: &str, body: &Bytes) -> Response<Full<Bytes>> {
        let answered = match target {
            "DynamoDB_20120810.Query" => {
                self.count("Query");
                dynamodb::query(body)
            }
            "DynamoDB_20120810.GetItem" => {
                self.count("GetItem");
                dynamodb::get_item(body)
            }
            "AWSEvents.PutEvents" => {
                self.count("PutEvents");
                event_bus::put_events(body).inspect(|_| self.received().put_events.push(body.clone()))
            }
            "AmazonSQS.SendMessage" => {
                self.count("SendMessage");
                send_message(body)
            }
            other => Err(Refusal { code: "UnknownOperationException", message: other.to_owned() }),
        };
        match answered {
            Ok(json) => json_answer(StatusCode::OK, json.to_string()),
            Err(Refusal { code, message }) => {
                let error = json!({"__type": code, "message": message});
                json_answer(StatusCode::BAD_REQUEST, error.to_string())
            }
        }
    }

    fn object_operation(&self, method: &Method, path: &str, body: Bytes) -> Response<Full<Bytes>> {
        match *method {
            Method::PUT => {
                self.count("PutObject");
                self.objects.put(path, body)
            }
            Method::GET => {
                self.count("GetObject");
                self.objects.get(path)
            }
            _ => objects::error(StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
        }
    }
}

impl Services for AwsServices {
    type Body = Full<Bytes>;

    async fn answer(&self, request: Request<Bytes>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let answer = match head.headers.get("x-amz-target") {
            Some(target) => self.json_operation(target.to_str().unwrap_or_default(), &body),
            None => self.object_operation(&head.method, head.uri.path(), body),
        };
        self.received().answered_bytes += answer.body().size_hint().lower();
        answer
    }
}

/// The SDKs of Go and Node compare the digest with their own (Amazon SQS API reference, "SendMessage").
fn send_message(request: &[u8]) -> Result<Value, Refusal> {
    let request: Value = serde_json::from_slice(request).map_err(|_| unreadable())?;
    let body = request["MessageBody"].as_str().ok_or_else(unreadable)?;
    Ok(json!({"MessageId": "00000000-0000-4000-8000-000000000000", "MD5OfMessageBody": md5(body.as_bytes())}))
}

fn unreadable() -> Refusal {
    Refusal { code: "SerializationException", message: "the request is unreadable".to_owned() }
}

/// In hexadecimal digits.
fn md5(bytes: &[u8]) -> String {
    format!("{:032x}", u128::from_be_bytes(Md5::digest(bytes).into()))
}

/// The SDKs compare the checksum where it is sent; DynamoDB always sends it (Amazon DynamoDB developer guide, "DynamoDB
/// low-level API").
fn json_answer(status: StatusCode, json: String) -> Response<Full<Bytes>> {
    let mut crc = flate2::Crc::new();
    crc.update(json.as_bytes());
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-crc32", crc.sum())
        .header("x-amzn-requestid", "00000000-0000-4000-8000-000000000000")
        .body(Full::from(json))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_is_counted_until_it_is_taken() {
        let services = AwsServices::default();
        let entry = r#"{"Source": "s", "DetailType": "t", "EventBusName": "b", "Detail": "{}"}"#;
        for (entries, status) in [(10, 200), (11, 400), (0, 400)] {
            let body = format!(r#"{{"Entries": [{}]}}"#, vec![entry; entries].join(","));
            assert_eq!(send(&services, "AWSEvents.PutEvents", body).await, status, "{entries} entries");
        }
        let message = r#"{"QueueUrl": "u", "MessageBody": "m"}"#;
        assert_eq!(send(&services, "AmazonSQS.SendMessage", message.to_owned()).await, 200);
        assert_eq!(send(&services, "DynamoDB_20120810.Scan", "{}".to_owned()).await, 400);

        let received = services.take_received();
        assert_eq!(received.requests, Requests::from([("PutEvents", 3), ("SendMessage", 1)]));
        let taken = entries(&received.put_events).unwrap();
        assert_eq!(taken.len(), 10, "a request that is refused leaves no entries");
        assert_eq!(taken.first().map(|entry| &*entry.detail), Some("{}"));
        assert!(services.take_received().requests.is_empty());
    }

    #[tokio::test]
    async fn the_bytes_of_every_answer_are_counted_until_they_are_taken() {
        let services = AwsServices::default();
        let no_item = r#"{"Key": {"id": {"S": "SITE#1"}, "sk": {"S": "SITE#1"}}}"#;
        assert_eq!(send(&services, "DynamoDB_20120810.GetItem", no_item.to_owned()).await, 200);
        assert_eq!(send_object(&services, Method::PUT, "content").await, 200);
        for _ in 0..2 {
            assert_eq!(send_object(&services, Method::GET, "").await, 200);
        }
        let answers = "{}contentcontent";
        assert_eq!(services.take_received().answered_bytes, answers.len() as u64);
        assert_eq!(services.take_received().answered_bytes, 0);
    }

    #[test]
    fn a_message_has_the_digest_of_its_body() {
        // RFC 1321, A.5.
        assert_eq!(md5(b"message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    }

    #[tokio::test]
    async fn an_object_comes_back_from_its_path() {
        let services = AwsServices::default();
        assert_eq!(send_object(&services, Method::GET, "").await, 404);
        assert_eq!(send_object(&services, Method::PUT, "content").await, 200);
        assert_eq!(send_object(&services, Method::GET, "").await, 200);
        assert_eq!(send_object(&services, Method::DELETE, "").await, 501);
    }

    async fn send(services: &AwsServices, target: &str, body: String) -> u16 {
        let request = Request::post("/").header("x-amz-target", target).body(Bytes::from(body)).unwrap();
        services.answer(request).await.status().as_u16()
    }

    async fn send_object(services: &AwsServices, method: Method, body: &'static str) -> u16 {
        let request = Request::builder().method(method).uri("/bucket/key").body(Bytes::from(body)).unwrap();
        services.answer(request).await.status().as_u16()
    }
}
