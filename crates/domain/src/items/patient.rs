//! `itemType: Patient`: who a patient is. Stored under `id = sk = PATIENT#<id>`.
//!
//! ```json
//! {"id": "PATIENT#1", "sk": "PATIENT#1", "itemType": "Patient", "mrn": {"system": "urn:example:mrn", "value": "0001"},
//!  "identifiers": [], "names": [{"use": "official", "family": "…", "given": ["…"]}], "birthDate": "1980-03-17",
//!  "gender": "female", "telecom": [{"system": "phone", "value": "…", "use": "home"}], "deceased": false, "active": true}
//! ```
//!
//! The FHIR resource holds the patient's addresses too, which are items of their own ([`super::address`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::address::AddressItem;
use super::stored::{StoredContactPoint, StoredName, StoredText, each, text, without_null};
use super::{ItemType, Resource, read_item, to_json};
use crate::change::{Change, Reject};
use crate::fhir::{
    Address, AdministrativeGender, CodeMaps, CodeableConcept, Coding, ContactPoint, Date, DateTime,
    HumanName, Id, Identifier, Meta, Text,
};
use crate::items::StoredItem;

pub const ITEM_TYPE: ItemType = ItemType {
    name: "Patient",
    detail_type: "PatientChange",
    resource_type: "Patient",
    resource: Resource::OfPatient,
};

pub const SORT_KEY_PREFIX: &str = "PATIENT#";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PatientItem<'a> {
    #[serde(borrow)]
    id: StoredText<'a>,
    #[serde(borrow)]
    mrn: Option<StoredIdentifier<'a>>,
    #[serde(borrow, default, deserialize_with = "without_null")]
    identifiers: Vec<StoredIdentifier<'a>>,
    #[serde(borrow, default, deserialize_with = "without_null")]
    names: Vec<StoredName<'a>>,
    #[serde(borrow)]
    birth_date: Option<StoredText<'a>>,
    #[serde(borrow)]
    gender: Option<StoredText<'a>>,
    #[serde(borrow, default, deserialize_with = "without_null")]
    telecom: Vec<StoredContactPoint<'a>>,
    #[serde(borrow)]
    deceased: Option<Deceased<'a>>,
    active: Option<bool>,
}

/// `{"system": "urn:…", "value": "…"}`; `system` names the authority that gave the number.
#[derive(Debug, Deserialize)]
struct StoredIdentifier<'a> {
    #[serde(borrow)]
    system: Option<StoredText<'a>>,
    #[serde(borrow)]
    value: StoredText<'a>,
}

/// Whether the patient has died, or when.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Deceased<'a> {
    Known(bool),
    #[serde(borrow)]
    At(StoredText<'a>),
}

/// hl7.org/fhir/R4/patient.html
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Patient<'a> {
    resource_type: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identifier: Vec<Identifier<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    name: Vec<HumanName<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    telecom: Vec<ContactPoint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<AdministrativeGender>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birth_date: Option<Date<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deceased_boolean: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deceased_date_time: Option<DateTime<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    address: Vec<Address<'a>>,
}

/// What the table holds of one patient, as plain JSON under the items' sort keys.
#[derive(Debug, Default, Clone)]
pub struct Collection {
    pub patient: Option<String>,
    pub addresses: BTreeMap<String, String>,
    /// The patient has more addresses than were read.
    pub truncated: bool,
}

