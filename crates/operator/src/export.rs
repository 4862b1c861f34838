//! Runs of exports, as an operator starts and judges them.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_sfn::types::ExecutionStatus;
use clap::{Args, Subcommand};
use domain::export::datastore::DatastoreId;
use domain::export::run::{RunId, RunRecord};
use export_runs::ExportRuns;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Target;

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How many runs a list shows.
const LISTED: i32 = 20;

#[derive(Subcommand)]
pub enum Task {
    /// Start a run now, and tell how far it is until it has ended.
    ///
    /// Without --full or --until it exports what has changed since the last one, as the schedule does.
    Start {
        /// Export everything, whatever the cursor says
        #[arg(long, conflicts_with_all = ["since", "until"])]
        full: bool,
        /// Replay what was modified from then on (RFC 3339); the cursor stays where it is
        #[arg(long, value_name = "TIME", requires = "until")]
        since: Option<Timestamp>,
        /// Replay what was modified up to then (RFC 3339)
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
        #[command(flatten)]
        of: Of,
    },
    /// The latest runs of a datastore, and where its cursor is.
    Runs {
        #[command(flatten)]
        of: Of,
    },
    /// Move the cursor past an INCOMPLETE run, on the record.
    ///
    /// What its export lacked is published when it changes again, or by a full run.
    Accept {
        /// The run, as `export runs` shows it
        #[arg(long, value_name = "ID")]
        run: String,
        /// Why; it is kept in the run's record
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        of: Of,
    },
}

#[derive(Args)]
pub struct Of {
    /// The datastore's name in the options `datastores`; not needed where there is one
    #[arg(long, value_name = "NAME")]
    datastore: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// A datastore of the deployment, found by the names that the CDK app gives.
struct Datastore {
    config: SdkConfig,
    state_machine_arn: String,
    id: DatastoreId,
    runs: ExportRuns,
    coordinator: String,
}

impl Datastore {
    async fn find(of: &Of) -> Result<Self> {
        let config = of.target.sdk_config().await?;
        let environment = &of.target.environment;
        let client = aws_sdk_sfn::Client::new(&config);
        let prefix = format!("tributary-{environment}-export-");
        let mut pages = client.list_state_machines().into_paginator().items().send();
        let mut machines = Vec::new();
        while let Some(machine) = pages.next().await {
            let machine = machine.context("listing the state machines")?;
            if let Some(name) = machine.name.strip_prefix(&prefix) {
                machines.push((name.to_owned(), machine.state_machine_arn));
            }
        }
        let names = machines.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let is_meant = |name: &str| of.datastore.as_deref().is_none_or(|wanted| wanted == name);
        machines.retain(|(name, _)| is_meant(name));
        let [(name, state_machine_arn)] = machines.as_slice() else {
            bail!(
                "which datastore? The environment {environment} has {}. Name one with --datastore",
                if names.is_empty() { "none" } else { &names }
            );
        };
        let described = client
            .describe_state_machine()
            .state_machine_arn(state_machine_arn)
            .send()
            .await
            .context("describing it")?;
        let definition: Value =
            serde_json::from_str(&described.definition).context("the state machine's definition")?;
        let id = definition
            .pointer("/States/TakeLease/Arguments/Payload/datastore/id")
            .and_then(Value::as_str)
            .with_context(|| {
                format!("the definition of {name} does not name its datastore: is it of another version?")
            })?;
        Ok(Self {
            state_machine_arn: state_machine_arn.clone(),
            id: DatastoreId(id.to_owned()),
            runs: ExportRuns {
                client: aws_sdk_dynamodb::Client::new(&config),
                table_name: format!("tributary-{environment}-export-runs"),
            },
            coordinator: format!("tributary-{environment}-export-coordinator"),
            config,
        })
    }

    async fn record(&self, run: &RunId) -> Result<Option<RunRecord>> {
        let latest = self.runs.latest(&self.id, LISTED).await?;
        Ok(latest.into_iter().find(|record| record.key.id == *run))
    }
}

pub async fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Start { full, since, until, of } => {
            let input = match (full, until) {
                (true, _) => json!({"mode": "full"}),
                (false, Some(until)) => json!({"mode": "replay", "since": since, "until": until}),
                (false, None) => json!({}),
            };
            start(&Datastore::find(&of).await?, &input).await
        }
        Task::Runs { of } => list(&Datastore::find(&of).await?).await,
        Task::Accept { run, reason, of } => accept(&Datastore::find(&of).await?, &RunId(run), &reason).await,
    }
}

