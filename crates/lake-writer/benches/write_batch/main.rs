//! A batch of 1,000 records for 20 partitions, from the bytes of its event to the files that are uploaded: what the
//! function computes, without what it waits for.
//!
//! `cargo bench -p lake-writer --bench write_batch` prints records per CPU-second. With `-- --write-input <file>` it
//! writes the event, with `-- --write-output <folder>` the rows, one uncompressed file `<partition>/rows.json` for each
//! partition, so that other programs can be measured on the same job. `-- --compression gzip` measures gzip.

#![expect(clippy::print_stdout, reason = "prints what it measures")]
#![expect(clippy::indexing_slicing, reason = "the input is known")]

mod input;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use domain::lake::LakeConfig;
use domain::lake::object_key::Compression;
use lake_writer::{Encoder, Event, RawFile, group};
use nix::time::{ClockId, clock_gettime};

use input::{PARTITIONS, RECORDS};

const ROUNDS: usize = 2_000;
const LAKE: &str = include_str!("../../../../bench/lake-writer/lake.json");

fn main() -> anyhow::Result<()> {
    let config = LakeConfig::parse(LAKE)?;
    let event = input::event();
    let mut compression = Compression::Zstd;
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(option) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--write-input" => return Ok(std::fs::write(value, event)?),
            "--write-output" => return write_output(&config, &event, Path::new(&value)),
            "--compression" => compression = value.parse()?,
            _ => bail!("{option} is unknown; there are --write-input, --write-output and --compression"),
        }
    }
    measure(&config, compression, &event)
}

/// How long the stages took, one after the other.
#[derive(Default)]
struct Stages {
    read: Duration,
    group: Duration,
    encode: Duration,
}

fn measure(config: &LakeConfig, compression: Compression, event: &str) -> anyhow::Result<()> {
    let files = write(config, compression, event, &mut Stages::default())?;
    ensure!(files.len() == PARTITIONS, "{} files", files.len());
    let compressed: usize = files.iter().map(|file| file.body.len()).sum();
    println!(
        "{RECORDS} records of {} bytes, {PARTITIONS} files of together {compressed} bytes",
        event.len() / RECORDS
    );

    let mut stages = Stages::default();
    let started = cpu_time()?;
    for _ in 0..ROUNDS {
        black_box(write(config, compression, black_box(event), &mut stages)?);
    }
    let taken = cpu_time()?.saturating_sub(started);
    println!("{:.0} records per CPU-second", per_second(RECORDS * ROUNDS, taken));
    let parts = [
        ("reading the records", stages.read),
        ("dividing the rows", stages.group),
        ("writing and compressing the lines", stages.encode),
    ];
    for (stage, time) in parts {
        let share = time.as_secs_f64() / taken.as_secs_f64();
        println!("  {:4.0} % {stage}", share * 100.0);
    }
    Ok(())
}

/// What the function does between the event's arrival and the uploads.
fn write(
    config: &LakeConfig,
    compression: Compression,
    event: &str,
    stages: &mut Stages,
) -> anyhow::Result<Vec<RawFile>> {
    let begin = cpu_time()?;
    // As the runtime does.
    let event: Event = serde_json::from_slice(event.as_bytes())?;
    let read = cpu_time()?;
    let groups = group(&config.partition, event.records.rows);
    let grouped = cpu_time()?;
    let mut encoder = Encoder::new(config, compression)?;
    let files: Result<_, _> =
        groups.iter().map(|group| encoder.encode(&group.partition, &group.rows)).collect();
    drop(groups);
    stages.read += read.saturating_sub(begin);
    stages.group += grouped.saturating_sub(read);
    stages.encode += cpu_time()?.saturating_sub(grouped);
    Ok(files?)
}

fn write_output(config: &LakeConfig, event: &str, folder: &Path) -> anyhow::Result<()> {
    let event: Event = serde_json::from_str(event)?;
    let groups = group(&config.partition, event.records.rows);
    let mut encoder = Encoder::new(config, Compression::Zstd)?;
    for group in groups {
        let file = encoder.encode(&group.partition, &group.rows)?;
        let folder = folder.join(group.partition.to_string());
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("rows.json"), zstd::decode_all(file.body.as_slice())?)?;
    }
    Ok(())
}

fn cpu_time() -> anyhow::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}

#[expect(clippy::cast_precision_loss, reason = "for the eye")]
fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
