//! The lake on the local stack: from writes to the table to what DuckDB, pyarrow and Athena read.

#![expect(clippy::print_stdout, reason = "a scenario says what it has measured")]

use std::collections::{BTreeSet, HashMap};
use std::env;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use demo::datastore::Datastore;
use demo::dead_letters;
use demo::export_demo::DATASTORE;
use demo::history::{Follower, HistoryRecord};
use demo::lake::{Engine, Lake, Order, Table, View};
use demo::source::Write;
use domain::lake::column_name;
use domain::lake::object_key::{COMPACT, RAW};
use e2e::exports::until;
use e2e::lake::changes::{LATE_ATTRIBUTE, Lane, columns, partition};
use e2e::lake::{Expected, LakeScenario, Looks, random_cut};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::sleep;

const SEED: u64 = 4;
const KILLS_OF_THE_WRITER: usize = 5;
const KILLS_OF_THE_COMPACTOR: usize = 3;
/// One part of so many of the changes is written when the others are compacted.
const LAST: usize = 20;
/// Patients with resources in HealthLake.
const PATIENTS: usize = 20;
/// How long anything may take that is not meant to take long.
const SOON: Duration = Duration::from_mins(3);
/// Between two plans while changes are written.
const PLAN_EVERY: Duration = Duration::from_secs(6);

/// So many changes; a shorter run for whoever is at work on this says `LAKE_CHANGES=5000`.
fn wanted() -> Result<usize> {
    env::var("LAKE_CHANGES").map_or(Ok(100_000), |text| text.parse().context("LAKE_CHANGES"))
}

/// Files go a minute after they were replaced, and the pipe, which reads the same stream, lets nothing pass.
fn options(columns: &Value) -> Value {
    json!({
        "pipe": {"filterPatterns": [{"eventName": ["NEVER"]}]},
        "datastores": {DATASTORE: {
            "scheduleEnabled": false, "overlapSeconds": 1, "poll": {"firstDelaySeconds": 1, "longestDelaySeconds": 2},
        }},
        "lake": {
            "partition": partition(), "columns": columns, "batchingWindowSeconds": 1, "keepReplacedSeconds": 60,
            "latestBuckets": 4, "mergeFiles": 4,
        },
    })
}

/// What the parts of the scenario know of each other.
#[derive(Default)]
struct Progress {
    /// The stream's records so far.
    history: Mutex<Vec<HistoryRecord>>,
}

impl Progress {
    fn history(&self) -> Vec<HistoryRecord> {
        self.history.lock().map(|history| history.clone()).unwrap_or_default()
    }

    fn read(&self) -> usize {
        self.history.lock().map(|history| history.len()).unwrap_or_default()
    }

