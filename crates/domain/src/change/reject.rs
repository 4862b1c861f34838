//! Why a record cannot become a change event.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A record that cannot become a change event: a code for queues and metrics, and the element it is about.
///
/// It holds no value of the record: it goes to logs and queues that must not see patients' data (I6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at {element}")]
pub struct Reject {
    pub reason: RejectReason,
    /// The path of the record, item or resource element that cannot be read, such as `Patient.birthDate`.
    pub element: String,
}

/// The codes are part of the contract of the rejects queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RejectReason {
    /// The record is not a stream record of DynamoDB.
    RecordUnreadable,
    /// An attribute of a known item type is missing, or has another type than the item type says.
    ItemUnreadable,
    /// A code is neither FHIR's nor in the configured code maps.
    CodeUnknown,
    /// A date or a time is not written as FHIR writes them, or does not exist.
    DateInvalid,
    /// A key cannot be a FHIR id: 1 to 64 letters, digits, `-` and `.`.
    IdInvalid,
    /// A text holds a control character, which FHIR forbids.
    TextInvalid,
}

impl RejectReason {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::RecordUnreadable => "record-unreadable",
            Self::ItemUnreadable => "item-unreadable",
            Self::CodeUnknown => "code-unknown",
            Self::DateInvalid => "date-invalid",
            Self::IdInvalid => "id-invalid",
            Self::TextInvalid => "text-invalid",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl Reject {
    #[must_use]
    pub fn new(reason: RejectReason, element: impl Into<String>) -> Self {
        Self { reason, element: element.into() }
    }

    #[must_use]
    pub fn record(element: &str) -> Self {
        Self::new(RejectReason::RecordUnreadable, element)
    }

    /// Where JSON cannot be read, the position is all that can be told: serde's own message may quote the value.
    #[must_use]
    pub fn unreadable(reason: RejectReason, what: &str, error: &serde_json::Error) -> Self {
        Self::new(reason, format!("{what} at byte {}", error.column()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_what_is_serialized() {
        for reason in [
            RejectReason::RecordUnreadable,
            RejectReason::ItemUnreadable,
            RejectReason::CodeUnknown,
            RejectReason::DateInvalid,
            RejectReason::IdInvalid,
            RejectReason::TextInvalid,
        ] {
            assert_eq!(serde_json::to_value(reason).expect("a code"), reason.code());
        }
    }

    #[test]
    fn i6_a_parse_error_shows_no_value() {
        let error = serde_json::from_str::<u8>(r#""Ngozi""#).expect_err("no number");
        assert!(error.to_string().contains("Ngozi"), "serde quotes the value: {error}");
        let reject = Reject::unreadable(RejectReason::ItemUnreadable, "Patient", &error);
        assert!(!reject.to_string().contains("Ngozi"), "{reject}");
    }
}
