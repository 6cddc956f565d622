//! What an account has chosen, and where a record stands toward a purpose.

use std::collections::BTreeMap;

use tenure_model::{Choice, Instant};
use tenure_policy::language::{Ground, Purpose, Reach, Standing};

use crate::binding::Considered;
use crate::check::Decided;
use crate::tally::{Clause, Tally};

/// A choice toward a version at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stance {
    Off,
    On,
    Unopposed,
    None,
}

impl Stance {
    const fn is_on_or_unopposed(self) -> bool {
        matches!(self, Self::On | Self::Unopposed)
    }
}

impl Considered<'_> {
    /// The decisions for a purpose up to an instant, oldest first, one for each instant: "of several at
    /// one instant, `off` wins, then the newest version's".
    fn winners(&self, purpose: &str, by: Instant, tally: &mut Tally) -> Vec<&Decided<'_>> {
        let mut winners: BTreeMap<Instant, &Decided<'_>> = BTreeMap::new();
        for decided in &self.checked.decisions {
            if decided.purpose != purpose || decided.at > by {
                continue;
            }
            let Some(other) = winners.get(&decided.at) else {
                winners.insert(decided.at, decided);
                continue;
            };
            tally.add(Clause::ChoiceTie);
            let wins = match (decided.choice, other.choice) {
                (Choice::Off, Choice::On) => true,
                (Choice::On, Choice::Off) => false,
                _ => decided.version > other.version,
            };
            if wins {
                winners.insert(decided.at, decided);
            }
        }
        winners.into_values().collect()
    }

    /// The choice for a purpose, as `version` has it, toward that version at an instant.
    pub(crate) fn choice(&self, purpose: &Purpose, version: usize, at: Instant, tally: &mut Tally) -> Stance {
        // "The latest decision for the purpose up to then."
        if let Some(latest) = self.winners(&purpose.name, at, tally).last() {
            if latest.choice == Choice::Off {
                tally.add(Clause::ChoiceOff);
                return Stance::Off;
            }
            if self.carries(latest.version, version, tally) {
                tally.add(match latest.version.cmp(&version) {
                    std::cmp::Ordering::Less => Clause::ChoiceOnCarried,
                    std::cmp::Ordering::Equal => Clause::ChoiceOnSame,
                    std::cmp::Ordering::Greater => Clause::ChoiceOnLater,
                });
                return Stance::On;
            }
            tally.add(Clause::ChoiceOnNotCarried);
        }
        match purpose.ground {
            Ground::Objection { wait } => self.unopposed(wait, version, at, tally),
            Ground::Consent | Ground::None => {
                tally.add(Clause::ChoiceNone);
                Stance::None
            }
        }
    }

    /// "`unopposed`, if the account was informed of (or acknowledged) that version, or one from which
    /// `on` would carry, at least `wait` before; else none."
    fn unopposed(&self, wait: tenure_model::Span, version: usize, at: Instant, tally: &mut Tally) -> Stance {
        let months = self.lineage.versions().get(version).map(|version| version.months).unwrap_or_default();
        let checked = &self.checked;
        let told = checked.informed.iter().chain(&checked.acknowledged).map(|told| (told.version, told.at));
        // "A decision acknowledges its version."
        let decided = checked.decisions.iter().filter(|decided| !decided.is_void);
        let decided = decided.map(|decided| (decided.version, decided.at));
        let (mut same, mut other, mut waiting) = (false, false, false);
        for (told_of, told_at) in told.chain(decided) {
            if told_at > at || !self.carries(told_of, version, tally) {
                continue;
            }
            if told_at.plus(wait, months) > at {
                waiting = true;
            } else if told_of == version {
                same = true;
            } else {
                other = true;
            }
        }
        let (stance, clause) = match (same, other, waiting) {
            (true, _, _) => (Stance::Unopposed, Clause::ChoiceUnopposedSame),
            (false, true, _) => (Stance::Unopposed, Clause::ChoiceUnopposedOther),
            (false, false, true) => (Stance::None, Clause::ChoiceWaiting),
            (false, false, false) => (Stance::None, Clause::ChoiceNone),
        };
        tally.add(clause);
        stance
    }

    /// Where the record stands toward a purpose of the judging version, if it is judged as of `then`.
    pub(crate) fn standing(
        &self,
        purpose: &Purpose,
        judging: usize,
        then: Instant,
        tally: &mut Tally,
    ) -> Standing {
        let now = self.checked.case.at;
        let choice_now = self.choice(purpose, judging, now, tally);
        let choice_then = self.choice(purpose, judging, then, tally);
        let off_between = self.checked.decisions.iter().any(|decided| {
            decided.purpose == purpose.name
                && decided.choice == Choice::Off
                && then <= decided.at
                && decided.at <= now
        });
        let agreed_then = choice_then.is_on_or_unopposed();
        let (standing, clause) = match choice_now {
            Stance::None => (Standing::Undecided, Clause::StandingUndecided),
            Stance::Off if agreed_then => (Standing::Withdrawn, Clause::StandingWithdrawn),
            Stance::Off => (Standing::Off, Clause::StandingOff),
            Stance::On if agreed_then && !off_between => (Standing::On, Clause::StandingOn),
            Stance::Unopposed if agreed_then && !off_between => {
                (Standing::Unopposed, Clause::StandingUnopposed)
            }
            Stance::On | Stance::Unopposed if agreed_then => {
                (Standing::Unreached, Clause::StandingUnreachedBetween)
            }
            Stance::On | Stance::Unopposed => (Standing::Unreached, Clause::StandingUnreachedThen),
        };
        tally.add(clause);
        standing
    }

    /// The instant as of which the record as a whole is judged: "the conversation's last activity for
    /// `reach = "conversation"`"; for `message` "the record's last activity".
    pub(crate) fn then(&self, reach: Reach) -> Instant {
        match reach {
            Reach::Conversation => self.checked.conversation_last_activity,
            Reach::Message => self.checked.case.record.last_activity_at,
        }
    }

    /// The anchor `decided.PURPOSE`: "the first of the present unbroken run of equal decisions as they
    /// were given, if `on` or `off` is the choice now; of several at one instant only the winner counts;
    /// repeating one does not move it".
    pub(crate) fn decided(&self, purpose: &Purpose, judging: usize, tally: &mut Tally) -> Option<Instant> {
        let now = self.checked.case.at;
        if !matches!(self.choice(purpose, judging, now, tally), Stance::On | Stance::Off) {
            return None;
        }
        let winners = self.winners(&purpose.name, now, tally);
        let present = winners.last()?.choice;
        winners.iter().rev().take_while(|decided| decided.choice == present).last().map(|decided| decided.at)
    }
}
