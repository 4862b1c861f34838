//! A batch as Lambda hands it on, the same at every run.

use serde_json::{Value, json};

pub const RECORDS: usize = 1_000;
pub const PARTITIONS: usize = 20;

const STREAM_ARN: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/items/stream/2026-11-22T07:14:00.000";
/// 2026-11-22T07:14:00Z.
const FIRST_SECOND: usize = 1_795_331_640;

const FAMILIES: [&str; 8] =
    ["Okafor", "Sample-Ünal", "Lindqvist", "O'Hara", "Nakamura", "Silva", "Ivanova", "Ng"];
const GIVEN: [&str; 8] = ["Zoë", "José", "Amara", "Linh", "Noah", "Ingrid", "Mateo", "Sana"];

/// `{"Records": […]}`: mostly updates of patients, 1.5 KB each, of as many sites as there are partitions.
pub fn event() -> String {
    let mut random = fastrand::Rng::with_seed(7);
    let records: Vec<Value> = (0..RECORDS).map(|number| record(number, &mut random)).collect();
    json!({"Records": records}).to_string()
}

fn record(number: usize, random: &mut fastrand::Rng) -> Value {
    let patient = random.usize(..100_000);
    let key = json!({"S": format!("PATIENT#{patient:06}")});
    let old = image(number, patient, 1, random);
    let mut new = old.clone();
    new["revision"] = json!({"N": "2"});
    new["updatedAt"] = json!({"S": format!("2026-11-22T07:14:{:02}Z", number % 60)});
    new["telecom"]["L"][0]["M"]["value"]["S"] = json!(phone(random));
    let (operation, new, old) = match number % 10 {
        0 => ("INSERT", Some(new), None),
        5 => ("REMOVE", None, Some(old)),
        _ => ("MODIFY", Some(new), Some(old)),
    };
    let mut change = json!({
        "ApproximateCreationDateTime": FIRST_SECOND + number / 20,
        "Keys": {"id": key, "sk": key},
        "SequenceNumber": format!("{}", 400_000_000_000_000_000_000_u128 + (number * 997) as u128),
        "SizeBytes": 640,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    });
    for (name, image) in [("NewImage", new), ("OldImage", old)] {
        if let Some(image) = image {
            change[name] = image;
        }
    }
    json!({
        "eventID": format!("{:032x}", random.u128(..)),
        "eventName": operation,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": change,
        "eventSourceARN": STREAM_ARN,
    })
}

fn image(number: usize, patient: usize, revision: usize, random: &mut fastrand::Rng) -> Value {
    let family = FAMILIES[random.usize(..FAMILIES.len())];
    let given = GIVEN[random.usize(..GIVEN.len())];
    let birth_date =
        format!("{}-{:02}-{:02}", random.usize(1930..2020), random.usize(1..13), random.usize(1..29));
    json!({
        "id": {"S": format!("PATIENT#{patient:06}")},
        "sk": {"S": format!("PATIENT#{patient:06}")},
        "itemType": {"S": "Patient"},
        "siteId": {"N": (number % PARTITIONS).to_string()},
        "active": {"BOOL": true},
        "revision": {"N": revision.to_string()},
        "balance": {"N": format!("{}.{:02}", random.usize(..2_000), random.usize(..100))},
        "updatedAt": {"S": "2026-11-20T16:02:11Z"},
        "mrn": {"M": {"system": {"S": "urn:example:mrn"}, "value": {"S": format!("{patient:06}")}}},
        "names": {"L": [{"M": {
            "use": {"S": "official"}, "family": {"S": family}, "given": {"L": [{"S": given}]},
        }}]},
        "birthDate": {"S": birth_date},
        "gender": {"S": if random.bool() { "female" } else { "male" }},
        "telecom": {"L": [
            {"M": {"system": {"S": "phone"}, "value": {"S": phone(random)}, "use": {"S": "home"}}},
        ]},
        "consents": {"SS": ["research", "portal"]},
    })
}

fn phone(random: &mut fastrand::Rng) -> String {
    format!("555-{:04}", random.usize(..10_000))
}
