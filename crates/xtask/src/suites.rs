//! The test suites, and what each runs.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::Program;
use crate::repository::Repository;
use crate::{bench, functions, synth, tools};

pub struct Suite {
    name: &'static str,
    run: fn(&Repository) -> Result<()>,
}

/// From the quick to the slow, so that a mistake shows early.
const SUITES: &[Suite] = &[
    Suite { name: "format", run: format },
    Suite { name: "lint", run: lint },
    Suite { name: "rust", run: rust },
    Suite { name: "fhir-check", run: fhir_check },
    Suite { name: "ministack", run: ministack },
    Suite { name: "lake-reader", run: lake_reader },
    Suite { name: "costs", run: costs },
    Suite { name: "infra", run: infra },
    Suite { name: "synth", run: synth },
    Suite { name: "bench", run: bench::suite },
    Suite { name: "e2e", run: e2e },
];

pub fn parse(name: &str) -> Result<&'static Suite> {
    match SUITES.iter().find(|suite| suite.name == name) {
        Some(suite) => Ok(suite),
        None => bail!("there is no such suite; the suites are {}", names()),
    }
}

fn names() -> String {
    SUITES.iter().map(|suite| suite.name).collect::<Vec<_>>().join(", ")
}

/// Runs the suites, or all of them where none is named, and sums up. One that fails does not stop the others.
pub fn run(repository: &Repository, suites: &[&'static Suite]) -> Result<ExitCode> {
    tools::install_all(repository)?;
    let all: Vec<&Suite> = SUITES.iter().collect();
    let suites = if suites.is_empty() { &all } else { suites };
    let mut results: Vec<(&str, Result<()>, Duration)> = Vec::new();
    for (number, suite) in suites.iter().enumerate() {
        println!("\n=== {} ({} of {})", suite.name, number + 1, suites.len());
        let started = Instant::now();
        let result = (suite.run)(repository);
        if let Err(error) = &result {
            println!("{} failed: {error:#}", suite.name);
        }
        results.push((suite.name, result, started.elapsed()));
    }
    println!();
    for (name, result, took) in &results {
        let word = if result.is_ok() { "passed" } else { "FAILED" };
        println!("{name:<12}{word:<8}{:>6} s", took.as_secs());
    }
    let failed = results.iter().filter(|(_, result, _)| result.is_err()).count();
    println!("suites: {} passed, {failed} failed", results.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Errors tell their causes without a trace, also where `RUST_BACKTRACE` is set: the end of a log is what is read of a run
/// that failed, and the frames would take it from the causes.
fn cargo(repository: &Repository, arguments: &[&str]) -> Result<()> {
    Program::new("cargo").args(arguments).env("RUST_LIB_BACKTRACE", "0").folder(&repository.root).run()
}

fn format(repository: &Repository) -> Result<()> {
    cargo(repository, &["fmt", "--all", "--check"])
}

fn lint(repository: &Repository) -> Result<()> {
    cargo(repository, &["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny=warnings"])
}

fn rust(repository: &Repository) -> Result<()> {
    cargo(repository, &["test", "--locked", "--no-fail-fast", "--workspace", "--exclude=e2e"])
}

fn fhir_check(repository: &Repository) -> Result<()> {
    tools::npm(repository).args(["test", "--silent"]).folder(repository.path("tools/fhir-check")).run()
}

fn ministack(repository: &Repository) -> Result<()> {
    python_tests(repository, "crates/local-stack/ministack/tests")
}

/// The reader of the lake: two ways to read the same files, against each other.
fn lake_reader(repository: &Repository) -> Result<()> {
    python_tests(repository, "tools/lake-reader/tests")
}

/// The model of costs, and that the page in the docs is what it prints.
fn costs(repository: &Repository) -> Result<()> {
    python_tests(repository, "bench/cost")
}

fn python_tests(repository: &Repository, folder: &str) -> Result<()> {
    Program::new(repository.python_program("python"))
        .args(["-m", "unittest", "discover", "-s", folder])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .folder(&repository.root)
        .run()
}

fn infra(repository: &Repository) -> Result<()> {
    let folder = repository.path("infra");
    tools::npm(repository).args(["run", "--silent", "check"]).folder(&folder).run()?;
    tools::npm(repository).args(["test", "--silent"]).with_cdk_home(repository).folder(&folder).run()
}

/// Of a build that has the tests in it, as e2e.
fn synth(repository: &Repository) -> Result<()> {
    functions::build_beside_tests(repository)?;
    synth::templates(repository)
}

/// One test at a time: they measure and break things. Selected by their names from the whole workspace, because
/// for one package alone Cargo would build the dependencies anew, with that package's features.
fn e2e(repository: &Repository) -> Result<()> {
    functions::build_beside_tests(repository)?;
    let scenarios = [
        "--test=change_events",
        "--test=exports",
        "--test=export_faults",
        "--test=lake",
        "--test=lake_backfill",
        "--test=life_cycle",
    ];
    let one_at_a_time = ["--", "--test-threads=1", "--nocapture"];
    let options = ["test", "--locked", "--workspace", "--no-fail-fast"];
    cargo(repository, &[&options[..], &scenarios, &one_at_a_time].concat())
}
