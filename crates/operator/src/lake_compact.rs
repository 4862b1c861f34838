//! `lake compact`: the compactor's planner, invoked as the schedule invokes it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use aws_sdk_lambda::Client;
use serde_json::{Value, json};

use crate::Target;
use crate::invocation::invoke;

pub async fn run(target: &Target, now: bool) -> Result<ExitCode> {
    let client = Client::new(&target.sdk_config().await?);
    let function = format!("tributary-{}-lake-compactor", target.environment);
    let plan = if now { json!({"plan": {"settleSeconds": 0}}) } else { json!({"plan": {}}) };
    let counts: BTreeMap<String, Value> = invoke(&client, &function, &plan).await?;
    let told: Vec<String> = counts.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    println!("sent to the compactor: {}", told.join(", "));
    if counts.get("notSent").and_then(Value::as_u64).is_some_and(|count| count > 0) {
        println!("the queue did not take all of them: run it again, and see the log of {function}");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
