//! `cargo xtask`: everything that a developer, an operator or CI runs.

#![expect(clippy::print_stdout, reason = "a program that talks to its user")]

mod bench;
mod functions;
mod local;
mod process;
mod repository;
mod schemas;
mod suites;
mod synth;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use process::Program;
use repository::Repository;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Everything that is run in this repository")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the main job on the local stack, and show what came out
    #[command(disable_help_flag = true)]
    Demo {
        /// `--once`, `--data DIR`, `--items N`, `--json FILE`; `--help` explains them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run the tests: all suites, or those named
    Test {
        #[arg(value_name = "SUITE", value_parser = suites::parse)]
        suites: Vec<&'static suites::Suite>,
    },
    /// Measure Tributary beside its peers, and write bench/RESULTS.md
    #[command(disable_help_flag = true)]
    Bench {
        /// `--quick`, `--only PATTERN`, `--anyway`; `--help` explains them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// A local stack for work with `cargo lambda watch` and `cargo lambda invoke`
    Local {
        #[command(subcommand)]
        task: local::Task,
    },
    /// Write the templates of both targets to infra/cdk.out
    Synth,
    /// Send the dead letters of a deployment through the pipe's functions again
    #[command(disable_help_flag = true)]
    Replay {
        /// `--environment NAME`, or `--local`; `--help` explains them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs of exports from HealthLake: start one, list them, commit past one that is incomplete
    #[command(disable_help_flag = true)]
    Export {
        /// `start`, `runs` or `accept`; `--help` explains them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The lake: take in what was in the table before it, compact it, replay what did not get in
    #[command(disable_help_flag = true)]
    Lake {
        /// `backfill`, `compact` or `replay`; `--help` explains them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the functions for this machine, as the local stack runs them
    BuildFunctions,
    /// Write schemas/ anew from the Rust types
    Schemas,
    /// Install cargo-lambda, cfn-lint and the other tools into .tools, without running anything
    Tools,
}

fn main() -> ExitCode {
    if let Err(error) = process::end_children_on_signals() {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    match run(Arguments::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    let repository = Repository::of_this_build();
    match task {
        Task::Demo { arguments } => {
            if !asks_for_help(&arguments) {
                tools::install_all(&repository)?;
            }
            functions::build(&repository)?;
            Program::built(&repository, "demo").args(&arguments).become_it()
        }
        Task::Test { suites } => suites::run(&repository, &suites),
        Task::Bench { arguments } => bench::run(&repository, &arguments),
        Task::Local { task } => local::run(&repository, &task),
        Task::Synth => synth::synth(&repository).map(|()| ExitCode::SUCCESS),
        Task::Replay { arguments } => operate(&repository, "replay", &arguments),
        Task::Export { arguments } => operate(&repository, "export", &arguments),
        Task::Lake { arguments } => operate(&repository, "lake", &arguments),
        Task::BuildFunctions => functions::build(&repository).map(|()| ExitCode::SUCCESS),
        Task::Schemas => schemas::write(&repository).map(|()| ExitCode::SUCCESS),
        Task::Tools => tools::install_all(&repository).map(|()| ExitCode::SUCCESS),
    }
}

fn asks_for_help(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument == "--help" || argument == "-h")
}

fn operate(repository: &Repository, task: &str, arguments: &[String]) -> Result<ExitCode> {
    functions::build_workspace(repository)?;
    Program::built(repository, "operator").arg(task).args(arguments).become_it()
}
