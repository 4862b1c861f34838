//! A pipe's dead letters against a mocked stream and bucket.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use aws_sdk_dynamodbstreams::operation::get_records::GetRecordsOutput;
use aws_sdk_dynamodbstreams::operation::get_shard_iterator::{GetShardIteratorError, GetShardIteratorOutput};
use aws_sdk_dynamodbstreams::primitives::DateTime;
use aws_sdk_dynamodbstreams::types::error::TrimmedDataAccessException;
use aws_sdk_dynamodbstreams::types::{
    AttributeValue, OperationType, Record, ShardIteratorType, StreamRecord,
};
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use dead_letter_rescuer::{Config, State, handle};
use domain::change::{DeadLetter, DeadLetterCause};
use metrique::test_util::test_entry_sink;
use serde_json::json;
use tokio::time::Instant;

const STREAM: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/items/stream/1";

fn letter(first: u32, last: u32) -> String {
    json!({
        "context": {"partnerResourceArn": "arn:aws:pipes:p", "condition": "RetryAttemptsExhausted"},
        "version": "1.0", "timestamp": "2026-11-22T07:14:00Z",
        "DDBStreamBatchInfo": {
            "shardId": "shard-1", "startSequenceNumber": first.to_string(), "endSequenceNumber": last.to_string(),
            "approximateArrivalOfFirstRecord": "2026-11-22T07:14:00Z",
            "approximateArrivalOfLastRecord": "2026-11-22T07:14:00Z", "batchSize": 1, "streamArn": STREAM,
        },
    })
    .to_string()
}

fn event(body: &str) -> SqsEvent {
    let mut message = SqsMessage::default();
    message.message_id = Some("m1".to_owned());
    message.body = Some(body.to_owned());
    let mut event = SqsEvent::default();
    event.records = vec![message];
    event
}

fn record(number: u32) -> Record {
    let key = AttributeValue::S("PATIENT#1".to_owned());
    let change = StreamRecord::builder()
        .approximate_creation_date_time(DateTime::from_secs(1_795_331_640))
        .keys("id", key.clone())
        .keys("sk", key.clone())
        .new_image("id", key)
        .new_image("amount", AttributeValue::N("1.10".to_owned()))
        .sequence_number(number.to_string())
        .build();
    Record::builder()
        .event_id(format!("e{number}"))
        .event_name(OperationType::Insert)
        .dynamodb(change)
        .build()
}

/// A shard that holds the records 1 to 12, five to a page, with an empty page between.
fn shard() -> [Rule; 2] {
    let iterator =
        mock!(aws_sdk_dynamodbstreams::Client::get_shard_iterator).then_compute_output(|request| {
            assert_eq!(request.shard_id(), Some("shard-1"));
            let start = match request.shard_iterator_type() {
                Some(ShardIteratorType::AtSequenceNumber) => request.sequence_number().unwrap(),
                _ => "1",
            };
            GetShardIteratorOutput::builder().shard_iterator(start).build()
        });
    let records = mock!(aws_sdk_dynamodbstreams::Client::get_records).then_compute_output(|request| {
        let iterator = request.shard_iterator().unwrap();
        if let Some(rest) = iterator.strip_prefix("empty-") {
            return GetRecordsOutput::builder().next_shard_iterator(rest).build();
        }
        let start: u32 = iterator.parse().unwrap();
        let page: Vec<Record> = (start..=12).take(5).map(record).collect();
        GetRecordsOutput::builder()
            .set_records(Some(page))
            .next_shard_iterator(format!("empty-{}", start + 5))
            .build()
    });
    [iterator, records]
}

type Stored = Arc<Mutex<Vec<(String, String)>>>;

fn bucket() -> (Rule, Stored) {
    let stored = Stored::default();
    let rule = {
        let stored = stored.clone();
        mock!(aws_sdk_s3::Client::put_object)
            .match_requests(move |request| {
                let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
                stored.lock().unwrap().push((request.key().unwrap().to_owned(), body));
                request.bucket() == Some("dead-letters")
            })
            .then_output(|| PutObjectOutput::builder().build())
    };
    (rule, stored)
}

fn state(streams: &[&Rule], s3: &[&Rule]) -> State {
    State {
        streams: mock_client!(aws_sdk_dynamodbstreams, RuleMode::MatchAny, streams),
        s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, s3),
        config: Config { dead_letter_bucket_name: "dead-letters".to_owned() },
        metrics: test_entry_sink().sink,
    }
}

async fn failed(state: &State, body: &str) -> usize {
    let until = Instant::now() + Duration::from_secs(30);
    handle(state, event(body), until).await.batch_item_failures.len()
}

fn sequence_numbers(stored: &Stored) -> Vec<u32> {
    let stored = stored.lock().unwrap();
    let mut numbers: Vec<u32> = stored
        .iter()
        .map(|(key, body)| {
            let letter: DeadLetter<'_> = serde_json::from_str(body).unwrap();
            assert_eq!(*key, DeadLetter::object_key(&letter.record_id));
            let record: serde_json::Value = serde_json::from_str(letter.record.get()).unwrap();
            assert_eq!(record["dynamodb"]["NewImage"]["amount"], json!({"N": "1.10"}), "not whole");
            assert_eq!(record["eventSourceARN"], STREAM);
            let expected = DeadLetterCause::PipeGaveUp { condition: "RetryAttemptsExhausted".to_owned() };
            assert_eq!(letter.cause, expected);
            record["dynamodb"]["SequenceNumber"].as_str().unwrap().parse().unwrap()
        })
        .collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn i1_the_range_is_rescued_whole_and_nothing_beyond_it() {
    for (first, last) in [(3, 11), (4, 4), (1, 12), (11, 3)] {
        let [iterator, records] = shard();
        let (bucket, stored) = bucket();
        assert_eq!(failed(&state(&[&iterator, &records], &[&bucket]), &letter(first, last)).await, 0);
        let expected: Vec<u32> = (first.min(last)..=first.max(last)).collect();
        assert_eq!(sequence_numbers(&stored), expected);
    }
}

#[tokio::test]
async fn i1_of_a_range_that_the_stream_has_half_forgotten_the_rest_is_saved_and_somebody_is_told() {
    let trimmed = mock!(aws_sdk_dynamodbstreams::Client::get_shard_iterator)
        .match_requests(|request| request.shard_iterator_type() == Some(&ShardIteratorType::AtSequenceNumber))
        .then_error(|| {
            GetShardIteratorError::TrimmedDataAccessException(TrimmedDataAccessException::builder().build())
        });
    let [iterator, records] = shard();
    let (bucket, stored) = bucket();
    assert_eq!(failed(&state(&[&trimmed, &iterator, &records], &[&bucket]), &letter(0, 6)).await, 1);
    assert_eq!(sequence_numbers(&stored), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_message_comes_again_where_the_bucket_is_down_or_the_message_is_another() {
    let [iterator, records] = shard();
    let down = mock!(aws_sdk_s3::Client::put_object)
        .then_error(|| aws_sdk_s3::operation::put_object::PutObjectError::unhandled("down"));
    assert_eq!(failed(&state(&[&iterator, &records], &[&down]), &letter(1, 2)).await, 1);
    assert_eq!(failed(&state(&[], &[]), "{}").await, 1);
}
