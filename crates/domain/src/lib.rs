//! What Tributary decides, as pure functions: no AWS client, no async runtime, no environment, no clock.
//!
//! - [`change`]: a DynamoDB stream record becomes a change event.
//! - [`items`]: the item types of the table, and the FHIR resource that each yields.
//! - [`fhir`]: the FHIR R4 data types that those resources are made of.
//! - [`export`]: what a run of exports from HealthLake may do, and the events that it publishes.
//! - [`lake`]: the rows, partitions and files of the lake.
//! - [`schemas`]: the JSON Schemas of what goes out, and the registry that the CDK app reads.

pub mod change;
mod digest;
pub mod export;
pub mod fhir;
pub mod items;
mod json_cursor;
pub mod lake;
pub mod schemas;
