//! The life cycle of a stack: MiniStack, the stand-in for HealthLake and the runner, started together and ended
//! together.
//!
//! They are children that live as long as their standard input is open. The supervisor holds the other end, and whoever
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

use crate::endpoint::{self, Ports};
use crate::healthlake::control::Control;

const MINISTACK_LOG: &str = "ministack.log";
const HEALTHLAKE_LOG: &str = "healthlake.log";
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
    pub healthlake_port: u16,
    pub healthlake_endpoint: String,
    pub supervisor_process: u32,
    pub ministack_process: u32,
    pub healthlake_process: u32,
    pub runner_process: u32,
}

impl StackRecord {
    #[must_use]
    pub fn ports(&self) -> Ports {
        Ports { stack: self.port, healthlake: self.healthlake_port }
    }

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

/// Runs a stack until `stop` completes, or MiniStack or the stand-in for HealthLake ends by itself: what they hold is
/// then lost. The runner is started again whenever it ends.
///
/// # Errors
/// Where the stack cannot start, or loses a part; the error says where the part's log is.
pub async fn supervise(options: &StackOptions, stop: impl Future<Output = ()>) -> Result<()> {
    fs::create_dir_all(&options.folder).with_context(|| format!("creating {}", options.folder.display()))?;
    let ports = free_ports(options.port)?;
    let (mut ministack, ministack_input) = with_open_input(spawn_ministack(options, ports)?);
    let (mut healthlake, healthlake_input) = with_open_input(spawn_healthlake(&options.folder, ports)?);
    let ran = tokio::select! {
        ran = run(&options.folder, ports, &mut ministack, &mut healthlake) => ran,
        () = stop => Ok(()),
    };
    end("the stand-in for HealthLake", healthlake, healthlake_input).await;
    end("MiniStack", ministack, ministack_input).await;
    let _ = fs::remove_file(record_path(&options.folder));
    ran
}

async fn run(folder: &Path, ports: Ports, ministack: &mut Child, healthlake: &mut Child) -> Result<()> {
    tokio::select! {
        ready = ready(ports) => ready?,
        lost = lost(folder, ministack, healthlake) => lost?,
    }
    loop {
        let (mut runner, _input) = with_open_input(spawn_runner(folder, ports)?);
        StackRecord {
            port: ports.stack,
            endpoint: endpoint::url(ports.stack),
            healthlake_port: ports.healthlake,
            healthlake_endpoint: endpoint::url(ports.healthlake),
            supervisor_process: std::process::id(),
            ministack_process: ministack.id().unwrap_or_default(),
            healthlake_process: healthlake.id().unwrap_or_default(),
            runner_process: runner.id().unwrap_or_default(),
        }
        .write(folder)?;
        tokio::select! {
            status = runner.wait() => {
                tracing::warn!(status = %status?, "the runner ended; starting it again");
                sleep(RUNNER_RESTART_PAUSE).await;
            }
            lost = lost(folder, ministack, healthlake) => lost?,
        }
    }
}

/// Completes, always with an error, when a part has ended that cannot be started again.
async fn lost(folder: &Path, ministack: &mut Child, healthlake: &mut Child) -> Result<()> {
    let (part, status, log) = tokio::select! {
        status = ministack.wait() => ("MiniStack", status?, MINISTACK_LOG),
        status = healthlake.wait() => ("the stand-in for HealthLake", status?, HEALTHLAKE_LOG),
    };
    bail!("{part} ended ({status}): see {}", folder.join(log).display())
}

/// Waiting for a child closes its input, unless somebody else holds it.
fn with_open_input(mut child: Child) -> (Child, Option<ChildStdin>) {
    let input = child.stdin.take();
    (child, input)
}

/// Closing its input asks a child to end; one that does not is killed.
async fn end(part: &str, mut child: Child, input: Option<ChildStdin>) {
    drop(input);
    if timeout(STOP_LIMIT, child.wait()).await.is_err() {
        tracing::warn!("{part} did not end by itself; killing it");
        let _ = child.kill().await;
    }
}

fn spawn_ministack(options: &StackOptions, ports: Ports) -> Result<Child> {
    let temporary = options.folder.join("tmp");
    fs::create_dir_all(&temporary)?;
    let log = log_file(&options.folder, MINISTACK_LOG)?;
    let port_text = ports.stack.to_string();
    Command::new(&options.python)
        .arg(&options.start_up)
        .envs(endpoint::environment(ports))
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

fn spawn_runner(folder: &Path, ports: Ports) -> Result<Child> {
    let mut command = part_of_this_program("read-streams", log_file(folder, "runner.log")?)?;
    command
        .args(["--port", &ports.stack.to_string()])
        .arg("--checkpoints")
        .arg(folder.join("checkpoints"))
        .spawn()
        .context("starting the runner")
}

fn spawn_healthlake(folder: &Path, ports: Ports) -> Result<Child> {
    let mut command = part_of_this_program("serve-healthlake", log_file(folder, HEALTHLAKE_LOG)?)?;
    command
        .args(["--port", &ports.healthlake.to_string()])
        .args(["--stack-port", &ports.stack.to_string()])
        .spawn()
        .context("starting the stand-in for HealthLake")
}

fn part_of_this_program(name: &str, log: File) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name).stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    Ok(command)
}