    /// Reads the stream as it grows, until it has so many changes.
    async fn follow(&self, follower: &mut Follower, changes: usize) -> Result<()> {
        while self.read() < changes {
            let more = follower.more().await?;
            if let Ok(mut history) = self.history.lock() {
                history.extend(more);
            }
            sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// Waits until so many changes are in the stream and have been read from there.
    async fn until_read(&self, changes: usize) -> Result<()> {
        until(SOON * 2, &format!("{changes} changes in the stream"), || async {
            Ok((self.read() >= changes).then_some(()))
        })
        .await
    }
}

/// A hundred thousand changes, some of them delivered twice, the writer and the compactor killed again and again, a column
/// declared in between, and a reader that looks all the while.
#[tokio::test(flavor = "multi_thread")]
async fn i1_i2_no_reader_of_the_lake_misses_a_change_or_sees_one_twice() -> Result<()> {
    let started = Instant::now();
    let say = |what: &str| println!("[{:>3} s] {what}", started.elapsed().as_secs());
    let changes = wanted()?;
    let all = changes + PATIENTS;
    let mut scenario = LakeScenario::start("lake", &options(&columns())).await?;
    let mut looks = Looks::start(&scenario.lake)?;
    let progress = Progress::default();
    say("deployed");

    scenario.scenario.write((0..PATIENTS).map(patient).collect()).await?;
    let mut lanes = LakeScenario::lanes(SEED);
    let mut follower = scenario.follower().await?;
    let head = all - changes / LAST;
    let ((), lake, kills, ()) = tokio::try_join!(
        progress.follow(&mut follower, head),
        write(&scenario, &mut lanes, head - PATIENTS, &say),
        disturb(&scenario, &progress, head),
        compact_meanwhile(&scenario, &progress, head),
    )?;
    scenario.lake = lake;
    until(SOON, "the compactor is done", || async { Ok((scenario.waiting().await? == 0).then_some(())) })
        .await?;
    // Nobody compacts these until they have been seen.
    scenario.write(&mut lanes, all - head).await?;
    progress.follow(&mut follower, all).await?;
    ensure!(kills == KILLS_OF_THE_WRITER, "the writer was killed {kills} times");
    say(&format!("{all} changes written; the writer killed {kills} times"));
    looks.until_changes(all, SOON).await?;
    say("all are in the lake");

    let history = progress.history();
    let expected = Expected::of(&history, &scenario.lake.config)?;
    let table = scenario.table().await?;
    ensure!(expected.changes.len() == all, "{} changes in the stream", expected.changes.len());
    say(&format!("expecting {} changes, {} items, {} folders", all, table.len(), expected.partitions.len()));
    let left = scenario.lake.uncompacted().await?.len();
    ensure!(left > 0, "all is compacted already: the scenario shows nothing");
    are_read(&scenario.lake, &expected, &table, Engine::DuckDb, Order::RawFirst).await?;
    say(&format!("DuckDB reads what was written, {left} raw files not yet compacted"));

    scenario.lake.compact(SOON).await?;
    say("all is compacted");
    tokio::try_join!(
        are_read(&scenario.lake, &expected, &table, Engine::DuckDb, Order::CompactFirst),
        are_read(&scenario.lake, &expected, &table, Engine::PyArrow, Order::RawFirst),
    )?;
    say("DuckDB and pyarrow read what was written");
    counts_are_right(&scenario.lake, &expected, table.len()).await?;
    catalog_knows_every_folder(&scenario, &expected).await?;
    athena_reads_the_same(&scenario, &expected, table.len()).await?;
    say("Athena reads the same");

    until_replaced_files_are_gone(&scenario.lake).await?;
    say("the files that were replaced are gone");
    counts_are_right(&scenario.lake, &expected, table.len()).await?;
    are_read(&scenario.lake, &expected, &table, Engine::PyArrow, Order::CompactFirst).await?;
    nothing_is_given_up(&scenario).await?;
    functions_have_counted(&scenario).await?;
    let ways = looks.end().await?;
    say(&format!("the reader has looked {ways:?}"));
    ensure!(ways.len() == 4 && ways.values().all(|looks| *looks >= 2), "{ways:?}");
    scenario.scenario.end().await
}

fn patient(number: usize) -> Write {
    let id = format!("PATIENT#{number}");
    let item = json!({"id": id, "sk": id, "itemType": "Patient", "name": "Sample"});
    Write::Put(item.as_object().cloned().unwrap_or_default())
}

/// Writes the changes, and declares a column when half of them are written. Answers the lake as it is deployed then.
async fn write(
    scenario: &LakeScenario,
    lanes: &mut [Lane],
    changes: usize,
    say: &impl Fn(&str),
) -> Result<Lake> {
    scenario.write(lanes, changes / 2).await?;
    say(&format!("{} changes written; declaring a column", changes / 2));
    let mut columns = columns();
    columns[LATE_ATTRIBUTE] = "string".into();
    let stack = &scenario.scenario.stack;
    let lake = Lake::of(stack, &stack.deploy(&options(&columns)).await?)?;
    say("declared");
    tokio::try_join!(
        scenario.write(lanes, changes - changes / 2),
        until(SOON, "files from before and after the declaration are read together", || async {
            let table = lake.athena.query(&late_notes()).await?;
            let [in_column, in_extra] = counts(&table)?;
            Ok((in_column > 0 && in_extra > 0).then_some(()))
        }),
    )?;
    Ok(lake)
}

/// How many changes have the attribute in its column, and how many in `_extra`.
fn late_notes() -> String {
    let column = column_name(LATE_ATTRIBUTE);
    format!(
        r#"SELECT count("{column}"), coalesce(sum(CASE WHEN "{column}" IS NULL
        AND json_extract("_extra", '$.{LATE_ATTRIBUTE}') IS NOT NULL THEN 1 ELSE 0 END), 0) FROM "changes""#
    )
}

