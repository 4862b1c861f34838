//! Tributary beside its peers: what `bench/run.py` needs, and the run.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::process::Program;
use crate::repository::Repository;
use crate::{asks_for_help, functions, tools};

/// What a quick run measures of ours. Each further function is half a minute of a linker's time.
const QUICK_PACKAGES: [&str; 4] = ["contestant", "function-bench", "stream-enricher", "item-router"];

/// What is built does not depend on where the checkout is, and is built once for programs and tests.
const TRIMMED: &str = "-trimpath";

/// As AWS builds for `provided.al2023` (AWS Lambda developer guide, "Deploy Go Lambda functions with .zip file archives").
const WITHOUT_RPC: &str = "-tags=lambda.norpc";

/// Installs and builds what the run measures, and becomes it.
pub fn run(repository: &Repository, arguments: &[String]) -> Result<ExitCode> {
    if asks_for_help(arguments) {
        return Program::new("python3").arg(repository.path("bench/run.py")).arg("--help").become_it();
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    prepare(repository, quick)?;
    driver(repository, quick).args(arguments).become_it()
}

/// The suite: what the driver decides by, what the comparison of records cannot see of the peers, and then a quick run. A part
/// that fails does not stop the others: behind a page that is out of date there may be a ratio that fell.
pub fn suite(repository: &Repository) -> Result<()> {
    prepare(repository, true)?;
    let parts = [
        ("the driver's tests", unittest(repository, "bench/tests")),
        ("the Python peers' tests", unittest(repository, "bench/peers/python")),
        ("the Node peers' tests", test_node_peers(repository)),
        ("the Go peers' tests", test_go_peers(repository)),
        ("the quick run", driver(repository, true).arg("--quick").run()),
    ];
    let failed =
        parts.iter().filter_map(|(part, ended)| Some(format!("{part}: {:#}", ended.as_ref().err()?)));
    let failed: Vec<String> = failed.collect();
    ensure!(failed.is_empty(), "{} of {} parts\n{}", failed.len(), parts.len(), failed.join("\n"));
    Ok(())
}

fn unittest(repository: &Repository, tests: &str) -> Result<()> {
    python(repository).args(["-m", "unittest", "discover", "-s", tests]).run()
}

fn test_node_peers(repository: &Repository) -> Result<()> {
    tools::npm(repository)
        .args(["test", "--silent"])
        .folder(repository.path("bench/peers/node"))
        .run_logged(repository, "Testing the Node peers")
}

fn test_go_peers(repository: &Repository) -> Result<()> {
    go(repository)
        .args(["test", TRIMMED, WITHOUT_RPC, "./..."])
        .run_logged(repository, "Testing the Go peers")
}

fn driver(repository: &Repository, quick: bool) -> Program {
    python(repository).env("TRIBUTARY_BENCH_PROFILE", profile(quick)).arg("bench/run.py")
}

/// Of Cargo: what is deployed, or nearly that.
fn profile(quick: bool) -> &'static str {
    if quick { "quick" } else { "release" }
}

fn python(repository: &Repository) -> Program {
    Program::new(repository.bench_program("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("MPLCONFIGDIR", repository.tools().join("matplotlib"))
        .env("TRIBUTARY_BENCH_FUNCTIONS", functions::FUNCTIONS.join(" "))
        .folder(&repository.root)
}

fn prepare(repository: &Repository, quick: bool) -> Result<()> {
    tools::install_bench(repository)?;
    node_peers(repository)?;
    go_peers(repository, if quick { "./cmd/in-process" } else { "./cmd/..." })?;
    optimized_build(repository, quick)?;
    if quick {
        return Ok(());
    }
    // The whole flows run on the local stack, which runs dev builds.
    tools::install_all(repository)?;
    functions::build(repository)
}

/// Each function as one file, as it would be deployed.
fn node_peers(repository: &Repository) -> Result<()> {
    Program::new("node")
        .arg("build.mjs")
        .folder(repository.path("bench/peers/node"))
        .run_logged(repository, "Bundling the Node peers")
}

fn go_peers(repository: &Repository, programs: &str) -> Result<()> {
    go(repository)
        .args(["build", TRIMMED, WITHOUT_RPC, "-ldflags=-s -w", "-o"])
        .arg(repository.path("target/bench/"))
        .arg(programs)
        .run_logged(repository, "Building the Go peers")
}

/// The compiler of the bench's own environment, and no other one that it might want to fetch; with its caches in the
/// checkout.
fn go(repository: &Repository) -> Program {
    let caches = repository.tools().join("go");
    Program::new(repository.bench_program("go"))
        .env("GOTOOLCHAIN", "local")
        // A static binary. By default it is one only where there is no C compiler, and starts more slowly where there is one.
        .env("CGO_ENABLED", "0")
        .env("GOPATH", caches.join("path"))
        .env("GOMODCACHE", caches.join("modules"))
        .env("GOCACHE", caches.join("cache"))
        // Where it counts how often it was used.
        .env("XDG_CONFIG_HOME", caches.join("config"))
        // Else what is fetched could not be deleted with the folder.
        .env("GOFLAGS", "-modcacherw")
        .folder(repository.path("bench/peers/go"))
}

/// Cargo shows its own progress.
fn optimized_build(repository: &Repository, quick: bool) -> Result<()> {
    let further = if quick { &[][..] } else { &functions::FUNCTIONS };
    let packages = QUICK_PACKAGES.iter().chain(further.iter().filter(|name| !QUICK_PACKAGES.contains(name)));
    Program::new("cargo")
        .args(["build", "--profile", profile(quick), "--locked"])
        .args(packages.map(|package| format!("--package={package}")))
        .folder(&repository.root)
        .run()
}
