//! `itemType: RelatedPerson`: somebody who is close to a patient. Stored under `id = PATIENT#<id>`,
//! `sk = RELATEDPERSON#<id>`.
//!
//! ```json
//! {"id": "PATIENT#1", "sk": "RELATEDPERSON#7", "itemType": "RelatedPerson", "active": true,
//!  "relationship": {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"},
//!  "names": [{"family": "…", "given": ["…"]}], "telecom": [], "gender": "female", "birthDate": "1955"}
//! ```

use serde::{Deserialize, Serialize};

use super::stored::{StoredCoding, StoredContactPoint, StoredName, StoredText, each, without_null};
use super::{ItemType, Resource, StoredItem, resource_of};
use crate::change::Reject;
use crate::fhir::{
    AdministrativeGender, CodeMaps, CodeableConcept, ContactPoint, Date, HumanName, Id, Reference,
};

pub const ITEM_TYPE: ItemType = ItemType {
    name: "RelatedPerson",
    detail_type: "RelatedPersonChange",
    resource_type: "RelatedPerson",
    resource: Resource::OfItem(|item, codes| resource_of::<RelatedPersonItem<'_>>(item, codes)),
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RelatedPersonItem<'a> {
    #[serde(borrow)]
    id: StoredText<'a>,
    #[serde(borrow)]
    sk: StoredText<'a>,
    active: Option<bool>,
    #[serde(borrow)]
    relationship: Option<StoredCoding<'a>>,
    #[serde(borrow, default, deserialize_with = "without_null")]
    names: Vec<StoredName<'a>>,
    #[serde(borrow, default, deserialize_with = "without_null")]
    telecom: Vec<StoredContactPoint<'a>>,
    #[serde(borrow)]
    gender: Option<StoredText<'a>>,
    #[serde(borrow)]
    birth_date: Option<StoredText<'a>>,
}

/// hl7.org/fhir/R4/relatedperson.html
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RelatedPerson<'a> {
    resource_type: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    patient: Reference,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    relationship: Vec<CodeableConcept<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    name: Vec<HumanName<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    telecom: Vec<ContactPoint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<AdministrativeGender>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birth_date: Option<Date<'a>>,
}

impl<'a> StoredItem<'a> for RelatedPersonItem<'a> {
    const ELEMENT: &'static str = "RelatedPerson";

    type Resource = RelatedPerson<'a>;

    fn resource(self, codes: &CodeMaps) -> Result<RelatedPerson<'a>, Reject> {
        let relationship = self.relationship.into_iter().collect();
        Ok(RelatedPerson {
            resource_type: "RelatedPerson",
            id: Id::of_key(self.sk.as_str(), "RelatedPerson.id")?.as_str().to_owned(),
            active: self.active,
            patient: Reference::to_patient(self.id.as_str(), "RelatedPerson.patient")?,
            relationship: each(relationship, |coding: StoredCoding<'a>| {
                coding.into_concept("RelatedPerson.relationship")
            })?,
            name: each(self.names, |name| name.into_fhir(codes))?,
            telecom: each(self.telecom, |point| point.into_fhir(codes))?,
            gender: codes.translate_option(self.gender.as_ref().map(StoredText::as_str))?,
            birth_date: self
                .birth_date
                .map(|date| Date::parse(date.into_inner(), "RelatedPerson.birthDate"))
                .transpose()?,
        })
    }
}
