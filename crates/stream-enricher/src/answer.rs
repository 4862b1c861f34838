//! The enrichment's answer, kept under the limit of what Pipes takes.

use aws_sdk_s3 as s3;
use domain::change::{
    Change, DataRef, Identity, Reject, write_enriched, write_referring_event, write_rejected,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_support::dependency::DependencyError;
use lambda_support::objects::put_json;

/// Pipes takes 6 MB from an enrichment and gives 6 MB to a target (EventBridge user guide, "Amazon EventBridge Pipes
/// batching and concurrency"). What is over 5 MB goes through S3; the rest is room for the references to it.
pub const ANSWER_BYTES: usize = 5 * 1024 * 1024;

const CONCURRENT_UPLOADS: usize = 8;

/// The answer to one batch, while it grows.
pub struct Answer<'s> {
    json: String,
    bucket: &'s str,
    uploads: Vec<(DataRef, String)>,
    pub(crate) enriched: usize,
    pub(crate) rejected: usize,
}

impl<'s> Answer<'s> {
    /// An event is about as long as its record, so the answer is about as long as the batch.
    pub(crate) fn to_batch_of(bytes: usize, bucket: &'s str) -> Self {
        let mut json = String::with_capacity(bytes.min(ANSWER_BYTES));
        json.push('[');
        Self { json, bucket, uploads: Vec::new(), enriched: 0, rejected: 0 }
    }

    pub(crate) fn push_enriched(&mut self, change: &Change<'_>, event: &str) {
        let key = change.key_hash();
        self.enriched += 1;
        self.separate();
        if self.has_room_for(event.len()) {
            write_enriched(change.event_id(), &key, event, &mut self.json);
            return;
        }
        let data_ref = self.claim_check(format!("changes/{}.json", change.meta.id), event.to_owned());
        let mut referring = String::new();
        write_referring_event(&change.meta, &data_ref, &mut referring);
        write_enriched(change.event_id(), &key, &referring, &mut self.json);
    }

    pub(crate) fn push_rejected(&mut self, identity: &Identity, reject: &Reject, record: &str) {
        self.rejected += 1;
        self.separate();
        if self.has_room_for(record.len()) {
            write_rejected(identity, reject, Ok(record), &mut self.json);
            return;
        }
        let data_ref = self.claim_check(format!("rejects/{}.json", identity.id), record.to_owned());
        write_rejected(identity, reject, Err(&data_ref), &mut self.json);
    }

    /// How many elements go through S3.
    pub(crate) fn claim_checks(&self) -> usize {
        self.uploads.len()
    }

    /// Stores what goes through S3, and gives the answer.
    pub(crate) async fn finish(mut self, s3: &s3::Client) -> Result<String, DependencyError> {
        let bucket = self.bucket;
        stream::iter(std::mem::take(&mut self.uploads))
            .map(|(data_ref, json)| put_json(s3, bucket, data_ref.key, json))
            .buffer_unordered(CONCURRENT_UPLOADS)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        Ok(self.close())
    }

    /// The answer to a batch of which nothing has to be stored first; `None` where something has.
    #[must_use]
    pub fn into_json(self) -> Option<String> {
        self.uploads.is_empty().then(|| self.close())
    }

    fn close(mut self) -> String {
        self.json.push(']');
        self.json
    }

    fn separate(&mut self) {
        if self.json.len() > 1 {
            self.json.push(',');
        }
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        self.json.len() + bytes <= ANSWER_BYTES
    }

    fn claim_check(&mut self, key: String, json: String) -> DataRef {
        let data_ref = DataRef { bucket: self.bucket.to_owned(), key, bytes: json.len() };
        self.uploads.push((data_ref.clone(), json));
        data_ref
    }
}
