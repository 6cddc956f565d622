//! Readings of the design that its text leaves to the reader, and turns of events that are easily
//! forgotten; each one small and worked out by hand.

use serde_json::{Value, json};
use tenure_model::Regime;
use tenure_reference::{Clause, Lineage, Refusal, Tally};

use crate::policies::from_texts;

/// A version with the surfaces that the caller writes; content is kept for as long as it says.
fn version(name: &str, announced: &str, effective: &str, surfaces: &str, term: &str) -> String {
    format!(
        r#"
policy = "p"
version = "{name}"
title = "Terms"
announced = {announced}T00:00:00Z
effective = {effective}T00:00:00Z
grace = "10 days"
bodies = ["content"]
facts = ["scores"]
[surfaces]
{surfaces}
[purposes.train]
title = "Train"
ground = "consent"
regimes = ["consumer", "zero"]
[[keep]]
class = "content"
when = {{ regime = "consumer" }}
for = "{term}"
from = "last_activity"
why = "content"
[[use]]
purpose = "train"
when = {{ regime = "consumer", standing.train = "on", flagged = [true, false] }}
"#
    )
}

const FREE: &str = "free = { regime = \"consumer\" }\nzdr = { regime = \"zero\" }";

fn lineage(versions: &[String]) -> Lineage {
    let lineage = from_texts(versions).unwrap();
    assert_eq!(lineage.refusals(), []);
    lineage
}

/// A case in which nothing has happened, for a test to change.
fn case(surface: &str, active: &str, at: &str) -> Value {
    json!({
        "case": 1, "at": format!("{at}T00:00:00Z"), "account": { "id": "a" },
        "record": {
            "id": "r", "surface": surface, "kind": "chat", "mode": "normal", "scanned": true,
            "created_at": format!("{active}T00:00:00Z"), "last_activity_at": format!("{active}T00:00:00Z"),
        },
    })
}

fn answer(lineage: &Lineage, case: &Value) -> Value {
    lineage.answer(&case.to_string(), &mut Tally::new())
}

#[test]
fn a_version_that_bound_then_may_come_after_the_one_that_binds_now_and_goes_on_judging() {
    // v3 says what v1 says, and binds at once; the narrower v2 was announced before it but takes
    // effect after it. Once it does, v3 is wider than what is reached.
    let lineage = lineage(&[
        version("v1", "2025-01-01", "2025-01-01", FREE, "30 days"),
        version("v2", "2025-02-01", "2025-12-01", FREE, "20 days"),
        version("v3", "2025-03-01", "2025-03-01", FREE, "30 days"),
    ]);
    let mut tally = Tally::new();
    let case = case("free", "2025-11-20", "2025-12-05");
    let verdict = lineage.answer(&case.to_string(), &mut tally);
    assert_eq!(verdict["bound"], "v2");
    assert_eq!(verdict["policy"], "p@v3");
    assert_eq!(tally.count(Clause::JudgingBack), 1);
}

#[test]
fn a_version_binds_from_effective_even_before_it_was_announced() {
    let lineage = lineage(&[
        version("v1", "2025-01-01", "2025-01-01", FREE, "30 days"),
        version("v2", "2025-03-01", "2025-02-01", FREE, "20 days"),
    ]);
    assert_eq!(answer(&lineage, &case("free", "2025-02-10", "2025-02-10"))["bound"], "v2");
}

#[test]
fn a_name_that_only_was_tells_is_a_known_surface() {
    let surfaces = "plus = { regime = \"consumer\", was = \"premium\" }";
    let lineage = lineage(&[version("v1", "2025-01-01", "2025-01-01", surfaces, "30 days")]);
    assert_eq!(answer(&lineage, &case("premium", "2025-02-01", "2025-02-01"))["bound"], "v1");
    assert!(answer(&lineage, &case("free", "2025-02-01", "2025-02-01"))["error"].is_string());
}

#[test]
fn an_on_under_a_version_that_lacks_the_surface_carries_where_no_considered_step_widens() {
    let code = "code = { regime = \"consumer\" }";
    let both = "code = { regime = \"consumer\" }\nfree = { regime = \"consumer\" }";
    let mut case = case("free", "2025-05-01", "2025-05-02");
    case["decisions"] =
        json!([{ "purpose": "train", "choice": "on", "at": "2025-02-02T00:00:00Z", "version": "v2" }]);
    for (term, standing) in [("30 days", "on"), ("40 days", "undecided")] {
        let lineage = lineage(&[
            version("v1", "2025-01-01", "2025-01-01", both, "30 days"),
            version("v2", "2025-02-01", "2025-02-01", code, "30 days"),
            version("v3", "2025-03-01", "2025-03-01", both, term),
        ]);
        case["acknowledged"] = json!([{ "version": "v3", "at": "2025-03-02T00:00:00Z" }]);
        let verdict = answer(&lineage, &case);
        assert_eq!(verdict["policy"], "p@v3");
        assert_eq!(verdict["standing"]["train"], standing, "{term}");
    }
}

#[test]
fn a_use_rule_that_lists_both_values_still_asks_and_an_unknown_does_not_match_it() {
    let lineage = lineage(&[version("v1", "2025-01-01", "2025-01-01", FREE, "30 days")]);
    let mut case = case("free", "2025-02-02", "2025-02-03");
    case["decisions"] =
        json!([{ "purpose": "train", "choice": "on", "at": "2025-02-01T00:00:00Z", "version": "v1" }]);
    assert_eq!(answer(&lineage, &case)["uses"]["train"]["allowed"], true);
    case["record"]["scanned"] = json!(false);
    assert_eq!(answer(&lineage, &case)["uses"]["train"]["allowed"], false);
}

