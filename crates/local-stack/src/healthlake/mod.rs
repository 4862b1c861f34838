//! A stand-in for AWS HealthLake: a FHIR server and its bulk exports, with real files in the stack's S3, and whatever
//! may go wrong on demand.
//!
//! What it speaks is in the AWS HealthLake developer guide, "Exporting HealthLake data with FHIR `$export`", and in the
//! API reference. Where they are silent it does what a client can bear least.
//!
//! - **Requests** carry a signature of version 4 for `healthlake` (`signature.rs`); the secret is the stack's. Without
//!   it there is only the control endpoint ([`control`]).
//! - **Data stores** exist as soon as one is named; an id has 32 hexadecimal digits. Resources are text: version and
//!   `lastUpdated` are put into `meta`, nothing else is touched, and every number keeps its digits
//!   (`stored_resource.rs`).
//! - **FHIR**: create, read, update and delete under `/datastore/{id}/r4/` (`rest_api.rs`). No search, no history, and
//!   nothing of a resource is validated but its type and id. A deletion is a version; who creates the resource again
//!   goes on counting.
//! - **Exports**: `POST …/$export` for the system, for patients and for a group, with `_since`, `_until`, `_type`,
//!   `_tag`, `_security` and `_outputFormat` (`export_request.rs`); describe and cancel; start, describe and list in
//!   the JSON API of the SDKs (`json_api.rs`). One job at a time for all data stores, a queue behind it (`queue.rs`).
//! - **What an export has** (`scan.rs`, `export.rs`): the versions that are current when the scan meets them. It begins
//!   when the job becomes `IN_PROGRESS` and reads one type after the other over the job's duration, 300 ms unless a
//!   fault says otherwise. No deletions. A patient's resources are those whose `subject`, `patient`, `individual`,
//!   `beneficiary` or `for` names one; a group itself is not of its export.
//! - **Files** (`files.rs`) lie at `{S3Uri}/{datastoreId}-FHIR_EXPORT-{jobId}/Patient/Patient-<digits>-<n>-0.ndjson`
//!   and end at 64 MiB unless a fault says otherwise.
//! - **Events** of `aws.healthlake` go to the stack's default bus (`events.rs`).
//! - **Faults** (`faults.rs`) are set over the control endpoint. Without any, nothing goes wrong.
//!
//! State is in memory and ends with the process.

mod answer;
pub mod control;
mod control_api;
mod events;
mod export;
mod export_request;
mod exports;
mod faults;
mod files;
mod job;
mod job_json;
mod json_api;
mod outcome;
mod queue;
mod resource_types;
mod resources;
mod rest_api;
mod scan;
mod server;
mod signature;
mod state;
mod store;
mod stored_resource;
mod times;

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

use crate::endpoint;
use events::Announcer;
use files::Bucket;
use state::HealthLake;

/// Serves HealthLake until the process ends; files and events go to the stack at `stack_port`.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(listener: TcpListener, stack_port: u16) -> Result<()> {
    let config = endpoint::sdk_config(stack_port).await;
    let healthlake = Arc::new(HealthLake::new(Bucket::new(&config), Announcer::start(&config)));
    tokio::spawn(queue::run(healthlake.clone()));
    server::serve(listener, healthlake).await.context("HealthLake no longer listens")
}
