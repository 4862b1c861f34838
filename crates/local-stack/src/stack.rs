//! The life cycle of a stack: MiniStack and the runner, started together and ended together.
//!
//! Both are children that live as long as their standard input is open. The supervisor holds the other end, and whoever
//! starts the supervisor holds its: when one of them dies, however it dies, everything below it ends.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::endpoint;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(20);
const READY_EVERY: Duration = Duration::from_millis(50);
/// A runner that ends is started again, but never in a tight circle.
const RUNNER_RESTART_PAUSE: Duration = Duration::from_millis(500);

/// What a stack is started with.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Everything that the stack writes lies in this folder: logs, checkpoints, [`StackRecord`].
    pub folder: PathBuf,
    /// The Python interpreter that has MiniStack installed.
    pub python: PathBuf,
    /// The start-up module that closes MiniStack's gaps.
    pub start_up: PathBuf,
    /// `None` for a free one.
    pub port: Option<u16>,
}

/// The running stack, as written to `stack.json` in its folder for whoever wants to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackRecord {
    pub port: u16,
    pub endpoint: String,
    pub supervisor_process: u32,
    pub ministack_process: u32,
    pub runner_process: u32,
}

impl StackRecord {
    /// # Errors
    /// Where no stack has been started in the folder, or its record cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = record_path(folder);
        let json = fs::read(&path)
            .with_context(|| format!("there is no stack: {} cannot be read", path.display()))?;
        serde_json::from_slice(&json).with_context(|| format!("{} is no record of a stack", path.display()))
    }

    /// Renamed into place, so that a reader finds the old record or the new one.
    fn write(&self, folder: &Path) -> Result<()> {
        let unfinished = folder.join("stack.json.unfinished");
        fs::write(&unfinished, serde_json::to_vec_pretty(self)?)?;
        fs::rename(unfinished, record_path(folder)).context("writing stack.json")
    }
}

fn record_path(folder: &Path) -> PathBuf {
    folder.join("stack.json")
}

/// Runs a stack until `stop` completes or MiniStack ends by itself. The runner is started again whenever it ends.
///
/// # Errors
/// Where the stack cannot start, or MiniStack ends by itself; the error says where its log is.
pub async fn supervise(options: &StackOptions, stop: impl Future<Output = ()>) -> Result<()> {
    fs::create_dir_all(&options.folder).with_context(|| format!("creating {}", options.folder.display()))?;
    let port = free_port(options.port)?;
    let (mut ministack, input) = with_open_input(spawn_ministack(options, port)?);
    let ran = tokio::select! {
        ran = run(options, port, &mut ministack) => ran,
        () = stop => Ok(()),
    };
    end(ministack, input).await;
    let _ = fs::remove_file(record_path(&options.folder));
    ran
}

async fn run(options: &StackOptions, port: u16, ministack: &mut Child) -> Result<()> {
    let log = options.folder.join("ministack.log");
    tokio::select! {
        ready = ready(port) => ready?,
        status = ministack.wait() => {
            bail!("MiniStack ended while it started ({}): see {}", status?, log.display());
        }
    }
    loop {
        let (mut runner, _input) = with_open_input(spawn_runner(&options.folder, port)?);
        StackRecord {
            port,
            endpoint: endpoint::url(port),
            supervisor_process: std::process::id(),
            ministack_process: ministack.id().unwrap_or_default(),
            runner_process: runner.id().unwrap_or_default(),
        }
        .write(&options.folder)?;
        tokio::select! {
            status = runner.wait() => {
                tracing::warn!(status = %status?, "the runner ended; starting it again");
                sleep(RUNNER_RESTART_PAUSE).await;
            }
            status = ministack.wait() => bail!("MiniStack ended ({}): see {}", status?, log.display()),
        }
    }
}

/// Waiting for a child closes its input, unless somebody else holds it.
fn with_open_input(mut child: Child) -> (Child, Option<ChildStdin>) {
    let input = child.stdin.take();
    (child, input)
}

/// Closing its input asks a child to end; one that does not is killed.
async fn end(mut child: Child, input: Option<ChildStdin>) {
    drop(input);
    if timeout(STOP_LIMIT, child.wait()).await.is_err() {
        tracing::warn!("MiniStack did not end by itself; killing it");
        let _ = child.kill().await;
    }
}

fn spawn_ministack(options: &StackOptions, port: u16) -> Result<Child> {
    let temporary = options.folder.join("tmp");
    fs::create_dir_all(&temporary)?;
    let log = log_file(&options.folder, "ministack.log")?;
    let port_text = port.to_string();
    Command::new(&options.python)
        .arg(&options.start_up)
        .envs(endpoint::environment(port))
        .env("GATEWAY_PORT", &port_text)
        .env("EDGE_PORT", &port_text)
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TMPDIR", &temporary)
        .env("STATE_DIR", temporary.join("state"))
        .env("S3_DATA_DIR", temporary.join("s3"))
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting MiniStack with {}", options.python.display()))
}

fn spawn_runner(folder: &Path, port: u16) -> Result<Child> {
    let log = log_file(folder, "runner.log")?;
    Command::new(std::env::current_exe()?)
        .arg("run-pipes")
        .args(["--port", &port.to_string()])
        .arg("--checkpoints")
        .arg(folder.join("checkpoints"))
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .context("starting the runner")
}

fn log_file(folder: &Path, name: &str) -> Result<File> {
    let path = folder.join(name);
    File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))
}

/// A wanted port that is taken is an error; without a wish the system chooses.
fn free_port(wanted: Option<u16>) -> Result<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, wanted.unwrap_or(0)));
    match TcpListener::bind(address) {
        Ok(listener) => Ok(listener.local_addr()?.port()),
        Err(error) => bail!(
            "port {} is not free ({error}): stop what listens there, or choose another with --port",
            address.port()
        ),
    }
}

/// Waits until MiniStack answers.
async fn ready(port: u16) -> Result<()> {
    let sqs = aws_sdk_sqs::Client::new(&endpoint::sdk_config(port).await);
    let started = Instant::now();
    loop {
        match timeout(Duration::from_secs(2), sqs.list_queues().send()).await {
            Ok(Ok(_)) => return Ok(()),
            _ if started.elapsed() > START_LIMIT => {
                bail!("MiniStack did not answer within {} s", START_LIMIT.as_secs());
            }
            _ => sleep(READY_EVERY).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_named_with_what_to_do() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = free_port(Some(port)).unwrap_err().to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--port"), "{error}");
    }
}
