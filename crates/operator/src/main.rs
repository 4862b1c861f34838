//! `operator`: what an operator does to a deployment.

#![expect(clippy::print_stdout, reason = "a program that talks to its user")]

mod export;
mod invocation;
mod lake;
mod lake_backfill;
mod lake_compact;
mod lake_deployment;
mod lake_readiness;
mod lake_replay;
mod replay;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use aws_config::{BehaviorVersion, SdkConfig};
use clap::{Args, Parser, Subcommand};
use lambda_support::clients;
use local_stack::endpoint;
use local_stack::stack::StackRecord;

/// What an operator does to a deployment
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Send the dead letters of a deployment through the pipe's functions again.
    ///
    /// Safe at any time: an event that was delivered already comes again under the same id. A record that is rejected
    /// again stays where it is.
    Replay(Target),
    /// Runs of exports from HealthLake: start one, list them, commit past one that is incomplete.
    Export {
        #[command(subcommand)]
        task: export::Task,
    },
    /// The lake: take in what was in the table before it, compact it, replay what did not get in.
    Lake {
        #[command(subcommand)]
        task: lake::Task,
    },
}

#[derive(Args)]
struct Target {
    /// The deployment's environment name
    #[arg(long, default_value = "dev")]
    environment: String,
    /// The stack that `cargo xtask local up` started, instead of AWS
    #[arg(long)]
    local: bool,
    /// The folder of another local stack
    #[arg(long, value_name = "DIR", conflicts_with = "local")]
    local_folder: Option<PathBuf>,
}

impl Target {
    async fn sdk_config(&self) -> Result<SdkConfig> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
        let folder = self.local_folder.clone().or_else(|| self.local.then(|| root.join(".local/stack")));
        let config = match folder {
            Some(folder) => endpoint::sdk_config(StackRecord::read(&folder)?.port).await,
            None => aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await,
        };
        // An invocation answers only when its function has ended, which may take its 15 minutes.
        Ok(clients::without_timeouts(&config))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Replay(target) => replay::replay(&target).await,
        Task::Export { task } => export::run(task).await,
        Task::Lake { task } => lake::run(task).await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
