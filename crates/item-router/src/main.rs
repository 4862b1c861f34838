//! The Lambda function `item-router`: the pipe's target.

use domain::change::EVENT_SOURCE;
use item_router::{Config, State, handle};
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::put_events::EventBus;
use lambda_support::{clients, telemetry, time_left};
use mimalloc::MiMalloc;
use serde_json::value::RawValue;

/// A batch is many small values that live as long as it does (docs/performance.md, "The allocator").
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let metrics = telemetry::start()?;
    let config = Config::from_env()?;
    let sdk = clients::sdk_config().await?;
    let state = State {
        bus: EventBus {
            client: aws_sdk_eventbridge::Client::new(&sdk),
            name: config.event_bus_name.clone(),
            source: EVENT_SOURCE,
            request_bytes: config.put_events_request_bytes,
        },
        s3: aws_sdk_s3::Client::new(&sdk),
        sqs: aws_sdk_sqs::Client::new(&sdk),
        config,
        metrics,
    };
    let state = &state;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        handle(state, event.payload.get(), time_left::until(&event.context, time_left::ANSWER)).await
    }))
    .await
}
