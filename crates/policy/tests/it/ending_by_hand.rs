//! How a class ends, told by hand: what is quarantined, until when, and what is not.

use serde_json::{Value, json};
use tenure_model::Instant;
use tenure_policy::case::Case;
use tenure_policy::language::{Version, parse};
use tenure_policy::{Cause, Ended, Facts, FormerFacts, Life, Lineage, Quarantine, Resolved, Unflagged};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

fn day(date: &str) -> Instant {
    Instant::parse(&format!("{date}T00:00:00Z")).unwrap()
}

fn after(at: Instant, micros: i64) -> Instant {
    Instant::from_micros(at.micros() + micros).unwrap()
}

fn rule(class: &str, when: &str, term: &str, from: &str) -> String {
    format!(
        "[[keep]]\nclass = \"{class}\"\nwhen = {{ regime = \"consumer\"{when} }}\nfor = \"{term}\"\nfrom = {from}\nwhy = \"w\"\n"
    )
}

/// A version whose grace is 30 days, announced a month before it takes effect.
fn version(name: &str, announced: &str, effective: &str, rules: &str) -> Version {
    let text = format!(
        "policy = \"p\"\nversion = \"{name}\"\ntitle = \"t\"\nannounced = {announced}T00:00:00Z\n\
         effective = {effective}T00:00:00Z\ngrace = \"30 days\"\nbodies = [\"history\", \"content\", \"feedback\"]\n\
         [surfaces]\nfree = {{ regime = \"consumer\" }}\n[purposes.train]\ntitle = \"t\"\nground = \"consent\"\n\
         regimes = [\"consumer\"]\n[purposes.safety]\ntitle = \"t\"\nground = \"none\"\n[[use]]\npurpose = \"safety\"\n\
         when = {{ regime = \"consumer\" }}\n{rules}"
    );
    parse(name, &text).unwrap_or_else(|error| panic!("{error}"))
}

fn one(rules: &str) -> Lineage {
    Lineage::compile(vec![version("v0", "2024-01-01", "2024-01-01", rules)]).unwrap()
}

/// A record of one instant, with whatever else is told of it.
fn case(at: Instant, active: Instant, record: &Value, more: &Value) -> String {
    let mut of_record = json!({
        "id": "r", "surface": "free", "kind": "chat", "mode": "normal", "scanned": true, "country": "US",
        "created_at": active.to_string(), "last_activity_at": active.to_string(),
    });
    of_record.as_object_mut().unwrap().extend(record.as_object().unwrap().clone());
    let mut case =
        json!({ "at": at.to_string(), "account": { "id": "a", "minor": false }, "record": of_record });
    case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    case.to_string()
}

/// What is said of one class.
struct Said {
    ended: Option<Ended>,
    quarantine: Option<Quarantine>,
    /// Since when it is due, and why.
    due: Option<(Instant, Cause)>,
}

fn ask(
    lineage: &Lineage,
    text: &str,
    class: &str,
    by: Instant,
    changed: impl for<'a> FnOnce(Facts<'a>) -> Facts<'a>,
) -> Said {
    let case = Case::from_json(text.as_bytes()).unwrap();
    let resolved = Resolved::new(lineage, &case).unwrap();
    let facts = changed(resolved.facts(&case));
    let verdict = lineage.judge(&facts);
    let due = lineage.due(&facts, &verdict, class, by);
    assert!(due.as_ref().is_none_or(|due| due.is_for("r", class) && !due.is_for("r2", class)));
    Said {
        ended: lineage.ended(&facts, &verdict, class, by),
        quarantine: lineage.class(&facts, &verdict, class).quarantine,
        due: due.map(|due| (due.since(), due.cause())),
    }
}

fn now(lineage: &Lineage, at: Instant, active: Instant, class: &str, record: &Value, more: &Value) -> Said {
    ask(lineage, &case(at, active, record, more), class, at, |facts| facts)
}

/// Terms of 30 days, and a mistyped version of 30 hours that takes effect on the 1st of June.
fn mistyped(withdrawn: Option<Instant>) -> Lineage {
    let rules = |term| rule("content", "", term, "\"last_activity\"");
    let first = version("v0", "2024-01-01", "2024-01-01", &rules("30 days"));
    let second = version("v1", "2025-05-01", "2025-06-01", &rules("30 hours"));
    let life = Life { published: day("2025-05-01"), withdrawn };
    Lineage::compile_lived(vec![(first, Life::default()), (second, life)]).unwrap()
}

