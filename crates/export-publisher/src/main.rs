//! The Lambda function `export-publisher`: publishes one range of an export.

use domain::export::resource::EVENT_SOURCE;
use export_publisher::{Config, RangeEvent, State, handle};
use export_runs::ExportRuns;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::put_events::EventBus;
use lambda_support::{clients, telemetry, time_left};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let metrics = telemetry::start()?;
    let config = Config::from_env()?;
    let sdk = clients::sdk_config().await?;
    let state = State {
        runs: ExportRuns {
            client: aws_sdk_dynamodb::Client::new(&sdk),
            table_name: config.runs_table_name.clone(),
        },
        bus: EventBus {
            client: aws_sdk_eventbridge::Client::new(&sdk),
            name: config.event_bus_name.clone(),
            source: EVENT_SOURCE,
            request_bytes: config.put_events_request_bytes,
        },
        s3: aws_sdk_s3::Client::new(&sdk),
        config,
        metrics,
        clock: Timestamp::now,
    };
    let state = &state;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<RangeEvent>| async move {
        handle(state, event.payload, time_left::until(&event.context, time_left::ANSWER)).await
    }))
    .await
}
