//! `PutEvents` for many entries: in requests as full as the limits allow, several in flight, each key in its order, and
//! only what failed tried again.
//!
//! Limits: Amazon EventBridge API reference, "PutEvents": 10 entries and a total size a request; an answer of 200 may
//! still report failed entries.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::ProvideErrorMetadata;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use domain::change::KeyHash;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout_at};

/// What a request may hold in bytes, unless the deployment says otherwise. The API reference says 1 MB, other pages of AWS
/// 256 KB: this is safe under both.
pub const REQUEST_BYTES: usize = 262_144;
/// A message of SQS, the hop behind the bus (Amazon SQS developer guide, "Amazon SQS message quotas").
const SQS_MESSAGE_BYTES: usize = 1_048_576;
/// What EventBridge adds around an event's detail on the way to a queue.
const ENVELOPE_BYTES: usize = 4 * 1024;

/// Entries a request may hold.
pub const REQUEST_ENTRIES: usize = 10;
/// Requests under way at once.
const CONCURRENCY: usize = 8;
const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Puts the entries of one batch on a bus.
#[derive(Debug, Clone)]
pub struct EventBus {
    pub client: Client,
    pub name: String,
    pub source: &'static str,
    /// What one request may hold, in bytes; the size of an entry is the sum of its texts (EventBridge user guide,
    /// "Calculating PutEvents event entry size").
    pub request_bytes: usize,
}

#[derive(Debug)]
pub struct Entry {
    pub detail_type: &'static str,
    /// A JSON object.
    pub detail: String,
    /// Entries of the same key go out in their order: each waits until the one before it is accepted.
    pub key: Option<KeyHash>,
}

impl Entry {
    /// As PutEvents counts it, from the source.
    #[must_use]
    pub fn bytes(&self, source: &str) -> usize {
        source.len() + self.detail_type.len() + self.detail.len()
    }
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Accepted,
    /// Not accepted before the time was up, or held back behind such a one of its key.
    Failed,
    /// Refused for its size, though within the configured limit.
    TooLarge,
    /// Refused for what it is, and would be again.
    Refused,
}

impl EventBus {
    /// What an event may hold to pass every hop: the narrowest less the envelope.
    #[must_use]
    pub fn event_bytes(&self) -> usize {
        self.request_bytes.min(SQS_MESSAGE_BYTES).saturating_sub(ENVELOPE_BYTES)
    }

    #[must_use]
    pub fn entry_bytes(&self, entry: &Entry) -> usize {
        entry.bytes(self.source)
    }

