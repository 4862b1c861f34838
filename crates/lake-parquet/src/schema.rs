//! The columns of a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::lake::{ColumnType, Columns, EXTRA_COLUMN, FIXED_COLUMNS};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType, ZstdLevel};
use parquet::errors::Result;
use parquet::file::metadata::{FileMetaData, KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use serde::{Deserialize, Serialize};

use crate::FileError;

/// Where a file says what was declared of its columns.
const DECLARATION: &str = "tributary.columns";

/// The places of `id`, `sk` and `_sequence`, by which the rows of a file are sorted.
const SORTED_BY: [i32; 3] = [5, 6, 2];

/// A dictionary that grows beyond this is given up: values that seldom come twice take less as they are.
const DICTIONARY_BYTES: usize = 256 * 1024;

/// The most digits that a 64-bit integer holds whatever they are (Apache Parquet, "Logical Types", DECIMAL).
const DIGITS_OF_INT64: u8 = 18;

/// How a column is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Text,
    Boolean,
    Int64,
    /// Two's complement, big-endian.
    Fixed16,
}

pub(crate) fn store(column_type: ColumnType) -> Store {
    match column_type {
        ColumnType::String | ColumnType::Json => Store::Text,
        ColumnType::Boolean => Store::Boolean,
        ColumnType::BigInt
        | ColumnType::Timestamp
        | ColumnType::TimestampSeconds
        | ColumnType::TimestampMilliseconds => Store::Int64,
        ColumnType::Decimal { precision, .. } if precision <= DIGITS_OF_INT64 => Store::Int64,
        ColumnType::Decimal { .. } => Store::Fixed16,
    }
}

pub(crate) fn schema(columns: &Columns) -> Result<TypePtr> {
    let mut fields = Vec::with_capacity(FIXED_COLUMNS.len() + columns.iter().len() + 1);
    for name in FIXED_COLUMNS {
        let column_type = if name == "_changed_at" { ColumnType::Timestamp } else { ColumnType::String };
        fields.push(field(name, column_type, name != "_removed_by")?);
    }
    for column in columns.iter() {
        fields.push(field(&column.name, column.column_type, false)?);
    }
    fields.push(field(EXTRA_COLUMN, ColumnType::String, false)?);
    Ok(Arc::new(Type::group_type_builder("row").with_fields(fields).build()?))
}

fn field(name: &str, column_type: ColumnType, is_required: bool) -> Result<TypePtr> {
    let physical = match store(column_type) {
        Store::Text => PhysicalType::BYTE_ARRAY,
        Store::Boolean => PhysicalType::BOOLEAN,
        Store::Int64 => PhysicalType::INT64,
        Store::Fixed16 => PhysicalType::FIXED_LEN_BYTE_ARRAY,
    };
    // Not adjusted to UTC, though it is UTC: engines then show these digits, whatever zone their session is in.
    let micros = || LogicalType::timestamp(false, TimeUnit::MICROS);
    let logical = match column_type {
        ColumnType::String | ColumnType::Json => Some(LogicalType::String),
        ColumnType::Timestamp | ColumnType::TimestampSeconds | ColumnType::TimestampMilliseconds => {
            Some(micros())
        }
        ColumnType::Decimal { precision, scale } => {
            Some(LogicalType::decimal(i32::from(scale), i32::from(precision)))
        }
        ColumnType::Boolean | ColumnType::BigInt => None,
    };
    let (precision, scale) = match column_type {
        ColumnType::Decimal { precision, scale } => (i32::from(precision), i32::from(scale)),
        _ => (-1, -1),
    };
    let field = Type::primitive_type_builder(name, physical)
        .with_repetition(if is_required { Repetition::REQUIRED } else { Repetition::OPTIONAL })
        .with_logical_type(logical)
        .with_length(if physical == PhysicalType::FIXED_LEN_BYTE_ARRAY { 16 } else { -1 })
        .with_precision(precision)
        .with_scale(scale)
        .build()?;
    Ok(Arc::new(field))
}

pub(crate) fn properties(columns: &Columns) -> Result<WriterProperties> {
    let path = |name: &str| ColumnPath::from(name);
    let sorted_by =
        SORTED_BY.map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: false });
    let mut properties = WriterProperties::builder()
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_sorting_columns(Some(sorted_by.to_vec()))
        .set_key_value_metadata(Some(vec![KeyValue::new(DECLARATION.to_owned(), declaration(columns))]));
    // No two of these are alike: a dictionary would be begun in vain.
    for unique in ["_event_id", "_sequence", EXTRA_COLUMN] {
        properties = properties.set_column_dictionary_enabled(path(unique), false);
    }
    // Nobody looks for a range of them.
    for unordered in ["_event_id", EXTRA_COLUMN] {
        properties = properties.set_column_statistics_enabled(path(unordered), EnabledStatistics::None);
    }
    Ok(properties.build())
}

#[derive(Serialize, Deserialize)]
struct Declared {
    attribute: String,
    #[serde(rename = "type")]
    column_type: ColumnType,
}

/// `{"birthdate": {"attribute": "birthDate", "type": "string"}}`.
fn declaration(columns: &Columns) -> String {
    let declared: BTreeMap<&str, Declared> = columns
        .iter()
        .map(|column| {
            let attribute = column.attribute.clone();
            (column.name.as_str(), Declared { attribute, column_type: column.column_type })
        })
        .collect();
    serde_json::json!(declared).to_string()
}

/// What was declared when the file was written, checked against the columns that it has.
pub(crate) fn declared(file: &FileMetaData) -> std::result::Result<Columns, FileError> {
    let unreadable = || FileError::Unreadable(DECLARATION);
    let declaration = file
        .key_value_metadata()
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == DECLARATION)?.value.as_deref())
        .ok_or_else(unreadable)?;
    let declared: BTreeMap<String, Declared> = serde_json::from_str(declaration).map_err(|_| unreadable())?;
    let types = declared.into_values().map(|column| (column.attribute, column.column_type)).collect();
    let columns = Columns::new(types).map_err(|_| unreadable())?;
    if *schema(&columns)? != *file.schema_descr().root_schema_ptr() {
        return Err(FileError::Unreadable("schema"));
    }
    Ok(columns)
}
