//! An export of a table to S3, full or incremental (Amazon DynamoDB developer guide, "DynamoDB data export to Amazon S3").

mod data_file;
mod location;
mod manifest;

use std::sync::Arc;

use aws_sdk_s3::Client;
use domain::lake::{Micros, Row, Snapshot};
use lambda_support::dependency::DependencyError;

use crate::markers::Markers;
use crate::parts::{Outcome, Part, PartError};
use crate::write::PartCounts;
use crate::{Backfill, Counts};

pub use location::{Location, LocationError};
use manifest::DataFile;
pub use manifest::ExportError;

/// An export, as its manifests describe it.
#[derive(Debug, Clone)]
pub struct Export {
    /// The last part of the export's ARN.
    pub id: String,
    pub kind: ExportKind,
    pub table_arn: String,
    /// Of the table that had the ARN then; another one may have it now.
    pub table_id: Option<String>,
    pub items: u64,
    bucket: String,
    files: Vec<DataFile>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKind {
    /// The table as it stood at a time.
    Full { taken_at: Micros },
    /// What changed from a time on until before another.
    Incremental { from: Micros, to: Micros },
}

impl ExportKind {
    /// From when on the stream has to tell what changed.
    #[must_use]
    pub fn until(self) -> Micros {
        match self {
            Self::Full { taken_at } => taken_at,
            Self::Incremental { to, .. } => to,
        }
    }
}

/// A file on its way into the lake.
struct File {
    backfill: Backfill,
    markers: Markers,
    client: Client,
    bucket: String,
    source: DataFile,
    rows: Arc<RowsOf>,
}

/// How a line becomes a row.
enum RowsOf {
    Full(Snapshot),
    Incremental { table_arn: String },
}

impl Export {
    /// Reads the manifests.
    ///
    /// # Errors
    /// Where they cannot be had, or the export is none that can be taken in.
    pub async fn open(client: &Client, location: &Location) -> Result<Self, ExportError> {
        manifest::read(client, location).await
    }

    #[must_use]
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Writes every item of the export into the lake, so many files at once, except for the files that are done already
    /// (unless it is to be done `anew`).
    ///
    /// # Errors
    /// Where it cannot be found out, or taken back, what is done already.
    pub async fn backfill(
        &self,
        backfill: &Backfill,
        client: &Client,
        files_at_once: usize,
        anew: bool,
    ) -> Result<Outcome, DependencyError> {
        let markers = Markers::new(backfill.lake.clone(), &self.id);
        let rows = Arc::new(self.rows_of());
        let (mut done, mut counts, mut waiting) = (0, PartCounts::default(), Vec::new());
        for file in &self.files {
            let name = marker_of(file);
            let mut marker = markers.get::<PartCounts>(&name).await?;
            if anew && marker.take().is_some() {
                // If this run is interrupted, the next one is to do the file, which it would take for done.
                markers.forget(&name).await?;
            }
            match marker {
                Some(of_file) => {
                    done += 1;
                    counts += of_file;
                }
                None => waiting.push(File {
                    backfill: backfill.clone(),
                    markers: markers.clone(),
                    client: client.clone(),
                    bucket: self.bucket.clone(),
                    source: file.clone(),
                    rows: rows.clone(),
                }),
            }
        }
        backfill.progress.begin(self.files.len(), done);
        let failures = backfill.run_parts(waiting, files_at_once, &mut counts).await;
        let Counts { parts, parts_done, .. } = backfill.progress.counts();
        let unreadable_folder = markers.unreadable_folder();
        let PartCounts { rows, unreadable } = counts;
        Ok(Outcome { id: self.id.clone(), parts, parts_done, rows, unreadable, unreadable_folder, failures })
    }

    fn rows_of(&self) -> RowsOf {
        let table_arn = self.table_arn.clone();
        match self.kind {
            ExportKind::Full { taken_at } => RowsOf::Full(Snapshot { table_arn, taken_at }),
            ExportKind::Incremental { .. } => RowsOf::Incremental { table_arn },
        }
    }
}

/// Names of data files are unique: they are random, and the files of several exports share a folder.
fn marker_of(file: &DataFile) -> String {
    format!("files/{}", file.key.rsplit('/').next().unwrap_or_default())
}

impl Part for File {
    fn name(&self) -> String {
        self.source.key.clone()
    }

    async fn run(&self) -> Result<PartCounts, PartError> {
        let counts = self.take_in().await?;
        self.markers.put(&marker_of(&self.source), &counts).await?;
        Ok(counts)
    }
}

impl RowsOf {
    fn row(&self, line: &str) -> Result<Row, domain::change::Reject> {
        match self {
            Self::Full(snapshot) => snapshot.row_of_line(line),
            Self::Incremental { table_arn } => Row::of_incremental_line(table_arn, line),
        }
    }
}
