//! A stack with many HealthLake datastores, one for each scenario, and the ways to disturb what goes on between them.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use demo::datastore::{Datastore, Ended};
use demo::export_ledger::missing;
use demo::inbox::Arrivals;
use domain::export::failure::FailureCode;
use domain::export::lease::State;
use domain::export::run::{RunId, RunRecord, RunStatus};
use local_stack::healthlake::control::{Fault, JobReport};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::scenario::Scenario;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long anything may take that is not meant to take long.
pub const SOON: Duration = Duration::from_mins(2);

/// A stack, and what goes wrong in it.
pub struct Exports {
    pub scenario: Scenario,
}

impl Exports {
    /// # Errors
    /// Where the stack does not start, or the app is not deployed.
    pub async fn start(name: &str, datastores: &Value) -> Result<Self> {
        let scenario = Scenario::start(name, &json!({"datastores": datastores})).await?;
        let exports = Self { scenario };
        // A message that nobody acknowledged comes again after as long as a function may take: too long for a test.
        for queue in ["ExportStartsQueueUrl", "ExportPollsQueueUrl"] {
            exports.set_visibility(queue, 6).await?;
        }
        Ok(exports)
    }

    async fn set_visibility(&self, queue: &str, seconds: u32) -> Result<()> {
        let client = aws_sdk_sqs::Client::new(&self.scenario.deployment.config);
        client
            .set_queue_attributes()
            .queue_url(self.scenario.deployment.output(queue)?)
            .attributes(aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout, seconds.to_string())
            .send()
            .await?;
        Ok(())
    }

    /// # Errors
    /// Where the deployment has none of that name.
    pub fn datastore(&self, name: &str) -> Result<Datastore> {
        Datastore::of(&self.scenario.stack, &self.scenario.deployment, name)
    }

    /// As [`Scenario::disturb`].
    ///
    /// # Errors
    /// Where the stack does not take the faults.
    pub async fn disturb(&self, faults: Value) -> Result<()> {
        self.scenario.disturb(&faults).await
    }

    /// # Errors
    /// Where the stack does not answer.
    pub async fn calm(&self) -> Result<()> {
        self.disturb(json!([])).await
    }

    /// Disturbs HealthLake.
    ///
    /// # Errors
    /// Where the stand-in does not answer.
    pub async fn disturb_healthlake(
        &self,
        datastore: &Datastore,
        faults: impl IntoIterator<Item = Fault>,
    ) -> Result<()> {
        let id = datastore.id.as_str();
        datastore.healthlake.set_faults(faults.into_iter().map(|fault| fault.in_datastore(id))).await
    }

    /// Sends a signal to every process of a function, of which there must be one.
    ///
    /// # Errors
    /// Where there is none.
    pub fn signal(&self, function: &str, signal: Signal) -> Result<()> {
        let processes = self.processes_of(function)?;
        ensure!(!processes.is_empty(), "{function} does not run");
        for process in processes {
            kill(process, signal)?;
        }
        Ok(())
    }

    /// # Errors
    /// Where they cannot be listed.
    pub fn processes_of(&self, function: &str) -> Result<Vec<Pid>> {
        self.scenario.processes_of(&format!("tributary-dev-{function}"))
    }

    /// Runs without any disturbance; what the datastore holds has to arrive, and the cursor to stand at the run's end.
    ///
    /// # Errors
    /// Where any of that is not so.
    pub async fn good_run(&mut self, datastore: &Datastore) -> Result<RunRecord> {
        self.calm().await?;
        datastore.healthlake.set_faults([]).await?;
        let record = datastore.run(&json!({}), SOON).await?;
        ensure!(record.status == RunStatus::Completed, "{record:?}");
        self.everything_arrives(datastore).await?;
        let state = settled_state(datastore).await?;
        ensure!(state.cursor == Some(record.window.until), "the cursor is {:?}: {record:?}", state.cursor);
        Ok(record)
    }

    /// # Errors
    /// Where something is missing.
    pub async fn everything_arrives(&mut self, datastore: &Datastore) -> Result<()> {
        let latest = datastore.latest.clone();
        self.scenario
            .until(SOON, "the latest versions arrive", |arrivals| missing(&latest, arrivals).is_empty())
            .await
    }

