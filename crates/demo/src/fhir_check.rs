//! The emitted FHIR, checked by two validators that are not ours (`tools/fhir-check`).

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::deployment::Repository;
use crate::inbox::Arrivals;

/// What the validators said.
#[derive(Debug, Default, Deserialize)]
pub struct FhirReport {
    pub checked: usize,
    pub invalid: usize,
    pub failures: Vec<FhirFailure>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FhirFailure {
    pub resource_type: String,
    pub validator: String,
    pub path: String,
    pub problem: String,
}

/// Checks the `fhir` of every arrival.
///
/// # Errors
/// Where the validators cannot run, or did not check every resource.
pub async fn check(repository: &Repository, arrivals: &Arrivals) -> Result<FhirReport> {
    let mut lines = String::new();
    let mut resources = 0;
    for arrival in arrivals.changes.iter().filter(|arrival| arrival.has_fhir) {
        if let Some(fhir) = arrival.event()?.fhir {
            lines.push_str(fhir.get());
            lines.push('\n');
            resources += 1;
        }
    }
    let mut validators = Command::new("node")
        .arg(repository.root.join("tools/fhir-check/check.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("starting the FHIR validators: is Node installed?")?;
    let mut input = validators.stdin.take().context("no input")?;
    let writing = tokio::spawn(async move { input.write_all(lines.as_bytes()).await });
    let output = validators.wait_with_output().await?;
    writing.await?.context("writing to the FHIR validators")?;
    let report: FhirReport = serde_json::from_slice(&output.stdout).context("the FHIR validators' report")?;
    ensure!(report.checked == resources, "{} of {resources} resources were checked", report.checked);
    Ok(report)
}
