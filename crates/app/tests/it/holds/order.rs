//! A court's order, replayed day by day, with a sweep every day.
//!
//! It is the preservation order of 13 May 2025: over consumer and API output, deleted or not, never over zero
//! retention; the EEA, Switzerland and the United Kingdom left out later; ended as of 26 September by an order that
//! was recorded on 9 October; a list of accounts held on, to which one is added. The dates of the amendments are
//! ours where none is known. Every number is read from the ledger first, and then looked for in the store.

use std::collections::BTreeMap;

use serde_json::Value;
use tenure_app::{Deletion, HeldTarget, HoldScope};
use tenure_model::{Day, Instant, Regime};
use tenure_receipts::Statement;
use tenure_store::CopyStage;

use super::{assert_sound, first_record, of_accounts, quietly};
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
const PEOPLE: [Person; 13] = [
    Person { deleted: Some("2025-04-10"), ..person("gone before", "2025-04-01", Some("2025-05-10")) },
    Person { deleted: Some("2025-04-20"), ..person("deleted before", "2025-04-15", Some("2025-11-08")) },
    Person { deleted: Some("2025-06-01"), ..person("deleted under it", "2025-05-20", Some("2025-11-08")) },
    person("never deleted", "2025-05-20", Some("2025-11-08")),
    Person { surface: "api", ..person("api", "2025-05-20", Some("2025-11-08")) },
    Person { surface: "code", ..person("not covered", "2025-05-20", Some("2025-06-19")) },
    Person { country: "DE", ..person("region", "2025-05-20", Some("2025-07-31")) },
    Person { country: "CH", ..person("Switzerland", "2025-05-20", Some("2025-07-31")) },
    Person {
        country: "GB",
        deleted: Some("2025-06-01"),
        ..person("Kingdom", "2025-05-20", Some("2025-07-31"))
    },
    Person { country: "DE", ..person("region, later", "2025-06-25", Some("2025-07-25")) },
    person("still in its term", "2025-10-01", Some("2025-10-31")),
    person("listed", "2025-05-20", None),
    person("listed later", "2025-05-20", Some("2026-03-31")),
];

