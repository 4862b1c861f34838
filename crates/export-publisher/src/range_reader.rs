//! The bytes of a range, and as many behind it as its last line takes.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use domain::export::failure::FailureCode;
use domain::export::manifest::Range;
use lambda_support::dependency::DependencyError;
use lambda_support::step::StepError;
use tokio::time::{Instant, sleep};

use crate::file_error;

/// How much is asked for behind the range's end, when its last line goes on.
const BEHIND_BYTES: u64 = 256 * 1024;
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Reads a file from an offset on, in pieces as S3 sends them. A body that breaks off is asked for again from where it
/// broke, until the time is up.
pub(crate) struct RangeReader<'a> {
    client: &'a Client,
    bucket: &'a str,
    range: &'a Range,
    /// Of the next byte, from the beginning of the file.
    offset: u64,
    /// The end of what the body under way brings.
    asked_until: u64,
    body: Option<ByteStream>,
    until: Instant,
    delay: Duration,
}

impl<'a> RangeReader<'a> {
    /// Begins one byte before the range, where it has one: a line starts in the range if the byte before it is a line feed.
    pub(crate) fn new(client: &'a Client, bucket: &'a str, range: &'a Range, until: Instant) -> Self {
        let offset = range.start.saturating_sub(1);
        Self { client, bucket, range, offset, asked_until: range.end, body: None, until, delay: FIRST_DELAY }
    }

    /// Of the byte that the next piece begins with.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next piece; `None` at the end of the file.
    pub(crate) async fn next_piece(&mut self) -> Result<Option<Bytes>, StepError> {
        while self.offset < self.range.file_bytes {
            match self.read().await {
                Ok(piece) if piece.is_empty() => (),
                Ok(piece) => {
                    self.offset += piece.len() as u64;
                    self.delay = FIRST_DELAY;
                    return Ok(Some(piece));
                }
                Err(error) => {
                    self.body = None;
                    self.wait_for_another_try(error).await?;
                }
            }
        }
        Ok(None)
    }

    async fn read(&mut self) -> Result<Bytes, DependencyError> {
        if self.offset >= self.asked_until {
            self.asked_until = (self.offset + BEHIND_BYTES).min(self.range.file_bytes);
            self.body = None;
        }
        let mut body = match self.body.take() {
            Some(body) => body,
            None => self.open().await?,
        };
        match body.next().await {
            Some(Ok(piece)) => {
                self.body = Some(body);
                Ok(piece)
            }
            // With an error, or before the end that was asked for.
            Some(Err(_)) | None => {
                Err(DependencyError { operation: "s3:GetObject", code: "the body broke off".to_owned() })
            }
        }
    }

    async fn open(&mut self) -> Result<ByteStream, DependencyError> {
        let output = self
            .client
            .get_object()
            .bucket(self.bucket)
            .key(&self.range.key)
            .if_match(&self.range.etag)
            .range(format!("bytes={}-{}", self.offset, self.asked_until - 1))
            .send()
            .await
            .map_err(|error| DependencyError::of("s3:GetObject", &error))?;
        Ok(output.body)
    }

    async fn wait_for_another_try(&mut self, error: DependencyError) -> Result<(), StepError> {
        let error = file_error(error);
        let is_final = error.code != FailureCode::DependencyFailed;
        if is_final || Instant::now() + self.delay >= self.until {
            return Err(error);
        }
        tracing::warn!(
            range = self.range.index,
            offset = self.offset,
            detail = error.detail,
            "reading again"
        );
        sleep(self.delay.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
        Ok(())
    }
}
