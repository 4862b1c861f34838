//! The Lambda function `lake-replayer`: invoked by an operator, through `cargo xtask lake replay`.

use std::time::Duration;

use lake_replayer::{Config, Request, State, handle};
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::{clients, telemetry, time_left};

/// The writer may take two minutes, and its letters are read and removed.
const LAST_INVOCATION: Duration = Duration::from_secs(150);

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
        handle(state, event.payload, time_left::until_of_call(&event.context, LAST_INVOCATION)).await
    }))
    .await
}
