//! A Lambda function in a process of its own.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hyper::body::Bytes;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::process::{Memory, Process};
use crate::runtime_api::{FunctionError, Happening, RuntimeApi};
use crate::server::{Services, serve};
use crate::stderr_end::StderrEnd;

/// From the start to the first poll, and from an answer to the next poll. Lambda gives a start 10 s (AWS Lambda developer
/// guide, "Understanding the Lambda execution environment lifecycle"); a busy machine may need more.
const POLL_WITHIN: Duration = Duration::from_mins(1);

/// With which a function has one vCPU (AWS Lambda developer guide, "Configure Lambda function memory").
const MEMORY_MEGABYTES: &str = "1769";

/// What Lambda would run.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
    /// Over what every function gets, and `PATH`. There is nothing else in its environment.
    pub environment: Vec<(String, String)>,
    /// The longest that an invocation may take.
    pub timeout: Duration,
}

pub struct Function {
    child: WatchedChild,
    process: Process,
    events: mpsc::Sender<Bytes>,
    /// The server alone; aborted when it is dropped.
    server: JoinSet<()>,
    timeout: Duration,
    start: Start,
    /// CPU time of the process when it polled last.
    polled: Duration,
}

/// What a function has taken until its first poll.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub cpu_time: Duration,
    pub wall_time: Duration,
    pub memory: Memory,
}

#[derive(Debug, Clone)]
pub struct Invocation {
    pub answer: Bytes,
    /// From the poll that took the event to the next one: what a function does behind its answer, and what its runtime
    /// does between two events, is in it.
    pub cpu_time: Duration,
    /// From the event to the answer.
    pub wall_time: Duration,
}

impl Function {
    /// Starts the program, and waits for its first poll.
    ///
    /// # Errors
    /// Where it does not start, ends, reports an error or does not poll in time.
    pub async fn start<S: Services>(program: &Program, services: Arc<S>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let started = Instant::now();
        let mut child = command(program, &address)
            .spawn()
            .with_context(|| format!("{} does not start", program.path.display()))?;
        let process = Process::of(child.id().context("the function ended")?)?;
        let stderr = StderrEnd::of(child.stderr.take().context("the function has no stderr")?);
        let (runtime_api, events, happenings) = RuntimeApi::of(process, program.timeout);
        let mut server = JoinSet::new();
        // Until here the kernel keeps the function's connections waiting.
        server.spawn(serve(listener, Arc::new(runtime_api), services));
        let mut child = WatchedChild { child, stderr, happenings };
        let (at, polled) = child.poll(POLL_WITHIN).await?;
        let start = Start {
            cpu_time: polled,
            wall_time: at.saturating_duration_since(started),
            memory: process.memory()?,
        };
        Ok(Self { child, process, events, server, timeout: program.timeout, start, polled })
    }

    #[must_use]
    pub fn start_taken(&self) -> Start {
        self.start
    }

    /// Hands out an event, and waits for the answer and the next poll.
    ///
    /// # Errors
    /// Where the function ends, reports an error, or takes too long.
    pub async fn invoke(&mut self, event: Bytes) -> anyhow::Result<Invocation> {
        let started = Instant::now();
        self.events.send(event).await.context("the Runtime API ended")?;
        let (answered, answer) = self.child.answer(self.timeout).await?;
        let (_, polled) = self.child.poll(POLL_WITHIN).await?;
        let cpu_time = polled.saturating_sub(std::mem::replace(&mut self.polled, polled));
        Ok(Invocation { answer, cpu_time, wall_time: answered.saturating_duration_since(started) })
    }

    /// # Errors
    /// Where the function has ended.
    pub fn memory(&self) -> anyhow::Result<Memory> {
        self.process.memory()
    }

    /// SIGKILL. What it had sent and nobody has read is lost with it. A function that is dropped is killed, too, but may
    /// end only a little later.
    ///
    /// # Errors
    /// Where the kernel does not let it be killed.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.child.kill().await?;
        self.server.shutdown().await;
        Ok(())
    }
}

fn command(program: &Program, address: &str) -> Command {
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs([("AWS_LAMBDA_RUNTIME_API", address), ("AWS_ENDPOINT_URL", &format!("http://{address}"))])
        .envs([("AWS_LAMBDA_FUNCTION_NAME", "measured"), ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")])
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", MEMORY_MEGABYTES)
        .envs([("_HANDLER", "handler"), ("LAMBDA_TASK_ROOT", ".")])
        .envs([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local")])
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .envs(program.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A child, and what it reports through the Runtime API.
struct WatchedChild {
    child: Child,
    stderr: StderrEnd,
    happenings: mpsc::UnboundedReceiver<Happening>,
}

impl WatchedChild {
    /// When it polled, and its CPU time then.
    async fn poll(&mut self, limit: Duration) -> anyhow::Result<(Instant, Duration)> {
        loop {
            if let Happening::Polled { at, cpu_time } = self.next("poll", limit).await? {
                return Ok((at, cpu_time?));
            }
        }
    }

    async fn answer(&mut self, limit: Duration) -> anyhow::Result<(Instant, Bytes)> {
        loop {
            if let Happening::Answered { at, answer } = self.next("answer", limit).await? {
                return Ok((at, answer));
            }
        }
    }

    async fn next(&mut self, awaited: &str, limit: Duration) -> anyhow::Result<Happening> {
        let next = tokio::select! {
            // What it reported before it ended comes first.
            biased;
            Some(happening) = self.happenings.recv() => Ok(happening),
            status = self.child.wait() => Err(format!("ended with {}", status?)),
            () = sleep(limit) => Err(format!("did not {awaited} within {} s", limit.as_secs())),
        };
        let what = match next {
            Ok(Happening::Failed(FunctionError { error_type, error_message })) => {
                format!("failed with {error_type}: {error_message}")
            }
            Ok(happening) => return Ok(happening),
            Err(what) => what,
        };
        self.child.kill().await?;
        let stderr = self.stderr.text().await;
        bail!("the function {what}; the end of its stderr: {stderr}")
    }
}
