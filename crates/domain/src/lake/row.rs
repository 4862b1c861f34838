//! A row of the lake: what is known of one change.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Item, Micros};
use crate::change::plain_record::{self, PlainImage};
use crate::change::{ChangeId, Operation, Reject, RemovedBy, Sequence, StreamRecord};
use crate::json_cursor::JsonCursor;

/// A stream record of whose images only the one is read that the lake keeps.
pub type LakeRecord<'a> = StreamRecord<'a, LakeImage<'a>>;

#[derive(Debug, Clone)]
pub enum LakeImage<'a> {
    /// As it came.
    Raw(&'a RawValue),
    Read(Item),
    /// Behind the new one, which the lake keeps: except of a removal, whose row then cannot be made and is left to the parser.
    Passed,
}

impl<'de: 'a, 'a> Deserialize<'de> for LakeImage<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::Raw)
    }
}

impl<'a> PlainImage<'a> for LakeImage<'a> {
    fn read(cursor: &mut JsonCursor<'a>, is_behind_new: bool) -> Option<Self> {
        if !is_behind_new {
            return Item::from_plain_image(cursor).map(Self::Read);
        }
        let is_image = cursor.peek()? == b'{';
        cursor.value()?;
        is_image.then_some(Self::Passed)
    }
}

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
    pub fn row(self) -> Result<Row, Reject> {
        let event_id = self.id();
        let (operation, image, member) = match self.operation {
            Operation::Insert => (RowOperation::Insert, self.new_image, "dynamodb.NewImage"),
            Operation::Modify => (RowOperation::Modify, self.new_image, "dynamodb.NewImage"),
            Operation::Remove => (RowOperation::Remove, self.old_image, "dynamodb.OldImage"),
        };
        let item = match image {
            Some(LakeImage::Raw(json)) => Item::from_raw_image(json).ok(),
            Some(LakeImage::Read(item)) => Some(item),
            Some(LakeImage::Passed) | None => None,
        };
        Ok(Row {
            operation,
            event_id,
            sequence: self.sequence,
            changed_at: Micros::from_second(self.created_at_second)
                .ok_or_else(|| Reject::record("dynamodb.ApproximateCreationDateTime"))?,
            removed_by: self.removed_by,
            id: self.keys.id.text.into_owned(),
            sk: self.keys.sk.text.into_owned(),
            item: item.ok_or_else(|| Reject::record(member))?,
        })
    }
}

impl Row {
    /// The row of a stream record, and the record's sequence number as it came.
    ///
    /// # Errors
    /// Where the record cannot be read.
    pub fn of_record<'r>(record: &'r RawValue) -> Result<(Self, Cow<'r, str>), Reject> {
        let with_number = |record: LakeRecord<'r>| {
            let number = record.sequence_number.clone();
            Ok((record.row()?, number))
        };
        let plain = plain_record::read(&mut JsonCursor::of(record));
        match plain.map(with_number) {
            Some(Ok(row)) => Ok(row),
            _ => with_number(LakeRecord::decode(record.get())?),
        }
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
