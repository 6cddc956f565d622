//! What a file says once: dates, titles, grace.

use tenure_model::{Instant, MonthLength};

use crate::language::{Undecided, Version};

/// A value that the file gives once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key in the file.
    pub name: &'static str,
    /// The older value.
    pub before: Value,
    /// The newer value.
    pub after: Value,
}

/// A value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// There is none.
    Absent,
    /// Words.
    Words(String),
    /// An instant.
    Instant(Instant),
}

pub(super) fn settings(older: &Version, newer: &Version) -> Vec<Setting> {
    let words = |of: String| Value::Words(of);
    let instant = |of: Option<Instant>| of.map_or(Value::Absent, Value::Instant);
    let undecided = |version: &Version| {
        words(match version.undecided {
            Undecided::Block => "block".to_owned(),
            Undecided::Remind => "remind".to_owned(),
        })
    };
    let months = |version: &Version| {
        words(match version.months {
            MonthLength::Calendar => "calendar".to_owned(),
            MonthLength::ThirtyDays => "30 days".to_owned(),
        })
    };
    let of = |version: &Version| {
        [
            ("title", words(version.title.clone())),
            ("announced", instant(Some(version.announced))),
            ("effective", instant(Some(version.effective))),
            ("decide_by", instant(version.decide_by)),
            ("undecided", undecided(version)),
            ("grace", words(version.grace.to_string())),
            ("proof", words(version.proof.to_string())),
            ("months", months(version)),
            ("bodies", words(version.bodies.join(", "))),
            ("facts", words(version.facts.join(", "))),
        ]
    };
    let pairs = of(older).into_iter().zip(of(newer));
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((name, before), (_, after))| Setting { name, before, after })
        .collect()
}
