//! Exports from HealthLake, when everything goes well.

use std::time::Duration;

use anyhow::{Result, ensure};
use demo::datastore::Datastore;
use demo::export_ledger;
use domain::export::run::RunStatus;
use e2e::scenario::Scenario;
use serde_json::json;

const RUN: Duration = Duration::from_mins(1);

fn patient(id: usize) -> String {
    json!({"resourceType": "Patient", "id": format!("p{id}"), "active": true}).to_string()
}

#[tokio::test]
async fn what_changed_since_the_last_run_arrives() -> Result<()> {
    let options = json!({"datastores": {"clinic": {
        "scheduleEnabled": false, "overlapSeconds": 1, "poll": {"firstDelaySeconds": 1, "longestDelaySeconds": 2},
    }}});
    let mut scenario = Scenario::start("exports", &options).await?;
    let mut clinic = Datastore::of(&scenario.stack, &scenario.deployment, "clinic")?;
    let lines: Vec<String> = (0..20).map(patient).collect();
    clinic.load(lines.join("\n")).await?;
    let record = clinic.run(&json!({}), RUN).await?;
    ensure!(record.status == RunStatus::Completed, "{record:?}");
    let latest = clinic.latest.clone();
    scenario
        .until(RUN, "every resource arrives", |arrivals| export_ledger::missing(&latest, arrivals).is_empty())
        .await?;
    let state = clinic.runs.state(&clinic.id).await?;
    ensure!(state.is_some_and(|state| state.lease.is_none() && state.cursor == Some(record.window.until)));
    scenario.end().await
}
