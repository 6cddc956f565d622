//! Products of cells, in words.

use std::fmt;

use tenure_model::{Kind, Mode, Regime};

use super::{COUNTRY, Cells, FLAGS, KIND, MODE, STANDINGS, SURFACE, Space, bits};
use crate::language::{Anchor, Flag, Standing};

/// When a row of a matrix applies: what it says of each attribute that matters to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Situation(pub Vec<Aspect>);

/// What a situation says of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Aspect {
    /// The attribute, as a condition would name it.
    pub attribute: String,
    /// The values that it may have.
    pub values: Vec<String>,
    /// The same in words.
    pub words: String,
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("always");
        }
        for (index, aspect) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(&aspect.words)?;
        }
        Ok(())
    }
}

/// Joins words as a sentence does: "a, b or c".
pub(crate) fn joined(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., end] => format!("{} {last} {end}", start.join(", ")),
    }
}

/// The words for a flag that is not set, and one that is.
const fn flag_words(flag: Flag) -> [&'static str; 2] {
    match flag {
        Flag::Deleted => ["not deleted", "deleted"],
        Flag::Flagged => ["not flagged", "flagged"],
        Flag::Feedback => ["no feedback", "with feedback"],
        Flag::Minor => ["adult", "minor"],
        Flag::Closed => ["account open", "account closed"],
    }
}

/// The standings, from the most ordinary to the most special.
const STANDINGS_BY_RARITY: [Standing; 6] = [
    Standing::On,
    Standing::Unopposed,
    Standing::Undecided,
    Standing::Off,
    Standing::Withdrawn,
    Standing::Unreached,
];

impl Space<'_> {
    /// What a product says of each attribute, where that is less than `everything` does.
    pub(crate) fn situation(&self, cells: &Cells, everything: &Cells) -> Situation {
        let pairs = cells.masks.iter().zip(&everything.masks).enumerate();
        let mut aspects: Vec<_> = pairs
            .filter(|(_, (mask, all))| mask != all)
            .map(|(attribute, (mask, all))| (reading_order(attribute), self.aspect(attribute, *mask, *all)))
            .collect();
        aspects.sort_by_key(|(order, _)| *order);
        Situation(aspects.into_iter().map(|(_, aspect)| aspect).collect())
    }

    fn aspect(&self, attribute: usize, mask: u128, all: u128) -> Aspect {
        let say = |attribute: &str, values: Vec<String>, words: String| Aspect {
            attribute: attribute.to_owned(),
            values,
            words,
        };
        match attribute {
            SURFACE => {
                let of = |surface: &&_| self.surfaces.newest_name(**surface).to_owned();
                let names: Vec<_> = chosen(self.surfaces.ids(), mask).iter().map(of).collect();
                let words = format!("on {}", joined(&names, "or"));
                say("surface", names, words)
            }
            COUNTRY => {
                let names: Vec<_> = chosen(&self.countries, mask).iter().map(|g| region_words(g)).collect();
                let words = format!("in {}", joined(&names, "or"));
                say("region", names, words)
            }
            KIND => {
                let names: Vec<_> = chosen(Kind::ALL, mask).iter().map(ToString::to_string).collect();
                let words = if mask & 1 == 1 { "chat" } else { "coding session" };
                say("kind", names, words.to_owned())
            }
            MODE => {
                let names: Vec<_> = chosen(Mode::ALL, mask).iter().map(ToString::to_string).collect();
                let words = joined(&names, "or");
                say("mode", names, words)
            }
            _ if attribute < STANDINGS => {
                let flag = Flag::ALL.get(attribute - FLAGS).copied().unwrap_or(Flag::Closed);
                let is_set = mask >> 1 & 1 == 1;
                let [unset, set] = flag_words(flag);
                say(flag.word(), vec![is_set.to_string()], if is_set { set } else { unset }.to_owned())
            }
            _ => {
                let purpose = self.purposes.get(attribute - STANDINGS).copied().unwrap_or_default();
                let names: Vec<_> = chosen(Standing::ALL, mask).iter().map(ToString::to_string).collect();
                let others: Vec<_> =
                    chosen(Standing::ALL, all & !mask).iter().map(ToString::to_string).collect();
                let words = match others.as_slice() {
                    [one] if names.len() > 2 => format!("{purpose} not {one}"),
                    _ if names.len() <= 3 => format!("{purpose} {}", joined(&names, "or")),
                    _ => format!("{purpose} neither {}", joined(&others, "nor")),
                };
                say(&format!("standing.{purpose}"), names, words)
            }
        }
    }

    /// The cells in which a record has an anchor.
    pub(crate) fn having(&self, anchor: &Anchor, within: &Cells) -> Cells {
        let mut cells = within.clone();
        let flag = match anchor {
            Anchor::Created | Anchor::LastActivity => return cells,
            Anchor::Decided(purpose) => {
                let decided = [Standing::Off, Standing::Withdrawn, Standing::On, Standing::Unreached];
                return self.with_standing(&cells, purpose, &decided);
            }
            Anchor::Deleted => Flag::Deleted,
            Anchor::Flagged => Flag::Flagged,
            Anchor::Feedback => Flag::Feedback,
            Anchor::Closed => Flag::Closed,
        };
        if let Some(mask) = cells.masks.get_mut(FLAGS + flag as usize) {
            *mask &= 0b10;
        }
        cells
    }

    /// The cells of `within` on the surfaces of some regimes.
    pub(crate) fn in_regimes(&self, regimes: &[Regime], within: &Cells) -> Cells {
        let mut cells = within.clone();
        if let Some(mask) = cells.masks.get_mut(SURFACE) {
            *mask &= bits(self.surfaces.ids(), |surface| regimes.contains(&self.surfaces.regime(*surface)));
        }
        cells
    }
}

