//! The due index is sound: whatever has to go is found, though nothing is rewritten when time passes
//! and versions are published. And it is tight: what is found for nothing is filed anew, and is not
//! found for nothing again.

use std::collections::BTreeSet;
use std::time::Instant as Clock;

use serde_json::Value;
use tenure_model::{Anchored, Day, Instant};
use tenure_policy::case::{Case, Hold};
use tenure_policy::language::{Ground, Version, parse};
use tenure_policy::{Cutoff, Facts, FiledUnder, Life, Lineage, Resolved, Situation, Verdict};
use tenure_reference::{Lineage as Reference, generate};

use crate::past::{DAY, Dice, before, classes, lived, moved, with_before};
use crate::reference::each;

const LINEAGES: u64 = 4_000;
const LINEAGE_CASES: u64 = 100;
/// What was seen, so that the test can say that it saw enough.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    cases: u64,
    due: u64,
    due_under_a_later_version: u64,
    due_after_quarantine: u64,
    released: u64,
    held: u64,
    quarantined: u64,
    brought_back: u64,
    quiet: u64,
    loud: u64,
}

/// A lineage as it grows: one more version each time, those after the first few announced late; or one whose
/// versions are published and withdrawn while time passes.
struct Growing {
    versions: Vec<(Version, Life)>,
    stages: Vec<Lineage>,
    cases: Vec<String>,
}

impl Growing {
    fn draw(seed: u64, dice: &mut Dice) -> Self {
        let texts = generate::lineage(seed);
        let mut versions: Vec<Version> = texts.iter().map(|text| parse("v.toml", text).unwrap()).collect();
        let known = 1 + dice.below(versions.len());
        let reference = Reference::new(versions[..known].to_vec()).unwrap();
        let cases: Vec<String> = (0..LINEAGE_CASES)
            .map(|number| generate::case(seed * LINEAGE_CASES + number, &reference))
            .collect();
        // The later versions move to where they are announced while some of the cases are known.
        if let Some(announced) = versions.get(known).map(|version| version.announced) {
            let instants: Vec<Instant> = cases.iter().filter_map(|case| instant_of(case)).collect();
            let to = moved(instants[dice.below(instants.len())], DAY).max(announced);
            let by = to.micros() - announced.micros();
            for version in &mut versions[known..] {
                version.announced = moved(version.announced, by);
                version.effective = moved(version.effective, by);
                version.decide_by = version.decide_by.map(|deadline| moved(deadline, by));
            }
        }
        if dice.percent(60) {
            let (lineage, versions) = lived(dice, &versions, 35);
            return Self { versions, stages: vec![lineage], cases };
        }
        let stages =
            (1..=versions.len()).map(|count| Lineage::compile(versions[..count].to_vec()).unwrap()).collect();
        let versions = versions.into_iter().map(|version| (version, Life::default())).collect();
        Self { versions, stages, cases }
    }

    /// How many versions were announced by an instant, at least one.
    fn announced_by(&self, at: Instant) -> usize {
        let announced = self.versions.iter().filter(|(version, _)| version.announced <= at).count();
        announced.clamp(1, self.stages.len())
    }

    /// Leaves out what somebody would have said about a version that was not published yet.
    fn possible(&self, case: &mut Case<'_>) {
        let is_possible = |name: &str, at: Instant| {
            let version = self.versions.iter().find(|(version, _)| version.name == name);
            version.is_none_or(|(_, life)| life.published <= at)
        };
        case.decisions.retain(|decision| is_possible(&decision.version, decision.at));
        case.informed.retain(|told| is_possible(&told.version, told.at));
        case.acknowledged.retain(|told| is_possible(&told.version, told.at));
    }

    /// Whether versions are published or withdrawn between two instants.
    fn changes_between(&self, after: Instant, until: Instant) -> bool {
        let each = self.versions.iter().flat_map(|(_, life)| [Some(life.published), life.withdrawn]);
        each.flatten().any(|change| after < change && change <= until)
    }

    /// Instants at which something may change without an event.
    fn interesting(&self, lineage: &Lineage, facts: &Facts<'_>, verdict: &Verdict) -> Vec<Instant> {
        let mut instants = vec![facts.at];
        for class in classes(lineage) {
            let class = lineage.class(facts, verdict, &class);
            if let Some(Anchored::Until(until)) = class.until {
                instants.push(until);
            }
            instants.extend(class.destroy);
        }
        let events = facts.history.informed.iter().chain(&facts.history.acknowledged).map(|(_, at)| *at);
        let decided = facts.history.decisions.iter().map(|decision| decision.at);
        let told: BTreeSet<Instant> = events.chain(decided).collect();
        for (version, life) in &self.versions {
            instants.extend([version.announced, version.effective]);
            for change in [Some(life.published), life.withdrawn].into_iter().flatten() {
                instants.extend([change, change.plus(version.grace, version.months)]);
            }
            instants.push(version.effective.plus(version.grace, version.months));
            for purpose in &version.purposes {
                if let Ground::Objection { wait } = purpose.ground {
                    instants.extend(told.iter().map(|told| told.plus(wait, version.months)));
                }
            }
            instants.extend(
                facts
                    .holds
                    .iter()
                    .filter_map(|hold| hold.released_at)
                    .map(|release| release.plus(version.grace, version.months)),
            );
            for keep in &version.keeps {
                let anchors =
                    [Some(facts.created_at), Some(facts.conversation_last_activity_at), facts.deleted_at];
                for anchor in anchors.into_iter().flatten() {
                    if let Anchored::Until(end) = Anchored::end(anchor, keep.term, version.months) {
                        instants.push(end);
                    }
                }
            }
        }
        instants.retain(|instant| *instant >= facts.at);
        instants
    }
}

