//! Failures of the services that a function calls, told without what was sent to them (I6).

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// A call that failed: which one, and the service's code for why. Its message is left out, because services quote
/// their input in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {code}")]
pub struct DependencyError {
    /// In IAM's spelling, such as `s3:PutObject`.
    pub operation: &'static str,
    pub code: String,
}

impl DependencyError {
    pub fn of<E: ProvideErrorMetadata, R>(operation: &'static str, error: &SdkError<E, R>) -> Self {
        let code = match error {
            SdkError::ServiceError(service) => service.err().code().unwrap_or("an error without a code"),
            SdkError::TimeoutError(_) => "no answer in time",
            SdkError::DispatchFailure(_) => "not reached",
            SdkError::ConstructionFailure(_) => "the request could not be built",
            SdkError::ResponseError(_) => "the answer could not be read",
            _ => "failed",
        };
        Self { operation, code: code.to_owned() }
    }
}
