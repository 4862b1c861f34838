//! Errors of the functions that a state machine invokes: it reads their names.

use domain::export::failure::FailureCode;
use lambda_runtime::Diagnostic;

use crate::dependency::DependencyError;

/// A step that failed, under the name that the state machine decides by. The detail holds codes and counts (I6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct StepError {
    pub code: FailureCode,
    pub detail: String,
}

impl StepError {
    #[must_use]
    pub fn new(code: FailureCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// The one error that the state machine tries again.
impl From<DependencyError> for StepError {
    fn from(error: DependencyError) -> Self {
        Self::new(FailureCode::DependencyFailed, error.to_string())
    }
}

impl From<StepError> for Diagnostic {
    fn from(error: StepError) -> Self {
        Diagnostic { error_type: error.code.name().to_owned(), error_message: error.detail }
    }
}
