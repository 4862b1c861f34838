//! What the flow ran on.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tokio::process::Command;

use crate::deployment::Repository;

const MINISTACK: &str = "import importlib.metadata as it; print(it.version('ministack'))";

/// By name. The functions are dev builds: a figure of a flow says little of the functions.
///
/// # Errors
/// Where a program does not say its version.
pub async fn versions(repository: &Repository) -> Result<BTreeMap<&'static str, String>> {
    let python = repository.python();
    let node = Path::new("node");
    Ok([
        ("ministack", said(&python, &["-c", MINISTACK]).await?),
        ("python", said(&python, &["--version"]).await?),
        ("node", said(node, &["--version"]).await?),
        ("awsCdk", aws_cdk(repository)?),
        ("functions", "dev profile, for this machine".to_owned()),
    ]
    .into())
}

async fn said(program: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .await
        .with_context(|| format!("running {}", program.display()))?;
    ensure!(output.status.success(), "{} {arguments:?} failed", program.display());
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn aws_cdk(repository: &Repository) -> Result<String> {
    #[derive(Deserialize)]
    struct Package {
        version: String,
    }
    let path = repository.root.join("infra/node_modules/aws-cdk/package.json");
    let package = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok(serde_json::from_slice::<Package>(&package)?.version)
}