fn instant_of(case: &str) -> Option<Instant> {
    let case: Value = serde_json::from_str(case).ok()?;
    Instant::parse(case["at"].as_str()?).ok()
}

/// The holds as they are known at an instant: no later placement, no later release.
fn holds_known<'c>(case: &Case<'c>) -> Vec<Hold<'c>> {
    let mut holds: Vec<Hold<'c>> =
        case.holds.iter().filter(|hold| hold.placed_at <= case.at).cloned().collect();
    for hold in &mut holds {
        hold.released_at = hold.released_at.filter(|released| *released <= case.at);
    }
    holds
}

fn finds(cutoff: Cutoff, day: Day) -> bool {
    match cutoff {
        Cutoff::Nothing => false,
        Cutoff::UpTo(last) => day.0 <= last.0,
        Cutoff::Everything => true,
    }
}

/// A record whose copies were filed at the instant of its case.
struct Filed<'c> {
    situation: Situation,
    /// For each class: what its copy is filed under.
    copies: Vec<(String, FiledUnder, Day)>,
    verdict: Verdict,
    case: &'c Case<'c>,
}

fn filed<'c>(
    lineage: &Lineage,
    facts: &Facts<'_>,
    case: &'c Case<'c>,
    seen: &mut Seen,
) -> Result<Filed<'c>, String> {
    let verdict = lineage.judge(facts);
    let situation = lineage.situation(facts);
    let text = serde_json::to_string(&situation).unwrap();
    if serde_json::from_str::<Situation>(&text).unwrap() != situation {
        return Err(format!("not the same when read back: {text}"));
    }
    let mut copies = Vec::new();
    for class in classes(lineage) {
        let (under, day) = lineage.file(facts, &situation, &verdict, &class);
        let of_class = lineage.class(facts, &verdict, &class);
        if under == FiledUnder::HELD && !of_class.held {
            return Err(format!("`{class}` is filed as held and is not"));
        }
        if under == FiledUnder::QUARANTINED && of_class.quarantine.is_none() {
            return Err(format!("`{class}` is filed as in quarantine and is not"));
        }
        seen.quarantined += u64::from(under == FiledUnder::QUARANTINED);
        seen.held += u64::from(under == FiledUnder::HELD);
        seen.released += u64::from(under == FiledUnder::RELEASED);
        copies.push((class, under, day));
    }
    Ok(Filed { situation, copies, verdict, case })
}

/// Nothing that has to go by `by` is missed.
fn is_sound(
    later: &Lineage,
    filed: &Filed<'_>,
    facts: &Facts<'_>,
    by: Instant,
    seen: &mut Seen,
) -> Result<(), String> {
    let verdict = later.judge(facts);
    let tree = later.tree(verdict.judged);
    for (class, under, day) in filed.copies.iter().filter(|(_, under, _)| *under != FiledUnder::HELD) {
        let of_class = later.class(facts, &verdict, class);
        let is_quarantined = *under == FiledUnder::QUARANTINED;
        seen.brought_back += u64::from(is_quarantined && of_class.until.is_some());
        if later.due(facts, &verdict, class, by).is_none() {
            continue;
        }
        seen.due += 1;
        seen.due_after_quarantine += u64::from(is_quarantined);
        seen.due_under_a_later_version += u64::from(verdict.judged != filed.verdict.judged);
        let cutoff = later.cutoff_ahead(&filed.situation, class, *under, facts.at, by);
        if !finds(cutoff, *day) {
            return Err(format!(
                "missed: `{class}`, filed at {} under {under:?} on {day:?}; judged at {} by {} (before: {}), due by {by}: \
                 {:?}, {cutoff:?}\n{:?}",
                filed.case.at,
                facts.at,
                tree.name,
                later.tree(filed.verdict.judged).name,
                of_class,
                filed.situation,
            ));
        }
    }
    Ok(())
}

