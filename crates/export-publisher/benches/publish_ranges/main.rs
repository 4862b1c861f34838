//! One export file of many resources, published range by range by the function as it is deployed.
//!
//! `cargo bench -p export-publisher --bench publish_ranges` publishes 200,000 resources of 1 KB; with
//! `-- --resources 1000000` a file of 1 GB. `-- --json FILE` writes what all ranges took to a file. This process plays
//! Lambda (`crates/function-bench`), S3, DynamoDB and an EventBridge that takes 15 ms a call, on loopback and without
//! TLS. What arrives is compared with the file line by line.
//!
//! First all ranges are published, one after the other, and in turn with each as many ready-made requests are sent:
//! the ratio of the two says what publishing costs beside `PutEvents` itself, however busy the machine is. Then the
//! function is killed in the middle of a range, and the map begins anew. At last a small file is published, of lines up to
//! the longest that the function holds: memory is promised for any file.
//!
//! Fails where memory, the number of calls or the delivery is not as promised. Times are printed only: they are the
//! machine's. Linux alone: what a process takes is read from `/proc`.

#![expect(clippy::print_stdout, reason = "prints what it measures")]

mod bare_put_events;
mod delivery;
mod ndjson_file;
mod services;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use domain::export::datastore::{Datastore, DatastoreId, PollLimits, Scope};
use domain::export::lease::{Lease, State};
use domain::export::manifest::{ExportedFile, Range, ranges};
use domain::export::run::{Run, RunId, RunKey};
use domain::export::window::{Mode, Window};
use export_publisher::RangeEvent;
use function_bench::{Function, Invocation, Memory, Program};
use jiff::{Timestamp, ToSpan};
use lambda_support::put_events::REQUEST_ENTRIES;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use bare_put_events::BareEvent;
use delivery::Delivery;
use ndjson_file::NdjsonFile;
use services::Services;

/// Of an invocation: the longest that Lambda allows.
const TIMEOUT: Duration = Duration::from_mins(15);
const PUT_EVENTS_TAKES: Duration = Duration::from_millis(15);
const RESOURCES: u64 = 200_000;
const RANGE_BYTES: u64 = 64 * 1024 * 1024;
const KEY_OF_FILE: &str = "exports/sample/Sample-1.ndjson";
const ETAG_OF_FILE: &str = "\"sample\"";
const BUS_NAME: &str = "sample";
const BARE: &str = "--bare-put-events";

const PEAK_BYTES: u64 = 64_000_000;
const CALLS_PER_MILLION: u64 = 102_000;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (mut resources, mut json) = (RESOURCES, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            BARE => return bare_put_events::serve().map_err(|error| anyhow::anyhow!(error)),
            "--resources" => {
                let number = arguments.next().context("--resources needs a number")?;
                resources = number.parse().context("--resources is no number")?;
            }
            "--json" => json = Some(PathBuf::from(arguments.next().context("--json needs a file")?)),
            other => bail!("{other} is unknown; there are --resources NUMBER and --json FILE"),
        }
    }
    measure(resources, json)
}

#[tokio::main]
async fn measure(resources: u64, json: Option<PathBuf>) -> anyhow::Result<()> {
    let file = Arc::new(NdjsonFile::of(resources));
    println!("{resources} resources, {} bytes", file.bytes());
    let published = publish_all(&file).await?;
    publish_with_kill(&file).await?;
    let peak_bytes_long_lines = publish_long_lines().await?;
    if let Some(json) = json {
        std::fs::write(&json, serde_json::to_string(&Figures { published, peak_bytes_long_lines })?)
            .with_context(|| format!("writing {}", json.display()))?;
    }
    Ok(())
}

/// All that is measured.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    #[serde(flatten)]
    published: Published,
    /// As `peakBytes`, of a function that publishes long lines.
    peak_bytes_long_lines: u64,
}

/// What publishing all ranges took. Medians are of the ranges.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    resources: u64,
    peak_bytes: u64,
    calls_per_million_resources: u64,
    /// Median.
    cpu_us_per_resource: f64,
    /// The CPU time of bare `PutEvents` as a part of publishing's: 1 would be all of it. Median.
    bare_put_events_share: f64,
}

