//! The words for reasons, standings, changes and effects.

use tenure_app::explain::{Change, Effect, Ending, Obstacle, StageView, UseView};
use tenure_model::{Choice, Instant, Kind, Mode, Regime};

use crate::speech::{and, date, dated, some};

/// Where a record stands toward a purpose.
pub(super) fn standing(word: &str) -> &'static str {
    match word {
        "on" => "on, when it was said and since",
        "off" => "off",
        "withdrawn" => "withdrawn: allowed when it was said, switched off since",
        "unopposed" => "not opposed: the person was told and has said nothing against it",
        "unreached" => "on now, but not for what was said then",
        _ => "no decision that counts",
    }
}

/// How long a copy is kept.
pub(super) fn kept(ending: Ending, now: Instant) -> String {
    match ending {
        Ending::Held => "kept for as long as a hold covers it".to_owned(),
        Ending::Indefinite => "kept without an end".to_owned(),
        Ending::Until(until) => format!("kept until {}", dated(until, now)),
        Ending::Due(by) if by > now => format!("kept in grace after a hold, until {}", dated(by, now)),
        Ending::Due(_) => "due to be destroyed now".to_owned(),
    }
}

/// How far the destruction of a copy has come.
pub(super) fn stage(stage: &StageView, now: Instant) -> String {
    let steps = [
        ("its end was written into the ledger", stage.sealed_at),
        ("its key was destroyed", stage.shredded_at),
        ("its bytes were removed", stage.removed_at),
        ("it was looked for and not found", stage.verified_at),
    ];
    let done: Vec<(&str, Instant)> = steps.into_iter().filter_map(|(what, at)| Some((what, at?))).collect();
    let head = if stage.shredded_at.is_some() { "destroyed" } else { "being destroyed" };
    let Some((_, last)) = done.last() else { return head.to_owned() };
    if done.iter().all(|(_, at)| at == last) {
        let what: Vec<String> = done.iter().map(|(what, _)| (*what).to_owned()).collect();
        return format!("{head} {}: {}", dated(*last, now), and(&what));
    }
    let steps: Vec<String> = done.iter().map(|(what, at)| format!("{what} {}", date(*at))).collect();
    format!("{head}: {}", and(&steps))
}

/// From what a term counts, with its date.
pub(super) fn anchor(from: &str, since: Instant) -> String {
    let what = match from {
        "created" => "when it was created".to_owned(),
        "last_activity" => "the conversation's last activity".to_owned(),
        "deleted" => "when the person deleted it".to_owned(),
        "flagged" => "when it was flagged".to_owned(),
        "feedback" => "when feedback was given".to_owned(),
        "closed" => "when the account was closed".to_owned(),
        other => match other.strip_prefix("decided.") {
            Some(purpose) => format!("the decision on `{purpose}`"),
            None => other.to_owned(),
        },
    };
    format!("{what}, {}", date(since))
}

/// Whether a purpose may use a record, and why not.
pub(super) fn uses(view: &UseView, messages: usize) -> Vec<String> {
    let reasons = view.obstacles.iter().map(obstacle_words);
    if view.allowed {
        let mut lines = vec![if messages == 0 {
            "yes".to_owned()
        } else {
            format!("yes: {} of {}", view.messages, some(messages as u64, "message"))
        }];
        lines.extend(reasons.map(|reason| format!("not all, because {reason}")));
        return lines;
    }
    let reasons: Vec<String> = reasons.collect();
    match reasons.as_slice() {
        [] => vec!["no".to_owned()],
        [one] => vec![format!("no, because {one}")],
        many => {
            many.iter()
                .enumerate()
                .map(|(place, reason)| {
                    if place == 0 { format!("no, because {reason}") } else { format!("and because {reason}") }
                })
                .collect()
        }
    }
}