/// Where only time has passed, a copy is not found before the last day that it has.
///
/// What only rests is looked at again whenever something takes effect meanwhile, and so is what comes to rest.
fn is_tight(lineage: &Lineage, filed: &Filed<'_>, facts: &Facts<'_>, seen: &mut Seen) -> Result<(), String> {
    let verdict = lineage.judge(facts);
    if verdict.judged != filed.verdict.judged || verdict.standings != filed.verdict.standings {
        return Ok(());
    }
    let tree = lineage.tree(verdict.judged);
    let waits = tree.purposes.iter().any(|purpose| matches!(purpose.ground, Ground::Objection { .. }));
    for (class, under, day) in &filed.copies {
        let of_class = lineage.class(facts, &verdict, class);
        let rests = [FiledUnder::QUARANTINED, FiledUnder::RELEASED].contains(under)
            || of_class.quarantine.is_some()
            || of_class.released.is_some();
        let far = match (of_class.until, of_class.destroy) {
            (Some(Anchored::Indefinite), _) => true,
            (Some(Anchored::Until(end)), _) | (None, Some(end)) => moved(facts.at, DAY) < end,
            (None, None) => *under == FiledUnder::HELD,
        };
        if !far {
            continue;
        }
        let found = finds(lineage.cutoff(&filed.situation, class, *under, facts.at), *day);
        if found && !waits && !rests {
            return Err(format!(
                "found for nothing: `{class}` under {under:?} on {day:?} at {}: {of_class:?}\n{:?}",
                facts.at, filed.situation
            ));
        }
        seen.quiet += u64::from(!found);
        seen.loud += u64::from(found);
    }
    Ok(())
}

fn one_case(growing: &Growing, case: &Case<'_>, dice: &mut Dice, seen: &mut Seen) -> Result<(), String> {
    let count = growing.stages.len();
    let mut case = case.clone();
    growing.possible(&mut case);
    let case = &case;
    let early = if dice.below(5) == 0 { count } else { growing.announced_by(case.at) };
    let lineage = &growing.stages[early - 1];
    let Ok(resolved) = Resolved::new(lineage, case) else { return Ok(()) };
    let holds = holds_known(case);
    let before = before(dice, case);
    let facts = Facts { holds: &holds, ..with_before(&resolved.facts(case), &before) };
    seen.cases += 1;
    let filed = filed(lineage, &facts, case, seen)?;
    let instants = growing.interesting(lineage, &facts, &filed.verdict);
    for _ in 0..6 {
        let aside = dice.pick(&[0, 0, 0, -1, 1, -DAY, DAY, 3 * DAY]);
        let at = moved(dice.pick(&instants), aside).max(facts.at);
        let by = moved(at, dice.pick(&[0, 0, 1, DAY / 24, DAY, 10 * DAY, 400 * DAY]));
        let stage = early + dice.below(count - early + 1);
        let later = &growing.stages[stage - 1];
        let resolved = Resolved::new(later, case).map_err(|error| error.to_string())?;
        let then = Facts { holds: &holds, at, ..with_before(&resolved.facts(case), &before) };
        is_sound(later, &filed, &then, by, seen)?;
        if stage == early && !growing.changes_between(facts.at, at) {
            is_tight(later, &filed, &then, seen)?;
        }
    }
    Ok(())
}

#[test]
fn whatever_has_to_go_is_found_and_little_else() {
    let started = Clock::now();
    let counted = each(LINEAGES, |seed, seen: &mut Seen| {
        let mut dice = Dice(seed);
        let growing = Growing::draw(seed, &mut dice);
        for line in &growing.cases {
            let Ok(case) = Case::from_json(line.as_bytes()) else { continue };
            one_case(&growing, &case, &mut dice, seen).map_err(|error| {
                let texts: Vec<String> =
                    growing.versions.iter().map(|(version, _)| generate::render(version)).collect();
                let lives: Vec<_> =
                    growing.versions.iter().map(|(version, life)| (&version.name, life)).collect();
                format!("{}\n{lives:?}\n{line}\n{error}", texts.join("\n---\n"))
            })?;
        }
        Ok(())
    });
    let seen = counted.into_iter().fold(Seen::default(), |a, b| Seen {
        cases: a.cases + b.cases,
        due: a.due + b.due,
        due_under_a_later_version: a.due_under_a_later_version + b.due_under_a_later_version,
        due_after_quarantine: a.due_after_quarantine + b.due_after_quarantine,
        released: a.released + b.released,
        quarantined: a.quarantined + b.quarantined,
        brought_back: a.brought_back + b.brought_back,
        held: a.held + b.held,
        quiet: a.quiet + b.quiet,
        loud: a.loud + b.loud,
    });
    println!("{seen:?} in {:?}", started.elapsed());
    assert!(seen.cases >= 100_000);
    assert!(seen.due_under_a_later_version >= 1_000 && seen.released >= 1_000 && seen.held >= 1_000);
    assert!(seen.quarantined >= 1_000 && seen.due_after_quarantine >= 1_000 && seen.brought_back >= 100);
    assert!(seen.loud * 50 < seen.quiet, "found for nothing: {} of {}", seen.loud, seen.quiet);
}