#[test]
fn what_a_new_version_cuts_short_rests_in_quarantine_and_what_began_under_it_ends_by_time() {
    let (lineage, takes_effect) = (mistyped(None), day("2025-06-01"));
    let nothing = json!({});
    let said = |at, active| now(&lineage, at, active, "content", &nothing, &nothing);

    // Older than thirty hours: without a basis at once, never beyond the end that it had.
    let active = day("2025-05-20");
    let end = after(active, 30 * DAY);
    let quarantine = Some(Quarantine { since: takes_effect, until: end });
    let first = said(takes_effect, active);
    assert_eq!((first.quarantine, first.due), (quarantine, None));
    assert_eq!(said(after(end, -1), active).due, None);
    let last = said(end, active);
    assert_eq!((last.quarantine, last.due), (None, Some((end, Cause::Terms))));

    // Younger than thirty hours: it ends later, and was cut short all the same.
    let active = after(takes_effect, -10 * HOUR);
    let cut = after(active, 30 * HOUR);
    let quarantine = Some(Quarantine { since: cut, until: after(active, 30 * DAY) });
    assert_eq!(said(after(cut, -1), active).ended, None);
    assert_eq!(said(cut, active).quarantine, quarantine);

    // Begun under the new terms.
    let active = after(takes_effect, HOUR);
    let end = after(active, 30 * HOUR);
    let over = said(end, active);
    assert_eq!(over.ended, Some(Ended::ByTime { at: end }));
    assert_eq!(over.due, Some((end, Cause::Time)));
}

#[test]
fn a_term_that_was_cut_short_is_not_destroyed_ahead_of_its_quarantine() {
    let lineage = mistyped(None);
    let active = after(day("2025-06-01"), -10 * HOUR);
    let cut = after(active, 30 * HOUR);
    let text = case(day("2025-06-01"), active, &json!({}), &json!({}));
    let ahead = ask(&lineage, &text, "content", after(cut, DAY), |facts| facts);
    let until = after(active, 30 * DAY);
    assert_eq!(ahead.ended, Some(Ended::Otherwise { at: cut, until, cause: Cause::Terms }));
    assert_eq!((ahead.quarantine, ahead.due), (None, None));
    // One that ends by time is.
    let active = after(day("2025-06-01"), HOUR);
    let end = after(active, 30 * HOUR);
    let text = case(active, active, &json!({}), &json!({}));
    let ahead = ask(&lineage, &text, "content", end, |facts| facts);
    assert_eq!(ahead.due, Some((end, Cause::Time)));
}

#[test]
fn withdrawing_the_version_brings_every_basis_back() {
    let withdrawn = day("2025-06-05");
    let lineage = mistyped(Some(withdrawn));
    let nothing = json!({});
    let first = day("2025-05-10");
    for hours in 0..20 * 24 {
        let active = after(first, hours * HOUR);
        let said = |at| now(&lineage, at, active, "content", &nothing, &nothing);
        assert!(said(after(withdrawn, -1)).quarantine.is_some());
        let back = said(withdrawn);
        assert_eq!((back.ended, back.quarantine, back.due), (None, None, None));
        // From then on the old terms end it by time, though it was without a basis for a while.
        let end = after(active, 30 * DAY);
        assert_eq!(said(end).due, Some((end, Cause::Time)));
    }
}

