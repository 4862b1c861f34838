//! The Lambda function `lake-writer`: the stream's second reader.

use lake_writer::{Catalog, Config, Event, Lake, State, handle};
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::{clients, telemetry, time_left};
use mimalloc::MiMalloc;

/// A batch is many small values that live as long as it does (docs/performance.md, "The allocator").
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let metrics = telemetry::start()?;
    let config = Config::from_env()?;
    let sdk = clients::sdk_config().await?;
    let glue = aws_sdk_glue::Client::new(&sdk);
    let state = State {
        lake: Lake {
            config: config.lake,
            compression: config.compression,
            s3: aws_sdk_s3::Client::new(&sdk),
            bucket_name: config.lake_bucket_name,
            catalog: Catalog::new(glue, config.glue_database_name, config.raw_table_name),
        },
        dead_letter_bucket_name: config.dead_letter_bucket_name,
        metrics,
    };
    let state = &state;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move {
        handle(state, event.payload, time_left::until(&event.context, time_left::ANSWER)).await
    }))
    .await
}
