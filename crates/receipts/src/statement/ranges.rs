//! Sets of leaves, written shortly.

use serde::{Deserialize, Serialize};

/// A set of leaf indexes: ranges `[first, last]` in order, with a gap between one and the next, so that a set
/// has one spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<[u64; 2]>", into = "Vec<[u64; 2]>")]
pub struct LeafRanges(Vec<[u64; 2]>);

/// Ranges that are not the one spelling of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ranges of leaves must be in order, each `[first, last]`, with a gap between one and the next")]
pub struct RangesError;

impl LeafRanges {
    /// How many leaves there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|[first, last]| (last - first).saturating_add(1)).fold(0, u64::saturating_add)
    }

    /// Whether a leaf is one of them.
    pub fn contains(&self, leaf: u64) -> bool {
        let after = self.0.partition_point(|[first, _]| *first <= leaf);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|[_, last]| leaf <= *last)
    }

    /// The ranges, both ends included.
    pub fn iter(&self) -> impl Iterator<Item = std::ops::RangeInclusive<u64>> + '_ {
        self.0.iter().map(|[first, last]| *first..=*last)
    }
}

/// Collects indexes in any order, repeated or not.
impl FromIterator<u64> for LeafRanges {
    fn from_iter<I: IntoIterator<Item = u64>>(leaves: I) -> Self {
        let mut leaves: Vec<u64> = leaves.into_iter().collect();
        leaves.sort_unstable();
        let mut ranges: Vec<[u64; 2]> = Vec::new();
        for leaf in leaves {
            match ranges.last_mut() {
                Some([_, last]) if leaf <= last.saturating_add(1) => *last = leaf,
                _ => ranges.push([leaf, leaf]),
            }
        }
        Self(ranges)
    }
}

impl TryFrom<Vec<[u64; 2]>> for LeafRanges {
    type Error = RangesError;

    fn try_from(ranges: Vec<[u64; 2]>) -> Result<Self, RangesError> {
        let forward = ranges.iter().all(|[first, last]| first <= last);
        let apart = ranges.iter().zip(ranges.iter().skip(1));
        let apart = apart.into_iter().all(|([_, last], [next, _])| last.saturating_add(1) < *next);
        if forward && apart { Ok(Self(ranges)) } else { Err(RangesError) }
    }
}

impl From<LeafRanges> for Vec<[u64; 2]> {
    fn from(ranges: LeafRanges) -> Self {
        ranges.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_become_the_fewest_ranges() {
        let leaves: LeafRanges = [7, 1, 2, 3, 2, 9, 8, 20].into_iter().collect();
        assert_eq!(serde_json::to_string(&leaves).unwrap(), "[[1,3],[7,9],[20,20]]");
        assert_eq!(leaves.count(), 7);
        let within: Vec<u64> = (0..25).filter(|leaf| leaves.contains(*leaf)).collect();
        assert_eq!(within, [1, 2, 3, 7, 8, 9, 20]);
        assert_eq!(leaves.iter().flatten().collect::<Vec<_>>(), within);
    }

    #[test]
    fn a_set_has_one_spelling() {
        assert!(serde_json::from_str::<LeafRanges>("[[1,3],[5,5]]").is_ok());
        for wrong in ["[[3,1]]", "[[1,3],[4,5]]", "[[1,3],[2,5]]", "[[5,5],[1,3]]", "[[1]]", "[[1,2,3]]"] {
            assert!(serde_json::from_str::<LeafRanges>(wrong).is_err(), "{wrong}");
        }
        let all: LeafRanges = vec![[0, u64::MAX]].try_into().unwrap();
        assert_eq!(all.count(), u64::MAX);
        assert!(all.contains(u64::MAX));
    }
}
