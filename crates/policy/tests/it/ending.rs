//! How a class ended, its quarantine and whether it is due: the rules and the reference agree, and a verdict
//! under versions that come and go is the same from both.

use std::collections::BTreeMap;

use serde_json::Value;
use tenure_policy::case::Case;
use tenure_policy::language::parse;
use tenure_policy::{Answerer, Ended, Facts, Lineage, Resolved};
use tenure_reference::{Ended as Expected, Fate, Lineage as Reference, Tally, generate};

use crate::past::{DAY, Dice, before, classes, lived, moved, with_before};
use crate::reference::each;

const LINEAGES: u64 = 5_000;
const LINEAGE_CASES: u64 = 40;

/// How often each kind of ending and each cause came up.
type Seen = BTreeMap<String, u64>;

fn count(seen: &mut Seen, what: &str) {
    *seen.entry(what.to_owned()).or_default() += 1;
}

fn expected(ended: Ended) -> Expected {
    match ended {
        Ended::ByTime { at } => Expected::ByTime(at),
        Ended::ByDeletion { at } => Expected::ByDeletion(at),
        Ended::Otherwise { at, until, cause } => Expected::Otherwise(at, until, cause.word()),
        Ended::Never { at } => Expected::Never(at),
    }
}

/// Lets more happen after the last activity than chance does, and leaves more of it undeleted.
fn stir(dice: &mut Dice, case: &mut Case<'_>) {
    let active = case.record.conversation_last_activity_at.unwrap_or(case.record.last_activity_at);
    let at = case.at;
    if dice.percent(40) {
        case.record.deleted_at = None;
    }
    if dice.percent(30) {
        case.account.closed_at = Some(dice.between(active, at));
    }
    if dice.percent(15) {
        case.record.feedback_at = Some(dice.between(active, at));
    }
    for decision in &mut case.decisions {
        if dice.percent(30) && decision.at <= at {
            decision.at = dice.between(active, at);
        }
    }
}

/// What the rules say of a copy.
fn fate(
    lineage: &Lineage,
    facts: &Facts<'_>,
    class: &str,
    by: tenure_model::Instant,
) -> Result<Fate, String> {
    let verdict = lineage.judge(facts);
    let due = lineage.due(facts, &verdict, class, by);
    if let Some(due) = &due
        && (!due.is_for(facts.record, class) || due.is_for("another", class) || due.by() > by)
    {
        return Err(format!("not the token of its copy: {due:?}"));
    }
    let of_class = lineage.class(facts, &verdict, class);
    if let Some(quarantine) = of_class.quarantine
        && (of_class.until.is_some() || of_class.destroy.is_some_and(|destroy| destroy < quarantine.until))
    {
        return Err(format!("in quarantine, and yet {of_class:?}"));
    }
    Ok(Fate {
        ended: lineage.ended(facts, &verdict, class, by).map(expected),
        quarantine: of_class.quarantine.map(|quarantine| (quarantine.since, quarantine.until)),
        due: due.map(|due| (due.since(), due.cause().word())),
    })
}

fn tally(seen: &mut Seen, fate: &Fate) {
    count(
        seen,
        match fate.ended {
            None => "ended: not",
            Some(Expected::ByTime(_)) => "ended: by time",
            Some(Expected::ByDeletion(_)) => "ended: by deletion",
            Some(Expected::Otherwise(..)) => "ended: otherwise",
            Some(Expected::Never(_)) => "ended: never kept",
        },
    );
    if let Some(Expected::Otherwise(.., cause)) = fate.ended {
        count(seen, &format!("otherwise: {cause}"));
    }
    if fate.quarantine.is_some() {
        count(seen, "in quarantine now");
        if fate.due.is_some() {
            count(seen, "in quarantine now, due by then");
        }
    }
    if let Some((_, cause)) = fate.due {
        count(seen, &format!("due: {cause}"));
    }
}