fn obstacle_words(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::OtherTerms { version } => {
            format!("it is judged by version {version}, which does not know the purpose")
        }
        Obstacle::NoRule => "no rule uses anything for it".to_owned(),
        Obstacle::Regime { regime } => match regime {
            Regime::Consumer => "it was sent on a person's own terms",
            Regime::Commercial => "it was sent on commercial terms",
            Regime::Zero => "it was sent on terms of zero retention",
        }
        .to_owned(),
        Obstacle::Surface => "it was sent through another product or plan".to_owned(),
        Obstacle::Kind { kind: Kind::Chat } => "it is a chat".to_owned(),
        Obstacle::Kind { kind: Kind::Code } => "it is a coding session".to_owned(),
        Obstacle::Mode { mode: Mode::Normal } => "it was sent in normal mode".to_owned(),
        Obstacle::Mode { mode: Mode::Incognito } => "it was sent in incognito mode".to_owned(),
        Obstacle::Region { account, known } => {
            let whose = if *account { "the account's country" } else { "the country that it was sent from" };
            if *known {
                format!("{whose} is not among those allowed")
            } else {
                format!("{whose} is not known")
            }
        }
        Obstacle::Standing { purpose, standing } => match *standing {
            "undecided" => format!("the person has no decision on `{purpose}` that counts"),
            "off" => format!("the person said no to `{purpose}`"),
            "withdrawn" => format!("the person switched `{purpose}` off since"),
            "unreached" => {
                format!("`{purpose}` was switched on only after it was said, or was off in between")
            }
            "unopposed" => format!("the person has not said yes to `{purpose}`"),
            _ => format!("`{purpose}` is on"),
        },
        Obstacle::Fact { fact, value } => fact_words(fact, *value).to_owned(),
        Obstacle::NoBasis { class } => format!("its `{class}` copy is kept on no basis"),
        Obstacle::Undated { messages } => {
            format!("nobody knows when {} sent", was_or_were(*messages))
        }
        Obstacle::Derived { messages } => {
            format!("{} the text of others that may not be used, or that are missing", carry(*messages))
        }
        Obstacle::SentBefore { messages } => {
            format!("{} sent while the choice was another", was_or_were(*messages))
        }
        _ => "of another reason".to_owned(),
    }
}

fn was_or_were(messages: usize) -> String {
    format!("{} {}", some(messages as u64, "message"), if messages == 1 { "was" } else { "were" })
}

fn carry(messages: usize) -> String {
    format!("{} {}", some(messages as u64, "message"), if messages == 1 { "carries" } else { "carry" })
}

fn fact_words(fact: &str, value: Option<bool>) -> &'static str {
    match (fact, value) {
        ("deleted", Some(true)) => "the person deleted it",
        ("deleted", _) => "the person has not deleted it",
        ("flagged", Some(true)) => "it is flagged",
        ("flagged", Some(false)) => "it is not flagged",
        ("flagged", None) => "no classifier has looked at it, so whether it is flagged is not known",
        ("feedback", Some(true)) => "feedback was given on it",
        ("feedback", _) => "no feedback was given on it",
        ("minor", Some(true)) => "the person is a minor",
        ("minor", Some(false)) => "the person is not a minor",
        ("minor", None) => "nobody told whether the person is a minor",
        ("closed", Some(true)) => "the account is closed",
        ("closed", _) => "the account is not closed",
        _ => "a fact about it is otherwise",
    }
}

/// What could happen, as a sentence without an end.
pub(super) fn changes(changes: &[Change]) -> String {
    let mut words: Vec<String> = Vec::with_capacity(changes.len());
    let mut is_person = false;
    for change in changes {
        let word = self::change(change);
        // Who does several things in a row is named once.
        let rest = word.strip_prefix("the person ").map(str::to_owned);
        let was_person = std::mem::replace(&mut is_person, rest.is_some());
        words.push(rest.filter(|_| was_person).unwrap_or(word));
    }
    format!("If {}", and(&words))
}

fn change(change: &Change) -> String {
    match change {
        Change::Decide { purpose, choice: Choice::On } => format!("the person switches `{purpose}` on"),
        Change::Decide { purpose, choice: Choice::Off } => format!("the person says no to `{purpose}`"),
        Change::Acknowledge { version } => format!("the person acknowledges version {version}"),
        Change::GoOn => "the person goes on with the conversation".to_owned(),
        Change::Delete => "the person deletes the conversation".to_owned(),
        Change::Close => "the account is closed".to_owned(),
        Change::Clear => "a classifier finds nothing in it".to_owned(),
        Change::TellAdult => "it is told that the person is not a minor".to_owned(),
        Change::Release { hold } => format!("order `{hold}` is released"),
        _ => "something else happens".to_owned(),
    }
}

/// What would be otherwise.
pub(super) fn effect(effect: &Effect, now: Instant) -> String {
    match effect {
        Effect::Kept { class, before, after } => {
            let was = match before {
                Ending::Held => "for as long as it is held".to_owned(),
                Ending::Indefinite => "without an end".to_owned(),
                Ending::Until(until) => format!("until {}", date(*until)),
                Ending::Due(_) => "due now".to_owned(),
            };
            format!("{class}: {}, instead of {was}", kept(*after, now))
        }
        Effect::Used { purpose, allowed: true, before: 0, after: 0 } => format!("{purpose}: allowed"),
        Effect::Used { purpose, allowed: true, before, after } => {
            format!("{purpose}: allowed, for {} instead of {before}", some(*after as u64, "message"))
        }
        Effect::Used { purpose, allowed: false, .. } => format!("{purpose}: not allowed any more"),
        Effect::MustDecide { must: true } => "the account must decide before it goes on".to_owned(),
        Effect::MustDecide { must: false } => "the account need not decide any more to go on".to_owned(),
        _ => "something else is otherwise".to_owned(),
    }
}
