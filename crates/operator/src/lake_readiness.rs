//! Whether the stream tells the lake whatever changes after a copy of the table was taken. Where it does not, a row that was
//! removed in between would stay in the lake for ever, and one that was changed would stay as it was.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::{StreamViewType, TableDescription};
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::lake_deployment::LakeDeployment;

/// What has to be known to judge it.
#[derive(Debug, Clone)]
pub struct Readiness {
    pub table_arn: String,
    /// Another table may have had the ARN before.
    pub table_id: Option<String>,
    /// The stream that the table writes both images of each change to now.
    stream_arn: Option<String>,
    /// The streams that the writer reads, and the state of the mapping of each.
    mappings: Vec<(String, String)>,
    /// The mapping came with the raw files' table, in one deployment, and begins with the oldest record of the stream. When
    /// it was created itself, Lambda does not say. Later deployments change that table in place, which leaves its
    /// `CreateTime` (AWS CloudFormation template reference, "`AWS::Glue::Table`", `TableInput`); a bucket's creation date
    /// moves with its policy (Amazon S3 API reference, "Bucket").
    lake_created_at: Option<Timestamp>,
}

impl Readiness {
    pub async fn of(deployment: &LakeDeployment) -> Result<Self> {
        let table = aws_sdk_dynamodb::Client::new(&deployment.data_config)
            .describe_table()
            .table_name(&deployment.items_table)
            .send()
            .await
            .with_context(|| format!("describing {}", deployment.items_table))?
            .table;
        let table = table.with_context(|| format!("{} is not described", deployment.items_table))?;
        let raw_table = deployment.raw_table().await?;
        Ok(Self {
            stream_arn: stream_arn(&table),
            table_arn: table.table_arn.context("the table has no ARN")?,
            table_id: table.table_id,
            mappings: mappings(deployment).await?,
            lake_created_at: raw_table.create_time.and_then(|time| Timestamp::from_second(time.secs()).ok()),
        })
    }

    /// Why the lake would lack changes, if a copy that was taken then were taken in.
    pub fn problem(&self, taken_at: Timestamp) -> Option<String> {
        let Some(stream) = &self.stream_arn else {
            return Some(
                "the table has no stream of new and old images, so that no change of it reaches the lake. Deploy again"
                    .to_owned(),
            );
        };
        match self.mappings.iter().find(|(source, _)| source == stream) {
            None if self.mappings.is_empty() => {
                return Some(
                    "no event source mapping feeds the lake's writer. Deploy the lake first".to_owned(),
                );
            }
            None => {
                return Some(
                    "the lake's writer reads another stream than the table writes. Deploy again".to_owned(),
                );
            }
            // A mapping that is updated goes on (AWS Lambda API reference, "EventSourceMappingConfiguration").
            Some((_, state)) if state != "Enabled" && state != "Updating" => {
                return Some(format!(
                    "the event source mapping of the lake's writer is {state}: no change reaches the lake. Enable it first"
                ));
            }
            Some(_) => (),
        }
        let begins =
            [("the lake was there", self.lake_created_at), ("the stream began", created_with(stream))];
        for (what, begins_at) in begins {
            if let Some(begins_at) = begins_at.filter(|begins_at| taken_at < *begins_at) {
                return Some(format!(
                    "it shows the table as of {taken_at}, before {what} ({begins_at:.0}): what changed in between is in \
                     neither. Export or scan the table now"
                ));
            }
        }
        None
    }
}

async fn mappings(deployment: &LakeDeployment) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut pages = deployment
        .lambda
        .list_event_source_mappings()
        .function_name(&deployment.writer)
        .into_paginator()
        .items()
        .send();
    while let Some(mapping) = pages.next().await {
        let EventSourceMappingConfiguration { event_source_arn, state, .. } =
            mapping.context("listing the event source mappings of the lake's writer")?;
        if let Some(source) = event_source_arn {
            found.push((source, state.unwrap_or_else(|| "of an unknown state".to_owned())));
        }
    }
    Ok(found)
}

