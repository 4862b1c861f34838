//! Whether a call that failed may succeed later.

use lambda_support::dependency::DependencyError;

/// A call that failed: which one, and HealthLake's code for why. Its message is left out, because services quote their
/// input in it (I6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {code}")]
pub struct HealthLakeError {
    /// In IAM's spelling, such as `healthlake:StartFHIRExportJobWithPost`.
    pub operation: &'static str,
    pub code: String,
    pub permanence: Permanence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permanence {
    /// HealthLake did nothing, and may do it later: it has too much to do.
    Throttled,
    /// It may have done it or not: there was no answer, or an error of its own.
    Unknown,
    /// It would refuse again.
    Refused,
}

impl HealthLakeError {
    /// `code` is the error's type where the answer names one. Throttling comes as 429 on some paths and as 400 with a type
    /// on others, so the name counts before the status.
    pub(crate) fn of_status(operation: &'static str, status: u16, error_type: Option<&str>) -> Self {
        let is_throttling = status == 429
            || error_type.is_some_and(|name| name.contains("Throttl") || name.contains("TooManyRequests"));
        let permanence = match status {
            _ if is_throttling => Permanence::Throttled,
            400..500 => Permanence::Refused,
            _ => Permanence::Unknown,
        };
        let code = error_type.map_or_else(|| format!("HTTP {status}"), str::to_owned);
        Self { operation, code, permanence }
    }

    pub(crate) fn unknown(operation: &'static str, code: &str) -> Self {
        Self { operation, code: code.to_owned(), permanence: Permanence::Unknown }
    }
}

impl From<HealthLakeError> for DependencyError {
    fn from(error: HealthLakeError) -> Self {
        Self { operation: error.operation, code: error.code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_succeed_later_is_told_from_what_never_will() {
        let cases = [
            (429, None, Permanence::Throttled),
            (400, Some("ThrottlingException"), Permanence::Throttled),
            (400, Some("TooManyRequestsException"), Permanence::Throttled),
            (400, Some("ValidationException"), Permanence::Refused),
            (400, None, Permanence::Refused),
            (403, Some("AccessDeniedException"), Permanence::Refused),
            (404, Some("ResourceNotFoundException"), Permanence::Refused),
            (500, Some("InternalServerException"), Permanence::Unknown),
            (503, None, Permanence::Unknown),
            (302, None, Permanence::Unknown),
        ];
        for (status, error_type, permanence) in cases {
            assert_eq!(
                HealthLakeError::of_status("x", status, error_type).permanence,
                permanence,
                "{status}"
            );
        }
    }
}
