//! A parallel scan of the table (Amazon DynamoDB developer guide, "Scanning tables", "Parallel scan").

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::scan::ScanOutput;
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity, ReturnConsumedCapacity};
use domain::change::Reject;
use domain::lake::{Micros, Snapshot};
use lambda_support::dependency::DependencyError;
use serde::{Deserialize, Serialize};

use crate::attributes::image;
use crate::markers::{BACKFILLS, Markers};
use crate::pace::Pace;
use crate::parts::{Outcome, Part, PartError};
use crate::write::{Chunk, PartCounts};
use crate::{Backfill, Counts};

const PLAN: &str = "plan";
const DONE: &str = "done";

/// What a page of 1 MB costs that is read with eventual consistency, the largest there is, where the answer does not say.
const PAGE_UNITS: f64 = 128.0;

/// The table that is scanned.
#[derive(Debug, Clone)]
pub struct Table {
    pub client: Client,
    pub name: String,
    pub arn: String,
    /// Of the table that has the ARN now.
    pub id: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub struct ScanOptions {
    pub segments: u32,
    pub consistent_read: bool,
    /// Read units a second, of all segments together.
    pub units_per_second: Option<u32>,
    /// Begin a new scan, even if one has not ended.
    pub anew: bool,
}

/// A scan that was begun, by this process or by another.
pub struct Scan {
    pub id: String,
    /// Whether another process has begun it.
    pub goes_on: bool,
    plan: Plan,
    table: Table,
    options: ScanOptions,
}

/// What has to stay the same while the scan goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    table_arn: String,
    table_id: Option<String>,
    segments: u32,
    /// When it began, in microseconds since 1970.
    began_at: i64,
}

/// How far a segment is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SegmentMarker {
    #[serde(flatten)]
    counts: PartCounts,
    is_done: bool,
    /// After which to go on. All items up to it are in the lake.
    last_key: Option<Key>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Key {
    id: String,
    sk: String,
}

struct Segment {
    backfill: Backfill,
    markers: Markers,
    table: Table,
    snapshot: Arc<Snapshot>,
    pace: Option<Arc<Pace>>,
    number: u32,
    of: u32,
    consistent_read: bool,
}

impl Scan {
    /// Goes on with the latest scan of this table that has not ended, or begins one.
    ///
    /// # Errors
    /// Where the lake does not answer.
    pub async fn open(
        backfill: &Backfill,
        table: Table,
        options: ScanOptions,
        now: Micros,
    ) -> Result<Self, DependencyError> {
        if !options.anew
            && let Some(id) = latest(backfill).await?
        {
            let markers = Markers::new(backfill.lake.clone(), &id);
            let plan = markers.get::<Plan>(PLAN).await?;
            let is_of_this_table = |plan: &Plan| plan.table_arn == table.arn && plan.table_id == table.id;
            if let Some(plan) = plan.filter(is_of_this_table)
                && markers.get::<PartCounts>(DONE).await?.is_none()
            {
                return Ok(Self { id, goes_on: true, plan, table, options });
            }
        }
        let id = format!("scan-{:0>16}", now.get());
        let plan = Plan {
            table_arn: table.arn.clone(),
            table_id: table.id.clone(),
            segments: options.segments.max(1),
            began_at: now.get(),
        };
        Markers::new(backfill.lake.clone(), &id).put(PLAN, &plan).await?;
        Ok(Self { id, goes_on: false, plan, table, options })
    }

    /// When it began: from then on the stream has to tell what changed.
    #[must_use]
    pub fn began_at(&self) -> Option<Micros> {
        Micros::new(self.plan.began_at)
    }

    #[must_use]
    pub fn segments(&self) -> u32 {
        self.plan.segments
    }

    /// Writes every item of the table into the lake, all segments at once.
    ///
    /// # Errors
    /// Where it cannot be found out what is done already, or cannot be kept that all is done.
    pub async fn backfill(&self, backfill: &Backfill) -> Result<Outcome, DependencyError> {
        let markers = Markers::new(backfill.lake.clone(), &self.id);
        let taken_at = self.began_at().ok_or_else(|| DependencyError {
            operation: "s3:GetObject",
            code: "the plan of the scan has no time".to_owned(),
        })?;
        let snapshot = Arc::new(Snapshot { table_arn: self.plan.table_arn.clone(), taken_at });
        let pace = self.options.units_per_second.map(|units| Arc::new(Pace::new(units)));
        let (mut done, mut counts, mut waiting) = (0, PartCounts::default(), Vec::new());
        for number in 0..self.plan.segments {
            match markers.get::<SegmentMarker>(&marker_of(number)).await? {
                Some(SegmentMarker { is_done: true, counts: of_segment, .. }) => {
                    done += 1;
                    counts += of_segment;
                }
                _ => waiting.push(Segment {
                    backfill: backfill.clone(),
                    markers: markers.clone(),
                    table: self.table.clone(),
                    snapshot: snapshot.clone(),
                    pace: pace.clone(),
                    number,
                    of: self.plan.segments,
                    consistent_read: self.options.consistent_read,
                }),
            }
        }
        let at_once = waiting.len();
        backfill.progress.begin(done + at_once, done);
        let failures = backfill.run_parts(waiting, at_once, &mut counts).await;
        let Counts { parts, parts_done, .. } = backfill.progress.counts();
        let unreadable_folder = markers.unreadable_folder();
        let PartCounts { rows, unreadable } = counts;
        let outcome =
            Outcome { id: self.id.clone(), parts, parts_done, rows, unreadable, unreadable_folder, failures };
        if outcome.has_ended() {
            markers.put(DONE, &counts).await?;
        }
        Ok(outcome)
    }
}