#[test]
fn under_a_withdrawn_version_a_yes_counts_as_none_and_a_no_stands() {
    let trains = |standing: &str| rule("content", standing, "5 years", "\"last_activity\"");
    let text = trains(", standing.train = \"on\"") + &rule("content", "", "30 days", "\"last_activity\"");
    let first = version("v0", "2024-01-01", "2024-01-01", &text);
    let second = version("v1", "2025-05-01", "2025-06-01", &text);
    let life = Life { published: day("2025-05-01"), withdrawn: Some(day("2025-07-01")) };
    let lineage = Lineage::compile_lived(vec![(first, Life::default()), (second, life)]).unwrap();
    let standing = |at: &str, choice: &str| {
        let decisions = json!({ "decisions": [
            { "purpose": "train", "choice": "on", "at": "2025-02-01T00:00:00Z", "version": "v0" },
            { "purpose": "train", "choice": choice, "at": "2025-05-10T00:00:00Z", "version": "v1" },
        ] });
        let only = json!({ "decisions": [decisions["decisions"][1]] });
        [decisions, only].map(|more| {
            let text = case(day(at), day("2025-05-20"), &json!({}), &more);
            let case = Case::from_json(text.as_bytes()).unwrap();
            let resolved = Resolved::new(&lineage, &case).unwrap();
            lineage.judge(&resolved.facts(&case)).standings[0].unwrap().word()
        })
    };
    assert_eq!(standing("2025-06-30", "on"), ["on", "on"]);
    assert_eq!(standing("2025-07-01", "on"), ["on", "undecided"]);
    assert_eq!(standing("2025-06-30", "off"), ["off", "off"]);
    assert_eq!(standing("2025-07-01", "off"), ["off", "off"]);
}

#[test]
fn a_surface_that_only_a_withdrawn_version_knows_is_kept_as_before_and_used_for_nothing() {
    let only =
        version("v0", "2024-01-01", "2024-01-01", &rule("content", "", "30 days", "\"last_activity\""));
    let life = Life { published: day("2024-01-01"), withdrawn: Some(day("2025-06-01")) };
    let lineage = Lineage::compile_lived(vec![(only, life)]).unwrap();
    let active = day("2025-05-20");
    let judged = |at: Instant| {
        let text = case(at, active, &json!({}), &json!({}));
        let case = Case::from_json(text.as_bytes()).unwrap();
        let resolved = Resolved::new(&lineage, &case).unwrap();
        let facts = resolved.facts(&case);
        let verdict = lineage.judge(&facts);
        let is_permitted = lineage.rule(&facts, "safety").record.is_none();
        assert_eq!(is_permitted, verdict.allowed[1]);
        (verdict.classes[1].until, is_permitted)
    };
    let until = Some(tenure_model::Anchored::Until(after(active, 30 * DAY)));
    assert_eq!(judged(day("2025-05-31")), (until, true));
    assert_eq!(judged(day("2025-06-01")), (until, false));
    assert_eq!(judged(after(active, 30 * DAY)), (None, false));
}

#[test]
fn what_only_a_flag_kept_rests_once_the_flag_is_cleared() {
    let rules = rule("content", "", "30 days", "\"last_activity\"")
        + &rule("content", ", flagged = true", "2 years", "\"flagged\"");
    let (lineage, active) = (one(&rules), day("2025-01-01"));
    let said = |at: Instant, cleared_at: Instant| {
        let unflagged = Unflagged { flagged_at: after(active, DAY), cleared_at };
        let text = case(at, active, &json!({}), &json!({}));
        ask(&lineage, &text, "content", at, |facts| Facts { unflagged: Some(unflagged), ..facts })
    };
    let cleared = after(active, 100 * DAY);
    let quarantine = Quarantine { since: cleared, until: after(cleared, 30 * DAY) };
    assert_eq!(said(after(cleared, DAY), cleared).quarantine, Some(quarantine));
    let over = said(quarantine.until, cleared);
    assert_eq!(over.due, Some((quarantine.until, Cause::Flag)));
    // Cleared before its own term ended, less than the grace before: that term was no surprise, the loss of the
    // longer one was.
    let soon = said(after(active, 30 * DAY), after(active, 10 * DAY));
    assert_eq!(
        soon.ended,
        Some(Ended::Otherwise {
            at: after(active, 30 * DAY),
            until: after(active, 60 * DAY),
            cause: Cause::Flag
        })
    );
}

