//! The pipe's two functions, invoked as the pipe invokes them.

use std::collections::HashSet;

use aws_sdk_lambda::primitives::Blob;
use domain::change::{Outcome, Payload};
use lambda_support::dependency::DependencyError;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{ReplayError, State};

/// The enricher's answer.
pub(crate) struct Outcomes {
    json: Vec<u8>,
    function: String,
}

impl Outcomes {
    pub(crate) fn elements(&self) -> Result<Vec<&RawValue>, ReplayError> {
        serde_json::from_slice(&self.json).map_err(|_| unreadable(&self.function))
    }
}

pub(crate) async fn enrich(state: &State, records: &[&RawValue]) -> Result<Outcomes, ReplayError> {
    let function = &state.config.enricher_function_name;
    Ok(Outcomes { json: invoke(state, function, records).await?, function: function.clone() })
}

/// The `eventID`s of what the router could not hand on.
pub(crate) async fn route(state: &State, outcomes: &[&RawValue]) -> Result<HashSet<String>, ReplayError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        batch_item_failures: Vec<Failure>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure {
        item_identifier: String,
    }
    let function = &state.config.router_function_name;
    let json = invoke(state, function, outcomes).await?;
    let answer: Answer = serde_json::from_slice(&json).map_err(|_| unreadable(function))?;
    Ok(answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect())
}

pub(crate) fn read_outcome(outcome: &RawValue) -> Option<(String, Payload<'_>)> {
    let outcome: Outcome<'_> = serde_json::from_str(outcome.get()).ok()?;
    outcome.payload().map(|(event_id, _, payload)| (event_id.into_owned(), payload))
}

async fn invoke(state: &State, function: &str, elements: &[&RawValue]) -> Result<Vec<u8>, ReplayError> {
    let payload = serde_json::to_vec(elements).map_err(|_| unreadable(function))?;
    let output = state
        .lambda
        .invoke()
        .function_name(function)
        .payload(Blob::new(payload))
        .send()
        .await
        .map_err(|error| DependencyError::of("lambda:InvokeFunction", &error))?;
    match output.function_error {
        None => Ok(output.payload.map(Blob::into_inner).unwrap_or_default()),
        Some(error_type) => Err(ReplayError::Function { function: function.to_owned(), error_type }),
    }
}

fn unreadable(function: &str) -> ReplayError {
    ReplayError::Function {
        function: function.to_owned(),
        error_type: "an answer of another form".to_owned(),
    }
}
