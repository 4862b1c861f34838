//! `demo`: the main job on the local stack, from a write to the table or to HealthLake to an event in a queue and a row in
//! the lake.

#![expect(clippy::print_stdout, reason = "a program that talks to its user")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use demo::dead_letters::{self, Dead};
use demo::deployment::{Deployment, LocalStack, Repository, StackStart};
use demo::history::{self, HistoryRecord};
use demo::inbox::Inbox;
use demo::interruption::exit_code;
use demo::options::options;
use demo::source::{self, Generated, Write};
use demo::{export_demo, fhir_check, lake_demo, ledger, report, writer};
use serde_json::json;
use tokio::time::sleep;

const PROGRESS_EVERY: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long nothing may arrive before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(45);

/// Run the main job on the local stack, and show what came out.
#[derive(Parser)]
struct Arguments {
    /// End the stack afterwards, instead of leaving it for a look around
    #[arg(long)]
    once: bool,
    /// Feed the FHIR R4 resources of this folder (NDJSON, one type a file)
    #[arg(long, value_name = "DIR", conflicts_with = "items")]
    data: Option<PathBuf>,
    /// Feed this many generated writes, with updates and removals
    #[arg(long, value_name = "N")]
    items: Option<usize>,
    /// How many in a thousand of the generated writes cannot be read
    #[arg(long, value_name = "N", default_value_t = 0, requires = "items")]
    poison: usize,
    /// Write the summary to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run(Arguments::parse())).await
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let say = |what: &str| println!("[{:>3} s] {what}", started.elapsed().as_secs());
    let repository = Repository::of_this_build();
    let (writes, resources) = input(&arguments, &repository)?;

    say("starting the local stack");
    let start = StackStart { folder: repository.root.join(".local/demo"), ..StackStart::default() };
    let stack = LocalStack::start(repository.clone(), start).await?;
    say(&format!("deploying the CDK app to it, at http://127.0.0.1:{}", stack.ports.stack));
    stack.bootstrap().await?;
    let deployment = stack.deploy(&options()).await?;

    say(&format!("writing {} changes to the table", writes.len()));
    let mut followed = follow(&deployment, writes, &say).await?;
    let resources = match resources {
        Some(resources) => resources,
        None => export_demo::resources_of(&*followed.inbox.arrivals.lock().await),
    };
    let exports = export_demo::run(&stack, &deployment, &mut followed.inbox, &resources, &say).await?;
    let lake = lake_demo::run(&stack, &deployment, &followed.history, &say).await?;
    say("checking the FHIR resources");
    let arrivals = followed.inbox.arrivals.lock().await;
    let fhir = fhir_check::check(&repository, &arrivals).await?;
    for failure in &fhir.failures {
        println!(
            "invalid {}: {} at {}: {}",
            failure.resource_type, failure.validator, failure.path, failure.problem
        );
    }
    let summary = ledger::summary(
        &followed.history,
        &arrivals,
        &followed.dead,
        &followed.sent_at,
        (fhir.checked, fhir.invalid),
    );
    say("done");
    println!("\n{}", report::table(&arrivals));
    if let Some(example) = report::example(&arrivals) {
        println!("{example}");
    }
    print!("{}{}", report::rejects(&arrivals), report::verdict(&summary));
    print!("\n{}", report::exports(&exports));
    print!("\n{}", report::lake(&lake));
    let is_sound = summary.lost == 0
        && summary.fhir_invalid == 0
        && ledger::ids_used_twice(&arrivals).is_empty()
        && exports.lost == 0
        && exports.gaps == 0
        && lake.summary.missing == 0
        && lake.summary.doubled == 0;
    drop(arrivals);
    if let Some(path) = &arguments.json {
        let json = serde_json::to_string_pretty(
            &json!({"changes": summary, "exports": exports, "lake": lake.summary}),
        )?;
        std::fs::write(path, json + "\n").with_context(|| format!("writing {}", path.display()))?;
    }
    if !arguments.once {
        println!(
            "\nThe stack runs on until Ctrl-C: http://127.0.0.1:{} (region us-east-1, any credentials).\n\
             Logs and the deployment's outputs: {}\n\
             A stack to work with: cargo xtask local up. Your own data: cargo xtask demo --data DIR.",
            stack.ports.stack,
            stack.folder.display()
        );
        std::future::pending::<()>().await;
    }
    stack.stop().await?;
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What to write to the table, and what to load into HealthLake where the user said that too.
fn input(arguments: &Arguments, repository: &Repository) -> Result<(Vec<Write>, Option<Vec<String>>)> {
    if let Some(folder) = &arguments.data {
        let source = source::read_folder(folder)?;
        println!(
            "{} FHIR resources read, {} items made of them",
            source.resources.len(),
            source.writes.len()
        );
        return Ok((source.writes, Some(source.resources)));
    }
    let writes = match arguments.items {
        None => source::sample(&repository.root)?,
        Some(writes) => source::generate(Generated { writes, poison_per_mille: arguments.poison, seed: 1 }),
    };
    Ok((writes, None))
}

struct Followed {
    inbox: Inbox,
    history: Vec<HistoryRecord>,
    dead: Vec<Dead>,
    sent_at: writer::SentAt,
}

/// Writes, and waits until every record is accounted for or nothing more arrives.
async fn follow(deployment: &Deployment, writes: Vec<Write>, say: &impl Fn(&str)) -> Result<Followed> {
    let mut inbox = Inbox::open(deployment)?;
    let total = writes.len();
    let written = Arc::new(AtomicUsize::new(0));
    let writing = tokio::spawn({
        let dynamodb = aws_sdk_dynamodb::Client::new(&deployment.config);
        let table = deployment.output("ItemsTableName")?.to_owned();
        let written = written.clone();
        async move { writer::write_all(&dynamodb, &table, writes, &written).await }
    });
    let mut told = Instant::now();
    let mut tell = |arrived: usize, rejected: usize| {
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            let written = written.load(Ordering::Relaxed);
            say(&format!("{written} of {total} written, {arrived} events arrived, {rejected} rejected"));
        }
    };
    while !writing.is_finished() {
        inbox.check()?;
        let (arrived, rejected) = count(&inbox).await;
        tell(arrived, rejected);
        sleep(LOOK_EVERY).await;
    }
    let sent_at = writing.await??;

    let streams = aws_sdk_dynamodbstreams::Client::new(&deployment.config);
    let history = history::read(&streams, deployment.output("ItemsStreamArn")?).await?;
    let mut last = (count(&inbox).await, Instant::now());
    loop {
        inbox.check()?;
        let (arrived, rejected) = count(&inbox).await;
        if last.0 != (arrived, rejected) {
            last = ((arrived, rejected), Instant::now());
        }
        let is_over = last.1.elapsed() > PATIENCE;
        if arrived + rejected >= history.len() || is_over {
            let dead = dead_letters::read(deployment).await?;
            let missing = ledger::missing(&history, &*inbox.arrivals.lock().await, &dead).len();
            if missing == 0 || is_over {
                return Ok(Followed { inbox, history, dead, sent_at });
            }
        }
        tell(arrived, rejected);
        sleep(LOOK_EVERY).await;
    }
}

async fn count(inbox: &Inbox) -> (usize, usize) {
    let arrivals = inbox.arrivals.lock().await;
    (arrivals.changes.len(), arrivals.rejects.len())
}
