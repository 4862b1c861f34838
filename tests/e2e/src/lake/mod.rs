//! A stack with the lake under way: what is written, who disturbs it, who reads it, and what it has to hold.

pub mod changes;
mod expected;
mod kills;
mod looks;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::types::QueueAttributeName;
use demo::history::{Follower, HistoryRecord};
use demo::lake::{Lake, invoke};
use demo::plain_json::canonical_values;
use domain::lake::object_key::RAW;
use fastrand::Rng;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::exports::until;
use crate::scenario::Scenario;
use changes::Lane;

pub use expected::{Copied, Expected};
pub use looks::Looks;

/// So many write at once.
const LANES: usize = 4;
/// How long a function may fail in a row.
const PATIENCE: Duration = Duration::from_secs(30);
/// Records of one invocation that is to be killed: enough to be at work for a while.
const CUT: usize = 500;

pub struct LakeScenario {
    pub scenario: Scenario,
    pub lake: Lake,
}

impl LakeScenario {
    /// # Errors
    /// Where the stack does not start, or the app is not deployed.
    pub async fn start(name: &str, options: &Value) -> Result<Self> {
        let scenario = Scenario::start(name, options).await?;
        let lake = Lake::of(&scenario.stack, &scenario.deployment)?;
        Ok(Self { scenario, lake })
    }

    /// What `cargo xtask lake` runs, to be started. Its process ends with the handle to it.
    #[must_use]
    pub fn operator(&self, arguments: &[&str]) -> Command {
        let stack = &self.scenario.stack;
        let mut command = Command::new(stack.repository.root.join("target/debug/operator"));
        command.arg("lake").args(arguments).arg("--local-folder").arg(&stack.folder).kill_on_drop(true);
        command
    }

    #[must_use]
    pub fn lanes(seed: u64) -> Vec<Lane> {
        (0..LANES).map(|number| Lane::new(number, seed)).collect()
    }

    /// Writes so many changes to the table.
    ///
    /// # Errors
    /// Where the table does not take them.
    pub async fn write(&self, lanes: &mut [Lane], changes: usize) -> Result<()> {
        let client = &aws_sdk_dynamodb::Client::new(&self.scenario.deployment.config);
        let table = self.scenario.deployment.output("ItemsTableName")?;
        let share = changes / LANES;
        stream::iter(lanes.iter_mut().enumerate())
            .map(|(number, lane)| async move {
                let mut left = if number == 0 { changes - share * (LANES - 1) } else { share };
                while left > 0 {
                    left -= lane.write(client, table, left).await?;
                }
                anyhow::Ok(())
            })
            .buffer_unordered(LANES)
            .try_collect()
            .await
    }

    /// # Errors
    /// Where the stream does not answer.
    pub async fn follower(&self) -> Result<Follower> {
        let client = aws_sdk_dynamodbstreams::Client::new(&self.scenario.deployment.config);
        Follower::open(client, self.scenario.deployment.output("ItemsStreamArn")?).await
    }

    /// Brings records to the writer once more, in a batch that was never cut so.
    ///
    /// # Errors
    /// Where the writer goes on failing, or reports one of them.
    pub async fn redeliver(&self, records: &[HistoryRecord]) -> Result<()> {
        let event = batch(records);
        let answer = persist("the records are delivered once more", || {
            invoke(&self.lake.lambda, &self.lake.writer_function, &event)
        })
        .await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        ensure!(answer["batchItemFailures"] == json!([]), "{answer}");
        Ok(())
    }

    /// Has everything compacted that can be.
    ///
    /// # Errors
    /// Where the planner goes on failing.
    pub async fn plan(&self) -> Result<()> {
        persist("the lake is planned", || self.lake.plan()).await.map(drop)
    }

    /// Kills the writer within a batch of records that are in the stream.
    ///
    /// # Errors
    /// Where it cannot be hit.
    pub async fn kill_the_writer(&self, history: &[HistoryRecord], random: &mut Rng) -> Result<()> {
        let longest = Duration::from_millis(250);
        let cut = |random: &mut Rng| batch(random_cut(history, CUT, random));
        self.kill_at_work(&self.lake.writer_function, longest, random, cut).await
    }

