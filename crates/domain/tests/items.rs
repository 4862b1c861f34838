//! What an item yields, and why it is rejected: beside the recorded events, the edges.

mod stream_records;

use domain::change::{Change, Reject, RejectReason};
use domain::fhir::CodeMaps;
use domain::items::{Collection, fhir_resource};
use serde_json::{Value, json};

fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(value) => json!({"BOOL": value}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({"S": text}),
        Value::Array(values) => json!({"L": values.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Object(members) => json!({"M": attributes(members)}),
    }
}

fn attributes(members: &serde_json::Map<String, Value>) -> Value {
    members.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// The resource after an insert of the item.
fn resource(item: &Value, collection: &Collection) -> Result<Option<Value>, Reject> {
    let image = attributes(item.as_object().expect("an item"));
    let record = json!({
        "eventID": "e", "eventName": "INSERT", "eventSourceARN": "arn",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_331_640_u32, "SequenceNumber": "1", "NewImage": image,
            "Keys": {"id": image["id"], "sk": image["sk"]},
        },
    })
    .to_string();
    let change = Change::of(stream_records::read(&record)?)?;
    let fhir = fhir_resource(&change, Some(collection), &CodeMaps::default())?;
    Ok(fhir.map(|fhir| serde_json::from_str(&fhir).expect("FHIR is JSON")))
}

fn patient(more: Value) -> Value {
    merged(json!({"id": "PATIENT#1", "sk": "PATIENT#1", "itemType": "Patient"}), more)
}

fn merged(mut item: Value, more: Value) -> Value {
    let (Value::Object(members), Value::Object(more)) = (&mut item, more) else { panic!("no objects") };
    members.extend(more);
    item
}

fn of_patient_1(item_type: &str, sk: &str, more: Value) -> Value {
    merged(json!({"id": "PATIENT#1", "sk": sk, "itemType": item_type}), more)
}

#[test]
fn what_cannot_be_mapped_is_rejected_with_its_reason_and_element() {
    use RejectReason::{CodeUnknown, DateInvalid, IdInvalid, ItemUnreadable, TextInvalid};
    let class = json!({"code": "AMB"});
    let cases = [
        (patient(json!({"gender": "W"})), CodeUnknown, "gender"),
        (patient(json!({"names": [{"use": "nom de plume"}]})), CodeUnknown, "name.use"),
        (patient(json!({"telecom": [{"system": "dove", "value": "1"}]})), CodeUnknown, "telecom.system"),
        (patient(json!({"birthDate": "1980-02-30"})), DateInvalid, "Patient.birthDate"),
        (patient(json!({"deceased": "yesterday"})), DateInvalid, "Patient.deceased"),
        (patient(json!({"id": "PATIENT#a_b"})), IdInvalid, "Patient.id"),
        (patient(json!({"id": "patients"})), IdInvalid, "Patient.id"),
        (patient(json!({"names": [{"family": "a\u{1}b"}]})), TextInvalid, "name.family"),
        (patient(json!({"names": "one"})), ItemUnreadable, "Patient at byte"),
        (patient(json!({"active": "true"})), ItemUnreadable, "Patient at byte"),
        (of_patient_1("Address", "ADDRESS#1", json!({"use": "shed"})), CodeUnknown, "address.use"),
        (
            of_patient_1("Address", "ADDRESS#1", json!({"line": "1 Sample Street"})),
            ItemUnreadable,
            "Address at byte",
        ),
        (
            of_patient_1("Encounter", "ENCOUNTER#1", json!({"class": class})),
            ItemUnreadable,
            "Encounter at byte",
        ),
        (
            of_patient_1("Encounter", "ENCOUNTER#1", json!({"status": "finished", "class": {"code": " "}})),
            ItemUnreadable,
            "Encounter.class",
        ),
        (
            of_patient_1("Encounter", "ENCOUNTER", json!({"status": "finished", "class": class})),
            IdInvalid,
            "Encounter.id",
        ),
        (
            of_patient_1(
                "Encounter",
                "ENCOUNTER#1",
                json!({"status": "finished", "class": class, "period": {"start": "2026-11-22T07:14"}}),
            ),
            DateInvalid,
            "Encounter.period",
        ),
        (
            of_patient_1(
                "Observation",
                "OBSERVATION#1",
                json!({"status": "final", "code": {"code": "8867-4"}, "value": "72"}),
            ),
            ItemUnreadable,
            "Observation.value",
        ),
        (
            of_patient_1("RelatedPerson", "RELATEDPERSON#1", json!({"birthDate": "55"})),
            DateInvalid,
            "RelatedPerson.birthDate",
        ),
    ];
    for (item, reason, element) in cases {
        let reject = resource(&item, &Collection::default()).expect_err(&item.to_string());
        assert_eq!(reject.reason, reason, "{item}");
        assert!(reject.element.starts_with(element), "{element}: {reject}");
    }
}

#[test]
fn what_says_nothing_is_left_out_because_fhir_has_no_empty_element() {
    let empty = patient(json!({
        "names": [{}, {"family": " "}, {"given": [""]}], "telecom": [{"system": "phone", "value": ""}],
        "mrn": {"system": "urn:example:mrn", "value": ""}, "identifiers": [],
    }));
    let fhir = resource(&empty, &Collection::default()).expect("a patient");
    assert_eq!(fhir, Some(json!({"resourceType": "Patient", "id": "1"})));

    let collection =
        Collection { patient: Some(r#"{"id": "PATIENT#1"}"#.to_owned()), ..Collection::default() };
    let fhir = resource(&of_patient_1("Address", "ADDRESS#1", json!({"line": [" "]})), &collection);
    assert_eq!(fhir.expect("a patient"), Some(json!({"resourceType": "Patient", "id": "1"})));
}

#[test]
fn an_attribute_that_is_null_is_as_good_as_none() {
    let bare = patient(json!({
        "names": null, "telecom": null, "mrn": null, "identifiers": null, "birthDate": null, "gender": null,
        "active": null, "deceased": null,
    }));
    let expected = Some(json!({"resourceType": "Patient", "id": "1"}));
    assert_eq!(resource(&bare, &Collection::default()).expect("a patient"), expected);

    let nameless =
        patient(json!({"names": [{"family": "Sample", "given": null, "prefix": null, "suffix": null}]}));
    let fhir = resource(&nameless, &Collection::default()).expect("a patient").expect("a patient");
    assert_eq!(fhir["name"], json!([{"family": "Sample"}]));

    let gaps = patient(json!({"names": [null, {"family": "Sample", "given": [null, "A", null, "B"]}]}));
    let fhir = resource(&gaps, &Collection::default()).expect("a patient").expect("a patient");
    assert_eq!(fhir["name"], json!([{"family": "Sample", "given": ["A", "B"]}]));

    let collection =
        Collection { patient: Some(r#"{"id": "PATIENT#1"}"#.to_owned()), ..Collection::default() };
    for line in [json!(null), json!([null])] {
        let fhir = resource(&of_patient_1("Address", "ADDRESS#1", json!({"line": line})), &collection);
        assert_eq!(fhir.expect("a patient"), expected);
    }
}

#[test]
fn i3_an_item_that_only_the_table_gave_never_rejects_another_items_change() {
    let collection = |patient: &str, address: &str| Collection {
        patient: Some(patient.to_owned()),
        addresses: [("ADDRESS#2".to_owned(), address.to_owned())].into(),
        truncated: false,
    };
    let good = r#"{"id": "PATIENT#1", "active": true}"#;
    let address = of_patient_1("Address", "ADDRESS#1", json!({"city": "Exampleville"}));

    let fhir =
        resource(&address, &collection(good, r#"{"use": "shed"}"#)).expect("no reject").expect("a patient");
    assert_eq!(fhir["address"], json!([{"city": "Exampleville"}]));
    assert_eq!(fhir["meta"]["tag"][0]["code"], "SUBSETTED");

    let fhir = resource(&address, &collection(r#"{"id": "PATIENT#1", "gender": "W"}"#, "{}"));
    assert_eq!(fhir.expect("no reject"), None);

    let whole = resource(&address, &collection(good, r#"{"city": "Elsewhere"}"#))
        .expect("no reject")
        .expect("a patient");
    assert!(
        whole.get("meta").is_none() && whole["address"].as_array().expect("addresses").len() == 2,
        "{whole}"
    );
}

#[test]
fn the_records_own_image_wins_over_what_the_table_has_of_the_same_item() {
    let collection = Collection {
        patient: Some(r#"{"id": "PATIENT#1", "birthDate": "1999"}"#.to_owned()),
        addresses: [("ADDRESS#1".to_owned(), r#"{"city": "Later"}"#.to_owned())].into(),
        truncated: true,
    };
    let fhir = resource(&of_patient_1("Address", "ADDRESS#1", json!({"city": "Now"})), &collection);
    let fhir = fhir.expect("no reject").expect("a patient");
    assert_eq!(fhir["address"], json!([{"city": "Now"}]));
    assert_eq!(fhir["meta"]["tag"][0]["code"], "SUBSETTED", "there are more addresses than were read");
    let fhir =
        resource(&patient(json!({"birthDate": "2000"})), &collection).expect("no reject").expect("a patient");
    assert_eq!(fhir["birthDate"], "2000");
}