async fn start(datastore: &Datastore, input: &Value) -> Result<ExitCode> {
    let client = aws_sdk_sfn::Client::new(&datastore.config);
    let started = client
        .start_execution()
        .state_machine_arn(&datastore.state_machine_arn)
        .input(input.to_string())
        .send()
        .await
        .context("starting an execution")?;
    let run = RunId(started.execution_arn.rsplit(':').next().unwrap_or_default().to_owned());
    println!("run {run} started; it goes on when this program is interrupted");
    let mut told = String::new();
    loop {
        let execution = client
            .describe_execution()
            .execution_arn(&started.execution_arn)
            .send()
            .await
            .context("describing the execution")?;
        let record = datastore.record(&run).await?;
        if let Some(record) = &record {
            let progress = progress(record);
            if progress != told {
                println!("{progress}");
                told = progress;
            }
        }
        if execution.status != ExecutionStatus::Running {
            let Some(record) = record else {
                println!(
                    "the run had nothing to do: another is under way, or the cursor is later than its start"
                );
                return Ok(ExitCode::SUCCESS);
            };
            if let Some(error) = &record.error {
                println!("{}: {}; docs/runbook.md says what to do", error.code, error.cause);
            }
            return Ok(if execution.status == ExecutionStatus::Succeeded {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        sleep(LOOK_EVERY).await;
    }
}

fn progress(record: &RunRecord) -> String {
    let status = format!("{:?}", record.status).to_uppercase();
    let since = record.window.since.map_or_else(|| "the beginning".to_owned(), |since| since.to_string());
    let mut text = format!("{status}, modified since {since} until {}", record.window.until);
    if let Some(job) = &record.job_id {
        let _ = write!(text, ", job {job}");
    }
    if record.ranges > 0 {
        let _ = write!(text, ", {} ranges", record.ranges);
    }
    if let Some(tally) = &record.tally {
        let _ = write!(text, ", {} published, {} rejected", tally.published_total(), tally.rejected_total());
    }
    if let Some(shortfall) = &record.shortfall {
        let _ = write!(
            text,
            "; not whole: {} files missing, errors of the job: {}",
            shortfall.missing_files, shortfall.has_job_errors
        );
    }
    text
}

async fn list(datastore: &Datastore) -> Result<ExitCode> {
    let state = datastore.runs.state(&datastore.id).await?.unwrap_or_default();
    let cursor = state.cursor.map_or_else(
        || "there is no cursor, so the next run exports everything".to_owned(),
        |cursor| format!("the cursor is at {cursor}"),
    );
    println!("datastore {}: {cursor}", datastore.id);
    if let Some(lease) = &state.lease {
        println!("run {} has the lease until {}", lease.run_id, lease.expires_at);
    }
    for record in datastore.runs.latest(&datastore.id, LISTED).await? {
        println!("{}  {}", record.key.id, progress(&record));
        if let Some(error) = &record.error {
            println!("    {}: {}", error.code, error.cause);
        }
        if let Some(accepted) = &record.accepted {
            println!("    accepted at {}: {}", accepted.at, accepted.reason);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Through the coordinator, so that an operator needs no right to write to the table.
async fn accept(datastore: &Datastore, run: &RunId, reason: &str) -> Result<ExitCode> {
    let request = json!({"step": "accept", "datastoreId": datastore.id, "runId": run, "reason": reason});
    let output = aws_sdk_lambda::Client::new(&datastore.config)
        .invoke()
        .function_name(&datastore.coordinator)
        .payload(Blob::new(request.to_string()))
        .send()
        .await
        .with_context(|| format!("invoking {}", datastore.coordinator))?;
    let answer: Value =
        serde_json::from_slice(output.payload.map(Blob::into_inner).unwrap_or_default().as_slice())
            .with_context(|| format!("the answer of {}", datastore.coordinator))?;
    if output.function_error.is_some() {
        bail!(
            "run {run} is not accepted: {}",
            answer["errorMessage"].as_str().unwrap_or("see the coordinator's log")
        );
    }
    println!(
        "run {run} is accepted; the cursor is at {}",
        answer["cursor"].as_str().unwrap_or("the beginning")
    );
    Ok(ExitCode::SUCCESS)
}
