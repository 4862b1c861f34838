//! Recorded batches against a mocked table and bucket.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::ProvisionedThroughputExceededException;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::change::{Outcome, Payload, RejectReason};
use domain::fhir::CodeMaps;
use metrique::test_util::test_entry_sink;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use stream_enricher::{ANSWER_BYTES, Config, EnricherError, State, handle};

fn recorded(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/events/stream").join(name);
    let batch: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    batch.into_iter().next().unwrap()
}

fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap()
}

fn state(dynamodb: &[&Rule], s3: &[&Rule]) -> State {
    State {
        dynamodb: mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, dynamodb),
        s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, s3),
        config: Config {
            items_table_name: "items".to_owned(),
            claim_check_bucket_name: "claim-check".to_owned(),
            codes: CodeMaps::default(),
        },
        metrics: test_entry_sink().sink,
    }
}

fn empty_table() -> Rule {
    mock!(aws_sdk_dynamodb::Client::query).then_output(|| QueryOutput::builder().build())
}

/// Whether this is the query for patient 1's items under that prefix.
fn asks_for(request: &QueryInput, prefix: &str) -> bool {
    let value = |name: &str| request.expression_attribute_values()?.get(name)?.as_s().ok().cloned();
    request.consistent_read() == Some(true)
        && request.limit().is_some()
        && value(":id").as_deref() == Some("PATIENT#1")
        && value(":prefix").as_deref() == Some(prefix)
}

/// A table that holds patient 1 with one address.
fn table_with_a_patient() -> [Rule; 2] {
    let item = |members: &[(&str, &str)]| {
        members
            .iter()
            .map(|(name, text)| ((*name).to_owned(), AttributeValue::S((*text).to_owned())))
            .collect::<HashMap<_, _>>()
    };
    let query_of = |prefix: &'static str| {
        mock!(aws_sdk_dynamodb::Client::query).match_requests(move |request| asks_for(request, prefix))
    };
    let patient =
        item(&[("id", "PATIENT#1"), ("sk", "PATIENT#1"), ("itemType", "Patient"), ("birthDate", "1980")]);
    let address =
        item(&[("id", "PATIENT#1"), ("sk", "ADDRESS#9"), ("itemType", "Address"), ("city", "Elsewhere")]);
    [
        query_of("PATIENT#").then_output(move || QueryOutput::builder().items(patient.clone()).build()),
        query_of("ADDRESS#").then_output(move || QueryOutput::builder().items(address.clone()).build()),
    ]
}

async fn outcomes(state: &State, batch: &Value) -> Vec<Box<RawValue>> {
    let answer = handle(state, &raw(batch)).await.unwrap();
    serde_json::from_str(answer.get()).unwrap()
}

fn event(outcome: &RawValue) -> Value {
    let outcome: Outcome<'_> = serde_json::from_str(outcome.get()).unwrap();
    match outcome.payload() {
        Some((_, _, Payload::Enriched(event))) => serde_json::from_str(event.get()).unwrap(),
        other => panic!("no event: {other:?}"),
    }
}

#[tokio::test]
async fn the_answer_has_one_outcome_for_each_record_in_their_order() {
    let names =
        ["encounter-modify", "patient-unreadable", "address-insert", "observation-insert", "patient-remove"];
    let batch: Vec<Value> = names.iter().map(|name| recorded(&format!("{name}.json"))).collect();
    let state = state(&[&empty_table()], &[]);
    let answer = handle(&state, &raw(&json!(batch))).await.unwrap();
    let answer: Vec<Value> = serde_json::from_str(answer.get()).unwrap();
    let ids = |records: &[Value]| records.iter().map(|it| it["eventID"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&answer), ids(&batch));
    assert_eq!(answer[1]["rejected"]["record"], batch[1], "a rejected record is whole");
}

