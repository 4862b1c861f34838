//! A function from its start to its last invocation.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use hyper::body::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::function::{Function, Program, Start};
use crate::services::{AwsServices, Received, Requests, entries, no_requests};

/// Which of the pipe's functions is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Enricher,
    Router,
}

/// What a function is invoked with, each time.
#[derive(Debug, Clone)]
pub struct Batch {
    /// A JSON array.
    json: Bytes,
    pub events: usize,
}

/// What a function has taken.
#[derive(Debug)]
pub struct Measured {
    pub start: Start,
    pub peak_bytes: u64,
    pub events: usize,
    /// Of each invocation behind the warm-up, in turn.
    pub cpu_times: Vec<Duration>,
    pub wall_times: Vec<Duration>,
    /// Of all of these together.
    pub requests: Requests,
    pub answered_bytes: u64,
    /// Of the last invocation, warm-up or not; nothing where there was none.
    pub last_answer: Bytes,
    pub last_put_events: Vec<Bytes>,
}

impl Batch {
    /// # Errors
    /// Where it is no JSON array, or an empty one.
    pub fn of(json: Vec<u8>) -> anyhow::Result<Self> {
        let events = elements(&json).context("the event is no JSON array")?;
        ensure!(events > 0, "the event is an empty array");
        Ok(Self { json: json.into(), events })
    }
}

/// Starts the function, invokes it `warm_up` times, and then `invocations` times more.
///
/// # Errors
/// Where the function fails, or answers what is no success.
pub async fn measure(
    program: &Program,
    kind: Kind,
    batch: &Batch,
    warm_up: usize,
    invocations: usize,
) -> anyhow::Result<Measured> {
    let services = Arc::new(AwsServices::default());
    let mut function = Function::start(program, services.clone()).await?;
    let start = function.start_taken();
    let mut measured = Measured {
        start,
        peak_bytes: start.memory.peak,
        events: batch.events,
        cpu_times: Vec::with_capacity(invocations),
        wall_times: Vec::with_capacity(invocations),
        requests: no_requests(),
        answered_bytes: 0,
        last_answer: Bytes::new(),
        last_put_events: Vec::new(),
    };
    // What it sent for its start belongs to no invocation.
    services.take_received();
    for number in 0..warm_up + invocations {
        let invocation = function.invoke(batch.json.clone()).await?;
        let Received { requests, put_events, answered_bytes } = services.take_received();
        kind.check(batch, &invocation.answer, &put_events)?;
        if number >= warm_up {
            measured.cpu_times.push(invocation.cpu_time);
            measured.wall_times.push(invocation.wall_time);
            measured.answered_bytes += answered_bytes;
            for (operation, times) in requests {
                *measured.requests.entry(operation).or_default() += times;
            }
        }
        measured.last_answer = invocation.answer;
        measured.last_put_events = put_events;
    }
    measured.peak_bytes = function.memory()?.peak;
    function.kill().await?;
    Ok(measured)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RouterAnswer {
    batch_item_failures: Vec<IgnoredAny>,
}

impl Kind {
    /// An invocation counts only where all of its events were handled, and before the next poll.
    fn check(self, batch: &Batch, answer: &[u8], put_events: &[Bytes]) -> anyhow::Result<()> {
        let handled = match self {
            Self::Enricher => elements(answer).context("the enricher's answer is no array")?,
            Self::Router => {
                let answer: RouterAnswer =
                    serde_json::from_slice(answer).context("the router's answer is not one")?;
                let failures = answer.batch_item_failures.len();
                ensure!(failures == 0, "the router reports {failures} failures");
                entries(put_events)?.len()
            }
        };
        ensure!(handled == batch.events, "{handled} of {} events were handled", batch.events);
        Ok(())
    }
}

fn elements(json: &[u8]) -> serde_json::Result<usize> {
    serde_json::from_slice::<Vec<IgnoredAny>>(json).map(|elements| elements.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, answer: &str, put_events: &str) -> Result<(), String> {
        let batch = Batch::of(b"[{}, {}]".to_vec()).unwrap();
        let put_events = [Bytes::from(put_events.to_owned())];
        kind.check(&batch, answer.as_bytes(), &put_events).map_err(|error| error.to_string())
    }

    fn put_events(entries: usize) -> String {
        let entry = r#"{"Source": "s", "DetailType": "t", "EventBusName": "b", "Detail": "{}"}"#;
        format!(r#"{{"Entries": [{}]}}"#, vec![entry; entries].join(","))
    }

    #[test]
    fn an_invocation_that_leaves_events_out_is_an_error() {
        let none = &put_events(0);
        assert_eq!(check(Kind::Enricher, "[{}, {}]", none), Ok(()));
        assert_eq!(check(Kind::Enricher, "[{}]", none), Err("1 of 2 events were handled".to_owned()));
        assert_eq!(check(Kind::Enricher, "{}", none), Err("the enricher's answer is no array".to_owned()));

        let answer = r#"{"batchItemFailures": []}"#;
        assert_eq!(check(Kind::Router, answer, &put_events(2)), Ok(()));
        assert_eq!(check(Kind::Router, answer, &put_events(1)), Err("1 of 2 events were handled".to_owned()));
        let answer = r#"{"batchItemFailures": [{"itemIdentifier": "e"}]}"#;
        assert_eq!(
            check(Kind::Router, answer, &put_events(2)),
            Err("the router reports 1 failures".to_owned())
        );
    }
}
