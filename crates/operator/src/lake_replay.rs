//! `lake replay`: what did not get into the lake, sent through the lake's writer again.
//!
//! It lies in the dead-letter bucket in two forms: batches that Lambda gave up, and records that the writer could not read.
//! Both go to the writer as Lambda would bring them, and leave the bucket only when it has written them.
//!
//! The pipe's dead letters are replayed by a function, so that no data come to an operator's machine (decision 0006). These
//! are replayed from here: the function would need rights on the lake's writer and on Lambda's own prefix that the pipe's
//! replay does not need, and whoever tends the lake by `lake backfill` has its data on this machine already. Beyond those
//! rights this takes listing, reading and deleting under the two prefixes, and `lambda:InvokeFunction` on the writer. It
//! decides nothing of a row: the deployed writer does. No data touch the disk, and none are printed.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;

use anyhow::{Result, bail};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_s3::primitives::DateTime;
use domain::change::{DEAD_PREFIX, DeadLetter};
use domain::lake::LakeRecord;
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_support::dependency::DependencyError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Target;
use crate::lake_deployment::LakeDeployment;

/// Where Lambda puts what it gave up (AWS Lambda developer guide, "Retain discarded records for a DynamoDB event source in
/// Lambda").
const BATCHES_PREFIX: &str = "aws/lambda/";

/// Of one invocation, less some room (AWS Lambda developer guide, "Lambda quotas": 6 MB).
const INVOCATION_BYTES: i64 = 5_900_000;
/// As many records as the event source mapping may bring.
const INVOCATION_LETTERS: usize = 1_000;

const CONCURRENCY: usize = 16;

pub async fn run(target: &Target) -> Result<ExitCode> {
    let deployment = LakeDeployment::find(target).await?;
    let replay = Replay {
        s3: deployment.s3(),
        lambda: deployment.lambda.clone(),
        bucket: deployment.dead_letter_bucket.clone(),
        writer: deployment.writer.clone(),
    };
    let mut report = Report::default();
    let replayed = replay.all(&mut report).await;
    report.print(&deployment.writer);
    replayed?;
    Ok(if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Replay {
    s3: aws_sdk_s3::Client,
    lambda: aws_sdk_lambda::Client,
    bucket: String,
    writer: String,
}

/// What became of the objects.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    /// Batches that are gone from the bucket.
    batches: usize,
    /// Letters that are gone from the bucket.
    letters: usize,
    /// Letters whose record still cannot be read, by reason; they stay.
    rejected: BTreeMap<String, usize>,
    /// Batches of other functions; they stay.
    of_others: usize,
    /// Objects that the writer did not take, or that are no such objects; they stay.
    failed: usize,
}

/// An object that was listed.
struct Listed {
    key: String,
    bytes: i64,
}

/// Which writing of an object it is. A bucket without versions tells it by the rest.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    id: Option<String>,
    etag: Option<String>,
    modified: Option<DateTime>,
}

/// A letter whose record can be read now.
struct Letter {
    key: String,
    version: Version,
    sequence_number: String,
    record: Box<RawValue>,
}

#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "Records")]
    records: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure {
    item_identifier: String,
}

impl Replay {
    async fn all(&self, report: &mut Report) -> Result<()> {
        for batch in self.list(BATCHES_PREFIX, false).await? {
            self.batch(&batch.key, report).await?;
        }
        let mut letters: Vec<Listed> = Vec::new();
        let mut bytes = 0;
        for letter in self.list(&format!("{DEAD_PREFIX}lake/"), true).await? {
            bytes += letter.bytes;
            if !letters.is_empty() && (bytes > INVOCATION_BYTES || letters.len() >= INVOCATION_LETTERS) {
                bytes = letter.bytes;
                self.letters(std::mem::take(&mut letters), report).await?;
            }
            letters.push(letter);
        }
        self.letters(letters, report).await
    }

