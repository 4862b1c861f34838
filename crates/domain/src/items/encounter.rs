//! `itemType: Encounter`: a visit or stay of a patient. Stored under `id = PATIENT#<id>`, `sk = ENCOUNTER#<id>`.
//!
//! ```json
//! {"id": "PATIENT#1", "sk": "ENCOUNTER#42", "itemType": "Encounter", "status": "finished",
//!  "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
//!  "types": [{"system": "http://snomed.info/sct", "code": "185349003"}],
//!  "period": {"start": "2026-11-22T07:14:00Z", "end": "2026-11-22T07:44:00Z"}}
//! ```

use serde::{Deserialize, Serialize};

use super::stored::{StoredCoding, StoredPeriod, StoredText, each, without_null};
use super::{ItemType, Resource, StoredItem, resource_of};
use crate::change::{Reject, RejectReason};
use crate::fhir::{CodeMaps, CodeableConcept, Coding, EncounterStatus, Id, Period, Reference};

pub const ITEM_TYPE: ItemType = ItemType {
    name: "Encounter",
    detail_type: "EncounterChange",
    resource_type: "Encounter",
    resource: Resource::OfItem(|item, codes| resource_of::<EncounterItem<'_>>(item, codes)),
};

#[derive(Debug, Deserialize)]
struct EncounterItem<'a> {
    #[serde(borrow)]
    id: StoredText<'a>,
    #[serde(borrow)]
    sk: StoredText<'a>,
    #[serde(borrow)]
    status: StoredText<'a>,
    #[serde(borrow)]
    class: StoredCoding<'a>,
    #[serde(borrow, default, deserialize_with = "without_null")]
    types: Vec<StoredCoding<'a>>,
    #[serde(borrow)]
    period: Option<StoredPeriod<'a>>,
}

/// hl7.org/fhir/R4/encounter.html
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Encounter<'a> {
    resource_type: &'static str,
    id: String,
    status: EncounterStatus,
    class: Coding<'a>,
    #[serde(rename = "type", skip_serializing_if = "Vec::is_empty")]
    types: Vec<CodeableConcept<'a>>,
    subject: Reference,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Period<'a>>,
}

impl<'a> StoredItem<'a> for EncounterItem<'a> {
    const ELEMENT: &'static str = "Encounter";

    type Resource = Encounter<'a>;

    fn resource(self, codes: &CodeMaps) -> Result<Encounter<'a>, Reject> {
        Ok(Encounter {
            resource_type: "Encounter",
            id: Id::of_key(self.sk.as_str(), "Encounter.id")?.as_str().to_owned(),
            status: codes.translate(self.status.as_str())?,
            class: self
                .class
                .into_fhir("Encounter.class")?
                .ok_or_else(|| Reject::new(RejectReason::ItemUnreadable, "Encounter.class"))?,
            types: each(self.types, |coding| coding.into_concept("Encounter.type"))?,
            subject: Reference::to_patient(self.id.as_str(), "Encounter.subject")?,
            period: self.period.map_or(Ok(None), |period| period.into_fhir("Encounter.period"))?,
        })
    }
}
