//! The three services that a publisher calls, as far as it needs them, and the answers that they give it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{ETAG, HeaderMap, HeaderValue, IF_MATCH, RANGE};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::delivery::Delivery;
use crate::ndjson_file::NdjsonFile;
use crate::{ETAG_OF_FILE, KEY_OF_FILE, PUT_EVENTS_TAKES};

type Answer = Response<Either<Full<Bytes>, FilePart>>;

/// How much S3 sends at once.
const PIECE_BYTES: u64 = 64 * 1024;
const RESULTS_PATH: &str = "/exports/results/";
const CLAIM_CHECKS_PATH: &str = "/claim-checks/";

pub struct Services {
    file: Arc<NdjsonFile>,
    /// The attributes of the datastore's item in the table of runs: all of them texts.
    state: Value,
    objects: Mutex<HashMap<String, Bytes>>,
    delivery: Mutex<Delivery>,
}

impl Services {
    pub fn new(file: Arc<NdjsonFile>, state: Value) -> Self {
        let delivery = Mutex::new(Delivery::of(file.clone()));
        Self { file, state, objects: Mutex::default(), delivery }
    }

    /// What the bus has taken since [`Self::begin_delivery`].
    pub fn delivery(&self) -> MutexGuard<'_, Delivery> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers what was delivered until now, and counts from the beginning.
    pub fn begin_delivery(&self) -> Delivery {
        std::mem::replace(&mut *self.delivery(), Delivery::of(self.file.clone()))
    }

    /// EventBridge: takes everything, when its time is over.
    async fn put_events(&self, request: &[u8]) -> Answer {
        let entries = self.delivery().take_request(request);
        sleep(PUT_EVENTS_TAKES).await;
        json_answer(&json!({"FailedEntryCount": 0, "Entries": vec![json!({"EventId": "0"}); entries]}))
    }

    /// DynamoDB: has the datastore's item, and nothing else.
    fn get_item(&self, request: &[u8]) -> Answer {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        if request["Key"]["sk"]["S"] == "STATE" {
            json_answer(&json!({"Item": self.state}))
        } else {
            json_answer(&json!({}))
        }
    }

    /// S3: the file, the results of ranges, and claim checks, of which it is only kept which line they hold. There is no place for
    /// a dead line: the file yields none.
    fn object(&self, method: &Method, path: &str, headers: &HeaderMap, body: Bytes) -> Answer {
        let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
        if method == Method::PUT && path.starts_with(RESULTS_PATH) {
            self.objects().insert(key.to_owned(), body);
            return answer(StatusCode::OK, Bytes::new());
        }
        if method == Method::PUT && path.starts_with(CLAIM_CHECKS_PATH) {
            self.delivery().take_claim_check(key, &body);
            return answer(StatusCode::OK, Bytes::new());
        }
        if key == KEY_OF_FILE {
            return self.file_part(headers);
        }
        match self.objects().get(key) {
            Some(object) => answer(StatusCode::OK, object.clone()),
            None => answer(StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>"),
        }
    }

    fn objects(&self) -> MutexGuard<'_, HashMap<String, Bytes>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file_part(&self, headers: &HeaderMap) -> Answer {
        if headers.get(IF_MATCH).is_none_or(|etag| etag != ETAG_OF_FILE) {
            return answer(StatusCode::PRECONDITION_FAILED, "<Error><Code>PreconditionFailed</Code></Error>");
        }
        let Some((start, last)) = headers.get(RANGE).and_then(|range| {
            let (start, last) = range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
            Some((start.parse().ok()?, last.parse::<u64>().ok()?))
        }) else {
            return answer(StatusCode::RANGE_NOT_SATISFIABLE, "<Error><Code>InvalidRange</Code></Error>");
        };
        let part = FilePart { file: self.file.clone(), offset: start, end: self.file.bytes().min(last + 1) };
        let mut answer = Response::new(Either::Right(part));
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        answer.headers_mut().insert(ETAG, HeaderValue::from_static(ETAG_OF_FILE));
        answer
    }
}

impl function_bench::Services for Services {
    type Body = Either<Full<Bytes>, FilePart>;

    async fn answer(&self, request: Request<Bytes>) -> Answer {
        let (head, body) = request.into_parts();
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        match target {
            Some("AWSEvents.PutEvents") => self.put_events(&body).await,
            Some("DynamoDB_20120810.GetItem") => self.get_item(&body),
            Some(_) => answer(StatusCode::BAD_REQUEST, Bytes::new()),
            None => self.object(&head.method, head.uri.path(), &head.headers, body),
        }
    }
}

/// The body of an answer, made piece by piece as the client reads it.
pub struct FilePart {
    file: Arc<NdjsonFile>,
    offset: u64,
    end: u64,
}

impl Body for FilePart {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.offset >= self.end {
            return Poll::Ready(None);
        }
        let end = self.end.min(self.offset + PIECE_BYTES);
        let piece = self.file.part(self.offset, end);
        self.offset = end;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end.saturating_sub(self.offset))
    }
}

fn answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(body.into())));
    *answer.status_mut() = status;
    answer
}

fn json_answer(body: &Value) -> Answer {
    answer(StatusCode::OK, body.to_string())
}
