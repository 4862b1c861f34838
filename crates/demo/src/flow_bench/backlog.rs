//! Changes per second until the first backlog: the rate goes up in steps, until one does not keep up.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::consumer::Consumers;
use super::items::{self, Patients};
use super::processor_time::{Cores, Sample, bound_by};
use crate::deployment::LocalStack;

/// Requests to the table that are under way at once.
const CONCURRENT_WRITES: usize = 32;
/// How much longer the writes of a step may take than they should. A table that is slower bounds the rate itself.
const WRITER_TOLERANCE: f64 = 1.05;
/// What is under way may be in a window, and the window before it in the functions.
const WINDOWS_UNDER_WAY: f64 = 2.0;

/// The steps that are tried, and how long each lasts.
#[derive(Debug, Clone)]
pub struct Steps {
    /// Changes per second.
    pub rates: Vec<u32>,
    pub length: Duration,
    /// The pipe's batching window.
    pub window: Duration,
}

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub rate_per_second: u32,
    pub written: usize,
    /// How long it took to write them.
    pub write_seconds: f64,
    /// Written and not arrived when the last one was written.
    pub under_way_at_end: usize,
    pub keeps_up: bool,
    /// How much of a core each process kept busy while they were written.
    pub cores: Cores,
}

/// The rate at which changes begin to pile up.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// The last rate that was kept; 0 where none was.
    pub rate_per_second: u32,
    /// What bound the first rate that was not kept; of the last one where all were.
    pub bound_by: String,
    pub steps: Vec<Step>,
}

/// Goes up the steps to the first that does not keep up.
///
/// # Errors
/// Where a write is refused, or something that was written does not arrive.
pub async fn until_backlog(
    stack: &LocalStack,
    patients: &Patients,
    consumers: &mut Consumers,
    numbers: &mut impl Iterator<Item = usize>,
    steps: &Steps,
    say: &impl Fn(&str),
) -> Result<Backlog> {
    let mut done = Vec::new();
    for rate in &steps.rates {
        let step = run(stack, patients, consumers, numbers, *rate, steps).await?;
        say(&format!(
            "{rate} changes/s: {} under way at the end, {}",
            step.under_way_at_end,
            if step.keeps_up { "keeps up" } else { "does not keep up" }
        ));
        let keeps_up = step.keeps_up;
        done.push(step);
        if !keeps_up {
            break;
        }
    }
    let kept = done.iter().filter(|step| step.keeps_up).map(|step| step.rate_per_second);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Backlog {
        rate_per_second: kept.max().unwrap_or_default(),
        bound_by: bound_by(&done.last().context("no steps")?.cores, processors),
        steps: done,
    })
}

/// One step, until all that it wrote has arrived.
async fn run(
    stack: &LocalStack,
    patients: &Patients,
    consumers: &mut Consumers,
    numbers: &mut impl Iterator<Item = usize>,
    rate: u32,
    steps: &Steps,
) -> Result<Step> {
    let count = usize::try_from(steps.length.as_secs() * u64::from(rate))?;
    let numbers: Vec<usize> = numbers.take(count).collect();
    let mut missing: HashSet<String> = numbers.iter().copied().map(items::id).collect();
    let before = Sample::take(&stack.record()?)?;
    let began = Instant::now();
    write(patients, numbers, rate).await?;
    let took = began.elapsed();
    for received in consumers.arrived() {
        missing.remove(&received.id);
    }
    let cores = Sample::take(&stack.record()?)?.since(&before);
    let under_way = missing.len();
    while !missing.is_empty() {
        let received = consumers
            .next()
            .await
            .with_context(|| format!("{} of {count} changes were written and are lost", missing.len()))?;
        missing.remove(&received.id);
    }
    Ok(Step {
        rate_per_second: rate,
        written: count,
        write_seconds: (took.as_secs_f64() * 100.0).round() / 100.0,
        under_way_at_end: under_way,
        keeps_up: keeps_up(rate, steps, took, under_way),
        cores,
    })
}

/// Writes at an even rate: what is late does not delay what comes after it.
async fn write(patients: &Patients, numbers: Vec<usize>, rate: u32) -> Result<()> {
    let permits = Arc::new(Semaphore::new(CONCURRENT_WRITES));
    let began = Instant::now();
    let mut writes = JoinSet::new();
    for (position, number) in (0_u32..).zip(numbers) {
        sleep_until(began + Duration::from_secs(1) * position / rate).await;
        let permit = permits.clone().acquire_owned().await?;
        let patients = patients.clone();
        writes.spawn(async move {
            let written = patients.put(number).await;
            drop(permit);
            written
        });
    }
    while let Some(written) = writes.join_next().await {
        written??;
    }
    Ok(())
}

/// Whether the table took a step's writes in time, and what was under way then is no more than two windows' worth.
fn keeps_up(rate: u32, steps: &Steps, took: Duration, under_way: usize) -> bool {
    let in_time = took.as_secs_f64() <= steps.length.as_secs_f64() * WRITER_TOLERANCE;
    #[expect(clippy::cast_precision_loss, reason = "no step writes that many")]
    let under_way = under_way as f64;
    in_time && under_way <= f64::from(rate) * steps.window.as_secs_f64() * WINDOWS_UNDER_WAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_keeps_up_if_little_is_under_way_and_the_table_was_in_time() {
        let steps =
            Steps { rates: vec![100], length: Duration::from_secs(10), window: Duration::from_secs(1) };
        for (rate, took_ms, under_way, expected) in [
            (100, 10_000, 0, true),
            (100, 10_000, 200, true),
            (100, 10_000, 201, false),
            (25, 10_000, 51, false),
            (100, 10_500, 100, true),
            (100, 10_501, 0, false),
        ] {
            let took = Duration::from_millis(took_ms);
            assert_eq!(
                keeps_up(rate, &steps, took, under_way),
                expected,
                "{rate} per second, {took_ms} ms, {under_way} under way"
            );
        }
    }
}
