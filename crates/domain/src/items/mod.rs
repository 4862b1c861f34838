//! The item types of the table, one file each: what is stored, and the FHIR R4 resource that it yields.
//!
//! `docs/adding-an-item-type.md` walks through adding one.

mod address;
mod encounter;
mod observation;
mod patient;
mod related_person;
mod stored;

use serde::{Deserialize, Serialize};

use crate::change::{Change, FALLBACK_DETAIL_TYPE, Reject, RejectReason};
use crate::fhir::CodeMaps;

pub use address::SORT_KEY_PREFIX as ADDRESS_SORT_KEY_PREFIX;
pub use patient::{Collection, SORT_KEY_PREFIX as PATIENT_SORT_KEY_PREFIX};

/// Every item type that Tributary knows. Rules, queues and schemas of the deployed system follow from this list.
pub const REGISTRY: &[ItemType] = &[
    patient::ITEM_TYPE,
    address::ITEM_TYPE,
    related_person::ITEM_TYPE,
    encounter::ITEM_TYPE,
    observation::ITEM_TYPE,
];

#[derive(Debug)]
pub struct ItemType {
    /// The value of the attribute `itemType`.
    pub name: &'static str,
    /// The event's `detail-type`.
    pub detail_type: &'static str,
    /// The FHIR type of the event's `fhir`.
    pub resource_type: &'static str,
    pub resource: Resource,
}

/// What the event's `fhir` is made from.
#[derive(Debug)]
pub enum Resource {
    /// From the item alone: plain JSON in, the resource's JSON out.
    OfItem(fn(item: &str, codes: &CodeMaps) -> Result<String, Reject>),
    /// The patient's resource, from the items of the patient's collection.
    OfPatient,
}

/// `None` for a type that the code does not know: its changes go out as [`FALLBACK_DETAIL_TYPE`], without FHIR.
#[must_use]
pub fn item_type(name: &str) -> Option<&'static ItemType> {
    REGISTRY.iter().find(|item_type| item_type.name == name)
}

/// The `detail-type` under which changes of an item type go out.
#[must_use]
pub fn detail_type(item_type_name: &str) -> &'static str {
    item_type(item_type_name).map_or(FALLBACK_DETAIL_TYPE, |item_type| item_type.detail_type)
}

/// What has to be read of a patient's collection to make the resource of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needed {
    Nothing,
    /// The change brings the patient itself.
    Addresses,
    PatientAndAddresses,
}

#[must_use]
pub fn needed_of_collection(change: &Change<'_>) -> Needed {
    match change.item_type {
        Some(item_type) if matches!(item_type.resource, Resource::OfPatient) => {
            match (item_type.name == patient::ITEM_TYPE.name, change.item()) {
                (false, _) => Needed::PatientAndAddresses,
                (true, Some(_)) => Needed::Addresses,
                // The patient is gone, and its resource with it.
                (true, None) => Needed::Nothing,
            }
        }
        _ => Needed::Nothing,
    }
}

/// The FHIR resource as it stands after the change; `None` where there is none, which is no reject.
///
/// # Errors
/// Where the changed item itself cannot be mapped.
pub fn fhir_resource(
    change: &Change<'_>,
    collection: Option<&Collection>,
    codes: &CodeMaps,
) -> Result<Option<String>, Reject> {
    let Some(item_type) = change.item_type else { return Ok(None) };
    match (&item_type.resource, change.item()) {
        (Resource::OfPatient, _) => patient::resource_after(change, collection, codes),
        (Resource::OfItem(_), None) => Ok(None),
        (Resource::OfItem(resource_of), Some(item)) => resource_of(item, codes).map(Some),
    }
}

/// An item as it is stored, and the resource that it alone yields.
trait StoredItem<'a>: Deserialize<'a> {
    /// The item type, for rejects.
    const ELEMENT: &'static str;

    type Resource: Serialize;

    fn resource(self, codes: &CodeMaps) -> Result<Self::Resource, Reject>;
}

/// Reads an item of the type and writes its resource.
fn resource_of<'a, T: StoredItem<'a>>(item: &'a str, codes: &CodeMaps) -> Result<String, Reject> {
    to_json(&read_item::<T>(item)?.resource(codes)?, T::ELEMENT)
}

fn read_item<'a, T: StoredItem<'a>>(item: &'a str) -> Result<T, Reject> {
    serde_json::from_str(item)
        .map_err(|error| Reject::unreadable(RejectReason::ItemUnreadable, T::ELEMENT, &error))
}

fn to_json<T: Serialize>(resource: &T, element: &str) -> Result<String, Reject> {
    serde_json::to_string(resource)
        .map_err(|error| Reject::unreadable(RejectReason::ItemUnreadable, element, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_detail_types_are_distinct_and_follow_one_rule() {
        for (position, item_type) in REGISTRY.iter().enumerate() {
            assert_eq!(item_type.detail_type, format!("{}Change", item_type.name));
            assert_ne!(item_type.detail_type, FALLBACK_DETAIL_TYPE);
            assert!(REGISTRY[..position].iter().all(|earlier| earlier.name != item_type.name));
        }
        assert_eq!(detail_type("Invoice"), "ItemChange");
    }
}
