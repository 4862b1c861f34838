//! One scenario: its own stack, what it writes, and what comes of it.

use std::collections::HashMap;
use std::process::{Command, Output};
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use demo::dead_letters::{self, Dead};
use demo::deployment::{Deployment, LocalStack, Repository, StackStart};
use demo::history::{self, HistoryRecord};
use demo::inbox::{Arrivals, Inbox};
use demo::plain_json::{canonical, of_item};
use demo::source::Write;
use demo::{ledger, writer};
use tokio::sync::MutexGuard;
use tokio::time::{Instant, sleep};

const LOOK_EVERY: Duration = Duration::from_millis(200);

pub struct Scenario {
    pub stack: LocalStack,
    pub deployment: Deployment,
    pub inbox: Inbox,
}

impl Scenario {
    /// Starts a stack of the scenario's own, and deploys the app with the options.
    ///
    /// # Errors
    /// Where that fails.
    pub async fn start(name: &str, options: &serde_json::Value) -> Result<Self> {
        let repository = Repository::of_this_build();
        let folder = repository.root.join(".local/e2e").join(name);
        let stack = LocalStack::start(repository, StackStart { folder, ..StackStart::default() }).await?;
        stack.bootstrap().await?;
        let deployment = stack.deploy(options).await?;
        let inbox = Inbox::open(&deployment)?;
        Ok(Self { stack, deployment, inbox })
    }

    /// # Errors
    /// Where the stack does not end.
    pub async fn end(self) -> Result<()> {
        drop(self.inbox);
        self.stack.stop().await
    }

    /// # Errors
    /// Where the table refuses a write.
    pub async fn write(&self, writes: Vec<Write>) -> Result<writer::SentAt> {
        let client = aws_sdk_dynamodb::Client::new(&self.deployment.config);
        let table = self.deployment.output("ItemsTableName")?;
        writer::write_all(&client, table, writes, &AtomicUsize::new(0)).await
    }

    pub async fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.inbox.arrivals.lock().await
    }

    /// # Errors
    /// Where the stream does not answer.
    pub async fn history(&self) -> Result<Vec<HistoryRecord>> {
        let client = aws_sdk_dynamodbstreams::Client::new(&self.deployment.config);
        history::read(&client, self.deployment.output("ItemsStreamArn")?).await
    }

    /// # Errors
    /// Where the bucket does not answer.
    pub async fn dead(&self) -> Result<Vec<Dead>> {
        dead_letters::read(&self.deployment).await
    }

    /// Waits until what has arrived fulfils the condition.
    ///
    /// # Errors
    /// Where it does not within the limit, or a consumer failed.
    pub async fn until(
        &mut self,
        limit: Duration,
        what: &str,
        condition: impl Fn(&Arrivals) -> bool,
    ) -> Result<()> {
        let started = Instant::now();
        loop {
            self.inbox.check()?;
            let arrivals = self.arrivals().await;
            if condition(&arrivals) {
                return Ok(());
            }
            if started.elapsed() > limit {
                let (changes, rejects) = (arrivals.changes.len(), arrivals.rejects.len());
                bail!("not within {limit:?}: {what}; {changes} events and {rejects} rejects have arrived");
            }
            drop(arrivals);
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until every record of the stream is an event or a dead letter, and tells what was dead then.
    ///
    /// # Errors
    /// Where that is not so within the limit; the error tells how many are missing.
    pub async fn until_nothing_is_missing(
        &mut self,
        limit: Duration,
    ) -> Result<(Vec<HistoryRecord>, Vec<Dead>)> {
        let started = Instant::now();
        loop {
            self.inbox.check()?;
            let history = self.history().await?;
            let dead = self.dead().await?;
            let missing = ledger::missing(&history, &*self.arrivals().await, &dead).len();
            if missing == 0 {
                return Ok((history, dead));
            }
            if started.elapsed() > limit {
                bail!("{missing} of {} records are missing after {limit:?}", history.len());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Runs what `cargo xtask replay` runs.
    ///
    /// # Errors
    /// Where the program cannot be started.
    pub fn replay(&self) -> Result<Output> {
        Command::new(self.stack.repository.root.join("target/debug/operator"))
            .arg("replay")
            .arg("--local-folder")
            .arg(&self.stack.folder)
            .output()
            .context("starting the operator's program")
    }

    /// The items of the table, as canonical JSON.
    ///
    /// # Errors
    /// Where the table does not answer.
    pub async fn table(&self) -> Result<HashMap<(String, String), String>> {
        let client = aws_sdk_dynamodb::Client::new(&self.deployment.config);
        let mut pages = client
            .scan()
            .table_name(self.deployment.output("ItemsTableName")?)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut table = HashMap::new();
        while let Some(item) = pages.next().await {
            let item = item?;
            let text =
                |name: &str| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).cloned();
            let key = (text("id").context("no id")?, text("sk").context("no sk")?);
            table.insert(key, canonical(&of_item(item)?)?);
        }
        Ok(table)
    }

    /// The table as a consumer knows it: of each key, the item of the event with the highest sequence.
    ///
    /// # Errors
    /// Where an event cannot be read.
    pub async fn table_from_events(&self) -> Result<HashMap<(String, String), String>> {
        let arrivals = self.arrivals().await;
        let mut table = HashMap::new();
        for (key, arrival) in ledger::latest(&arrivals) {
            if arrival.operation != domain::change::Operation::Remove {
                let event = arrival.event()?;
                table.insert(key.clone(), canonical(event.item.context("no item")?.get())?);
            }
        }
        Ok(table)
    }

    /// Disturbs AWS's services, in place of what disturbed them before (`crates/local-stack/ministack/gaps/faults`).
    ///
    /// # Errors
    /// Where the stack does not take the faults.
    pub async fn disturb(&self, faults: &serde_json::Value) -> Result<()> {
        let url = format!("{}/_local-stack/faults", self.stack.record()?.endpoint);
        let answer = reqwest::Client::new().put(url).body(faults.to_string()).send().await?;
        ensure!(answer.status().is_success(), "{}", answer.text().await?);
        Ok(())
    }

    /// Sets or removes a variable of a function, which then starts anew.
    ///
    /// # Errors
    /// Where the function is not there.
    pub async fn set_variable(&self, function: &str, name: &str, value: Option<&str>) -> Result<()> {
        let client = aws_sdk_lambda::Client::new(&self.deployment.config);
        let configuration = client.get_function_configuration().function_name(function).send().await?;
        let mut variables =
            configuration.environment.and_then(|environment| environment.variables).unwrap_or_default();
        match value {
            Some(value) => variables.insert(name.to_owned(), value.to_owned()),
            None => variables.remove(name),
        };
        let environment =
            aws_sdk_lambda::types::Environment::builder().set_variables(Some(variables)).build();
        client
            .update_function_configuration()
            .function_name(function)
            .environment(environment)
            .send()
            .await?;
        Ok(())
    }
}
