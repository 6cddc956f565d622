//! The people of the story: who they are, what they answer and when.

use tenure_model::{Choice, Instant};

use crate::chance::Chance;
use crate::dates::{DAY, date, days_between, minutes_after};

/// What someone uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    Free,
    Pro,
    Max,
    Team,
    Api,
}

impl Plan {
    pub(crate) const fn surface(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Max => "max",
            Self::Team => "team",
            Self::Api => "api",
        }
    }

    /// Whether the terms ask this person at all.
    pub(crate) const fn is_asked(self) -> bool {
        matches!(self, Self::Free | Self::Pro | Self::Max)
    }
}

/// How someone answers the question about training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Yes,
    No,
    Nothing,
    YesThenNo,
    NoThenYes,
    /// Work plans and the API are not asked.
    NotAsked,
}

/// A person.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) plan: Plan,
    pub(crate) country: &'static str,
    pub(crate) minor: bool,
    pub(crate) opened: Instant,
    pub(crate) says: Says,
    pub(crate) choices: Vec<(Instant, Choice)>,
    /// When the person's conversations go on in a team's plan.
    pub(crate) moves: Option<Instant>,
    /// When the person closes the account.
    pub(crate) leaves: Option<Instant>,
}

impl Person {
    /// The answer that counts at an instant.
    pub(crate) fn answer(&self, at: Instant) -> Option<Choice> {
        self.choices.iter().rev().find(|(when, _)| *when <= at).map(|(_, choice)| *choice)
    }

    /// The last instant at which the person may write: whoever did not answer is stopped at the deadline.
    pub(crate) fn writes_until(&self) -> Instant {
        let stopped = if self.says == Says::Nothing { date("2025-10-08") } else { date("2025-11-30") };
        self.leaves.map_or(stopped, |leaves| leaves.min(stopped))
    }
}

/// How many people there are, and so how much of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Accounts.
    pub accounts: usize,
}

impl Scale {
    /// The whole demonstration.
    pub const FULL: Self = Self { accounts: 204 };
    /// Enough of everyone for a test.
    pub const SMALL: Self = Self { accounts: 48 };
}

const COUNTRIES: [&str; 9] = ["US", "US", "US", "GB", "DE", "FR", "IN", "BR", "JP"];

/// Everyone, in an order in which every kind of person comes early.
pub(crate) fn cast(chance: &Chance, scale: Scale) -> Vec<Person> {
    (0..scale.accounts).map(|number| person(&mut chance.of(number), number)).collect()
}

fn person(chance: &mut Chance, number: usize) -> Person {
    let plan = match number % 12 {
        0 | 3 | 5 | 8 => Plan::Free,
        1 | 4 | 6 | 9 | 11 => Plan::Pro,
        2 | 7 => Plan::Max,
        _ if number % 24 == 10 => Plan::Team,
        _ => Plan::Api,
    };
    let is_new = plan.is_asked() && number % 25 == 24;
    let opened = if is_new {
        minutes_after(date("2025-10-12"), chance.between(0, 40 * 24 * 60))
    } else {
        minutes_after(date("2023-07-01"), chance.between(0, 660 * 24 * 60))
    };
    // The tenth of each dozen is never asked, so that whoever is asked is spread over all answers.
    let says = match (plan.is_asked(), number * 7 % 20) {
        (false, _) => Says::NotAsked,
        (true, 0..=7) => Says::Yes,
        (true, 8..=12) => Says::No,
        (true, 13..=15) if !is_new => Says::Nothing,
        (true, 13..=17) => Says::YesThenNo,
        (true, _) => Says::NoThenYes,
    };
    let mut person = Person {
        id: chance.uuid(),
        plan,
        country: chance.word(&COUNTRIES),
        minor: false,
        opened,
        says,
        choices: Vec::new(),
        moves: (number == 1 || number % 61 == 60 && plan == Plan::Pro).then(|| date("2025-10-14")),
        leaves: (number % 70 == 21)
            .then(|| minutes_after(date("2025-09-08"), chance.between(0, 60 * 24 * 60))),
    };
    person.choices = choices(chance, &person);
    person
}

fn choices(chance: &mut Chance, person: &Person) -> Vec<(Instant, Choice)> {
    let first = first_answer(chance, person.opened);
    let later = if person.says == Says::YesThenNo && chance.percent(60) {
        minutes_after(date("2025-11-06"), chance.between(0, 20 * 24 * 60))
    } else {
        let room = days_between(first, date("2025-10-28")).max(2);
        minutes_after(first, chance.between(24 * 60, room * 24 * 60))
    };
    match person.says {
        Says::Yes => vec![(first, Choice::On)],
        Says::No => vec![(first, Choice::Off)],
        Says::Nothing | Says::NotAsked => Vec::new(),
        Says::YesThenNo => vec![(first, Choice::On), (later.max(minutes_after(first, 60)), Choice::Off)],
        Says::NoThenYes => vec![(first, Choice::Off), (later, Choice::On)],
    }
    .into_iter()
    .filter(|(at, _)| person.leaves.is_none_or(|leaves| *at < leaves))
    .collect()
}

/// Many answer when they are first asked, some when the deadline comes near, new people when they sign up.
fn first_answer(chance: &mut Chance, opened: Instant) -> Instant {
    let asked = date("2025-08-28");
    if opened > asked {
        return minutes_after(opened, chance.between(1, 8));
    }
    let days = if chance.percent(55) { chance.between(0, 12) } else { chance.between(12, 41) };
    let at = minutes_after(asked, days * 24 * 60 + chance.between(7 * 60, 22 * 60));
    Instant::saturating_from_micros(at.micros().min(date("2025-10-08").micros() - DAY / 24))
}
