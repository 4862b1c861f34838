//! A local stack with the CDK app deployed to it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use local_stack::endpoint::{self, Ports};
use local_stack::stack::StackRecord;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

const READY_LIMIT: Duration = Duration::from_secs(40);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Where things are in the repository.
#[derive(Debug, Clone)]
pub struct Repository {
    pub root: PathBuf,
}

impl Repository {
    /// The checkout that this program was built in.
    #[must_use]
    pub fn of_this_build() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned);
        Self { root: root.unwrap_or_default() }
    }

    #[must_use]
    pub fn python(&self) -> PathBuf {
        self.root.join(".tools/python/bin/python")
    }

    fn local_stack_program(&self) -> PathBuf {
        self.root.join("target/debug/local-stack")
    }

    fn start_up(&self) -> PathBuf {
        self.root.join("crates/local-stack/ministack/start.py")
    }

    fn infra(&self) -> PathBuf {
        self.root.join("infra")
    }
}

/// How the stack is started.
#[derive(Debug, Clone, Default)]
pub struct StackStart {
    /// For logs and state; emptied at the start.
    pub folder: PathBuf,
    pub port: Option<u16>,
    /// The stack outlives this process.
    pub detached: bool,
}

/// A running stack. Dropped, it ends, unless it was started detached.
pub struct LocalStack {
    pub repository: Repository,
    pub folder: PathBuf,
    pub ports: Ports,
    supervisor: Option<Child>,
}

