//! FHIR's required code sets as enums, and the code maps that translate a table's own codes to them.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::change::{Reject, RejectReason};

/// A code set of which FHIR allows no other code.
pub trait Code: Sized {
    /// Under which name the code maps and rejects know the set.
    const ELEMENT: &'static str;

    fn from_code(code: &str) -> Option<Self>;
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $element:literal { $($variant:ident = $code:literal),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
            pub enum $name {
                $(#[serde(rename = $code)] $variant,)+
            }

            impl Code for $name {
                const ELEMENT: &'static str = $element;

                fn from_code(code: &str) -> Option<Self> {
                    match code {
                        $($code => Some(Self::$variant),)+
                        _ => None,
                    }
                }
            }
        )+

        /// The names under which [`CodeMaps`] takes a map, with the codes that each may map to.
        const ELEMENTS: &[(&str, &[&str])] = &[$(($element, &[$($code),+]),)+];
    };
}

codes! {
    /// hl7.org/fhir/R4/valueset-administrative-gender.html
    AdministrativeGender "gender" { Male = "male", Female = "female", Other = "other", Unknown = "unknown" }
    /// hl7.org/fhir/R4/valueset-name-use.html
    NameUse "name.use" {
        Usual = "usual", Official = "official", Temp = "temp", Nickname = "nickname", Anonymous = "anonymous",
        Old = "old", Maiden = "maiden",
    }
    /// hl7.org/fhir/R4/valueset-address-use.html
    AddressUse "address.use" { Home = "home", Work = "work", Temp = "temp", Old = "old", Billing = "billing" }
    /// hl7.org/fhir/R4/valueset-address-type.html
    AddressType "address.type" { Postal = "postal", Physical = "physical", Both = "both" }
    /// hl7.org/fhir/R4/valueset-contact-point-system.html
    ContactPointSystem "telecom.system" {
        Phone = "phone", Fax = "fax", Email = "email", Pager = "pager", Url = "url", Sms = "sms", Other = "other",
    }
    /// hl7.org/fhir/R4/valueset-contact-point-use.html
    ContactPointUse "telecom.use" { Home = "home", Work = "work", Temp = "temp", Old = "old", Mobile = "mobile" }
    /// hl7.org/fhir/R4/valueset-encounter-status.html
    EncounterStatus "encounter.status" {
        Planned = "planned", Arrived = "arrived", Triaged = "triaged", InProgress = "in-progress",
        OnLeave = "onleave", Finished = "finished", Cancelled = "cancelled", EnteredInError = "entered-in-error",
        Unknown = "unknown",
    }
    /// hl7.org/fhir/R4/valueset-observation-status.html
    ObservationStatus "observation.status" {
        Registered = "registered", Preliminary = "preliminary", Final = "final", Amended = "amended",
        Corrected = "corrected", Cancelled = "cancelled", EnteredInError = "entered-in-error", Unknown = "unknown",
    }
}

/// How a table's own codes translate to FHIR's: per element, from the stored code to FHIR's.
///
/// A table that says `M` needs `{"gender": {"M": "male"}}`. A code that is FHIR's already needs no entry; one that is
/// neither rejects its record, which waits in the dead-letter bucket for the map to be completed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct CodeMaps(BTreeMap<String, BTreeMap<String, String>>);

/// Code maps that could never serve.
#[derive(Debug, thiserror::Error)]
pub enum CodeMapsError {
    #[error("code maps: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("code maps: there is no element {element:?}; the elements are {known}")]
    Element { element: String, known: String },
    #[error("code maps: {target:?} is no code of {element}; its codes are {known}")]
    Target { element: String, target: String, known: String },
}

impl FromStr for CodeMaps {
    type Err = CodeMapsError;

    fn from_str(json: &str) -> Result<Self, CodeMapsError> {
        let maps: Self = serde_json::from_str(json)?;
        for (element, map) in &maps.0 {
            let Some((_, codes)) = ELEMENTS.iter().find(|(name, _)| name == element) else {
                let known = ELEMENTS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                return Err(CodeMapsError::Element { element: element.clone(), known });
            };
            if let Some(target) = map.values().find(|target| !codes.contains(&target.as_str())) {
                let (element, target) = (element.clone(), target.clone());
                return Err(CodeMapsError::Target { element, target, known: codes.join(", ") });
            }
        }
        Ok(maps)
    }
}

impl CodeMaps {
    /// # Errors
    /// Where the stored code is neither mapped nor FHIR's own.
    pub fn translate<C: Code>(&self, stored: &str) -> Result<C, Reject> {
        let mapped = self.0.get(C::ELEMENT).and_then(|map| map.get(stored)).map_or(stored, String::as_str);
        C::from_code(mapped).ok_or_else(|| Reject::new(RejectReason::CodeUnknown, C::ELEMENT))
    }

    /// # Errors
    /// Where there is a stored code, and it is neither mapped nor FHIR's own.
    pub fn translate_option<C: Code>(&self, stored: Option<&str>) -> Result<Option<C>, Reject> {
        stored.map(|code| self.translate(code)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_code_is_mapped_or_fhirs_own_or_rejected() {
        let maps: CodeMaps = r#"{"gender": {"M": "male", "w": "female"}}"#.parse().unwrap();
        assert_eq!(maps.translate("M"), Ok(AdministrativeGender::Male));
        assert_eq!(maps.translate("other"), Ok(AdministrativeGender::Other));
        assert_eq!(
            maps.translate::<AdministrativeGender>("m"),
            Err(Reject::new(RejectReason::CodeUnknown, "gender"))
        );
        assert!(maps.translate::<AddressUse>("M").is_err(), "a map serves its own element only");
    }

    #[test]
    fn a_map_that_could_never_serve_is_refused_by_name() {
        for (json, parts) in [
            (r#"{"sex": {}}"#, ["\"sex\"", "gender"]),
            (r#"{"gender": {"M": "man"}}"#, ["\"man\"", "male, female"]),
            (r#"{"gender": "M"}"#, ["code maps", "expected a map"]),
        ] {
            let error = json.parse::<CodeMaps>().unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
        assert!(r#"{"gender": {"M": "male"}, "name.use": {}}"#.parse::<CodeMaps>().is_ok());
    }
}