#[tokio::test]
async fn an_address_carries_its_patient_as_it_stands() {
    let [patients, addresses] = table_with_a_patient();
    let state = state(&[&patients, &addresses], &[]);
    let batch = json!([recorded("address-insert.json"), recorded("address-remove.json")]);
    let outcomes = outcomes(&state, &batch).await;
    let fhir = &event(&outcomes[0])["fhir"];
    assert_eq!(fhir["birthDate"], "1980");
    assert_eq!(fhir["address"].as_array().unwrap().len(), 2, "its own and the one of the table: {fhir}");
    assert_eq!(event(&outcomes[1])["fhir"]["address"].as_array().unwrap().len(), 1);
    assert_eq!(patients.num_calls(), 1, "one query per patient and batch");
    assert_eq!(addresses.num_calls(), 1);
}

#[tokio::test]
async fn a_change_of_the_patient_brings_the_patient_and_reads_the_addresses_alone() {
    let [patients, addresses] = table_with_a_patient();
    let state = state(&[&patients, &addresses], &[]);
    let outcomes = outcomes(&state, &json!([recorded("patient-insert.json")])).await;
    let fhir = &event(&outcomes[0])["fhir"];
    assert_eq!(fhir["address"][0]["city"], "Elsewhere");
    assert_ne!(fhir["birthDate"], "1980", "the table's patient is not asked for");
    assert_eq!((patients.num_calls(), addresses.num_calls()), (0, 1));
}

#[tokio::test]
async fn of_a_patient_that_is_needed_once_and_its_addresses_twice_each_is_read_once() {
    for names in
        [["patient-insert.json", "address-insert.json"], ["address-insert.json", "patient-insert.json"]]
    {
        let [patients, addresses] = table_with_a_patient();
        let state = state(&[&patients, &addresses], &[]);
        let outcomes = outcomes(&state, &json!(names.map(recorded))).await;
        assert!(outcomes.iter().all(|outcome| event(outcome).get("fhir").is_some()));
        assert_eq!((patients.num_calls(), addresses.num_calls()), (1, 1), "{names:?}");
    }
}

/// As DynamoDB pages: at most as many as the limit, and a next key wherever it stopped at that, even behind the last one.
fn table_with_addresses(count: usize) -> [Rule; 2] {
    let text = AttributeValue::S;
    let key_of = move |number: usize| {
        HashMap::from([
            ("id".to_owned(), text("PATIENT#1".to_owned())),
            ("sk".to_owned(), text(format!("ADDRESS#{number:03}"))),
        ])
    };
    let [patients, _] = table_with_a_patient();
    let addresses = mock!(aws_sdk_dynamodb::Client::query)
        .match_requests(|request| asks_for(request, "ADDRESS#"))
        .then_compute_output(move |request| {
            let limit = usize::try_from(request.limit().unwrap()).unwrap();
            let read = count.min(limit);
            let items = (0..read).map(|number| {
                let mut item = key_of(number);
                item.insert("city".to_owned(), text(format!("Town {number}")));
                item
            });
            QueryOutput::builder()
                .set_items(Some(items.collect()))
                .set_last_evaluated_key((read == limit).then(|| key_of(read - 1)))
                .build()
        });
    [patients, addresses]
}

#[tokio::test]
async fn a_patient_is_marked_as_a_part_where_addresses_were_left_out_and_nowhere_else() {
    for (stored, carried, tag) in [
        (49, 49, Value::Null),
        (50, 50, Value::Null),
        (51, 50, json!("SUBSETTED")),
        (200, 50, json!("SUBSETTED")),
    ] {
        let [patients, addresses] = table_with_addresses(stored);
        let state = state(&[&patients, &addresses], &[]);
        let outcomes = outcomes(&state, &json!([recorded("patient-insert.json")])).await;
        let fhir = &event(&outcomes[0])["fhir"];
        assert_eq!(fhir["address"].as_array().unwrap().len(), carried, "of {stored}");
        assert_eq!(fhir["meta"]["tag"][0]["code"], tag, "of {stored}");
    }
}

#[tokio::test]
async fn without_a_patient_there_is_no_fhir_and_no_reject() {
    let state = state(&[&empty_table()], &[]);
    let outcomes = outcomes(&state, &json!([recorded("address-insert.json")])).await;
    assert!(event(&outcomes[0]).get("fhir").is_none());
}

#[tokio::test]
async fn other_types_and_removed_patients_read_nothing_needless() {
    let table = empty_table();
    let state = state(&[&table], &[]);
    let names = ["encounter-modify.json", "unknown-type-insert.json", "patient-remove.json"];
    outcomes(&state, &json!(names.map(recorded))).await;
    assert_eq!(table.num_calls(), 0);
}

