//! The stages of the three hot paths, each by itself, and the limits beside them: `cargo bench -p contestant`.
//!
//! The input is that of `cargo xtask bench`, in the folder `TRIBUTARY_BENCH_INPUTS` (`python3 bench/inputs.py FOLDER`), and its
//! full run measures them, too (`bench/stages.py`). A stage whose input is bytes says how many.

#![expect(clippy::unwrap_used, reason = "the input is known")]

use std::hint::black_box;
use std::path::{Path, PathBuf};

use contestant::{job, lines};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use domain::change::{Change, Image, StreamRecord};
use domain::export::resource::{EventWriter, ExportedResource};
use domain::export::run::Run;
use domain::fhir::CodeMaps;
use domain::items::{Collection, fhir_resource};
use domain::lake::LakeConfig;
use domain::lake::object_key::Compression;
use lake_writer::{Encoder, Event, group};
use mimalloc::MiMalloc;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn inputs() -> PathBuf {
    std::env::var_os("TRIBUTARY_BENCH_INPUTS").expect("TRIBUTARY_BENCH_INPUTS names a folder").into()
}

/// As `lake_writer::Encoder` has it.
const ZSTD_LEVEL: i32 = 3;

/// What a stage reads.
fn records_of(elements: u64, bytes: usize) -> Throughput {
    Throughput::ElementsAndBytes { elements, bytes: bytes as u64 }
}

fn whole(stages: &mut BenchmarkGroup<'_, WallTime>, name: &str, folder: &Path) {
    let mut job = job(name, folder).unwrap();
    stages.bench_function(name, |bencher| bencher.iter(|| job.run().unwrap()));
}

fn enricher(criterion: &mut Criterion) {
    let folder = inputs().join("enricher-100");
    let bytes = std::fs::read(folder.join("event.json")).unwrap();
    let batch: &RawValue = serde_json::from_slice(&bytes).unwrap();
    let changes = || {
        StreamRecord::read_batch(batch)
            .unwrap()
            .into_iter()
            .map(|record| Change::of(record.unwrap()).unwrap())
    };
    let (codes, collection) = (CodeMaps::default(), Collection::default());
    let map = |change: &Change<'_>| fhir_resource(change, Some(&collection), &codes).unwrap();
    let decoded: Vec<_> = changes().collect();
    let mapped: Vec<_> = decoded.iter().map(map).collect();

    let mut stages = criterion.benchmark_group("enricher, a batch of 100");
    stages.throughput(records_of(100, bytes.len()));
    stages.bench_function("limit: the bytes scanned", |bencher| {
        bencher.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(&bytes)).unwrap());
    });
    whole(&mut stages, "typed-parse", &folder);
    stages.bench_function("decode", |bencher| {
        bencher.iter(|| changes().filter(|change| change.item().is_some()).count());
    });
    stages.bench_function("decode, by the parser", |bencher| {
        let records: Vec<&RawValue> = serde_json::from_str(batch.get()).unwrap();
        let is_item = |record: &&RawValue| {
            let record = StreamRecord::<Image>::decode(record.get()).unwrap();
            Change::of(record).unwrap().item().is_some()
        };
        bencher.iter(|| records.iter().copied().filter(is_item).count());
    });
    stages.throughput(Throughput::Elements(100));
    stages.bench_function("map", |bencher| {
        bencher.iter(|| decoded.iter().filter_map(map).map(|fhir| fhir.len()).sum::<usize>());
    });
    let mut event = String::new();
    stages.bench_function("encode", |bencher| {
        bencher.iter(|| {
            for (change, fhir) in decoded.iter().zip(&mapped) {
                event.clear();
                change.write_event(fhir.as_deref(), &mut event);
            }
        });
    });
    stages.throughput(records_of(100, bytes.len()));
    whole(&mut stages, "enricher", &folder);
}

fn lake_writer(criterion: &mut Criterion) {
    let folder = inputs().join("lake-writer-1000");
    let bytes = std::fs::read(folder.join("event.json")).unwrap();
    let config = LakeConfig::parse(&std::fs::read_to_string(folder.join("lake.json")).unwrap()).unwrap();
    let rows = || serde_json::from_slice::<Event>(black_box(&bytes)).unwrap().records.rows;
    let groups = group(&config.partition, rows());
    let files: Vec<String> = groups
        .iter()
        .map(|group| {
            let mut lines = String::new();
            for row in &group.rows {
                row.write_line(&config.columns, &mut lines);
            }
            lines
        })
        .collect();

    let mut stages = criterion.benchmark_group("lake-writer, a batch of 1,000");
    stages.throughput(records_of(1_000, bytes.len()));
    stages.bench_function("limit: the bytes scanned", |bencher| {
        bencher.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(&bytes)).unwrap());
    });
    stages.bench_function("decode", |bencher| bencher.iter(rows));
    stages.throughput(Throughput::Elements(1_000));
    stages.bench_function("divide", |bencher| {
        bencher.iter_batched(rows, |rows| group(&config.partition, rows), criterion::BatchSize::LargeInput);
    });
    let mut lines = String::new();
    stages.bench_function("encode", |bencher| {
        bencher.iter(|| {
            for row in groups.iter().flat_map(|group| &group.rows) {
                lines.clear();
                row.write_line(&config.columns, &mut lines);
            }
        });
    });
    stages.throughput(records_of(1_000, files.iter().map(String::len).sum()));
    stages.bench_function("compress", |bencher| {
        let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL).unwrap();
        bencher.iter(|| {
            files.iter().map(|lines| compressor.compress(lines.as_bytes()).unwrap().len()).sum::<usize>()
        });
    });
    stages.throughput(Throughput::Elements(1_000));
    stages.bench_function("encode and compress", |bencher| {
        bencher.iter(|| {
            let mut encoder = Encoder::new(&config, Compression::Zstd).unwrap();
            groups
                .iter()
                .map(|group| encoder.encode(&group.partition, &group.rows).unwrap().body.len())
                .sum::<usize>()
        });
    });
    stages.throughput(records_of(1_000, bytes.len()));
    whole(&mut stages, "lake-writer", &folder);
}

fn publisher(criterion: &mut Criterion) {
    let folder = inputs().join("publisher");
    let bytes = std::fs::read(folder.join("lines.ndjson")).unwrap();
    let run: Run = serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap();
    let writer = EventWriter::of(&run);
    let split = || lines(black_box(&bytes));
    let lines: Vec<&[u8]> = split().collect();
    let resources: Vec<_> = lines.iter().map(|line| ExportedResource::read(line).unwrap()).collect();

    let mut stages = criterion.benchmark_group("export-publisher, 1,000 lines");
    stages.throughput(records_of(lines.len() as u64, bytes.len()));
    stages.bench_function("limit: split", |bencher| bencher.iter(|| split().count()));
    whole(&mut stages, "line-copy", &folder);
    stages.bench_function("read", |bencher| {
        bencher.iter(|| {
            lines.iter().map(|line| ExportedResource::read(line).unwrap().line_bytes()).sum::<usize>()
        });
    });
    let mut detail = String::new();
    stages.throughput(Throughput::Elements(lines.len() as u64));
    stages.bench_function("write", |bencher| {
        bencher.iter(|| {
            for resource in &resources {
                detail.clear();
                writer.write(resource, &mut detail);
            }
        });
    });
    stages.throughput(records_of(lines.len() as u64, bytes.len()));
    whole(&mut stages, "publisher", &folder);
}

criterion_group!(benches, enricher, lake_writer, publisher);
criterion_main!(benches);
