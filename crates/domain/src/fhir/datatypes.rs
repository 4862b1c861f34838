//! FHIR's complex data types, with the elements that Tributary emits.
//!
//! A type whose default is empty may not be emitted so: FHIR has no element without a value or children
//! (hl7.org/fhir/R4/element.html, `ele-1`).

use serde::Serialize;

use super::{
    AddressType, AddressUse, ContactPointSystem, ContactPointUse, DateTime, Decimal, Id, NameUse, Text,
};
use crate::change::Reject;

/// hl7.org/fhir/R4/datatypes.html#HumanName
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct HumanName<'a> {
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub name_use: Option<NameUse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefix: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suffix: Vec<Text<'a>>,
}

/// hl7.org/fhir/R4/datatypes.html#Identifier
#[derive(Debug, Serialize)]
pub struct Identifier<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub identifier_type: Option<CodeableConcept<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<Text<'a>>,
    pub value: Text<'a>,
}

/// hl7.org/fhir/R4/datatypes.html#ContactPoint
#[derive(Debug, Serialize)]
pub struct ContactPoint<'a> {
    pub system: ContactPointSystem,
    pub value: Text<'a>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub point_use: Option<ContactPointUse>,
}

/// hl7.org/fhir/R4/datatypes.html#Address
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Address<'a> {
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub address_use: Option<AddressUse>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub address_type: Option<AddressType>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub line: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub district: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period<'a>>,
}

/// hl7.org/fhir/R4/datatypes.html#Period
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Period<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<DateTime<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<DateTime<'a>>,
}

/// hl7.org/fhir/R4/datatypes.html#Coding
#[derive(Debug, Serialize)]
pub struct Coding<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<Text<'a>>,
    pub code: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<Text<'a>>,
}

/// hl7.org/fhir/R4/datatypes.html#CodeableConcept
#[derive(Debug, Serialize)]
pub struct CodeableConcept<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub coding: Vec<Coding<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Text<'a>>,
}

/// hl7.org/fhir/R4/datatypes.html#Quantity
#[derive(Debug, Serialize)]
pub struct Quantity<'a> {
    pub value: Decimal<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Text<'a>>,
}

/// hl7.org/fhir/R4/references.html
#[derive(Debug, Serialize)]
pub struct Reference {
    pub reference: String,
}

impl Reference {
    /// To the patient whose collection an item lies in.
    ///
    /// # Errors
    /// Where the collection's key holds no FHIR id.
    pub fn to_patient(partition_key: &str, element: &str) -> Result<Self, Reject> {
        let id = Id::of_key(partition_key, element)?;
        Ok(Self { reference: format!("Patient/{}", id.as_str()) })
    }
}

/// hl7.org/fhir/R4/resource.html#Meta
#[derive(Debug, Serialize)]
pub struct Meta {
    pub tag: [Tag; 1],
}

#[derive(Debug, Serialize)]
pub struct Tag {
    pub system: &'static str,
    pub code: &'static str,
}

impl Meta {
    /// Marks a resource that does not hold all that is known (hl7.org/fhir/R4/resource.html#simple-tags).
    pub const SUBSETTED: Self = Self {
        tag: [Tag { system: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", code: "SUBSETTED" }],
    };
}