#[tokio::test]
async fn i3_garbage_among_a_hundred_records_is_one_reject() {
    let mut batch: Vec<Value> = (0..100)
        .map(|number| {
            let mut record = recorded("observation-insert.json");
            record["eventID"] = json!(format!("e{number}"));
            record
        })
        .collect();
    batch[37] = json!({"eventID": "e37", "dynamodb": "garbage"});
    let state = state(&[], &[]);
    let outcomes = outcomes(&state, &json!(batch)).await;
    let rejected: Vec<(String, RejectReason)> = outcomes
        .iter()
        .filter_map(|outcome| {
            let outcome: Outcome<'_> = serde_json::from_str(outcome.get()).unwrap();
            match outcome.payload() {
                Some((event_id, _, Payload::Rejected(rejected))) => {
                    Some((event_id.into_owned(), rejected.reason))
                }
                _ => None,
            }
        })
        .collect();
    assert_eq!(outcomes.len(), 100);
    assert_eq!(rejected, [("e37".to_owned(), RejectReason::RecordUnreadable)]);
}

#[tokio::test]
async fn a_table_that_is_down_fails_the_batch_and_says_which_call() {
    let table = mock!(aws_sdk_dynamodb::Client::query).then_error(|| {
        aws_sdk_dynamodb::operation::query::QueryError::ProvisionedThroughputExceededException(
            ProvisionedThroughputExceededException::builder().message("for key Ngozi").build(),
        )
    });
    let state = state(&[&table], &[]);
    let error = handle(&state, &raw(&json!([recorded("address-insert.json")]))).await.unwrap_err();
    assert!(matches!(error, EnricherError::Dependency(_)), "{error:?}");
    assert!(error.to_string().starts_with("dynamodb:Query failed"), "{error}");
    assert!(!error.to_string().contains("Ngozi"), "i6: {error}");
}

#[tokio::test]
async fn what_is_no_batch_is_an_error() {
    let state = state(&[], &[]);
    for payload in [json!({}), json!(null), json!("text")] {
        assert!(
            matches!(handle(&state, &raw(&payload)).await, Err(EnricherError::BatchUnreadable)),
            "{payload}"
        );
    }
}

#[tokio::test]
async fn i7_what_would_take_the_answer_past_its_limit_goes_through_s3() {
    let stored = Arc::new(Mutex::new(Vec::new()));
    let bucket = {
        let stored = stored.clone();
        mock!(aws_sdk_s3::Client::put_object)
            .match_requests(move |request| {
                stored.lock().unwrap().push(request.key().unwrap_or_default().to_owned());
                request.bucket() == Some("claim-check")
            })
            .then_output(|| PutObjectOutput::builder().build())
    };
    let state = state(&[], &[&bucket]);
    let mut batch: Vec<Value> = (0..15)
        .map(|number| {
            let mut record = recorded("observation-insert.json");
            record["eventID"] = json!(format!("e{number}"));
            record["dynamodb"]["NewImage"]["notes"] = json!({"S": "x".repeat(390 * 1024)});
            record
        })
        .collect();
    batch[14]["dynamodb"]["NewImage"]["status"] = json!({"S": "no such status"});
    let answer = handle(&state, &raw(&json!(batch))).await.unwrap();
    assert!(answer.get().len() < ANSWER_BYTES + 64 * 1024, "{}", answer.get().len());
    let answer: Vec<Value> = serde_json::from_str(answer.get()).unwrap();
    assert_eq!(answer.len(), 15);
    let referring = &answer[13]["event"];
    let key = referring["dataRef"]["key"].as_str().unwrap();
    assert_eq!(key, format!("changes/{}.json", referring["meta"]["id"].as_str().unwrap()));
    let reject_key = answer[14]["rejected"]["recordRef"]["key"].as_str().unwrap();
    assert!(reject_key.starts_with("rejects/"), "{reject_key}");
    let stored = stored.lock().unwrap();
    assert!(stored.iter().any(|stored| stored == key) && stored.iter().any(|stored| stored == reject_key));
}
