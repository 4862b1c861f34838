//! From lines to accepted events: full requests, many under way, and no more in memory than they need.

use bytes::Bytes;
use domain::change::DataRef;
use domain::export::failure::FailureCode;
use domain::export::manifest::Range;
use domain::export::resource::{DETAIL_TYPE, EventWriter, ExportedResource, LineReject};
use domain::export::run::Run;
use domain::export::tally::Tally;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lambda_support::put_events::{Entry, Fate, REQUEST_ENTRIES};
use lambda_support::step::StepError;
use tokio::time::Instant;

use crate::State;
use crate::lines::{Line, Lines};
use crate::range_reader::RangeReader;
use crate::side_objects::{bury, claim_check};

/// Requests under way at once: at 15 ms a request, 10 events in each, this allows 40,000 events a second.
const REQUESTS: usize = 64;
/// What the events of all requests under way may hold together, in bytes. A request is held about four times: as
/// events, as JSON, as what is signed, and on its way out.
const BYTES_UNDER_WAY: usize = 4 * 1024 * 1024;

/// Events for one request, and the lines that they were made of: should one be too large after all, it is made anew.
#[derive(Default)]
struct Request {
    entries: Vec<Entry>,
    lines: Vec<Bytes>,
    bytes: usize,
}

/// Publishes every line that starts in the range, and counts.
pub(crate) async fn publish(
    state: &State,
    run: &Run,
    range: &Range,
    until: Instant,
) -> Result<Tally, StepError> {
    let bucket = &state.config.export_bucket_name;
    let mut lines = Lines::new(RangeReader::new(&state.s3, bucket, range, until), range);
    let writer = EventWriter::of(run);
    let mut tally = Tally::default();
    let mut request = Request::default();
    let mut under_way = FuturesUnordered::new();
    let mut bytes_under_way = 0;
    while let Some(line) = lines.next_line().await? {
        let (offset, bytes) = match line {
            Line::Held { offset, bytes } => (offset, bytes),
            Line::TooLong { offset, length } => {
                let reason = LineReject::LineTooLong;
                bury(state, run, range, reason, offset, length, None).await?;
                tally.count_rejected(reason.code());
                continue;
            }
        };
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let resource = match ExportedResource::read(&bytes) {
            Ok(resource) => resource,
            Err(reason) => {
                bury(state, run, range, reason, offset, bytes.len() as u64, Some(&bytes)).await?;
                tally.count_rejected(reason.code());
                continue;
            }
        };
        tally.count_published(&resource.resource_type);
        let entry = entry(state, &writer, &resource, &mut tally).await?;
        let entry_bytes = state.bus.entry_bytes(&entry);
        let is_full =
            request.entries.len() == REQUEST_ENTRIES || request.bytes + entry_bytes > state.bus.request_bytes;
        if is_full && !request.entries.is_empty() {
            let full = std::mem::take(&mut request);
            while under_way.len() >= REQUESTS
                || (bytes_under_way + full.bytes > BYTES_UNDER_WAY && !under_way.is_empty())
            {
                settle(&mut under_way, &mut bytes_under_way, &mut tally).await?;
            }
            bytes_under_way += full.bytes;
            under_way.push(send(state, &writer, full, until));
        }
        request.bytes += entry_bytes;
        request.entries.push(entry);
        request.lines.push(bytes);
    }
    tally.bytes = lines.bytes();
    if !request.entries.is_empty() {
        under_way.push(send(state, &writer, request, until));
    }
    while !under_way.is_empty() {
        settle(&mut under_way, &mut bytes_under_way, &mut tally).await?;
    }
    Ok(tally)
}

/// The event of a resource, or of where it lies if it is too large for the bus.
async fn entry(
    state: &State,
    writer: &EventWriter,
    resource: &ExportedResource<'_>,
    tally: &mut Tally,
) -> Result<Entry, StepError> {
    let mut detail = String::with_capacity(resource.line_bytes() + EventWriter::META_BYTES);
    let id = writer.write(resource, &mut detail);
    let entry = Entry { detail_type: DETAIL_TYPE, detail, key: None };
    if state.bus.entry_bytes(&entry) <= state.bus.event_bytes() {
        return Ok(entry);
    }
    tally.claim_checked += 1;
    let data_ref = claim_check(state, &id, entry.detail).await?;
    referring(writer, resource, &data_ref)
}

fn referring(
    writer: &EventWriter,
    resource: &ExportedResource<'_>,
    data_ref: &DataRef,
) -> Result<Entry, StepError> {
    let mut detail = String::new();
    writer
        .write_referring(resource, data_ref, &mut detail)
        .map_err(|_| StepError::new(FailureCode::PublishFailed, "a reference cannot be written"))?;
    Ok(Entry { detail_type: DETAIL_TYPE, detail, key: None })
}

/// What a request came to: its size, and how many of its events went through S3 after all.
struct Sent {
    bytes: usize,
    claim_checked: u64,
}

async fn settle(
    under_way: &mut FuturesUnordered<impl Future<Output = Result<Sent, StepError>>>,
    bytes_under_way: &mut usize,
    tally: &mut Tally,
) -> Result<(), StepError> {
    if let Some(sent) = under_way.next().await {
        let sent = sent?;
        *bytes_under_way = bytes_under_way.saturating_sub(sent.bytes);
        tally.claim_checked += sent.claim_checked;
    }
    Ok(())
}

/// Sends until all are accepted. One that the bus finds too large, though the limit says otherwise, goes through S3.
async fn send(
    state: &State,
    writer: &EventWriter,
    request: Request,
    until: Instant,
) -> Result<Sent, StepError> {
    let Request { entries, lines, bytes } = request;
    let fates = state.bus.put(&entries, until).await;
    let mut references = Vec::new();
    for ((fate, entry), line) in fates.iter().zip(entries).zip(&lines) {
        match fate {
            Fate::Accepted => (),
            Fate::Failed => return Err(refused(&fates)),
            Fate::TooLarge => {
                let resource = ExportedResource::read(line)
                    .map_err(|_| StepError::new(FailureCode::PublishFailed, "a line cannot be read twice"))?;
                let id = resource.change_id(writer.datastore());
                let data_ref = claim_check(state, &id, entry.detail).await?;
                references.push(referring(writer, &resource, &data_ref)?);
            }
        }
    }
    let fates = state.bus.put(&references, until).await;
    if fates.iter().any(|fate| *fate != Fate::Accepted) {
        return Err(refused(&fates));
    }
    Ok(Sent { bytes, claim_checked: references.len() as u64 })
}

fn refused(fates: &[Fate]) -> StepError {
    let refused = fates.iter().filter(|fate| **fate != Fate::Accepted).count();
    let detail = format!("{refused} of {} events were not accepted in time", fates.len());
    StepError::new(FailureCode::BusRefused, detail)
}
