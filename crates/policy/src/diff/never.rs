//! What can never happen under a version, and the conditions of it, in words.

use crate::cells::joined;
use crate::language::{Condition, Flag, Forbidden, Never, Version};

/// What each `never` of a version rules out, in words.
pub fn nevers(version: &Version) -> Vec<String> {
    let say = |never: &Never| {
        let what = match &never.what {
            Forbidden::Use { purpose } => format!("`{purpose}` uses nothing"),
            Forbidden::Keep { class, longer_than: None } => format!("`{class}` is not kept"),
            Forbidden::Keep { class, longer_than: Some(span) } => {
                format!("`{class}` is not kept longer than {span}")
            }
        };
        let when = condition_words(&never.when);
        if when.is_empty() { what } else { format!("{what} where {when}") }
    };
    version.nevers.iter().map(say).collect()
}

/// A condition, in words; empty if it asks for nothing.
pub fn condition_words(when: &Condition) -> String {
    fn words<T: ToString>(name: &str, values: Option<&Vec<T>>, parts: &mut Vec<String>) {
        if let Some(values) = values {
            let values: Vec<_> = values.iter().map(ToString::to_string).collect();
            parts.push(format!("{name} is {}", joined(&values, "or")));
        }
    }
    let mut parts = Vec::new();
    words("regime", when.regime.as_ref(), &mut parts);
    words("surface", when.surface.as_ref(), &mut parts);
    words("kind", when.kind.as_ref(), &mut parts);
    words("mode", when.mode.as_ref(), &mut parts);
    words("region", when.region.as_ref(), &mut parts);
    for (purpose, standings) in &when.standing {
        words(&format!("standing toward {purpose}"), Some(standings), &mut parts);
    }
    for (flag, values) in &when.flags {
        if let [value] = values.as_slice() {
            parts.push(flag_words(*flag, *value).to_owned());
        }
    }
    parts.join(", ")
}

const fn flag_words(flag: Flag, value: bool) -> &'static str {
    match (flag, value) {
        (Flag::Deleted, true) => "deleted",
        (Flag::Deleted, false) => "not deleted",
        (Flag::Flagged, true) => "flagged",
        (Flag::Flagged, false) => "not flagged",
        (Flag::Feedback, true) => "with feedback",
        (Flag::Feedback, false) => "without feedback",
        (Flag::Minor, true) => "from a minor",
        (Flag::Minor, false) => "from an adult",
        (Flag::Closed, true) => "the account is closed",
        (Flag::Closed, false) => "the account is open",
    }
}
