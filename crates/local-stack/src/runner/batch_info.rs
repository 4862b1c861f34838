//! `DDBStreamBatchInfo`: what dead letters and records for on-failure destinations say of a batch.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::batch::Record;

pub(crate) fn of(stream_arn: &str, shard: &str, records: &[Record]) -> Value {
    let sequence_number = |record: Option<&Record>| record.map(|record| record.sequence_number.clone());
    let arrival = |record: Option<&Record>| {
        record.and_then(|record| Timestamp::from_second(record.created_at).ok()).map(|time| time.to_string())
    };
    let (first, last) = (records.first(), records.last());
    json!({
        "shardId": shard,
        "startSequenceNumber": sequence_number(first),
        "endSequenceNumber": sequence_number(last),
        "approximateArrivalOfFirstRecord": arrival(first),
        "approximateArrivalOfLastRecord": arrival(last),
        "batchSize": records.len(),
        "streamArn": stream_arn,
    })
}
