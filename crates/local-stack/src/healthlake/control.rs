//! The control endpoint: what a test or a demo does to HealthLake beside its API. Shapes and a client.
//!
//! JSON below `/_control/` on HealthLake's port, without a signature, and untouched by faults. What is refused comes
//! with a status of 400 or 404 and an OperationOutcome.
//!
//! - `POST /_control/datastores/{id}/load`: NDJSON, each line one resource; all of them or none. They become version 1
//!   of this moment, or with `?keepMeta=true` stay as they are. Answers `{"loaded": n}`.
//! - `PUT` and `DELETE /_control/datastores/{id}/resources/{type}/{id}`: a FHIR update or deletion. The PUT answers the
//!   resource as it is stored.
//! - `GET /_control/datastores/{id}/jobs`: a [`JobsReport`].
//! - `GET`, `PUT` and `DELETE /_control/faults`: the faults that hold, an array of [`Fault`]. A PUT replaces them all.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use super::export_request::Scope;
pub use super::faults::{Fault, FaultKind, Faults, KeyCasing, Operation};
pub use super::job::JobStatus;
pub use super::resources::LoadedMeta;
pub use super::times::TimeForm;
use crate::endpoint;

/// What has been asked of a data store, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobsReport {
    /// How many requests came with a good signature, whether they were done or not.
    pub requests: BTreeMap<Operation, u64>,
    /// In the order in which they were submitted.
    pub jobs: Vec<JobReport>,
}

/// Times are those of HealthLake's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobReport {
    pub job_id: String,
    pub job_name: Option<String>,
    pub status: JobStatus,
    pub scope: Scope,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// None: every type.
    pub resource_types: Vec<String>,
    /// `system|code`.
    pub tags: Vec<String>,
    pub security: Vec<String>,
    /// Where its files lie.
    pub folder: String,
    pub submitted_at: Timestamp,
    pub scan_started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub resources_written: u64,
    pub cancel_requests: u32,
}

/// A client of the control endpoint.
#[derive(Debug, Clone)]
pub struct Control {
    client: Client<HttpConnector, Full<Bytes>>,
    port: u16,
}

impl Control {
    /// Of the HealthLake that listens on that port.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), port }
    }

    /// Takes NDJSON, one resource on a line, and answers how many there were.
    ///
    /// # Errors
    /// Where a line is no resource; then none has been taken.
    pub async fn load(&self, datastore_id: &str, ndjson: impl Into<Bytes>, meta: LoadedMeta) -> Result<u64> {
        #[derive(Deserialize)]
        struct Loaded {
            loaded: u64,
        }
        let keeps_meta = meta == LoadedMeta::Kept;
        let path = format!("datastores/{datastore_id}/load?keepMeta={keeps_meta}");
        let answer = self.send(Method::POST, &path, ndjson.into()).await?;
        Ok(serde_json::from_slice::<Loaded>(&answer)?.loaded)
    }

    /// Writes a resource and answers it as it is stored, on one line.
    ///
    /// # Errors
    /// Where it is no resource of that type and id.
    pub async fn put_resource(
        &self,
        datastore_id: &str,
        resource_type: &str,
        id: &str,
        json: impl Into<Bytes>,
    ) -> Result<Box<RawValue>> {
        let path = format!("datastores/{datastore_id}/resources/{resource_type}/{id}");
        let answer = self.send(Method::PUT, &path, json.into()).await?;
        serde_json::from_slice(&answer).context("the resource as stored")
    }

    /// # Errors
    /// Where there is no such resource.
    pub async fn delete_resource(&self, datastore_id: &str, resource_type: &str, id: &str) -> Result<()> {
        let path = format!("datastores/{datastore_id}/resources/{resource_type}/{id}");
        self.send(Method::DELETE, &path, Bytes::new()).await.map(drop)
    }

    /// # Errors
    /// Where HealthLake cannot be reached.
    pub async fn jobs(&self, datastore_id: &str) -> Result<JobsReport> {
        let answer = self.send(Method::GET, &format!("datastores/{datastore_id}/jobs"), Bytes::new()).await?;
        serde_json::from_slice(&answer).context("a report of jobs")
    }

    /// The faults that hold, with how often they are still to happen.
    ///
    /// # Errors
    /// Where HealthLake cannot be reached.
    pub async fn faults(&self) -> Result<Faults> {
        let answer = self.send(Method::GET, "faults", Bytes::new()).await?;
        serde_json::from_slice(&answer).context("faults")
    }

    /// Replaces the faults that hold; none ends them.
    ///
    /// # Errors
    /// Where HealthLake cannot be reached.
    pub async fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) -> Result<()> {
        let faults = Faults(faults.into_iter().collect());
        self.send(Method::PUT, "faults", serde_json::to_vec(&faults)?.into()).await.map(drop)
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/_control/{path}", endpoint::url(self.port)))
            .body(Full::from(body))?;
        let answer = self.client.request(request).await.context("HealthLake does not answer")?;
        let status = answer.status();
        let body = answer.into_body().collect().await.context("HealthLake's answer broke off")?.to_bytes();
        if !status.is_success() {
            bail!("HealthLake answers {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }
}
