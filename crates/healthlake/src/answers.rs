//! What HealthLake answers.
//!
//! The developer guide spells the members with a small letter in some places and a capital in others: both are read.

use domain::export::job::{JobId, JobStatus};
use serde::Deserialize;

/// A job, as far as a run needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub status: JobStatus,
    /// What the job wrote; empty until it is done.
    pub files: Vec<OutputFile>,
    /// How many files with errors the job lists.
    pub errors: usize,
}

/// A file of NDJSON, all of one resource type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OutputFile {
    #[serde(alias = "Url")]
    pub url: String,
}

impl OutputFile {
    /// The key, where the file lies in that bucket.
    #[must_use]
    pub fn key_in(&self, bucket: &str) -> Option<&str> {
        self.url.strip_prefix("s3://")?.strip_prefix(bucket)?.strip_prefix('/').filter(|key| !key.is_empty())
    }
}

#[derive(Deserialize)]
pub(crate) struct Started {
    #[serde(alias = "JobId", rename = "jobId")]
    pub job_id: JobId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Described {
    #[serde(alias = "ExportJobProperties")]
    export_job_properties: Properties,
    #[serde(alias = "Output", default)]
    output: Option<Vec<OutputFile>>,
    #[serde(alias = "Error", default)]
    error: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(alias = "JobStatus")]
    job_status: String,
}

impl From<Described> for Job {
    fn from(described: Described) -> Self {
        let Ok(status) = described.export_job_properties.job_status.parse();
        Self {
            status,
            files: described.output.unwrap_or_default(),
            errors: described.error.unwrap_or_default().len(),
        }
    }
}

/// An error of AWS, or an OperationOutcome of FHIR.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    #[serde(rename = "__type", alias = "type", alias = "Type", alias = "code")]
    error_type: Option<String>,
    issue: Vec<Issue>,
}

#[derive(Deserialize)]
struct Issue {
    code: Option<String>,
}

impl Refusal {
    /// `ValidationException` of `com.amazonaws.healthlake#ValidationException:http://…`, or an issue's code.
    pub(crate) fn code(&self) -> Option<&str> {
        let error_type = self.error_type.as_deref();
        let error_type =
            error_type.map(|name| name.rsplit('#').next().unwrap_or(name).split(':').next().unwrap_or(name));
        error_type.or_else(|| self.issue.first()?.code.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_read_in_either_casing() {
        let small = r#"{"exportJobProperties":{"jobId":"j","jobStatus":"COMPLETED","submitTime":"Aug 26, 2023 1:46:56 PM"},
            "output":[{"type":"Patient","url":"s3://b/exports/d-FHIR_EXPORT-j/Patient/p.ndjson"}],"error":[]}"#;
        let capital = r#"{"ExportJobProperties":{"JobId":"j","JobStatus":"COMPLETED"},
            "Output":[{"Type":"Patient","Url":"s3://b/exports/d-FHIR_EXPORT-j/Patient/p.ndjson"}],"Error":[]}"#;
        for text in [small, capital] {
            let job = Job::from(serde_json::from_str::<Described>(text).expect("a description"));
            assert_eq!(job.status, JobStatus::Completed);
            let keys: Vec<_> = job.files.iter().filter_map(|file| file.key_in("b")).collect();
            assert_eq!(keys, ["exports/d-FHIR_EXPORT-j/Patient/p.ndjson"]);
            assert_eq!(job.files.iter().find_map(|file| file.key_in("another")), None);
        }
        let running = r#"{"exportJobProperties":{"jobStatus":"IN_PROGRESS"},"output":null}"#;
        let job = Job::from(serde_json::from_str::<Described>(running).expect("a description"));
        assert_eq!((job.status, job.files.len(), job.errors), (JobStatus::InProgress, 0, 0));
    }

    #[test]
    fn the_code_of_a_refusal_is_found_in_every_form() {
        let cases = [
            (
                r#"{"__type":"com.amazonaws.healthlake#ValidationException","message":"m"}"#,
                Some("ValidationException"),
            ),
            (r#"{"__type":"ThrottlingException:http://internal.amazon.com/"}"#, Some("ThrottlingException")),
            (
                r#"{"resourceType":"OperationOutcome","issue":[{"code":"not-supported"}]}"#,
                Some("not-supported"),
            ),
            (r#"{"message":"m"}"#, None),
        ];
        for (text, code) in cases {
            let refusal: Refusal = serde_json::from_str(text).expect("a refusal");
            assert_eq!(refusal.code(), code, "{text}");
        }
    }
}
