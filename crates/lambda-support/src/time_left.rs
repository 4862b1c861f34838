//! How long an invocation may go on.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use tokio::time::Instant;

/// What a handler needs to answer after it has stopped trying: to write its log line and hand back its answer.
const MARGIN: Duration = Duration::from_secs(2);

/// Until when a handler may try again; after that it reports what is left.
#[must_use]
pub fn retry_until(context: &Context) -> Instant {
    let deadline = UNIX_EPOCH + Duration::from_millis(context.deadline);
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now() + left.saturating_sub(MARGIN)
}
