//! The Lambda function `export-poller`: follows the jobs of runs.

use aws_lambda_events::event::sqs::SqsEvent;
use export_poller::{Config, State, handle};
use export_runs::ExportRuns;
use healthlake::HealthLake;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
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
        healthlake: HealthLake::new(&sdk, config.healthlake_endpoint.as_deref())?,
        step_functions: aws_sdk_sfn::Client::new(&sdk),
        s3: aws_sdk_s3::Client::new(&sdk),
        sqs: aws_sdk_sqs::Client::new(&sdk),
        config,
        metrics,
        clock: Timestamp::now,
    };
    let state = &state;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let until = time_left::until(&event.context, time_left::ANSWER);
        Ok::<_, lambda_runtime::Error>(handle(state, event.payload, until).await)
    }))
    .await
}
