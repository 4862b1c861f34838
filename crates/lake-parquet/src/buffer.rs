//! The values of one column in the row group that is being filled.

use bytes::Bytes;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;

use crate::schema::Store;

/// Values lie side by side, texts in one run of bytes: a value costs no allocation, and what a buffer holds is counted.
pub(crate) struct ColumnBuffer {
    values: Values,
    /// For each row 1 where it has a value; empty in a column that always has one.
    levels: Vec<i16>,
    is_required: bool,
}

enum Values {
    Text { bytes: Vec<u8>, ends: Vec<usize> },
    Boolean(Vec<bool>),
    Int64(Vec<i64>),
    Fixed16(Vec<u8>),
}

/// A value on its way into a buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'v> {
    Text(&'v str),
    Boolean(bool),
    Int64(i64),
    Fixed16(i128),
}

impl ColumnBuffer {
    pub(crate) fn new(store: Store, is_required: bool) -> Self {
        let values = match store {
            Store::Text => Values::Text { bytes: Vec::new(), ends: Vec::new() },
            Store::Boolean => Values::Boolean(Vec::new()),
            Store::Int64 => Values::Int64(Vec::new()),
            Store::Fixed16 => Values::Fixed16(Vec::new()),
        };
        Self { values, levels: Vec::new(), is_required }
    }

    /// Takes the value of the next row. Answers how many bytes it took; `None` where the column is of another kind.
    pub(crate) fn push(&mut self, value: Option<Value<'_>>) -> Option<usize> {
        if !self.is_required {
            self.levels.push(i16::from(value.is_some()));
        }
        let Some(value) = value else { return (!self.is_required).then_some(size_of::<i16>()) };
        let taken = match (&mut self.values, value) {
            (Values::Text { bytes, ends }, Value::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len());
                text.len() + size_of::<usize>()
            }
            (Values::Boolean(values), Value::Boolean(value)) => {
                values.push(value);
                size_of::<bool>()
            }
            (Values::Int64(values), Value::Int64(value)) => {
                values.push(value);
                size_of::<i64>()
            }
            (Values::Fixed16(bytes), Value::Fixed16(value)) => {
                bytes.extend_from_slice(&value.to_be_bytes());
                size_of::<i128>()
            }
            _ => return None,
        };
        Some(taken + size_of::<i16>())
    }

    /// Writes the values as a column chunk, and is empty then.
    pub(crate) fn write(&mut self, mut column: SerializedColumnWriter<'_>) -> Result<()> {
        let levels = (!self.is_required).then_some(self.levels.as_slice());
        match &mut self.values {
            Values::Text { bytes, ends } => {
                let values = slices(bytes, ends.drain(..));
                column.typed::<ByteArrayType>().write_batch(&values, levels, None)?;
            }
            Values::Boolean(values) => {
                column.typed::<BoolType>().write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Int64(values) => {
                column.typed::<Int64Type>().write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Fixed16(bytes) => {
                let ends = (1..=bytes.len() / 16).map(|count| count * 16);
                let values: Vec<FixedLenByteArray> =
                    slices(bytes, ends).into_iter().map(FixedLenByteArray::from).collect();
                column.typed::<FixedLenByteArrayType>().write_batch(&values, levels, None)?;
            }
        }
        self.levels.clear();
        column.close()
    }
}

/// The values between those ends, which share the bytes.
fn slices(bytes: &mut Vec<u8>, ends: impl Iterator<Item = usize>) -> Vec<ByteArray> {
    let shared = Bytes::from(std::mem::take(bytes));
    let mut start = 0;
    ends.map(|end| ByteArray::from(shared.slice(std::mem::replace(&mut start, end)..end))).collect()
}
