//! A row of the lake: what is known of one change.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Item, Micros, plain_record};
use crate::change::{ChangeId, Operation, Reject, RemovedBy, Sequence, StreamRecord};

/// A stream record whose images are read when they are needed: the lake keeps one of the two.
pub type LakeRecord<'a> = StreamRecord<'a, LazyImage<'a>>;

/// An image as it came.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub struct LazyImage<'a>(#[serde(borrow)] &'a RawValue);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowOperation {
    Insert,
    Modify,
    Remove,
    /// No change, but how the item stood when the table was copied into the lake.
    Snapshot,
}

/// One change of one item. It never changes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub operation: RowOperation,
    /// `meta.id` of the change event, the same however often the change is delivered.
    pub event_id: ChangeId,
    /// Orders the changes of one key. A snapshot's is below that of every change.
    pub sequence: Sequence,
    pub changed_at: Micros,
    pub removed_by: Option<RemovedBy>,
    /// The partition key.
    pub id: String,
    /// The sort key.
    pub sk: String,
    /// The item after the change; after a REMOVE, the item before it.
    pub item: Item,
}

impl LakeRecord<'_> {
    /// # Errors
    /// Where the image cannot be read.
    pub fn row(&self) -> Result<Row, Reject> {
        let (operation, image, member) = match self.operation {
            Operation::Insert => (RowOperation::Insert, self.new_image, "dynamodb.NewImage"),
            Operation::Modify => (RowOperation::Modify, self.new_image, "dynamodb.NewImage"),
            Operation::Remove => (RowOperation::Remove, self.old_image, "dynamodb.OldImage"),
        };
        let image = image.ok_or_else(|| Reject::record(member))?;
        Ok(Row {
            operation,
            event_id: self.id(),
            sequence: self.sequence.clone(),
            changed_at: Micros::from_second(self.created_at_second)
                .ok_or_else(|| Reject::record("dynamodb.ApproximateCreationDateTime"))?,
            removed_by: self.removed_by,
            id: self.keys.id.text.clone().into_owned(),
            sk: self.keys.sk.text.clone().into_owned(),
            item: Item::from_raw_image(image.0).map_err(|_| Reject::record(member))?,
        })
    }
}

impl Row {
    /// The row of a stream record, and the record's sequence number as it came.
    ///
    /// # Errors
    /// Where the record cannot be read.
    pub fn of_record(record: &RawValue) -> Result<(Self, Cow<'_, str>), Reject> {
        if let Some((row, number)) = plain_record::read(record.get()) {
            return Ok((row, Cow::Borrowed(number)));
        }
        let record = LakeRecord::decode(record.get())?;
        Ok((record.row()?, record.sequence_number))
    }

    /// What a reader who wants one row per key has to compare: the highest stays.
    #[must_use]
    pub fn precedence(&self) -> (&Sequence, &ChangeId) {
        (&self.sequence, &self.event_id)
    }

    /// Bytes in memory, about.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.id.len() + self.sk.len() + self.item.size() + 72
    }
}

/// The value of `_op`.
impl fmt::Display for RowOperation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl RowOperation {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Modify => "MODIFY",
            Self::Remove => "REMOVE",
            Self::Snapshot => "SNAPSHOT",
        }
    }
}

impl FromStr for RowOperation {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Insert, Self::Modify, Self::Remove, Self::Snapshot];
        all.into_iter().find(|operation| operation.as_str() == text).ok_or(())
    }
}
