//! `itemType: Address`: one address of a patient, an item of the patient's collection and part of the Patient resource.
//! Stored under `id = PATIENT#<id>`, `sk = ADDRESS#<n>`.
//!
//! ```json
//! {"id": "PATIENT#1", "sk": "ADDRESS#1", "itemType": "Address", "use": "home", "type": "physical",
//!  "line": ["…"], "city": "…", "district": "…", "state": "…", "postalCode": "…", "country": "…",
//!  "period": {"start": "2020-01-01"}}
//! ```

use serde::Deserialize;

use super::stored::{StoredPeriod, StoredText, text, texts, without_null};
use super::{ItemType, Resource, StoredItem};
use crate::change::Reject;
use crate::fhir::{Address, CodeMaps};

pub const ITEM_TYPE: ItemType = ItemType {
    name: "Address",
    detail_type: "AddressChange",
    resource_type: "Patient",
    resource: Resource::OfPatient,
};

pub const SORT_KEY_PREFIX: &str = "ADDRESS#";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddressItem<'a> {
    #[serde(rename = "use", borrow)]
    address_use: Option<StoredText<'a>>,
    #[serde(rename = "type", borrow)]
    address_type: Option<StoredText<'a>>,
    #[serde(borrow, default, deserialize_with = "without_null")]
    line: Vec<StoredText<'a>>,
    #[serde(borrow)]
    city: Option<StoredText<'a>>,
    #[serde(borrow)]
    district: Option<StoredText<'a>>,
    #[serde(borrow)]
    state: Option<StoredText<'a>>,
    #[serde(borrow)]
    postal_code: Option<StoredText<'a>>,
    #[serde(borrow)]
    country: Option<StoredText<'a>>,
    #[serde(borrow)]
    period: Option<StoredPeriod<'a>>,
}

impl<'a> StoredItem<'a> for AddressItem<'a> {
    const ELEMENT: &'static str = "Address";

    type Resource = Address<'a>;

    fn resource(self, codes: &CodeMaps) -> Result<Address<'a>, Reject> {
        Ok(Address {
            address_use: codes.translate_option(self.address_use.as_ref().map(StoredText::as_str))?,
            address_type: codes.translate_option(self.address_type.as_ref().map(StoredText::as_str))?,
            line: texts(self.line, "Address.line")?,
            city: text(self.city, "Address.city")?,
            district: text(self.district, "Address.district")?,
            state: text(self.state, "Address.state")?,
            postal_code: text(self.postal_code, "Address.postalCode")?,
            country: text(self.country, "Address.country")?,
            period: self.period.map_or(Ok(None), |period| period.into_fhir("Address.period"))?,
        })
    }
}
