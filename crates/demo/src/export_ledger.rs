//! What lies in a datastore against what arrived of it.

use std::collections::{BTreeMap, HashSet};

use domain::export::run::{RunRecord, RunStatus};
use domain::export::window::Mode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::datastore::ResourceName;
use crate::inbox::Arrivals;

/// The demo's summary of exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub runs: Vec<RunSummary>,
    /// Versions that were written to the datastore: of each resource as many as it had.
    pub resources: usize,
    /// Messages that came out of the queue.
    pub events: usize,
    /// Distinct event ids among them.
    pub distinct: usize,
    /// Resources whose last version did not arrive.
    pub lost: usize,
    /// Windows that do not begin where the one before ended.
    pub gaps: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    pub mode: Mode,
    pub status: RunStatus,
    pub since: Option<Timestamp>,
    pub until: Timestamp,
    /// Events that the run sent.
    pub published: u64,
    /// Those of them whose id no earlier run had sent.
    pub new: usize,
    pub rejected: u64,
    pub seconds: i64,
    pub by_type: BTreeMap<String, u64>,
}

/// The runs are in their order; `resources` counts the versions that were written.
#[must_use]
pub fn summary(
    runs: &[RunRecord],
    latest: &BTreeMap<ResourceName, String>,
    resources: usize,
    overlap: SignedDuration,
    arrivals: &Arrivals,
) -> Summary {
    let mut known: HashSet<&str> = HashSet::new();
    let runs_summed = runs
        .iter()
        .map(|record| {
            let of_run = arrivals.resources.iter().filter(|arrival| arrival.run == record.key.id.0);
            let new = of_run.filter(|arrival| known.insert(&arrival.id)).count();
            let tally = record.tally.clone().unwrap_or_default();
            RunSummary {
                mode: record.mode,
                status: record.status,
                since: record.window.since,
                until: record.window.until,
                published: tally.published_total(),
                new,
                rejected: tally.rejected_total(),
                seconds: record
                    .ended_at
                    .map_or(0, |ended_at| ended_at.duration_since(record.key.started_at).as_secs()),
                by_type: tally.published,
            }
        })
        .collect();
    Summary {
        runs: runs_summed,
        resources,
        events: arrivals.resources.len(),
        distinct: arrivals.resources.iter().map(|arrival| &arrival.id).collect::<HashSet<_>>().len(),
        lost: missing(latest, arrivals).len(),
        gaps: gaps(runs, overlap),
    }
}

/// The resources whose last version has not arrived.
#[must_use]
pub fn missing<'l>(latest: &'l BTreeMap<ResourceName, String>, arrivals: &Arrivals) -> Vec<&'l ResourceName> {
    let arrived: HashSet<(&str, &str, Option<&str>)> = arrivals
        .resources
        .iter()
        .map(|arrival| {
            (arrival.resource_type.as_str(), arrival.resource_id.as_str(), arrival.version_id.as_deref())
        })
        .collect();
    latest
        .iter()
        .filter(|((resource_type, id), version)| {
            !arrived.contains(&(resource_type.as_str(), id.as_str(), Some(version.as_str())))
        })
        .map(|(name, _)| name)
        .collect()
}

/// How many windows of committed runs do not begin where the one before ended, less the overlap.
#[must_use]
pub fn gaps(runs: &[RunRecord], overlap: SignedDuration) -> usize {
    let committed: Vec<&RunRecord> = runs
        .iter()
        .filter(|record| record.status == RunStatus::Completed && record.mode != Mode::Replay)
        .collect();
    committed
        .windows(2)
        .filter(|pair| match pair {
            [before, after] => {
                let tiles = after.window.since.is_none_or(|since| since + overlap <= before.window.until);
                !tiles
            }
            _ => false,
        })
        .count()
}