impl<'a> StoredItem<'a> for PatientItem<'a> {
    const ELEMENT: &'static str = "Patient";

    type Resource = Patient<'a>;

    fn resource(self, codes: &CodeMaps) -> Result<Patient<'a>, Reject> {
        let (deceased_boolean, deceased_date_time) = match self.deceased {
            None => (None, None),
            Some(Deceased::Known(deceased)) => (Some(deceased), None),
            Some(Deceased::At(time)) => (None, Some(DateTime::parse(time.into_inner(), "Patient.deceased")?)),
        };
        let mut identifier =
            each(self.mrn.into_iter().collect(), |mrn| mrn.into_fhir(Some(medical_record_number())))?;
        identifier.extend(each(self.identifiers, |stored| stored.into_fhir(None))?);
        Ok(Patient {
            resource_type: "Patient",
            id: Id::of_key(self.id.as_str(), "Patient.id")?.as_str().to_owned(),
            meta: None,
            identifier,
            active: self.active,
            name: each(self.names, |name| name.into_fhir(codes))?,
            telecom: each(self.telecom, |point| point.into_fhir(codes))?,
            gender: codes.translate_option(self.gender.as_ref().map(StoredText::as_str))?,
            birth_date: self
                .birth_date
                .map(|date| Date::parse(date.into_inner(), "Patient.birthDate"))
                .transpose()?,
            deceased_boolean,
            deceased_date_time,
            address: Vec::new(),
        })
    }
}

impl<'a> StoredIdentifier<'a> {
    /// `None` where the number is blank.
    fn into_fhir(
        self,
        identifier_type: Option<CodeableConcept<'a>>,
    ) -> Result<Option<Identifier<'a>>, Reject> {
        let system = text(self.system, "Patient.identifier.system")?;
        let value = Text::parse(self.value.into_inner(), "Patient.identifier.value")?;
        Ok(value.map(|value| Identifier { identifier_type, system, value }))
    }
}

/// Medical record number (hl7.org/fhir/R4/valueset-identifier-type.html).
fn medical_record_number<'a>() -> CodeableConcept<'a> {
    let coding = Coding {
        system: Some(Text::of_code("http://terminology.hl7.org/CodeSystem/v2-0203")),
        code: Text::of_code("MR"),
        display: None,
    };
    CodeableConcept { coding: vec![coding], text: None }
}

/// The patient's resource after a change of one item of the collection; `None` where there is no patient.
///
/// The changed item is taken from the record: the table may already hold a later one. An item that only the table gave
/// and that cannot be mapped is left out, and the resource is marked as a part: that item's own change was rejected, and
/// it must not reject the changes of others.
///
/// # Errors
/// Where the changed item itself cannot be mapped.
pub fn resource_after(
    change: &Change<'_>,
    collection: Option<&Collection>,
    codes: &CodeMaps,
) -> Result<Option<String>, Reject> {
    let changed_key = change.keys().sk.text.as_ref();
    let is_patient = change.item_type.is_some_and(|item_type| item_type.name == ITEM_TYPE.name);
    let stored_patient = collection.and_then(|collection| collection.patient.as_deref());

    let changed_address = match change.item() {
        Some(item) if !is_patient => Some(read_item::<AddressItem<'_>>(item)?.resource(codes)?),
        _ => None,
    };
    let patient = match (is_patient, change.item()) {
        (true, item) => item.map(|item| read_item::<PatientItem<'_>>(item)?.resource(codes)).transpose()?,
        (false, _) => {
            stored_patient.and_then(|item| read_item::<PatientItem<'_>>(item).ok()?.resource(codes).ok())
        }
    };
    let Some(mut patient) = patient else { return Ok(None) };

    let mut is_part = collection.is_some_and(|collection| collection.truncated);
    let mut addresses = BTreeMap::new();
    for (sort_key, item) in collection.iter().flat_map(|collection| &collection.addresses) {
        if sort_key != changed_key {
            match read_item::<AddressItem<'_>>(item).and_then(|item| item.resource(codes)) {
                Ok(address) => drop(addresses.insert(sort_key.as_str(), address)),
                Err(_) => is_part = true,
            }
        }
    }
    if let Some(address) = changed_address {
        addresses.insert(changed_key, address);
    }
    patient.address = addresses.into_values().filter(|address| *address != Address::default()).collect();
    patient.meta = is_part.then_some(Meta::SUBSETTED);
    to_json(&patient, ITEM_TYPE.name).map(Some)
}
