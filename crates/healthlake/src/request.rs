//! What `$export` is asked.

use domain::export::datastore::{Datastore, Scope};
use domain::export::window::{Mode, Window};
use serde::Serialize;

/// A job to start.
#[derive(Debug, Clone)]
pub struct StartExport<'a> {
    pub datastore: &'a Datastore,
    pub mode: Mode,
    pub window: Window,
    pub job_name: String,
    /// Which HealthLake assumes to write the files.
    pub data_access_role_arn: &'a str,
    /// Under which HealthLake makes a folder for the job's files.
    pub output_uri: String,
    pub key_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Body<'a> {
    job_name: &'a str,
    data_access_role_arn: &'a str,
    output_data_config: OutputDataConfig<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OutputDataConfig<'a> {
    s3_configuration: S3Configuration<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct S3Configuration<'a> {
    s3_uri: &'a str,
    kms_key_id: &'a str,
}

impl StartExport<'_> {
    /// The path below the datastore's `/r4/`.
    pub(crate) fn path(&self) -> String {
        match &self.datastore.scope {
            Scope::System => "$export".to_owned(),
            Scope::Patient => "Patient/$export".to_owned(),
            Scope::Group { group_id } => format!("Group/{group_id}/$export"),
        }
    }

    /// `_until` is for a replay alone: it would keep out what is rewritten while the export runs.
    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = vec![("_outputFormat", "application/fhir+ndjson".to_owned())];
        if let Some(since) = self.window.since {
            query.push(("_since", format!("{since:.3}")));
        }
        if self.mode == Mode::Replay {
            query.push(("_until", format!("{:.3}", self.window.until)));
        }
        if !self.datastore.resource_types.is_empty() {
            query.push(("_type", self.datastore.resource_types.join(",")));
        }
        query.extend(self.datastore.tags.iter().map(|tag| ("_tag", tag.clone())));
        query
    }

    pub(crate) fn body(&self) -> Body<'_> {
        Body {
            job_name: &self.job_name,
            data_access_role_arn: self.data_access_role_arn,
            output_data_config: OutputDataConfig {
                s3_configuration: S3Configuration { s3_uri: &self.output_uri, kms_key_id: self.key_arn },
            },
        }
    }
}
