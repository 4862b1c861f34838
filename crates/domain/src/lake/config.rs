//! What the deployer says about the lake, as the functions get it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::columns::ColumnsError;
use super::partition::PartitionSpecError;
use super::{ColumnType, Columns, PartitionSpec, column_name};

/// The table, its partitions and its declared columns; one JSON object, which the CDK app writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeConfig {
    /// The first folder below `raw/`, `compact/` and `latest/`.
    pub table: String,
    pub partition: PartitionSpec,
    pub columns: Columns,
}

#[derive(Debug, thiserror::Error)]
pub enum LakeConfigError {
    #[error("the lake's configuration cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("table: \"{0}\" has characters other than a-z, 0-9 and _")]
    Table(String),
    #[error(transparent)]
    Partition(#[from] PartitionSpecError),
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    #[error(
        "columns: \"{0}\" would have the name of a partition column, which holds it already; leave it out"
    )]
    IsPartition(String),
}

impl LakeConfig {
    /// # Errors
    /// Names what is wrong.
    pub fn parse(json: &str) -> Result<Self, LakeConfigError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Wire {
            table: String,
            partition: PartitionSpec,
            #[serde(default)]
            columns: BTreeMap<String, ColumnType>,
        }

        let Wire { table, partition, columns } = serde_json::from_str(json)?;
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if table.is_empty() || !table.bytes().all(is_plain) {
            return Err(LakeConfigError::Table(table));
        }
        partition.validate()?;
        let columns = Columns::new(columns)?;
        let taken: Vec<String> = partition.names().into_iter().map(column_name).collect();
        if let Some(column) = columns.iter().find(|column| taken.contains(&column.name)) {
            return Err(LakeConfigError::IsPartition(column.attribute.clone()));
        }
        Ok(Self { table, partition, columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_that_the_cdk_app_writes_is_read() {
        let config = LakeConfig::parse(
            r#"{"table": "items",
                "partition": {"attributes": ["itemType"], "time": {"from": "change", "unit": "day"}},
                "columns": {"birthDate": "string", "amount": "decimal(38,9)"}}"#,
        )
        .unwrap();
        let names: Vec<_> = config.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["amount", "birthdate"]);
        assert_eq!(config.partition.names(), ["itemType", "year", "month", "day"]);
    }

    #[test]
    fn every_fault_is_named() {
        let day = r#""partition": {"time": {"from": "change", "unit": "day"}}"#;
        for (json, named) in [
            ("{".to_owned(), "cannot be read"),
            (format!(r#"{{"table": "A", {day}}}"#), "table"),
            (r#"{"table": "items", "partition": {}}"#.to_owned(), "partition"),
            (
                format!(r#"{{"table": "items", {day}, "columns": {{"a": "text"}}}}"#),
                "\"text\" is no column type",
            ),
            (
                format!(r#"{{"table": "items", {day}, "columns": {{"a b": "string", "a_b": "string"}}}}"#),
                "a_b",
            ),
            (format!(r#"{{"table": "items", {day}, "columns": {{"Year": "string"}}}}"#), "Year"),
            (format!(r#"{{"table": "items", {day}, "columns": {{"ID": "string"}}}}"#), "ID"),
            (format!(r#"{{"table": "items", {day}, "zone": "UTC"}}"#), "zone"),
        ] {
            let error = LakeConfig::parse(&json).unwrap_err().to_string();
            assert!(error.contains(named), "{json}: {error}");
        }
    }
}
