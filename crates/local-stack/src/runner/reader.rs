//! One shard of a stream, read for one consumer from its checkpoint on.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use quamina::Quamina;
use stream_record_json::to_pipe_json;
use tokio::time::{Instant, sleep};

use super::Clients;
use super::batch::{Record, batch_length};
use super::checkpoint::Checkpoints;
use super::consumer::Consumer;
use super::delivery;

/// How long an idle shard rests between two looks. AWS looks four times a second; here it costs nothing to be quicker.
const IDLE_PAUSE: Duration = Duration::from_millis(25);
const FAILURE_PAUSE: Duration = Duration::from_millis(500);

pub(crate) struct ShardReader {
    clients: Clients,
    consumer: Consumer,
    shard: String,
    checkpoints: Checkpoints,
    /// Where to read on; `None` before the first read and after a failure.
    iterator: Option<String>,
    /// Read and not yet delivered.
    buffer: VecDeque<Record>,
    /// When the first record of the buffer was read.
    window_opened: Option<Instant>,
}

impl ShardReader {
    pub(crate) fn new(
        clients: &Clients,
        consumer: &Consumer,
        shard: &str,
        checkpoints: &Checkpoints,
    ) -> Self {
        Self {
            clients: clients.clone(),
            consumer: consumer.clone(),
            shard: shard.to_owned(),
            checkpoints: checkpoints.clone(),
            iterator: None,
            buffer: VecDeque::new(),
            window_opened: None,
        }
    }

    /// Reads until the task is aborted. After a failure it goes on at the checkpoint.
    pub(crate) async fn run(mut self) {
        let filter = match filter(&self.consumer.source.filters) {
            Ok(filter) => filter,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(consumer = self.consumer.name, error, "its filter cannot be used");
                return;
            }
        };
        loop {
            if let Err(error) = self.step(filter.as_ref()).await {
                tracing::warn!(
                    consumer = self.consumer.name,
                    shard = self.shard,
                    error = format!("{error:#}"),
                    "going back to the checkpoint"
                );
                self.iterator = None;
                self.buffer.clear();
                self.window_opened = None;
                sleep(FAILURE_PAUSE).await;
            }
        }
    }

    /// Reads once, and delivers a batch when it is full or its window is over.
    async fn step(&mut self, filter: Option<&Quamina<usize>>) -> Result<()> {
        let batch_size = self.consumer.source.batch_size;
        let is_full = |buffer: &VecDeque<Record>, size| {
            batch_length(buffer, size) < buffer.len() || buffer.len() >= size
        };
        if !is_full(&self.buffer, batch_size) && !self.read().await? {
            sleep(IDLE_PAUSE).await;
        }
        let window_is_over =
            self.window_opened.is_some_and(|opened| opened.elapsed() >= self.consumer.source.window);
        if self.buffer.is_empty() || !(window_is_over || is_full(&self.buffer, batch_size)) {
            return Ok(());
        }
        let length = batch_length(&self.buffer, batch_size);
        let mut batch: Vec<Record> = self.buffer.drain(..length).collect();
        self.window_opened = (!self.buffer.is_empty()).then(Instant::now);
        let Some(last) = batch.last().map(|record| record.sequence_number.clone()) else { return Ok(()) };
        if let Some(filter) = filter {
            batch.retain(|record| {
                filter
                    .matches_for_event(record.json.get().as_bytes())
                    .is_ok_and(|matches| !matches.is_empty())
            });
        }
        if !batch.is_empty() {
            delivery::deliver(&self.clients, &self.consumer, &self.shard, batch).await?;
        }
        self.checkpoints.write(&self.consumer.name, &self.shard, &last)
    }

    /// Takes the next page into the buffer; tells whether there was anything in it.
    async fn read(&mut self) -> Result<bool> {
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => self.open().await?,
        };
        let output = self
            .clients
            .streams
            .get_records()
            .shard_iterator(iterator)
            .send()
            .await
            .context("reading records")?;
        self.iterator = output.next_shard_iterator;
        let records = output.records.unwrap_or_default();
        let read = !records.is_empty();
        for record in records {
            self.buffer.push_back(self.record(record).context("a record without its members")?);
        }
        if read && self.window_opened.is_none() {
            self.window_opened = Some(Instant::now());
        }
        Ok(read)
    }

    async fn open(&self) -> Result<String> {
        let checkpoint = self.checkpoints.read(&self.consumer.name, &self.shard)?;
        let position = match (&checkpoint, self.consumer.source.from_trim_horizon) {
            (Some(_), _) => ShardIteratorType::AfterSequenceNumber,
            (None, true) => ShardIteratorType::TrimHorizon,
            (None, false) => ShardIteratorType::Latest,
        };
        self.clients
            .streams
            .get_shard_iterator()
            .stream_arn(&self.consumer.source.stream_arn)
            .shard_id(&self.shard)
            .shard_iterator_type(position)
            .set_sequence_number(checkpoint)
            .send()
            .await
            .context("opening the shard")?
            .shard_iterator
            .context("a shard without an iterator")
    }

    fn record(&self, record: aws_sdk_dynamodbstreams::types::Record) -> Option<Record> {
        let change = record.dynamodb.as_ref()?;
        Some(Record {
            event_id: record.event_id.clone()?,
            sequence_number: change.sequence_number.clone()?,
            created_at: change.approximate_creation_date_time?.secs(),
            json: to_pipe_json(record, &self.consumer.source.stream_arn)?,
        })
    }
}

/// `None` where every record passes.
fn filter(patterns: &[String]) -> Result<Option<Quamina<usize>>> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut filter = Quamina::new();
    for (position, pattern) in patterns.iter().enumerate() {
        filter.add_pattern(position, pattern).with_context(|| format!("filter pattern {pattern}"))?;
    }
    Ok(Some(filter))
}
