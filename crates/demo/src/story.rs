//! The story: what happens, in the order in which it happens.

use tenure_model::{Choice, Instant};

use crate::dates::{date, days_after, minutes_after, next_month};
use crate::world::World;

/// A published version: its name, and its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) text: &'static str,
}

/// The terms before the change.
pub(crate) const OLD_TERMS: Version = Version {
    name: "2025-05-01",
    file: "before.toml",
    text: include_str!("../../../policies/claude-consumer/before.toml"),
};
/// The change as it was announced.
pub(crate) const NEW_TERMS: Version = Version {
    name: "2025-09-28",
    file: "2025-09-28.toml",
    text: include_str!("../../../policies/claude-consumer/2025-09-28.toml"),
};
/// The same change, with its deadline moved.
pub(crate) const MOVED_TERMS: Version = Version {
    name: "2025-10-08",
    file: "2025-10-08.toml",
    text: include_str!("../../../policies/claude-consumer/2025-10-08.toml"),
};

/// The hold's name.
pub(crate) const ORDER: &str = "order-2025-05-13";

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A version is published.
    Publish(Version),
    /// The accounts are told.
    Accounts,
    /// Conversations arrive: everything said since they last did.
    Arrive,
    /// An order to preserve is placed.
    PlaceHold,
    /// It is released.
    ReleaseHold,
    /// Everyone who is asked is told of the new terms.
    Ask,
    /// A person opens an account.
    Join(usize),
    /// A person answers.
    Decide(usize, Choice),
    /// A person deletes a conversation.
    Delete(usize),
    /// A person closes the account.
    Leave(usize),
    /// A classifier flags a conversation.
    Flag(usize),
    /// A person sends a thumb.
    Feedback(usize),
    /// The first deadline passes without effect, since it was moved.
    OldDeadline,
    /// The deadline: whoever has not answered must, to go on.
    Deadline,
    /// A training run is opened.
    Train,
    /// What is due is destroyed.
    Sweep,
    /// A period has passed that is told of in one line.
    Look,
}

/// When what is due is destroyed: each week, each day around the deadline, each week again, and then each month.
/// A sweep destroys all that is due before the next one.
pub(crate) fn sweeps() -> Vec<Instant> {
    let mut sweeps = Vec::new();
    let mut at = minutes_after(date("2025-05-12"), 23 * 60);
    while at < date("2031-02-01") {
        sweeps.push(at);
        at = if at < date("2025-09-22") {
            days_after(at, 7)
        } else if at < date("2025-10-09") {
            days_after(at, 1)
        } else if at < date("2025-12-25") {
            days_after(at, 7)
        } else {
            minutes_after(next_month(at), 23 * 60)
        };
    }
    sweeps
}

/// The days on which conversations arrive, in the evening.
const ARRIVALS: [&str; 12] = [
    "2025-05-12",
    "2025-06-10",
    "2025-07-08",
    "2025-08-05",
    "2025-08-26",
    "2025-09-09",
    "2025-09-23",
    "2025-10-09",
    "2025-10-23",
    "2025-11-02",
    "2025-11-16",
    "2025-11-30",
];

/// Five years of a policy change, for these people.
pub(crate) fn agenda(world: &World) -> Vec<(Instant, Event)> {
    let on = |day: &str, hour: i64| minutes_after(date(day), hour * 60);
    let mut agenda = vec![
        (on("2025-05-12", 8), Event::Publish(OLD_TERMS)),
        (on("2025-05-12", 9), Event::Accounts),
        (on("2025-05-13", 9), Event::PlaceHold),
        (on("2025-08-28", 0), Event::Publish(NEW_TERMS)),
        (on("2025-08-28", 6), Event::Ask),
        (on("2025-09-26", 17), Event::ReleaseHold),
        (on("2025-09-27", 0), Event::Publish(MOVED_TERMS)),
        (on("2025-09-28", 0), Event::OldDeadline),
        (on("2025-10-08", 0), Event::Deadline),
        (on("2025-11-03", 8), Event::Train),
        (on("2025-12-01", 8), Event::Train),
    ];
    agenda.extend(ARRIVALS.iter().map(|day| (on(day, 22), Event::Arrive)));
    for (number, person) in world.people.iter().enumerate() {
        if person.opened > date("2025-05-12") {
            agenda.push((person.opened, Event::Join(number)));
        }
        agenda.extend(person.choices.iter().map(|(at, choice)| (*at, Event::Decide(number, *choice))));
        agenda.extend(person.leaves.map(|at| (at, Event::Leave(number))));
    }
    for (number, talk) in world.talks.iter().enumerate() {
        agenda.extend(talk.deleted.map(|at| (at, Event::Delete(number))));
        agenda.extend(talk.flagged.map(|at| (at, Event::Flag(number))));
        agenda.extend(talk.feedback.map(|at| (at, Event::Feedback(number))));
    }
    let sweeps = sweeps();
    let looks = sweeps.windows(2).filter_map(|pair| match pair {
        [before, after] if ends_a_period(*before, *after) => Some((minutes_after(*before, 1), Event::Look)),
        _ => None,
    });
    agenda.extend(looks);
    agenda.extend(sweeps.iter().map(|at| (*at, Event::Sweep)));
    agenda.sort_by_key(|(at, _)| *at);
    agenda
}

/// A month, while much happens, and a year, when little does.
fn ends_a_period(before: Instant, after: Instant) -> bool {
    let (year, month, _) = crate::dates::parts(before);
    let (next_year, next_month, _) = crate::dates::parts(after);
    year != next_year || year == 2025 && month != next_month
}