/// Publishes all ranges, and sends as many ready-made requests in turn.
async fn publish_all(file: &Arc<NdjsonFile>) -> anyhow::Result<Published> {
    let services = &services(file);
    let mut publisher = start_publisher(services).await?;
    let mut bare = start_bare(services).await?;
    let mut total = Delivery::of(file.clone());
    let (mut rates, mut cpu_rates, mut bare_rates, mut shares) = (vec![], vec![], vec![], vec![]);
    let mut peak = 0;
    for range in ranges_of(file) {
        let resources = range_lines(file, &range).count();
        let taken = invoke(&mut publisher, &RangeEvent { run: run(), range: range.clone() }).await?;
        let delivery = services.begin_delivery();
        check_once(file, &range, &delivery)?;
        total.add(&delivery);
        let bare_taken =
            invoke(&mut bare, &BareEvent { requests: resources.div_ceil(REQUEST_ENTRIES) }).await?;
        services.begin_delivery();
        let memory = publisher.memory()?;
        peak = memory.peak;
        rates.push(per_second(resources, taken.wall_time));
        cpu_rates.push(per_second(resources, taken.cpu_time));
        bare_rates.push(per_second(resources, bare_taken.cpu_time));
        shares.push(bare_taken.cpu_time.as_secs_f64() / taken.cpu_time.as_secs_f64());
        print_range(&range, resources, &taken, &bare_taken, memory);
    }
    publisher.kill().await?;
    bare.kill().await?;
    let calls = total.calls * 1_000_000 / total.events.max(1);
    let (cpu_rate, share) = (median(cpu_rates), median(shares));
    println!("medians of {} ranges:", rates.len());
    println!("  {:.0} resources a second", median(rates));
    println!("  {cpu_rate:.0} resources a CPU second");
    println!("  {:.0} resources a CPU second by bare PutEvents", median(bare_rates));
    println!("  {:.0} % of the CPU time is that of bare PutEvents", share * 100.0);
    println!("{calls} calls per million resources; at most {CALLS_PER_MILLION}");
    println!("{:.1} MB at the peak; at most {:.1}", megabytes(peak), megabytes(PEAK_BYTES));
    ensure!(calls <= CALLS_PER_MILLION, "too many calls");
    ensure!(peak <= PEAK_BYTES, "too much memory");
    let lines = 0..file.lines_before(file.bytes());
    let once = total.lines_that_came(&lines, |times| times == 1);
    println!("{once} of {} lines came once, byte for byte", lines.end);
    ensure!(once == lines.end, "a line did not come once");
    Ok(Published {
        resources: lines.end,
        peak_bytes: peak,
        calls_per_million_resources: calls,
        cpu_us_per_resource: 1e6 / cpu_rate,
        bare_put_events_share: share,
    })
}

/// Kills the function in the middle of the middle range. The map then hands out all ranges again.
async fn publish_with_kill(file: &Arc<NdjsonFile>) -> anyhow::Result<()> {
    let services = &services(file);
    let ranges = ranges_of(file);
    let killed_in = ranges.len() / 2;
    let mut total = Delivery::of(file.clone());

    let mut publisher = start_publisher(services).await?;
    for range in ranges.iter().take(killed_in) {
        invoke(&mut publisher, &RangeEvent { run: run(), range: range.clone() }).await?;
        let delivery = services.begin_delivery();
        check_once(file, range, &delivery)?;
        total.add(&delivery);
    }
    let killed = ranges.get(killed_in).context("no ranges")?;
    let half = range_lines(file, killed).count() as u64 / 2;
    let event = RangeEvent { run: run(), range: killed.clone() };
    tokio::select! {
        answered = invoke(&mut publisher, &event) => {
            answered?;
            bail!("the range was published before the kill");
        }
        () = events_arrive(services, half) => (),
    }
    publisher.kill().await?;
    let unfinished = services.begin_delivery();
    total.add(&unfinished);
    println!("killed in range {}, with {} events of it sent", killed.index, unfinished.events);

    let mut publisher = start_publisher(services).await?;
    for (position, range) in ranges.iter().enumerate() {
        invoke(&mut publisher, &RangeEvent { run: run(), range: range.clone() }).await?;
        let delivery = services.begin_delivery();
        if position < killed_in {
            ensure!(delivery.calls == 0, "a range that was finished is sent again");
        } else {
            check_once(file, range, &delivery)?;
        }
        total.add(&delivery);
    }
    let peak = publisher.memory()?.peak;
    publisher.kill().await?;
    let lines = 0..file.lines_before(file.bytes());
    let came = total.lines_that_came(&lines, |times| times > 0);
    let repeated = total.lines_that_came(&lines, |times| times > 1);
    println!("begun anew: the {killed_in} finished ranges sent nothing; {came} of {} lines came", lines.end);
    println!("{repeated} came twice, all of them of the range under way at the kill");
    ensure!(came == lines.end, "a line is missing");
    ensure!(total.events == lines.end + unfinished.events, "more than the unfinished range came again");
    ensure!(peak <= PEAK_BYTES, "too much memory");
    Ok(())
}

/// Publishes lines up to the longest that are held, as events and by claim check. Answers the peak of memory in bytes.
async fn publish_long_lines() -> anyhow::Result<u64> {
    let file = &Arc::new(NdjsonFile::of_long_lines());
    let services = &services(file);
    let mut publisher = start_publisher(services).await?;
    let mut claim_checks = 0;
    for range in ranges_of(file) {
        invoke(&mut publisher, &RangeEvent { run: run(), range: range.clone() }).await?;
        let delivery = services.begin_delivery();
        check_once(file, &range, &delivery)?;
        claim_checks += delivery.claim_checks();
    }
    let peak = publisher.memory()?.peak;
    publisher.kill().await?;
    let lines = file.lines_before(file.bytes());
    println!("{lines} long lines, {} bytes: each came once, {claim_checks} by claim check", file.bytes());
    println!("{:.1} MB at the peak; at most {:.1}", megabytes(peak), megabytes(PEAK_BYTES));
    ensure!(peak <= PEAK_BYTES, "too much memory for long lines");
    Ok(peak)
}