/// The counts of a single row.
fn counts<const COUNTS: usize>(table: &Table) -> Result<[usize; COUNTS]> {
    let values = table.rows.iter().flatten().flatten().map(|count| count.parse());
    let values: Vec<usize> = values.collect::<Result<_, _>>()?;
    values.try_into().ok().with_context(|| format!("no counts: {:?}", table.rows))
}

/// One in a hundred records comes again, in batches that were never cut so, and the writer is killed in the middle of some.
/// Tells how often.
async fn disturb(scenario: &LakeScenario, progress: &Progress, all: usize) -> Result<usize> {
    let mut random = Rng::with_seed(SEED);
    let mut redelivered = 0;
    for kill in 1..=KILLS_OF_THE_WRITER {
        progress.until_read(all * kill / (KILLS_OF_THE_WRITER + 1)).await?;
        let history = progress.history();
        scenario.kill_the_writer(&history, &mut random).await?;
        while redelivered * 100 < history.len() {
            let cut = random_cut(&history, 200, &mut random);
            scenario.redeliver(cut).await?;
            redelivered += cut.len();
        }
    }
    Ok(KILLS_OF_THE_WRITER)
}

/// Plans again and again while changes are written, and kills the compactor in the middle of some folders.
async fn compact_meanwhile(scenario: &LakeScenario, progress: &Progress, all: usize) -> Result<()> {
    let mut random = Rng::with_seed(SEED);
    let mut kills = 0;
    while progress.read() < all || kills < KILLS_OF_THE_COMPACTOR {
        scenario.plan().await?;
        if kills < KILLS_OF_THE_COMPACTOR
            && progress.read() > all * (kills + 1) / (KILLS_OF_THE_COMPACTOR + 2)
        {
            scenario.kill_the_compactor(&mut random).await?;
            kills += 1;
        }
        sleep(PLAN_EVERY).await;
    }
    Ok(())
}

/// Every change and every item, attribute by attribute.
async fn are_read(
    lake: &Lake,
    expected: &Expected,
    table: &HashMap<(String, String), String>,
    engine: Engine,
    order: Order,
) -> Result<()> {
    let changes = lake.reader.dump(engine, order, View::Changes).await?;
    expected.are_changes(&changes).with_context(|| format!("changes by {engine}, {order}"))?;
    let latest = lake.reader.dump(engine, order, View::Latest).await?;
    expected.are_latest(&latest, table).with_context(|| format!("latest by {engine}, {order}"))
}

async fn counts_are_right(lake: &Lake, expected: &Expected, items: usize) -> Result<()> {
    for (engine, order) in [(Engine::DuckDb, Order::RawFirst), (Engine::PyArrow, Order::CompactFirst)] {
        let counts = lake.reader.count(engine, order).await?;
        let as_expected = counts.distinct == expected.changes.len()
            && counts.doubled == 0
            && counts.items == items
            && counts.items_doubled == 0
            && counts.in_default_partition == expected.in_default_partition()
            && counts.partitions == expected.partitions.len();
        ensure!(as_expected, "{engine} counts {counts:?}");
        ensure!(
            counts.in_default_partition > 0,
            "nothing is in a default partition: the scenario shows nothing"
        );
    }
    Ok(())
}

async fn catalog_knows_every_folder(scenario: &LakeScenario, expected: &Expected) -> Result<()> {
    let lake = &scenario.lake;
    let prefix = lake.folder(COMPACT);
    let files = lake.files(COMPACT).await?;
    let folder = |key: &str| Some(key.strip_prefix(&prefix)?.rsplit_once('/')?.0.to_owned());
    let folders: BTreeSet<String> = files.iter().filter_map(|file| folder(&file.key)).collect();
    ensure!(folders == expected.folders(), "the compacted folders are {folders:?}");
    for table in ["raw", "compact"] {
        let registered = scenario.registered(table).await?;
        ensure!(registered == expected.partition_values(), "Glue has for {table}: {registered:?}");
    }
    Ok(())
}

