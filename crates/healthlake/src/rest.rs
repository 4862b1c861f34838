//! The calls, signed.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_healthlake::error::{ProvideErrorMetadata, SdkError};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use domain::export::datastore::DatastoreId;
use domain::export::job::{JobId, JobStatus};
use domain::export::start::ListedJob;
use jiff::Timestamp;
use lambda_support::clients::certificate_authorities;
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

use crate::answers::{Described, Job, Refusal, Started};
use crate::error::{HealthLakeError, Permanence};
use crate::request::StartExport;

const START: &str = "healthlake:StartFHIRExportJobWithPost";
const DESCRIBE: &str = "healthlake:DescribeFHIRExportJobWithGet";
const CANCEL: &str = "healthlake:CancelFHIRExportJobWithDelete";
const LIST: &str = "healthlake:ListFHIRExportJobs";

/// What a cancellation is refused with where there is nothing to cancel.
const IS_OVER: [&str; 3] = ["not-supported", "not-found", "ResourceNotFoundException"];

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// A client of HealthLake.
#[derive(Debug, Clone)]
pub struct HealthLake {
    http: reqwest::Client,
    sdk: aws_sdk_healthlake::Client,
    endpoint: String,
    region: String,
    credentials: SharedCredentialsProvider,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error("no region is configured")]
    NoRegion,
    #[error("no credentials are configured")]
    NoCredentials,
    #[error("the HTTP client cannot be built")]
    NoHttpClient,
}

/// It trusts whom the SDK's clients trust (docs/decisions/0033): these alone, or the system's.
fn http_client(roots: Option<&[u8]>) -> reqwest::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(ATTEMPT_TIMEOUT);
    if let Some(roots) = roots {
        builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(roots)?);
    }
    builder.build()
}

impl HealthLake {
    /// `endpoint` is what the SDKs read from `AWS_ENDPOINT_URL_HEALTHLAKE`; without it, HealthLake's own of the region.
    ///
    /// # Errors
    /// Where the configuration lacks what a signature needs.
    pub fn new(config: &SdkConfig, endpoint: Option<&str>) -> Result<Self, ClientError> {
        let region = config.region().ok_or(ClientError::NoRegion)?.as_ref().to_owned();
        let credentials = config.credentials_provider().ok_or(ClientError::NoCredentials)?;
        let http = http_client(certificate_authorities()).map_err(|_| ClientError::NoHttpClient)?;
        let mut sdk = aws_sdk_healthlake::config::Builder::from(config);
        sdk.set_endpoint_url(endpoint.map(str::to_owned));
        let own = || format!("https://healthlake.{region}.amazonaws.com");
        Ok(Self {
            http,
            sdk: aws_sdk_healthlake::Client::from_conf(sdk.build()),
            endpoint: endpoint.map_or_else(own, |endpoint| endpoint.trim_end_matches('/').to_owned()),
            region,
            credentials,
        })
    }

    /// Starts a job. Only a throttled request is tried again here: after any other failure the job may be there.
    ///
    /// # Errors
    /// Where HealthLake does not accept the job, or nobody knows whether it did.
    pub async fn start(&self, request: &StartExport<'_>, until: Instant) -> Result<JobId, HealthLakeError> {
        let mut url = self.url(&request.datastore.id, &request.path(), START)?;
        url.query_pairs_mut().extend_pairs(request.query());
        let body =
            serde_json::to_vec(&request.body()).map_err(|_| HealthLakeError::unknown(START, "no body"))?;
        let call = || self.call::<Started>(START, Method::POST, url.clone(), body.clone());
        let is_safe = |permanence| permanence == Permanence::Throttled;
        Ok(again_while(call, is_safe, until).await?.job_id)
    }

    /// # Errors
    /// Where HealthLake does not tell.
    pub async fn describe(
        &self,
        datastore: &DatastoreId,
        job: &JobId,
        until: Instant,
    ) -> Result<Job, HealthLakeError> {
        let url = self.url(datastore, &format!("export/{job}"), DESCRIBE)?;
        let call = || self.call::<Described>(DESCRIBE, Method::GET, url.clone(), Vec::new());
        Ok(again_while(call, |permanence| permanence != Permanence::Refused, until).await?.into())
    }

