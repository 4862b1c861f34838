//! A step of a state machine that waits for somebody outside to say how it ended.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use domain::export::failure::{Failure, FailureCode};

use crate::dependency::DependencyError;

/// A waiting step, by its token.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    pub client: &'a Client,
    pub token: &'a str,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Token {
    Alive,
    /// The step is over: it was answered, timed out, or its execution was stopped.
    Dead,
}

impl Task<'_> {
    /// # Errors
    /// Where Step Functions does not answer.
    pub async fn heartbeat(&self) -> Result<Token, DependencyError> {
        let sent = self.client.send_task_heartbeat().task_token(self.token).send().await;
        token("states:SendTaskHeartbeat", sent)
    }

    /// # Errors
    /// Where Step Functions does not answer.
    pub async fn succeed(&self, output: String) -> Result<Token, DependencyError> {
        let sent = self.client.send_task_success().task_token(self.token).output(output).send().await;
        token("states:SendTaskSuccess", sent)
    }

    /// # Errors
    /// Where Step Functions does not answer.
    pub async fn fail(&self, code: FailureCode, detail: &str) -> Result<Token, DependencyError> {
        let cause = Failure::new(code, Some(detail)).cause;
        let sent = self
            .client
            .send_task_failure()
            .task_token(self.token)
            .error(code.name())
            .cause(cause)
            .send()
            .await;
        token("states:SendTaskFailure", sent)
    }
}

/// The errors of a token that is dead (Step Functions API reference, "SendTaskHeartbeat").
fn token<T, E: ProvideErrorMetadata, R>(
    operation: &'static str,
    sent: Result<T, SdkError<E, R>>,
) -> Result<Token, DependencyError> {
    match sent {
        Ok(_) => Ok(Token::Alive),
        Err(error) => match error.as_service_error().and_then(ProvideErrorMetadata::code) {
            Some("TaskDoesNotExist" | "TaskTimedOut" | "InvalidToken") => Ok(Token::Dead),
            _ => Err(DependencyError::of(operation, &error)),
        },
    }
}
