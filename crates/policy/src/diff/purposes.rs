//! Purposes added, removed and changed, with their grounds and standings in words.

use crate::language::{Ground, Purpose, Reach, Standing, Version};

fn regimes_words(purpose: &Purpose) -> String {
    purpose.regimes.as_ref().map_or_else(
        || "every regime".to_owned(),
        |regimes| regimes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    )
}

const fn reach_words(reach: Reach) -> &'static str {
    match reach {
        Reach::Message => "single messages",
        Reach::Conversation => "whole conversations",
    }
}

/// The ground, as words for people.
pub fn ground_words(ground: Ground) -> String {
    match ground {
        Ground::Consent => "only after a yes".to_owned(),
        Ground::Objection { wait } => format!("unless a person objects, {wait} after they were informed"),
        Ground::None => "not a matter of choice".to_owned(),
    }
}

pub(super) fn purpose_changes(older: &Version, newer: &Version) -> Vec<(String, String)> {
    let mut changes = Vec::new();
    for purpose in &newer.purposes {
        let mut say = |words: String| changes.push((purpose.name.clone(), words));
        let Some(before) = older.purpose(&purpose.name) else {
            say(format!("new, in {}: {}", regimes_words(purpose), ground_words(purpose.ground)));
            continue;
        };
        if before.title != purpose.title {
            say(format!("its title was \"{}\" and is \"{}\"", before.title, purpose.title));
        }
        if before.ground != purpose.ground {
            say(format!("was: {}; is: {}", ground_words(before.ground), ground_words(purpose.ground)));
        }
        if before.regimes != purpose.regimes {
            say(format!("was for {} and is for {}", regimes_words(before), regimes_words(purpose)));
        }
        if before.reach != purpose.reach {
            say(format!("took in {} and takes in {}", reach_words(before.reach), reach_words(purpose.reach)));
        }
    }
    for purpose in older.purposes.iter().filter(|purpose| newer.purpose(&purpose.name).is_none()) {
        changes.push((purpose.name.clone(), "is no longer a purpose".to_owned()));
    }
    changes
}

/// What a standing means, for people.
pub const fn standing_words(standing: Standing) -> &'static str {
    match standing {
        Standing::Undecided => "no answer so far",
        Standing::Off => "the answer is no, and it was not yes when this was said",
        Standing::Withdrawn => "the answer is no now, and was yes when this was said",
        Standing::On => "the answer is yes, and was yes when this was said",
        Standing::Unopposed => "informed, the waiting time is over, and not objected",
        Standing::Unreached => "the answer is yes now, but not for what was said before it",
    }
}