    async fn list(&self, prefix: &str, flat: bool) -> Result<Vec<Listed>> {
        let request = self.s3.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = request.set_delimiter(flat.then(|| "/".to_owned())).into_paginator().send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| DependencyError::of("s3:ListBucket", &error))?;
            listed.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| {
                Some(Listed { key: object.key?, bytes: object.size.unwrap_or_default() })
            }));
        }
        Ok(listed)
    }

    /// Invokes the writer with the batch that an object holds, and removes it once all of it is written.
    async fn batch(&self, key: &str, report: &mut Report) -> Result<()> {
        let Some((_, json)) = self.get(key).await? else { return Ok(()) };
        match Discarded::read(&json, &self.writer) {
            None => {
                println!("{key} is no record of a failed invocation; it stays");
                report.failed += 1;
            }
            Some(Discarded::OfAnother) => report.of_others += 1,
            Some(Discarded::Batch(payload)) => match self.invoke(payload.into_owned().into_bytes()).await? {
                Ok(failures) if failures.is_empty() => {
                    self.delete(key).await?;
                    report.batches += 1;
                }
                Ok(failures) => {
                    println!("{key}: {} records are not written; it stays", failures.len());
                    report.failed += 1;
                }
                Err(error_type) => {
                    println!("{key}: the writer failed ({error_type}); it stays");
                    report.failed += 1;
                }
            },
        }
        Ok(())
    }

    /// Invokes the writer with the records of letters, and removes those of which it has written the record.
    async fn letters(&self, listed: Vec<Listed>, report: &mut Report) -> Result<()> {
        let read: Vec<Option<(String, Version, String)>> = stream::iter(listed)
            .map(|Listed { key, .. }| async move {
                let read = self.get(&key).await?;
                Ok::<_, DependencyError>(read.map(|(version, json)| (key, version, json)))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        let mut letters = Vec::new();
        for (key, version, json) in read.into_iter().flatten() {
            let Ok(letter) = serde_json::from_str::<DeadLetter<'_>>(&json) else {
                println!("{key} is no dead letter; it stays");
                report.failed += 1;
                continue;
            };
            // The writer would put it back under the same key.
            let decoded = LakeRecord::decode(letter.record.get());
            match decoded.and_then(|record| record.row().map(|_| record.sequence_number.into_owned())) {
                Ok(sequence_number) => {
                    let record = letter.record.to_owned();
                    letters.push(Letter { key, version, sequence_number, record });
                }
                Err(reject) => *report.rejected.entry(reject.to_string()).or_default() += 1,
            }
        }
        if letters.is_empty() {
            return Ok(());
        }
        let event = Event { records: letters.iter().map(|letter| &*letter.record).collect() };
        match self.invoke(serde_json::to_vec(&event)?).await? {
            Err(error_type) => {
                println!("{} letters: the writer failed ({error_type}); they stay", letters.len());
                report.failed += letters.len();
            }
            Ok(failures) => {
                let (failed, written): (Vec<_>, Vec<_>) =
                    letters.into_iter().partition(|letter| failures.contains(&letter.sequence_number));
                report.failed += failed.len();
                let removed: Vec<bool> = stream::iter(written)
                    .map(|letter| self.remove(letter))
                    .buffered(CONCURRENCY)
                    .try_collect()
                    .await?;
                for removed in removed {
                    if removed {
                        report.letters += 1;
                    } else {
                        let reason =
                            "the deployed writer cannot read it: is it of an older release?".to_owned();
                        *report.rejected.entry(reason).or_default() += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes a letter, unless the writer has put it back. Answers which.
    async fn remove(&self, letter: Letter) -> Result<bool, DependencyError> {
        let head = self
            .s3
            .head_object()
            .bucket(&self.bucket)
            .key(&letter.key)
            .send()
            .await
            .map_err(|error| DependencyError::of("s3:GetObject", &error))?;
        let version = Version { id: head.version_id, etag: head.e_tag, modified: head.last_modified };
        if version != letter.version {
            return Ok(false);
        }
        self.delete(&letter.key).await?;
        Ok(true)
    }

    /// `None` where it is gone: somebody else has replayed it.
    async fn get(&self, key: &str) -> Result<Option<(Version, String)>, DependencyError> {
        let operation = "s3:GetObject";
        let object = match self.s3.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) => {
                let error = DependencyError::of(operation, &error);
                return if error.code == "NoSuchKey" { Ok(None) } else { Err(error) };
            }
        };
        let failed = |code: &str| DependencyError { operation, code: code.to_owned() };
        let version = Version { id: object.version_id, etag: object.e_tag, modified: object.last_modified };
        let body = object.body.collect().await.map_err(|_| failed("the body broke off"))?;
        let json = String::from_utf8(body.to_vec()).map_err(|_| failed("the body is no UTF-8"))?;
        Ok(Some((version, json)))
    }

    async fn delete(&self, key: &str) -> Result<(), DependencyError> {
        let deleted = self.s3.delete_object().bucket(&self.bucket).key(key).send().await;
        deleted.map(drop).map_err(|error| DependencyError::of("s3:DeleteObject", &error))
    }

    /// The sequence numbers of what was not written, or how the writer failed.
    async fn invoke(&self, payload: Vec<u8>) -> Result<Result<HashSet<String>, String>> {
        let output = self
            .lambda
            .invoke()
            .function_name(&self.writer)
            .payload(Blob::new(payload))
            .send()
            .await
            .map_err(|error| DependencyError::of("lambda:InvokeFunction", &error))?;
        if let Some(error_type) = output.function_error {
            return Ok(Err(error_type));
        }
        let answer = output.payload.map(Blob::into_inner).unwrap_or_default();
        let Ok(answer) = serde_json::from_slice::<Answer>(&answer) else {
            bail!("{} gave an answer of another form: is it of another release?", self.writer);
        };
        Ok(Ok(answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()))
    }
}

/// What an object under [`BATCHES_PREFIX`] holds.
enum Discarded<'a> {
    /// The event that the function did not take.
    Batch(Cow<'a, str>),
    OfAnother,
}

impl<'a> Discarded<'a> {
    fn read(json: &'a str, writer: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            request_context: RequestContext,
            #[serde(borrow)]
            payload: &'a RawValue,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct RequestContext {
            function_arn: String,
        }
        #[derive(Deserialize)]
        struct Records {
            #[serde(rename = "Records")]
            _records: Vec<serde::de::IgnoredAny>,
        }

        let wire: Wire<'a> = serde_json::from_str(json).ok()?;
        // arn:aws:lambda:region:account:function:name, and perhaps :version.
        if wire.request_context.function_arn.split(':').nth(6) != Some(writer) {
            return Some(Self::OfAnother);
        }
        let payload = wire.payload.get();
        // The guide shows a text; an object would be as good.
        let event = if payload.starts_with('"') {
            Cow::Owned(serde_json::from_str::<String>(payload).ok()?)
        } else {
            Cow::Borrowed(payload)
        };
        serde_json::from_str::<Records>(&event).ok()?;
        Some(Self::Batch(event))
    }
}

impl Report {
    fn print(&self, writer: &str) {
        println!("{} batches and {} dead letters replayed", self.batches, self.letters);
        for (reason, count) in &self.rejected {
            println!("{count} rejected again: {reason}; they stay in the dead-letter bucket");
        }
        if self.of_others > 0 {
            println!("{} batches of other functions than {writer} passed over", self.of_others);
        }
        if self.failed > 0 {
            println!(
                "{} not written; they stay in the dead-letter bucket: see the log of {writer}",
                self.failed
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_lambda::operation::invoke::InvokeOutput;
    use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
    use aws_sdk_s3::operation::get_object::GetObjectOutput;
    use aws_sdk_s3::operation::head_object::HeadObjectOutput;
    use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
    use aws_sdk_s3::primitives::ByteStream;
    use aws_sdk_s3::types::Object;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use serde_json::{Value, json};

    use super::*;

    const WRITER: &str = "tributary-test-lake-writer";

    /// Each object with the number of its version.
    type Bucket = Arc<Mutex<BTreeMap<String, (String, usize)>>>;
    type Events = Arc<Mutex<Vec<Value>>>;

    fn record(sequence_number: &str) -> Value {
        json!({
            "eventID": sequence_number, "eventName": "INSERT", "eventSourceARN": "arn:stream",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_331_640_u32, "SequenceNumber": sequence_number,
                "Keys": {"id": {"S": "PATIENT#1"}, "sk": {"S": "A"}},
                "NewImage": {"id": {"S": "PATIENT#1"}, "sk": {"S": "A"}},
            },
        })
    }

    fn discarded(function: &str, payload: &Value) -> String {
        json!({
            "requestContext": {
                "requestId": "1", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 4,
                "functionArn": format!("arn:aws:lambda:eu-west-1:111122223333:function:{function}"),
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0", "timestamp": "2026-11-22T07:14:00.028Z", "payload": payload,
        })
        .to_string()
    }

    fn letter(record: &Value) -> String {
        json!({
            "schemaVersion": "1.0", "recordId": "0".repeat(32), "record": record,
            "cause": {"kind": "rejected", "reason": "record-unreadable", "element": "dynamodb.NewImage"},
        })
        .to_string()
    }

    /// A writer that does not write sequence numbers that begin with 4, puts letters of those that begin with 5 back, and
    /// fails at one that begins with 6.
    fn replay(objects: &[(&str, String)]) -> (Replay, Bucket, Events) {
        let objects = objects.iter().map(|(key, json)| ((*key).to_owned(), (json.clone(), 1)));
        let bucket: Bucket = Arc::new(Mutex::new(objects.collect()));
        let events = Events::default();
        let (listed, got, looked, removed) = (bucket.clone(), bucket.clone(), bucket.clone(), bucket.clone());
        let list = mock!(aws_sdk_s3::Client::list_objects_v2).then_compute_output(move |request| {
            let prefix = request.prefix().unwrap();
            assert!(prefix == "aws/lambda/" || (prefix == "dead/lake/" && request.delimiter() == Some("/")));
            let bucket = listed.lock().unwrap();
            let objects = bucket.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, (json, _))| {
                Object::builder().key(key).size(i64::try_from(json.len()).unwrap()).build()
            });
            ListObjectsV2Output::builder().set_contents(Some(objects.collect())).build()
        });
        let get = mock!(aws_sdk_s3::Client::get_object).then_compute_output(move |request| {
            let (json, version) = got.lock().unwrap()[request.key().unwrap()].clone();
            let body = ByteStream::from(json.into_bytes());
            GetObjectOutput::builder().version_id(version.to_string()).body(body).build()
        });
        let head = mock!(aws_sdk_s3::Client::head_object).then_compute_output(move |request| {
            let version = looked.lock().unwrap()[request.key().unwrap()].1;
            HeadObjectOutput::builder().version_id(version.to_string()).build()
        });
        let delete = mock!(aws_sdk_s3::Client::delete_object).then_compute_output(move |request| {
            removed.lock().unwrap().remove(request.key().unwrap());
            DeleteObjectOutput::builder().build()
        });
        let (seen, rejecting) = (events.clone(), bucket.clone());
        let invoke = mock!(aws_sdk_lambda::Client::invoke).then_compute_output(move |request| {
            assert_eq!(request.function_name(), Some(WRITER));
            let event: Value = serde_json::from_slice(request.payload().unwrap().as_ref()).unwrap();
            seen.lock().unwrap().push(event.clone());
            let numbers: Vec<String> = event["Records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|record| record["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned())
                .collect();
            if numbers.iter().any(|number| number.starts_with('6')) {
                return InvokeOutput::builder().function_error("Unhandled").build();
            }
            for number in numbers.iter().filter(|number| number.starts_with('5')) {
                if let Some((_, version)) =
                    rejecting.lock().unwrap().get_mut(&format!("dead/lake/{number}.json"))
                {
                    *version += 1;
                }
            }
            let failures = numbers.iter().filter(|number| number.starts_with('4'));
            let failures: Vec<Value> = failures.map(|number| json!({"itemIdentifier": number})).collect();
            let answer = json!({"batchItemFailures": failures}).to_string();
            InvokeOutput::builder().payload(Blob::new(answer)).build()
        });
        let replay = Replay {
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&list, &get, &head, &delete]),
            lambda: mock_client!(aws_sdk_lambda, RuleMode::MatchAny, [&invoke]),
            bucket: "dead-letters".to_owned(),
            writer: WRITER.to_owned(),
        };
        (replay, bucket, events)
    }

    fn left(bucket: &Bucket) -> Vec<String> {
        bucket.lock().unwrap().keys().cloned().collect()
    }

    #[tokio::test]
    async fn i1_a_batch_leaves_the_bucket_only_when_all_of_it_is_written() {
        let event =
            |numbers: &[&str]| json!({"Records": numbers.iter().map(|it| record(it)).collect::<Vec<_>>()});
        let text = |event: Value| Value::String(event.to_string());
        let (replay, bucket, events) = replay(&[
            ("aws/lambda/m/1", discarded(WRITER, &text(event(&["11", "12"])))),
            ("aws/lambda/m/2", discarded(WRITER, &event(&["13"]))),
            ("aws/lambda/m/3", discarded(WRITER, &text(event(&["14", "41"])))),
            ("aws/lambda/m/4", discarded(WRITER, &text(event(&["61"])))),
            ("aws/lambda/m/5", discarded("another", &text(event(&["15"])))),
            ("aws/lambda/m/6", discarded(WRITER, &json!("no event"))),
            ("aws/lambda/m/7", "{}".to_owned()),
        ]);
        let mut report = Report::default();
        replay.all(&mut report).await.unwrap();
        assert_eq!(report, Report { batches: 2, of_others: 1, failed: 4, ..Report::default() });
        assert_eq!(left(&bucket), ["3", "4", "5", "6", "7"].map(|number| format!("aws/lambda/m/{number}")));
        let sent: Vec<usize> =
            events.lock().unwrap().iter().map(|event| event["Records"].as_array().unwrap().len()).collect();
        assert_eq!(sent, [2, 1, 2, 1]);
    }

    /// A record that is rejected again stands in the bucket under the same key: removing it would lose it.
    #[tokio::test]
    async fn i1_a_letter_leaves_the_bucket_only_when_its_record_is_written() {
        let mut unreadable = record("17");
        unreadable["dynamodb"].as_object_mut().unwrap().remove("NewImage");
        let (replay, bucket, events) = replay(&[
            ("dead/lake/11.json", letter(&record("11"))),
            ("dead/lake/17.json", letter(&unreadable)),
            ("dead/lake/41.json", letter(&record("41"))),
            ("dead/lake/51.json", letter(&record("51"))),
            ("dead/lake/9.json", "no letter".to_owned()),
        ]);
        let mut report = Report::default();
        replay.all(&mut report).await.unwrap();
        assert_eq!((report.letters, report.failed), (1, 2));
        let rejected: Vec<_> = report.rejected.keys().map(String::as_str).collect();
        assert!(
            rejected[0].contains("dynamodb.NewImage") && rejected[1].contains("older release"),
            "{rejected:?}"
        );
        assert_eq!(left(&bucket), ["17", "41", "51", "9"].map(|number| format!("dead/lake/{number}.json")));
        let events = events.lock().unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0], json!({"Records": [record("11"), record("41"), record("51")]}));
    }

    #[tokio::test]
    async fn letters_are_sent_in_as_many_invocations_as_it_takes() {
        let big = |number: &str| {
            let mut record = record(number);
            record["dynamodb"]["NewImage"]["note"] = json!({"S": "x".repeat(2_000_000)});
            letter(&record)
        };
        let letters =
            ["11", "12", "13", "14", "15"].map(|number| (format!("dead/lake/{number}.json"), big(number)));
        let letters: Vec<(&str, String)> =
            letters.iter().map(|(key, json)| (key.as_str(), json.clone())).collect();
        let (replay, bucket, events) = replay(&letters);
        let mut report = Report::default();
        replay.all(&mut report).await.unwrap();
        assert_eq!((report.letters, left(&bucket).len()), (5, 0));
        assert_eq!(events.lock().unwrap().len(), 3);
    }
}