    /// Kills the compactor within a folder that it has to compact.
    ///
    /// # Errors
    /// Where it cannot be hit.
    pub async fn kill_the_compactor(&self, random: &mut Rng) -> Result<()> {
        let raw = self.lake.files(RAW).await?;
        let prefix = self.lake.folder(RAW);
        let folders: BTreeSet<&str> = raw
            .iter()
            .filter_map(|file| file.key.strip_prefix(&prefix)?.rsplit_once('/').map(|(folder, _)| folder))
            .collect();
        let folders: Vec<&str> = folders.into_iter().collect();
        let table = &self.lake.config.table;
        let message = |random: &mut Rng| {
            let folder = random.choice(&folders).copied().unwrap_or_default();
            let body =
                json!({"directory": format!("compact/{table}/{folder}"), "settleSeconds": 0}).to_string();
            json!({"Records": [{
                "messageId": "by-hand", "receiptHandle": "by-hand", "body": body, "attributes": {},
                "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1",
            }]})
        };
        let longest = Duration::from_millis(800);
        self.kill_at_work(&self.lake.compactor_function, longest, random, message).await
    }

    /// How many folders wait for the compactor. Those that it was killed over wait elsewhere, for as long as it may run.
    ///
    /// # Errors
    /// Where the queue does not answer.
    pub async fn waiting(&self) -> Result<usize> {
        let client = aws_sdk_sqs::Client::new(&self.scenario.deployment.config);
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let queue = self.scenario.deployment.output("LakeCompactionsQueueUrl")?;
        let answer =
            client.get_queue_attributes().queue_url(queue).attribute_names(name.clone()).send().await?;
        let count = answer.attributes.and_then(|mut attributes| attributes.remove(&name));
        count.context("a queue without a length")?.parse().context("the length of a queue")
    }

    /// The table as it stands, by key.
    ///
    /// # Errors
    /// Where the table does not answer.
    pub async fn table(&self) -> Result<HashMap<(String, String), String>> {
        let table = self.scenario.table().await?;
        table.into_iter().map(|(key, item)| Ok((key, canonical_values(&item)?))).collect()
    }

    /// The values of the partitions that Glue knows of a table.
    ///
    /// # Errors
    /// Where Glue does not answer.
    pub async fn registered(&self, table: &str) -> Result<BTreeSet<Vec<String>>> {
        let client = aws_sdk_glue::Client::new(&self.scenario.deployment.config);
        let mut pages = client
            .get_partitions()
            .database_name(self.scenario.deployment.output("LakeDatabaseName")?)
            .table_name(table)
            .into_paginator()
            .send();
        let mut registered = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let partitions = page.context("GetPartitions")?.partitions.unwrap_or_default();
            registered.extend(partitions.into_iter().filter_map(|partition| partition.values));
        }
        Ok(registered)
    }
}

/// Calls a function until it answers: a deployment, or a kill that was meant for another call, may take it along.
async fn persist<T, F: Future<Output = Result<T>>>(what: &str, call: impl Fn() -> F) -> Result<T> {
    until(PATIENCE, what, || async { Ok(call().await.ok()) }).await
}

/// Records that follow each other, at most so many.
#[must_use]
pub fn random_cut<'h>(history: &'h [HistoryRecord], most: usize, random: &mut Rng) -> &'h [HistoryRecord] {
    let length = random.usize(1..=most.min(history.len()).max(1));
    let start = random.usize(0..=history.len().saturating_sub(length));
    history.get(start..start + length).unwrap_or_default()
}

/// The event that Lambda hands to the writer.
fn batch(records: &[HistoryRecord]) -> Value {
    let records: Vec<&RawValue> = records.iter().map(|record| &*record.json).collect();
    json!({"Records": records})
}
