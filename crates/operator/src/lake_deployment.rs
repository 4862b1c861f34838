//! The lake of a deployment, found by the names that the CDK app gives.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use lake_writer::{Catalog, Lake};
use lambda_support::variables::Variables;

use crate::Target;

/// Data go to and from S3 and the table: a call that hangs is tried again, and a table that throttles is waited for.
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 10;

pub struct LakeDeployment {
    pub writer: String,
    /// For calls that move data; invocations of functions have no limit.
    pub data_config: SdkConfig,
    pub lambda: aws_sdk_lambda::Client,
    pub items_table: String,
    settings: lake_writer::Config,
}

impl LakeDeployment {
    /// Reads how the deployed writer is configured, so that what an operator writes is what the writer would write: the
    /// same columns, partitions, compression and tables.
    pub async fn find(target: &Target) -> Result<Self> {
        let config = target.sdk_config().await?;
        let lambda = aws_sdk_lambda::Client::new(&config);
        let writer = format!("tributary-{}-lake-writer", target.environment);
        let described = lambda
            .get_function_configuration()
            .function_name(&writer)
            .send()
            .await
            .with_context(|| format!("looking for {writer}; is the lake deployed?"))?;
        let environment = described.environment.unwrap_or_else(empty_environment);
        if let Some(error) = environment.error {
            bail!(
                "the environment of {writer} cannot be read: {}",
                error.error_code.unwrap_or_else(|| "no reason is given".to_owned())
            );
        }
        let variables = environment.variables.unwrap_or_default();
        let settings = lake_writer::Config::read(Variables::from(|name: &str| variables.get(name).cloned()))
            .with_context(|| format!("the settings of {writer}"))?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let data_config = config
            .into_builder()
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .build();
        Ok(Self {
            writer,
            data_config,
            lambda,
            items_table: format!("tributary-{}-items", target.environment),
            settings,
        })
    }

    pub fn bucket(&self) -> &str {
        &self.settings.lake_bucket_name
    }

    /// The table over the lake's raw files.
    pub async fn raw_table(&self) -> Result<aws_sdk_glue::types::Table> {
        let lake_writer::Config { glue_database_name: database, raw_table_name: table, .. } = &self.settings;
        let described = self.glue().get_table().database_name(database).name(table).send().await;
        let described =
            described.with_context(|| format!("describing {table} in {database} (glue:GetTable)"))?;
        described.table.with_context(|| format!("{table} in {database} is not described"))
    }

    /// The lake, to write to as the writer does.
    pub fn lake(&self) -> Lake {
        let settings = self.settings.clone();
        Lake {
            config: settings.lake,
            compression: settings.compression,
            s3: self.s3(),
            bucket_name: settings.lake_bucket_name,
            catalog: Catalog::new(self.glue(), settings.glue_database_name, settings.raw_table_name),
        }
    }

    pub fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::new(&self.data_config)
    }

    fn glue(&self) -> aws_sdk_glue::Client {
        aws_sdk_glue::Client::new(&self.data_config)
    }
}

fn empty_environment() -> aws_sdk_lambda::types::EnvironmentResponse {
    aws_sdk_lambda::types::EnvironmentResponse::builder().build()
}