/// The ARN of a stream stays when it is switched off; what goes is its specification (Amazon DynamoDB API reference,
/// "TableDescription").
fn stream_arn(table: &TableDescription) -> Option<String> {
    let specification = table.stream_specification.as_ref()?;
    let has_both_images = specification.stream_view_type == Some(StreamViewType::NewAndOldImages);
    table.latest_stream_arn.clone().filter(|_| specification.stream_enabled && has_both_images)
}

/// A stream's ARN ends with when it was created (Amazon DynamoDB API reference, "TableDescription", `LatestStreamLabel`).
fn created_with(stream_arn: &str) -> Option<Timestamp> {
    let label: DateTime = stream_arn.split_once("/stream/")?.1.parse().ok()?;
    Offset::UTC.to_timestamp(label).ok()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::StreamSpecification;

    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/tributary-test-items";

    fn stream() -> String {
        format!("{TABLE}/stream/2026-11-20T08:00:00.123")
    }

    fn ready() -> Readiness {
        Readiness {
            table_arn: TABLE.to_owned(),
            table_id: None,
            stream_arn: Some(stream()),
            mappings: vec![(stream(), "Enabled".to_owned())],
            lake_created_at: Some("2026-11-22T07:00:00Z".parse().unwrap()),
        }
    }

    /// As the table describes its stream.
    fn described(is_enabled: bool, view: StreamViewType) -> TableDescription {
        let specification =
            StreamSpecification::builder().stream_enabled(is_enabled).stream_view_type(view).build();
        TableDescription::builder()
            .latest_stream_arn(stream())
            .stream_specification(specification.unwrap())
            .build()
    }

    #[test]
    fn i1_a_copy_is_taken_in_where_the_stream_tells_what_changed_since() {
        let later = "2026-11-22T07:14:00Z";
        let in_state = |state: &str| Readiness { mappings: vec![(stream(), state.to_owned())], ..ready() };
        let old_stream =
            Readiness { mappings: vec![(format!("{TABLE}/stream/1"), "Enabled".to_owned())], ..ready() };
        let with_stream = |table: &TableDescription| Readiness { stream_arn: stream_arn(table), ..ready() };
        let switched_off = TableDescription::builder().latest_stream_arn(stream()).build();
        let new_stream = format!("{TABLE}/stream/2026-11-22T07:30:00.000");
        let stream_is_new = Readiness {
            stream_arn: Some(new_stream.clone()),
            mappings: vec![(new_stream, "Enabled".to_owned())],
            ..ready()
        };
        for (readiness, taken_at, told) in [
            (ready(), later, None),
            (in_state("Updating"), later, None),
            (Readiness { lake_created_at: None, ..ready() }, later, None),
            (in_state("Disabled"), later, Some("is Disabled")),
            (in_state("Creating"), later, Some("is Creating")),
            (Readiness { mappings: Vec::new(), ..ready() }, later, Some("Deploy the lake first")),
            (with_stream(&described(true, StreamViewType::NewAndOldImages)), later, None),
            (with_stream(&switched_off), later, Some("the table has no stream")),
            (
                with_stream(&described(false, StreamViewType::NewAndOldImages)),
                later,
                Some("the table has no stream"),
            ),
            (with_stream(&described(true, StreamViewType::NewImage)), later, Some("of new and old images")),
            (with_stream(&TableDescription::builder().build()), later, Some("the table has no stream")),
            (old_stream, later, Some("reads another stream")),
            (ready(), "2026-11-22T06:59:59Z", Some("before the lake was there (2026-11-22T07:00:00Z)")),
            (stream_is_new, later, Some("before the stream began (2026-11-22T07:30:00Z)")),
        ] {
            let problem = readiness.problem(taken_at.parse().unwrap());
            match told {
                None => assert_eq!(problem, None),
                Some(told) => {
                    assert!(problem.as_ref().is_some_and(|it| it.contains(told)), "{told}: {problem:?}");
                }
            }
        }
    }
}
