//! Measures one Lambda function: starts a command as Lambda would, invokes it again and again with the same batch, and
//! prints what it took as one line of JSON. `cargo xtask bench` runs it for our functions and for those of the peers.

#![expect(clippy::print_stdout, reason = "prints what it measures")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand, ValueEnum};
use function_bench::services::entries;
use function_bench::{Batch, Kind, Measured, Program, Report, measure};
use tokio::signal::unix::{SignalKind, signal};

/// No batch of the bench takes a thousandth of it.
const TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Parser)]
#[command(about = "Measures one Lambda function behind a Runtime API and the services that it calls")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start a function, invoke it, and print what it took
    Run(Run),
}

#[derive(clap::Args)]
struct Run {
    /// Which function of the pipe the command is
    #[arg(long)]
    function: FunctionName,
    /// What each invocation gets: a JSON array
    #[arg(long, value_name = "FILE")]
    event: PathBuf,
    /// How often it is invoked to be measured; 0 measures the start alone
    #[arg(long, value_name = "N")]
    invocations: usize,
    /// How often it is invoked before
    #[arg(long, value_name = "N")]
    warm_up: usize,
    /// Where the last answer goes
    #[arg(long, value_name = "FILE")]
    answer: Option<PathBuf>,
    /// Where the PutEvents entries of the last invocation go, one a line
    #[arg(long, value_name = "FILE")]
    entries: Option<PathBuf>,
    /// A further variable of the function's environment
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    environment: Vec<(String, String)>,
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FunctionName {
    Enricher,
    Router,
}

/// On one thread, which leaves the other processors to the function.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Task::Run(run) = Arguments::parse().task;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    // The function is killed where its run is dropped.
    tokio::select! {
        result = run.measure() => result,
        _ = terminated.recv() => bail!("terminated"),
        _ = interrupted.recv() => bail!("interrupted"),
    }
}

impl Run {
    async fn measure(&self) -> anyhow::Result<()> {
        let json = std::fs::read(&self.event).with_context(|| format!("reading {}", self.event.display()))?;
        let batch = Batch::of(json)?;
        let kind = match self.function {
            FunctionName::Enricher => Kind::Enricher,
            FunctionName::Router => Kind::Router,
        };
        let measured = measure(&self.program()?, kind, &batch, self.warm_up, self.invocations).await?;
        if let Some(file) = &self.answer {
            write(file, &measured.last_answer)?;
        }
        if let Some(file) = &self.entries {
            write(file, entry_lines(&measured)?.as_bytes())?;
        }
        println!("{}", serde_json::to_string(&Report::of(&measured))?);
        Ok(())
    }

    fn program(&self) -> anyhow::Result<Program> {
        let (path, arguments) = self.command.split_first().context("there is no command")?;
        let mut environment = self.function.environment();
        environment.extend(self.environment.iter().cloned());
        Ok(Program { path: path.into(), arguments: arguments.to_vec(), environment, timeout: TIMEOUT })
    }
}

impl FunctionName {
    /// As `infra/lib` gives it to the functions, and what Powertools reads.
    fn environment(self) -> Vec<(String, String)> {
        let name = match self {
            Self::Enricher => "stream-enricher",
            Self::Router => "item-router",
        };
        let variables = [
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("ITEMS_TABLE_NAME", "items"),
            ("CLAIM_CHECK_BUCKET_NAME", "claim-checks"),
            ("DEAD_LETTER_BUCKET_NAME", "dead-letters"),
            ("REJECTS_QUEUE_URL", "http://127.0.0.1/000000000000/rejects"),
            ("EVENT_BUS_NAME", "tributary"),
            ("METRICS_NAMESPACE", "Tributary"),
            ("POWERTOOLS_SERVICE_NAME", name),
            ("POWERTOOLS_METRICS_NAMESPACE", "Tributary"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}

fn entry_lines(measured: &Measured) -> anyhow::Result<String> {
    let mut lines = String::new();
    for entry in entries(&measured.last_put_events)? {
        lines.push_str(&serde_json::to_string(&entry)?);
        lines.push('\n');
    }
    Ok(lines)
}

fn write(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    std::fs::write(file, content).with_context(|| format!("writing {}", file.display()))
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is not of the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
