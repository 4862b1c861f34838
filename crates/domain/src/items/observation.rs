//! `itemType: Observation`: one measurement of a patient. Stored under `id = PATIENT#<id>`, `sk = OBSERVATION#<id>`.
//!
//! ```json
//! {"id": "PATIENT#1", "sk": "OBSERVATION#9", "itemType": "Observation", "status": "final",
//!  "code": {"code": "8867-4", "display": "Heart rate"}, "effectiveDateTime": "2026-11-22T07:14:00Z",
//!  "value": 72.0, "unit": "beats/minute", "unitCode": "/min"}
//! ```
//!
//! `code` is a LOINC code unless it names another system; `unitCode` is a UCUM code.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::stored::{StoredCoding, StoredText, date_time, text};
use super::{ItemType, Resource, StoredItem, resource_of};
use crate::change::{Reject, RejectReason};
use crate::fhir::{
    CodeMaps, CodeableConcept, DateTime, Decimal, Id, ObservationStatus, Quantity, Reference, Text,
};

pub const ITEM_TYPE: ItemType = ItemType {
    name: "Observation",
    detail_type: "ObservationChange",
    resource_type: "Observation",
    resource: Resource::OfItem(|item, codes| resource_of::<ObservationItem<'_>>(item, codes)),
};

const LOINC: &str = "http://loinc.org";
const UCUM: &str = "http://unitsofmeasure.org";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObservationItem<'a> {
    #[serde(borrow)]
    id: StoredText<'a>,
    #[serde(borrow)]
    sk: StoredText<'a>,
    #[serde(borrow)]
    status: StoredText<'a>,
    #[serde(borrow)]
    code: StoredCoding<'a>,
    #[serde(borrow)]
    effective_date_time: Option<StoredText<'a>>,
    /// A number with every digit that was stored.
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    unit: Option<StoredText<'a>>,
    #[serde(borrow)]
    unit_code: Option<StoredText<'a>>,
}

/// hl7.org/fhir/R4/observation.html
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Observation<'a> {
    resource_type: &'static str,
    id: String,
    status: ObservationStatus,
    code: CodeableConcept<'a>,
    subject: Reference,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_date_time: Option<DateTime<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_quantity: Option<Quantity<'a>>,
}

impl<'a> StoredItem<'a> for ObservationItem<'a> {
    const ELEMENT: &'static str = "Observation";

    type Resource = Observation<'a>;

    fn resource(self, codes: &CodeMaps) -> Result<Observation<'a>, Reject> {
        let mut coding = self
            .code
            .into_fhir("Observation.code")?
            .ok_or_else(|| Reject::new(RejectReason::ItemUnreadable, "Observation.code"))?;
        if coding.system.is_none() {
            coding.system = Some(Text::of_code(LOINC));
        }
        let unit_code = text(self.unit_code, "Observation.value.code")?;
        let unit = text(self.unit, "Observation.value.unit")?;
        let value = self.value.map(|value| Decimal::parse(value, "Observation.value")).transpose()?;
        Ok(Observation {
            resource_type: "Observation",
            id: Id::of_key(self.sk.as_str(), "Observation.id")?.as_str().to_owned(),
            status: codes.translate(self.status.as_str())?,
            code: CodeableConcept { coding: vec![coding], text: None },
            subject: Reference::to_patient(self.id.as_str(), "Observation.subject")?,
            effective_date_time: date_time(self.effective_date_time, "Observation.effectiveDateTime")?,
            value_quantity: value.map(|value| Quantity {
                value,
                unit,
                system: unit_code.is_some().then_some(UCUM),
                code: unit_code,
            }),
        })
    }
}
