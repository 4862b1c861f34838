//! Executes EventBridge pipes whose source is a DynamoDB stream, as AWS does.
//!
//! The definitions come from the Pipes API. For each pipe and shard one reader runs: filter, batch, window, enrichment,
//! target, partial failures, bisection, retries, record age, dead letters, payload limits, and a checkpoint on disk, so
//! that the runner may be killed at any moment: what it had under way comes again, and nothing is passed over.
//!
//! Semantics: EventBridge user guide, chapter "Amazon EventBridge Pipes". Where AWS is silent it does as Lambda's event
//! source mapping for streams does.
//!
//! Left out, and refused where a pipe asks for it: input transformers, sources other than DynamoDB streams, enrichments
//! and targets other than Lambda functions called synchronously. A parallelization factor above 1 runs as 1, which is
//! slower and in the same order.

mod batch;
mod checkpoint;
mod definition;
mod delivery;
mod invocation;
mod reader;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use checkpoint::Checkpoints;
use definition::PipeDefinition;
use reader::ShardReader;

/// How often new, changed and stopped pipes are looked for.
const DEFINITIONS_EVERY: Duration = Duration::from_millis(500);

/// The AWS clients that a runner needs.
#[derive(Clone)]
pub(crate) struct Clients {
    pipes: aws_sdk_pipes::Client,
    streams: aws_sdk_dynamodbstreams::Client,
    lambda: aws_sdk_lambda::Client,
    sqs: aws_sdk_sqs::Client,
}

struct RunningPipe {
    definition: PipeDefinition,
    readers: HashMap<String, JoinHandle<()>>,
}

/// Runs every pipe of the stack until the process ends.
///
/// # Errors
/// Where the folder for checkpoints cannot be used.
pub async fn run(config: &SdkConfig, checkpoints: PathBuf) -> Result<()> {
    let clients = Clients {
        pipes: aws_sdk_pipes::Client::new(config),
        streams: aws_sdk_dynamodbstreams::Client::new(config),
        lambda: aws_sdk_lambda::Client::new(config),
        sqs: aws_sdk_sqs::Client::new(config),
    };
    let checkpoints = Checkpoints::open(checkpoints)?;
    let mut running: HashMap<String, RunningPipe> = HashMap::new();
    loop {
        if let Err(error) = follow_definitions(&clients, &checkpoints, &mut running).await {
            tracing::warn!(error = format!("{error:#}"), "pipes not read; trying again");
        }
        sleep(DEFINITIONS_EVERY).await;
    }
}

/// Starts readers for what is new, and starts those anew whose pipe has changed.
async fn follow_definitions(
    clients: &Clients,
    checkpoints: &Checkpoints,
    running: &mut HashMap<String, RunningPipe>,
) -> Result<()> {
    let definitions = definition::running_pipes(&clients.pipes).await?;
    running.retain(|arn, pipe| {
        let unchanged = definitions.get(arn) == Some(&pipe.definition);
        if !unchanged {
            tracing::info!(pipe = arn, "pipe stopped or changed");
            pipe.readers.values().for_each(JoinHandle::abort);
        }
        unchanged
    });
    for (arn, definition) in definitions {
        let pipe = running
            .entry(arn)
            .or_insert_with(|| RunningPipe { definition: definition.clone(), readers: HashMap::new() });
        for shard in shards(clients, &definition.stream_arn).await? {
            pipe.readers.entry(shard).or_insert_with_key(|shard| {
                tracing::info!(pipe = definition.name, shard, "reading");
                tokio::spawn(ShardReader::new(clients, &definition, shard, checkpoints).run())
            });
        }
    }
    Ok(())
}

async fn shards(clients: &Clients, stream_arn: &str) -> Result<Vec<String>> {
    let description = clients
        .streams
        .describe_stream()
        .stream_arn(stream_arn)
        .send()
        .await
        .context("describing the stream")?
        .stream_description
        .context("a stream without a description")?;
    Ok(description.shards().iter().filter_map(|shard| shard.shard_id.clone()).collect())
}
