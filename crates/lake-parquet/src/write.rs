//! Rows into a file.

use std::io::Write;
use std::sync::Arc;

use domain::change::RemovedBy;
use domain::lake::{Cell, Columns, FIXED_COLUMNS, Row};
use parquet::file::writer::SerializedFileWriter;

use crate::FileError;
use crate::buffer::{ColumnBuffer, Value};
use crate::schema::{Store, properties, schema, store};

/// A row group is written when its values take so many bytes: what a reader of the file has to hold at most, unless a
/// single row is larger, and enough for a column chunk to be worth a request.
pub const ROW_GROUP_BYTES: usize = 32 * 1024 * 1024;

/// Engines that read with several threads give each a row group.
const ROW_GROUP_ROWS: usize = 131_072;

/// Writes rows in the order in which they come. They have to be sorted by `id`, `sk` and `_sequence`, because the file says
/// that it is.
pub struct RowWriter<W: Write + Send> {
    columns: Columns,
    file: SerializedFileWriter<W>,
    buffers: Vec<ColumnBuffer>,
    rows: usize,
    bytes: usize,
    misfits: u64,
    row_group_bytes: usize,
}

impl<W: Write + Send> RowWriter<W> {
    /// # Errors
    /// Where the beginning of the file cannot be written.
    pub fn new(out: W, columns: &Columns) -> Result<Self, FileError> {
        let fixed = FIXED_COLUMNS.iter().map(|name| match *name {
            "_changed_at" => ColumnBuffer::new(Store::Int64, true),
            name => ColumnBuffer::new(Store::Text, name != "_removed_by"),
        });
        let declared = columns.iter().map(|column| ColumnBuffer::new(store(column.column_type), false));
        let extra = ColumnBuffer::new(Store::Text, false);
        Ok(Self {
            file: SerializedFileWriter::new(out, schema(columns)?, Arc::new(properties(columns)?))?,
            buffers: fixed.chain(declared).chain([extra]).collect(),
            columns: columns.clone(),
            rows: 0,
            bytes: 0,
            misfits: 0,
            row_group_bytes: ROW_GROUP_BYTES,
        })
    }

    /// Writes smaller row groups, where files are to be smaller than one.
    #[must_use]
    pub fn with_row_group_bytes(self, bytes: usize) -> Self {
        Self { row_group_bytes: bytes.min(ROW_GROUP_BYTES), ..self }
    }

    /// # Errors
    /// Where the row group is full, and cannot be written.
    pub fn push(&mut self, row: &Row) -> Result<(), FileError> {
        let split = self.columns.split(&row.item);
        let removed_by = row.removed_by.map(|RemovedBy::Ttl| Value::Text("ttl"));
        let texts: Vec<_> = split.cells.iter().map(|cell| cell.as_ref().and_then(Cell::text)).collect();
        if split
            .cells
            .iter()
            .zip(&texts)
            .any(|(cell, text)| matches!(cell, Some(Cell::String(_) | Cell::Json(_))) && text.is_none())
        {
            return Err(FileError::Unreadable("value"));
        }
        let fixed = [
            Some(Value::Text(row.operation.as_str())),
            Some(Value::Text(row.event_id.as_str())),
            Some(Value::Text(row.sequence.as_str())),
            Some(Value::Int64(row.changed_at.get())),
            removed_by,
            Some(Value::Text(&row.id)),
            Some(Value::Text(&row.sk)),
        ];
        let declared =
            split.cells.iter().zip(&texts).zip(self.columns.iter()).map(|((cell, text), column)| {
                match (cell.as_ref()?, store(column.column_type)) {
                    (Cell::String(_) | Cell::Json(_), _) => text.as_deref().map(Value::Text),
                    (Cell::Boolean(value), _) => Some(Value::Boolean(*value)),
                    (Cell::BigInt(value), _) => Some(Value::Int64(*value)),
                    (Cell::Decimal(value), Store::Fixed16) => Some(Value::Fixed16(*value)),
                    // A decimal of so few digits is in the range.
                    (Cell::Decimal(value), _) => i64::try_from(*value).ok().map(Value::Int64),
                    (Cell::Timestamp(micros), _) => Some(Value::Int64(micros.get())),
                }
            });
        let extra = (!split.extra.is_empty()).then_some(Value::Text(&split.extra));
        for (buffer, value) in self.buffers.iter_mut().zip(fixed.into_iter().chain(declared).chain([extra])) {
            self.bytes += buffer.push(value).ok_or(FileError::Unreadable("value"))?;
        }
        self.misfits += split.misfits as u64;
        self.rows += 1;
        if self.bytes >= self.row_group_bytes || self.rows >= ROW_GROUP_ROWS {
            self.end_row_group()?;
        }
        Ok(())
    }

    /// Writes what is held as a row group.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn end_row_group(&mut self) -> Result<(), FileError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut row_group = self.file.next_row_group()?;
        for buffer in &mut self.buffers {
            let column = row_group.next_column()?.ok_or(FileError::Unreadable("column"))?;
            buffer.write(column)?;
        }
        row_group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    /// Bytes in memory, about.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        self.bytes
    }

    /// Bytes of the row groups that are written.
    #[must_use]
    pub fn bytes_written(&self) -> usize {
        self.file.bytes_written()
    }

    /// How many attributes were of another type than was declared.
    #[must_use]
    pub fn misfits(&self) -> u64 {
        self.misfits
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Where its end cannot be written.
    pub fn finish(mut self) -> Result<W, FileError> {
        self.end_row_group()?;
        Ok(self.file.into_inner()?)
    }
}
