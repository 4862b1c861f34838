//! From a DynamoDB stream record to the change event that consumers read.
//!
//! The way of one record: [`StreamRecord::read_batch`] reads it in one pass, [`Change::of`] decides what kind of change it
//! is and gives it its id, [`Change::write_event`] writes the event. What cannot be read is a [`Reject`].

mod attribute;
mod dead_letter;
mod event;
mod id;
mod outcome;
pub(crate) mod plain_image;
pub(crate) mod plain_record;
mod record;
mod reject;

pub(crate) use attribute::{Text, visit_members};
pub use dead_letter::{DEAD_PREFIX, DeadLetter, DeadLetterCause, RejectNotice};
pub use event::{
    Change, ChangeEvent, ChangeMeta, DataRef, EVENT_SOURCE, FALLBACK_DETAIL_TYPE, RemovedBy, SCHEMA_VERSION,
    write_referring_event,
};
pub use id::{ChangeId, KeyHash, RecordId, Sequence};
pub use outcome::{Outcome, Payload, Rejected, write_enriched, write_rejected};
pub use record::{Identity, Image, Keys, Operation, StreamRecord, StringAttribute};
pub use reject::{Reject, RejectReason};