/// How far a product is from the most ordinary case; rows are ordered by it.
pub(crate) fn rarity(cells: &Cells) -> u32 {
    let lacks =
        |attribute: usize, bit: u32| cells.masks.get(attribute).is_some_and(|mask| mask >> bit & 1 == 0);
    let flags = [
        (Flag::Minor, 50),
        (Flag::Deleted, 200),
        (Flag::Closed, 400),
        (Flag::Feedback, 800),
        (Flag::Flagged, 1_600),
    ];
    let of_flags: u32 =
        flags.iter().filter(|(flag, _)| lacks(FLAGS + *flag as usize, 0)).map(|(_, weight)| weight).sum();
    let of_standings: u32 = cells
        .masks
        .iter()
        .skip(STANDINGS)
        .filter_map(|mask| {
            STANDINGS_BY_RARITY.iter().zip(0_u32..).find(|(standing, _)| mask >> **standing as u32 & 1 == 1)
        })
        .map(|(_, rank)| rank)
        .sum();
    of_flags
        + of_standings
        + if lacks(MODE, 0) { 100 } else { 0 }
        + if lacks(KIND, 0) { 25 } else { 0 }
        + if lacks(COUNTRY, 0) { 10 } else { 0 }
}

#[cfg(test)]
impl Cells {
    /// The values of each attribute, as bits.
    pub(crate) fn bits(&self) -> Vec<Vec<u32>> {
        self.masks.iter().map(|mask| (0..128).filter(|bit| mask >> bit & 1 == 1).collect()).collect()
    }

    /// Whether a single cell, as one bit for each attribute, is among these.
    pub(crate) fn contains(&self, cell: &[u32]) -> bool {
        self.masks.iter().zip(cell).all(|(mask, bit)| mask >> bit & 1 == 1)
    }
}

#[cfg(test)]
impl Space<'_> {
    /// A country of a group; `None` stands for one that no region names.
    pub(crate) fn country(&self, group: usize) -> Option<&str> {
        self.countries[group].example.as_deref()
    }
}

/// Choices come first in a sentence, then what the record is, then where.
const fn reading_order(attribute: usize) -> usize {
    match attribute {
        SURFACE => 0,
        COUNTRY => 1,
        MODE => 3,
        KIND => 2,
        _ if attribute >= STANDINGS => attribute - STANDINGS + 4,
        _ => attribute + 1_000,
    }
}

fn chosen<T>(values: &[T], mask: u128) -> Vec<&T> {
    values.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, value)| value).collect()
}

fn region_words(group: &super::CountryGroup) -> String {
    let mut names: Vec<&str> =
        group.regions.iter().map(|region| region.as_deref().unwrap_or("other")).collect();
    names.dedup();
    match names.as_slice() {
        ["other"] => "other countries".to_owned(),
        [one] => (*one).to_owned(),
        _ => format!("countries moved from {}", names.join(" to ")),
    }
}