    /// Sends the entries and tells the fate of each, in their order. What fails is tried again until `until`.
    pub async fn put(&self, entries: &[Entry], until: Instant) -> Vec<Fate> {
        let mut fates = vec![Fate::Failed; entries.len()];
        let mut lines = Lines::of(entries);
        let mut ready: VecDeque<Attempt> = lines.heads().map(Attempt::first).collect();
        let mut under_way = FuturesUnordered::<BoxFuture<'_, Step>>::new();
        let mut requests = 0;
        loop {
            while requests < CONCURRENCY && !ready.is_empty() {
                requests += 1;
                under_way.push(self.request(entries, self.fill(entries, &mut ready), until).boxed());
            }
            match under_way.next().await {
                None => return fates,
                Some(Step::Waited(attempt)) => ready.push_back(attempt),
                Some(Step::Answered(answers)) => {
                    requests -= 1;
                    for (attempt, answer) in answers {
                        match answer {
                            Answer::Accepted => {
                                set(&mut fates, attempt.entry, Fate::Accepted);
                                ready.extend(lines.after(attempt.entry).map(Attempt::first));
                            }
                            Answer::TooLarge => set(&mut fates, attempt.entry, Fate::TooLarge),
                            Answer::Refused => set(&mut fates, attempt.entry, Fate::Refused),
                            Answer::Divide => ready.push_back(Attempt { alone: true, ..attempt }),
                            Answer::Failed => {
                                let next = Instant::now() + attempt.delay();
                                if next < until {
                                    under_way.push(wait(next, attempt.again()).boxed());
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// As many of the ready entries as one request may hold, in their order.
    fn fill(&self, entries: &[Entry], ready: &mut VecDeque<Attempt>) -> Vec<Attempt> {
        let mut filled = Vec::with_capacity(REQUEST_ENTRIES);
        let mut bytes = 0;
        while let Some(attempt) = ready.front() {
            bytes += entries.get(attempt.entry).map_or(0, |entry| self.entry_bytes(entry));
            let fits = bytes <= self.request_bytes && !attempt.alone && filled.len() < REQUEST_ENTRIES;
            if !filled.is_empty() && !fits {
                break;
            }
            let alone = attempt.alone;
            filled.extend(ready.pop_front());
            if alone {
                break;
            }
        }
        filled
    }

    /// A request that has no answer when the time is up counts as failed: at worst its entries come twice.
    async fn request(&self, entries: &[Entry], attempts: Vec<Attempt>, until: Instant) -> Step {
        let request_entries = attempts.iter().filter_map(|attempt| entries.get(attempt.entry)).map(|entry| {
            PutEventsRequestEntry::builder()
                .event_bus_name(&self.name)
                .source(self.source)
                .detail_type(entry.detail_type)
                .detail(&entry.detail)
                .build()
        });
        let request = self.client.put_events().set_entries(Some(request_entries.collect())).send();
        let answers: Vec<Answer> = match timeout_at(until, request).await {
            Err(_) => Vec::new(),
            Ok(Ok(output)) => output
                .entries()
                .iter()
                .map(|entry| entry.error_code().map_or(Answer::Accepted, entry_answer))
                .collect(),
            Ok(Err(error)) => {
                let refused_for_size =
                    error.as_service_error().is_some_and(|error| is_size_refusal(error.meta()))
                        || error.raw_response().is_some_and(|response| response.status().as_u16() == 413);
                let answer = match (refused_for_size, attempts.len()) {
                    (false, _) => Answer::Failed,
                    (true, 1) => Answer::TooLarge,
                    (true, _) => Answer::Divide,
                };
                tracing::warn!(
                    entries = attempts.len(),
                    code = error.code().unwrap_or("none"),
                    refused_for_size,
                    "PutEvents failed"
                );
                vec![answer; attempts.len()]
            }
        };
        // An entry that the answer does not mention was not accepted.
        let answers = answers.into_iter().chain(std::iter::repeat(Answer::Failed));
        Step::Answered(attempts.into_iter().zip(answers).collect())
    }
}

fn set(fates: &mut [Fate], entry: usize, fate: Fate) {
    if let Some(slot) = fates.get_mut(entry) {
        *slot = fate;
    }
}

/// Amazon EventBridge API reference, "PutEventsResultEntry": of the codes that are not worth another attempt, those that are
/// about the entry and not about who sends it.
fn entry_answer(error_code: &str) -> Answer {
    match error_code {
        "MalformedDetail" | "InvalidArgument" | "RedactionFailure" => Answer::Refused,
        _ => Answer::Failed,
    }
}

/// `ValidationException`: "Total size of the entries in the request is over the limit."
fn is_size_refusal(error: &aws_sdk_eventbridge::error::ErrorMetadata) -> bool {
    error.code() == Some("ValidationException")
        && error.message().is_some_and(|message| message.contains("size") && message.contains("limit"))
}

async fn wait(until: Instant, attempt: Attempt) -> Step {
    sleep_until(until).await;
    Step::Waited(attempt)
}

enum Step {
    Answered(Vec<(Attempt, Answer)>),
    Waited(Attempt),
}

#[derive(Clone, Copy)]
enum Answer {
    Accepted,
    Failed,
    TooLarge,
    Refused,
    /// The request was too large, not yet known for which entry: each goes alone.
    Divide,
}

#[derive(Clone, Copy)]
struct Attempt {
    entry: usize,
    failures: u32,
    alone: bool,
}

impl Attempt {
    fn first(entry: usize) -> Self {
        Self { entry, failures: 0, alone: false }
    }

    fn again(self) -> Self {
        Self { failures: self.failures + 1, ..self }
    }

    /// Exponential with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), but never under half, so
    /// that a bus that refuses is not asked again at once.
    fn delay(self) -> Duration {
        let longest = FIRST_DELAY.saturating_mul(1 << self.failures.min(10)).min(LONGEST_DELAY);
        longest.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// The entries of each key, in line; an entry without a key stands in a line of its own.
struct Lines {
    line_of: Vec<usize>,
    lines: Vec<VecDeque<usize>>,
}

impl Lines {
    fn of(entries: &[Entry]) -> Self {
        let mut lines: Vec<VecDeque<usize>> = Vec::new();
        let mut line_of_key: HashMap<&KeyHash, usize> = HashMap::new();
        let mut line_of = Vec::with_capacity(entries.len());
        for (position, entry) in entries.iter().enumerate() {
            let known = entry.key.as_ref().and_then(|key| line_of_key.get(key).copied());
            let line = known.unwrap_or(lines.len());
            match lines.get_mut(line) {
                Some(line) => line.push_back(position),
                None => lines.push(VecDeque::from([position])),
            }
            if let Some(key) = &entry.key {
                line_of_key.insert(key, line);
            }
            line_of.push(line);
        }
        Self { line_of, lines }
    }

    fn heads(&self) -> impl Iterator<Item = usize> {
        self.lines.iter().filter_map(|line| line.front().copied())
    }

    /// Whose turn it is once the entry is accepted.
    fn after(&mut self, entry: usize) -> Option<usize> {
        let line = self.line_of.get(entry).and_then(|line| self.lines.get_mut(*line))?;
        line.pop_front();
        line.front().copied()
    }
}
