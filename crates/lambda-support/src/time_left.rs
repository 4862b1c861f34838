//! How long an invocation may go on.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use tokio::time::Instant;

/// What a handler needs after it has stopped trying: to write its log line and hand back its answer.
pub const ANSWER: Duration = Duration::from_secs(2);

/// How long a handler begins new work whose caller waits on a connection: with as much again for what is under way, it
/// answers before the connection has been idle for 350 s. A NAT gateway would drop that without a word (AWS Networking &
/// Content Delivery blog, "Implementing long-running TCP Connections within VPC networking").
const CALL: Duration = Duration::from_secs(150);

/// Until when a handler may begin or try again what it is for, so that `reserve` is left of the function's time.
#[must_use]
pub fn until(context: &Context, reserve: Duration) -> Instant {
    let deadline = UNIX_EPOCH + Duration::from_millis(context.deadline);
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now() + left.saturating_sub(reserve)
}

/// The same where an operator waits for the answer, which then has to say where to go on.
#[must_use]
pub fn until_of_call(context: &Context, reserve: Duration) -> Instant {
    until(context, reserve).min(Instant::now() + CALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_waits_no_longer_than_its_connection_lasts() {
        let left_of = |deadline: Duration| {
            let mut context = Context::default();
            let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + deadline;
            context.deadline = u64::try_from(deadline.as_millis()).unwrap();
            let reserve = Duration::from_secs(100);
            [until(&context, reserve), until_of_call(&context, reserve)]
                .map(|until| (until.duration_since(Instant::now()) + Duration::from_millis(500)).as_secs())
        };
        assert_eq!(left_of(Duration::from_mins(15)), [800, 150]);
        assert_eq!(left_of(Duration::from_mins(2)), [20, 20]);
        assert_eq!(left_of(Duration::ZERO), [0, 0]);
    }
}
