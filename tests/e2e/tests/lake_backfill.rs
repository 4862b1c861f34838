//! A lake beside a table that was full before it: what an operator brings into it, on the local stack.

#![expect(clippy::print_stdout, reason = "a scenario says what it has measured")]

use std::collections::HashMap;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use demo::history::{Follower, HistoryRecord};
use demo::lake::{Engine, Lake, Order, View, invoke};
use domain::change::DeadLetter;
use domain::lake::object_key::RAW;
use e2e::exports::until;
use e2e::lake::changes::{Lane, columns};
use e2e::lake::{Copied, Expected, LakeScenario};
use serde_json::{Value, json};
use tokio::task::spawn;

const SEED: u64 = 5;
/// Changes before the backfill; they leave some 2,000 items.
const BEFORE: usize = 5_600;
/// Changes at once while the table is scanned.
const STEP: usize = 20;
/// Changes between the process that is killed and the one that goes on.
const BETWEEN: usize = 300;
const SEGMENTS: usize = 16;
/// Of these, the ones that the table throttles: 1, and 10 to 15.
const THROTTLED: usize = 7;
/// Of these, one whose rows are written, and it cannot be kept that they are: 5.
const UNMARKED: usize = 1;
/// Under which backfills keep how far they are.
const BACKFILLS: &str = "backfills/";
/// Changes that the writer gives up.
const GIVEN_UP: usize = 6;
/// Where Lambda puts them.
const BATCHES: &str = "aws/lambda/";
/// How long anything may take that is not meant to take long.
const SOON: Duration = Duration::from_mins(1);

/// Seven folders, because each segment writes a file to each. What cannot be written is soon given up, and the pipe, which
/// reads the same stream, lets nothing pass.
fn options() -> Value {
    json!({
        "pipe": {"filterPatterns": [{"eventName": ["NEVER"]}]},
        "lake": {
            "partition": {"attributes": ["ward/site"]}, "columns": columns(), "batchingWindowSeconds": 1,
            "maximumRetryAttempts": 1, "latestBuckets": 4,
        },
    })
}

/// A scan that is killed and goes on, over a table that changes all the while; then changes that the writer had to give up.
#[tokio::test(flavor = "multi_thread")]
async fn i1_i2_a_table_that_was_full_before_the_lake_is_in_it_as_it_stands() -> Result<()> {
    let started = Instant::now();
    let say = |what: &str| println!("[{:>3} s] {what}", started.elapsed().as_secs());
    let scenario = LakeScenario::start("lake-backfill", &options()).await?;
    say("deployed");

    let mut lanes = LakeScenario::lanes(SEED);
    let mut follower = scenario.follower().await?;
    scenario.write(&mut lanes, BEFORE).await?;
    empty_the_lake(&scenario, follower.more().await?.len()).await?;
    let before = scenario.table().await?;
    say(&format!("{} items in the table, and none in the lake", before.len()));

    backfill(&scenario, &mut lanes, &say).await?;
    let mut lake = Filled { scenario, before, follower, history: Vec::new() };
    let changes = lake.until_written().await?;
    say(&format!("scanned, while {changes} changes were made"));
    let copied = lake.is_read(Engine::DuckDb, Order::RawFirst).await?;
    ensure!(copied.gone > 0 && copied.put_again > 0, "the scenario shows nothing: {copied:?}");
    lake.scenario.lake.compact(SOON).await?;
    lake.is_read(Engine::DuckDb, Order::CompactFirst).await?;
    lake.is_read(Engine::PyArrow, Order::RawFirst).await?;
    say(&format!("the lake is the table; {copied:?}"));

    give_up(&mut lake, &mut lanes).await?;
    say("changes are given up");
    replay(&mut lake).await?;
    lake.is_read(Engine::PyArrow, Order::CompactFirst).await?;
    say("what was given up is in the lake");
    lake.scenario.scenario.end().await
}

/// On AWS the table would be older than its stream, or than what the stream keeps. Here the table comes with the lake: what is
/// written to it reaches the lake too, and is deleted from there.
async fn empty_the_lake(scenario: &LakeScenario, changes: usize) -> Result<()> {
    let lake = &scenario.lake;
    until(SOON, "the writer is done", || async {
        Ok((changes_read(scenario).await? == changes).then_some(()))
    })
    .await?;
    for file in lake.files(RAW).await? {
        lake.s3.delete_object().bucket(&lake.bucket_name).key(file.key).send().await?;
    }
    Ok(())
}

