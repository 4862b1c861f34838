//! How fast a table may be read.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Shared by all segments of a scan.
#[derive(Debug)]
pub(crate) struct Pace {
    units_per_second: f64,
    /// When what was read is paid for.
    next: Mutex<Instant>,
}

impl Pace {
    pub(crate) fn new(units_per_second: u32) -> Self {
        Self { units_per_second: f64::from(units_per_second.max(1)), next: Mutex::new(Instant::now()) }
    }

    /// Waits until all that was read before is paid for.
    pub(crate) async fn wait(&self) {
        let next = *self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sleep_until(next).await;
    }

    /// A page has cost that many read units.
    pub(crate) fn pay(&self, units: f64) {
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let price = Duration::try_from_secs_f64(units / self.units_per_second).unwrap_or_default();
        *next = (*next).max(Instant::now()) + price;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_waits_for_those_before_it() {
        let started = Instant::now();
        let pace = Pace::new(1_000);
        for _ in 0..4 {
            pace.wait().await;
            pace.pay(25.0);
        }
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(75), "{took:?}");
    }
}
