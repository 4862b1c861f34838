//! What an event source mapping is to do, as the Lambda API describes it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::{EventSourceMappingConfiguration, EventSourcePosition, FunctionResponseType};

use super::{Destination, Mapping};
use crate::runner::consumer::{Consumer, Source, Target};
use crate::runner::retries::RetryPolicy;

/// The mappings of DynamoDB streams that are to run. Those of other sources are MiniStack's.
pub(crate) async fn enabled(client: &Client) -> Result<Vec<Consumer>> {
    let mut consumers = Vec::new();
    let mut pages = client.list_event_source_mappings().into_paginator().items().send();
    while let Some(mapping) = pages.next().await {
        let mapping = mapping.context("listing event source mappings")?;
        let is_stream = mapping
            .event_source_arn()
            .is_some_and(|arn| arn.starts_with("arn:aws:dynamodb:") && arn.contains("/stream/"));
        if !is_stream || mapping.state() != Some("Enabled") {
            continue;
        }
        match consumer(&mapping) {
            Ok(consumer) => consumers.push(consumer),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(mapping = mapping.uuid(), error, "this event source mapping does not run");
            }
        }
    }
    Ok(consumers)
}

fn consumer(mapping: &EventSourceMappingConfiguration) -> Result<Consumer> {
    if mapping.tumbling_window_in_seconds().is_some_and(|seconds| seconds > 0) {
        bail!("tumbling windows cannot run here");
    }
    // -1, the default of both limits, means no limit (AWS Lambda developer guide, "Lambda parameters for Amazon DynamoDB
    // event source mappings").
    let limit = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    let seconds = |value: Option<i32>| limit(value).map(|seconds| Duration::from_secs(seconds.into()));
    let destination_arn = mapping
        .destination_config()
        .and_then(|config| config.on_failure())
        .and_then(|on_failure| on_failure.destination())
        .filter(|arn| !arn.is_empty());
    Ok(Consumer {
        name: mapping.uuid.clone().context("no UUID")?,
        source: Source {
            stream_arn: mapping.event_source_arn.clone().context("no source")?,
            from_trim_horizon: mapping.starting_position() == Some(&EventSourcePosition::TrimHorizon),
            filters: mapping
                .filter_criteria()
                .map(|criteria| {
                    criteria.filters().iter().filter_map(|filter| filter.pattern.clone()).collect()
                })
                .unwrap_or_default(),
            batch_size: mapping.batch_size.and_then(|size| usize::try_from(size).ok()).unwrap_or(100),
            window: seconds(mapping.maximum_batching_window_in_seconds).unwrap_or_default(),
            retries: RetryPolicy {
                maximum_attempts: limit(mapping.maximum_retry_attempts),
                maximum_record_age: seconds(mapping.maximum_record_age_in_seconds),
                bisect: mapping.bisect_batch_on_function_error.unwrap_or_default(),
            },
        },
        target: Target::Mapping(Mapping {
            function_arn: mapping.function_arn.clone().context("no function")?,
            reports_batch_item_failures: mapping
                .function_response_types()
                .contains(&FunctionResponseType::ReportBatchItemFailures),
            destination: destination_arn.map(Destination::of_arn).transpose()?,
        }),
    })
}
