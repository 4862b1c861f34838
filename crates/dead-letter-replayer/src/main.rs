//! The Lambda function `dead-letter-replayer`: invoked by an operator, through `cargo xtask replay`.

use std::time::Duration;

use dead_letter_replayer::{Config, Request, State, handle};
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::{clients, telemetry, time_left};

/// A batch goes through the enricher and the router, which may take a minute each, and reads and removes its letters.
const LONGEST_BATCH: Duration = Duration::from_secs(150);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let metrics = telemetry::start()?;
    let config = Config::from_env()?;
    let sdk = clients::sdk_config().await?;
    let state = State {
        s3: aws_sdk_s3::Client::new(&sdk),
        lambda: aws_sdk_lambda::Client::new(&clients::without_timeouts(&sdk)),
        config,
        metrics,
    };
    let state = &state;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Request>| async move {
        handle(state, event.payload, time_left::until_of_call(&event.context, LONGEST_BATCH)).await
    }))
    .await
}
