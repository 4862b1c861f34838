//! Changes per second until the first backlog: the rate goes up in steps, until one does not keep up.

use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};
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
use super::under_way::{growth_per_second, levels};
use crate::deployment::LocalStack;

/// Requests to the table that are under way at once.
const CONCURRENT_WRITES: usize = 32;
/// How much longer the writes of a step may take than they should. A table that is slower bounds the rate itself.
const WRITER_TOLERANCE: f64 = 1.05;
/// What is under way may be in a window, and the window before it in the functions.
const WINDOWS_UNDER_WAY: u32 = 2;
/// The share of a rate by which what is under way may grow each second and still be steady. In a step of 20 s it is twice
/// what a steady level seems to grow or shrink where a batch comes every 2 s; where a tenth stays behind, it shows.
const STEADY: f64 = 0.05;

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
    /// By how many changes what is under way grew each second, once the pipe was full.
    pub growth_per_second: f64,
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
    /// What bound the first rate that was not kept; nothing where all were, and no higher one was tried.
    pub bound_by: Option<String>,
    pub steps: Vec<Step>,
}

impl Backlog {
    /// Of steps that went up to the first one that did not keep up.
    fn of(steps: Vec<Step>, processors: usize) -> Self {
        let kept = steps.iter().filter(|step| step.keeps_up).map(|step| step.rate_per_second);
        let beyond = steps.iter().find(|step| !step.keeps_up);
        Self {
            rate_per_second: kept.max().unwrap_or_default(),
            bound_by: beyond.map(|step| bound_by(&step.cores, processors)),
            steps,
        }
    }
}

impl Display for Backlog {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (rate, first) = (self.rate_per_second, self.steps.first().map(|step| step.rate_per_second));
        match (&self.bound_by, first) {
            (None, _) => write!(formatter, "{rate} changes/s are kept up with; more was not tried"),
            (Some(bound), Some(first)) if rate == 0 => {
                write!(formatter, "not even {first} changes/s are kept up with; bound by {bound}")
            }
            (Some(bound), _) => write!(formatter, "{rate} changes/s are kept up with; bound by {bound}"),
        }
    }
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
            "{rate} changes/s: {} under way at the end, {} more each second, {}",
            step.under_way_at_end,
            step.growth_per_second,
            if step.keeps_up { "keeps up" } else { "does not keep up" }
        ));
        let keeps_up = step.keeps_up;
        done.push(step);
        if !keeps_up {
            break;
        }
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Backlog::of(done, processors))
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
    let written = write(patients, numbers, rate, began).await?;
    let took = began.elapsed();
    let mut arrived = Vec::with_capacity(count);
    for received in consumers.arrived()? {
        // The queue may deliver one twice.
        if missing.remove(&received.id) {
            arrived.push(received.at.saturating_duration_since(began.into_std()));
        }
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
    let full = steps.window * WINDOWS_UNDER_WAY;
    let growth = growth_per_second(&levels(&written, &arrived, full..steps.length));
    Ok(Step {
        rate_per_second: rate,
        written: count,
        write_seconds: hundredths(took.as_secs_f64()),
        under_way_at_end: under_way,
        growth_per_second: hundredths(growth),
        keeps_up: keeps_up(rate, steps, took, under_way, growth),
        cores,
    })
}

/// Writes at an even rate: what is late does not delay what comes after it. Says of each write when the table had it, from
/// the beginning.
async fn write(patients: &Patients, numbers: Vec<usize>, rate: u32, began: Instant) -> Result<Vec<Duration>> {
    let permits = Arc::new(Semaphore::new(CONCURRENT_WRITES));
    let mut writes = JoinSet::new();
    for (position, number) in (0_u32..).zip(numbers) {
        sleep_until(began + Duration::from_secs(1) * position / rate).await;
        let permit = permits.clone().acquire_owned().await?;
        let patients = patients.clone();
        writes.spawn(async move {
            let written = patients.put(number).await.map(|()| began.elapsed());
            drop(permit);
            written
        });
    }
    let mut written = Vec::with_capacity(writes.len());
    while let Some(at) = writes.join_next().await {
        written.push(at??);
    }
    Ok(written)
}

/// Whether the table took a step's writes in time, what was under way then is no more than two windows' worth, and it had
/// not grown up to there.
fn keeps_up(rate: u32, steps: &Steps, took: Duration, under_way: usize, growth: f64) -> bool {
    let rate = f64::from(rate);
    #[expect(clippy::cast_precision_loss, reason = "no step writes that many")]
    let under_way = under_way as f64;
    let is_in_time = took.as_secs_f64() <= steps.length.as_secs_f64() * WRITER_TOLERANCE;
    let is_little = under_way <= rate * (steps.window * WINDOWS_UNDER_WAY).as_secs_f64();
    let is_steady = growth <= rate * STEADY;
    is_in_time && is_little && is_steady
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow_bench::processor_time::MINISTACK;

    #[test]
    fn a_step_keeps_up_if_the_table_was_in_time_and_what_is_under_way_is_little_and_steady() {
        let steps =
            Steps { rates: vec![100], length: Duration::from_secs(20), window: Duration::from_secs(1) };
        for (rate, took_ms, under_way, growth, expected) in [
            (100, 20_000, 0, 0.0, true),
            (100, 20_000, 200, 0.0, true),
            (100, 20_000, 201, 0.0, false),
            (25, 20_000, 51, 0.0, false),
            (100, 21_000, 100, 0.0, true),
            (100, 21_001, 0, 0.0, false),
            (100, 20_000, 150, 5.0, true),
            (100, 20_000, 150, 5.1, false),
            (25, 20_000, 40, 5.0, false),
            (100, 20_000, 100, -5.1, true),
        ] {
            let took = Duration::from_millis(took_ms);
            assert_eq!(
                keeps_up(rate, &steps, took, under_way, growth),
                expected,
                "{rate} per second, {took_ms} ms, {under_way} under way, {growth} more each second"
            );
        }
    }

    #[test]
    fn the_last_rate_that_is_kept_is_said_with_what_bound_the_next() {
        let step = |(rate, keeps_up)| Step {
            rate_per_second: rate,
            written: 0,
            write_seconds: 20.0,
            under_way_at_end: 0,
            growth_per_second: 0.0,
            keeps_up,
            cores: [(MINISTACK.to_owned(), f64::from(rate) / 100.0)].into(),
        };
        for (steps, rate, said) in [
            (
                vec![(50, true), (100, false)],
                50,
                "50 changes/s are kept up with; bound by MiniStack, which used up a core (of a core: MiniStack 100 %)",
            ),
            (vec![(50, true), (100, true)], 100, "100 changes/s are kept up with; more was not tried"),
            (
                vec![(100, false)],
                0,
                "not even 100 changes/s are kept up with; bound by MiniStack, which used up a core (of a core: \
                 MiniStack 100 %)",
            ),
        ] {
            let is_bound = steps.iter().any(|(_, keeps_up)| !keeps_up);
            let backlog = Backlog::of(steps.into_iter().map(step).collect(), 2);
            assert_eq!((backlog.rate_per_second, backlog.to_string().as_str()), (rate, said));
            assert_eq!(backlog.bound_by.is_some(), is_bound);
        }
    }
}
