//! How long an invocation may go on.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use tokio::time::Instant;

/// What a handler needs after it has stopped trying: to write its log line and hand back its answer.
pub const ANSWER: Duration = Duration::from_secs(2);

/// Until when a handler may begin or try again what it is for, so that `reserve` is left of the function's time.
#[must_use]
pub fn until(context: &Context, reserve: Duration) -> Instant {
    let deadline = UNIX_EPOCH + Duration::from_millis(context.deadline);
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now() + left.saturating_sub(reserve)
}
