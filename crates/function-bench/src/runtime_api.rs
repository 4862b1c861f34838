//! Lambda's side of the Runtime API: hands a function one invocation at a time (AWS Lambda developer guide, "Using the
//! Lambda runtime API for custom runtimes").

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use serde::Deserialize;
use tokio::sync::{Mutex, mpsc};

use crate::process::Process;

const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:measured";
/// Of a call that is not traced.
const TRACE_ID: &str = "Root=1-00000000-000000000000000000000000;Sampled=0";

pub(crate) struct RuntimeApi {
    process: Process,
    timeout: Duration,
    /// How many events were handed out; the last of them is the invocation under way.
    invocations: AtomicU64,
    events: Mutex<mpsc::Receiver<Bytes>>,
    happenings: mpsc::UnboundedSender<Happening>,
}

/// What the function has done.
#[derive(Debug)]
pub(crate) enum Happening {
    /// Asked for the next event.
    Polled {
        at: Instant,
        cpu_time: nix::Result<Duration>,
    },
    Answered {
        at: Instant,
        answer: Bytes,
    },
    /// Of an invocation, or of its start.
    Failed(FunctionError),
}

/// What a function says of its failure. Its stack trace stays out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FunctionError {
    pub error_type: String,
    pub error_message: String,
}

impl RuntimeApi {
    /// Of a function that may take `timeout` for an invocation, and the two ends by which it is invoked and watched.
    pub(crate) fn of(
        process: Process,
        timeout: Duration,
    ) -> (Self, mpsc::Sender<Bytes>, mpsc::UnboundedReceiver<Happening>) {
        let (event_sender, events) = mpsc::channel(1);
        let (happenings, happening_receiver) = mpsc::unbounded_channel();
        let invocations = AtomicU64::new(0);
        let api = Self { process, timeout, invocations, events: Mutex::new(events), happenings };
        (api, event_sender, happening_receiver)
    }

    /// `operation` is what stands behind `/2018-06-01/runtime/`.
    pub(crate) async fn answer(&self, operation: &str, body: Bytes) -> Response<Full<Bytes>> {
        let parts: Vec<&str> = operation.split('/').collect();
        match parts.as_slice() {
            ["invocation", "next"] => self.next().await,
            ["invocation", id, "response"] if *id == self.request_id() => {
                self.report(Happening::Answered { at: Instant::now(), answer: body });
                status(StatusCode::ACCEPTED)
            }
            ["invocation", id, "error"] if *id == self.request_id() => self.failed(&body),
            ["init", "error"] => self.failed(&body),
            ["invocation", ..] => status(StatusCode::BAD_REQUEST),
            _ => status(StatusCode::NOT_FOUND),
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        let cpu_time = self.process.cpu_time();
        self.report(Happening::Polled { at: Instant::now(), cpu_time });
        let Some(event) = self.events.lock().await.recv().await else {
            return status(StatusCode::GONE);
        };
        self.invocations.fetch_add(1, Ordering::Relaxed);
        Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", self.request_id())
            .header("lambda-runtime-deadline-ms", self.deadline_milliseconds())
            .header("lambda-runtime-invoked-function-arn", FUNCTION_ARN)
            .header("lambda-runtime-trace-id", TRACE_ID)
            .body(Full::new(event))
            .unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// A UUID by its form, as Lambda's ids are.
    fn request_id(&self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.invocations.load(Ordering::Relaxed))
    }

    fn deadline_milliseconds(&self) -> u64 {
        let deadline = (SystemTime::now() + self.timeout).duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX)
    }

    fn failed(&self, body: &[u8]) -> Response<Full<Bytes>> {
        self.report(Happening::Failed(serde_json::from_slice(body).unwrap_or_default()));
        status(StatusCode::ACCEPTED)
    }

    fn report(&self, happening: Happening) {
        // Nobody listens any more to a function that is to be killed.
        drop(self.happenings.send(happening));
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    struct Fixture {
        api: RuntimeApi,
        events: mpsc::Sender<Bytes>,
        happenings: mpsc::UnboundedReceiver<Happening>,
    }

    impl Fixture {
        fn new() -> Self {
            let process = Process::of(std::process::id()).unwrap();
            let (api, events, happenings) = RuntimeApi::of(process, Duration::from_mins(1));
            Self { api, events, happenings }
        }

        async fn send(&self, operation: &str, body: &'static str) -> u16 {
            self.api.answer(operation, Bytes::from(body)).await.status().as_u16()
        }

        /// The id of an invocation that is under way.
        async fn invoke(&self, event: &'static str) -> String {
            self.events.send(Bytes::from(event)).await.unwrap();
            let answer = self.api.answer("invocation/next", Bytes::new()).await;
            let id =
                answer.headers().get("lambda-runtime-aws-request-id").unwrap().to_str().unwrap().to_owned();
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), event);
            id
        }
    }

    #[tokio::test]
    async fn a_poll_is_seen_before_there_is_an_event() {
        let mut fixture = Fixture::new();
        let poll = fixture.api.answer("invocation/next", Bytes::new());
        tokio::select! {
            biased;
            _ = poll => panic!("an event that nobody sent"),
            happening = fixture.happenings.recv() => {
                assert!(matches!(happening, Some(Happening::Polled { cpu_time: Ok(_), .. })), "{happening:?}");
            }
        }
    }

    #[tokio::test]
    async fn only_the_invocation_under_way_can_be_answered() {
        let mut fixture = Fixture::new();
        let first = fixture.invoke("1").await;
        let second = fixture.invoke("2").await;
        assert_ne!(first, second);
        assert_eq!(fixture.send(&format!("invocation/{first}/response"), "late").await, 400);
        assert_eq!(fixture.send(&format!("invocation/{second}/response"), "in time").await, 202);
        let mut answers = Vec::new();
        while let Ok(happening) = fixture.happenings.try_recv() {
            if let Happening::Answered { answer, .. } = happening {
                answers.push(answer);
            }
        }
        assert_eq!(answers, ["in time"]);
    }

    #[tokio::test]
    async fn errors_of_an_invocation_and_of_the_start_are_reported() {
        let error = r#"{"errorType": "Broken", "errorMessage": "no table", "stackTrace": ["line 1"]}"#;
        let mut fixture = Fixture::new();
        assert_eq!(fixture.send("init/error", error).await, 202);
        let happening = fixture.happenings.recv().await;
        let Some(Happening::Failed(FunctionError { error_type, error_message })) = happening else {
            panic!("{happening:?}");
        };
        assert_eq!((error_type.as_str(), error_message.as_str()), ("Broken", "no table"));

        let id = fixture.invoke("1").await;
        assert!(matches!(fixture.happenings.recv().await, Some(Happening::Polled { .. })));
        assert_eq!(fixture.send(&format!("invocation/{id}/error"), "no JSON").await, 202);
        assert!(matches!(fixture.happenings.recv().await, Some(Happening::Failed(_))));
        assert_eq!(fixture.send("extension/register", "").await, 404);
    }
}