/// The changes of the stream that are in the lake.
async fn changes_read(scenario: &LakeScenario) -> Result<usize> {
    if scenario.lake.files(RAW).await?.is_empty() {
        return Ok(0);
    }
    let sql = r#"SELECT count(*) FROM "changes" WHERE "_op" <> 'SNAPSHOT'"#;
    let answer = scenario.lake.reader.query(sql).await?;
    let count = answer.rows.into_iter().flatten().flatten().next().context("no count")?;
    count.parse().context("a count")
}

/// Scans the table: first until all segments are done that can be, then, once the process is killed, what is left. Items are
/// changed, removed and put again all the while.
async fn backfill(scenario: &LakeScenario, lanes: &mut [Lane], say: &impl Fn(&str)) -> Result<()> {
    let segments = SEGMENTS.to_string();
    let arguments = ["backfill", "--scan", "--segments", &segments];
    let faults = json!([
        {"service": "dynamodb", "operation": "Scan", "resource": "\"Segment\":1", "status": 400,
         "code": "ProvisionedThroughputExceededException"},
        {"service": "s3", "operation": "PutObject", "resource": "/segments/00005.json", "status": 503,
         "code": "SlowDown"},
    ]);
    scenario.scenario.disturb(&faults).await?;
    let mut first = scenario.operator(&arguments).stdout(Stdio::null()).spawn()?;
    let began = Instant::now();
    while segments_done(scenario).await? < SEGMENTS - THROTTLED - UNMARKED {
        ensure!(first.try_wait()?.is_none() && began.elapsed() < SOON, "the scan did not come so far");
        scenario.write(lanes, STEP).await?;
    }
    ensure!(first.try_wait()?.is_none(), "the scan has ended: the scenario shows nothing");
    first.kill().await?;
    let done = segments_done(scenario).await?;
    say(&format!("killed after {done} of {SEGMENTS} segments"));
    scenario.scenario.disturb(&json!([])).await?;
    scenario.write(lanes, BETWEEN).await?;

    let second = spawn(scenario.operator(&arguments).output());
    while !second.is_finished() {
        ensure!(began.elapsed() < SOON, "the scan does not end");
        scenario.write(lanes, STEP).await?;
    }
    let output = second.await??;
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    ensure!(output.status.success() && told.contains("going on with scan-"), "{told}");
    let (rows, written) = (number_after(&told, "in the lake with ")?, number_after(&told, "written now: ")?);
    ensure!(0 < written && written < rows, "{told}");
    ensure!(segments_done(scenario).await? == SEGMENTS, "{told}");
    Ok(())
}

/// A segment of so few items has one marker, which is written when it is done.
async fn segments_done(scenario: &LakeScenario) -> Result<usize> {
    let markers = scenario.lake.files(BACKFILLS).await?;
    Ok(markers.iter().filter(|marker| marker.key.contains("/segments/")).count())
}

fn number_after(text: &str, words: &str) -> Result<usize> {
    let (_, rest) = text.split_once(words).with_context(|| format!("not {words:?}: {text}"))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().with_context(|| format!("no number after {words:?}: {text}"))
}

/// The lake after the backfill.
struct Filled {
    scenario: LakeScenario,
    /// The table when the backfill began.
    before: HashMap<(String, String), String>,
    /// Of the stream, from then on.
    follower: Follower,
    history: Vec<HistoryRecord>,
}

impl Filled {
    /// Reads what was changed, and waits until all of it is in the lake. Answers how many changes it is.
    async fn until_written(&mut self) -> Result<usize> {
        self.history.extend(self.follower.more().await?);
        let changes = self.history.len();
        until(SOON, &format!("{changes} changes are in the lake"), || async {
            Ok((changes_read(&self.scenario).await? == changes).then_some(()))
        })
        .await?;
        Ok(changes)
    }

    /// Both views, attribute by attribute: every change once, every item that the scan has copied, and the table as it stands.
    async fn is_read(&self, engine: Engine, order: Order) -> Result<Copied> {
        let lake = &self.scenario.lake;
        let rows = lake.reader.dump(engine, order, View::Changes).await?;
        let (snapshots, changes): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.operation == "SNAPSHOT");
        let mut expected = Expected::of(&self.history, &lake.config)?;
        expected.are_changes(&changes).with_context(|| format!("changes by {engine}, {order}"))?;
        let copied = expected.add_snapshots(&snapshots, &self.before);
        let copied = copied.with_context(|| format!("snapshots by {engine}, {order}"))?;
        let latest = lake.reader.dump(engine, order, View::Latest).await?;
        let table = self.scenario.table().await?;
        expected.are_latest(&latest, &table).with_context(|| format!("latest by {engine}, {order}"))?;
        Ok(copied)
    }

    /// The keys of what lies in the dead-letter bucket below a prefix.
    async fn dead(&self, prefix: &str) -> Result<Vec<String>> {
        let bucket = self.scenario.scenario.deployment.output("DeadLetterBucketName")?;
        let listed = self.scenario.lake.s3.list_objects_v2().bucket(bucket).prefix(prefix).send().await?;
        Ok(listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect())
    }
}

