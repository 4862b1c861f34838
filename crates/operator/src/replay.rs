//! The replayer function, invoked until no letter is left to look at.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use dead_letter_replayer::{Report, Request};

use crate::Target;

pub async fn replay(target: &Target) -> Result<ExitCode> {
    let client = Client::new(&target.sdk_config().await?);
    let function = format!("tributary-{}-dead-letter-replayer", target.environment);
    let mut total = Report::default();
    let mut request = Request::default();
    loop {
        let report = invoke(&client, &function, &request).await?;
        total.replayed += report.replayed;
        total.failed += report.failed;
        for (reason, count) in report.rejected {
            *total.rejected.entry(reason).or_default() += count;
        }
        let Some(next) = report.next else { break };
        println!("{} replayed so far …", total.replayed);
        request.after = Some(next);
    }
    println!("{} dead letters replayed", total.replayed);
    for (reason, count) in &total.rejected {
        println!("{count} rejected again: {reason}; they stay in the dead-letter bucket");
    }
    if total.failed > 0 {
        println!(
            "{} not handed on; they stay in the dead-letter bucket: see the log of {function}",
            total.failed
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

async fn invoke(client: &Client, function: &str, request: &Request) -> Result<Report> {
    let output = client
        .invoke()
        .function_name(function)
        .payload(Blob::new(serde_json::to_vec(request)?))
        .send()
        .await
        .with_context(|| format!("invoking {function}"))?;
    let answer = output.payload.map(Blob::into_inner).unwrap_or_default();
    if output.function_error.is_some() {
        bail!("{function} failed: {}", String::from_utf8_lossy(&answer));
    }
    serde_json::from_slice(&answer).with_context(|| format!("the answer of {function}"))
}
