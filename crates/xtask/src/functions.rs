//! The functions and programs of the workspace, built for this machine.

use std::fs;

use anyhow::{Context, Result};

use crate::process::Program;
use crate::repository::Repository;

/// The Lambda functions, by the name of their binary.
pub const FUNCTIONS: [&str; 11] = [
    "stream-enricher",
    "item-router",
    "dead-letter-rescuer",
    "dead-letter-replayer",
    "export-coordinator",
    "export-starter",
    "export-poller",
    "export-publisher",
    "lake-writer",
    "lake-compactor",
    "lake-replayer",
];

/// Builds every function, and puts each as `bootstrap` into a folder of its own, from where the CDK app takes it.
pub fn build(repository: &Repository) -> Result<()> {
    build_workspace(repository)?;
    lay_out(repository)
}

/// The same of a build that has the tests in it, as the suites before have left one: tests want more features of the
/// dependencies than functions do, and without them all would be built a second time.
pub fn build_beside_tests(repository: &Repository) -> Result<()> {
    cargo_build(repository, &["--bins", "--tests"])?;
    lay_out(repository)
}

fn lay_out(repository: &Repository) -> Result<()> {
    for function in FUNCTIONS {
        let folder = repository.path("target/local-functions").join(function);
        fs::create_dir_all(&folder)?;
        fs::copy(repository.path("target/debug").join(function), folder.join("bootstrap"))
            .with_context(|| format!("copying {function}"))?;
    }
    Ok(())
}

/// Everything at once: built one by one, the crates would want their dependencies with different features, each set built
/// anew. Cargo shows its own progress.
pub fn build_workspace(repository: &Repository) -> Result<()> {
    cargo_build(repository, &[])
}

fn cargo_build(repository: &Repository, targets: &[&str]) -> Result<()> {
    let workspace = ["build", "--locked", "--workspace"];
    Program::new("cargo").args(workspace).args(targets).folder(&repository.root).run()
}
