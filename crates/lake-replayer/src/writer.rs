//! The lake's writer, invoked as Lambda invokes it.

use std::collections::HashSet;

use aws_sdk_lambda::primitives::Blob;
use lambda_support::dependency::DependencyError;
use serde::Deserialize;

use crate::{ReplayError, State};

/// The sequence numbers of what was not written, or the name of the error with which the writer failed.
pub(crate) async fn write(
    state: &State,
    event: Vec<u8>,
) -> Result<Result<HashSet<String>, String>, ReplayError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        #[serde(default)]
        batch_item_failures: Vec<Failure>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure {
        item_identifier: String,
    }

    let function = &state.config.lake_writer_function_name;
    let output = state
        .lambda
        .invoke()
        .function_name(function)
        .payload(Blob::new(event))
        .send()
        .await
        .map_err(|error| DependencyError::of("lambda:InvokeFunction", &error))?;
    if let Some(error_type) = output.function_error {
        return Ok(Err(error_type));
    }
    let answer = output.payload.map(Blob::into_inner).unwrap_or_default();
    let answer: Answer =
        serde_json::from_slice(&answer).map_err(|_| ReplayError::Answer { function: function.clone() })?;
    Ok(Ok(answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()))
}
