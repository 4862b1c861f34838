//! What `schemas/` holds: the JSON Schema of every event and message, and the registry of item types.
//!
//! Consumers validate against the schemas; the CDK app makes rules and queues from the registry.

use schemars::{Schema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};

use crate::change::{ChangeEvent, DeadLetter, FALLBACK_DETAIL_TYPE, RejectNotice};
use crate::export::announce::{
    ExportRunCompleted, ExportRunFailed, ExportRunIncomplete, ExportRunSkipped, ExportRunStarted,
};
use crate::export::dead_line::DeadLine;
use crate::export::resource::{self, FhirResourceChanged};
use crate::items::{ItemType, REGISTRY};

/// The files, by name, each ending in a line feed.
#[must_use]
pub fn files() -> Vec<(String, String)> {
    let mut files = vec![("item-types.json".to_owned(), pretty(&registry()))];
    for item_type in REGISTRY {
        files.push((format!("{}.json", item_type.detail_type), pretty(&change_event(item_type))));
    }
    files.push((format!("{FALLBACK_DETAIL_TYPE}.json"), pretty(&unknown_change_event())));
    files.push((
        format!("{}.json", resource::DETAIL_TYPE),
        pretty(&schema_for!(FhirResourceChanged<'static>)),
    ));
    files.extend(run_events().map(|(detail_type, schema)| (format!("{detail_type}.json"), pretty(&schema))));
    files.push(("DeadLine.json".to_owned(), pretty(&schema_for!(DeadLine))));
    files.push(("RejectNotice.json".to_owned(), pretty(&schema_for!(RejectNotice))));
    files.push(("DeadLetter.json".to_owned(), pretty(&schema_for!(DeadLetter<'static>))));
    files
}

fn registry() -> Value {
    let known = REGISTRY.iter().map(|item_type| {
        json!({
            "itemType": item_type.name,
            "detailType": item_type.detail_type,
            "resourceType": item_type.resource_type,
        })
    });
    // The last stands for every type that the code does not know.
    let unknown = json!({"itemType": "Item", "detailType": FALLBACK_DETAIL_TYPE});
    json!({"itemTypes": known.chain([unknown]).collect::<Vec<_>>()})
}

fn run_events() -> impl Iterator<Item = (&'static str, Schema)> {
    [
        ("ExportRunStarted", schema_for!(ExportRunStarted)),
        ("ExportRunCompleted", schema_for!(ExportRunCompleted)),
        ("ExportRunIncomplete", schema_for!(ExportRunIncomplete)),
        ("ExportRunFailed", schema_for!(ExportRunFailed)),
        ("ExportRunSkipped", schema_for!(ExportRunSkipped)),
    ]
    .into_iter()
}

/// The event of one item type: as every change event, with its own type, and its own resource.
fn change_event(item_type: &ItemType) -> Schema {
    let mut schema = schema_for!(ChangeEvent<'static>);
    schema.insert("title".to_owned(), item_type.detail_type.into());
    let narrowed = [
        ("/$defs/ChangeMeta/properties/itemType", item_type.name),
        ("/$defs/Resource/properties/resourceType", item_type.resource_type),
    ];
    for (pointer, constant) in narrowed {
        if let Some(member) = schema.pointer_mut(pointer) {
            *member = json!({"const": constant});
        }
    }
    schema
}

fn unknown_change_event() -> Schema {
    let mut schema = schema_for!(ChangeEvent<'static>);
    schema.insert("title".to_owned(), FALLBACK_DETAIL_TYPE.into());
    if let Some(properties) = schema.pointer_mut("/properties").and_then(Value::as_object_mut) {
        properties.remove("fhir");
    }
    if let Some(definitions) = schema.pointer_mut("/$defs").and_then(Value::as_object_mut) {
        definitions.remove("Resource");
    }
    schema
}

/// Members in the order of their names: a JSON map keeps another order where some crate of the build asks serde_json for it.
fn pretty<T: Serialize>(value: &T) -> String {
    let sorted = sorted(serde_json::to_value(value).unwrap_or_default());
    let json = serde_json::to_string_pretty(&sorted).unwrap_or_default();
    json + "\n"
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            members.into_iter().map(|(name, value)| (name, sorted(value))).collect()
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}
