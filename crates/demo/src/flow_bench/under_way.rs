//! How many changes of a step are under way, written and not arrived, and whether they pile up.

use std::ops::Range;
use std::time::Duration;

/// Ten times in the default batching window, in which what is under way goes up and down once.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How many are under way at each look of a time. What was written and what arrived is told from the same beginning.
#[must_use]
pub fn levels(written: &[Duration], arrived: &[Duration], time: Range<Duration>) -> Vec<usize> {
    let until = |times: &[Duration], look: Duration| times.iter().filter(|at| **at <= look).count();
    let looks = (0..).map(|look| time.start + LOOK_EVERY * look).take_while(|look| *look < time.end);
    // A change may arrive before the table has answered its write.
    looks.map(|look| until(written, look).saturating_sub(until(arrived, look))).collect()
}

/// By how many changes a second the level grows, from the first half of a series to the second; less than 0 where it goes
/// down. A half counts with its median: a pause that is made up for within the half does not count as growth.
#[must_use]
pub fn growth_per_second(levels: &[usize]) -> f64 {
    let (first, second) = levels.split_at(levels.len() / 2);
    let (Some(first), Some(second)) = (median(first), median(second)) else { return 0.0 };
    #[expect(clippy::cast_precision_loss, reason = "no step has that many looks")]
    let seconds_between = LOOK_EVERY.as_secs_f64() * levels.len() as f64 / 2.0;
    (second - first) / seconds_between
}

#[expect(clippy::cast_precision_loss, reason = "no step writes that many")]
fn median(levels: &[usize]) -> Option<f64> {
    let mut levels = levels.to_vec();
    levels.sort_unstable();
    levels.get(levels.len() / 2).map(|level| *level as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 100;
    const STEP: Range<Duration> = Duration::from_secs(2)..Duration::from_secs(20);

    /// The growth at a pipe that begins at `phase` to deliver a batch every `period`, each of `most` changes at most, and
    /// that delivers none during a pause. All in milliseconds.
    fn growth(phase: u64, period: u64, most: usize, pause: Range<u64>) -> f64 {
        let written: Vec<Duration> =
            (0..RATE * 20).map(|change| Duration::from_secs(1) * change / RATE).collect();
        let mut arrived = Vec::new();
        for at in (phase..20_000).step_by(usize::try_from(period).unwrap()) {
            let due = written.iter().filter(|change| **change <= Duration::from_millis(at)).count();
            let batch = if pause.contains(&at) { 0 } else { most.min(due - arrived.len()) };
            arrived.resize(arrived.len() + batch, Duration::from_millis(at));
        }
        growth_per_second(&levels(&written, &arrived, STEP))
    }

    #[test]
    fn a_steady_level_does_not_grow_whenever_its_batches_come() {
        for period in [300, 1_000, 1_300, 1_600, 2_000] {
            for phase in (0..period).step_by(100) {
                let growth = growth(phase, period, usize::MAX, 0..0);
                assert!(growth.abs() < 2.5, "{growth} a second, {phase} of {period} ms");
            }
        }
    }

    #[test]
    fn a_level_grows_by_what_is_not_delivered() {
        for (most, expected) in [(111, 15.0), (117, 10.0), (65, 50.0)] {
            for phase in (0..1_300).step_by(100) {
                let growth = growth(phase, 1_300, most, 0..0);
                assert!((growth - expected).abs() < 2.0, "{growth} a second where {expected} are left");
            }
        }
    }

    #[test]
    fn a_pause_that_is_made_up_for_is_no_growth() {
        for begins in (2_000..16_000).step_by(500) {
            let growth = growth(0, 1_000, 200, begins..begins + 2_000);
            assert!(growth < 2.5, "{growth} a second, a pause at {begins} ms");
        }
    }

    #[test]
    fn what_is_under_way_is_written_and_not_arrived() {
        let times = |milliseconds: &[u64]| -> Vec<Duration> {
            milliseconds.iter().copied().map(Duration::from_millis).collect()
        };
        let (written, arrived) = (times(&[0, 90, 100, 310]), times(&[110, 205, 300, 305]));
        assert_eq!(levels(&written, &arrived, Duration::ZERO..Duration::from_millis(400)), [1, 3, 2, 0]);
        assert_eq!(levels(&written, &arrived, STEP), vec![0; 180]);
        assert!(growth_per_second(&[]).abs() < f64::EPSILON);
    }
}
