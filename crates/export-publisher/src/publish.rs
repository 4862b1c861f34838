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

/// What every line of a range is published with.
struct Publisher<'a> {
    state: &'a State,
    run: &'a Run,
    range: &'a Range,
    writer: EventWriter,
    until: Instant,
}

/// Events for one request, and what they were made of: one that the bus does not take is dealt with anew.
#[derive(Default)]
struct Request {
    entries: Vec<Entry>,
    sources: Vec<Source>,
    bytes: usize,
}

struct Source {
    offset: u64,
    length: u64,
    /// `None` behind a claim check: there the whole event lies, and a line may be as long as all that may be under way.
    line: Option<Bytes>,
    resource_type: String,
}

/// What a request came to.
struct Sent {
    bytes: usize,
    tally: Tally,
}

/// Publishes every line that starts in the range, and counts.
pub(crate) async fn publish(
    state: &State,
    run: &Run,
    range: &Range,
    until: Instant,
) -> Result<Tally, StepError> {
    let publisher = Publisher { state, run, range, writer: EventWriter::of(run), until };
    let bucket = &state.config.export_bucket_name;
    let mut lines = Lines::new(RangeReader::new(&state.s3, bucket, range, until), range);
    let mut tally = Tally::default();
    let mut request = Request::default();
    let mut under_way = FuturesUnordered::new();
    let mut bytes_under_way = 0;
    while let Some(line) = lines.next_line().await? {
        let (offset, bytes) = match line {
            Line::Held { offset, bytes } => (offset, bytes),
            Line::TooLong { offset, length } => {
                publisher.reject(LineReject::LineTooLong, offset, length, None, &mut tally).await?;
                continue;
            }
        };
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let (entry, source) = match ExportedResource::read(&bytes) {
            Ok(resource) => {
                let (entry, is_claim_checked) = publisher.entry(&resource).await?;
                let resource_type = resource.resource_type.clone().into_owned();
                let line = (!is_claim_checked).then(|| bytes.clone());
                (entry, Source { offset, length: bytes.len() as u64, line, resource_type })
            }
            Err(reason) => {
                publisher.reject(reason, offset, bytes.len() as u64, Some(&bytes), &mut tally).await?;
                continue;
            }
        };
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
            under_way.push(publisher.send(full));
        }
        request.bytes += entry_bytes;
        request.entries.push(entry);
        request.sources.push(source);
    }
    tally.bytes = lines.bytes();
    if !request.entries.is_empty() {
        under_way.push(publisher.send(request));
    }
    while !under_way.is_empty() {
        settle(&mut under_way, &mut bytes_under_way, &mut tally).await?;
    }
    Ok(tally)
}

async fn settle(
    under_way: &mut FuturesUnordered<impl Future<Output = Result<Sent, StepError>>>,
    bytes_under_way: &mut usize,
    tally: &mut Tally,
) -> Result<(), StepError> {
    if let Some(sent) = under_way.next().await {
        let sent = sent?;
        *bytes_under_way = bytes_under_way.saturating_sub(sent.bytes);
        tally.add(&sent.tally);
    }
    Ok(())
}

impl Publisher<'_> {
    /// The event of a resource, or of where it lies if it is too large for the bus, and whether it is the latter.
    async fn entry(&self, resource: &ExportedResource<'_>) -> Result<(Entry, bool), StepError> {
        let mut detail = String::with_capacity(resource.line_bytes() + EventWriter::META_BYTES);
        let id = self.writer.write(resource, &mut detail);
        let entry = Entry { detail_type: DETAIL_TYPE, detail, key: None };
        if self.state.bus.entry_bytes(&entry) <= self.state.bus.event_bytes() {
            return Ok((entry, false));
        }
        let data_ref = claim_check(self.state, &id, entry.detail).await?;
        Ok((self.referring(resource, &data_ref)?, true))
    }

    fn referring(&self, resource: &ExportedResource<'_>, data_ref: &DataRef) -> Result<Entry, StepError> {
        let mut detail = String::new();
        self.writer
            .write_referring(resource, data_ref, &mut detail)
            .map_err(|_| StepError::new(FailureCode::PublishFailed, "a reference cannot be written"))?;
        Ok(Entry { detail_type: DETAIL_TYPE, detail, key: None })
    }

    /// Keeps a line that cannot become an event, and counts it.
    async fn reject(
        &self,
        reason: LineReject,
        offset: u64,
        length: u64,
        line: Option<&[u8]>,
        tally: &mut Tally,
    ) -> Result<(), StepError> {
        bury(self.state, self.run, self.range, reason, offset, length, line).await?;
        tally.count_rejected(reason.code());
        Ok(())
    }

    /// Sends until all are accepted. One that the bus finds too large, though the limit says otherwise, goes through S3;
    /// one that it refuses for what it is stops no other (I3).
    async fn send(&self, request: Request) -> Result<Sent, StepError> {
        let Request { entries, sources, bytes } = request;
        let fates = self.state.bus.put(&entries, self.until).await;
        let mut tally = Tally::default();
        let mut references = Vec::new();
        for ((fate, entry), source) in fates.iter().zip(entries).zip(&sources) {
            match fate {
                Fate::Failed => return Err(not_taken(&fates)),
                Fate::Refused => {
                    let (offset, length, line) = (source.offset, source.length, source.line.as_deref());
                    self.reject(LineReject::LineRefused, offset, length, line, &mut tally).await?;
                    continue;
                }
                Fate::TooLarge => {
                    // No reference is too large.
                    let line = source.line.as_deref().unwrap_or_default();
                    let resource = ExportedResource::read(line).map_err(|_| {
                        StepError::new(FailureCode::PublishFailed, "a line cannot be read twice")
                    })?;
                    let id = resource.change_id(self.writer.datastore());
                    let data_ref = claim_check(self.state, &id, entry.detail).await?;
                    references.push(self.referring(&resource, &data_ref)?);
                }
                Fate::Accepted => (),
            }
            tally.count_published(&source.resource_type);
            tally.claim_checked += u64::from(source.line.is_none() || *fate == Fate::TooLarge);
        }
        let fates = self.state.bus.put(&references, self.until).await;
        if fates.iter().any(|fate| *fate != Fate::Accepted) {
            return Err(not_taken(&fates));
        }
        Ok(Sent { bytes, tally })
    }
}

fn not_taken(fates: &[Fate]) -> StepError {
    let not_taken = fates.iter().filter(|fate| **fate != Fate::Accepted).count();
    let detail = format!("{not_taken} of {} events were not accepted in time", fates.len());
    StepError::new(FailureCode::BusRefused, detail)
}
