//! The change event: the contract that consumers read.

use std::borrow::Cow;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{ChangeId, KeyHash, Keys, Operation, Reject, Sequence, StreamRecord};
use crate::items::{self, ItemType};
use crate::json_cursor::JsonCursor;

/// `source` of every change event on the bus.
pub const EVENT_SOURCE: &str = "tributary.items";

/// `detail-type` of a change whose item type the code does not know.
pub const FALLBACK_DETAIL_TYPE: &str = "ItemChange";

/// `meta.itemType` of an item that has none.
const NO_ITEM_TYPE: &str = "Item";

/// Raised when a consumer has to change how it reads the event.
pub const SCHEMA_VERSION: &str = "1.0";

/// The `detail` of a change event.
///
/// A bus and a standard queue keep no order: keep the highest `meta.sequence` of each key (`item.id`, `item.sk`) and you
/// have the table. A Patient resource comes with changes of several items: of one patient (`item.id`) the event with the
/// highest `meta.sequence` has the latest. Either `item` is there, or, where the event is too large for the bus, `dataRef`.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeEvent<'a> {
    #[serde(borrow)]
    pub meta: ChangeMeta<'a>,
    /// The item after the change; after a REMOVE its key alone.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ItemSchema>")]
    pub item: Option<&'a RawValue>,
    /// The item before the change, on MODIFY and REMOVE.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ItemSchema>")]
    pub previous: Option<&'a RawValue>,
    /// The FHIR R4 resource, where the item type has one and the resource exists after the change.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<FhirSchema>")]
    pub fhir: Option<&'a RawValue>,
    /// Where the whole event lies, if it is too large for the bus: an object with the same members as this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_ref: Option<DataRef>,
}

/// An item as plain JSON: numbers keep every digit, sets are sorted arrays, binary is base64.
#[derive(JsonSchema)]
#[schemars(rename = "Item")]
#[expect(dead_code, reason = "describes a shape, holds nothing")]
struct ItemSchema {
    id: String,
    sk: String,
}

/// A FHIR R4 resource (hl7.org/fhir/R4).
#[derive(JsonSchema)]
#[schemars(rename = "Resource")]
#[expect(dead_code, reason = "describes a shape, holds nothing")]
struct FhirSchema {
    #[schemars(rename = "resourceType")]
    resource_type: String,
    id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeMeta<'a> {
    /// The same for every delivery of the same change; no two changes share one.
    pub id: ChangeId,
    /// The item's own `correlationId`, where that is a text of at most 254 bytes; else the stream's `eventID`.
    #[serde(borrow)]
    pub correlation_id: Cow<'a, str>,
    /// `{ItemType}{Insert|Modify|Remove}`.
    #[serde(borrow)]
    pub change_type: Cow<'a, str>,
    /// The item's `itemType`, `Item` where it has none.
    #[serde(borrow)]
    pub item_type: Cow<'a, str>,
    pub operation: Operation,
    /// Who removed the item, where it was not the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_by: Option<RemovedBy>,
    /// Orders the changes of one key: compare as text.
    pub sequence: Sequence,
    /// When the change happened, to the second; it orders nothing.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub occurred_at: Timestamp,
    #[serde(borrow)]
    pub schema_version: Cow<'a, str>,
}

impl<'a> ChangeMeta<'a> {
    /// The `meta` of an event, of which nothing else is read. `None` where it has none that can be read.
    #[must_use]
    pub fn of_event(event: &'a RawValue) -> Option<Self> {
        serde_json::from_str(JsonCursor::of(event).member("meta")?).ok()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RemovedBy {
    /// DynamoDB, because the item had expired.
    Ttl,
}

/// Where in S3 an event or a record lies that is too large for its next hop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataRef {
    pub bucket: String,
    pub key: String,
    /// Size of the object in bytes.
    pub bytes: usize,
}

/// A stream record that was read, and what kind of change it is.
#[derive(Debug)]
pub struct Change<'a> {
    pub meta: ChangeMeta<'a>,
    pub item_type: Option<&'static ItemType>,
    record: StreamRecord<'a>,
}

impl<'a> Change<'a> {
    /// # Errors
    /// Where the time of the change cannot be written.
    pub fn of(record: StreamRecord<'a>) -> Result<Self, Reject> {
        let image = record.new_image.as_ref().or(record.old_image.as_ref());
        let name = image.and_then(|image| image.item_type.as_deref()).unwrap_or(NO_ITEM_TYPE);
        let operation = match record.operation {
            Operation::Insert => "Insert",
            Operation::Modify => "Modify",
            Operation::Remove => "Remove",
        };
        let meta = ChangeMeta {
            id: record.id(),
            correlation_id: match image.and_then(|image| image.correlation_id.as_ref()) {
                Some(correlation_id) => Cow::Owned(correlation_id.clone()),
                None => record.event_id.clone(),
            },
            change_type: Cow::Owned(format!("{name}{operation}")),
            item_type: Cow::Owned(name.to_owned()),
            operation: record.operation,
            removed_by: record.removed_by,
            sequence: record.sequence.clone(),
            occurred_at: Timestamp::from_second(record.created_at_second)
                .map_err(|_| Reject::record("dynamodb.ApproximateCreationDateTime"))?,
            schema_version: Cow::Borrowed(SCHEMA_VERSION),
        };
        Ok(Self { item_type: items::item_type(name), meta, record })
    }

    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.record.event_id
    }

    #[must_use]
    pub fn keys(&self) -> &Keys<'a> {
        &self.record.keys
    }

    #[must_use]
    pub fn key_hash(&self) -> KeyHash {
        self.record.keys.hash()
    }

    /// The item after the change, as plain JSON; `None` once it is removed.
    #[must_use]
    pub fn item(&self) -> Option<&str> {
        match self.record.operation {
            Operation::Remove => None,
            Operation::Insert | Operation::Modify => {
                self.record.new_image.as_ref().map(|image| image.json.as_str())
            }
        }
    }

    /// Appends the event, a JSON object with the members of [`ChangeEvent`].
    ///
    /// Written by hand rather than by serde, so that the images are copied and not parsed again.
    pub fn write_event(&self, fhir: Option<&str>, out: &mut String) {
        out.push_str("{\"meta\":");
        push_json(out, &self.meta);
        out.push_str(",\"item\":");
        match self.item() {
            Some(item) => out.push_str(item),
            None => push_json(out, &KeyOnly { id: &self.record.keys.id.text, sk: &self.record.keys.sk.text }),
        }
        if let Some(previous) = &self.record.old_image {
            out.push_str(",\"previous\":");
            out.push_str(&previous.json);
        }
        if let Some(fhir) = fhir {
            out.push_str(",\"fhir\":");
            out.push_str(fhir);
        }
        out.push('}');
    }
}

#[derive(Serialize)]
struct KeyOnly<'a> {
    id: &'a str,
    sk: &'a str,
}

/// Appends an event that says only where the event of these data lies.
pub fn write_referring_event(meta: &ChangeMeta<'_>, data_ref: &DataRef, out: &mut String) {
    out.push_str("{\"meta\":");
    push_json(out, meta);
    out.push_str(",\"dataRef\":");
    push_json(out, data_ref);
    out.push('}');
}

/// None of the types written here can fail to serialize: they hold texts, numbers and unit variants under text keys.
pub(super) fn push_json<T: Serialize + ?Sized>(out: &mut String, value: &T) {
    let json = serde_json::to_string(value);
    debug_assert!(json.is_ok(), "{json:?}");
    out.push_str(&json.unwrap_or_default());
}
