//! What must hold for every record, not only for those that somebody thought of.

mod stream_records;

use std::collections::BTreeMap;

use domain::change::{Change, Identity, Image, StreamRecord};
use domain::fhir::CodeMaps;
use domain::items::{Collection, REGISTRY, fhir_resource};
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// An attribute value: as DynamoDB writes it, and as plain JSON text.
#[derive(Debug, Clone)]
struct Attribute {
    dynamodb: Value,
    plain: String,
}

fn text(value: &str) -> String {
    Value::from(value).to_string()
}

fn sorted(mut members: Vec<String>) -> Vec<String> {
    members.sort();
    members.dedup();
    members
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,37})",
        "-?(0|[1-9][0-9]{0,18})\\.[0-9]{1,19}",
        "-?[1-9](\\.[0-9]{1,37})?E[+-]?[1-9][0-9]{0,1}",
    ]
}

fn attribute() -> impl Strategy<Value = Attribute> {
    let leaf = prop_oneof![
        any::<String>().prop_map(|s| Attribute { dynamodb: json!({"S": s}), plain: text(&s) }),
        number().prop_map(|n| Attribute { dynamodb: json!({"N": n}), plain: n }),
        "[A-Za-z0-9+/]{0,16}".prop_map(|b| Attribute { dynamodb: json!({"B": b}), plain: text(&b) }),
        any::<bool>().prop_map(|b| Attribute { dynamodb: json!({"BOOL": b}), plain: b.to_string() }),
        Just(Attribute { dynamodb: json!({"NULL": true}), plain: "null".to_owned() }),
        prop::collection::vec(any::<String>(), 1..4).prop_map(|set| {
            let plain: Vec<String> = sorted(set.clone()).iter().map(|member| text(member)).collect();
            let set = sorted(set).into_iter().rev().collect::<Vec<_>>();
            Attribute { dynamodb: json!({"SS": set}), plain: format!("[{}]", plain.join(",")) }
        }),
        prop::collection::btree_set(any::<i64>(), 1..4).prop_map(|set| {
            let plain: Vec<String> = set.iter().map(i64::to_string).collect();
            let shuffled: Vec<String> = set.iter().rev().map(i64::to_string).collect();
            Attribute { dynamodb: json!({"NS": shuffled}), plain: format!("[{}]", plain.join(",")) }
        }),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|list| {
                let (dynamodb, plain): (Vec<Value>, Vec<String>) =
                    list.into_iter().map(|it| (it.dynamodb, it.plain)).unzip();
                Attribute { dynamodb: json!({"L": dynamodb}), plain: format!("[{}]", plain.join(",")) }
            }),
            prop::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|map| {
                let plain: Vec<String> =
                    map.iter().map(|(name, it)| format!("{}:{}", text(name), it.plain)).collect();
                let dynamodb: BTreeMap<String, Value> =
                    map.into_iter().map(|(name, it)| (name, it.dynamodb)).collect();
                Attribute { dynamodb: json!({"M": dynamodb}), plain: format!("{{{}}}", plain.join(",")) }
            }),
        ]
    })
}

fn record(operation: &str, arn: &str, event_id: &str, sequence: &str, image: &Value) -> String {
    json!({
        "eventID": event_id, "eventName": operation, "eventSourceARN": arn,
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_331_640_u32,
            "Keys": {"id": {"S": "PATIENT#1"}, "sk": {"S": "X#1"}},
            "NewImage": image, "OldImage": image, "SequenceNumber": sequence,
        },
    })
    .to_string()
}

/// Any JSON at all.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let name = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "eventID",
            "eventName",
            "eventSourceARN",
            "dynamodb",
            "Keys",
            "NewImage",
            "OldImage",
            "S",
            "N",
            "M",
            "L",
            "id",
            "sk",
            "itemType",
            "names",
            "SequenceNumber",
            "ApproximateCreationDateTime",
            "userIdentity",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

/// What the item types read.
const ITEM_ATTRIBUTES: &[&str] = &[
    "id",
    "sk",
    "names",
    "mrn",
    "identifiers",
    "birthDate",
    "gender",
    "telecom",
    "deceased",
    "active",
    "use",
    "type",
    "line",
    "city",
    "period",
    "status",
    "class",
    "types",
    "code",
    "value",
    "unit",
    "unitCode",
    "effectiveDateTime",
    "relationship",
    "correlationId",
];

/// Reads a record as far as it goes; nothing on the way may panic.
fn exercise(json: &str) -> Option<String> {
    let _ = Identity::of(json);
    let change = Change::of(stream_records::read(json).ok()?).ok()?;
    let collection = Collection { patient: Some(json.to_owned()), ..Collection::default() };
    let fhir = fhir_resource(&change, Some(&collection), &CodeMaps::default()).ok()?;
    let mut event = String::new();
    change.write_event(fhir.as_deref(), &mut event);
    Some(event)
}

proptest! {
    #[test]
    fn every_attribute_type_comes_back_exactly(attribute in attribute()) {
        let image: Image = serde_json::from_value::<Value>(json!({"it": attribute.dynamodb}))
            .map(|image| serde_json::from_str(&image.to_string()).unwrap())
            .unwrap();
        prop_assert_eq!(&image.json, &format!(r#"{{"it":{}}}"#, attribute.plain));
        // And is JSON, digit for digit.
        let read: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&image.json).unwrap();
        prop_assert_eq!(read["it"].get(), attribute.plain.as_str());
    }

    #[test]
    fn an_event_carries_both_images_untouched(new in attribute(), old in attribute()) {
        let image = |it: &Attribute| json!({"it": it.dynamodb});
        let mut json: Value = serde_json::from_str(&record("MODIFY", "arn", "e", "1", &image(&new))).unwrap();
        json["dynamodb"]["OldImage"] = image(&old);
        let event = exercise(&json.to_string()).expect("a readable record");
        let event: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&event).unwrap();
        prop_assert_eq!(event["item"].get(), format!(r#"{{"it":{}}}"#, new.plain));
        prop_assert_eq!(event["previous"].get(), format!(r#"{{"it":{}}}"#, old.plain));
    }

    #[test]
    fn i2_ids_are_stable_and_distinct(
        a in ("[a-z]{1,8}", "[a-z0-9]{1,8}", "[0-9]{1,40}"),
        b in ("[a-z]{1,8}", "[a-z0-9]{1,8}", "[0-9]{1,40}"),
    ) {
        let id = |(arn, event, sequence): &(String, String, String)| {
            StreamRecord::<Image>::decode(&record("INSERT", arn, event, sequence, &json!({}))).unwrap().id()
        };
        prop_assert_eq!(id(&a), id(&a));
        prop_assert_eq!(a == b, id(&a) == id(&b));
    }

    #[test]
    fn i3_no_json_makes_it_panic(json in any_json()) {
        exercise(&json.to_string());
    }

    #[test]
    fn i3_no_item_makes_it_panic(
        item in prop::collection::btree_map(prop::sample::select(ITEM_ATTRIBUTES), attribute(), 0..8),
        item_type in prop::sample::select(REGISTRY.iter().map(|it| it.name).collect::<Vec<_>>()),
    ) {
        let mut item: BTreeMap<&str, Value> = item.into_iter().map(|(name, it)| (name, it.dynamodb)).collect();
        item.extend([("id", json!({"S": "PATIENT#1"})), ("sk", json!({"S": "X#1"})), ("itemType", json!({"S": item_type}))]);
        exercise(&record("MODIFY", "arn", "e", "1", &json!(item)));
    }

    #[test]
    fn i3_no_text_makes_it_panic(text in any::<String>()) {
        exercise(&text);
    }
}