fn log_file(folder: &Path, name: &str) -> Result<File> {
    let path = folder.join(name);
    File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))
}

/// Both are held until both are known, so that they are two.
fn free_ports(wanted: Option<u16>) -> Result<Ports> {
    let stack = free_port(wanted)?;
    let healthlake = free_port(None)?;
    Ok(Ports { stack: stack.local_addr()?.port(), healthlake: healthlake.local_addr()?.port() })
}

/// A wanted port that is taken is an error; without a wish the system chooses.
fn free_port(wanted: Option<u16>) -> Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, wanted.unwrap_or(0)));
    match TcpListener::bind(address) {
        Ok(listener) => Ok(listener),
        Err(error) => bail!(
            "port {} is not free ({error}): stop what listens there, or choose another with --port",
            address.port()
        ),
    }
}

/// Waits until MiniStack and the stand-in for HealthLake answer.
async fn ready(ports: Ports) -> Result<()> {
    let sqs = aws_sdk_sqs::Client::new(&endpoint::sdk_config(ports.stack).await);
    answers("MiniStack", || sqs.list_queues().send()).await?;
    let control = Control::new(ports.healthlake);
    answers("the stand-in for HealthLake", || control.faults()).await
}

/// Asks until there is an answer.
async fn answers<T, E, F: Future<Output = Result<T, E>>>(part: &str, ask: impl Fn() -> F) -> Result<()> {
    let started = Instant::now();
    loop {
        match timeout(Duration::from_secs(2), ask()).await {
            Ok(Ok(_)) => return Ok(()),
            _ if started.elapsed() > START_LIMIT => {
                bail!("{part} did not answer within {} s", START_LIMIT.as_secs());
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

    #[test]
    fn the_ports_of_a_stack_are_two() {
        let ports = free_ports(None).unwrap();
        assert_ne!(ports.stack, ports.healthlake);
    }

    /// What MiniStack and the stand-in for HealthLake hold cannot be had again: the stack is over.
    #[tokio::test]
    async fn a_part_that_is_lost_is_named_with_its_log() {
        let child = |program: &str| Command::new(program).arg("60").kill_on_drop(true).spawn().unwrap();
        for (mut ministack, mut healthlake, log) in [
            (child("true"), child("sleep"), "folder/ministack.log"),
            (child("sleep"), child("true"), "folder/healthlake.log"),
        ] {
            let lost = lost(Path::new("folder"), &mut ministack, &mut healthlake);
            let error = timeout(START_LIMIT, lost).await.unwrap().unwrap_err().to_string();
            assert!(error.ends_with(log), "{error}");
        }
    }
}
