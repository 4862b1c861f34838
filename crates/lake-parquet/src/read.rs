//! Rows out of a file.

use domain::change::{ChangeId, RemovedBy, Sequence};
use domain::lake::{Cell, ColumnType, Columns, Item, Micros, Row};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::file::reader::{ChunkReader, FileReader};
use parquet::file::serialized_reader::SerializedFileReader;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::FileError;
use crate::schema::declared;

/// How many bytes of rows are taken out of their column chunks at once, about.
const BATCH_BYTES: i64 = 1024 * 1024;
const BATCH_ROWS: i64 = 1024;

/// The rows of a file, in their order. It holds a page and a dictionary of each column and a few rows at a time.
pub struct RowReader<R: ChunkReader + 'static> {
    file: SerializedFileReader<R>,
    columns: Columns,
    row_groups: std::ops::Range<usize>,
    group: Option<RowGroup>,
}

struct RowGroup {
    cursors: Vec<Cursor>,
    rows_left: usize,
    batch_rows: usize,
    batch_left: usize,
}

/// The values of one column in the batch under way.
struct Cursor {
    reader: ColumnReader,
    levels: Vec<i16>,
    values: Values,
    row: usize,
    value: usize,
}

enum Values {
    Text(Vec<ByteArray>),
    Boolean(Vec<bool>),
    Int64(Vec<i64>),
    Fixed16(Vec<FixedLenByteArray>),
}

/// A value of the row under way.
#[derive(Clone, Copy)]
enum Value<'v> {
    Text(&'v str),
    Boolean(bool),
    Int64(i64),
    Fixed16(i128),
}

impl<R: ChunkReader + 'static> RowReader<R> {
    /// # Errors
    /// Where this is no file of [`RowWriter`](crate::RowWriter).
    pub fn new(file: R) -> Result<Self, FileError> {
        let file = SerializedFileReader::new(file)?;
        let columns = declared(file.metadata().file_metadata())?;
        let row_groups = 0..file.num_row_groups();
        Ok(Self { file, columns, row_groups, group: None })
    }

    fn next_row(&mut self) -> Result<Option<Row>, FileError> {
        loop {
            match &mut self.group {
                Some(group) if group.rows_left > 0 => return group.next_row(&self.columns).map(Some),
                _ => match self.row_groups.next() {
                    Some(index) => self.group = Some(self.open(index)?),
                    None => return Ok(None),
                },
            }
        }
    }

    fn open(&self, index: usize) -> Result<RowGroup, FileError> {
        let group = self.file.get_row_group(index)?;
        let rows = group.metadata().num_rows();
        let row_bytes = group.metadata().total_byte_size() / rows.max(1);
        let batch_rows = (BATCH_BYTES / row_bytes.max(1)).clamp(1, BATCH_ROWS);
        let cursors =
            (0..group.num_columns()).map(|column| Ok(Cursor::new(group.get_column_reader(column)?)));
        let count = |number: i64| usize::try_from(number).map_err(|_| FileError::Unreadable("row group"));
        Ok(RowGroup {
            cursors: cursors.collect::<Result<_, FileError>>()?,
            rows_left: count(rows)?,
            batch_rows: count(batch_rows)?,
            batch_left: 0,
        })
    }
}

impl<R: ChunkReader + 'static> Iterator for RowReader<R> {
    type Item = Result<Row, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

impl RowGroup {
    fn next_row(&mut self, columns: &Columns) -> Result<Row, FileError> {
        if self.batch_left == 0 {
            self.batch_left = self.batch_rows.min(self.rows_left);
            for cursor in &mut self.cursors {
                cursor.fill(self.batch_left)?;
            }
        }
        self.batch_left -= 1;
        self.rows_left -= 1;

        let mut cursors = self.cursors.iter_mut();
        let mut next = || cursors.next().ok_or(FileError::Unreadable("column"))?.next();
        let operation = required(next()?, "_op")?.parse().map_err(|()| FileError::Unreadable("_op"))?;
        let event_id = event_id(required(next()?, "_event_id")?)?;
        let sequence = Sequence::parse(required(next()?, "_sequence")?)
            .map_err(|_| FileError::Unreadable("_sequence"))?;
        let changed_at = match next()? {
            Some(Value::Int64(micros)) => Micros::new(micros),
            _ => None,
        };
        let removed_by = match next()? {
            None => None,
            Some(Value::Text("ttl")) => Some(RemovedBy::Ttl),
            Some(_) => return Err(FileError::Unreadable("_removed_by")),
        };
        let id = required(next()?, "id")?.to_owned();
        let sk = required(next()?, "sk")?.to_owned();
        let cells: Vec<_> = columns.iter().map(|_| next()).collect::<Result<_, _>>()?;
        let item = item(columns, &cells, next()?)?;
        Ok(Row {
            operation,
            event_id,
            sequence,
            changed_at: changed_at.ok_or(FileError::Unreadable("_changed_at"))?,
            removed_by,
            id,
            sk,
            item,
        })
    }
}

fn required<'v>(value: Option<Value<'v>>, name: &'static str) -> Result<&'v str, FileError> {
    match value {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(FileError::Unreadable(name)),
    }
}

