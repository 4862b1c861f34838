//! Latency from the write to the queue: one item at a time.
//!
//! It begins before PutItem is sent, and ends when a consumer has the answer of its long poll.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;
use tokio::time::sleep;

use super::consumer::Consumers;
use super::items::{self, Patients};

/// Written first and not measured: they start the functions and open the connections.
const WARM_UP: usize = 5;
/// The fewest of which the 99th percentile is not the greatest.
pub const ITEMS: usize = 100;
/// Before each write there is a pause, at random up to this. Without one an item would begin where the one before ended, always
/// at the same point between two looks of whoever polls, and the latency would be that of this point. It is the longest time
/// between two looks, MiniStack's into a queue; the runner's into a stream goes into it four times.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The latencies of one setting, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub items: usize,
}

impl Latency {
    /// Of no latency there is none.
    #[must_use]
    pub fn of(mut latencies: Vec<Duration>) -> Option<Self> {
        latencies.sort_unstable();
        Some(Self {
            p50_ms: milliseconds(percentile(&latencies, 50)?),
            p99_ms: milliseconds(percentile(&latencies, 99)?),
            items: latencies.len(),
        })
    }
}

impl Display for Latency {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "p50 {} ms, p99 {} ms of {} items", self.p50_ms, self.p99_ms, self.items)
    }
}

/// Writes items, each a moment after the one before has arrived. Their numbers are taken from `numbers`.
///
/// # Errors
/// Where one is refused or does not arrive.
pub async fn one_at_a_time(
    patients: &Patients,
    consumers: &mut Consumers,
    numbers: &mut impl Iterator<Item = usize>,
    items: usize,
) -> Result<Latency> {
    let mut latencies = Vec::with_capacity(items);
    for number in numbers.take(WARM_UP + items) {
        sleep(LONGEST_PAUSE.mul_f64(fastrand::f64())).await;
        let began = Instant::now();
        patients.put(number).await?;
        latencies.push(arrival(consumers, &items::id(number)).await?.duration_since(began));
    }
    latencies.drain(..WARM_UP);
    Latency::of(latencies).context("nothing was measured")
}

/// When the item arrives. An earlier one that comes again is passed over.
async fn arrival(consumers: &mut Consumers, id: &str) -> Result<Instant> {
    loop {
        let received = consumers.next().await.with_context(|| format!("{id} was written and is lost"))?;
        if received.id == id {
            return Ok(received.at);
        }
    }
}

/// The nearest-rank percentile of sorted values: the smallest one that at least `percent` of a hundred do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// To a tenth: what is below it is the scheduler's.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let of = |values: std::ops::RangeInclusive<u64>| -> Vec<Duration> {
            values.map(Duration::from_millis).collect()
        };
        let cases = [
            (of(1..=100), 50, Some(50)),
            (of(1..=100), 99, Some(99)),
            (of(1..=101), 99, Some(100)),
            (of(1..=99), 99, Some(99)),
            (of(1..=60), 50, Some(30)),
            (of(1..=60), 99, Some(60)),
            (of(1..=15), 50, Some(8)),
            (of(7..=7), 99, Some(7)),
            (Vec::new(), 50, None),
        ];
        for (sorted, percent, expected) in cases {
            let found = percentile(&sorted, percent);
            assert_eq!(found, expected.map(Duration::from_millis), "{percent} of {}", sorted.len());
        }
    }

    #[test]
    fn latencies_may_come_in_any_order() {
        let latencies = [31_060, 9_000, 20_000].map(Duration::from_micros).to_vec();
        assert_eq!(Latency::of(latencies), Some(Latency { p50_ms: 20.0, p99_ms: 31.1, items: 3 }));
        assert_eq!(Latency::of(Vec::new()), None);
    }
}
