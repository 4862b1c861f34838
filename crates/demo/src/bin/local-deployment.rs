//! `local-deployment`: a stack that runs on after this program, with the app deployed to it.

#![expect(clippy::print_stdout, reason = "a program that talks to its user")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use demo::deployment::{LocalStack, Repository, StackStart, process, running};
use demo::options::options;
use local_stack::endpoint;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use tokio::time::{Instant, sleep};

const STOP_LIMIT: Duration = Duration::from_secs(30);

/// A stack that runs on while you work
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Up {
        #[arg(long)]
        port: u16,
    },
    Down,
    Status,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().task).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(task: Task) -> Result<()> {
    let repository = Repository::of_this_build();
    let folder = repository.root.join(".local/stack");
    match task {
        Task::Up { port } => up(repository, folder, port).await,
        Task::Down => down(&folder).await,
        Task::Status => status(&folder),
    }
}

async fn up(repository: Repository, folder: PathBuf, port: u16) -> Result<()> {
    if let Some(record) = running(&folder)? {
        bail!("a stack runs already at {}: end it with `cargo xtask local down`", record.endpoint);
    }
    println!("starting the local stack");
    let start = StackStart { folder: folder.clone(), port: Some(port), detached: true };
    let stack = LocalStack::start(repository, start).await?;
    println!("deploying the CDK app to it");
    let deployed = async {
        stack.bootstrap().await?;
        stack.deploy(&options()).await
    };
    if let Err(error) = deployed.await {
        down(&folder).await?;
        return Err(error);
    }
    status(&folder)
}

async fn down(folder: &Path) -> Result<()> {
    let Some(record) = running(folder)? else {
        println!("no stack runs");
        return Ok(());
    };
    let supervisor = process(record.supervisor_process)?;
    kill(supervisor, Signal::SIGTERM).context("ending the stack")?;
    let asked = Instant::now();
    while kill(supervisor, None) != Err(Errno::ESRCH) {
        if asked.elapsed() > STOP_LIMIT {
            bail!("the stack does not end: see {}", folder.display());
        }
        sleep(Duration::from_millis(50)).await;
    }
    println!("the stack has ended");
    Ok(())
}

fn status(folder: &Path) -> Result<()> {
    let Some(record) = running(folder)? else {
        println!("no stack runs; `cargo xtask local up` starts one");
        return Ok(());
    };
    println!("a stack runs at {}. For clients:\n", record.endpoint);
    for (name, value) in endpoint::environment(record.ports()) {
        println!("export {name}={value}");
    }
    if let Ok(outputs) = std::fs::read_to_string(folder.join("outputs.json")) {
        println!("\nDeployed to it: {outputs}");
    }
    Ok(())
}