/// Ids are times, so that the last one is the latest.
async fn latest(backfill: &Backfill) -> Result<Option<String>, DependencyError> {
    let lake = &backfill.lake;
    let folder = format!("{BACKFILLS}{}/", lake.config.table);
    let mut pages = lake
        .s3
        .list_objects_v2()
        .bucket(&lake.bucket_name)
        .prefix(format!("{folder}scan-"))
        .delimiter("/")
        .into_paginator()
        .send();
    let mut latest = None;
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| DependencyError::of("s3:ListBucket", &error))?;
        for found in page.common_prefixes() {
            let id = found.prefix().and_then(|prefix| prefix.strip_prefix(&folder)?.strip_suffix('/'));
            latest = latest.max(id.map(str::to_owned));
        }
    }
    Ok(latest)
}

fn marker_of(segment: u32) -> String {
    format!("segments/{segment:0>5}")
}

impl Part for Segment {
    fn name(&self) -> String {
        format!("segment {} of {}", self.number + 1, self.of)
    }

    async fn run(&self) -> Result<PartCounts, PartError> {
        let name = marker_of(self.number);
        let mut marker = self.markers.get::<SegmentMarker>(&name).await?.unwrap_or_default();
        let mut chunk = Chunk::default();
        let mut after = marker.last_key.clone();
        while !marker.is_done {
            let page = self.page(after.take()).await?;
            for item in page.items() {
                match image(item).and_then(|image| self.snapshot.row_of_image(&image).ok()) {
                    Some(row) => chunk.push(row),
                    None => chunk.push_unreadable(&line(item)),
                }
            }
            after = page.last_evaluated_key.map(|key| Key::of(&key)).transpose().map_err(PartError::Key)?;
            if chunk.is_full(&self.backfill) || after.is_none() {
                let full = std::mem::take(&mut chunk);
                self.backfill.write(full, &self.markers, &name, &mut marker.counts).await?;
                marker.is_done = after.is_none();
                marker.last_key.clone_from(&after);
                self.markers.put(&name, &marker).await?;
            }
        }
        Ok(marker.counts)
    }
}

/// The item as a line of a full export; its key alone where it has an attribute of a type that this release does not know.
fn line(item: &Attributes) -> Vec<u8> {
    let key =
        || image(&item.iter().filter(is_key).map(|(name, value)| (name.clone(), value.clone())).collect());
    let image = image(item).or_else(key).unwrap_or_else(|| "{}".to_owned());
    format!("{{\"Item\":{image}}}").into_bytes()
}

fn is_key((name, _): &(&String, &AttributeValue)) -> bool {
    ["id", "sk"].contains(&name.as_str())
}

impl Segment {
    async fn page(&self, after: Option<Key>) -> Result<ScanOutput, PartError> {
        if let Some(pace) = &self.pace {
            pace.wait().await;
        }
        let page = self
            .table
            .client
            .scan()
            .table_name(&self.table.name)
            .segment(i32::try_from(self.number).unwrap_or(i32::MAX))
            .total_segments(i32::try_from(self.of).unwrap_or(i32::MAX))
            .consistent_read(self.consistent_read)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_exclusive_start_key(after.map(Key::attributes))
            .send()
            .await
            .map_err(|error| DependencyError::of("dynamodb:Scan", &error))?;
        if let Some(pace) = &self.pace {
            let units = page.consumed_capacity().and_then(ConsumedCapacity::capacity_units);
            pace.pay(units.unwrap_or(if self.consistent_read { 2.0 * PAGE_UNITS } else { PAGE_UNITS }));
        }
        Ok(page)
    }
}

type Attributes = std::collections::HashMap<String, AttributeValue>;

impl Key {
    fn of(key: &Attributes) -> Result<Self, Reject> {
        let text = |name: &str| {
            let text = key.get(name).and_then(|value| value.as_s().ok());
            text.cloned().ok_or_else(|| Reject::record(name))
        };
        Ok(Self { id: text("id")?, sk: text("sk")? })
    }

    fn attributes(self) -> Attributes {
        let text = |name: &str, text| (name.to_owned(), AttributeValue::S(text));
        Attributes::from([text("id", self.id), text("sk", self.sk)])
    }
}
