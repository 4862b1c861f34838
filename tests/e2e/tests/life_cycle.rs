//! The programs around the stack, as a developer uses them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use demo::deployment::Repository;
use e2e::scenario::Scenario;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Processes whose command line or executable lies in the folder or names it.
fn processes_of(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.to_string_lossy();
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").context("this test reads /proc")? {
        let process = process?.path();
        let command = fs::read(process.join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let executable = fs::read_link(process.join("exe")).unwrap_or_default();
        if command.contains(&*folder) || executable.to_string_lossy().contains(&*folder) {
            found.push(command);
        }
    }
    Ok(found)
}

fn wait_until(limit: Duration, what: &str, condition: impl Fn() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !condition()? {
        ensure!(started.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn signal(child: &Child, signal: Signal) -> Result<()> {
    Ok(kill(Pid::from_raw(i32::try_from(child.id())?), signal)?)
}

/// Interrupted or killed while the stack starts, while CDK deploys and while changes flow, the demo leaves nothing.
#[test]
fn interrupted_at_any_moment_the_demo_leaves_no_process() -> Result<()> {
    let repository = Repository::of_this_build();
    let folder = repository.root.join(".local/demo");
    let moments = ["starting the local stack", "deploying the CDK app", "writing"];
    for (moment, with) in moments
        .into_iter()
        .flat_map(|moment| [Signal::SIGINT, Signal::SIGKILL].map(|signal| (moment, signal)))
    {
        let mut demo = Command::new(repository.root.join("target/debug/demo"))
            .args(["--once", "--items", "3000"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let mut lines = BufReader::new(demo.stdout.take().context("no output")?).lines();
        let reached = lines.by_ref().map_while(Result::ok).any(|line| line.contains(moment));
        ensure!(reached, "the demo ended before {moment:?}");
        signal(&demo, with)?;
        let status = demo.wait()?;
        ensure!(!status.success(), "{with} while {moment}: the demo says that it succeeded");
        wait_until(Duration::from_mins(1), &format!("{with} while {moment}: every process gone"), || {
            Ok(processes_of(&folder)?.is_empty())
        })?;
    }
    Ok(())
}

fn local(repository: &Repository, arguments: &[&str]) -> Result<(bool, String)> {
    let output =
        Command::new(repository.root.join("target/debug/local-deployment")).args(arguments).output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

/// Up, status, a second up, a taken port, down: each says what it did or what to do.
#[test]
fn a_stack_for_work_starts_tells_and_ends() -> Result<()> {
    let repository = Repository::of_this_build();
    let folder = repository.root.join(".local/stack");
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();
    let (succeeded, said) = local(&repository, &["up", "--port", &port])?;
    ensure!(
        !succeeded && said.contains(&format!("port {port} is not free")) && said.contains("--port"),
        "{said}"
    );
    drop(taken);

    let (succeeded, said) = local(&repository, &["up", "--port", &port])?;
    ensure!(
        succeeded && said.contains(&format!("export AWS_ENDPOINT_URL=http://127.0.0.1:{port}")),
        "{said}"
    );
    let (succeeded, said) = local(&repository, &["up", "--port", &port])?;
    ensure!(!succeeded && said.contains("cargo xtask local down"), "{said}");
    let (succeeded, said) = local(&repository, &["status"])?;
    ensure!(succeeded && said.contains("PatientChangeQueueUrl"), "{said}");
    let (succeeded, said) = local(&repository, &["down"])?;
    ensure!(succeeded && said.contains("has ended"), "{said}");
    wait_until(Duration::from_secs(20), "no process of the stack is left", || {
        Ok(processes_of(&folder)?.is_empty())
    })?;
    let (succeeded, said) = local(&repository, &["status"])?;
    ensure!(succeeded && said.contains("no stack runs"), "{said}");
    Ok(())
}

/// What the README shows: a function under `cargo lambda watch`, and a recorded event put to it.
#[tokio::test]
async fn a_recorded_event_goes_through_cargo_lambda() -> Result<()> {
    let scenario = Scenario::start("cargo-lambda", &json!({})).await?;
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.local_addr()?.port().to_string()
    };
    let root = scenario.stack.repository.root.clone();
    let log = scenario.stack.folder.join("cargo-lambda.log");
    let cargo_lambda = |arguments: &[&str]| {
        let mut command = Command::new(root.join(".tools/python/bin/cargo-lambda"));
        command.arg("lambda").args(arguments).current_dir(&root);
        command
    };
    let log_file = fs::File::create(&log)?;
    let mut watch = cargo_lambda(&["watch", "--invoke-address", "127.0.0.1", "--invoke-port", &port])
        .envs(local_stack::endpoint::environment(scenario.stack.ports))
        .env("ITEMS_TABLE_NAME", scenario.deployment.output("ItemsTableName")?)
        .env("CLAIM_CHECK_BUCKET_NAME", scenario.deployment.output("ClaimCheckBucketName")?)
        .env("METRICS_NAMESPACE", "Tributary")
        .stdin(Stdio::null())
        .stdout(log_file.try_clone()?)
        .stderr(log_file)
        .spawn()
        .context("cargo-lambda: `cargo xtask tools` installs it")?;
    let checked = invoke_recorded_event(&cargo_lambda, &port, &log);
    signal(&watch, Signal::SIGINT)?;
    watch.wait()?;
    let functions: PathBuf = root.join("target/debug/stream-enricher");
    wait_until(Duration::from_secs(20), "the watched function has ended", || {
        Ok(processes_of(&functions)?.is_empty()
            && processes_of(Path::new("target/debug/stream-enricher"))?.is_empty())
    })?;
    checked?;
    scenario.end().await
}

fn invoke_recorded_event(cargo_lambda: &impl Fn(&[&str]) -> Command, port: &str, log: &Path) -> Result<()> {
    wait_until(Duration::from_secs(30), "cargo lambda watch answers", || {
        Ok(fs::read_to_string(log)?.contains("starting Runtime server"))
    })?;
    let event = "tests/events/stream/patient-insert.json";
    let invoked = cargo_lambda(&[
        "invoke",
        "stream-enricher",
        "--invoke-address",
        "127.0.0.1",
        "--invoke-port",
        port,
        "--data-file",
        event,
    ])
    .output()?;
    if !invoked.status.success() {
        bail!("cargo lambda invoke: {}", String::from_utf8_lossy(&invoked.stderr));
    }
    let answer: Vec<Value> = serde_json::from_slice(&invoked.stdout).context("the function's answer")?;
    let patient = &answer[0]["event"]["fhir"];
    ensure!(patient["resourceType"] == "Patient" && patient["birthDate"] == "1980-03-17", "{patient}");
    Ok(())
}
