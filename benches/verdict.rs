//! How fast one verdict is from the compiled table, beside an authorisation engine that answers the
//! same yes or no about training for the same facts.
//!
//! Goal: one microsecond for the whole verdict, warm, without an explanation. The engine is given an
//! easier question: it is told where the record stands, since its language can't work that out from
//! decisions and versions, and it answers for one purpose, without terms, holds or other classes.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::time::Instant as Clock;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression,
};
use tenure_benches::{Outcome, say};
use tenure_model::Instant;
use tenure_policy::case::Case;
use tenure_policy::language::parse;
use tenure_policy::{Facts, Lineage, Resolved, Verdict};

const POLICY: &str = include_str!("../policies/example.toml");
/// The first is the example of the design.
const CASES: &str = include_str!("../corpora/cases/example.jsonl");

/// The use rule for training of the example, with the keep rule that it stands on, and its `never`.
const CEDAR: &str = r#"
permit (principal, action == Action::"train", resource) when {
    resource.regime == "consumer" && resource.mode == "normal" &&
    !resource.deleted && !resource.flagged && !principal.minor &&
    principal.train_then == "on" && principal.train_now == "on" && !principal.train_off_since &&
    context.now < resource.last_activity + 157766400000000
};
forbid (principal, action == Action::"train", resource) when {
    ["commercial", "zero"].contains(resource.regime)
};
"#;

fn main() -> Outcome {
    let lineage = Lineage::compile(vec![parse("example.toml", POLICY)?])?;
    let case: Case<'_> = serde_json::from_str(CASES.lines().next().unwrap_or_default())?;
    let resolved = Resolved::new(&lineage, &case)?;
    let facts = resolved.facts(&case);
    let mut verdict = Verdict::default();
    let one_verdict = nanoseconds(|| {
        lineage.judge_into(black_box(&facts), &mut verdict);
        black_box(&verdict);
    });
    let place = lineage.tree(verdict.judged).purposes.iter().position(|purpose| purpose.name == "train");
    let allowed = place.and_then(|place| verdict.allowed.get(place)).copied();

    let (authorizer, policies): (Authorizer, PolicySet) = (Authorizer::new(), CEDAR.parse()?);
    let names = [r#"Account::"a1""#, r#"Action::"train""#, r#"Record::"r1""#];
    let [account, action, record] = names.map(str::parse::<EntityUid>);
    let uids = [account?, action?, record?];
    let (request, entities) = asked(&uids, &facts)?;
    let answer = authorizer.is_authorized(&request, &policies, &entities).decision();
    if allowed != Some(true) || answer != Decision::Allow {
        return Err(format!("both should allow training: {allowed:?}, {answer:?}").into());
    }
    let warm = nanoseconds(|| {
        black_box(authorizer.is_authorized(black_box(&request), &policies, &entities));
    });
    let whole = nanoseconds(|| {
        if let Ok((request, entities)) = asked(black_box(&uids), &facts) {
            black_box(authorizer.is_authorized(&request, &policies, &entities));
        }
    });
    say(format_args!(
        "one verdict: {one_verdict:.0} ns; cedar: {warm:.0} ns; ratio: {:.1}",
        warm / one_verdict
    ))?;
    say(format_args!(
        "cedar with its request and entities made from the facts: {whole:.0} ns; ratio: {:.1}",
        whole / one_verdict
    ))
}

/// The question as the engine takes it.
fn asked(uids: &[EntityUid; 3], facts: &Facts<'_>) -> Outcome<(Request, Entities)> {
    let [account, action, record] = uids;
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let truth = RestrictedExpression::new_bool;
    let micros = |instant: Instant| RestrictedExpression::new_long(instant.micros());
    let person = HashMap::from([
        ("minor".to_owned(), truth(facts.minor != Some(false))),
        ("train_then".to_owned(), text("on")),
        ("train_now".to_owned(), text("on")),
        ("train_off_since".to_owned(), truth(false)),
    ]);
    let said = HashMap::from([
        ("regime".to_owned(), text("consumer")),
        ("mode".to_owned(), text(facts.mode.word())),
        ("deleted".to_owned(), truth(facts.deleted_at.is_some())),
        ("flagged".to_owned(), truth(facts.flagged_at.is_some())),
        ("last_activity".to_owned(), micros(facts.conversation_last_activity_at)),
    ]);
    let entities = Entities::from_entities(
        [
            Entity::new(account.clone(), person, HashSet::new())?,
            Entity::new(record.clone(), said, HashSet::new())?,
        ],
        None,
    )?;
    let context = Context::from_pairs([("now".to_owned(), micros(facts.at))])?;
    let request = Request::new(account.clone(), action.clone(), record.clone(), context, None)?;
    Ok((request, entities))
}

/// The time of one call in the best of many rounds, after a warm-up.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    const ROUNDS: u32 = 30;
    const CALLS: u32 = 10_000;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let started = Clock::now();
        for _ in 0..CALLS {
            call();
        }
        best = best.min(started.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    }
    best
}
