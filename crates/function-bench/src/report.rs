//! What was measured, as the bench's driver reads it.

use std::time::Duration;

use serde::Serialize;

use crate::measure::Measured;
use crate::services::Requests;

/// Times in milliseconds or microseconds, as the name says. What is of an invocation is null where there was none.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    start_cpu_ms: f64,
    start_wall_ms: f64,
    /// Median.
    cpu_ms_per_invocation: Option<f64>,
    cpu_ms_total: f64,
    /// In an invocation.
    events: usize,
    /// Of the total: a garbage collection that comes every hundredth invocation is in it.
    cpu_us_per_event: Option<f64>,
    /// Median.
    wall_ms_per_invocation: Option<f64>,
    peak_rss_bytes: u64,
    rss_at_first_poll_bytes: u64,
    /// Of all invocations together, without those of the warm-up.
    requests: &'a Requests,
    /// What the services answered to these, without the heads.
    answered_bytes: u64,
}

impl<'a> Report<'a> {
    #[must_use]
    pub fn of(measured: &'a Measured) -> Self {
        let total: Duration = measured.cpu_times.iter().sum();
        let events = measured.events * measured.cpu_times.len();
        Self {
            start_cpu_ms: milliseconds(measured.start.cpu_time),
            start_wall_ms: milliseconds(measured.start.wall_time),
            cpu_ms_per_invocation: median(&measured.cpu_times).map(milliseconds),
            cpu_ms_total: milliseconds(total),
            events: measured.events,
            cpu_us_per_event: (events > 0).then(|| microseconds_each(total, events)),
            wall_ms_per_invocation: median(&measured.wall_times).map(milliseconds),
            peak_rss_bytes: measured.peak_bytes,
            rss_at_first_poll_bytes: measured.start.memory.now,
            requests: &measured.requests,
            answered_bytes: measured.answered_bytes,
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a batch is far from 2^52 events")]
fn microseconds_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

/// Of an even number of times the mean of the two in the middle.
fn median(times: &[Duration]) -> Option<Duration> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let upper = *times.get(times.len() / 2)?;
    let lower = *times.get((times.len() - 1) / 2)?;
    Some((lower + upper) / 2)
}

#[cfg(test)]
mod tests {
    use hyper::body::Bytes;
    use serde_json::json;

    use super::*;
    use crate::function::Start;
    use crate::process::Memory;
    use crate::services::no_requests;

    fn measured(cpu_times: &[u64]) -> Measured {
        let cpu_times: Vec<_> = cpu_times.iter().copied().map(Duration::from_millis).collect();
        let memory = Memory { now: 1_000, peak: 2_000 };
        let (cpu_time, wall_time) = (Duration::from_micros(1_500), Duration::from_millis(3));
        Measured {
            start: Start { cpu_time, wall_time, memory },
            peak_bytes: 4_000,
            events: 10,
            wall_times: cpu_times.iter().map(|time| *time * 2).collect(),
            cpu_times,
            requests: no_requests(),
            answered_bytes: 7_000,
            last_answer: Bytes::new(),
            last_put_events: Vec::new(),
        }
    }

    #[test]
    fn an_event_costs_its_share_of_all_and_an_invocation_the_median() {
        let report = serde_json::to_value(Report::of(&measured(&[93, 4, 1, 2]))).unwrap();
        let requests = json!({
            "Query": 0, "GetItem": 0, "PutEvents": 0, "PutObject": 0, "GetObject": 0, "SendMessage": 0
        });
        let expected = json!({
            "startCpuMs": 1.5, "startWallMs": 3.0, "cpuMsPerInvocation": 3.0, "cpuMsTotal": 100.0,
            "events": 10, "cpuUsPerEvent": 2_500.0, "wallMsPerInvocation": 6.0,
            "peakRssBytes": 4_000, "rssAtFirstPollBytes": 1_000, "requests": requests, "answeredBytes": 7_000
        });
        assert_eq!(report, expected);
    }

    #[test]
    fn a_start_alone_has_nothing_of_an_invocation() {
        let report = serde_json::to_value(Report::of(&measured(&[]))).unwrap();
        assert_eq!(report["startCpuMs"], 1.5);
        assert!(report["cpuMsPerInvocation"].is_null() && report["cpuUsPerEvent"].is_null());
    }
}
