//! The Lambda function `dead-letter-replayer`: invoked by an operator, through `cargo xtask replay`.

use std::time::Duration;

use dead_letter_replayer::{Config, Request, State, handle};
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::{clients, telemetry, time_left};

/// A batch goes through the enricher and the router, which may take a minute each, and reads and removes its letters.
const LONGEST_BATCH: Duration = Duration::from_secs(150);

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let metrics = telemetry::start()?;
    let config = Config::from_env()?;
    let sdk = clients::sdk_config().await;
    // The functions behind an invocation may take as long as their own timeouts; an attempt that is given up here would
    // still run there.
    let lambda = aws_sdk_lambda::config::Builder::from(&sdk)
        .timeout_config(aws_sdk_lambda::config::timeout::TimeoutConfig::disabled())
        .build();
    let state = State {
        s3: aws_sdk_s3::Client::new(&sdk),
        lambda: aws_sdk_lambda::Client::from_conf(lambda),
        config,
        metrics,
    };
    let state = &state;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Request>| async move {
        handle(state, event.payload, time_left::until_of_call(&event.context, LONGEST_BATCH)).await
    }))
    .await
}