#[test]
fn a_record_whose_messages_are_all_still_to_come_is_not_one_without_messages() {
    let lineage = lineage(&[version("v1", "2025-01-01", "2025-01-01", FREE, "30 days")]);
    let mut case = case("free", "2025-02-02", "2025-02-03");
    case["decisions"] =
        json!([{ "purpose": "train", "choice": "on", "at": "2025-02-01T00:00:00Z", "version": "v1" }]);
    case["record"]["messages"] = json!([{ "id": "m", "at": "2025-02-04T00:00:00Z" }]);
    assert_eq!(answer(&lineage, &case)["uses"]["train"], json!({ "allowed": false, "messages": [] }));
}

#[test]
fn a_hold_never_covers_zero() {
    let lineage = lineage(&[version("v1", "2025-01-01", "2025-01-01", FREE, "30 days")]);
    let hold = json!([{ "id": "h", "placed_at": "2025-01-01T00:00:00Z", "classes": ["content", "scores"] }]);
    for (surface, held) in [("free", json!({ "content": ["h"], "scores": ["h"] })), ("zdr", json!({}))] {
        let mut case = case(surface, "2025-02-02", "2025-02-03");
        case["holds"] = hold.clone();
        assert_eq!(answer(&lineage, &case)["held"], held, "{surface}");
    }
}

#[test]
fn a_record_created_at_the_very_release_was_not_covered_by_the_hold() {
    let lineage = lineage(&[version("v1", "2025-01-01", "2025-01-01", FREE, "0 days")]);
    for (released, destroy) in [("2025-02-02", "2025-02-03"), ("2025-02-03", "2025-02-13")] {
        let mut case = case("free", "2025-02-02", "2025-02-03");
        case["holds"] = json!([{
            "id": "h", "placed_at": "2025-01-01T00:00:00Z", "classes": ["content"],
            "released_at": format!("{released}T00:00:00Z"),
        }]);
        let verdict = answer(&lineage, &case);
        assert_eq!(verdict["destroy"]["content"], format!("{destroy}T00:00:00Z"), "{released}");
    }
}

#[test]
fn a_term_that_ended_before_the_release_gives_grace_and_one_that_ended_after_it_does_not() {
    let lineage = lineage(&[version("v1", "2025-01-01", "2025-01-01", FREE, "30 days")]);
    for (released, destroy) in [("2025-03-04", "2025-03-14"), ("2025-03-03", "2025-03-05")] {
        // Kept from 2025-02-02 until 2025-03-04.
        let mut case = case("free", "2025-02-02", "2025-03-05");
        case["holds"] = json!([{
            "id": "h", "placed_at": "2025-01-01T00:00:00Z", "classes": ["content"],
            "released_at": format!("{released}T00:00:00Z"),
        }]);
        let verdict = answer(&lineage, &case);
        assert_eq!(verdict["destroy"]["content"], format!("{destroy}T00:00:00Z"), "{released}");
    }
}

#[test]
fn widening_is_judged_in_each_regime_alone() {
    let wider = version("v2", "2025-02-01", "2025-02-01", FREE, "40 days");
    let lineage = lineage(&[version("v1", "2025-01-01", "2025-01-01", FREE, "30 days"), wider]);
    let widening = lineage.widening(0, 1, Regime::Consumer);
    assert!(widening.keep_not_covered && !widening.use_allowed && !widening.reach && !widening.ground);
    assert!(!lineage.widens(0, 1, Regime::Zero));
    assert!(!lineage.widens(0, 1, Regime::Commercial));
    assert!(!lineage.widens(1, 0, Regime::Consumer));
}

#[test]
fn two_surfaces_that_a_later_version_makes_one_are_refused() {
    let both = "a = { regime = \"consumer\" }\nb = { regime = \"consumer\" }";
    let joined = "b = { regime = \"consumer\", was = \"a\" }";
    let lineage = from_texts(&[
        version("v1", "2025-01-01", "2025-01-01", both, "30 days"),
        version("v2", "2025-02-01", "2025-02-01", joined, "30 days"),
    ]);
    let refusals = lineage.unwrap().refusals();
    assert_eq!(refusals, [Refusal::SameSurface("v1".to_owned(), "b".to_owned())]);
}

#[test]
fn a_was_that_names_nothing_is_refused_only_where_an_earlier_version_could_have_had_it() {
    let renamed = "plus = { regime = \"consumer\", was = \"premium\" }";
    let first = version("v1", "2025-01-01", "2025-01-01", renamed, "30 days");
    assert_eq!(from_texts(std::slice::from_ref(&first)).unwrap().refusals(), []);
    let again = version("v2", "2025-02-01", "2025-02-01", renamed, "30 days");
    assert_eq!(from_texts(&[first, again.clone()]).unwrap().refusals(), []);
    let free = version("v1", "2025-01-01", "2025-01-01", FREE, "30 days");
    let refusals = from_texts(&[free, again]).unwrap().refusals();
    assert_eq!(refusals, [Refusal::WasNothing("v2".to_owned(), "plus".to_owned())]);
}
