//! From the bytes of a batch to its events, beside a plain typed parse of the same bytes.
//!
//! `cargo bench -p domain` prints both and their ratio: the share of a typed `serde_json` parse's rate at which a batch
//! becomes events, FHIR included.

#![expect(clippy::unwrap_used, reason = "the input is known")]
#![expect(clippy::print_stdout, reason = "prints the ratio that it is for")]

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::change::{Change, StreamRecord};
use domain::fhir::CodeMaps;
use domain::items::{Collection, fhir_resource};
use serde::Deserialize;
use serde_json::json;

const RECORDS: usize = 100;

/// A hundred updates of a patient, 1.5 KB each.
fn batch() -> String {
    let image = |number: usize, phone: &str| {
        json!({
            "id": {"S": format!("PATIENT#{number}")}, "sk": {"S": format!("PATIENT#{number}")},
            "itemType": {"S": "Patient"}, "active": {"BOOL": true}, "revision": {"N": number.to_string()},
            "mrn": {"M": {"system": {"S": "urn:example:mrn"}, "value": {"S": format!("{number:06}")}}},
            "names": {"L": [{"M": {
                "use": {"S": "official"}, "family": {"S": "Sample-Ünal"}, "given": {"L": [{"S": "Zoë"}, {"S": "José"}]},
            }}]},
            "birthDate": {"S": "1980-03-17"}, "gender": {"S": "female"},
            "telecom": {"L": [
                {"M": {"system": {"S": "phone"}, "value": {"S": phone}, "use": {"S": "home"}}},
                {"M": {"system": {"S": "email"}, "value": {"S": "sample@example.org"}, "use": {"S": "work"}}},
            ]},
        })
    };
    let records: Vec<_> = (0..RECORDS)
        .map(|number| {
            json!({
                "eventID": format!("{number:032x}"), "eventName": "MODIFY", "eventVersion": "1.1",
                "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_795_331_640_u32,
                    "Keys": {"id": {"S": format!("PATIENT#{number}")}, "sk": {"S": format!("PATIENT#{number}")}},
                    "NewImage": image(number, "555-0100"), "OldImage": image(number, "555-0199"),
                    "SequenceNumber": format!("{number:021}"), "SizeBytes": 640,
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
                "eventSourceARN": "arn:aws:dynamodb:eu-west-1:111122223333:table/items/stream/2026-11-22T07:14:00.000",
            })
        })
        .collect();
    json!(records).to_string()
}

/// What `stream-enricher` does to a batch between its two waits, for DynamoDB and for the answer to be sent.
fn to_events(batch: &str, codes: &CodeMaps, events: &mut String) {
    let collection = Collection::default();
    for record in StreamRecord::decode_batch(batch).unwrap() {
        let change = Change::of(record.unwrap()).unwrap();
        let fhir = fhir_resource(&change, Some(&collection), codes).unwrap();
        change.write_event(fhir.as_deref(), events);
    }
}

/// The same bytes as typed structs, borrowed where serde can borrow: nothing is looked up, checked, mapped or written.
#[expect(dead_code, reason = "the members are parsed, not used")]
mod typed {
    use super::{Cow, Deserialize};

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Record<'a> {
        #[serde(rename = "eventID", borrow)]
        pub event_id: Cow<'a, str>,
        #[serde(borrow)]
        pub event_name: Cow<'a, str>,
        #[serde(rename = "eventSourceARN", borrow)]
        pub event_source_arn: Cow<'a, str>,
        #[serde(borrow)]
        pub dynamodb: Change<'a>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    pub struct Change<'a> {
        pub approximate_creation_date_time: f64,
        #[serde(borrow)]
        pub keys: Keys<'a>,
        #[serde(borrow)]
        pub new_image: Patient<'a>,
        #[serde(borrow)]
        pub old_image: Patient<'a>,
        #[serde(borrow)]
        pub sequence_number: Cow<'a, str>,
    }