/// The European Economic Area, Switzerland and the United Kingdom.
const REGIONS: [&str; 32] = [
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE",
    "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
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
        let preview = tenure.preview_hold("order", &scope(), now, quietly()).unwrap();
        assert_eq!(preview.covered.records, 1, "what was deleted before and is not gone yet");
        tenure.place_hold_dated("order", scope(), true, Some(now), now).unwrap();
        tenure.add_hold_reader("order", "legal", now).unwrap();
        assert_eq!(tenure.lost_to_hold("order", 10, now, &mut |_| {}).unwrap().copies, 1, "it came too late");
    } else if is("2025-07-01") {
        let not_countries = Some(REGIONS.map(str::to_owned).to_vec());
        let without = HoldScope { not_countries, ..scope() };
        let preview = tenure.preview_amendment("order", &without, now, quietly()).unwrap();
        assert_eq!(preview.left_out.map(|left_out| left_out.records), Some(4));
        tenure.amend_hold("order", without, None, now).unwrap();
    } else if is("2025-10-09") {
        // It says that the duty ended on 26 September; what follows from it begins when it is recorded.
        tenure.place_hold("list", of_accounts(&["listed"]), true, now).unwrap();
        tenure.release_hold_dated("order", Some(at("2025-09-26T00:00:00Z")), now).unwrap();
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

/// What happened to a hold, on which day, and the date on the paper.
type Order = (&'static str, Day, Option<Instant>);

/// What the ledger says became of holds, by hold.
fn orders_in_the_ledger(world: &World) -> BTreeMap<String, Vec<Order>> {
    let mut orders: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let kinds = ["hold_placed", "hold_amended", "hold_released"];
    for stated in world.tenure.operator_statements(&kinds).unwrap() {
        let kind = stated.statement.kind();
        let (hold, dated) = match stated.statement {
            Statement::HoldPlaced { hold, dated, may_tell, .. }
            | Statement::HoldAmended { hold, dated, may_tell, .. } => {
                assert_eq!(may_tell, Some(true));
                (hold, dated)
            }
            Statement::HoldReleased { hold, dated } => (hold, dated),
            other => panic!("{other:?}"),
        };
        orders.entry(hold).or_default().push((kind, stated.at.day(), dated));
    }
    orders
}

/// How many copies the ledger says were destroyed, by day.
fn destroyed_in_the_ledger(world: &World) -> BTreeMap<Day, u64> {
    let mut days = BTreeMap::new();
    for stated in world.tenure.operator_statements(&["copies_shredded"]).unwrap() {
        let (count, _) = stated.statement.items().unwrap();
        *days.entry(stated.at.day()).or_default() += count;
    }
    days
}

/// What the legal team reads in July: the conversations that were deleted under the order are hidden from everyone
/// else and kept for it.
fn read_under_the_order(world: &World, now: Instant) {
    let folder = world.folder.path().join("read");
    let what = HeldTarget::All;
    let access = world.tenure.read_held(("order", "legal"), &what, &folder, now, &mut |_| {}).unwrap();
    let index = std::fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let lines: Vec<Value> = index.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| lines.iter().find(|line| line["account"] == name);
    for name in ["deleted before", "deleted under it"] {
        assert_eq!(of(name).unwrap()["state"], "read", "{name}");
        assert!(!world.live(name).contains(&"history".to_owned()), "{name} is hidden");
        let record = first_record(world, name);
        let told = world.tenure.told_record(record, now).unwrap();
        assert!(told.kept.iter().all(|copy| !copy.may_be_used && !copy.orders.is_empty()), "{told:?}");
    }
    assert!(of("not covered").is_none() && of("gone before").is_none());
    let stated = world.tenure.operator_statements(&["hold_read"]).unwrap();
    let counted: u64 =
        stated.iter().filter_map(|stated| stated.statement.items()).map(|(count, _)| count).sum();
    assert_eq!(counted, access.read);
}

#[test]
fn a_courts_order_keeps_what_it_covers_while_it_does_and_lets_go_of_the_rest_in_time() {
    let world = World::with(&[("consumer.toml".to_owned(), policy())], at("2025-03-01T00:00:00Z"));
    for number in day("2025-04-01").0..=day("2026-06-01").0 {
        let now = Day(number).start();
        live_through(&world, now);
        follow_the_order(&world, now);
        world.sweep(now);
        if now.day() == day("2025-07-15") {
            read_under_the_order(&world, now);
        }
    }
    let end = at("2026-06-01T00:00:00Z");
    let zero = conversation("zero", "c1", "api-zdr", &["2026-06-01T00:00:00Z"]);
    assert_eq!(world.import(vec![zero], end).records, 0);

    // The ledger: when each order was recorded, which date it bears, and how many copies went on which day.
    let orders = orders_in_the_ledger(&world);
    let (placed, ended) = (at("2025-05-13T00:00:00Z"), at("2025-09-26T00:00:00Z"));
    assert_eq!(
        orders["order"],
        [
            ("hold_placed", day("2025-05-13"), Some(placed)),
            ("hold_amended", day("2025-07-01"), None),
            ("hold_released", day("2025-10-09"), Some(ended)),
        ]
    );
    assert_eq!(orders["list"].len(), 3);
    let destroyed = destroyed_in_the_ledger(&world);
    let on = |text: &str| destroyed.get(&day(text)).copied().unwrap_or_default();
    let grace = |from: &str, days: i32| Day(day(from).0 + days);
    // Nothing that the order covered went while it was in force; what it let go of went when the grace ended.
    assert_eq!((on("2025-07-31"), grace("2025-07-01", 30)), (3, day("2025-07-31")));
    assert_eq!((on("2025-11-08"), grace("2025-10-09", 30)), (4, day("2025-11-08")));

    // The store: the same copies, by the same days.
    let inventory = world.tenure.inventory(end).unwrap();
    let mut gone: BTreeMap<Day, u64> = BTreeMap::new();
    for copy in inventory.iter().filter_map(|copy| copy.destroyed_at) {
        *gone.entry(copy.day()).or_default() += 1;
    }
    assert_eq!(gone, destroyed);
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
    world.tenure.publish_checkpoint(end).unwrap();
    assert_sound(&world);
    println!(
        "ledger: {} orders recorded; copies destroyed by day:",
        orders.values().map(Vec::len).sum::<usize>()
    );
    for (day, copies) in destroyed {
        println!("  {day}  {copies}");
    }
}