/// The counts of both views, the attribute that was declared late, and every named query.
async fn athena_reads_the_same(scenario: &LakeScenario, expected: &Expected, items: usize) -> Result<()> {
    let athena = &scenario.lake.athena;
    let sql =
        r#"SELECT count(*), count(DISTINCT "_event_id"), (SELECT count(*) FROM "latest") FROM "changes""#;
    let read: [usize; 3] = counts(&athena.query(sql).await?)?;
    ensure!(read == [expected.changes.len(), expected.changes.len(), items], "Athena counts {read:?}");
    // Of a change that lies in two files, one written before the declaration and one after, a reader sees either.
    let with_note = expected.changes.values().filter(|change| change.item.contains(LATE_ATTRIBUTE)).count();
    for answer in [athena.query(&late_notes()).await?, scenario.lake.reader.query(&late_notes()).await?] {
        let [in_column, in_extra] = counts(&answer)?;
        ensure!(
            in_column > 0 && in_column + in_extra == with_note,
            "{in_column} and {in_extra} of {with_note}"
        );
    }

    blend(scenario).await?;
    for query in athena.named_queries().await? {
        let answer = athena.query(&query.sql).await?;
        println!("        {}: {} rows", query.name, answer.rows.len());
    }
    Ok(())
}

/// Patients of the lake, joined with their resources in HealthLake. A device whose id ends like a patient's has its own.
async fn blend(scenario: &LakeScenario) -> Result<()> {
    let stack = &scenario.scenario.stack;
    let mut clinic = Datastore::of(stack, &scenario.scenario.deployment, DATASTORE)?;
    let resources = (0..PATIENTS).flat_map(|number| {
        let patient = json!({"resourceType": "Patient", "id": number.to_string()});
        let subject = json!({"reference": format!("Patient/{number}")});
        let observation =
            json!({"resourceType": "Observation", "id": format!("o{number}"), "subject": subject});
        let device = json!({"reference": format!("Device/1{number}")});
        let of_device = json!({"resourceType": "Observation", "id": format!("d{number}"), "subject": device});
        [patient.to_string(), observation.to_string(), of_device.to_string()]
    });
    clinic.load(resources.collect::<Vec<_>>().join("\n")).await?;
    clinic.run(&json!({}), SOON).await?;
    let sql = scenario.lake.athena.named_query("resources-of-patients").await?.sql;
    let (by_athena, by_duckdb) =
        tokio::try_join!(scenario.lake.athena.query(&sql), scenario.lake.reader.query(&sql))?;
    for (engine, answer) in [("Athena", by_athena), ("DuckDB", by_duckdb)] {
        let position = answer.columns.iter().position(|name| name == "resources").context("no column")?;
        let with_two = answer.rows.iter().filter(|row| row[position].as_deref() == Some("2")).count();
        ensure!(
            with_two == PATIENTS,
            "{engine}: {with_two} patients with two resources: {:?}",
            answer.rows.first()
        );
    }
    Ok(())
}

/// They are kept for a minute; then the compactor deletes them when it comes by.
async fn until_replaced_files_are_gone(lake: &Lake) -> Result<()> {
    until(SOON, "no raw file is left", || async {
        if lake.files(RAW).await?.is_empty() {
            return Ok(Some(()));
        }
        lake.plan().await?;
        sleep(Duration::from_secs(3)).await;
        Ok(None)
    })
    .await
}

/// I1: all of it is in the lake, so none of it is elsewhere.
async fn nothing_is_given_up(scenario: &LakeScenario) -> Result<()> {
    let deployment = &scenario.scenario.deployment;
    ensure!(dead_letters::read_of_lake(deployment).await?.is_empty(), "there are dead letters");
    let s3 = &scenario.lake.s3;
    let bucket = deployment.output("DeadLetterBucketName")?;
    let batches = s3.list_objects_v2().bucket(bucket).prefix("aws/lambda/").send().await?;
    ensure!(batches.contents().is_empty(), "{} batches were given up", batches.contents().len());
    Ok(())
}

/// What is out of place is counted, and no value of an item is told (I6).
async fn functions_have_counted(scenario: &LakeScenario) -> Result<()> {
    let traces = scenario.scenario.traces().await?;
    let log = traces.iter().find(|trace| trace.place.ends_with("lake-writer")).context("no log")?;
    let sum = |name: &str| -> u64 {
        let lines = log.text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter_map(|line| line.get(name).and_then(Value::as_u64)).sum()
    };
    ensure!(
        sum("misfits") > 0 && sum("default_partition") > 0,
        "the writer counts nothing: {}",
        log.text.len()
    );
    for value in
        ["north wing", "a/b=c%d", "a%2Fb", "東京", "Söder", "عينة", "Pippa", "ITEM#", "declared later"]
    {
        for trace in &traces {
            ensure!(!trace.text.contains(value), "{} shows {value:?}", trace.place);
        }
    }
    Ok(())
}
