use lambda_support::variables::{Variables, VariablesError};

#[derive(Debug, Clone)]
pub struct Config {
    pub runs_table_name: String,
    pub export_bucket_name: String,
    pub poll_queue_url: String,
    /// As the SDKs read it; HealthLake's own where it is not set.
    pub healthlake_endpoint: Option<String>,
}

impl Config {
    /// # Errors
    /// Where a variable is missing or wrong.
    pub fn from_env() -> Result<Self, VariablesError> {
        Variables::of_process().finish(|read| Self {
            runs_table_name: read.required("EXPORT_RUNS_TABLE_NAME"),
            export_bucket_name: read.required("EXPORT_BUCKET_NAME"),
            poll_queue_url: read.required("POLL_QUEUE_URL"),
            healthlake_endpoint: read.optional("AWS_ENDPOINT_URL_HEALTHLAKE"),
        })
    }
}