/// Changes the table while the lake's bucket refuses to be written, until Lambda has given up each of the changes.
async fn give_up(lake: &mut Filled, lanes: &mut [Lane]) -> Result<()> {
    let Lake { bucket_name: bucket, .. } = &lake.scenario.lake;
    let faults = json!([
        {"service": "s3", "operation": "PutObject", "resource": format!("{bucket}/{RAW}"), "status": 403,
         "code": "AccessDenied"},
    ]);
    lake.scenario.scenario.disturb(&faults).await?;
    lake.scenario.write(lanes, GIVEN_UP).await?;
    until(SOON, "each of the changes is given up", || async {
        Ok((lake.dead(BATCHES).await?.len() == GIVEN_UP).then_some(()))
    })
    .await?;
    lake.scenario.scenario.disturb(&json!([])).await
}

/// `lake replay`, with one record among the rest that the writer cannot read: that one stays until it is mended.
async fn replay(lake: &mut Filled) -> Result<()> {
    let before = lake.history.len();
    lake.history.extend(lake.follower.more().await?);
    let changes = lake.history.len();
    ensure!(
        changes == before + GIVEN_UP && changes_read(&lake.scenario).await? == before,
        "what was given up is there"
    );
    let operation = damage_one(lake).await?;

    let (succeeded, told) = run_replay(lake).await?;
    let told_so = told.contains(&format!("{} batches and 0 dead letters replayed", GIVEN_UP - 1));
    ensure!(succeeded && told_so && told.contains("1 rejected again"), "{told}");
    ensure!(lake.dead(BATCHES).await?.is_empty(), "batches are left");
    ensure!(
        lake.dead(DeadLetter::LAKE_PREFIX).await?.len() == 1,
        "the letter is gone, and its record nowhere"
    );
    ensure!(changes_read(&lake.scenario).await? == changes - 1, "not all that can be read is in the lake");

    mend(lake, operation).await?;
    let (succeeded, told) = run_replay(lake).await?;
    ensure!(succeeded && told.contains("0 batches and 1 dead letters replayed"), "{told}");
    ensure!(lake.dead("").await?.is_empty(), "something is left in the dead-letter bucket");
    ensure!(changes_read(&lake.scenario).await? == changes, "not all is in the lake");
    Ok(())
}

async fn run_replay(lake: &Filled) -> Result<(bool, String)> {
    let Output { status, stdout, stderr } = lake.scenario.operator(&["replay"]).output().await?;
    Ok((status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()))
}

/// Brings a record that was given up to the writer without its operation, so that the writer puts it among the dead letters.
/// Answers the operation.
async fn damage_one(lake: &Filled) -> Result<Value> {
    let Lake { s3, lambda, writer_function, .. } = &lake.scenario.lake;
    let bucket = lake.scenario.scenario.deployment.output("DeadLetterBucketName")?;
    let key = lake.dead(BATCHES).await?.pop().context("no batch")?;
    let object = s3.get_object().bucket(bucket).key(&key).send().await?;
    let batch: Value = serde_json::from_slice(&object.body.collect().await?.to_vec())?;
    let mut event: Value = serde_json::from_str(batch["payload"].as_str().context("no records")?)?;
    let record = event["Records"][0].as_object_mut().context("no record")?;
    let operation = record.remove("eventName").context("no operation")?;
    invoke(lambda, writer_function, &event).await?;
    s3.delete_object().bucket(bucket).key(key).send().await?;
    Ok(operation)
}

/// Gives the record of the only letter its operation again.
async fn mend(lake: &Filled, operation: Value) -> Result<()> {
    let s3 = &lake.scenario.lake.s3;
    let bucket = lake.scenario.scenario.deployment.output("DeadLetterBucketName")?;
    let key = lake.dead(DeadLetter::LAKE_PREFIX).await?.pop().context("no letter")?;
    let object = s3.get_object().bucket(bucket).key(&key).send().await?;
    let mut letter: Value = serde_json::from_slice(&object.body.collect().await?.to_vec())?;
    letter["record"]["eventName"] = operation;
    s3.put_object().bucket(bucket).key(key).body(letter.to_string().into_bytes().into()).send().await?;
    Ok(())
}
