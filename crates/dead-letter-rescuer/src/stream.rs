//! A range of sequence numbers, read from the stream.

use std::time::Duration;

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::operation::get_shard_iterator::GetShardIteratorError;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use domain::change::Sequence;
use lambda_support::dependency::DependencyError;
use tokio::time::{Instant, sleep};

use crate::RescueError;
use crate::dead_letter::StreamBatch;

/// Records a page may hold: with images of 400 KB still far below the function's memory. A page is at most 1 MB anyway
/// (DynamoDB Streams API reference, "GetRecords").
const PAGE_RECORDS: i32 = 100;

/// A shard may answer empty pages before the next record; it is not to be asked without pause.
const EMPTY_PAGE_PAUSE: Duration = Duration::from_millis(200);

/// The records of one shard from one sequence number to another, both included.
pub(crate) struct Range<'c> {
    client: &'c Client,
    iterator: Option<String>,
    end: Sequence,
    /// The stream has already forgotten the range's beginning; what it still has can be read.
    pub is_trimmed: bool,
}

impl<'c> Range<'c> {
    pub(crate) async fn open(client: &'c Client, batch: &StreamBatch) -> Result<Self, RescueError> {
        let parse = |number: &str| Sequence::parse(number).map_err(|_| RescueError::MessageUnreadable);
        let (first, last) = (parse(&batch.start_sequence_number)?, parse(&batch.end_sequence_number)?);
        // A dead letter whose ends are swapped has been seen.
        let (start, end) = if first <= last {
            (&batch.start_sequence_number, last)
        } else {
            (&batch.end_sequence_number, first)
        };
        let request = || client.get_shard_iterator().stream_arn(&batch.stream_arn).shard_id(&batch.shard_id);
        let opened = request()
            .shard_iterator_type(ShardIteratorType::AtSequenceNumber)
            .sequence_number(start)
            .send()
            .await;
        let is_trimmed = opened.as_ref().is_err_and(|error| {
            error.as_service_error().is_some_and(GetShardIteratorError::is_trimmed_data_access_exception)
        });
        let opened = if is_trimmed {
            request().shard_iterator_type(ShardIteratorType::TrimHorizon).send().await
        } else {
            opened
        };
        let opened = opened.map_err(|error| DependencyError::of("dynamodb:GetShardIterator", &error))?;
        Ok(Self { client, iterator: opened.shard_iterator, end, is_trimmed })
    }

    /// The next records of the range; `None` after its end.
    pub(crate) async fn next_page(&mut self, until: Instant) -> Result<Option<Vec<Record>>, RescueError> {
        while let Some(iterator) = self.iterator.take() {
            if Instant::now() >= until {
                return Err(RescueError::OutOfTime);
            }
            let output = self
                .client
                .get_records()
                .shard_iterator(iterator)
                .limit(PAGE_RECORDS)
                .send()
                .await
                .map_err(|error| DependencyError::of("dynamodb:GetRecords", &error))?;
            self.iterator = output.next_shard_iterator;
            let mut page = output.records.unwrap_or_default();
            let read = page.len();
            page.retain(|record| sequence(record).is_some_and(|sequence| sequence <= self.end));
            if read > page.len() || page.last().and_then(sequence).as_ref() == Some(&self.end) {
                self.iterator = None;
            }
            if !page.is_empty() {
                return Ok(Some(page));
            }
            if self.iterator.is_some() {
                sleep(EMPTY_PAGE_PAUSE).await;
            }
        }
        Ok(None)
    }
}

fn sequence(record: &Record) -> Option<Sequence> {
    Sequence::parse(record.dynamodb.as_ref()?.sequence_number.as_deref()?).ok()
}
