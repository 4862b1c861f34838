//! A partition of 1,000 raw files of 100 rows into one Parquet file, on one thread: what the function computes, without
//! its requests.
//!
//! `cargo bench -p lake-compactor --bench compact_partition` prints how long it takes, with and without the current state
//! of the keys. With `-- --write-input <folder>` it writes the raw files, with `-- --input <folder> --output <folder>
//! --iterations <number>` it compacts them, so that other programs can be measured on the same job. `-- --large <bytes>
//! --memory <bytes>` compacts so many bytes of lines with so much memory for rows and prints what the process took.

#![expect(clippy::print_stdout, reason = "prints what it measures")]

mod input;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use domain::lake::{LakeConfig, Partition};
use lake_compactor::{LocalFiles, compact_local};
use nix::time::{ClockId, clock_gettime};
use serde_json::json;
use tokio::time::Instant;

const FILES: usize = 1_000;
const ROWS_OF_FILE: u64 = 100;
const ROWS_OF_LARGE_FILE: u64 = 1_000;
const ITERATIONS: u32 = 5;
const MEMORY_BYTES: usize = 512 * 1024 * 1024;
const FILE_BYTES: u64 = 128 * 1024 * 1024;
const LATEST_BUCKETS: u32 = 8;
const HOUR: Duration = Duration::from_hours(1);
const LAKE: &str = include_str!("../../../../bench/lake.json");

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = LakeConfig::parse(LAKE)?;
    let mut options = BTreeMap::new();
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(option) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{option} needs a value"))?;
        options.insert(option, value);
    }
    let option = |name: &str| options.get(name).map(String::as_str);
    if let Some(folder) = option("--write-input") {
        let input = input::write(&config, Path::new(folder), ROWS_OF_FILE, |files, _| files == FILES)?;
        println!("{} files, {} bytes of lines", input.files.len(), input.bytes);
        return Ok(());
    }
    if let Some(folder) = option("--input") {
        let output = Path::new(option("--output").context("--output is missing")?);
        let iterations = option("--iterations").map_or(Ok(ITERATIONS), str::parse)?;
        return measure(&config, Path::new(folder), output, iterations).await;
    }
    if let Some(bytes) = option("--large") {
        let memory = option("--memory").map_or(Ok(MEMORY_BYTES), str::parse)?;
        return large(&config, bytes.parse()?, memory).await;
    }
    if let Some(unknown) = options.keys().next() {
        bail!("{unknown} is unknown; there are --write-input, --input and --large");
    }
    let folder = tempfile::tempdir()?;
    let input = input::write(&config, folder.path(), ROWS_OF_FILE, |files, _| files == FILES)?;
    println!("{} files, {} bytes of lines", input.files.len(), input.bytes);
    for latest_buckets in [None, Some(LATEST_BUCKETS)] {
        let with = if latest_buckets.is_some() { "with" } else { "without" };
        let taken =
            compact(&config, &input.files, &input.partition, folder.path(), latest_buckets, ITERATIONS)
                .await?;
        println!("{with} the current state: {:.3} s, {:.3} s of CPU", taken.seconds, taken.cpu_seconds);
    }
    Ok(())
}

/// What one iteration took.
struct Taken {
    rows: u64,
    seconds: f64,
    cpu_seconds: f64,
}

async fn measure(config: &LakeConfig, input: &Path, output: &Path, iterations: u32) -> anyhow::Result<()> {
    let mut files = Vec::new();
    find(input, &mut files)?;
    files.sort();
    let partition = partition_of(&files)?;
    let taken = compact(config, &files, &partition, output, None, iterations).await?;
    println!("{}", json!({"rows": taken.rows, "seconds": taken.seconds, "cpuSeconds": taken.cpu_seconds}));
    Ok(())
}

/// The partition by the folders of its first file.
fn partition_of(files: &[PathBuf]) -> anyhow::Result<Partition> {
    let folder = files.first().and_then(|file| file.parent()).context("no files")?;
    let folders = folder.components().filter_map(|folder| folder.as_os_str().to_str());
    let path: Vec<&str> = folders.filter(|folder| folder.contains('=')).collect();
    Partition::parse(&path.join("/")).context("the files are in no partition")
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

async fn compact(
    config: &LakeConfig,
    raw: &[PathBuf],
    partition: &Partition,
    output: &Path,
    latest_buckets: Option<u32>,
    iterations: u32,
) -> anyhow::Result<Taken> {
    let scratch = tempfile::tempdir()?;
    let files = LocalFiles {
        config,
        raw,
        partition,
        output,
        scratch: scratch.path(),
        memory_bytes: MEMORY_BYTES,
        file_bytes: FILE_BYTES,
        latest_buckets,
    };
    let (began, cpu) = (Instant::now(), cpu_time()?);
    let mut rows = 0;
    for _ in 0..iterations {
        rows = compact_local(&files, Instant::now() + HOUR).await?;
    }
    let (time, cpu_time) = (began.elapsed(), cpu_time()?.saturating_sub(cpu));
    let each = |time: Duration| time.as_secs_f64() / f64::from(iterations);
    Ok(Taken { rows, seconds: each(time), cpu_seconds: each(cpu_time) })
}

async fn large(config: &LakeConfig, bytes: u64, memory_bytes: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let input = input::write(config, folder.path(), ROWS_OF_LARGE_FILE, |_, written| written >= bytes)?;
    let began = Instant::now();
    let files = LocalFiles {
        config,
        raw: &input.files,
        partition: &input.partition,
        output: folder.path(),
        scratch: folder.path(),
        memory_bytes,
        file_bytes: FILE_BYTES,
        latest_buckets: Some(LATEST_BUCKETS),
    };
    let rows = compact_local(&files, Instant::now() + HOUR).await?;
    ensure!(rows == input.files.len() as u64 * ROWS_OF_LARGE_FILE, "{rows} rows were written");
    let seconds = began.elapsed().as_secs_f64();
    println!("{}", json!({"rows": rows, "bytes": input.bytes, "seconds": seconds, "peakBytes": peak()?}));
    Ok(())
}

/// The most that this process ever took; Linux alone tells.
fn peak() -> anyhow::Result<Option<u64>> {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return Ok(None) };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: u64 = line.context("no VmHWM")?.trim().trim_end_matches(" kB").parse()?;
    Ok(Some(kilobytes * 1_024))
}

fn cpu_time() -> anyhow::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}
