//! Where the record of a failed invocation goes, and what it says (AWS Lambda developer guide, "Retain discarded records
//! for a DynamoDB event source in Lambda").

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Event;
use crate::runner::consumer::GivenUp;
use crate::runner::{Clients, batch_info, queue};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    Bucket { name: String },
    Queue { arn: String },
}

/// Records of a mapping that nobody will try again.
pub(super) struct FailedInvocation<'a> {
    pub uuid: &'a str,
    pub function_arn: &'a str,
    pub stream_arn: &'a str,
    pub shard: &'a str,
    pub given_up: &'a GivenUp<'a>,
}

impl Destination {
    pub(super) fn of_arn(arn: &str) -> Result<Self> {
        if let Some(name) = arn.strip_prefix("arn:aws:s3:::") {
            Ok(Self::Bucket { name: name.to_owned() })
        } else if arn.starts_with("arn:aws:sqs:") {
            Ok(Self::Queue { arn: arn.to_owned() })
        } else {
            bail!("only buckets and queues can be on-failure destinations here, not {arn}");
        }
    }

    pub(super) async fn send(&self, clients: &Clients, failed: &FailedInvocation<'_>) -> Result<()> {
        let now = Timestamp::now();
        let mut record = failed.record(now);
        match self {
            Self::Queue { arn } => queue::send(&clients.sqs, arn, record.to_string()).await,
            Self::Bucket { name } => {
                // Only a bucket gets the records themselves, as JSON within a text.
                let event = serde_json::to_string(&Event::of(failed.given_up.records))?;
                record["payload"] = Value::String(event);
                clients
                    .s3
                    .put_object()
                    .bucket(name)
                    .key(failed.object_key(now))
                    .content_type("application/json")
                    .body(record.to_string().into_bytes().into())
                    .send()
                    .await
                    .context("writing to the on-failure destination")?;
                Ok(())
            }
        }
    }
}

impl FailedInvocation<'_> {
    fn record(&self, now: Timestamp) -> Value {
        let response = self.given_up.response;
        let mut record = json!({
            "requestContext": {
                "requestId": response.and_then(|response| response.request_id.clone()),
                "functionArn": self.function_arn,
                "condition": self.given_up.condition.word(),
                "approximateInvokeCount": self.given_up.invocations,
            },
            "version": "1.0",
            "timestamp": format!("{now:.3}"),
            "DDBStreamBatchInfo": batch_info::of(self.stream_arn, self.shard, self.given_up.records),
        });
        if let Some(response) = response {
            record["responseContext"] = json!({
                "statusCode": response.status_code,
                "executedVersion": response.executed_version,
            });
            if let Some(error) = &response.function_error {
                record["responseContext"]["functionError"] = json!(error);
            }
        }
        record
    }

    fn object_key(&self, now: Timestamp) -> String {
        let Self { uuid, shard, .. } = self;
        format!("aws/lambda/{uuid}/{shard}/{}-{}", now.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S"), random_uuid())
    }
}

/// RFC 9562, version 4.
fn random_uuid() -> String {
    let version_and_variant = (0xf000 << 64) | (0b11 << 62);
    let random = fastrand::u128(..) & !version_and_variant | (0x4000 << 64) | (0b10 << 62);
    let mut uuid = format!("{random:032x}");
    for dash in [20, 16, 12, 8] {
        uuid.insert(dash, '-');
    }
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::batch::tests::records;
    use crate::runner::retries::Condition;

    #[test]
    fn what_failed_is_described_as_lambda_describes_it() {
        let records = records(["41", "42"]);
        let condition = Condition::RecordAgeExceeded;
        let failed = FailedInvocation {
            uuid: "mapping",
            function_arn: "arn:function",
            stream_arn: "arn:stream",
            shard: "shard-1",
            given_up: &GivenUp { records: &records, condition, invocations: 3, response: None },
        };
        let now: Timestamp = "2026-11-22T07:04:05.9Z".parse().unwrap();
        assert_eq!(
            failed.record(now),
            json!({
                "requestContext": {
                    "requestId": null, "functionArn": "arn:function", "condition": "RecordAgeExceeded",
                    "approximateInvokeCount": 3,
                },
                "version": "1.0",
                "timestamp": "2026-11-22T07:04:05.900Z",
                "DDBStreamBatchInfo": {
                    "shardId": "shard-1", "startSequenceNumber": "41", "endSequenceNumber": "42",
                    "approximateArrivalOfFirstRecord": "1970-01-01T00:00:00Z",
                    "approximateArrivalOfLastRecord": "1970-01-01T00:00:00Z",
                    "batchSize": 2, "streamArn": "arn:stream",
                },
            })
        );
        let key = failed.object_key(now);
        let uuid = key.strip_prefix("aws/lambda/mapping/shard-1/2026/11/22/2026-11-22T07.04.05-").unwrap();
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
        assert!(uuid[14..].starts_with('4') && uuid[19..].starts_with(['8', '9', 'a', 'b']), "{uuid}");
        assert_ne!(key, failed.object_key(now));
    }

    #[test]
    fn a_destination_is_known_by_its_arn() {
        let bucket = Destination::of_arn("arn:aws:s3:::name").unwrap();
        assert_eq!(bucket, Destination::Bucket { name: "name".to_owned() });
        assert!(matches!(Destination::of_arn("arn:aws:sqs:a:b:name").unwrap(), Destination::Queue { .. }));
        assert!(Destination::of_arn("arn:aws:sns:a:b:name").is_err());
    }
}