async fn events_arrive(services: &Services, events: u64) {
    while services.delivery().events < events {
        sleep(Duration::from_millis(2)).await;
    }
}

/// A range that succeeds has sent each of its lines once, and nothing else.
fn check_once(file: &NdjsonFile, range: &Range, delivery: &Delivery) -> anyhow::Result<()> {
    let lines = range_lines(file, range);
    let once = delivery.lines_that_came(&lines, |times| times == 1);
    let expected = lines.end - lines.start;
    ensure!(
        (once, delivery.events, delivery.altered) == (expected, expected, 0),
        "of range {}'s {expected} lines {once} came once, in {} events; {} are altered",
        range.index,
        delivery.events,
        delivery.altered,
    );
    Ok(())
}

async fn invoke(function: &mut Function, event: &impl Serialize) -> anyhow::Result<Invocation> {
    function.invoke(serde_json::to_vec(event)?.into()).await
}

async fn start_publisher(services: &Arc<Services>) -> anyhow::Result<Function> {
    let environment = [
        ("METRICS_NAMESPACE", "Sample"),
        ("RUST_LOG", "info"),
        ("EXPORT_RUNS_TABLE_NAME", "sample"),
        ("EXPORT_BUCKET_NAME", "exports"),
        ("EVENT_BUS_NAME", BUS_NAME),
        ("CLAIM_CHECK_BUCKET_NAME", "claim-checks"),
        ("DEAD_LETTER_BUCKET_NAME", "dead-letters"),
    ];
    let program = Program {
        path: env!("CARGO_BIN_EXE_export-publisher").into(),
        arguments: Vec::new(),
        environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        timeout: TIMEOUT,
    };
    Function::start(&program, services.clone()).await
}

async fn start_bare(services: &Arc<Services>) -> anyhow::Result<Function> {
    let program = Program {
        path: std::env::current_exe()?,
        arguments: vec![BARE.into()],
        environment: Vec::new(),
        timeout: TIMEOUT,
    };
    Function::start(&program, services.clone()).await
}

fn services(file: &Arc<NdjsonFile>) -> Arc<Services> {
    let key = run().key;
    let expires_at = Timestamp::now() + 24.hours();
    let lease = Lease { run_id: key.id, run_started_at: key.started_at, expires_at };
    let state = json!(State { lease: Some(lease), ..State::default() });
    let attributes = state.as_object().into_iter().flatten();
    let state: Value = attributes.map(|(name, text)| (name.clone(), json!({"S": text}))).collect();
    Arc::new(Services::new(file.clone(), state))
}

fn run() -> Run {
    let started_at = Timestamp::UNIX_EPOCH + 500_000.hours();
    let poll =
        PollLimits { first_delay_seconds: 10, longest_delay_seconds: 120, running_limit_seconds: 21_600 };
    Run {
        key: RunKey { started_at, id: RunId("sample-run".to_owned()) },
        datastore: Datastore {
            id: DatastoreId("0123456789abcdef0123456789abcdef".to_owned()),
            scope: Scope::System,
            resource_types: Vec::new(),
            tags: Vec::new(),
            overlap_seconds: 120,
            lease_seconds: 900,
            range_bytes: RANGE_BYTES,
            poll,
        },
        mode: Mode::Full,
        window: Window { since: None, until: started_at },
    }
}

fn ranges_of(file: &NdjsonFile) -> Vec<Range> {
    let (key, etag) = (KEY_OF_FILE.to_owned(), ETAG_OF_FILE.to_owned());
    ranges(&[ExportedFile { key, etag, bytes: file.bytes() }], RANGE_BYTES)
}

fn range_lines(file: &NdjsonFile, range: &Range) -> std::ops::Range<u64> {
    file.lines_before(range.start)..file.lines_before(range.end)
}

fn print_range(range: &Range, resources: usize, taken: &Invocation, bare: &Invocation, memory: Memory) {
    println!(
        "range {:2}: {resources} resources, {:.0} a second, {:.0} a CPU second (bare PutEvents {:.0}), {:.1} MB in memory, {:.1} at the peak",
        range.index,
        per_second(resources, taken.wall_time),
        per_second(resources, taken.cpu_time),
        per_second(resources, bare.cpu_time),
        megabytes(memory.now),
        megabytes(memory.peak),
    );
}

#[expect(clippy::cast_precision_loss, reason = "for the eye")]
fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "for the eye")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
