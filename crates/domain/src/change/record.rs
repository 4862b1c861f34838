//! A DynamoDB stream record, as Pipes and Lambda hand it on.
//!
//! Shape: EventBridge user guide, "Amazon DynamoDB stream as a source for EventBridge Pipes"; types: DynamoDB Streams
//! API reference, "Record" and "StreamRecord".

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::attribute::{Text, visit_members};
use super::plain_record::{self, PlainImage};
use super::{ChangeId, KeyHash, Reject, RejectReason, RemovedBy, Sequence, plain_image};
use crate::json_cursor::JsonCursor;

/// One change of one item, borrowed from the JSON that it came in. Its images are plain JSON already, or what the reader
/// makes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRecord<'a, I = Image> {
    pub event_id: Cow<'a, str>,
    pub operation: Operation,
    pub stream_arn: Cow<'a, str>,
    pub keys: Keys<'a>,
    /// The item after the change; absent on REMOVE.
    pub new_image: Option<I>,
    /// The item before the change; absent on INSERT.
    pub old_image: Option<I>,
    pub sequence_number: Cow<'a, str>,
    pub sequence: Sequence,
    /// Seconds since 1970-01-01T00:00:00Z: the stream tells no finer.
    pub created_at_second: i64,
    pub removed_by: Option<RemovedBy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    Insert,
    Modify,
    Remove,
}

/// The primary key of the items table: partition key `id`, sort key `sk`, both text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Keys<'a> {
    #[serde(borrow)]
    pub id: StringAttribute<'a>,
    #[serde(borrow)]
    pub sk: StringAttribute<'a>,
}

impl Keys<'_> {
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.id.text, &self.sk.text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct StringAttribute<'a> {
    #[serde(rename = "S", borrow)]
    pub text: Cow<'a, str>,
}

/// What `itemType` and `correlationId` may hold, as JSON, to go into an event's `meta`: that has to fit the bus even where
/// the item does not.
const NAME_BYTES: usize = 256;

/// Most items fit without the text having to grow.
const IMAGE_BYTES: usize = 512;

/// An item as it stood before or after a change, as plain JSON, with the two attributes that every item may have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    pub json: String,
    pub item_type: Option<String>,
    pub correlation_id: Option<String>,
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ImageVisitor;

        impl<'de> Visitor<'de> for ImageVisitor {
            type Value = Image;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the attributes of an item")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Image, A::Error> {
                let mut image = Image::with_room();
                let Image { json, item_type, correlation_id } = &mut image;
                visit_members(json, map, |name, plain, _| {
                    see_attribute(name, plain, item_type, correlation_id);
                })?;
                Ok(image)
            }
        }

        deserializer.deserialize_map(ImageVisitor)
    }
}

impl<'a> PlainImage<'a> for Image {
    fn read(cursor: &mut JsonCursor<'a>, _is_behind_new: bool) -> Option<Self> {
        let mut image = Self::with_room();
        let Self { json, item_type, correlation_id } = &mut image;
        plain_image::copy(cursor, json, |name, plain| see_attribute(name, plain, item_type, correlation_id))?;
        Some(image)
    }
}

impl Image {
    fn with_room() -> Self {
        Self { json: String::with_capacity(IMAGE_BYTES), ..Self::default() }
    }
}

/// Takes the two attributes that every item may have. One that is no text as plain JSON (binary is, in base64), or too long
/// for a name, says nothing here; the item keeps it.
fn see_attribute(
    name: &str,
    plain: &str,
    item_type: &mut Option<String>,
    correlation_id: &mut Option<String>,
) {
    let slot = match name {
        "itemType" => item_type,
        "correlationId" => correlation_id,
        _ => return,
    };
    *slot = (plain.len() <= NAME_BYTES).then(|| serde_json::from_str(plain).ok()).flatten();
}

/// The record's JSON, member by member.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound(deserialize = "I: Deserialize<'de>"))]
pub(super) struct Wire<'a, I> {
    #[serde(rename = "eventID", borrow)]
    pub(super) event_id: Cow<'a, str>,
    pub(super) event_name: Operation,
    #[serde(rename = "eventSourceARN", borrow)]
    pub(super) stream_arn: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) dynamodb: WireChange<'a, I>,
    #[serde(borrow)]
    pub(super) user_identity: Option<UserIdentity<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[serde(bound(deserialize = "I: Deserialize<'de>"))]
pub(super) struct WireChange<'a, I> {
    /// A JSON number, in some serializations with an exponent: `1.763795640E9`.
    pub(super) approximate_creation_date_time: Option<f64>,
    #[serde(borrow)]
    pub(super) keys: Keys<'a>,
    pub(super) new_image: Option<I>,
    pub(super) old_image: Option<I>,
    #[serde(borrow)]
    pub(super) sequence_number: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserIdentity<'a> {
    #[serde(borrow)]
    pub(super) r#type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) principal_id: Option<Text<'a>>,
}

impl UserIdentity<'_> {
    /// An expired item is removed by the service itself (Amazon DynamoDB developer guide, "DynamoDB Streams and Time to
    /// Live").
    fn is_time_to_live(&self) -> bool {
        let is = |member: &Option<Text<'_>>, text| member.as_ref().is_some_and(|it| it.0 == text);
        is(&self.r#type, "Service") && is(&self.principal_id, "dynamodb.amazonaws.com")
    }
}

impl<'a, I: Deserialize<'a>> StreamRecord<'a, I> {
    /// # Errors
    /// Where the text is not a stream record with both images.
    pub fn decode(json: &'a str) -> Result<Self, Reject> {
        serde_json::from_str::<Wire<'a, I>>(json)
            .map_err(|error| Reject::unreadable(RejectReason::RecordUnreadable, "the record", &error))
            .and_then(Self::of_wire)
    }
}

