use lambda_support::put_events::REQUEST_BYTES;
use lambda_support::variables::{Variables, VariablesError};

#[derive(Debug, Clone)]
pub struct Config {
    pub runs_table_name: String,
    pub export_bucket_name: String,
    pub event_bus_name: String,
    pub claim_check_bucket_name: String,
    pub dead_letter_bucket_name: String,
    pub put_events_request_bytes: usize,
}

impl Config {
    /// # Errors
    /// Where a variable is missing or wrong.
    pub fn from_env() -> Result<Self, VariablesError> {
        Variables::of_process().finish(|read| Self {
            runs_table_name: read.required("EXPORT_RUNS_TABLE_NAME"),
            export_bucket_name: read.required("EXPORT_BUCKET_NAME"),
            event_bus_name: read.required("EVENT_BUS_NAME"),
            claim_check_bucket_name: read.required("CLAIM_CHECK_BUCKET_NAME"),
            dead_letter_bucket_name: read.required("DEAD_LETTER_BUCKET_NAME"),
            put_events_request_bytes: read.parsed_or("PUT_EVENTS_REQUEST_BYTES", REQUEST_BYTES),
        })
    }
}