impl LocalStack {
    /// # Errors
    /// Where the stack does not come up; the error says where its log is.
    pub async fn start(repository: Repository, start: StackStart) -> Result<Self> {
        let StackStart { folder, port, detached } = start;
        if let Some(record) = running(&folder)? {
            bail!(
                "a stack runs already at {} (process {}): end it first",
                record.endpoint,
                record.supervisor_process
            );
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let log_path = folder.join("local-stack.log");
        let log = File::create(&log_path)?;
        let mut command = Command::new(repository.local_stack_program());
        command
            .arg("serve")
            .arg("--folder")
            .arg(&folder)
            .arg("--python")
            .arg(repository.python())
            .arg("--start-up")
            .arg(repository.start_up())
            .stdin(if detached { Stdio::null() } else { Stdio::piped() })
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(port) = port {
            command.args(["--port", &port.to_string()]);
        }
        if detached {
            command.arg("--detached").process_group(0);
        }
        let mut supervisor = command.spawn().with_context(|| {
            format!("starting {}: has it been built?", repository.local_stack_program().display())
        })?;
        let started = Instant::now();
        let record = loop {
            if let Ok(record) = StackRecord::read(&folder) {
                break record;
            }
            if supervisor.try_wait()?.is_some() {
                let log = fs::read_to_string(&log_path).unwrap_or_default();
                bail!("the local stack did not start: {}", log.trim());
            }
            if started.elapsed() > READY_LIMIT {
                bail!("the local stack is not ready after {READY_LIMIT:?}: see {}", folder.display());
            }
            sleep(Duration::from_millis(20)).await;
        };
        let supervisor = (!detached).then_some(supervisor);
        Ok(Self { repository, folder, ports: record.ports(), supervisor })
    }

    /// # Errors
    /// Where the stack has gone.
    pub fn record(&self) -> Result<StackRecord> {
        StackRecord::read(&self.folder)
    }

    pub async fn sdk_config(&self) -> SdkConfig {
        endpoint::sdk_config(self.ports.stack).await
    }

    /// Prepares the stack for CDK, as is done once for each account and region.
    ///
    /// # Errors
    /// Where CDK fails; the error holds the end of what it said.
    pub async fn bootstrap(&self) -> Result<()> {
        let environment = format!("aws://{}/{}", endpoint::ACCOUNT, endpoint::REGION);
        // In a folder without an app: CDK would run it only to learn the environment that is given here.
        let app = self.folder.join("no-app");
        fs::create_dir_all(&app)?;
        self.cdk("bootstrap", &["bootstrap", &environment], &app).await
    }

    /// Runs `cdk deploy` with the options merged over the app's own.
    ///
    /// # Errors
    /// Where CDK fails; the error holds the end of what it said.
    pub async fn deploy(&self, options: &serde_json::Value) -> Result<Deployment> {
        let outputs_file = self.folder.join("outputs.json");
        let assembly = self.folder.join("cdk.out");
        let options = options.to_string();
        let arguments = [
            "deploy",
            "--all",
            "--require-approval=never",
            "--context=target=local",
            "--context",
            &format!("options={options}"),
            "--output",
            &assembly.to_string_lossy(),
            "--outputs-file",
            &outputs_file.to_string_lossy(),
        ];
        self.cdk("deploy", &arguments, &self.repository.infra()).await?;
        let outputs: HashMap<String, HashMap<String, String>> =
            serde_json::from_slice(&fs::read(&outputs_file).context("the outputs of the deployment")?)?;
        let outputs = outputs.into_values().next().context("a deployment without outputs")?;
        Ok(Deployment { outputs, config: self.sdk_config().await })
    }

    async fn cdk(&self, name: &str, arguments: &[&str], folder: &Path) -> Result<()> {
        let log_path = self.folder.join(format!("cdk-{name}.log"));
        let log = File::create(&log_path)?;
        let mut cdk = Command::new("node")
            .arg(self.repository.infra().join("node_modules/aws-cdk/bin/cdk"))
            .args(arguments)
            .current_dir(folder)
            .envs(endpoint::environment(self.ports))
            .env("AWS_ENDPOINT_URL_S3", endpoint::url(self.ports.stack))
            // The CDK's caches stay in the checkout: the CLI's, and the library's, which knows only HOME.
            .env("CDK_HOME", self.repository.root.join(".tools/cdk"))
            .env("HOME", self.repository.root.join(".tools/home"))
            .env("CI", "true")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .context("starting cdk: is Node installed?")?;
        let group = ProcessGroup::of(&cdk);
        let status = cdk.wait().await?;
        drop(group);
        if status.success() {
            return Ok(());
        }
        let log = fs::read_to_string(&log_path).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines.get(lines.len().saturating_sub(25)..).unwrap_or_default().join("\n");
        let signal = status.signal().map(|signal| format!(" by signal {signal}")).unwrap_or_default();
        bail!("cdk {name} failed{signal}:\n{end}\n(all of it: {})", log_path.display());
    }

    /// Ends the stack and waits until it is gone.
    ///
    /// # Errors
    /// Where it does not end.
    pub async fn stop(mut self) -> Result<()> {
        let Some(mut supervisor) = self.supervisor.take() else { return Ok(()) };
        drop(supervisor.stdin.take());
        timeout(STOP_LIMIT, supervisor.wait()).await.context("the local stack does not end")??;
        Ok(())
    }
}

/// The record of the stack that runs in a folder.
///
/// # Errors
/// Where the record is none.
pub fn running(folder: &Path) -> Result<Option<StackRecord>> {
    let Ok(record) = StackRecord::read(folder) else { return Ok(None) };
    let is_alive = kill(process(record.supervisor_process)?, None).is_ok();
    Ok(is_alive.then_some(record))
}

/// # Errors
/// Where the number is no process id.
pub fn process(id: u32) -> Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(id)?))
}

/// Ends a child and everything below it when it goes out of scope before the child has ended.
struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // After a regular end there is no group left, and this says so in vain.
            let _ = killpg(group, Signal::SIGTERM);
        }
    }
}

/// What was deployed.
pub struct Deployment {
    pub outputs: HashMap<String, String>,
    pub config: SdkConfig,
}

impl Deployment {
    /// # Errors
    /// Where the app has no such output.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| format!("the app has no output {name}"))
    }

    /// Detail type and URL of each queue for change events.
    #[must_use]
    pub fn change_queues(&self) -> Vec<(String, String)> {
        let mut queues: Vec<(String, String)> = self
            .outputs
            .iter()
            .filter_map(|(name, url)| {
                let detail_type = name.strip_suffix("QueueUrl")?;
                (detail_type.ends_with("Change")).then(|| (detail_type.to_owned(), url.clone()))
            })
            .collect();
        queues.sort();
        queues
    }
}
