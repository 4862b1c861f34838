//! `lake replay`: the replayer function of the lake, invoked until no batch and no letter is left to look at.

use std::process::ExitCode;

use anyhow::Result;
use aws_sdk_lambda::Client;
use lake_replayer::{Report, Request};

use crate::Target;
use crate::invocation::invoke;

pub async fn run(target: &Target) -> Result<ExitCode> {
    let client = Client::new(&target.sdk_config().await?);
    let function = format!("tributary-{}-lake-replayer", target.environment);
    let mut total = Report::default();
    let mut request = Request::default();
    loop {
        let mut report: Report = invoke(&client, &function, &request).await?;
        let next = report.next.take();
        total.add(report);
        let Some(next) = next else { break };
        println!("{} batches and {} dead letters replayed so far …", total.batches, total.letters);
        request = next;
    }
    println!("{} batches and {} dead letters replayed", total.batches, total.letters);
    for (reason, count) in &total.rejected {
        println!("{count} rejected again: {reason}; they stay in the dead-letter bucket");
    }
    if total.of_others > 0 {
        println!("{} batches of other functions passed over", total.of_others);
    }
    if total.failed > 0 {
        println!(
            "{} not written; they stay in the dead-letter bucket: see the log of {function}",
            total.failed
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
