//! Other programs, run so that nothing of them is left when this one is interrupted.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::repository::Repository;

/// The process group of the program that is running now; 0 if none is.
static RUNNING: AtomicI32 = AtomicI32::new(0);

/// Passes SIGINT, SIGTERM and SIGHUP on to everything that the running program started, and ends.
pub fn end_children_on_signals() -> Result<()> {
    ctrlc::set_handler(|| {
        let group = RUNNING.load(Ordering::SeqCst);
        if group != 0 {
            let _ = killpg(Pid::from_raw(group), Signal::SIGTERM);
        }
        std::process::exit(130);
    })
    .context("handling signals")
}

/// A program to run.
pub struct Program {
    command: Command,
    name: String,
    hint: &'static str,
}

impl Program {
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let name = Path::new(program.as_ref()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { command: Command::new(program), name, hint: "" }
    }

    /// A program that this workspace builds.
    pub fn built(repository: &Repository, name: &str) -> Self {
        Self::new(repository.path("target/debug").join(name))
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// For whatever runs the CDK: its caches stay in the checkout. The CLI has a variable for that, the library knows only
    /// HOME.
    pub fn with_cdk_home(self, repository: &Repository) -> Self {
        self.env("CDK_HOME", repository.tools().join("cdk")).env("HOME", repository.tools().join("home"))
    }

    /// What to do where the program is not there.
    pub fn or_else(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// Runs it where the user sees what it says.
    pub fn run(mut self) -> Result<()> {
        let status = self.wait()?;
        self.check(status, "")
    }

    /// Runs it quietly: says what is being done, keeps what the program said in a log, and shows its end if it fails.
    pub fn run_logged(mut self, repository: &Repository, doing: &str) -> Result<()> {
        let logs = repository.local().join("logs");
        fs::create_dir_all(&logs)?;
        let path = logs.join(format!("{}.log", doing.replace(' ', "-").to_lowercase()));
        let log = File::create(&path)?;
        self.command.stdout(log.try_clone()?).stderr(log);
        println!("{doing} …");
        let started = Instant::now();
        let status = self.wait()?;
        if status.success() {
            println!("{doing}: done in {} s", started.elapsed().as_secs());
            return Ok(());
        }
        let log = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n");
        self.check(status, &format!(":\n{end}\n(all of it: {})", path.display()))
    }

    /// What it writes to standard output.
    pub fn output(mut self) -> Result<String> {
        let output = self.command.stdin(Stdio::null()).output().map_err(|error| self.not_started(&error))?;
        self.check(output.status, "")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Replaces this process by the program: signals and the exit code are then its own.
    pub fn become_it(mut self) -> Result<ExitCode> {
        let error = self.command.exec();
        Err(self.not_started(&error))
    }

    /// In a process group of its own, so that a signal can reach whatever the program itself started.
    fn wait(&mut self) -> Result<ExitStatus> {
        let spawned = self.command.stdin(Stdio::null()).process_group(0).spawn();
        let mut child = spawned.map_err(|error| self.not_started(&error))?;
        RUNNING.store(i32::try_from(child.id())?, Ordering::SeqCst);
        let status = child.wait();
        RUNNING.store(0, Ordering::SeqCst);
        Ok(status?)
    }

    fn check(&self, status: ExitStatus, more: &str) -> Result<()> {
        if !status.success() {
            bail!("{} failed ({status}){more}", self.name);
        }
        Ok(())
    }

    fn not_started(&self, error: &std::io::Error) -> anyhow::Error {
        match error.kind() {
            ErrorKind::NotFound => anyhow::anyhow!("{} is not there. {}", self.name, self.hint),
            _ => anyhow::anyhow!("{} cannot be started: {error}", self.name),
        }
    }
}
