use lambda_support::variables::{Variables, VariablesError};

/// What `PutEvents` takes in one request. The API reference says 1 MB, other pages of AWS 256 KB: the default is safe
/// under both.
const PUT_EVENTS_REQUEST_BYTES: usize = 262_144;

/// A message of SQS, the hop behind the bus (Amazon SQS developer guide, "Amazon SQS message quotas").
const SQS_MESSAGE_BYTES: usize = 1_048_576;

/// What EventBridge adds around an event's detail on the way to a queue.
const ENVELOPE_BYTES: usize = 4 * 1024;

#[derive(Debug, Clone)]
pub struct Config {
    pub event_bus_name: String,
    pub dead_letter_bucket_name: String,
    pub claim_check_bucket_name: String,
    pub rejects_queue_url: String,
    pub put_events_request_bytes: usize,
}

impl Config {
    /// # Errors
    /// Where a variable is missing or wrong.
    pub fn from_env() -> Result<Self, VariablesError> {
        Variables::of_process().finish(|read| Self {
            event_bus_name: read.required("EVENT_BUS_NAME"),
            dead_letter_bucket_name: read.required("DEAD_LETTER_BUCKET_NAME"),
            claim_check_bucket_name: read.required("CLAIM_CHECK_BUCKET_NAME"),
            rejects_queue_url: read.required("REJECTS_QUEUE_URL"),
            put_events_request_bytes: read.parsed_or("PUT_EVENTS_REQUEST_BYTES", PUT_EVENTS_REQUEST_BYTES),
        })
    }

    /// What an event may hold to pass every hop: the narrowest less the envelope.
    #[must_use]
    pub fn event_bytes(&self) -> usize {
        self.put_events_request_bytes.min(SQS_MESSAGE_BYTES).saturating_sub(ENVELOPE_BYTES)
    }
}
