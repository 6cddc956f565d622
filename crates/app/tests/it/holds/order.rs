//! A court's order, replayed day by day, with a sweep every day.
//!
//! It is the preservation order of 13 May 2025: over consumer and API output, deleted or not, never over zero
//! retention; regions left out later; ended as of 26 September by an order that was recorded on 9 October; a list
//! of accounts held on, to which one is added. The dates of the amendments are ours where none is known.

use tenure_app::{Deletion, HoldScope};
use tenure_model::{Day, Instant, Regime};
use tenure_store::CopyStage;

use super::{assert_sound, first_record, of_accounts};
use crate::world::{EXAMPLE, World, at, conversation};

/// Someone who said one thing, and what becomes of its content.
struct Person {
    name: &'static str,
    surface: &'static str,
    country: &'static str,
    said: &'static str,
    deleted: Option<&'static str>,
    /// The day on which the content goes.
    gone: Option<&'static str>,
}

const fn person(name: &'static str, said: &'static str, gone: Option<&'static str>) -> Person {
    Person { name, surface: "pro", country: "US", said, deleted: None, gone }
}

/// The thirty days of content said on 20 May end on 19 June, those of the grace on 8 November.
const PEOPLE: [Person; 11] = [
    Person { deleted: Some("2025-04-10"), ..person("gone before", "2025-04-01", Some("2025-05-10")) },
    Person { deleted: Some("2025-04-20"), ..person("deleted before", "2025-04-15", Some("2025-11-08")) },
    Person { deleted: Some("2025-06-01"), ..person("deleted under it", "2025-05-20", Some("2025-11-08")) },
    person("never deleted", "2025-05-20", Some("2025-11-08")),
    Person { surface: "api", ..person("api", "2025-05-20", Some("2025-11-08")) },
    Person { surface: "code", ..person("not covered", "2025-05-20", Some("2025-06-19")) },
    Person { country: "DE", ..person("region", "2025-05-20", Some("2025-07-31")) },
    Person { country: "DE", ..person("region, later", "2025-06-25", Some("2025-07-25")) },
    person("still in its term", "2025-10-01", Some("2025-10-31")),
    person("listed", "2025-05-20", None),
    person("listed later", "2025-05-20", Some("2026-03-31")),
];

fn policy() -> String {
    let api = "\n[[keep]]\nclass = \"content\"\nwhen  = { regime = \"commercial\" }\nfor   = \"30 days\"\nfrom  = \"last_activity\"\nwhy   = \"Logs of the API\"\n";
    let earlier = EXAMPLE
        .replace("version   = \"2025-10-08\"", "version   = \"2025-03-01\"")
        .replace("2025-08-28T00:00:00Z", "2025-03-01T00:00:00Z")
        .replace("2025-10-08T00:00:00Z", "2025-03-01T00:00:00Z");
    earlier + api
}

fn day(text: &str) -> Day {
    at(&format!("{text}T00:00:00Z")).day()
}

fn scope() -> HoldScope {
    HoldScope {
        classes: vec!["content".to_owned()],
        regimes: Some(vec![Regime::Consumer, Regime::Commercial]),
        surfaces: Some(["free", "pro", "team", "api"].map(str::to_owned).to_vec()),
        ..HoldScope::default()
    }
}

/// What the order's parties do on a day.
fn follow_the_order(world: &World, now: Instant) {
    let tenure = &world.tenure;
    let is = |text| now.day() == day(text);
    if is("2025-05-13") {
        let preview = tenure.preview_hold("order", &scope(), now).unwrap();
        assert_eq!(preview.covered.records, 1, "what was deleted before and is not gone yet");
        tenure.place_hold("order", scope(), true, now).unwrap();
    } else if is("2025-07-01") {
        let without = HoldScope { not_countries: Some(vec!["DE".to_owned()]), ..scope() };
        let preview = tenure.preview_amendment("order", &without, now).unwrap();
        assert_eq!(preview.left_out.map(|left_out| left_out.records), Some(2));
        tenure.amend_hold("order", without, None, now).unwrap();
    } else if is("2025-10-09") {
        // It says that the duty ended on 26 September; what follows from it begins when it is recorded.
        tenure.place_hold("list", of_accounts(&["listed"]), true, now).unwrap();
        tenure.release_hold("order", now).unwrap();
    } else if is("2025-10-20") {
        tenure.amend_hold("list", of_accounts(&["listed", "listed later"]), None, now).unwrap();
    } else if is("2026-03-01") {
        tenure.amend_hold("list", of_accounts(&["listed"]), None, now).unwrap();
    }
}

fn live_through(world: &World, now: Instant) {
    for person in &PEOPLE {
        if now.day() == day(person.said) {
            world.open_account(person.name, now);
            let time = format!("{}T00:00:00Z", person.said);
            let mut said = conversation(person.name, "c1", person.surface, &[&time]);
            said.country = Some(person.country.to_owned());
            assert_eq!(world.import(vec![said], now).records, 1, "{}", person.name);
        }
        if person.deleted.is_some_and(|deleted| now.day() == day(deleted)) {
            let record = first_record(world, person.name);
            world.tenure.delete(Deletion::ConversationOf(record), now).unwrap();
        }
    }
}

#[test]
fn a_courts_order_keeps_what_it_covers_while_it_does_and_lets_go_of_the_rest_in_time() {
    let world = World::with(&[("consumer.toml".to_owned(), policy())], at("2025-03-01T00:00:00Z"));
    for number in day("2025-04-01").0..=day("2026-06-01").0 {
        let now = Day(number).start();
        live_through(&world, now);
        follow_the_order(&world, now);
        world.sweep(now);
    }
    let zero = conversation("zero", "c1", "api-zdr", &["2026-06-01T00:00:00Z"]);
    assert_eq!(world.import(vec![zero], at("2026-06-01T00:00:00Z")).records, 0);

    let inventory = world.tenure.inventory(at("2026-06-01T00:00:00Z")).unwrap();
    for person in &PEOPLE {
        let copy =
            |class: &str| inventory.iter().find(|copy| copy.account == person.name && copy.class == class);
        let gone = copy("content").and_then(|copy| copy.destroyed_at);
        assert_eq!(gone.map(Instant::day), person.gone.map(day), "{}: {gone:?}", person.name);
        // What somebody deletes is hidden at once, whatever else is kept of it.
        if let Some(deleted) = person.deleted {
            let hidden = copy("history").and_then(|copy| copy.destroyed_at);
            assert_eq!(hidden.map(Instant::day), Some(day(deleted)), "{}", person.name);
        }
    }
    assert_eq!(world.copies("listed", |stage| stage == CopyStage::Live), ["content", "history"]);
    assert_eq!(world.tenure.hold("list").unwrap().version, 3);
    world.tenure.publish_checkpoint(at("2026-06-01T00:00:00Z")).unwrap();
    assert_sound(&world);
}