fn event_id(text: &str) -> Result<ChangeId, FileError> {
    let text: StrDeserializer<'_, ValueError> = text.into_deserializer();
    ChangeId::deserialize(text).map_err(|_| FileError::Unreadable("_event_id"))
}

/// The item of these values. What `_extra` says of an attribute goes before what its column says.
fn item(
    columns: &Columns,
    values: &[Option<Value<'_>>],
    extra: Option<Value<'_>>,
) -> Result<Item, FileError> {
    let rest = match extra {
        None => Item::default(),
        Some(Value::Text(object)) => Item::from_json(object).map_err(|_| FileError::Unreadable("_extra"))?,
        Some(_) => return Err(FileError::Unreadable("_extra")),
    };
    let mut item = Item::default();
    for (column, value) in columns.iter().zip(values) {
        let Some(value) = value else { continue };
        if rest.get(&column.attribute).is_some() {
            continue;
        }
        let cell = cell(column.column_type, value).ok_or(FileError::Unreadable("value"))?;
        match (cell, value) {
            (None, Value::Text(text)) => item.push(&column.attribute, &quoted(text)?),
            (Some(cell), _) => item.push(&column.attribute, &column.column_type.json(&cell)),
            (None, _) => return Err(FileError::Unreadable("value")),
        }
    }
    rest.iter().for_each(|(name, json)| item.push(name, json));
    Ok(item)
}

/// The cell of a value, `Some(None)` where the value is the characters of a text.
#[expect(clippy::option_option, reason = "the outer one is for a value of another kind than its column")]
fn cell<'v>(column_type: ColumnType, value: &Value<'v>) -> Option<Option<Cell<'v>>> {
    let cell = match (column_type, value) {
        (ColumnType::String, Value::Text(_)) => return Some(None),
        (ColumnType::Json, Value::Text(json)) => Cell::Json(json),
        (ColumnType::Boolean, Value::Boolean(value)) => Cell::Boolean(*value),
        (ColumnType::BigInt, Value::Int64(value)) => Cell::BigInt(*value),
        (ColumnType::Decimal { .. }, Value::Int64(value)) => Cell::Decimal(i128::from(*value)),
        (ColumnType::Decimal { .. }, Value::Fixed16(value)) => Cell::Decimal(*value),
        (
            ColumnType::Timestamp | ColumnType::TimestampSeconds | ColumnType::TimestampMilliseconds,
            Value::Int64(micros),
        ) => Cell::Timestamp(Micros::new(*micros)?),
        _ => return None,
    };
    Some(Some(cell))
}

fn quoted(text: &str) -> Result<String, FileError> {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        return Ok(["\"", text, "\""].concat());
    }
    serde_json::to_string(text).map_err(|_| FileError::Unreadable("value"))
}

impl Cursor {
    fn new(reader: ColumnReader) -> Self {
        let values = match &reader {
            ColumnReader::BoolColumnReader(_) => Values::Boolean(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Values::Int64(Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(_) => Values::Fixed16(Vec::new()),
            _ => Values::Text(Vec::new()),
        };
        Self { reader, levels: Vec::new(), values, row: 0, value: 0 }
    }

    /// Takes the next rows out of the column chunk.
    fn fill(&mut self, rows: usize) -> Result<(), FileError> {
        (self.row, self.value) = (0, 0);
        self.levels.clear();
        let read = match (&mut self.reader, &mut self.values) {
            (ColumnReader::ByteArrayColumnReader(reader), Values::Text(values)) => {
                fill(reader, rows, &mut self.levels, values)?
            }
            (ColumnReader::BoolColumnReader(reader), Values::Boolean(values)) => {
                fill(reader, rows, &mut self.levels, values)?
            }
            (ColumnReader::Int64ColumnReader(reader), Values::Int64(values)) => {
                fill(reader, rows, &mut self.levels, values)?
            }
            (ColumnReader::FixedLenByteArrayColumnReader(reader), Values::Fixed16(values)) => {
                fill(reader, rows, &mut self.levels, values)?
            }
            _ => return Err(FileError::Unreadable("column")),
        };
        if read == rows { Ok(()) } else { Err(FileError::Unreadable("column")) }
    }

    /// The value of the next row.
    fn next(&mut self) -> Result<Option<Value<'_>>, FileError> {
        let row = self.row;
        self.row += 1;
        // A column that always has a value has no levels.
        if self.levels.get(row) == Some(&0) {
            return Ok(None);
        }
        let index = self.value;
        self.value += 1;
        let value = match &self.values {
            Values::Text(values) => {
                values.get(index).map(|value| value.as_utf8().map(Value::Text)).transpose()?
            }
            Values::Boolean(values) => values.get(index).copied().map(Value::Boolean),
            Values::Int64(values) => values.get(index).copied().map(Value::Int64),
            Values::Fixed16(values) => values
                .get(index)
                .and_then(|value| Some(Value::Fixed16(i128::from_be_bytes(value.data().try_into().ok()?)))),
        };
        value.map(Some).ok_or(FileError::Unreadable("value"))
    }
}

fn fill<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    levels: &mut Vec<i16>,
    values: &mut Vec<T::T>,
) -> Result<usize, FileError> {
    values.clear();
    let (records, _, _) = reader.read_records(rows, Some(levels), None, values)?;
    Ok(records)
}
