use domain::lake::LakeConfig;
use domain::lake::object_key::Compression;
use lambda_support::variables::{Variables, VariablesError};

#[derive(Debug, Clone)]
pub struct Config {
    pub lake: LakeConfig,
    pub lake_bucket_name: String,
    pub dead_letter_bucket_name: String,
    pub glue_database_name: String,
    pub raw_table_name: String,
    pub compression: Compression,
}

impl Config {
    /// # Errors
    /// Where a variable is missing or wrong.
    pub fn from_env() -> Result<Self, VariablesError> {
        Self::read(Variables::of_process())
    }

    /// The same of variables that are had from elsewhere: whoever writes into the lake beside the function has to be
    /// configured as it is.
    ///
    /// # Errors
    /// Where a variable is missing or wrong.
    pub fn read(variables: Variables<'_>) -> Result<Self, VariablesError> {
        variables.finish_whole(|read| {
            let lake = read.required_as("LAKE", LakeConfig::parse);
            Some(Self {
                lake_bucket_name: read.required("LAKE_BUCKET_NAME"),
                dead_letter_bucket_name: read.required("DEAD_LETTER_BUCKET_NAME"),
                glue_database_name: read.required("GLUE_DATABASE_NAME"),
                raw_table_name: read.required("RAW_TABLE_NAME"),
                compression: read.parsed_or("COMPRESSION", Compression::default()),
                lake: lake?,
            })
        })
    }
}
