//! The demo's exports: everything that a datastore holds, then what changed since, then nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use domain::export::tally::Tally;
use jiff::SignedDuration;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use tokio::time::{Instant, sleep};

use crate::datastore::Datastore;
use crate::deployment::{Deployment, LocalStack};
use crate::export_ledger::{Summary, missing, summary};
use crate::inbox::{Arrivals, Inbox};

/// The name of the datastore.
pub const DATASTORE: &str = "clinic";
const OVERLAP: SignedDuration = SignedDuration::from_secs(1);
const UPDATED: usize = 50;
const CREATED: usize = 10;
const RUN_LIMIT: Duration = Duration::from_mins(10);
/// How long nothing may arrive before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(45);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The option `datastores`: one that is exported when somebody says so, and quickly.
#[must_use]
pub fn datastores() -> serde_json::Value {
    json!({DATASTORE: {
        "scheduleEnabled": false,
        "overlapSeconds": OVERLAP.as_secs(),
        "poll": {"firstDelaySeconds": 1, "longestDelaySeconds": 2},
    }})
}

/// The last FHIR resource of each name among the change events: what to load where the user brought no folder of their own.
#[must_use]
pub fn resources_of(arrivals: &Arrivals) -> Vec<String> {
    let mut latest: BTreeMap<String, (&str, String)> = BTreeMap::new();
    for arrival in &arrivals.changes {
        let Some(fhir) = arrival.event().ok().and_then(|event| event.fhir) else { continue };
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(fhir.get()).unwrap_or_default();
        let text = |name: &str| members.get(name).map(|member| member.get()).unwrap_or_default();
        let entry = latest.entry(format!("{} {}", text("resourceType"), text("id"))).or_default();
        if entry.0 <= arrival.sequence.as_str() {
            *entry = (&arrival.sequence, fhir.get().to_owned());
        }
    }
    latest.into_values().map(|(_, resource)| resource).collect()
}

/// Loads the resources, exports them, changes some, exports again, and once more.
///
/// # Errors
/// Where a run fails, or a resource is none.
pub async fn run(
    stack: &LocalStack,
    deployment: &Deployment,
    inbox: &mut Inbox,
    resources: &[String],
    say: &impl Fn(&str),
) -> Result<Summary> {
    let mut clinic = Datastore::of(stack, deployment, DATASTORE)?;
    say(&format!("loading {} FHIR resources into HealthLake", resources.len()));
    let mut versions = clinic.load(resources.join("\n")).await?;
    let mut runs = Vec::new();

    let changed: Vec<String> =
        resources.iter().take(UPDATED).map(|line| updated(line)).collect::<Result<_>>()?;
    let created: Vec<String> = resources
        .iter()
        .take(CREATED)
        .enumerate()
        .map(|(number, line)| renamed(line, number))
        .collect::<Result<_>>()?;
    for round in [Vec::new(), [changed, created].concat(), Vec::new()] {
        if !round.is_empty() {
            say(&format!("changing {} resources", round.len()));
        }
        for resource in &round {
            clinic.put(resource).await?;
            versions += 1;
        }
        // Then the run after this one does not find these changes in its overlap.
        sleep(Duration::try_from(OVERLAP)? + LOOK_EVERY).await;
        say("a run: exporting what has changed since the last one");
        let record = clinic.run(&json!({}), RUN_LIMIT).await?;
        let published = record.tally.as_ref().map_or(0, Tally::published_total);
        say(&format!("the run has published {published} resources"));
        runs.push(record);
        until_arrived(&clinic, inbox, published, &runs, say).await?;
    }
    let arrivals = inbox.arrivals.lock().await;
    Ok(summary(&runs, &clinic.latest, versions, OVERLAP, &arrivals))
}

/// Waits until as many events of the last run have arrived as it says that it sent, or nothing more arrives.
async fn until_arrived(
    clinic: &Datastore,
    inbox: &mut Inbox,
    published: u64,
    runs: &[domain::export::run::RunRecord],
    say: &impl Fn(&str),
) -> Result<()> {
    let run = &runs.last().context("no run")?.key.id.0;
    let (mut last, mut since) = (0, Instant::now());
    loop {
        inbox.check()?;
        let arrivals = inbox.arrivals.lock().await;
        let arrived = arrivals.resources.iter().filter(|arrival| arrival.run == *run).count();
        if arrived as u64 >= published && missing(&clinic.latest, &arrivals).is_empty() {
            return Ok(());
        }
        drop(arrivals);
        if arrived > last {
            (last, since) = (arrived, Instant::now());
            say(&format!("{arrived} of {published} events have arrived"));
        }
        if since.elapsed() > PATIENCE {
            return Ok(());
        }
        sleep(LOOK_EVERY * 8).await;
    }
}

fn updated(line: &str) -> Result<String> {
    with_member(line, "language", "en")
}

fn renamed(line: &str, number: usize) -> Result<String> {
    with_member(line, "id", &format!("demo-{number}"))
}

/// The resource with one member set; every other keeps its bytes.
fn with_member(line: &str, name: &str, value: &str) -> Result<String> {
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(line).context("a resource")?;
    members.insert(name.to_owned(), to_raw_value(value)?);
    Ok(serde_json::to_string(&members)?)
}
