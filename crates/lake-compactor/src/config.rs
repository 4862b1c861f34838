use domain::lake::LakeConfig;
use domain::lake::compaction::Rules;
use jiff::SignedDuration;
use lambda_support::variables::{Variables, VariablesError};

#[derive(Debug, Clone)]
pub struct Config {
    pub lake: LakeConfig,
    pub lake_bucket_name: String,
    pub glue_database_name: String,
    pub compact_table_name: String,
    pub compactions_queue_url: String,
    pub rules: Rules,
    /// What rows and the buffers of files may take together (I7).
    pub memory_bytes: usize,
    pub latest_buckets: u32,
}

impl Config {
    /// # Errors
    /// Where a variable is missing or wrong.
    pub fn from_env() -> Result<Self, VariablesError> {
        Variables::of_process().finish_whole(|read| {
            let lake = read.required_as("LAKE", LakeConfig::parse);
            Some(Self {
                lake_bucket_name: read.required("LAKE_BUCKET_NAME"),
                glue_database_name: read.required("GLUE_DATABASE_NAME"),
                compact_table_name: read.required("COMPACT_TABLE_NAME"),
                compactions_queue_url: read.required("COMPACTIONS_QUEUE_URL"),
                rules: Rules {
                    settle: seconds(read.parsed_or("SETTLE_SECONDS", 900)),
                    keep_replaced: seconds(read.parsed_or("KEEP_REPLACED_SECONDS", 21_600)),
                    merge_files: read.parsed_or("MERGE_FILES", 8),
                    file_bytes: read.parsed_or("FILE_BYTES", 128 * 1024 * 1024),
                    merge_bytes: read.parsed_or("MERGE_BYTES", 2 * 1024 * 1024 * 1024),
                },
                memory_bytes: read.parsed_or("MEMORY_BYTES", 512 * 1024 * 1024),
                latest_buckets: read.parsed_or("LATEST_BUCKETS", 8),
                lake: lake?,
            })
        })
    }
}

fn seconds(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}