fn one_case(
    (lineage, reference): (&Lineage, &Reference),
    line: &str,
    dice: &mut Dice,
    seen: &mut Seen,
) -> Result<(), String> {
    let Ok(mut case) = Case::from_json(line.as_bytes()) else { return Ok(()) };
    stir(dice, &mut case);
    let Ok(resolved) = Resolved::new(lineage, &case) else { return Ok(()) };
    let before = before(dice, &case);
    let facts = with_before(&resolved.facts(&case), &before);
    let classes = classes(lineage);
    let mut by = moved(case.at, dice.pick(&[0, 0, 1, DAY, 40 * DAY, 400 * DAY]));
    // Often the very instant at which a quarantine ends, or the one before.
    let verdict = lineage.judge(&facts);
    let ended = classes.iter().filter_map(|class| lineage.ended(&facts, &verdict, class, by));
    for ended in ended.collect::<Vec<_>>() {
        if let Ended::Otherwise { until, .. } = ended
            && dice.percent(60)
        {
            by = moved(until, dice.pick(&[-1, 0, 0])).max(case.at);
        }
    }
    count(seen, "cases");
    let fates = reference.fates(&case, &before, &classes, by)?;
    for (class, expected) in classes.iter().zip(fates) {
        let found = fate(lineage, &facts, class, by)?;
        if found != expected {
            return Err(format!(
                "`{class}` by {by}, {before:?}\nrules     {found:?}\nreference {expected:?}"
            ));
        }
        tally(seen, &found);
    }
    Ok(())
}

fn one_lineage(seed: u64, seen: &mut Seen) -> Result<(), String> {
    let mut dice = Dice(seed ^ 0xe4d1);
    let texts = generate::lineage(seed);
    let versions: Vec<_> = texts.iter().map(|text| parse("v.toml", text).unwrap()).collect();
    let (lineage, lives) = lived(&mut dice, &versions, 30);
    let of_version = lives.iter().map(|(version, life)| (version.clone(), (life.published, life.withdrawn)));
    let reference = Reference::lived(of_version.collect())?;
    let report = |line: &str, error: String| {
        let lives: Vec<_> = lives.iter().map(|(version, life)| (&version.name, life)).collect();
        format!("{}\n{lives:?}\n{line}\n{error}", texts.join("\n---\n"))
    };
    let mut answerer = Answerer::new(&lineage);
    for number in 0..LINEAGE_CASES {
        let line = generate::case(seed * LINEAGE_CASES + number, &reference);
        one_case((&lineage, &reference), &line, &mut dice, seen).map_err(|error| report(&line, error))?;
        let mut out = Vec::new();
        let _ = answerer.answer(line.as_bytes(), &mut out);
        let answer: Value = serde_json::from_slice(&out).map_err(|error| error.to_string())?;
        let expected = reference.answer(&line, &mut Tally::new());
        if answer != expected && (answer.get("error").is_none() || expected.get("error").is_none()) {
            return Err(report(&line, format!("rules     {answer}\nreference {expected}")));
        }
    }
    Ok(())
}

#[test]
fn how_a_class_ended_is_found_alike_by_the_rules_and_by_looking_at_every_instant() {
    let started = std::time::Instant::now();
    let mut all = Seen::new();
    for seen in each(LINEAGES, one_lineage) {
        for (what, many) in seen {
            *all.entry(what).or_default() += many;
        }
    }
    println!("{all:#?} in {:?}", started.elapsed());
    let of = |what: &str| all.get(what).copied().unwrap_or(0);
    assert!(of("cases") >= 100_000, "only {} cases", of("cases"));
    for what in ["not", "by time", "by deletion", "otherwise", "never kept"] {
        assert!(of(&format!("ended: {what}")) >= 500, "too rarely ended: {what}");
    }
    for what in ["choice", "flag", "facts", "closing", "terms"] {
        assert!(of(&format!("otherwise: {what}")) >= 500, "too rarely otherwise: {what}");
    }
    for cause in tenure_policy::Cause::ALL {
        assert!(of(&format!("due: {}", cause.word())) >= 500, "too rarely due: {}", cause.word());
    }
    assert!(of("in quarantine now") >= 500 && of("in quarantine now, due by then") >= 500);
}
