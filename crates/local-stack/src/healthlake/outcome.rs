//! What is refused, in the words of each API.

use hyper::StatusCode;
use serde_json::json;

use super::answer::{Answer, aws_json, fhir_json};

/// Why a request is not done. The texts quote nothing of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    Invalid(String),
    NotFound(String),
    Deleted,
    /// What this API has not, and the cancellation of a job that has ended.
    NotSupported,
    Throttled,
    Server(StatusCode),
}

impl Refusal {
    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::Invalid(text.into())
    }

    fn text(&self) -> &str {
        match self {
            Self::Invalid(text) | Self::NotFound(text) => text,
            Self::Deleted => "The resource has been deleted.",
            Self::NotSupported => "Interaction not supported.",
            Self::Throttled => "Rate exceeded.",
            Self::Server(_) => "An internal error occurred.",
        }
    }

    /// The REST API answers an OperationOutcome. Of the statuses the developer guide names none; these are FHIR's (R4,
    /// "RESTful API"), and 429 for throttling.
    pub(crate) fn rest(&self) -> Answer {
        let (status, code) = match self {
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found"),
            Self::Deleted => (StatusCode::GONE, "deleted"),
            Self::NotSupported => (StatusCode::BAD_REQUEST, "not-supported"),
            Self::Throttled => (StatusCode::TOO_MANY_REQUESTS, "throttled"),
            Self::Server(status) => (*status, "exception"),
        };
        let issue = json!({"severity": "error", "code": code, "diagnostics": self.text()});
        fhir_json(status, &json!({"resourceType": "OperationOutcome", "issue": [issue]}).to_string())
    }

    /// The JSON API answers the exceptions of its model: 400, and 500 for what is the server's (API reference,
    /// "DescribeFHIRExportJob").
    pub(crate) fn json(&self) -> Answer {
        let (status, exception) = match self {
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "ValidationException"),
            Self::NotFound(_) | Self::Deleted => (StatusCode::BAD_REQUEST, "ResourceNotFoundException"),
            Self::NotSupported => (StatusCode::BAD_REQUEST, "UnknownOperationException"),
            Self::Throttled => (StatusCode::BAD_REQUEST, "ThrottlingException"),
            Self::Server(status) => (*status, "InternalServerException"),
        };
        aws_json(status, &json!({"__type": exception, "message": self.text()}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_api_has_its_words() {
        let cases = [
            (Refusal::invalid("x"), 400, 400),
            (Refusal::NotFound(String::new()), 404, 400),
            (Refusal::Deleted, 410, 400),
            (Refusal::NotSupported, 400, 400),
            (Refusal::Throttled, 429, 400),
            (Refusal::Server(StatusCode::BAD_GATEWAY), 502, 502),
        ];
        for (refusal, rest, json) in cases {
            assert_eq!(refusal.rest().status(), rest, "{refusal:?}");
            assert_eq!(refusal.json().status(), json, "{refusal:?}");
        }
    }
}
