//! The Lambda function `lake-compactor`: finds the directories of the lake that are due, and compacts one.

mod scratch;

use std::time::Duration;

use aws_sdk_s3 as s3;
use jiff::Timestamp;
use lake_compactor::{Bucket, Config, Event, State, handle};
use lake_writer::Catalog;
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::{clients, telemetry, time_left};
use s3::config::timeout::TimeoutConfig;

/// A file of 128 MiB, where the function has a small share of the network.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let metrics = telemetry::start()?;
    let config = Config::from_env()?;
    let sdk = clients::sdk_config().await?;
    let timeouts = sdk.timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
    let timeouts = timeouts.operation_attempt_timeout(UPLOAD_TIMEOUT).build();
    let client = s3::Client::from_conf(s3::config::Builder::from(&sdk).timeout_config(timeouts).build());
    let glue = aws_sdk_glue::Client::new(&sdk);
    let state = State {
        lake: config.lake,
        bucket: Bucket { client, name: config.lake_bucket_name },
        catalog: Catalog::new(glue, config.glue_database_name, config.compact_table_name),
        sqs: aws_sdk_sqs::Client::new(&sdk),
        queue_url: config.compactions_queue_url,
        rules: config.rules,
        memory_bytes: config.memory_bytes,
        latest_buckets: config.latest_buckets,
        scratch: scratch::folder(std::env::temp_dir(), std::process::id())?,
        metrics,
        clock: Box::new(Timestamp::now),
    };
    let state = &state;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move {
        handle(state, event.payload, time_left::until(&event.context, time_left::ANSWER)).await
    }))
    .await
}
