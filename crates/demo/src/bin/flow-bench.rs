//! `flow-bench`: how fast a change is on the local stack, and how many a second it carries.

#![expect(clippy::print_stdout, reason = "a program that talks to its user")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use demo::deployment::{Deployment, LocalStack, Repository, StackStart};
use demo::flow_bench::backlog::{self, Backlog, Steps};
use demo::flow_bench::consumer::Consumers;
use demo::flow_bench::items::Patients;
use demo::flow_bench::latency::{ITEMS, Latency, one_at_a_time};
use demo::flow_bench::versions::versions;
use demo::interruption::exit_code;
use serde::Serialize;
use serde_json::json;
use tokio::time::sleep;

/// The default of the option `pipe.batchingWindowSeconds`, deployed as such: the figures' names hold with any default.
const WINDOW: Duration = Duration::from_secs(1);
/// So long that a backlog which grows slowly stands out from the ups and downs of the batches.
const STEP: Duration = Duration::from_secs(20);
/// The runner looks for changed pipes twice a second; until then the old window holds.
const PIPE_CHANGE_PAUSE: Duration = Duration::from_secs(2);
/// So many that one waits while others remove what they received, and that they are not what bounds the rate. They stay to
/// the end: a request that is cut off in its long poll could still take a message, which nobody would see.
const CONSUMERS: usize = 4;

/// Measure the flow from the table to a queue on the local stack.
#[derive(Parser)]
struct Arguments {
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: PathBuf,
    /// Fewer steps
    #[arg(long)]
    quick: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    window1s: Latency,
    window_off: Latency,
    backlog: Backlog,
    versions: BTreeMap<&'static str, String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run(Arguments::parse())).await
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let say = |what: &str| println!("[{:>3} s] {what}", started.elapsed().as_secs());
    let steps = steps(arguments.quick);
    let repository = Repository::of_this_build();
    let versions = versions(&repository).await?;

    say("starting the local stack, and deploying the CDK app to it");
    let start = StackStart { folder: repository.root.join(".local/flow-bench"), ..StackStart::default() };
    let stack = LocalStack::start(repository, start).await?;
    stack.bootstrap().await?;
    let deployment = deploy(&stack, WINDOW).await?;
    let patients = Patients::of(&deployment)?;
    let mut consumers = Consumers::open(&deployment, CONSUMERS)?;
    let mut numbers = 0..;
    let window1s = one_at_a_time(&patients, &mut consumers, &mut numbers, ITEMS).await?;
    say(&format!("window of 1 s, one item at a time: {window1s}"));
    say("deploying it with the window off");
    deploy(&stack, Duration::ZERO).await?;
    let window_off = one_at_a_time(&patients, &mut consumers, &mut numbers, ITEMS).await?;
    say(&format!("window off, one item at a time: {window_off}"));
    say("deploying it with the window of 1 s");
    deploy(&stack, WINDOW).await?;
    let backlog =
        backlog::until_backlog(&stack, &patients, &mut consumers, &mut numbers, &steps, &say).await?;
    say(&backlog.to_string());
    drop(consumers);
    stack.stop().await?;

    let figures = Figures { window1s, window_off, backlog, versions };
    let path = &arguments.json;
    std::fs::write(path, serde_json::to_string_pretty(&figures)? + "\n")
        .with_context(|| format!("writing {}", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn steps(quick: bool) -> Steps {
    let rates: &[u32] =
        if quick { &[50, 100, 200, 400] } else { &[25, 50, 100, 150, 200, 250, 300, 400, 500] };
    Steps { rates: rates.to_vec(), length: STEP, window: WINDOW }
}

/// Deploys with this window of the pipe, and waits until it is in effect. Deployed again, table and queues stay.
async fn deploy(stack: &LocalStack, window: Duration) -> Result<Deployment> {
    let deployment = stack.deploy(&json!({"pipe": {"batchingWindowSeconds": window.as_secs()}})).await?;
    sleep(PIPE_CHANGE_PAUSE).await;
    Ok(deployment)
}
