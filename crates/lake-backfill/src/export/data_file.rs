//! One file of an export, read twice: first to see that it is what DynamoDB wrote, then into the lake.
//!
//! Twice, because a row that is in the lake stays there, and a damaged file is noticed at its end only; and not from a copy,
//! because that would be patients' data on the operator's disk.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use lambda_support::dependency::DependencyError;
use md5::{Digest as _, Md5};

use super::{File, marker_of};
use crate::gzip_lines::{GzipError, GzipLines};
use crate::parts::PartError;
use crate::write::{Chunk, PartCounts};

/// A file while it is read.
struct Reader {
    body: ByteStream,
    /// What of the last chunk of the body has not been decoded yet.
    chunk: Bytes,
    digest: Md5,
    lines: GzipLines,
    is_finished: bool,
    etag: Option<String>,
}

impl File {
    /// Writes its items into the lake. Answers how many they are.
    pub(super) async fn take_in(&self) -> Result<PartCounts, PartError> {
        let etag = self.verify().await?;
        let mut reader = self.read(etag).await?;
        let (mut chunk, mut counts) = (Chunk::default(), PartCounts::default());
        let part = marker_of(&self.source);
        while reader.advance().await? {
            while let Some(line) = reader.lines.next_line()? {
                if line.is_empty() {
                    continue;
                }
                match str::from_utf8(line).ok().and_then(|line| self.rows.row(line).ok()) {
                    Some(row) => chunk.push(row),
                    None => chunk.push_unreadable(line),
                }
                if chunk.is_full(&self.backfill) {
                    let full = std::mem::take(&mut chunk);
                    self.backfill.write(full, &self.markers, &part, &mut counts).await?;
                }
            }
        }
        self.backfill.write(chunk, &self.markers, &part, &mut counts).await?;
        Ok(counts)
    }

    /// Reads the file to its end, and compares it with the manifest. Answers which version of the object it was.
    async fn verify(&self) -> Result<Option<String>, PartError> {
        let mut reader = self.read(None).await?;
        let mut items = 0;
        while reader.advance().await? {
            while let Some(line) = reader.lines.next_line()? {
                items += u64::from(!line.is_empty());
            }
        }
        if reader.digest.finalize().as_slice() != self.source.md5 {
            return Err(PartError::Damaged("its MD5 is not the one in the manifest".to_owned()));
        }
        if items != self.source.items {
            let expected = self.source.items;
            return Err(PartError::Damaged(format!(
                "it has {items} items, and the manifest tells of {expected}"
            )));
        }
        Ok(reader.etag)
    }

    async fn read(&self, etag: Option<String>) -> Result<Reader, PartError> {
        let object = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(&self.source.key)
            .set_if_match(etag)
            .send()
            .await
            .map_err(|error| match DependencyError::of("s3:GetObject", &error) {
                error if error.code == "NoSuchKey" => PartError::Damaged("it is not there".to_owned()),
                error if error.code == "PreconditionFailed" => {
                    PartError::Damaged("it was written over while it was read".to_owned())
                }
                error => error.into(),
            })?;
        Ok(Reader {
            body: object.body,
            chunk: Bytes::new(),
            digest: Md5::new(),
            lines: GzipLines::new(),
            is_finished: false,
            etag: object.e_tag,
        })
    }
}

impl Reader {
    /// Decodes the next piece. Answers whether there may be lines; they have to be taken before the next one.
    async fn advance(&mut self) -> Result<bool, PartError> {
        while self.chunk.is_empty() {
            match self.body.try_next().await.map_err(|_| PartError::BrokeOff)? {
                Some(chunk) => {
                    self.digest.update(&chunk);
                    self.chunk = chunk;
                }
                None if self.is_finished => return Ok(false),
                None => {
                    self.is_finished = true;
                    self.lines.finish()?;
                    return Ok(true);
                }
            }
        }
        let piece = self.chunk.split_to(GzipLines::PIECE_BYTES.min(self.chunk.len()));
        self.lines.push(&piece)?;
        Ok(true)
    }
}

impl From<GzipError> for PartError {
    fn from(error: GzipError) -> Self {
        Self::Damaged(error.to_string())
    }
}
