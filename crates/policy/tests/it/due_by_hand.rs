//! What makes the due index unsound if it is forgotten, one example each: too rare to be left to chance.

use serde_json::json;
use tenure_model::Instant;
use tenure_policy::case::Case;
use tenure_policy::language::{Version, parse};
use tenure_policy::{Cutoff, Facts, Lineage, Resolved};

fn instant(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn version(name: &str, announced: &str, effective: &str, rest: &str) -> Version {
    let head = format!(
        "policy = \"p\"\nversion = \"{name}\"\ntitle = \"t\"\nannounced = {announced}T00:00:00Z\neffective = {effective}Z\n"
    );
    parse(name, &format!("{head}{rest}")).unwrap_or_else(|error| panic!("{error}"))
}

fn keep(class: &str, when: &str, term: &str) -> String {
    format!(
        "[[keep]]\nclass = \"{class}\"\nwhen = {{ regime = \"consumer\"{when} }}\nfor = \"{term}\"\nfrom = \"last_activity\"\nwhy = \"w\"\n"
    )
}

/// Files the copy of a class at the instant of a case, under the versions of then, and asks at a later
/// instant, under those of then, when it must go and whether it is found.
fn later(
    before: Vec<Version>,
    after: Vec<Version>,
    case: &str,
    class: &str,
    at: &str,
) -> (Option<Instant>, bool) {
    let (before, after) = (Lineage::compile(before).unwrap(), Lineage::compile(after).unwrap());
    let case: Case<'_> = serde_json::from_str(case).unwrap();
    let resolved = Resolved::new(&before, &case).unwrap();
    let facts = resolved.facts(&case);
    let situation = before.situation(&facts);
    let (filed, day) = before.file(&facts, &situation, &before.judge(&facts), class);
    let resolved = Resolved::new(&after, &case).unwrap();
    let facts = Facts { at: instant(at), ..resolved.facts(&case) };
    let verdict = after.judge(&facts);
    let place = after.tree(verdict.judged).classes().position(|known| known == class).unwrap();
    let found = match after.cutoff(&situation, class, filed, facts.at) {
        Cutoff::Nothing => false,
        Cutoff::UpTo(last) => day.0 <= last.0,
        Cutoff::Everything => true,
    };
    (verdict.classes[place].destroy, found)
}

const FREE: &str = "[surfaces]\nfree = { regime = \"consumer\" }\n";

/// A case about a record of one instant.
fn case(at: &str, surface: &str, active: &str, opened: &str, more: &serde_json::Value) -> String {
    let mut case = json!({
        "at": at,
        "account": { "id": "a", "opened_at": opened },
        "record": {
            "id": "r", "surface": surface, "kind": "chat", "mode": "normal",
            "created_at": active, "last_activity_at": active,
        },
    });
    case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    case.to_string()
}

#[test]
fn a_basis_that_begins_during_the_grace_of_a_release_may_end_before_it() {
    let rules = keep("content", ", standing.ads = \"unreached\"", "40 days");
    let rest = format!(
        "grace = \"1 year\"\nbodies = [\"content\"]\n{FREE}[purposes.ads]\ntitle = \"t\"\nground = \"objection\"\n\
         wait = \"30 days\"\nregimes = [\"consumer\"]\n{rules}"
    );
    let terms = || vec![version("v0", "2024-01-01", "2024-01-01T00:00:00", &rest)];
    let day = "2025-01-01T00:00:00Z";
    let more = json!({
        "informed": [{ "version": "v0", "at": day }],
        "holds": [{ "id": "h", "placed_at": day, "released_at": "2025-01-11T00:00:00Z", "classes": ["content"] }],
    });
    let case = case("2025-01-11T00:00:00Z", "free", day, "2024-06-01T00:00:00Z", &more);
    let ask = |at| later(terms(), terms(), &case, "content", at);
    assert_eq!(ask("2025-01-12T00:00:00Z").0, Some(instant("2026-01-11T00:00:00Z")));
    assert_eq!(ask("2025-02-05T00:00:00Z").0, Some(instant("2025-02-10T00:00:00Z")));
    assert_eq!(ask("2025-02-10T00:00:00Z"), (Some(instant("2025-02-10T00:00:00Z")), true));
}

#[test]
fn a_waiting_time_is_counted_in_the_months_of_the_version_that_judges() {
    let rest = format!(
        "bodies = [\"content\"]\n{FREE}[purposes.ads]\ntitle = \"t\"\nground = \"objection\"\nwait = \"1 month\"\n\
         regimes = [\"consumer\"]\n{}",
        keep("content", ", standing.ads = [\"unopposed\", \"unreached\"]", "5 years")
    );
    let calendar = || {
        version(
            "v0",
            "2024-01-01",
            "2024-01-01T00:00:00",
            &format!("grace = \"1 day\"\nmonths = \"calendar\"\n{rest}"),
        )
    };
    let thirty = || {
        version(
            "v1",
            "2025-02-01",
            "2025-03-01T12:00:00",
            &format!("grace = \"1 day\"\nmonths = \"30 days\"\n{rest}"),
        )
    };
    let told = "2025-01-31T12:00:00Z";
    let more = json!({ "informed": [{ "version": "v0", "at": told }] });
    // A month after the 31st of January is the 28th of February; thirty days after it, the 2nd of March.
    let case = case("2025-03-01T00:00:00Z", "free", told, "2024-06-01T00:00:00Z", &more);
    let ask = |at| later(vec![calendar(), thirty()], vec![calendar(), thirty()], &case, "content", at);
    assert_eq!(ask("2025-03-01T11:00:00Z"), (Some(instant("2030-01-31T12:00:00Z")), false));
    assert_eq!(ask("2025-03-01T13:00:00Z"), (Some(instant("2025-03-01T13:00:00Z")), true));
}

#[test]
fn a_version_may_say_that_two_surfaces_of_the_past_are_one() {
    let asks = "[purposes.train]\ntitle = \"t\"\nground = \"consent\"\nregimes = [\"consumer\"]\n";
    let terms = |name, date: &str, surfaces: &str, content, history| {
        let rules = keep("content", "", content) + &keep("history", "", history);
        let rest = format!(
            "grace = \"1 day\"\nbodies = [\"content\", \"history\"]\n[surfaces]\n{surfaces}\n{asks}{rules}"
        );
        version(name, date, &format!("{date}T00:00:00"), &rest)
    };
    let old = || terms("v0", "2024-01-01", "a = { regime = \"consumer\" }", "5 years", "30 days");
    let new = || terms("v1", "2025-01-01", "b = { regime = \"consumer\" }", "30 days", "5 years");
    let join =
        || terms("v2", "2025-06-01", "b = { regime = \"consumer\", was = \"a\" }", "30 days", "5 years");
    // Opened under `new`, as it turns out, though on a surface that only `old` was known to have.
    let day = "2025-02-01T00:00:00Z";
    let case = case(day, "a", day, day, &json!({}));
    let at = "2025-07-01T00:00:00Z";
    let end = Some(instant("2030-02-01T00:00:00Z"));
    assert_eq!(later(vec![old(), new()], vec![old(), new()], &case, "content", at), (end, false));
    let joined = later(vec![old(), new()], vec![old(), new(), join()], &case, "content", at);
    assert_eq!(joined, (Some(instant(at)), true));
}

#[test]
fn a_version_may_take_effect_before_it_is_announced() {
    let terms = |name, announced, effective: &str, content, history| {
        let rules = keep("content", "", content) + &keep("history", "", history);
        let asks = "[purposes.train]\ntitle = \"t\"\nground = \"consent\"\nregimes = [\"consumer\"]\n";
        let rest = format!("grace = \"1 day\"\nbodies = [\"content\", \"history\"]\n{FREE}{asks}{rules}");
        version(name, announced, effective, &rest)
    };
    let first = || terms("v0", "2024-01-01", "2024-01-01T00:00:00", "5 years", "5 years");
    let slow = || terms("v1", "2024-06-01", "2030-01-01T00:00:00", "5 years", "30 days");
    let sudden = || terms("v2", "2025-06-01", "2025-01-01T00:00:00", "30 days", "5 years");
    let day = "2025-02-01T00:00:00Z";
    let case = case("2025-03-01T00:00:00Z", "free", day, "2024-02-01T00:00:00Z", &json!({}));
    let at = "2025-07-01T00:00:00Z";
    let (destroy, found) =
        later(vec![first(), slow()], vec![first(), slow(), sudden()], &case, "content", at);
    assert_eq!((destroy, found), (Some(instant(at)), true));
}
