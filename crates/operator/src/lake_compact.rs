//! `lake compact`: the compactor's planner, invoked as the schedule invokes it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use serde_json::{Value, json};

use crate::Target;

pub async fn run(target: &Target, now: bool) -> Result<ExitCode> {
    let client = Client::new(&target.sdk_config().await?);
    let function = format!("tributary-{}-lake-compactor", target.environment);
    let plan = if now { json!({"plan": {"settleSeconds": 0}}) } else { json!({"plan": {}}) };
    let output = client
        .invoke()
        .function_name(&function)
        .payload(Blob::new(plan.to_string()))
        .send()
        .await
        .with_context(|| format!("invoking {function}"))?;
    let answer = output.payload.map(Blob::into_inner).unwrap_or_default();
    if output.function_error.is_some() {
        bail!("{function} failed: {}", String::from_utf8_lossy(&answer));
    }
    let counts: BTreeMap<String, Value> =
        serde_json::from_slice(&answer).with_context(|| format!("the answer of {function}"))?;
    let told: Vec<String> = counts.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    println!("sent to the compactor: {}", told.join(", "));
    if counts.get("notSent").and_then(Value::as_u64).is_some_and(|count| count > 0) {
        println!("the queue did not take all of them: run it again, and see the log of {function}");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