    #[derive(Deserialize)]
    pub struct Keys<'a> {
        #[serde(borrow)]
        pub id: S<'a>,
        #[serde(borrow)]
        pub sk: S<'a>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Patient<'a> {
        #[serde(borrow)]
        pub id: S<'a>,
        #[serde(borrow)]
        pub sk: S<'a>,
        #[serde(borrow)]
        pub item_type: S<'a>,
        pub active: Bool,
        #[serde(borrow)]
        pub revision: N<'a>,
        #[serde(borrow)]
        pub mrn: M<Identifier<'a>>,
        #[serde(borrow)]
        pub names: L<M<Name<'a>>>,
        #[serde(borrow)]
        pub birth_date: S<'a>,
        #[serde(borrow)]
        pub gender: S<'a>,
        #[serde(borrow)]
        pub telecom: L<M<Telecom<'a>>>,
    }

    #[derive(Deserialize)]
    pub struct Identifier<'a> {
        #[serde(borrow)]
        pub system: S<'a>,
        #[serde(borrow)]
        pub value: S<'a>,
    }

    #[derive(Deserialize)]
    pub struct Name<'a> {
        #[serde(rename = "use", borrow)]
        pub used_as: S<'a>,
        #[serde(borrow)]
        pub family: S<'a>,
        #[serde(borrow)]
        pub given: L<S<'a>>,
    }

    #[derive(Deserialize)]
    pub struct Telecom<'a> {
        #[serde(borrow)]
        pub system: S<'a>,
        #[serde(borrow)]
        pub value: S<'a>,
        #[serde(rename = "use", borrow)]
        pub used_as: S<'a>,
    }

    #[derive(Deserialize)]
    pub struct S<'a> {
        #[serde(rename = "S", borrow)]
        pub text: Cow<'a, str>,
    }

    #[derive(Deserialize)]
    pub struct N<'a> {
        #[serde(rename = "N", borrow)]
        pub number: Cow<'a, str>,
    }

    #[derive(Deserialize)]
    pub struct Bool {
        #[serde(rename = "BOOL")]
        pub value: bool,
    }

    #[derive(Deserialize)]
    pub struct M<T> {
        #[serde(rename = "M")]
        pub members: T,
    }

    #[derive(Deserialize)]
    pub struct L<T> {
        #[serde(rename = "L")]
        pub elements: Vec<T>,
    }
}

fn typed_parse(batch: &str) -> Vec<typed::Record<'_>> {
    serde_json::from_str(batch).unwrap()
}

fn compare(criterion: &mut Criterion) {
    let batch = batch();
    let codes = CodeMaps::default();
    let mut group =
        criterion.benchmark_group(format!("{RECORDS} records of {} bytes", batch.len() / RECORDS));
    group.throughput(Throughput::Elements(RECORDS as u64));
    let mut events = String::with_capacity(2 * batch.len());
    group.bench_function("to events", |bencher| {
        bencher.iter(|| {
            events.clear();
            to_events(black_box(&batch), &codes, &mut events);
        });
    });
    group.bench_function("typed parse", |bencher| bencher.iter(|| drop(black_box(typed_parse(&batch)))));
    group.finish();
    print_ratio(&batch, &codes);
}

/// The two in turn, so that a busy machine slows both: the median of the rounds' ratios.
fn print_ratio(batch: &str, codes: &CodeMaps) {
    const ROUNDS: usize = 51;
    let mut events = String::with_capacity(2 * batch.len());
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let parse = time(|| drop(black_box(typed_parse(black_box(batch)))));
            let whole = time(|| {
                events.clear();
                to_events(black_box(batch), codes, &mut events);
            });
            parse.as_secs_f64() / whole.as_secs_f64()
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "to events at {:.0} % of the rate of a typed parse (median of {ROUNDS} rounds; {:.0} % to {:.0} % in the middle half)",
        ratios[ROUNDS / 2] * 100.0,
        ratios[ROUNDS / 4] * 100.0,
        ratios[ROUNDS * 3 / 4] * 100.0,
    );
}

fn time(mut run: impl FnMut()) -> Duration {
    let started = Instant::now();
    for _ in 0..20 {
        run();
    }
    started.elapsed()
}

criterion_group!(benches, compare);
criterion_main!(benches);