#[test]
fn a_corrected_fact_takes_a_basis_into_quarantine_and_a_corrected_country_takes_none() {
    let rules = rule("content", ", minor = false", "1 year", "\"last_activity\"");
    let (lineage, active, corrected) = (one(&rules), day("2025-01-01"), day("2025-03-01"));
    let said = |minor: bool, former: FormerFacts<'static>| {
        let account = json!({ "account": { "id": "a", "minor": minor, "country": "US" } });
        let text = case(day("2025-03-02"), active, &json!({}), &account);
        ask(&lineage, &text, "content", day("2025-03-02"), |facts| Facts { former: vec![former], ..facts })
    };
    let adult = FormerFacts { until: corrected, country: Some("US"), minor: Some(false) };
    let until = after(corrected, 30 * DAY);
    assert_eq!(said(true, adult).quarantine, Some(Quarantine { since: corrected, until }));
    // Terms of keeping look at the country of the record, which is never corrected.
    let abroad = FormerFacts { until: corrected, country: Some("DE"), minor: Some(false) };
    assert_eq!(said(false, abroad).ended, None);
    // A minor all along: nothing ever kept it.
    let minor = FormerFacts { until: corrected, country: Some("DE"), minor: Some(true) };
    assert_eq!(said(true, minor).due, Some((active, Cause::NoTerm)));
}

#[test]
fn a_term_that_a_no_begins_and_that_lasts_as_long_as_the_grace_ends_by_time() {
    let rules = rule("content", ", standing.train = \"on\"", "5 years", "\"last_activity\"")
        + &rule(
            "content",
            ", standing.train = \"withdrawn\"",
            "30 days",
            "[\"last_activity\", \"decided.train\"]",
        )
        + &rule("history", ", standing.train = \"on\"", "5 years", "\"last_activity\"");
    let (lineage, active, off) = (one(&rules), day("2025-02-01"), day("2025-09-01"));
    let decisions = json!({ "decisions": [
        { "purpose": "train", "choice": "on", "at": "2025-01-01T00:00:00Z", "version": "v0" },
        { "purpose": "train", "choice": "off", "at": off.to_string(), "version": "v0" },
    ] });
    let end = after(off, 30 * DAY);
    let said = |class, at| now(&lineage, at, active, class, &json!({}), &decisions);
    let content = said("content", end);
    assert_eq!((content.ended, content.due), (Some(Ended::ByTime { at: end }), Some((end, Cause::Time))));
    // Where no rule gives a term after the no, the copy rests for the grace.
    assert_eq!(said("history", off).quarantine, Some(Quarantine { since: off, until: end }));
    assert_eq!(said("history", end).due, Some((end, Cause::Choice)));
}

fn ordinary() -> Lineage {
    let rules = rule("history", ", deleted = false, closed = false", "indefinite", "\"created\"")
        + &rule("content", ", deleted = false", "5 years", "\"last_activity\"")
        + &rule("content", ", deleted = true", "30 days", "\"deleted\"")
        + &rule("feedback", ", feedback = true", "5 years", "\"feedback\"");
    one(&rules)
}

#[test]
fn what_a_person_deletes_is_never_quarantined() {
    let (lineage, active, deleted) = (ordinary(), day("2025-01-01"), day("2025-03-01"));
    let record = json!({ "deleted_at": deleted.to_string() });
    let said = |class, at| now(&lineage, at, active, class, &record, &json!({}));
    let history = said("history", deleted);
    assert_eq!(history.ended, Some(Ended::ByDeletion { at: deleted }));
    assert_eq!(history.due, Some((deleted, Cause::Deletion)));
    let end = after(deleted, 30 * DAY);
    assert_eq!(said("content", after(end, -1)).ended, None);
    let content = said("content", end);
    assert_eq!((content.quarantine, content.due), (None, Some((end, Cause::Time))));
}

#[test]
fn an_erased_account_is_deleted_and_one_that_is_only_closed_is_not() {
    let (lineage, active, closed) = (ordinary(), day("2025-01-01"), day("2025-03-01"));
    let account = json!({ "account": { "id": "a", "closed_at": closed.to_string() } });
    let deleted = json!({ "deleted_at": closed.to_string() });
    let erased = now(&lineage, closed, active, "history", &deleted, &account);
    assert_eq!(erased.due, Some((closed, Cause::Deletion)));
    let only_closed = now(&lineage, closed, active, "history", &json!({}), &account);
    let until = after(closed, 30 * DAY);
    assert_eq!((only_closed.quarantine, only_closed.due), (Some(Quarantine { since: closed, until }), None));
    let over = now(&lineage, until, active, "history", &json!({}), &account);
    assert_eq!(over.due, Some((until, Cause::Closing)));
}

