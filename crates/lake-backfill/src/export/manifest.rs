//! What an export says of itself (Amazon DynamoDB developer guide, "DynamoDB table export output format").

use aws_sdk_s3::Client;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::lake::Micros;
use lambda_support::dependency::DependencyError;
use lambda_support::objects::get_json;
use serde::Deserialize;

use super::{Export, ExportKind, Location};

const SUMMARY: &str = "manifest-summary.json";

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(
        "there is no {SUMMARY} under s3://{}/{}: DynamoDB writes it last, so the export has not ended, or it lies elsewhere",
        .0.bucket, .0.folder
    )]
    Missing(Location),
    #[error("{file} cannot be had: {error}")]
    Dependency { file: String, error: DependencyError },
    #[error("{file} is no manifest of an export: {problem}")]
    Unreadable { file: String, problem: String },
    #[error(
        "the export is in the format {0}, and only DYNAMODB_JSON can be read: export the table again with \
         --export-format DYNAMODB_JSON, which is the default, or use --scan"
    )]
    Format(String),
    #[error("the export is of the kind {0}, which this release does not know")]
    Kind(String),
    #[error(
        "the manifests do not agree: {SUMMARY} tells of {summary} items, {files_key} of {files}. One of them is damaged"
    )]
    Count { summary: u64, files: u64, files_key: String },
}

/// A file with items, as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataFile {
    pub key: String,
    pub items: u64,
    /// Of the file as it lies there, compressed.
    pub md5: [u8; 16],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSummary {
    export_arn: String,
    table_arn: String,
    table_id: Option<String>,
    /// Absent before there were incremental exports.
    export_type: Option<String>,
    output_format: String,
    export_time: Option<String>,
    export_from_time: Option<String>,
    export_to_time: Option<String>,
    #[serde(rename = "manifestFilesS3Key")]
    manifest_files_key: String,
    item_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFile {
    item_count: u64,
    md5_checksum: String,
    #[serde(rename = "dataFileS3Key")]
    key: String,
}

pub(super) async fn read(client: &Client, location: &Location) -> Result<Export, ExportError> {
    let summary_key = format!("{}{SUMMARY}", location.folder);
    let summary = match get_json(client, &location.bucket, &summary_key).await {
        Err(error) if error.code == "NoSuchKey" => return Err(ExportError::Missing(location.clone())),
        summary => summary.map_err(|error| ExportError::Dependency { file: summary_key.clone(), error })?,
    };
    let (summary, kind, id) = read_summary(&summary_key, &summary)?;
    let files_key = summary.manifest_files_key;
    let files = get_json(client, &location.bucket, &files_key)
        .await
        .map_err(|error| ExportError::Dependency { file: files_key.clone(), error })?;
    let files = read_files(&files_key, &files)?;
    let items = files.iter().map(|file| file.items).sum();
    if items != summary.item_count {
        return Err(ExportError::Count { summary: summary.item_count, files: items, files_key });
    }
    Ok(Export {
        id,
        kind,
        table_arn: summary.table_arn,
        table_id: summary.table_id,
        items,
        bucket: location.bucket.clone(),
        files,
    })
}

fn read_summary(key: &str, json: &str) -> Result<(WireSummary, ExportKind, String), ExportError> {
    let unreadable = |problem: String| ExportError::Unreadable { file: key.to_owned(), problem };
    let summary: WireSummary = serde_json::from_str(json).map_err(|error| unreadable(error.to_string()))?;
    if summary.output_format != "DYNAMODB_JSON" {
        return Err(ExportError::Format(summary.output_format));
    }
    let required = |time: &Option<String>, name: &str| {
        let micros = time.as_deref().and_then(Micros::from_rfc3339);
        micros.ok_or_else(|| unreadable(format!("it has no {name}, or none that can be read")))
    };
    let kind = match summary.export_type.as_deref() {
        None | Some("FULL_EXPORT") => {
            ExportKind::Full { taken_at: required(&summary.export_time, "exportTime")? }
        }
        Some("INCREMENTAL_EXPORT") => ExportKind::Incremental {
            from: required(&summary.export_from_time, "exportFromTime")?,
            to: required(&summary.export_to_time, "exportToTime")?,
        },
        Some(other) => return Err(ExportError::Kind(other.to_owned())),
    };
    let id = summary.export_arn.rsplit_once("/export/").map(|(_, id)| id.to_owned());
    let is_plain =
        |id: &String| !id.is_empty() && id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    let id = id.filter(is_plain).ok_or_else(|| unreadable("its exportArn is of no export".to_owned()))?;
    Ok((summary, kind, id))
}

fn read_files(key: &str, lines: &str) -> Result<Vec<DataFile>, ExportError> {
    let unreadable = |number: usize, problem: String| ExportError::Unreadable {
        file: key.to_owned(),
        problem: format!("line {}: {problem}", number + 1),
    };
    let lines = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let WireFile { item_count: items, md5_checksum, key } =
                serde_json::from_str(line).map_err(|error| unreadable(number, error.to_string()))?;
            let md5 = STANDARD.decode(md5_checksum).ok().and_then(|bytes| bytes.try_into().ok());
            let md5 = md5.ok_or_else(|| unreadable(number, "its md5Checksum is no MD5".to_owned()))?;
            Ok(DataFile { key, items, md5 })
        })
        .collect()
}
