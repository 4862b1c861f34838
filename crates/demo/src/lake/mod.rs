//! The lake of a deployment: its files, its compactor, and those who read it.

mod athena;
mod files;
mod reader;
mod tree;

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_lambda as lambda;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_s3 as s3;
use domain::lake::LakeConfig;
use domain::lake::object_key::RAW;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::deployment::{Deployment, LocalStack};

pub use athena::{Athena, NamedQuery};
pub use files::{File, Folder, by_folder};
pub use reader::{Counts, DumpedRow, Engine, LakeReader, Look, Order, Table, View, Watch};
pub use tree::tree;

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A compactor that was killed leaves its message invisible for as long as it may run. A new plan sends another.
const PLAN_AGAIN_EVERY: Duration = Duration::from_secs(10);

pub struct Lake {
    pub s3: s3::Client,
    pub lambda: lambda::Client,
    pub bucket_name: String,
    pub config: LakeConfig,
    pub writer_function: String,
    pub compactor_function: String,
    pub reader: LakeReader,
    pub athena: Athena,
}

impl Lake {
    /// # Errors
    /// Where the deployment has no lake.
    pub fn of(stack: &LocalStack, deployment: &Deployment) -> Result<Self> {
        Ok(Self {
            s3: s3::Client::new(&deployment.config),
            lambda: lambda::Client::new(&deployment.config),
            bucket_name: deployment.output("LakeBucketName")?.to_owned(),
            config: LakeConfig::parse(deployment.output("LakeConfiguration")?)?,
            writer_function: deployment.output("LakeWriterFunctionName")?.to_owned(),
            compactor_function: deployment.output("LakeCompactorFunctionName")?.to_owned(),
            reader: LakeReader::of(stack, deployment)?,
            athena: Athena::of(deployment)?,
        })
    }

    /// The folder of an area such as [`RAW`].
    #[must_use]
    pub fn folder(&self, area: &str) -> String {
        format!("{area}{}/", self.config.table)
    }

    /// The files of an area.
    ///
    /// # Errors
    /// Where the bucket does not answer.
    pub async fn files(&self, area: &str) -> Result<Vec<File>> {
        files::list(&self.s3, &self.bucket_name, &self.folder(area)).await
    }

    /// Raw files that no compaction has replaced.
    ///
    /// # Errors
    /// Where the bucket does not answer.
    pub async fn uncompacted(&self) -> Result<Vec<File>> {
        // In this order: a file that is deleted with its commit in between is then not listed.
        let replaced: HashSet<String> = files::replaced(&self.s3, &self.bucket_name).await?;
        let raw = self.files(RAW).await?;
        Ok(raw.into_iter().filter(|file| !replaced.contains(&file.key)).collect())
    }

    /// Sends every directory that has anything to compact to the compactor, however new it is.
    ///
    /// # Errors
    /// Where the planner fails.
    pub async fn plan(&self) -> Result<Value> {
        let answer =
            invoke(&self.lambda, &self.compactor_function, &json!({"plan": {"settleSeconds": 0}})).await?;
        serde_json::from_slice(&answer).context("the planner's answer")
    }

    /// Plans until every raw file that is there now has been replaced.
    ///
    /// # Errors
    /// Where that is not so within the limit.
    pub async fn compact(&self, limit: Duration) -> Result<()> {
        let there: HashSet<String> = self.files(RAW).await?.into_iter().map(|file| file.key).collect();
        let started = Instant::now();
        let mut planned: Option<Instant> = None;
        loop {
            if planned.is_none_or(|planned| planned.elapsed() > PLAN_AGAIN_EVERY) {
                self.plan().await?;
                planned = Some(Instant::now());
            }
            sleep(LOOK_EVERY).await;
            let left = self.uncompacted().await?.iter().filter(|file| there.contains(&file.key)).count();
            if left == 0 {
                return Ok(());
            }
            ensure!(started.elapsed() < limit, "{left} raw files are not compacted after {limit:?}");
        }
    }
}

/// Calls a function and waits for its answer.
///
/// # Errors
/// Where it fails; the error holds what Lambda says of it.
pub async fn invoke(client: &lambda::Client, function: &str, event: &Value) -> Result<Vec<u8>> {
    let invoked = client
        .invoke()
        .function_name(function)
        .payload(Blob::new(event.to_string()))
        .send()
        .await
        .with_context(|| format!("invoking {function}"))?;
    let payload = invoked.payload.map(Blob::into_inner).unwrap_or_default();
    if let Some(error) = invoked.function_error {
        bail!("{function}: {error}: {}", String::from_utf8_lossy(&payload));
    }
    Ok(payload)
}
