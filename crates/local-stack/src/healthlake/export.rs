//! One export, from its first read to its end.

use std::sync::Arc;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};

use super::files::{Content, FileNames, contents};
use super::job::{FirstFile, Job, JobStatus, LeftOut, ListedFile};
use super::scan::Scan;
use super::state::HealthLake;
use super::stored_resource::StoredResource;

/// It looks like the beginning of a resource and is no JSON.
const MALFORMED_LINE: &[u8] = b"{\"resourceType\":\"Patient\",\"id\":\n";
/// An error file in the form of the standard (HL7, "FHIR Bulk Data Access", "Response - Complete Status"); HealthLake's
/// own is not documented.
const ERROR_LINE: &[u8] = b"{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\",\
    \"code\":\"exception\",\"diagnostics\":\"Resources could not be exported.\"}]}\n";

/// How a job ends.
pub(crate) struct End {
    pub status: JobStatus,
    pub message: Option<String>,
    pub output: Vec<ListedFile>,
    pub errors: Vec<ListedFile>,
}

impl End {
    pub(crate) fn failed(message: &str) -> Self {
        let message = Some(message.to_owned());
        Self { status: JobStatus::Failed, message, output: Vec::new(), errors: Vec::new() }
    }
}

pub(crate) struct Export<'e> {
    healthlake: &'e HealthLake,
    job: &'e Job,
    output: Vec<ListedFile>,
    is_file_missing: bool,
    has_malformed_line: bool,
}

impl<'e> Export<'e> {
    pub(crate) fn new(healthlake: &'e HealthLake, job: &'e Job) -> Self {
        Self { healthlake, job, output: Vec::new(), is_file_missing: false, has_malformed_line: false }
    }

    /// Reads type after type, spread over the job's duration, and writes each as soon as it has been read.
    ///
    /// # Errors
    /// Where S3 does not take a file.
    pub(crate) async fn run(mut self) -> Result<End> {
        let started = Instant::now();
        let Job { datastore_id, request, plan, .. } = self.job;
        let scan = Scan::begin(&self.healthlake.state().datastore(datastore_id).store, &request.filter);
        let types = u32::try_from(scan.resource_types.len())?.max(1);
        for (number, resource_type) in (0..).zip(&scan.resource_types) {
            sleep_until(started + plan.duration * number / types).await;
            let mut resources =
                scan.read(&self.healthlake.state().datastore(datastore_id).store, resource_type);
            if let Some(left_out) = &plan.left_out {
                resources = left_out.without(resource_type, resources);
            }
            let names = FileNames::new(self.job.folder(), resource_type);
            for (number, content) in contents(&resources, plan.file_bytes).into_iter().enumerate() {
                self.write(resource_type, names.url(number), content).await?;
            }
        }
        sleep_until(started + plan.duration).await;
        if plan.fails {
            return Ok(End::failed("The export failed."));
        }
        if plan.left_out.is_none() {
            let status = JobStatus::Completed;
            return Ok(End { status, message: None, output: self.output, errors: Vec::new() });
        }
        let url = FileNames::new(self.job.folder(), "OperationOutcome").url(0);
        self.healthlake.bucket.write(&url, &request.kms_key_id, ERROR_LINE.to_vec()).await?;
        Ok(End {
            status: JobStatus::CompletedWithErrors,
            message: Some("Some resources could not be exported.".to_owned()),
            output: self.output,
            errors: vec![ListedFile { resource_type: "OperationOutcome".to_owned(), url }],
        })
    }

    async fn write(&mut self, resource_type: &str, url: String, mut content: Content) -> Result<()> {
        let is_first = |wanted: &Option<FirstFile>| {
            wanted.as_ref().is_some_and(|first| {
                first.resource_type.as_ref().is_none_or(|wanted| wanted == resource_type)
            })
        };
        let Job { id, datastore_id, request, plan, .. } = self.job;
        self.output.push(ListedFile { resource_type: resource_type.to_owned(), url: url.clone() });
        if is_first(&plan.missing_file) && !self.is_file_missing {
            self.is_file_missing = true;
            return Ok(());
        }
        if is_first(&plan.malformed_line) && !self.has_malformed_line {
            self.has_malformed_line = true;
            content.bytes.extend_from_slice(MALFORMED_LINE);
        }
        self.healthlake.bucket.write(&url, &request.kms_key_id, content.bytes).await?;
        if let Ok(job) = self.healthlake.state().job(datastore_id, id) {
            job.resources_written += content.resources;
        }
        Ok(())
    }
}

impl LeftOut {
    /// Leaves out every so manieth resource, so that the share is spread over them all.
    fn without(&self, resource_type: &str, resources: Vec<Arc<StoredResource>>) -> Vec<Arc<StoredResource>> {
        let concerns = |wanted: &String| wanted == resource_type;
        if !self.resource_types.is_empty() && !self.resource_types.iter().any(concerns) {
            return resources;
        }
        let left_out_before = |position: usize| position * usize::from(self.percent) / 100;
        (0..)
            .zip(resources)
            .filter(|(position, _)| left_out_before(*position) == left_out_before(position + 1))
            .map(|(_, resource)| resource)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::stored_resource::Draft;
    use super::*;

    #[test]
    fn a_share_of_the_resources_is_left_out() {
        let resources: Vec<Arc<StoredResource>> = (0..10)
            .map(|id| format!(r#"{{"resourceType":"Basic","id":"{id}"}}"#))
            .map(|line| Arc::new(Draft::parse(&line).unwrap().finish().unwrap()))
            .collect();
        let cases: [(&[&str], u8, &str); 6] = [
            (&[], 0, "0123456789"),
            (&[], 100, ""),
            (&[], 20, "01235678"),
            (&[], 50, "02468"),
            (&["Basic"], 100, ""),
            (&["Patient"], 100, "0123456789"),
        ];
        for (resource_types, percent, expected) in cases {
            let resource_types = resource_types.iter().map(ToString::to_string).collect();
            let left_out = LeftOut { resource_types, percent };
            let rest = left_out.without("Basic", resources.clone());
            let ids: String = rest.iter().map(|resource| resource.id.as_str()).collect();
            assert_eq!(ids, expected, "{left_out:?}");
        }
    }
}
