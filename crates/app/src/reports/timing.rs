//! How long it took from when copies were due until they were verified absent.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::Instant;

/// The upper ends of the bars of the histogram, in seconds; the last bar has none.
const ENDS: [u64; 9] = [0, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY];
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Times to verified absence, in whole seconds, rounded up. What went before it was due took none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Timing {
    /// How many copies.
    pub copies: u64,
    /// Those of them that were verified absent within the time for erasure.
    pub on_time: u64,
    /// Those that were not.
    pub late: u64,
    /// Half of them took no longer.
    pub p50: u64,
    /// 99 of 100 took no longer.
    pub p99: u64,
    /// The longest.
    pub worst: u64,
}

/// The same for one class on one surface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimingRow {
    /// The class.
    pub class: String,
    /// The surface.
    pub surface: String,
    /// The times.
    #[serde(flatten)]
    pub timing: Timing,
}

/// One bar of the histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Bar {
    /// The longest time in it, in seconds; nothing for the last.
    pub up_to: Option<u64>,
    /// How many copies were on time.
    pub on_time: u64,
    /// How many were late.
    pub late: u64,
}

/// Times by length. Each length is kept once, so that a year of destruction needs little room.
#[derive(Default)]
struct Lengths {
    by_length: BTreeMap<u64, u64>,
    late: u64,
}

impl Lengths {
    fn add(&mut self, seconds: u64, late: bool) {
        *self.by_length.entry(seconds).or_default() += 1;
        self.late += u64::from(late);
    }

    /// The shortest time that so many thousandths did not exceed.
    fn quantile(&self, copies: u64, thousandths: u64) -> u64 {
        let wanted = copies.saturating_mul(thousandths).div_ceil(1_000);
        let mut so_far = 0;
        let reached = self.by_length.iter().find(|(_, count)| {
            so_far += **count;
            so_far >= wanted
        });
        reached.map_or(0, |(seconds, _)| *seconds)
    }

    fn timing(&self) -> Timing {
        let copies = self.by_length.values().sum();
        Timing {
            copies,
            on_time: copies - self.late,
            late: self.late,
            p50: self.quantile(copies, 500),
            p99: self.quantile(copies, 990),
            worst: self.by_length.last_key_value().map_or(0, |(seconds, _)| *seconds),
        }
    }
}

/// Times by class and surface.
#[derive(Default)]
pub(super) struct Timings {
    all: Lengths,
    kinds: BTreeMap<(String, String), Lengths>,
    bars: [Bar; ENDS.len() + 1],
}

impl Timings {
    /// Adds a copy that was verified absent.
    pub(super) fn add(
        &mut self,
        (class, surface): (&str, &str),
        due_at: Instant,
        verified_at: Instant,
        deadline: Instant,
    ) {
        let micros = verified_at.micros().saturating_sub(due_at.micros());
        let seconds = u64::try_from(micros).unwrap_or(0).div_ceil(1_000_000);
        let late = verified_at > deadline;
        self.all.add(seconds, late);
        self.kinds.entry((class.to_owned(), surface.to_owned())).or_default().add(seconds, late);
        let place = ENDS.partition_point(|end| *end < seconds);
        if let Some(bar) = self.bars.get_mut(place) {
            bar.on_time += u64::from(!late);
            bar.late += u64::from(late);
        }
    }

    /// All of them, those of each class and surface, and their histogram.
    pub(super) fn summed_up(self) -> (Timing, Vec<TimingRow>, Vec<Bar>) {
        let kinds = self.kinds.into_iter().map(|((class, surface), lengths)| TimingRow {
            class,
            surface,
            timing: lengths.timing(),
        });
        let ends = ENDS.into_iter().map(Some).chain([None]);
        let bars = self.bars.into_iter().zip(ends).map(|(bar, up_to)| Bar { up_to, ..bar });
        (self.all.timing(), kinds.collect(), bars.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000).unwrap()
    }

    #[test]
    fn quantiles_are_times_that_copies_took_and_never_understated() {
        let mut timings = Timings::default();
        for seconds in 1..=100 {
            timings.add(("content", "pro"), at(0), at(seconds), at(90));
        }
        timings.add(("content", "max"), at(500), at(400), at(500));
        let (all, kinds, bars) = timings.summed_up();
        assert_eq!((all.copies, all.on_time, all.late), (101, 91, 10));
        assert_eq!((all.p50, all.p99, all.worst), (50, 99, 100));
        assert_eq!(kinds.iter().map(|row| row.timing.copies).collect::<Vec<_>>(), [1, 100]);
        assert_eq!((bars[0].on_time, bars[1].on_time, bars[1].late), (1, 90, 10));
        assert_eq!(bars.last().unwrap().up_to, None);
    }

    #[test]
    fn nothing_destroyed_is_no_time_at_all() {
        assert_eq!(Timings::default().summed_up().0, Timing::default());
    }
}