    /// Waits for an event about a run.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn announced(&mut self, run: &RunId, detail_type: &str) -> Result<Value> {
        let find = |arrivals: &Arrivals| {
            arrivals
                .runs
                .iter()
                .find(|event| event.run == run.0 && event.detail_type == detail_type)
                .map(|event| event.detail.clone())
        };
        self.scenario
            .until(SOON, &format!("{detail_type} of run {run}"), |arrivals| find(arrivals).is_some())
            .await?;
        find(&*self.scenario.arrivals().await).context("an event that has arrived")
    }

    /// A run that has to fail with that code, say so on the bus, leave the cursor where it was, and free the lease.
    ///
    /// # Errors
    /// Where any of that is not so.
    pub async fn fails_with(
        &mut self,
        datastore: &Datastore,
        execution: &str,
        code: FailureCode,
        cursor_before: Option<jiff::Timestamp>,
    ) -> Result<RunRecord> {
        let ended = datastore.until_ended(execution, SOON).await?;
        self.calm().await?;
        self.has_failed_with(datastore, &ended, code, cursor_before).await
    }

    async fn has_failed_with(
        &mut self,
        datastore: &Datastore,
        ended: &Ended,
        code: FailureCode,
        cursor_before: Option<jiff::Timestamp>,
    ) -> Result<RunRecord> {
        let record = until_over(datastore, &ended.run_id).await?;
        let failure = record.error.clone().with_context(|| format!("no failure: {record:?}"))?;
        ensure!(record.status == RunStatus::Failed && failure.code == code, "{failure:?}");
        ensure!(
            failure.cause.starts_with(code.meaning()),
            "the cause does not say what happened: {failure:?}"
        );
        let event = self.announced(&ended.run_id, "ExportRunFailed").await?;
        ensure!(event["failure"]["code"] == code.name(), "{event}");
        let state = settled_state(datastore).await?;
        ensure!(state.cursor == cursor_before, "the cursor has moved to {:?}", state.cursor);
        Ok(record)
    }
}

/// # Errors
/// Where the table does not answer.
pub async fn state(datastore: &Datastore) -> Result<State> {
    Ok(datastore.runs.state(&datastore.id).await?.unwrap_or_default())
}

/// The datastore's item, once no run holds its lease.
///
/// # Errors
/// Where one goes on holding it.
pub async fn settled_state(datastore: &Datastore) -> Result<State> {
    let found = until(SOON, "the lease is free", || async {
        Ok(Some(state(datastore).await?).filter(|state| state.lease.is_none()))
    });
    found.await
}

/// # Errors
/// Where the run goes on.
pub async fn until_over(datastore: &Datastore, run: &RunId) -> Result<RunRecord> {
    let over = until(SOON, "the run is over", || async {
        Ok(datastore.record(run).await.ok().filter(|record| record.status.is_over() && record.is_settled))
    });
    over.await
}

/// # Errors
/// Where the run does not come so far.
pub async fn until_status(datastore: &Datastore, execution: &str, status: RunStatus) -> Result<RunRecord> {
    let run = run_of(execution);
    let what = format!("the run is {status:?}");
    let there = until(SOON, &what, || async {
        Ok(datastore.record(&run).await.ok().filter(|record| record.status == status))
    });
    there.await
}

#[must_use]
pub fn run_of(execution: &str) -> RunId {
    RunId(execution.rsplit(':').next().unwrap_or_default().to_owned())
}

/// # Errors
/// Where the stand-in does not answer.
pub async fn jobs(datastore: &Datastore) -> Result<Vec<JobReport>> {
    Ok(datastore.healthlake.jobs(datastore.id.as_str()).await?.jobs)
}

/// Looks again and again until there is what is looked for.
///
/// # Errors
/// Where there is not within the limit, or looking fails.
pub async fn until<T, F>(limit: Duration, what: &str, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let started = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if started.elapsed() > limit {
            bail!("not within {limit:?}: {what}");
        }
        sleep(LOOK_EVERY).await;
    }
}
