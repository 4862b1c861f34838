//! What the enricher does between its two waits: for the table, and for the claim-check bucket.

use std::cell::LazyCell;
use std::collections::HashMap;

use domain::change::{Change, Identity, Reject, StreamRecord};
use domain::fhir::CodeMaps;
use domain::items::{Collection, Needed, fhir_resource, needed_of_collection};
use serde_json::value::RawValue;

use crate::EnricherError;
use crate::answer::Answer;

/// The records of a batch, as far as each could be read.
pub struct Batch<'a> {
    json: &'a RawValue,
    changes: Vec<Result<Change<'a>, Reject>>,
}

impl<'a> Batch<'a> {
    /// # Errors
    /// Where the payload is no array.
    pub fn read(json: &'a RawValue) -> Result<Self, EnricherError> {
        let records = StreamRecord::read_batch(json).ok_or(EnricherError::BatchUnreadable)?;
        let changes = records.into_iter().map(|record| record.and_then(Change::of)).collect();
        Ok(Self { json, changes })
    }

    /// What has to be read of patients, by their partition keys: each once, and as much as the neediest of its changes.
    #[must_use]
    pub fn needed(&self) -> HashMap<&str, Needed> {
        let mut needed = HashMap::new();
        for change in self.changes.iter().flatten() {
            let of_change = needed_of_collection(change);
            if of_change > Needed::Nothing {
                let of_patient = needed.entry(change.keys().id.text.as_ref()).or_insert(of_change);
                *of_patient = of_change.max(*of_patient);
            }
        }
        needed
    }

    /// One outcome for each record, in their order.
    ///
    /// # Errors
    /// Where a record that was rejected cannot be found in the batch again.
    pub fn answer<'s>(
        self,
        collections: &HashMap<String, Collection>,
        codes: &CodeMaps,
        claim_check_bucket: &'s str,
    ) -> Result<Answer<'s>, EnricherError> {
        // Only a rejected record is needed as it came.
        let raw_records =
            LazyCell::new(|| serde_json::from_str::<Vec<&RawValue>>(self.json.get()).unwrap_or_default());
        let mut answer = Answer::to_batch_of(self.json.get().len(), claim_check_bucket);
        let mut event = String::new();
        for (position, change) in self.changes.into_iter().enumerate() {
            event.clear();
            let enriched = change.and_then(|change| {
                write_event(&change, collections, codes, &mut event)?;
                Ok(change)
            });
            match enriched {
                Ok(change) => answer.push_enriched(&change, &event),
                Err(reject) => {
                    let record = raw_records.get(position).ok_or(EnricherError::BatchUnreadable)?.get();
                    let identity = Identity::of(record);
                    tracing::warn!(record_id = %identity.id, reason = reject.reason.code(), element = reject.element, "record rejected");
                    answer.push_rejected(&identity, &reject, record);
                }
            }
        }
        Ok(answer)
    }
}

fn write_event(
    change: &Change<'_>,
    collections: &HashMap<String, Collection>,
    codes: &CodeMaps,
    event: &mut String,
) -> Result<(), Reject> {
    let collection = collections.get(change.keys().id.text.as_ref());
    let fhir = fhir_resource(change, collection, codes)?;
    change.write_event(fhir.as_deref(), event);
    Ok(())
}
