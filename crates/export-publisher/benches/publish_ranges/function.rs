//! A Lambda function in a process of its own, behind a Runtime API that hands it one invocation at a time.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::services::{Answer, Services, answer};

/// Of an invocation: the longest that Lambda allows.
const TIME_LIMIT: Duration = Duration::from_mins(15);
/// `/proc/<pid>/stat` counts in these; 100 a second, whatever the kernel's own clock (man 7 time).
const TICK: Duration = Duration::from_millis(10);
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:measured";

pub struct Function {
    process: Child,
    runtime_api: Arc<RuntimeApi>,
    server: JoinHandle<()>,
}

/// The invocation under way.
#[derive(Default)]
struct RuntimeApi {
    event: Mutex<Option<String>>,
    is_invoked: Notify,
    answer: Mutex<Option<oneshot::Sender<Result<(), String>>>>,
}

/// What a process takes in memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub now: u64,
    pub peak: u64,
}

impl Function {
    /// Starts the program with its environment and no other, the services and the Runtime API on a port of its own.
    pub async fn start(
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        services: &Arc<Services>,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let runtime_api = Arc::new(RuntimeApi::default());
        let server = tokio::spawn(serve(listener, runtime_api.clone(), services.clone()));
        let process = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .env("AWS_LAMBDA_RUNTIME_API", &address)
            .env("AWS_ENDPOINT_URL", format!("http://{address}"))
            .envs([("AWS_LAMBDA_FUNCTION_NAME", "measured"), ("AWS_LAMBDA_FUNCTION_VERSION", "1")])
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .envs([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local")])
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", program.display()))?;
        Ok(Self { process, runtime_api, server })
    }

    /// Hands out an event, and waits for the function's answer.
    pub async fn invoke(&self, event: &impl Serialize) -> anyhow::Result<()> {
        let (sender, receiver) = oneshot::channel();
        *lock(&self.runtime_api.answer) = Some(sender);
        *lock(&self.runtime_api.event) = Some(serde_json::to_string(event)?);
        self.runtime_api.is_invoked.notify_one();
        match receiver.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => bail!("the function failed: {error}"),
            Err(_) => bail!("the function ended"),
        }
    }

    /// SIGKILL. What it had sent and nobody has read is lost with it.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.process.kill().await?;
        self.server.abort();
        drop(self.server.await);
        Ok(())
    }

    /// CPU time of the process until now, its own and the kernel's for it.
    pub fn cpu_time(&self) -> anyhow::Result<Duration> {
        let stat = self.proc_file("stat")?;
        // The name of the program is in brackets and may hold blanks; user and system time are 11 and 12 fields on.
        let fields = stat.rsplit_once(')').context("no name in stat")?.1.split_ascii_whitespace();
        let ticks: Vec<u32> = fields.skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        Ok(TICK * ticks.iter().sum::<u32>())
    }

    pub fn memory(&self) -> anyhow::Result<Memory> {
        let status = self.proc_file("status")?;
        let bytes = |name: &str| {
            let line =
                status.lines().find_map(|line| line.strip_prefix(name)).context("a field is missing")?;
            let kilobytes: u64 = line.trim_matches([':', '\t', ' ']).trim_end_matches(" kB").parse()?;
            anyhow::Ok(kilobytes * 1024)
        };
        Ok(Memory { now: bytes("VmRSS")?, peak: bytes("VmHWM")? })
    }

    fn proc_file(&self, name: &str) -> anyhow::Result<String> {
        let process = self.process.id().context("the function ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{process}/{name}"))?)
    }
}

/// Ends its connections when it is aborted.
async fn serve(listener: TcpListener, runtime_api: Arc<RuntimeApi>, services: Arc<Services>) {
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let (runtime_api, services) = (runtime_api.clone(), services.clone());
        connections.spawn(async move {
            let service = service_fn(|request| answer_to(&runtime_api, &services, request));
            // A connection ends when the process does: nothing to report.
            drop(http1::Builder::new().serve_connection(TokioIo::new(connection), service).await);
        });
    }
}

async fn answer_to(
    runtime_api: &RuntimeApi,
    services: &Services,
    request: Request<Incoming>,
) -> Result<Answer, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = head.uri.path();
    if let Some(operation) = path.strip_prefix("/2018-06-01/runtime/") {
        return Ok(runtime_api.answer(operation, &body).await);
    }
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    Ok(match target {
        Some("AWSEvents.PutEvents") => services.put_events(&body).await,
        Some("DynamoDB_20120810.GetItem") => services.get_item(&body),
        Some(_) => answer(StatusCode::BAD_REQUEST, Bytes::new()),
        None => services.object(&head.method, path, &head.headers, body),
    })
}

impl RuntimeApi {
    /// AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes".
    async fn answer(&self, operation: &str, body: &Bytes) -> Answer {
        if operation == "invocation/next" {
            return self.next().await;
        }
        let ended = if operation.ends_with("/response") {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(body).into_owned())
        };
        if let Some(sender) = lock(&self.answer).take() {
            // Nobody waits any more for the answer of a function that is to be killed.
            drop(sender.send(ended));
        }
        answer(StatusCode::ACCEPTED, Bytes::new())
    }

    async fn next(&self) -> Answer {
        loop {
            if let Some(event) = lock(&self.event).take() {
                let mut answer = answer(StatusCode::OK, event);
                let headers = answer.headers_mut();
                headers.insert("lambda-runtime-aws-request-id", HeaderValue::from_static("measured"));
                headers.insert("lambda-runtime-deadline-ms", HeaderValue::from(deadline_milliseconds()));
                headers.insert("lambda-runtime-invoked-function-arn", HeaderValue::from_static(FUNCTION_ARN));
                return answer;
            }
            self.is_invoked.notified().await;
        }
    }
}

fn deadline_milliseconds() -> u64 {
    let deadline = (SystemTime::now() + TIME_LIMIT).duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
