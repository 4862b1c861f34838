//! Export jobs that do what a test says.

use serde_json::{Value, json};

use super::{Call, Reply, World};

pub const DATA_ROLE: &str = "arn:aws:iam::111122223333:role/data";

/// A job of exports.
#[derive(Debug, Clone, Default)]
pub struct Job {
    pub id: String,
    pub name: String,
    pub status: String,
    /// In seconds since 1970.
    pub submitted_at: i64,
    /// Addresses of what it wrote.
    pub files: Vec<String>,
    pub errors: usize,
}

impl Job {
    pub fn new(id: &str, name: &str, status: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), status: status.to_owned(), ..Self::default() }
    }

    fn description(&self) -> Value {
        let files: Vec<Value> = self.files.iter().map(|url| json!({"type": "Patient", "url": url})).collect();
        json!({
            "exportJobProperties": {
                "jobId": self.id, "jobName": self.name, "jobStatus": self.status,
                "submitTime": "Aug 26, 2023 1:46:56 PM",
            },
            "transactionTime": "2023-08-26T13:49:03.424Z",
            "output": files,
            "error": vec![json!({"type": "OperationOutcome", "url": "s3://b/e"}); self.errors],
        })
    }

    fn listing(&self) -> Value {
        json!({
            "JobId": self.id, "JobName": self.name, "JobStatus": self.status, "SubmitTime": self.submitted_at,
            "DatastoreId": "d1", "OutputDataConfig": {"S3Configuration": {"S3Uri": "s3://b/", "KmsKeyId": "k"}},
        })
    }
}

impl World {
    pub fn healthlake(&mut self, operation: &str, call: &Call) -> Reply {
        let id = call.uri.path().rsplit('/').next().unwrap().to_owned();
        let job = self.jobs.iter_mut().find(|job| job.id == id);
        match operation {
            "StartFHIRExportJobWithPost" => {
                let name = call.json()["JobName"].as_str().unwrap().to_owned();
                let job = Job::new(&format!("job-{}", self.jobs.len() + 1), &name, "SUBMITTED");
                let answer = json!({"datastoreId": "d1", "jobStatus": "SUBMITTED", "jobId": job.id});
                self.jobs.push(job);
                Reply::text(202, answer.to_string())
            }
            "DescribeFHIRExportJobWithGet" => match job {
                Some(job) => Reply::json(&job.description()),
                None => Reply::error(404, "ResourceNotFoundException"),
            },
            "CancelFHIRExportJobWithDelete" => match job {
                Some(job) if ["SUBMITTED", "QUEUED", "IN_PROGRESS"].contains(&job.status.as_str()) => {
                    "CANCEL_SUBMITTED".clone_into(&mut job.status);
                    Reply::json(&json!({"jobStatus": "CANCEL_SUBMITTED"}))
                }
                Some(_) => {
                    let outcome =
                        json!({"resourceType": "OperationOutcome", "issue": [{"code": "not-supported"}]});
                    Reply::text(400, outcome.to_string())
                }
                None => Reply::error(404, "ResourceNotFoundException"),
            },
            "ListFHIRExportJobs" => {
                // The filter is taken as a prefix, which is all that is documented of it.
                let name = call.json()["JobName"].as_str().unwrap().to_owned();
                let jobs = self.jobs.iter().filter(|job| job.name.starts_with(&name)).map(Job::listing);
                Reply::json(&json!({"ExportJobPropertiesList": jobs.collect::<Vec<_>>()}))
            }
            other => panic!("healthlake:{other}"),
        }
    }
}
