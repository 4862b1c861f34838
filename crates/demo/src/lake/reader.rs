//! The readers of `tools/lake-reader`: Python, so that they share no code with what wrote the files.

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use local_stack::endpoint;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::deployment::{Deployment, LocalStack};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    DuckDb,
    PyArrow,
}

/// Which files are listed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    RawFirst,
    CompactFirst,
}

#[derive(Debug, Clone, Copy)]
pub enum View {
    Changes,
    Latest,
}

/// What a reader finds when it counts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// In the files, repeats too.
    pub rows: usize,
    /// Event ids in `changes`.
    pub distinct: usize,
    /// Rows of `changes` whose event id an earlier row has.
    pub doubled: usize,
    /// Keys in `latest`.
    pub items: usize,
    pub items_doubled: usize,
    pub in_default_partition: usize,
    pub partitions: usize,
}

/// The answer to a query, every value as text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

/// One look of a [`Watch`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Look {
    pub reader: Engine,
    pub order: Order,
    pub changes: usize,
    /// Changes that an earlier look saw and this one did not.
    pub missing: usize,
    pub doubled: usize,
    pub items: usize,
    /// Keys whose row is older than one that an earlier look saw.
    pub items_behind: usize,
    pub items_doubled: usize,
    /// How often the files had to be listed.
    pub lists: usize,
    pub milliseconds: u64,
}

/// A row of a dump.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DumpedRow {
    pub event_id: String,
    pub sequence: String,
    pub operation: String,
    pub changed_at: String,
    pub removed_by: Option<String>,
    /// As [`canonical_values`](crate::plain_json::canonical_values) has it.
    pub item: Box<RawValue>,
}

#[derive(Debug, Clone)]
pub struct LakeReader {
    python: PathBuf,
    module: PathBuf,
    environment: Vec<(&'static str, String)>,
    bucket_name: String,
    configuration: String,
    /// Where there are datastores.
    export_bucket_name: Option<String>,
}

impl LakeReader {
    pub(super) fn of(stack: &LocalStack, deployment: &Deployment) -> Result<Self> {
        Ok(Self {
            python: stack.repository.python(),
            module: stack.repository.root.join("tools/lake-reader"),
            environment: endpoint::environment(stack.ports),
            bucket_name: deployment.output("LakeBucketName")?.to_owned(),
            configuration: deployment.output("LakeConfiguration")?.to_owned(),
            export_bucket_name: deployment.output("ExportBucketName").ok().map(str::to_owned),
        })
    }

    /// # Errors
    /// Where the reader fails; the error holds what it said.
    pub async fn count(&self, engine: Engine, order: Order) -> Result<Counts> {
        let lines =
            self.lines(&["count", "--reader", &engine.to_string(), "--order", &order.to_string()]).await?;
        lines.into_iter().next().context("no counts")
    }

    /// What DuckDB answers.
    ///
    /// # Errors
    /// Where the query fails; the error holds DuckDB's reason.
    pub async fn query(&self, sql: &str) -> Result<Table> {
        let mut arguments = vec!["query", sql];
        if let Some(bucket) = &self.export_bucket_name {
            arguments.extend(["--exports", bucket]);
        }
        self.lines(&arguments).await?.into_iter().next().context("no answer")
    }

    /// Every row of a view.
    ///
    /// # Errors
    /// Where the reader fails; the error holds what it said.
    pub async fn dump(&self, engine: Engine, order: Order, view: View) -> Result<Vec<DumpedRow>> {
        let view = match view {
            View::Changes => "changes",
            View::Latest => "latest",
        };
        self.lines(&["dump", view, "--reader", &engine.to_string(), "--order", &order.to_string()]).await
    }

    /// Looks again and again, with both engines and both orders in turn.
    ///
    /// # Errors
    /// Where the reader cannot be started.
    pub fn watch(&self, pause: Duration) -> Result<Watch> {
        let pause = pause.as_secs_f64().to_string();
        let mut command = self.command(&["watch", "--pause", &pause]);
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("starting a watch")?;
        let output = process.stdout.take().context("a watch without an output")?;
        let input = process.stdin.take();
        Ok(Watch { looks: BufReader::new(output).lines(), input, process })
    }

    async fn lines<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<Vec<T>> {
        let output = self
            .command(arguments)
            .stdin(Stdio::null())
            .output()
            .await
            .context("starting the lake's reader")?;
        if !output.status.success() {
            bail!("the lake's reader failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(serde_json::from_slice).collect::<Result<_, _>>().context("an answer of the lake's reader")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command
            .args(["-m", "lake_reader", "--lake", &self.bucket_name, "--configuration", &self.configuration])
            .args(arguments)
            .current_dir(&self.module)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .kill_on_drop(true);
        command
    }
}

/// A reader that looks until it is told to stop, or dropped.
pub struct Watch {
    looks: Lines<BufReader<ChildStdout>>,
    input: Option<ChildStdin>,
    process: Child,
}

impl Watch {
    /// The next look; `None` when the watch has ended.
    ///
    /// # Errors
    /// Where the reader failed.
    pub async fn next(&mut self) -> Result<Option<Look>> {
        if let Some(line) = self.looks.next_line().await? {
            return serde_json::from_str(&line).map(Some).context("a look at the lake");
        }
        let status = self.process.wait().await?;
        if status.success() { Ok(None) } else { bail!("the watch failed ({status})") }
    }

    /// Lets it end after the look that it is taking.
    pub fn stop(&mut self) {
        self.input = None;
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::DuckDb => "duckdb",
            Self::PyArrow => "pyarrow",
        })
    }
}

impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::RawFirst => "raw-first",
            Self::CompactFirst => "compact-first",
        })
    }
}
