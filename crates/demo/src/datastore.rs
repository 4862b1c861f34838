//! A HealthLake datastore of the deployment: what lies in it, and runs that export it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_sdk_sfn as step_functions;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::export::datastore::DatastoreId;
use domain::export::run::{RunId, RunRecord};
use export_runs::ExportRuns;
use local_stack::healthlake::control::{Control, LoadedMeta};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep};

use crate::deployment::{Deployment, LocalStack};

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The datastore of one name in the options `datastores`.
pub struct Datastore {
    pub id: DatastoreId,
    pub healthlake: Control,
    pub runs: ExportRuns,
    pub step_functions: step_functions::Client,
    pub state_machine_arn: String,
    /// What was written, and is expected to arrive: of each resource the last version.
    pub latest: BTreeMap<ResourceName, String>,
}

/// Type and id.
pub type ResourceName = (String, String);

/// What names a resource and its version.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    resource_type: String,
    id: String,
    #[serde(default)]
    meta: Option<NamedMeta>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamedMeta {
    version_id: Option<String>,
}

/// An execution that has ended.
#[derive(Debug)]
pub struct Ended {
    pub run_id: RunId,
    pub status: ExecutionStatus,
    pub output: Option<String>,
    pub error: Option<String>,
    pub cause: Option<String>,
}

impl Datastore {
    /// # Errors
    /// Where the deployment has none of that name.
    pub fn of(stack: &LocalStack, deployment: &Deployment, name: &str) -> Result<Self> {
        let prefix: String = name.split('-').map(capitalized).collect();
        Ok(Self {
            id: DatastoreId(deployment.output(&format!("{prefix}DatastoreId"))?.to_owned()),
            healthlake: Control::new(stack.ports.healthlake),
            runs: ExportRuns {
                client: aws_sdk_dynamodb::Client::new(&deployment.config),
                table_name: deployment.output("ExportRunsTableName")?.to_owned(),
            },
            step_functions: step_functions::Client::new(&deployment.config),
            state_machine_arn: deployment.output(&format!("{prefix}ExportStateMachineArn"))?.to_owned(),
            latest: BTreeMap::new(),
        })
    }

    /// Puts resources there, one on a line; each becomes version 1.
    ///
    /// # Errors
    /// Where a line is no resource.
    pub async fn load(&mut self, ndjson: String) -> Result<usize> {
        let names: Vec<Named> = ndjson
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .context("a resource to load")?;
        self.healthlake.load(self.id.as_str(), ndjson, LoadedMeta::New).await?;
        let count = names.len();
        self.latest.extend(names.into_iter().map(|named| ((named.resource_type, named.id), "1".to_owned())));
        Ok(count)
    }

    /// Creates or updates a resource, and answers it as it is stored.
    ///
    /// # Errors
    /// Where it is no resource.
    pub async fn put(&mut self, resource: &str) -> Result<Box<RawValue>> {
        let named: Named = serde_json::from_str(resource).context("a resource to put")?;
        let (resource_type, id) = (named.resource_type, named.id);
        let stored =
            self.healthlake.put_resource(self.id.as_str(), &resource_type, &id, resource.to_owned()).await?;
        let named: Named = serde_json::from_str(stored.get())?;
        let version =
            named.meta.and_then(|meta| meta.version_id).context("a stored resource without a version")?;
        self.latest.insert((resource_type, id), version);
        Ok(stored)
    }

    /// Starts an execution with that input.
    ///
    /// # Errors
    /// Where Step Functions does not take it.
    pub async fn start_run(&self, input: &serde_json::Value) -> Result<String> {
        let started = self
            .step_functions
            .start_execution()
            .state_machine_arn(&self.state_machine_arn)
            .input(input.to_string())
            .send()
            .await
            .context("starting an execution")?;
        Ok(started.execution_arn)
    }

    /// Waits until an execution has ended.
    ///
    /// # Errors
    /// Where it has not within the limit.
    pub async fn until_ended(&self, execution_arn: &str, limit: Duration) -> Result<Ended> {
        let started = Instant::now();
        loop {
            let execution = self
                .step_functions
                .describe_execution()
                .execution_arn(execution_arn)
                .send()
                .await
                .context("describing an execution")?;
            if execution.status != ExecutionStatus::Running {
                return Ok(Ended {
                    run_id: RunId(execution.name.unwrap_or_default()),
                    status: execution.status,
                    output: execution.output,
                    error: execution.error,
                    cause: execution.cause,
                });
            }
            if started.elapsed() > limit {
                bail!("{execution_arn} has not ended within {limit:?}");
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Runs the state machine to its end, which has to be a success, and answers the run's record.
    ///
    /// # Errors
    /// Where the execution fails, or leaves no record.
    pub async fn run(&self, input: &serde_json::Value, limit: Duration) -> Result<RunRecord> {
        let ended = self.until_ended(&self.start_run(input).await?, limit).await?;
        if ended.status != ExecutionStatus::Succeeded {
            bail!(
                "the run failed: {}: {}",
                ended.error.unwrap_or_else(|| ended.status.to_string()),
                ended.cause.unwrap_or_default()
            );
        }
        self.record(&ended.run_id).await
    }

    /// # Errors
    /// Where the run has no record among the latest.
    pub async fn record(&self, run: &RunId) -> Result<RunRecord> {
        let latest = self.runs.latest(&self.id, 100).await?;
        latest
            .into_iter()
            .find(|record| record.key.id == *run)
            .with_context(|| format!("no record of run {run}"))
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
