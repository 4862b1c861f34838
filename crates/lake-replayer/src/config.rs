use lambda_support::variables::{Variables, VariablesError};

#[derive(Debug, Clone)]
pub struct Config {
    pub dead_letter_bucket_name: String,
    pub lake_writer_function_name: String,
}

impl Config {
    /// # Errors
    /// Where a variable is missing.
    pub fn from_env() -> Result<Self, VariablesError> {
        Variables::of_process().finish(|read| Self {
            dead_letter_bucket_name: read.required("DEAD_LETTER_BUCKET_NAME"),
            lake_writer_function_name: read.required("LAKE_WRITER_FUNCTION_NAME"),
        })
    }
}
