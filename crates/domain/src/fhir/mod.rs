//! The FHIR R4 data types that the emitted resources are made of (hl7.org/fhir/R4/datatypes.html).
//!
//! Small structs for what Tributary writes, not a model of FHIR. The resources stand with their item types, in
//! [`crate::items`].

mod codes;
mod datatypes;
mod primitives;

pub use codes::{
    AddressType, AddressUse, AdministrativeGender, Code, CodeMaps, CodeMapsError, ContactPointSystem,
    ContactPointUse, EncounterStatus, NameUse, ObservationStatus,
};
pub use datatypes::{
    Address, CodeableConcept, Coding, ContactPoint, HumanName, Identifier, Meta, Period, Quantity, Reference,
};
pub use primitives::{Date, DateTime, Decimal, Id, Text};
