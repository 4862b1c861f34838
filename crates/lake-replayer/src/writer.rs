//! The lake's writer, invoked as Lambda invokes it.

use std::collections::HashSet;

use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::primitives::Blob;
use lambda_support::dependency::DependencyError;
use serde::Deserialize;

use crate::{ReplayError, State};

/// Why an event was not taken. Another one may be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    /// With the name of its error; the message may quote a record (I6).
    #[error("the writer failed: {0}")]
    WriterFailed(String),
    #[error(transparent)]
    Refused(DependencyError),
}

/// The sequence numbers of what was not written.
pub(crate) async fn write(
    state: &State,
    event: Vec<u8>,
) -> Result<Result<HashSet<String>, NotTaken>, ReplayError> {
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

    let function = &state.config.lake_writer_function_name;
    let output = match state.lambda.invoke().function_name(function).payload(Blob::new(event)).send().await {
        Ok(output) => output,
        Err(error) => {
            let told = DependencyError::of("lambda:InvokeFunction", &error);
            return if is_of_the_event(&error) { Ok(Err(NotTaken::Refused(told))) } else { Err(told.into()) };
        }
    };
    let answer = output.payload.map(Blob::into_inner).unwrap_or_default();
    if let Some(kind) = output.function_error {
        return Ok(Err(NotTaken::WriterFailed(error_type(&answer).unwrap_or(kind))));
    }
    let answer: Answer =
        serde_json::from_slice(&answer).map_err(|_| ReplayError::Answer { function: function.clone() })?;
    Ok(Ok(answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()))
}

/// Too large, or not to be read (AWS Lambda API reference, "Invoke": 413 and 400). Every other failure, such as a function
/// that is not there, is met by every event.
fn is_of_the_event<E>(error: &SdkError<E>) -> bool {
    let status = error.raw_response().map(|response| response.status().as_u16());
    matches!(status, Some(400 | 413))
}

/// What a function that failed answers (AWS Lambda developer guide, "Understanding retry behavior in Lambda").
fn error_type(answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Failed {
        error_type: String,
    }

    serde_json::from_slice::<Failed>(answer).ok().map(|failed| failed.error_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i6_of_a_failure_its_name_is_told_and_nothing_else() {
        for (answer, name) in [
            (
                r#"{"errorType":"RejectsNotStored","errorMessage":"of Ngozi","stackTrace":[]}"#,
                Some("RejectsNotStored"),
            ),
            (r#"{"errorMessage":"Task timed out after 120.00 seconds"}"#, None),
            ("Ngozi", None),
            ("", None),
        ] {
            assert_eq!(error_type(answer.as_bytes()).as_deref(), name, "{answer}");
        }
    }
}