#[test]
fn what_no_rule_ever_kept_is_due_at_once() {
    let (lineage, active) = (ordinary(), day("2025-01-01"));
    let said = now(&lineage, active, active, "feedback", &json!({}), &json!({}));
    assert_eq!(said.ended, Some(Ended::Never { at: active }));
    assert_eq!(said.due, Some((active, Cause::NoTerm)));
    // Nor is a class known that no version has.
    let said = now(&lineage, active, active, "attachments", &json!({}), &json!({}));
    assert_eq!(said.due, Some((active, Cause::NoTerm)));
}

#[test]
fn a_class_that_new_terms_leave_out_rests_from_when_they_came_to_judge() {
    let first = version("v0", "2024-01-01", "2024-01-01", &rule("content", "", "5 years", "\"created\""));
    let mut second =
        version("v1", "2025-05-01", "2025-06-01", &rule("content", "", "5 years", "\"created\""));
    second.bodies.retain(|class| class != "content");
    second.keeps.clear();
    second.uses.clear();
    let lineage = Lineage::compile(vec![first, second]).unwrap();
    let (active, since) = (day("2025-01-01"), day("2025-06-01"));
    let said = |at| now(&lineage, at, active, "content", &json!({}), &json!({}));
    let until = after(since, 30 * DAY);
    assert_eq!(said(since).quarantine, Some(Quarantine { since, until }));
    assert_eq!(said(until).due, Some((until, Cause::Terms)));
}

#[test]
fn of_quarantine_and_the_grace_of_a_release_the_later_counts() {
    let (lineage, active, closed) = (ordinary(), day("2025-01-01"), day("2025-03-01"));
    let said = |at: Instant, released: &str| {
        let more = json!({
            "account": { "id": "a", "closed_at": closed.to_string() },
            "holds": [{ "id": "h", "placed_at": "2025-01-01T00:00:00Z", "released_at": day(released).to_string() }],
        });
        now(&lineage, at, active, "history", &json!({}), &more)
    };
    // A release after the basis had gone gives grace of its own, which outlasts the quarantine here.
    let rest = after(closed, 30 * DAY);
    assert_eq!(said(rest, "2025-03-11").due, None);
    let grace = after(day("2025-03-11"), 30 * DAY);
    assert_eq!(said(after(grace, -1), "2025-03-11").due, None);
    assert_eq!(said(grace, "2025-03-11").due, Some((grace, Cause::Release)));
    // While it is held, nothing is due.
    assert_eq!(said(day("2025-12-01"), "2026-01-01").due, None);
}

#[test]
fn a_version_is_compared_with_those_that_lived_beside_it() {
    let terms = |name: &str, effective: &str, term: &str, asks: bool| {
        let mut version =
            version(name, effective, effective, &rule("content", "", term, "\"last_activity\""));
        version.purposes.retain(|_| asks);
        version.uses.clear();
        version
    };
    let life = |published: &str, withdrawn: Option<&str>| Life {
        published: day(published),
        withdrawn: withdrawn.map(day),
    };
    let compile = |middle: (&str, bool), first: &str, withdrawn: Option<&str>| {
        Lineage::compile_lived(vec![
            (terms("v0", "2024-01-01", first, false), life("2024-01-01", None)),
            (terms("v1", "2025-01-01", middle.0, middle.1), life("2025-01-01", withdrawn)),
            (terms("v2", "2026-01-01", "30 days", false), life("2026-01-01", None)),
        ])
    };
    // Going back to what was before a mistake widens nothing, if the mistake was withdrawn first.
    assert!(compile(("30 hours", false), "30 days", None).is_err());
    assert!(compile(("30 hours", false), "30 days", Some("2027-01-01")).is_err());
    assert!(compile(("30 hours", false), "30 days", Some("2025-02-01")).is_ok());
    // And what only a question made possible is not possible without it.
    assert!(compile(("30 days", true), "30 hours", None).is_ok());
    assert!(compile(("30 days", true), "30 hours", Some("2027-01-01")).is_err());
}
