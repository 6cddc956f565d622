//! Randomness that is nothing but its seed.

/// `SplitMix64` of Steele, Lea and Flood: small, and the same everywhere.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; zero if there is none.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(1).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in so many of a hundred.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the items.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len());
        items.get(index)
    }

    /// One of the items, or a value if there are none.
    pub(super) fn pick_or<T: Clone>(&mut self, items: &[T], otherwise: T) -> T {
        self.pick(items).cloned().unwrap_or(otherwise)
    }

    /// Some of the items, in their order, at least one if there are any; mostly few.
    pub(super) fn some<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let share = self.pick_or(&[0, 0, 30, 60], 0);
        let sure = self.below(items.len());
        let chosen = items.iter().enumerate().filter(|(index, _)| *index == sure || self.percent(share));
        chosen.map(|(_, item)| item.clone()).collect()
    }
}
