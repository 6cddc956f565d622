//! How a class came to have no basis, found by asking at every instant at which an answer may change.

use std::collections::{BTreeMap, BTreeSet};

use tenure_model::{Anchored, Instant};
use tenure_policy::case::{Case, Text};
use tenure_policy::language::Ground;

use crate::binding::Considered;
use crate::check::{Checked, check};
use crate::keeping::Kept;
use crate::lineage::Lineage;
use crate::tally::Tally;

/// What was known of the account until a correction.
#[derive(Debug, Clone)]
pub struct Former {
    /// Until when.
    pub until: Instant,
    /// Its country.
    pub country: Option<String>,
    /// Whether the person is a minor.
    pub minor: Option<bool>,
}

/// What happened before, and a case does not say.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// Corrections, oldest first.
    pub former: Vec<Former>,
    /// A flag that was cleared: when it was set, and when it was cleared.
    pub unflagged: Option<(Instant, Instant)>,
}

/// How the last basis ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By time.
    ByTime(Instant),
    /// By the deletion.
    ByDeletion(Instant),
    /// Otherwise: when, until when quarantine lasts, and what took the basis.
    Otherwise(Instant, Instant, &'static str),
    /// There was none since the conversation's last activity.
    Never(Instant),
}

/// What is to be done about a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// How its basis ended, or ends by the instant that is asked about.
    pub ended: Option<Ended>,
    /// Its quarantine at the instant of the case: since when and until when.
    pub quarantine: Option<(Instant, Instant)>,
    /// Since when it must be gone by the instant that is asked about, and why, if it must.
    pub due: Option<(Instant, &'static str)>,
}

/// The natural end of each class, in the order of the classes that are asked about.
type Ends = Vec<Option<Anchored>>;

/// One case, with everything that was before it.
struct Look<'c> {
    lineage: &'c Lineage,
    case: &'c Case<'c>,
    checked: &'c Checked<'c>,
    before: &'c Before,
    classes: &'c [String],
}

impl Lineage {
    /// What becomes of the copies of some classes by an instant.
    pub fn fates(
        &self,
        case: &Case<'_>,
        before: &Before,
        classes: &[String],
        by: Instant,
    ) -> Result<Vec<Fate>, String> {
        let tally = &mut Tally::new();
        let checked = check(self, case, tally)?;
        let look = Look { lineage: self, case, checked: &checked, before, classes };
        let ends = look.all_ends(true);
        let considered = self.considered_by(&checked)?;
        let judging = considered.judging(considered.bound(case.at, tally), tally);
        let version = self.versions().get(judging).ok_or("no version judges")?;
        let grace = |at: Instant| at.plus(version.grace, version.months);
        let mut fates = Vec::new();
        for (place, class) in classes.iter().enumerate() {
            let of_class: BTreeMap<Instant, Anchored> =
                ends.iter().filter_map(|(at, ends)| Some((*at, (*ends.get(place)?)?))).collect();
            let natural = of_class.get(&case.at).copied();
            let ended = look.ended(place, &of_class, &grace, by)?;
            let quarantine = match ended {
                Some(Ended::Otherwise(since, until, _)) if since <= case.at && case.at < until => {
                    Some((since, until))
                }
                _ => None,
            };
            let kept = Kept { class: class.clone(), bases: Vec::new(), until: None, natural_end: natural };
            let is_held = !considered.held(class, tally).is_empty();
            let release = considered.latest_release(class, tally);
            let release = release.filter(|at| kept.natural_end.is_none_or(|end| end <= Anchored::Until(*at)));
            fates.push(Fate { ended, quarantine, due: due(ended, release.map(grace), is_held, by) });
        }
        Ok(fates)
    }
}

/// Since when a copy must be gone: "grace after a released hold" counts beside quarantine, the later of both.
fn due(
    ended: Option<Ended>,
    grace: Option<Instant>,
    is_held: bool,
    by: Instant,
) -> Option<(Instant, &'static str)> {
    let own = match ended? {
        Ended::ByTime(at) => (at, "time"),
        Ended::ByDeletion(at) => (at, "deletion"),
        Ended::Otherwise(_, until, cause) => (until, cause),
        Ended::Never(at) => (at, "no_term"),
    };
    let (since, cause) = match grace {
        Some(grace) if grace > own.0 => (grace, "release"),
        _ => own,
    };
    (!is_held && since <= by).then_some((since, cause))
}

