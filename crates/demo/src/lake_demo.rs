//! The demo's lake: what the writer wrote, compacted, and asked in three ways.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use domain::lake::object_key::{COMPACT, LATEST, RAW};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::dead_letters;
use crate::deployment::{Deployment, LocalStack};
use crate::history::HistoryRecord;
use crate::lake::{Counts, Engine, Lake, Order, Table, by_folder, tree};

const COMPACTION_LIMIT: Duration = Duration::from_mins(5);
/// How long nothing may arrive before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(45);
const LOOK_EVERY: Duration = Duration::from_millis(250);

const CHANGES_BY_TYPE: &str = r#"SELECT "itemtype", "_op", count(*) AS "changes" FROM "changes"
GROUP BY "itemtype", "_op" ORDER BY "itemtype", "_op""#;
/// The query of the deployment that joins the lake with what HealthLake exported.
const BLEND: &str = "resources-of-patients";

/// The option `lake`: a batch is written at once, and the current state lies in few folders.
#[must_use]
pub fn lake() -> Value {
    json!({"batchingWindowSeconds": 1, "latestBuckets": 2})
}

/// The demo's summary of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Stream records.
    pub changes: usize,
    /// Rows of the view `changes`.
    pub rows: usize,
    /// Distinct event ids among them.
    pub distinct: usize,
    /// Records with neither a row nor a dead letter.
    pub missing: usize,
    /// Rows whose event id another row has, and keys that have two rows in `latest`.
    pub doubled: usize,
    /// Files that the writer has written.
    pub files: usize,
    /// Those of them that were compacted.
    pub files_compacted: usize,
    /// Folders that the changes were divided into.
    pub partitions: usize,
}

/// What the user sees.
pub struct Shown {
    pub summary: Summary,
    /// The folders, before and after the compaction.
    pub trees: Vec<String>,
    pub answers: Vec<Answer>,
}

pub struct Answer {
    pub question: &'static str,
    pub table: Table,
}

/// Waits for the changes, compacts them, and asks.
///
/// # Errors
/// Where nothing compacts, or the readers disagree.
pub async fn run(
    stack: &LocalStack,
    deployment: &Deployment,
    history: &[HistoryRecord],
    say: &impl Fn(&str),
) -> Result<Shown> {
    let lake = Lake::of(stack, deployment)?;
    say("waiting for the changes in the lake");
    until_written(&lake, history.len()).await?;
    let raw = lake.files(RAW).await?;
    let mut trees = vec![tree(RAW, &by_folder(&raw, &lake.folder(RAW)))];
    say(&format!("{} raw files; compacting them", raw.len()));
    lake.compact(COMPACTION_LIMIT).await?;
    for area in [COMPACT, LATEST] {
        trees.push(tree(area, &by_folder(&lake.files(area).await?, &lake.folder(area))));
    }

    say("asking DuckDB, pyarrow and Athena");
    let (counts, rows) = tokio::try_join!(counts(&lake), rows(&lake))?;
    let found: HashSet<[&str; 3]> =
        rows.iter().map(|[_, name @ ..]| name.each_ref().map(String::as_str)).collect();
    let dead = dead_letters::read_of_lake(deployment).await?;
    let missing = history.iter().filter(|record| {
        let name = [record.key.0.as_str(), &record.key.1, record.sequence.as_str()];
        let is_dead =
            dead.iter().any(|dead| dead.key == record.key && dead.sequence == record.sequence.as_str());
        !found.contains(&name) && !is_dead
    });
    let files = lake.files(RAW).await?.len();
    let summary = Summary {
        changes: history.len(),
        rows: rows.len(),
        distinct: counts.distinct,
        missing: missing.count(),
        doubled: rows.len() - counts.distinct + counts.items_doubled,
        files,
        files_compacted: files - lake.uncompacted().await?.len(),
        partitions: counts.partitions,
    };
    Ok(Shown { summary, trees, answers: answers(&lake).await? })
}

/// Waits until the lake has as many changes, or nothing more arrives.
async fn until_written(lake: &Lake, changes: usize) -> Result<()> {
    let (mut last, mut since) = (0, Instant::now());
    loop {
        let there = lake.reader.count(Engine::DuckDb, Order::RawFirst).await?.distinct;
        if there >= changes || since.elapsed() > PATIENCE {
            return Ok(());
        }
        if there > last {
            (last, since) = (there, Instant::now());
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Both readers have to count the same.
async fn counts(lake: &Lake) -> Result<Counts> {
    let duckdb = lake.reader.count(Engine::DuckDb, Order::CompactFirst).await?;
    let pyarrow = lake.reader.count(Engine::PyArrow, Order::RawFirst).await?;
    ensure!(duckdb == pyarrow, "DuckDB counts {duckdb:?}, pyarrow {pyarrow:?}");
    let sql =
        r#"SELECT count(*), count(DISTINCT "_event_id"), (SELECT count(*) FROM "latest") FROM "changes""#;
    let athena = lake.athena.query(sql).await?.rows;
    let same = [duckdb.distinct + duckdb.doubled, duckdb.distinct, duckdb.items + duckdb.items_doubled];
    ensure!(
        athena == [same.map(|count| Some(count.to_string()))],
        "DuckDB counts {duckdb:?}, Athena {athena:?}"
    );
    Ok(duckdb)
}

/// Event id, key and sequence of every row of `changes`.
async fn rows(lake: &Lake) -> Result<Vec<[String; 4]>> {
    let table = lake.reader.query(r#"SELECT "_event_id", "id", "sk", "_sequence" FROM "changes""#).await?;
    let named = |row: Vec<Option<String>>| {
        let values: Option<Vec<String>> = row.into_iter().collect();
        values.and_then(|values| values.try_into().ok())
    };
    let named: Vec<[String; 4]> = table.rows.into_iter().filter_map(named).collect();
    Ok(named)
}

/// What Athena answers, where DuckDB says the same.
async fn answers(lake: &Lake) -> Result<Vec<Answer>> {
    let blend = lake.athena.named_query(BLEND).await?.sql;
    let mut answers = Vec::new();
    for (question, sql) in [
        ("Changes of each type, by DuckDB and by Athena", CHANGES_BY_TYPE),
        ("Patients of the lake, joined with the FHIR resources that HealthLake exported", blend.as_str()),
    ] {
        let (duckdb, table) = tokio::try_join!(lake.reader.query(sql), lake.athena.query(sql))?;
        ensure!(
            duckdb.columns == table.columns,
            "columns of DuckDB {:?}, of Athena {:?}",
            duckdb.columns,
            table.columns
        );
        ensure!(
            duckdb.rows.len() == table.rows.len(),
            "{} rows by DuckDB, {} by Athena: {sql}",
            duckdb.rows.len(),
            table.rows.len()
        );
        answers.push(Answer { question, table });
    }
    Ok(answers)
}