impl<'a, I> StreamRecord<'a, I> {
    pub(super) fn of_wire(wire: Wire<'a, I>) -> Result<Self, Reject> {
        let WireChange { keys, new_image, old_image, sequence_number, .. } = wire.dynamodb;
        let (needs_new, needs_old) = match wire.event_name {
            Operation::Insert => (true, false),
            Operation::Modify => (true, true),
            Operation::Remove => (false, true),
        };
        if needs_new && new_image.is_none() {
            return Err(Reject::record("dynamodb.NewImage"));
        }
        if needs_old && old_image.is_none() {
            return Err(Reject::record("dynamodb.OldImage"));
        }
        let created_at_second = wire
            .dynamodb
            .approximate_creation_date_time
            .and_then(whole_second)
            .ok_or_else(|| Reject::record("dynamodb.ApproximateCreationDateTime"))?;
        Ok(Self {
            event_id: wire.event_id,
            operation: wire.event_name,
            stream_arn: wire.stream_arn,
            keys,
            new_image,
            old_image,
            sequence: Sequence::parse(&sequence_number)?,
            sequence_number,
            created_at_second,
            removed_by: wire
                .user_identity
                .is_some_and(|identity| identity.is_time_to_live())
                .then_some(RemovedBy::Ttl),
        })
    }

    #[must_use]
    pub fn id(&self) -> ChangeId {
        ChangeId::of_record(&self.stream_arn, &self.event_id, &self.sequence_number)
    }
}

impl<'a> StreamRecord<'a> {
    /// Reads a batch: the JSON array that Pipes gives, each record by itself, so that one that cannot be read loses no other
    /// (I3). `None` where it is no array.
    #[must_use]
    pub fn read_batch(json: &'a RawValue) -> Option<Vec<Result<Self, Reject>>> {
        let mut records = Vec::new();
        JsonCursor::of(json).elements(|cursor| {
            let record = *cursor;
            if let Some(read) = plain_record::read(cursor) {
                records.push(Ok(read));
            } else {
                *cursor = record;
                records.push(Self::decode(cursor.value()?));
            }
            Some(())
        })?;
        Some(records)
    }
}

/// Years 0 to 9999, which is what RFC 3339 can write.
fn whole_second(seconds: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked, the fraction is not wanted")]
    (-62_167_219_200.0..253_402_300_800.0).contains(&seconds).then_some(seconds.floor() as i64)
}

/// What can be told of a record that [`StreamRecord::decode`] refused.
#[derive(Debug)]
pub struct Identity {
    pub id: ChangeId,
    /// Under which the pipe knows the record.
    pub event_id: String,
    pub key: Option<KeyHash>,
    /// As it came, whatever it is.
    pub sequence_number: Option<String>,
    pub sequence: Option<Sequence>,
}

impl Identity {
    #[must_use]
    pub fn of(json: &str) -> Self {
        #[derive(Deserialize, Default)]
        struct Lenient<'a> {
            #[serde(rename = "eventID", borrow)]
            event_id: Option<&'a RawValue>,
            #[serde(rename = "eventSourceARN", borrow)]
            stream_arn: Option<&'a RawValue>,
            #[serde(borrow)]
            dynamodb: Option<&'a RawValue>,
        }
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "PascalCase")]
        struct LenientChange<'a> {
            #[serde(borrow)]
            keys: Option<&'a RawValue>,
            #[serde(borrow)]
            sequence_number: Option<&'a RawValue>,
        }
        fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
            serde_json::from_str(raw?.get()).ok()
        }

        let record: Lenient<'_> = serde_json::from_str(json).unwrap_or_default();
        let change: LenientChange<'_> = read(record.dynamodb).unwrap_or_default();
        let event_id: Option<String> = read(record.event_id);
        let stream_arn: Option<String> = read(record.stream_arn);
        let sequence_number: Option<String> = read(change.sequence_number);
        let id = match (&stream_arn, &event_id, &sequence_number) {
            (Some(arn), Some(event), Some(sequence)) => ChangeId::of_record(arn, event, sequence),
            _ => ChangeId::of_bytes(json),
        };
        Self {
            event_id: event_id.unwrap_or_else(|| id.to_string()),
            id,
            key: read::<Keys<'_>>(change.keys).map(|keys| keys.hash()),
            sequence: sequence_number.as_deref().and_then(|number| Sequence::parse(number).ok()),
            sequence_number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_texts_are_item_types_and_correlation_ids() {
        let image = |attributes: &str| serde_json::from_str::<Image>(attributes).unwrap();
        let named = image(r#"{"itemType": {"S": "Patient"}, "correlationId": {"S": "c"}}"#);
        assert_eq!(
            (named.item_type.as_deref(), named.correlation_id.as_deref()),
            (Some("Patient"), Some("c"))
        );
        assert_eq!(image(r#"{"itemType": {"N": "5"}}"#).item_type, None);
        assert_eq!(image(r#"{"nested": {"M": {"itemType": {"S": "Patient"}}}}"#).item_type, None);

        let long = "x".repeat(400 * 1024);
        let too_long = image(&format!(r#"{{"correlationId": {{"S": "{long}"}}}}"#));
        assert_eq!(too_long.correlation_id, None);
        assert!(too_long.json.contains(&long), "the item keeps what it has");
    }

    #[test]
    fn times_beyond_what_can_be_written_are_refused() {
        for (seconds, whole) in [
            (1_795_331_640.0, Some(1_795_331_640)),
            (0.9, Some(0)),
            (-0.5, Some(-1)),
            (1e300, None),
            (f64::NAN, None),
        ] {
            assert_eq!(whole_second(seconds), whole, "{seconds}");
        }
    }
}
