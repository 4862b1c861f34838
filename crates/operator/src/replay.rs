//! The replayer function, invoked until no letter is left to look at.

use std::process::ExitCode;

use anyhow::Result;
use aws_sdk_lambda::Client;
use dead_letter_replayer::{Report, Request};

use crate::Target;
use crate::invocation::invoke;

pub async fn replay(target: &Target) -> Result<ExitCode> {
    let client = Client::new(&target.sdk_config().await?);
    let function = format!("tributary-{}-dead-letter-replayer", target.environment);
    let mut total = Report::default();
    let mut request = Request::default();
    loop {
        let report: Report = invoke(&client, &function, &request).await?;
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
