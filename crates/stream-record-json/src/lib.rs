//! A record of the DynamoDB Streams API, in the form in which Pipes and Lambda hand records on.
//!
//! Whoever reads a stream by itself needs this to hand on what Pipes or Lambda would have handed on.
//! The two differ in the spelling of `userIdentity`'s members, in how times are written, and in `eventSourceARN`, which
//! the Streams API leaves out.

use std::collections::HashMap;

use aws_sdk_dynamodbstreams::types::{AttributeValue, OperationType, Record, StreamViewType};
use serde::Serialize;
use serde_dynamo::Item;
use serde_json::value::RawValue;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PipeRecord<'a> {
    #[serde(rename = "eventID")]
    event_id: Option<String>,
    event_name: Option<&'a str>,
    event_version: Option<String>,
    event_source: Option<String>,
    aws_region: Option<String>,
    dynamodb: PipeChange<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_identity: Option<PipeIdentity>,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PipeChange<'a> {
    approximate_creation_date_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_image: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_image: Option<Item>,
    sequence_number: Option<String>,
    size_bytes: Option<i64>,
    stream_view_type: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PipeIdentity {
    r#type: Option<String>,
    principal_id: Option<String>,
}

/// `None` where the record holds no change.
#[must_use]
pub fn to_pipe_json(record: Record, stream_arn: &str) -> Option<Box<RawValue>> {
    let change = record.dynamodb?;
    let item = |image: Option<HashMap<String, AttributeValue>>| image.map(Item::from);
    serde_json::value::to_raw_value(&PipeRecord {
        event_id: record.event_id,
        event_name: record.event_name.as_ref().map(OperationType::as_str),
        event_version: record.event_version,
        event_source: record.event_source,
        aws_region: record.aws_region,
        dynamodb: PipeChange {
            approximate_creation_date_time: change.approximate_creation_date_time.map(|time| time.secs()),
            keys: item(change.keys),
            new_image: item(change.new_image),
            old_image: item(change.old_image),
            sequence_number: change.sequence_number,
            size_bytes: change.size_bytes,
            stream_view_type: change.stream_view_type.as_ref().map(StreamViewType::as_str),
        },
        user_identity: record
            .user_identity
            .map(|identity| PipeIdentity { r#type: identity.r#type, principal_id: identity.principal_id }),
        event_source_arn: stream_arn,
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodbstreams::primitives::{Blob, DateTime};
    use aws_sdk_dynamodbstreams::types::{Identity, StreamRecord};

    use super::*;

    #[test]
    fn a_record_of_the_streams_api_is_written_as_pipes_writes_it() {
        let change = StreamRecord::builder()
            .approximate_creation_date_time(DateTime::from_secs(1_795_331_640))
            .keys("id", AttributeValue::S("PATIENT#1".to_owned()))
            .old_image("amount", AttributeValue::N("1.10".to_owned()))
            .old_image("photo", AttributeValue::B(Blob::new("hello")))
            .sequence_number("100000000000000000001")
            .size_bytes(42)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build();
        let identity = Identity::builder().r#type("Service").principal_id("dynamodb.amazonaws.com").build();
        let record = Record::builder()
            .event_id("e1")
            .event_name(OperationType::Remove)
            .event_version("1.1")
            .event_source("aws:dynamodb")
            .aws_region("eu-west-1")
            .dynamodb(change)
            .user_identity(identity)
            .build();
        let json = to_pipe_json(record, "arn:stream").unwrap();
        let written: serde_json::Value = serde_json::from_str(json.get()).unwrap();
        assert_eq!(
            written,
            serde_json::json!({
                "eventID": "e1", "eventName": "REMOVE", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
                "awsRegion": "eu-west-1", "eventSourceARN": "arn:stream",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_795_331_640_u32,
                    "Keys": {"id": {"S": "PATIENT#1"}},
                    "OldImage": {"amount": {"N": "1.10"}, "photo": {"B": "aGVsbG8="}},
                    "SequenceNumber": "100000000000000000001", "SizeBytes": 42,
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
                "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
            })
        );
    }
}
