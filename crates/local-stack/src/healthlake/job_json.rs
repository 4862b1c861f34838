//! A job as the APIs tell it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::faults::KeyCasing;
use super::job::{Job, JobStatus};
use super::times::{TimeForm, rfc3339};

/// The keys that the examples of the developer guide spell in upper case, among others that they do not.
const UPPER_CASE_IN_EXAMPLES: [&str; 4] = ["jobName", "s3Uri", "kmsKeyId", "dataAccessRoleArn"];

/// What a describe of the REST API answers.
pub(crate) fn description(job: &Job, status: &str, form: TimeForm, transaction_time: Timestamp) -> Value {
    let has_files = matches!(job.status, JobStatus::Completed | JobStatus::CompletedWithErrors);
    json!({
        "exportJobProperties": properties(job, status, form),
        "transactionTime": rfc3339(transaction_time),
        "request": job.request.url,
        "requiresAccessToken": false,
        "output": if has_files { json!(job.output) } else { json!([]) },
        "error": if has_files { json!(job.errors) } else { json!([]) },
    })
}

/// What both APIs say of a job. What there is not is left out.
pub(crate) fn properties(job: &Job, status: &str, form: TimeForm) -> Value {
    let mut properties = json!({
        "jobId": job.id,
        "jobStatus": status,
        "submitTime": form.json(job.submitted_at),
        "datastoreId": job.datastore_id,
        "outputDataConfig": {
            "s3Configuration": {"s3Uri": job.folder(), "kmsKeyId": job.request.kms_key_id},
        },
        "dataAccessRoleArn": job.request.data_access_role_arn,
    });
    let optional = [
        ("jobName", job.request.job_name.as_ref().map(|name| json!(name))),
        ("endTime", job.ended_at.map(|time| form.json(time))),
        ("message", job.message.as_ref().map(|message| json!(message))),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            properties[name] = value;
        }
    }
    properties
}

impl KeyCasing {
    /// Spells the keys of an answer that is in camel case.
    pub(crate) fn spell(self, json: Value) -> Value {
        match json {
            Value::Object(members) => {
                let spelt = members.into_iter().map(|(key, value)| (self.key(key), self.spell(value)));
                Value::Object(spelt.collect::<Map<_, _>>())
            }
            Value::Array(elements) => elements.into_iter().map(|element| self.spell(element)).collect(),
            other => other,
        }
    }

    fn key(self, key: String) -> String {
        let is_upper_case = match self {
            Self::Camel => false,
            Self::Pascal => true,
            Self::Mixed => UPPER_CASE_IN_EXAMPLES.contains(&key.as_str()),
        };
        match key.split_at_checked(1) {
            Some((first, rest)) if is_upper_case => first.to_ascii_uppercase() + rest,
            _ => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::export_request::{ExportRequest, Filter, Scope};
    use super::super::job::{JobPlan, ListedFile};
    use super::*;

    fn job() -> Job {
        let request = ExportRequest {
            filter: Filter::everything(Scope::System),
            job_name: Some("name".to_owned()),
            data_access_role_arn: "role".to_owned(),
            s3_uri: "s3://bucket/exports".to_owned(),
            kms_key_id: "key".to_owned(),
            client_token: None,
            url: "http://127.0.0.1/datastore/d/r4/$export?_since=2026-11-22T00:00:00Z".to_owned(),
        };
        let submitted_at = "2026-11-22T19:14:00.5Z".parse().unwrap();
        Job { id: "j".to_owned(), ..Job::new("d", request, JobPlan::default(), submitted_at) }
    }

    #[test]
    fn a_description_has_the_recorded_form() {
        let job = Job {
            status: JobStatus::Completed,
            ended_at: Some("2026-11-23T00:15:00Z".parse().unwrap()),
            output: vec![ListedFile { resource_type: "Patient".to_owned(), url: "s3://f".to_owned() }],
            ..job()
        };
        let now = "2026-11-23T00:16:00.25Z".parse().unwrap();
        let expected = json!({
            "exportJobProperties": {
                "jobId": "j", "jobName": "name", "jobStatus": "COMPLETED",
                "submitTime": "Nov 22, 2026 7:14:00 PM", "endTime": "Nov 23, 2026 12:15:00 AM",
                "datastoreId": "d",
                "outputDataConfig": {
                    "s3Configuration": {"s3Uri": "s3://bucket/exports/d-FHIR_EXPORT-j/", "kmsKeyId": "key"}
                },
                "dataAccessRoleArn": "role"
            },
            "transactionTime": "2026-11-23T00:16:00.250Z",
            "request": "http://127.0.0.1/datastore/d/r4/$export?_since=2026-11-22T00:00:00Z",
            "requiresAccessToken": false,
            "output": [{"type": "Patient", "url": "s3://f"}],
            "error": []
        });
        assert_eq!(description(&job, "COMPLETED", TimeForm::TwelveHours, now), expected);
    }

    #[test]
    fn only_a_completed_job_lists_files() {
        let output = vec![ListedFile { resource_type: "Patient".to_owned(), url: "s3://f".to_owned() }];
        for (status, expected) in [
            (JobStatus::InProgress, 0),
            (JobStatus::Failed, 0),
            (JobStatus::CancelCompleted, 0),
            (JobStatus::Completed, 1),
            (JobStatus::CompletedWithErrors, 1),
        ] {
            let job = Job { status, output: output.clone(), ..job() };
            let description = description(&job, status.word(), TimeForm::Rfc3339, job.submitted_at);
            assert_eq!(description["output"].as_array().unwrap().len(), expected, "{status:?}");
        }
    }

    #[test]
    fn keys_are_spelt_in_each_documented_way() {
        let json = properties(&job(), "QUEUED", TimeForm::Rfc3339);
        let keys = |casing: KeyCasing| {
            let json = casing.spell(json!({"exportJobProperties": json.clone()}));
            let (outer, properties) = json.as_object().unwrap().iter().next().unwrap();
            let configuration = &properties[&*casing.key("outputDataConfig".to_owned())]
                [&*casing.key("s3Configuration".to_owned())];
            // Sorted: whether a map keeps the order of its keys depends on what else is built with it.
            let inner = |value: &Value| {
                let keys: std::collections::BTreeSet<&str> =
                    value.as_object().unwrap().keys().map(String::as_str).collect();
                keys.into_iter().collect::<Vec<_>>().join(" ")
            };
            format!("{outer}: {}; {}", inner(properties), inner(configuration))
        };
        let cases = [
            (
                KeyCasing::Camel,
                "exportJobProperties: dataAccessRoleArn datastoreId jobId jobName jobStatus outputDataConfig \
                 submitTime; kmsKeyId s3Uri",
            ),
            (
                KeyCasing::Pascal,
                "ExportJobProperties: DataAccessRoleArn DatastoreId JobId JobName JobStatus OutputDataConfig \
                 SubmitTime; KmsKeyId S3Uri",
            ),
            (
                KeyCasing::Mixed,
                "exportJobProperties: DataAccessRoleArn JobName datastoreId jobId jobStatus outputDataConfig \
                 submitTime; KmsKeyId S3Uri",
            ),
        ];
        for (casing, expected) in cases {
            assert_eq!(keys(casing), expected);
        }
    }
}
