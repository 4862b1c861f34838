//! The Lambda function `stream-enricher`: the pipe's enrichment.

use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::{clients, telemetry};
use serde_json::value::RawValue;
use stream_enricher::{Config, State, handle};

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
