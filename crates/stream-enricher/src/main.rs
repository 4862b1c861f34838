//! The Lambda function `stream-enricher`: the pipe's enrichment.

use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::{clients, telemetry};
use mimalloc::MiMalloc;
use serde_json::value::RawValue;
use stream_enricher::{Config, State, handle};

/// A batch is many small values that live as long as it does (docs/performance.md, "The allocator").
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let metrics = telemetry::start()?;
    let config = Config::from_env()?;
    let sdk = clients::sdk_config().await?;
    let state = State {
        dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
        s3: aws_sdk_s3::Client::new(&sdk),
        config,
        metrics,
    };
    let state = &state;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        handle(state, &event.payload).await
    }))
    .await
}