const fn moved(at: Instant, micros: i64) -> Instant {
    Instant::saturating_from_micros(at.micros() + micros)
}

impl Look<'_> {
    const fn first(&self) -> Instant {
        self.checked.conversation_last_activity
    }

    /// The natural ends at every instant at which one may begin, and just before it; and where one passes.
    fn all_ends(&self, deleted: bool) -> BTreeMap<Instant, Ends> {
        let (first, now) = (self.first(), self.case.at);
        let within = |at: &Instant| first <= *at && *at <= now;
        let changes = self.changes();
        let mut asked: BTreeSet<Instant> =
            changes.iter().flat_map(|(at, _)| [*at, moved(*at, -1)]).chain([first, now]).collect();
        asked.retain(within);
        let mut ends: BTreeMap<Instant, Ends> = BTreeMap::new();
        for at in asked {
            ends.insert(at, self.ends(at, deleted));
        }
        let passed = ends.values().flatten().filter_map(|end| match end {
            Some(Anchored::Until(end)) => Some([*end, moved(*end, -1)]),
            Some(Anchored::Indefinite) | None => None,
        });
        let passed: BTreeSet<Instant> = passed.flatten().filter(within).collect();
        for at in passed {
            ends.entry(at).or_insert_with(|| self.ends(at, deleted));
        }
        ends
    }

    /// The natural end of each class at an earlier instant, as the facts were.
    fn ends(&self, at: Instant, deleted: bool) -> Ends {
        let tally = &mut Tally::new();
        let mut case = self.case.clone();
        case.at = at;
        if let Some(former) = self.before.former.iter().find(|former| former.until > at) {
            case.account.country = former.country.clone().map(|country| Text(country.into()));
            case.account.minor = former.minor;
        }
        let flag = self.before.unflagged.filter(|(set, cleared)| *set <= at && at < *cleared);
        if case.record.flagged_at.is_none_or(|flagged| flagged > at) {
            case.record.flagged_at = flag.map(|(set, _)| set);
        }
        let now = self.checked;
        let checked = Checked {
            case: &case,
            surface: now.surface,
            conversation_last_activity: now.conversation_last_activity,
            deleted: now.deleted.filter(|_| deleted),
            decisions: now.decisions.iter().filter(|decided| decided.at <= at).cloned().collect(),
            informed: now.informed.iter().filter(|told| told.at <= at).copied().collect(),
            acknowledged: now.acknowledged.iter().filter(|told| told.at <= at).copied().collect(),
        };
        let none = || vec![None; self.classes.len()];
        let Ok(considered) = self.lineage.considered_by(&checked) else { return none() };
        let judging = considered.judging(considered.bound(at, tally), tally);
        let Some(version) = self.lineage.versions().get(judging) else { return none() };
        let cell = considered.cell(judging, version, tally);
        self.classes.iter().map(|class| considered.kept(judging, class, &cell, tally).natural_end).collect()
    }

    /// Everything after which another answer may be right, with what it is, in the words of a cause.
    fn changes(&self) -> Vec<(Instant, &'static str)> {
        let (case, checked) = (self.case, self.checked);
        let mut changes = Vec::new();
        let decided = checked.decisions.iter().map(|decided| decided.at);
        let told: Vec<Instant> =
            checked.informed.iter().chain(&checked.acknowledged).map(|told| told.at).chain(decided).collect();
        changes.extend(checked.decisions.iter().map(|decided| (decided.at, "choice")));
        changes.extend(checked.acknowledged.iter().map(|told| (told.at, "terms")));
        for (version, (published, withdrawn)) in self.lineage.versions().iter().zip(self.lineage.lives()) {
            let dates = [Some(version.announced), Some(version.effective), Some(*published), *withdrawn];
            changes.extend(dates.into_iter().flatten().map(|at| (at, "terms")));
            for purpose in &version.purposes {
                if let Ground::Objection { wait } = purpose.ground {
                    changes.extend(told.iter().map(|at| (at.plus(wait, version.months), "choice")));
                }
            }
        }
        let cleared = self.before.unflagged.into_iter().flat_map(|(set, cleared)| [set, cleared]);
        changes.extend(cleared.chain(checked.has_happened(case.record.flagged_at)).map(|at| (at, "flag")));
        let corrected = self.before.former.iter().map(|former| former.until);
        changes.extend(corrected.chain(case.record.feedback_at).map(|at| (at, "facts")));
        changes.extend(case.account.closed_at.map(|at| (at, "closing")));
        changes
    }

    /// "Of several at one instant": the person's choice, then flags, facts, closing and terms.
    fn cause_at(&self, at: Instant) -> Result<&'static str, String> {
        let changes = self.changes();
        let here = |cause: &&&str| changes.iter().any(|(when, what)| *when == at && *what == **cause);
        let causes = ["choice", "flag", "facts", "closing", "terms"];
        causes.iter().find(here).copied().ok_or_else(|| format!("nothing happened at {at}"))
    }

    /// How the basis ended that the class had last, if it has none that outlasts `by`.
    fn ended(
        &self,
        class: usize,
        ends: &BTreeMap<Instant, Anchored>,
        grace: &impl Fn(Instant) -> Instant,
        by: Instant,
    ) -> Result<Option<Ended>, String> {
        let now = self.case.at;
        let live = |(at, end): (&Instant, &Anchored)| end.is_live(*at).then_some((*at, *end));
        // Every instant at which it had a basis, and until when it had it then.
        let mut had: Vec<(Instant, Anchored)> = ends.iter().filter_map(live).collect();
        if let Some(until) = ends.get(&now).filter(|end| end.is_live(now)) {
            match until {
                // It is foreseen as things stand.
                Anchored::Until(end) if *end <= by => had.push((moved(*end, -1), *until)),
                _ => return Ok(None),
            }
        }
        let lost = had.last().map(|(last, _)| moved(*last, 1));
        let Some(lost) = lost else {
            return Ok(Some(match self.checked.deleted {
                Some(deleted) => Ended::ByDeletion(deleted),
                None => Ended::Never(self.first()),
            }));
        };
        if let Some(deleted) = self.checked.deleted.filter(|deleted| lost <= *deleted)
            && self.was_kept(class, moved(deleted, -1))
        {
            return Ok(Some(Ended::ByDeletion(deleted)));
        }
        let in_time = |(at, _): &&(Instant, Anchored)| grace(*at) >= lost || moved(*at, 1) == lost;
        let window: Vec<(Instant, Anchored)> = had.iter().filter(in_time).copied().collect();
        let most = window.iter().map(|(_, until)| *until).max().ok_or("it had no basis after all")?;
        if most <= Anchored::Until(lost) {
            return Ok(Some(Ended::ByTime(lost)));
        }
        let until = match most {
            Anchored::Until(until) => until.min(grace(lost)),
            Anchored::Indefinite => grace(lost),
        };
        let longer = window.iter().rfind(|(_, until)| *until > Anchored::Until(lost));
        let (taken, _) = longer.ok_or("nothing was taken")?;
        Ok(Some(Ended::Otherwise(lost, until, self.cause_at(moved(*taken, 1))?)))
    }

    /// Whether the class had a basis at an instant, not being deleted.
    fn was_kept(&self, class: usize, at: Instant) -> bool {
        at >= self.first()
            && self.ends(at, false).get(class).copied().flatten().is_some_and(|end| end.is_live(at))
    }
}

impl Lineage {
    /// What is considered for a case: the versions that live at its instant, and what of the past counts there.
    pub(crate) fn considered_by<'c>(&'c self, checked: &Checked<'c>) -> Result<Considered<'c>, String> {
        let regime = self.regime(checked.surface).ok_or("unknown surface")?;
        let (lives, is_orphan) = self.lives_seen(checked.surface, checked.case.at);
        let versions =
            self.considered(checked.surface).into_iter().filter(|version| lives(*version)).collect();
        Ok(Considered { lineage: self, checked: checked.under(&lives), regime, versions, is_orphan })
    }
}
