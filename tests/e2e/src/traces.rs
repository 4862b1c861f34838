//! Everything outside the data path that a run leaves behind: logs, metrics, object keys.

use std::fs;

use anyhow::Result;

use crate::scenario::Scenario;

/// One place, and the text that was found there.
pub struct Trace {
    pub place: String,
    pub text: String,
}

impl Scenario {
    /// # Errors
    /// Where a place cannot be read.
    pub async fn traces(&self) -> Result<Vec<Trace>> {
        let mut traces = Vec::new();
        self.read_function_logs(&mut traces).await?;
        self.read_object_keys(&mut traces).await?;
        for name in ["local-stack.log", "ministack.log", "runner.log", "healthlake.log"] {
            let text = String::from_utf8_lossy(&fs::read(self.stack.folder.join(name))?).into_owned();
            traces.push(Trace { place: name.to_owned(), text });
        }
        Ok(traces)
    }

    /// Logs and metrics of the functions: metrics are lines of the logs.
    async fn read_function_logs(&self, traces: &mut Vec<Trace>) -> Result<()> {
        let client = aws_sdk_cloudwatchlogs::Client::new(&self.deployment.config);
        let groups = client.describe_log_groups().send().await?;
        for group in groups.log_groups() {
            let Some(name) = group.log_group_name() else { continue };
            let mut pages = client.filter_log_events().log_group_name(name).into_paginator().send();
            let mut text = String::new();
            while let Some(page) = pages.next().await {
                for event in page?.events() {
                    text.push_str(event.message().unwrap_or_default());
                    text.push('\n');
                }
            }
            traces.push(Trace { place: name.to_owned(), text });
        }
        Ok(())
    }

    async fn read_object_keys(&self, traces: &mut Vec<Trace>) -> Result<()> {
        let client = aws_sdk_s3::Client::new(&self.deployment.config);
        for output in ["DeadLetterBucketName", "ClaimCheckBucketName", "ExportBucketName"] {
            let Ok(bucket) = self.deployment.output(output) else { continue };
            let mut pages = client.list_objects_v2().bucket(bucket).into_paginator().send();
            let mut text = String::new();
            while let Some(page) = pages.next().await {
                for object in page?.contents() {
                    text.push_str(object.key().unwrap_or_default());
                    text.push('\n');
                }
            }
            traces.push(Trace { place: bucket.to_owned(), text });
        }
        Ok(())
    }
}
