//! How fast a sweep goes, so that others who use the same store hardly notice it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is done with each copy: it is gathered, judged again, shredded, let go of, and verified.
const STEPS: u64 = 5;
/// A sweep that fell behind by more than this does not hurry to make up for it.
const BEHIND_MOST: Duration = Duration::from_millis(50);

/// Rests between transactions, so that no more than so many copies a second go through all steps.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Copies a second; 0 is as many as can be.
    rate: u64,
    began: Instant,
    /// When the next step may be taken, in microseconds since the beginning.
    next: AtomicU64,
}

impl Pace {
    pub(crate) fn new(rate: Option<u32>) -> Self {
        Self { rate: rate.map_or(0, u64::from), began: Instant::now(), next: AtomicU64::new(0) }
    }

    /// Whether the sweep is not to go as fast as it can.
    pub(crate) const fn is_set(&self) -> bool {
        self.rate > 0
    }

    /// How long to rest after one step was taken with so many copies.
    pub(crate) fn after(&self, copies: u64) -> Duration {
        if self.rate == 0 {
            return Duration::ZERO;
        }
        let now = micros(self.began.elapsed());
        let next = next_at(self.next.load(Ordering::Relaxed), now, copies, self.rate);
        self.next.store(next, Ordering::Relaxed);
        Duration::from_micros(next.saturating_sub(now))
    }
}

/// When the step after one with so many copies may be taken.
fn next_at(planned: u64, now: u64, copies: u64, rate: u64) -> u64 {
    let takes = copies.saturating_mul(1_000_000) / rate.saturating_mul(STEPS).max(1);
    planned.max(now.saturating_sub(micros(BEHIND_MOST))).saturating_add(takes)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_go_no_faster_than_was_said() {
        let mut planned = 0;
        for _ in 0..STEPS * 10 {
            // Each step is done at once, and the next waits for its time.
            planned = next_at(planned, planned, 100, 1_000);
        }
        assert_eq!(planned, 1_000_000, "a thousand copies a second");
    }

    #[test]
    fn who_fell_behind_makes_up_for_little() {
        let next = next_at(0, 10_000_000, 100, 1_000);
        assert_eq!(next, 10_000_000 - 50_000 + 20_000);
        assert_eq!(next_at(0, 0, 0, 1_000), 0);
    }
}
