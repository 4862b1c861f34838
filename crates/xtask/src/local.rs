//! `cargo xtask local`: a stack that runs on while you work.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::process::Program;
use crate::repository::Repository;
use crate::{functions, tools};

#[derive(Subcommand)]
pub enum Task {
    /// Start a stack and deploy the app to it
    Up {
        /// Port on loopback
        #[arg(long, default_value_t = 4566)]
        port: u16,
    },
    /// End the stack
    Down,
    /// Say whether a stack runs, where, and what is deployed to it
    Status,
    /// Show the stack's logs
    Logs,
}

pub fn run(repository: &Repository, task: &Task) -> Result<ExitCode> {
    match task {
        Task::Up { port } => {
            tools::install_all(repository)?;
            functions::build(repository)?;
            Program::built(repository, "local-deployment")
                .args(["up", "--port", &port.to_string()])
                .become_it()
        }
        Task::Down => deployment(repository, "down"),
        Task::Status => deployment(repository, "status"),
        Task::Logs => logs(repository).map(|()| ExitCode::SUCCESS),
    }
}

fn deployment(repository: &Repository, task: &str) -> Result<ExitCode> {
    functions::build_workspace(repository)?;
    Program::built(repository, "local-deployment").arg(task).become_it()
}

fn logs(repository: &Repository) -> Result<()> {
    let folder = repository.local().join("stack");
    for name in ["local-stack.log", "ministack.log", "runner.log", "healthlake.log"] {
        let path = folder.join(name);
        let log = File::open(&path).with_context(|| {
            format!("there is no {}: has `cargo xtask local up` been run?", path.display())
        })?;
        for line in BufReader::new(log).lines() {
            println!("{name}: {}", line?);
        }
    }
    Ok(())
}
