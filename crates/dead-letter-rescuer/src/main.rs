//! The Lambda function `dead-letter-rescuer`: reads the pipe's dead-letter queue.

use aws_lambda_events::event::sqs::SqsEvent;
use dead_letter_rescuer::{Config, State, handle};
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_support::{clients, telemetry, time_left};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let metrics = telemetry::start()?;
    let config = Config::from_env()?;
    let sdk = clients::sdk_config().await?;
    let state = State {
        streams: aws_sdk_dynamodbstreams::Client::new(&sdk),
        s3: aws_sdk_s3::Client::new(&sdk),
        config,
        metrics,
    };
    let state = &state;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let until = time_left::until(&event.context, time_left::ANSWER);
        Ok::<_, lambda_runtime::Error>(handle(state, event.payload, until).await)
    }))
    .await
}
