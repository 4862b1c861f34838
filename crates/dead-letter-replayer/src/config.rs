use lambda_support::variables::{Variables, VariablesError};

#[derive(Debug, Clone)]
pub struct Config {
    pub dead_letter_bucket_name: String,
    pub enricher_function_name: String,
    pub router_function_name: String,
}

impl Config {
    /// # Errors
    /// Where a variable is missing.
    pub fn from_env() -> Result<Self, VariablesError> {
        Variables::of_process().finish(|read| Self {
            dead_letter_bucket_name: read.required("DEAD_LETTER_BUCKET_NAME"),
            enricher_function_name: read.required("ENRICHER_FUNCTION_NAME"),
            router_function_name: read.required("ROUTER_FUNCTION_NAME"),
        })
    }
}
