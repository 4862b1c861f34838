//! Every recorded stream record, as the event or the reject that it becomes.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod stream_records;

use std::fs;
use std::path::Path;

use domain::change::{Change, ChangeEvent, ChangeMeta, Identity, Image, StreamRecord};
use domain::fhir::CodeMaps;
use domain::items::{Collection, REGISTRY, fhir_resource};
use serde_json::value::RawValue;

fn recorded() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/events/stream");
    let mut events: Vec<(String, String)> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let batch = fs::read_to_string(&path).unwrap();
            let [record]: [Box<RawValue>; 1] = serde_json::from_str(&batch).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), record.get().to_owned())
        })
        .collect();
    events.sort();
    events
}

/// The patient whose collection the recorded addresses belong to.
fn collection() -> Collection {
    let patient = r#"{"id": "PATIENT#1", "sk": "PATIENT#1", "itemType": "Patient", "active": true}"#;
    let address =
        r#"{"id": "PATIENT#1", "sk": "ADDRESS#9", "itemType": "Address", "city": "Old Exampleville"}"#;
    Collection {
        patient: Some(patient.to_owned()),
        addresses: [("ADDRESS#9".to_owned(), address.to_owned())].into(),
        truncated: false,
    }
}

fn event_or_reject(record: &str) -> String {
    let read = stream_records::read(record).and_then(Change::of).and_then(|change| {
        let fhir = fhir_resource(&change, Some(&collection()), &CodeMaps::default())?;
        let mut event = String::new();
        change.write_event(fhir.as_deref(), &mut event);
        Ok(event)
    });
    match read {
        Ok(event) => event,
        Err(reject) => format!("rejected: {reject}, record {}", Identity::of(record).id),
    }
}

/// The router reads no more of an event.
#[test]
fn the_meta_of_an_event_is_read_without_the_rest() {
    let mut events = 0;
    for (name, record) in recorded() {
        let json = event_or_reject(&record);
        let Ok(event) = serde_json::from_str::<ChangeEvent<'_>>(&json) else { continue };
        let turned = format!(r#"{{"item": {{"meta": 1}}, {}"#, json.replacen('{', "", 1));
        for json in [&json, &turned] {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(ChangeMeta::of_event(raw).as_ref(), Some(&event.meta), "{name}");
        }
        events += 1;
    }
    assert!(events >= 10, "{events}");
    for without in ["{}", "[]", "5", r#"{"meta": 5}"#, r#"{"item": {"meta": {}}}"#] {
        let raw: &RawValue = serde_json::from_str(without).unwrap();
        assert_eq!(ChangeMeta::of_event(raw), None, "{without}");
    }
}

#[test]
fn every_recorded_record_becomes_the_event_of_its_snapshot() {
    let recorded = recorded();
    assert!(recorded.len() > 10);
    for (name, record) in recorded {
        insta::assert_snapshot!(name, event_or_reject(&record));
    }
}

#[test]
fn every_item_type_has_a_recorded_event() {
    let recorded = recorded();
    for item_type in REGISTRY {
        let is_of_type = |record: &str| {
            stream_records::read(record)
                .and_then(Change::of)
                .is_ok_and(|change| change.item_type.is_some_and(|known| known.name == item_type.name))
        };
        assert!(
            recorded.iter().any(|(_, record)| is_of_type(record)),
            "tests/events/stream has no record of {}",
            item_type.name
        );
    }
}

#[test]
fn i2_a_redelivered_record_has_the_same_id_whatever_surrounds_it() {
    let (_, record) = recorded().into_iter().find(|(name, _)| name == "patient-insert").unwrap();
    let again: serde_json::Value = serde_json::from_str(&record).unwrap();
    let id = |json: &str| StreamRecord::<Image>::decode(json).unwrap().id();
    assert_eq!(id(&record), id(&again.to_string()), "member order and white space count for nothing");
    for (pointer, other) in [
        ("/eventID", "another"),
        ("/eventSourceARN", "arn:aws:dynamodb:eu-west-1:111122223333:table/other/stream/1"),
        ("/dynamodb/SequenceNumber", "1"),
    ] {
        let mut changed = again.clone();
        *changed.pointer_mut(pointer).unwrap() = other.into();
        assert_ne!(id(&record), id(&changed.to_string()), "{pointer}");
    }
}
