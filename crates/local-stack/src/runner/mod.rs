//! Reads DynamoDB streams for EventBridge pipes and for Lambda's event source mappings, as AWS does.
//!
//! The definitions come from the Pipes and the Lambda API. For each consumer and shard one reader runs: filter, batch,
//! window, invocation, partial failures, bisection, retries, record age, what is given up, payload limits, and a checkpoint
//! on disk, so that the runner may be killed at any moment: what it had under way comes again, and nothing is passed over.
//! What the two kinds of consumers do differently is in [`pipe`] and [`mapping`].
//!
//! Semantics: EventBridge user guide, chapter "Amazon EventBridge Pipes"; AWS Lambda developer guide, chapter "Using AWS
//! Lambda with Amazon DynamoDB". Where AWS is silent on pipes they do as mappings.
//!
//! Left out, and refused where it is asked for: input transformers, sources other than DynamoDB streams, enrichments
//! and targets other than Lambda functions called synchronously, tumbling windows, on-failure destinations other than
//! buckets and queues. A parallelization factor above 1 runs as 1, which is slower and in the same order.

mod batch;
mod batch_info;
mod checkpoint;
mod consumer;
mod delivery;
mod invocation;
mod mapping;
mod pipe;
mod queue;
mod reader;
mod retries;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use checkpoint::Checkpoints;
use consumer::Consumer;
use reader::ShardReader;

/// How often new, changed and stopped consumers are looked for.
const DEFINITIONS_EVERY: Duration = Duration::from_millis(500);

/// The AWS clients that a runner needs.
#[derive(Clone)]
pub(crate) struct Clients {
    pipes: aws_sdk_pipes::Client,
    streams: aws_sdk_dynamodbstreams::Client,
    lambda: aws_sdk_lambda::Client,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
}

struct Running {
    consumer: Consumer,
    /// By shard.
    readers: HashMap<String, JoinHandle<()>>,
}

/// Runs every pipe and every mapping of a DynamoDB stream until the process ends.
///
/// # Errors
/// Where the folder for checkpoints cannot be used.
pub async fn run(config: &SdkConfig, checkpoints: PathBuf) -> Result<()> {
    let clients = Clients {
        pipes: aws_sdk_pipes::Client::new(config),
        streams: aws_sdk_dynamodbstreams::Client::new(config),
        lambda: aws_sdk_lambda::Client::new(config),
        s3: aws_sdk_s3::Client::new(config),
        sqs: aws_sdk_sqs::Client::new(config),
    };
    let checkpoints = Checkpoints::open(checkpoints)?;
    let mut running: HashMap<String, Running> = HashMap::new();
    loop {
        if let Err(error) = follow_definitions(&clients, &checkpoints, &mut running).await {
            tracing::warn!(error = format!("{error:#}"), "definitions not read; trying again");
        }
        sleep(DEFINITIONS_EVERY).await;
    }
}

/// Starts readers for what is new, and starts those anew whose consumer has changed.
async fn follow_definitions(
    clients: &Clients,
    checkpoints: &Checkpoints,
    running: &mut HashMap<String, Running>,
) -> Result<()> {
    let consumers = consumer::consumers(clients).await?;
    running.retain(|name, running| {
        let unchanged = consumers.get(name) == Some(&running.consumer);
        if !unchanged {
            tracing::info!(consumer = name, "stopped or changed");
            running.readers.values().for_each(JoinHandle::abort);
        }
        unchanged
    });
    for (name, consumer) in consumers {
        let shards = match shards(clients, &consumer.source.stream_arn).await {
            Ok(shards) => shards,
            // Its table may be gone: the others go on.
            Err(error) => {
                tracing::warn!(consumer = name, error = format!("{error:#}"), "its stream cannot be read");
                continue;
            }
        };
        let running = running
            .entry(name)
            .or_insert_with(|| Running { consumer: consumer.clone(), readers: HashMap::new() });
        for shard in shards {
            running.readers.entry(shard).or_insert_with_key(|shard| {
                tracing::info!(consumer = consumer.name, shard, "reading");
                tokio::spawn(ShardReader::new(clients, &consumer, shard, checkpoints).run())
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
