//! Which failed calls leave one object behind, and which end a replay (I3).

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use lambda_support::dependency::DependencyError;

/// What became of a call about one object. The outer error ends the replay; after the inner one the next object may fare
/// better.
pub(crate) type Called<T> = Result<Result<T, DependencyError>, DependencyError>;

/// Tells apart what S3 refuses of one object from what it would refuse of all.
pub(crate) fn called<T, E: ProvideErrorMetadata>(
    operation: &'static str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Called<T> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(error) => {
            let told = DependencyError::of(operation, &error);
            if is_service_wide(&error) { Err(told) } else { Ok(Err(told)) }
        }
    }
}

/// The service throttles, fails or cannot be reached, after the client has tried again.
fn is_service_wide<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::ServiceError(service) => {
            let status = service.raw().status();
            let is_throttled =
                status.as_u16() == 429 || service.err().code().is_some_and(|code| code.contains("Throttl"));
            status.is_server_error() || is_throttled
        }
        _ => true,
    }
}
