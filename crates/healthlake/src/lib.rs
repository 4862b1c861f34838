//! Exports of AWS HealthLake.
//!
//! The SDK's client has neither `_since` nor a list of the files that a job wrote, and it cannot cancel. So start,
//! describe and cancel are the REST calls of the AWS HealthLake developer guide, "Exporting HealthLake data with FHIR
//! $export", signed as the SDK signs; the list of jobs is the SDK's.

mod answers;
mod error;
mod request;
mod rest;

pub use answers::{Job, OutputFile};
pub use error::{HealthLakeError, Permanence};
pub use request::StartExport;
pub use rest::{ClientError, HealthLake};