    /// Asks HealthLake to cancel a job. One that has ended already, or is forgotten, is refused, which is as good.
    ///
    /// # Errors
    /// Where HealthLake does not answer.
    pub async fn cancel(
        &self,
        datastore: &DatastoreId,
        job: &JobId,
        until: Instant,
    ) -> Result<(), HealthLakeError> {
        let url = self.url(datastore, &format!("export/{job}"), CANCEL)?;
        let call = || self.send(CANCEL, Method::DELETE, url.clone(), Vec::new());
        match again_while(call, |permanence| permanence != Permanence::Refused, until).await {
            Ok(_) => Ok(()),
            Err(error) if IS_OVER.contains(&error.code.as_str()) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// All jobs of that name, page by page to the last.
    ///
    /// # Errors
    /// Where HealthLake does not answer.
    pub async fn jobs_named(
        &self,
        datastore: &DatastoreId,
        name: &str,
        until: Instant,
    ) -> Result<Vec<ListedJob>, HealthLakeError> {
        let mut pages = self
            .sdk
            .list_fhir_export_jobs()
            .datastore_id(datastore.as_str())
            .job_name(name)
            .into_paginator()
            .send();
        let mut jobs = Vec::new();
        loop {
            let page = match timeout_at(until, pages.next()).await {
                Err(_) => return Err(HealthLakeError::unknown(LIST, "no answer in time")),
                Ok(None) => return Ok(jobs),
                Ok(Some(page)) => page.map_err(|error| list_error(&error))?,
            };
            // The filter is a prefix for all that is documented: only the very name counts.
            jobs.extend(
                page.export_job_properties_list
                    .into_iter()
                    .filter(|job| job.job_name() == Some(name))
                    .map(|job| listed(&job)),
            );
        }
    }

    fn url(
        &self,
        datastore: &DatastoreId,
        path: &str,
        operation: &'static str,
    ) -> Result<Url, HealthLakeError> {
        format!("{}/datastore/{datastore}/r4/{path}", self.endpoint)
            .parse()
            .map_err(|_| HealthLakeError::unknown(operation, "the address cannot be written"))
    }

    async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        method: Method,
        url: Url,
        body: Vec<u8>,
    ) -> Result<T, HealthLakeError> {
        let answer = self.send(operation, method, url, body).await?;
        serde_json::from_slice(&answer)
            .map_err(|_| HealthLakeError::unknown(operation, "the answer cannot be read"))
    }

    async fn send(
        &self,
        operation: &'static str,
        method: Method,
        url: Url,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, HealthLakeError> {
        let failed = |code: &str| HealthLakeError::unknown(operation, code);
        let request = self.signed(method, &url, body).await.map_err(failed)?;
        let answer =
            self.http.execute(request).await.map_err(|error| {
                failed(if error.is_timeout() { "no answer in time" } else { "not reached" })
            })?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|_| failed("the answer broke off"))?;
        if status.is_success() {
            return Ok(body.to_vec());
        }
        let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
        Err(HealthLakeError::of_status(operation, status.as_u16(), refusal.code()))
    }

    /// AWS Signature Version 4, as the SDKs sign (IAM user guide, "AWS Signature Version 4 for API requests").
    async fn signed(
        &self,
        method: Method,
        url: &Url,
        body: Vec<u8>,
    ) -> Result<reqwest::Request, &'static str> {
        let credentials = self.credentials.provide_credentials().await.map_err(|_| "no credentials")?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&credentials)
            .region(&self.region)
            .name("healthlake")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| "the request cannot be signed")?
            .into();
        let headers = [("content-type", "application/fhir+json"), ("prefer", "respond-async")];
        let signable = SignableRequest::new(
            method.as_str(),
            url.as_str(),
            headers.into_iter(),
            SignableBody::Bytes(&body),
        )
        .map_err(|_| "the request cannot be signed")?;
        let (instructions, _) =
            sign(signable, &parameters).map_err(|_| "the request cannot be signed")?.into_parts();
        let mut request = http::Request::builder().method(method.as_str()).uri(url.as_str());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut request = request.body(body).map_err(|_| "the request cannot be built")?;
        instructions.apply_to_request_http1x(&mut request);
        request.try_into().map_err(|_| "the request cannot be built")
    }
}

/// Calls until it succeeds, fails in another way than `may_repeat` says, or the time is up.
async fn again_while<T, C>(
    call: impl Fn() -> C,
    may_repeat: impl Fn(Permanence) -> bool,
    until: Instant,
) -> Result<T, HealthLakeError>
where
    C: Future<Output = Result<T, HealthLakeError>>,
{
    let mut delay = FIRST_DELAY;
    loop {
        match call().await {
            Err(error) if may_repeat(error.permanence) => {
                let pause = delay.mul_f64(0.5 + fastrand::f64() / 2.0);
                if Instant::now() + pause >= until {
                    return Err(error);
                }
                sleep(pause).await;
                delay = (delay * 2).min(LONGEST_DELAY);
            }
            answer => return answer,
        }
    }
}

fn list_error<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> HealthLakeError {
    match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("ThrottlingException") => HealthLakeError::of_status(LIST, 429, Some("ThrottlingException")),
        Some(code @ ("InternalServerException" | "ServiceUnavailable")) => {
            HealthLakeError::unknown(LIST, code)
        }
        Some(code) => HealthLakeError::of_status(LIST, 400, Some(code)),
        None => HealthLakeError::unknown(LIST, "not reached, or no answer that can be read"),
    }
}

fn listed(job: &aws_sdk_healthlake::types::ExportJobProperties) -> ListedJob {
    let Ok(status) = job.job_status().as_str().parse::<JobStatus>();
    ListedJob {
        id: JobId(job.job_id().to_owned()),
        submitted_at: Timestamp::new(job.submit_time().secs(), 0).ok(),
        phase: status.phase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_authority_that_cannot_be_read_is_not_passed_over() {
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(http_client(Some(broken)).is_err());
        assert!(http_client(None).is_ok());
    }
}
