//! What a pipe is to do, as the Pipes API describes it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_sdk_pipes::Client;
use aws_sdk_pipes::operation::describe_pipe::DescribePipeOutput;
use aws_sdk_pipes::types::{DynamoDbStreamStartPosition, OnPartialBatchItemFailureStreams, PipeState};

use super::Pipe;
use crate::runner::consumer::{Consumer, Source, Target};
use crate::runner::retries::RetryPolicy;

/// The pipes that are to run.
pub(crate) async fn running(client: &Client) -> Result<Vec<Consumer>> {
    let mut consumers = Vec::new();
    let mut pages = client.list_pipes().current_state(PipeState::Running).into_paginator().items().send();
    while let Some(pipe) = pages.next().await {
        let name = pipe.context("listing pipes")?.name.context("a pipe without a name")?;
        let pipe = client.describe_pipe().name(&name).send().await.context("describing a pipe")?;
        match consumer(&pipe) {
            Ok(consumer) => consumers.push(consumer),
            Err(error) => {
                tracing::error!(pipe = name, error = format!("{error:#}"), "this pipe does not run");
            }
        }
    }
    Ok(consumers)
}

fn consumer(pipe: &DescribePipeOutput) -> Result<Consumer> {
    let source = pipe.source_parameters();
    let stream = source
        .and_then(|source| source.dynamo_db_stream_parameters())
        .context("only pipes from DynamoDB streams can run here")?;
    let has_transformer = pipe.enrichment_parameters().is_some_and(|it| it.input_template().is_some())
        || pipe.target_parameters().is_some_and(|it| it.input_template().is_some());
    if has_transformer {
        bail!("input transformers cannot run here");
    }
    let lambda = |arn: Option<&str>| match arn {
        Some(arn) if arn.starts_with("arn:aws:lambda:") => Ok(Some(arn.to_owned())),
        None => Ok(None),
        Some(other) => bail!("only Lambda functions can run here as enrichment and target, not {other}"),
    };
    // -1, the default of both limits, means no limit (Pipes API reference, "PipeSourceDynamoDBStreamParameters").
    let limit = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    let seconds = |value: Option<i32>| limit(value).map(|seconds| Duration::from_secs(seconds.into()));
    Ok(Consumer {
        name: pipe.name.clone().context("no name")?,
        source: Source {
            stream_arn: pipe.source.clone().context("no source")?,
            from_trim_horizon: stream.starting_position == DynamoDbStreamStartPosition::TrimHorizon,
            filters: source
                .and_then(|source| source.filter_criteria())
                .map(|criteria| {
                    criteria.filters().iter().filter_map(|filter| filter.pattern.clone()).collect()
                })
                .unwrap_or_default(),
            batch_size: stream.batch_size.and_then(|size| usize::try_from(size).ok()).unwrap_or(100),
            window: seconds(stream.maximum_batching_window_in_seconds).unwrap_or_default(),
            retries: RetryPolicy {
                maximum_attempts: limit(stream.maximum_retry_attempts),
                maximum_record_age: seconds(stream.maximum_record_age_in_seconds),
                bisect: stream.on_partial_batch_item_failure
                    == Some(OnPartialBatchItemFailureStreams::AutomaticBisect),
            },
        },
        target: Target::Pipe(Pipe {
            arn: pipe.arn.clone().context("no ARN")?,
            dead_letter_queue_arn: stream
                .dead_letter_config()
                .and_then(|dead_letters| dead_letters.arn.clone()),
            enrichment_arn: lambda(pipe.enrichment())?,
            target_arn: lambda(pipe.target())?.context("no target")?,
        }),
    })
}
