//! A line of an export that is no FHIR resource, as it stands in the dead-letter bucket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::datastore::DatastoreId;
use super::resource::LineReject;
use super::run::RunId;
use crate::change::{DEAD_PREFIX, SCHEMA_VERSION};
use crate::digest::digest;

/// One line, and where it was. A replay of dead letters passes it over: once its cause is mended, a run over its window
/// exports the resource again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLine {
    pub schema_version: String,
    pub datastore_id: DatastoreId,
    pub run_id: RunId,
    pub reason: LineReject,
    /// The file's key in the bucket of exports.
    pub file: String,
    /// In bytes from the beginning of the file.
    pub offset: u64,
    /// The line's length, its line feed not counted.
    pub bytes: u64,
    /// The line; absent where it is too long to be held, or no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The line's bytes in hexadecimal digits, where they are no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_hex: Option<String>,
}

impl DeadLine {
    #[must_use]
    pub fn new(
        datastore_id: DatastoreId,
        run_id: RunId,
        reason: LineReject,
        file: &str,
        offset: u64,
        bytes: u64,
        line: Option<&[u8]>,
    ) -> Self {
        let text = line.and_then(|line| std::str::from_utf8(line).ok()).map(str::to_owned);
        let hex = line.filter(|_| text.is_none()).map(hexadecimal);
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            datastore_id,
            run_id,
            reason,
            file: file.to_owned(),
            offset,
            bytes,
            line: text,
            line_hex: hex,
        }
    }

    /// A function of where the line is, so that a range that is published again writes the same object.
    #[must_use]
    pub fn object_key(&self) -> String {
        let place = digest("dead-line", &[&self.file, &self.offset.to_string()]);
        format!("{DEAD_PREFIX}lines/{place}.json")
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
