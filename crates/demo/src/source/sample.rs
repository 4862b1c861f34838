//! The sample data that the repository ships.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Write;

/// One line of the sample.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Line {
    Put(Map<String, Value>),
    Remove { id: String, sk: String },
}

/// The writes of `tests/data/changes.ndjson`, in their order.
///
/// # Errors
/// Where the file cannot be read; the error names the line.
pub fn sample(root: &Path) -> Result<Vec<Write>> {
    let path = root.join("tests/data/changes.ndjson");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    text.lines()
        .enumerate()
        .map(|(number, line)| {
            let line: Line = serde_json::from_str(line)
                .with_context(|| format!("{}, line {}", path.display(), number + 1))?;
            Ok(match line {
                Line::Put(item) => Write::Put(item),
                Line::Remove { id, sk } => Write::Remove { id, sk },
            })
        })
        .collect()
}
