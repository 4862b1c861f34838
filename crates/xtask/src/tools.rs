//! What the tasks need beside Rust, Node and Python, installed into ignored folders of the repository and nowhere else.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process::Program;
use crate::repository::Repository;

const NODE_HINT: &str = "Install Node.js 20 or newer.";
const PYTHON_HINT: &str = "Install Python 3.10 or newer; the bench needs 3.11.";

/// Installs what is missing or has another lock file than the one installed from.
pub fn install_all(repository: &Repository) -> Result<()> {
    python(repository)?;
    node(repository, "infra")?;
    node(repository, "tools/fhir-check")
}

/// What the peers of the bench are written with: Python's packages, Go's compiler among them, and Node's.
pub fn install_bench(repository: &Repository) -> Result<()> {
    python_environment(repository, "bench", "bench/requirements.txt", (3, 11))?;
    node(repository, "bench/peers/node")
}

/// MiniStack with DuckDB for its Athena, pyarrow for readers of the lake, cargo-lambda and cfn-lint.
fn python(repository: &Repository) -> Result<()> {
    python_environment(repository, "python", "tools/python/requirements.txt", (3, 10))
}

/// The environment of this name in .tools, with what its lock file lists for this version of Python at least.
fn python_environment(repository: &Repository, name: &str, lock: &str, least: (u32, u32)) -> Result<()> {
    let lock = repository.path(lock);
    let environment = repository.tools().join(name);
    install_once(&lock, &environment, || {
        let version = Program::new("python3")
            .args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
            .or_else(PYTHON_HINT)
            .output()?;
        require("Python", &version, least, PYTHON_HINT)?;
        Program::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment)
            .run_logged(repository, &format!("Creating the {name} environment"))?;
        Program::new(environment.join("bin/python"))
            .args(["-m", "pip", "install", "--no-deps", "--require-hashes", "--disable-pip-version-check"])
            .arg("--cache-dir")
            .arg(repository.tools().join("pip-cache"))
            .arg("--requirement")
            .arg(&lock)
            .run_logged(repository, &format!("Installing the {name} environment"))
    })
}

/// The packages of one folder with a `package-lock.json`.
fn node(repository: &Repository, folder: &str) -> Result<()> {
    let folder_path = repository.path(folder);
    install_once(&folder_path.join("package-lock.json"), &folder_path.join("node_modules"), || {
        let version = Program::new("node").arg("--version").or_else(NODE_HINT).output()?;
        require("Node.js", &version, (20, 0), NODE_HINT)?;
        npm(repository)
            .args(["ci", "--no-audit", "--no-fund"])
            .folder(&folder_path)
            .run_logged(repository, &format!("Installing Node packages of {}", folder.replace('/', "-")))
    })
}

/// With its cache and logs in the checkout.
pub fn npm(repository: &Repository) -> Program {
    Program::new("npm")
        .env("npm_config_cache", repository.tools().join("npm-cache"))
        .env("npm_config_update_notifier", "false")
        .or_else(NODE_HINT)
}

/// Installs unless it was done from the same lock file. The mark is set last, so that an interrupted installation is done
/// again.
fn install_once(lock: &Path, target: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read_to_string(lock).with_context(|| format!("reading {}", lock.display()))?;
    let mark = target.join(".installed-from");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(&mark, wanted).with_context(|| format!("writing {}", mark.display()))
}

fn require(what: &str, version: &str, least: (u32, u32), hint: &str) -> Result<()> {
    let mut numbers = version.trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0));
    let found: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < least {
        bail!("{what} {version} is too old. {hint}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, least, fits) in [
            ("v20.20.2", (20, 0), true),
            ("v9.1.0", (20, 0), false),
            ("3.9", (3, 10), false),
            ("3.11", (3, 10), true),
        ] {
            assert_eq!(require("it", version, least, "").is_ok(), fits, "{version}");
        }
        let error = require("Python", "3.9", (3, 10), PYTHON_HINT).unwrap_err().to_string();
        assert_eq!(error, "Python 3.9 is too old. Install Python 3.10 or newer; the bench needs 3.11.");
    }

    #[test]
    fn an_installation_is_done_again_until_it_has_succeeded_from_this_lock_file() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        let count = std::cell::Cell::new(0);
        let install = |succeeds: bool| {
            install_once(&lock, folder.path(), || {
                count.set(count.get() + 1);
                if succeeds { Ok(()) } else { bail!("no") }
            })
        };
        fs::write(&lock, "a").unwrap();
        assert!(install(false).is_err());
        assert!(install(true).is_ok() && install(true).is_ok());
        assert_eq!(count.get(), 2);
        fs::write(&lock, "b").unwrap();
        assert!(install(true).is_ok());
        assert_eq!(count.get(), 3);
    }
}
