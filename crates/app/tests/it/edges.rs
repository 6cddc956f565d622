//! What happens at the edges: between two steps, after the end, and where a name is wrong.

use tenure_app::run::Rows;
use tenure_app::{AccountFacts, Answer, Defaults, Deletion, Error, HoldScope, Reply, Scan};
use tenure_formats::{Account, Item};
use tenure_model::Choice;
use tenure_store::{ReadTx, RecordId, StoreError, StoreExt as _};

use crate::world::{EXAMPLE, World, at, conversation};

fn first_record(world: &World, account: &str) -> RecordId {
    let key = world.tenure.account(account).unwrap().key;
    let read = |tx: &mut dyn ReadTx| Ok::<_, StoreError>(tx.records_of(key, None, 1)?[0].id);
    world.store.read(read).unwrap()
}

fn rows_of_run(world: &World, out: &str, now: &str) -> u64 {
    let out = world.folder.path().join(out);
    world.tenure.open_run("train", &out, Rows::Jsonl, at(now), &mut |_| {}).unwrap().manifest.rows
}

/// One message of an account that is known, scanned and of age.
fn said_once(world: &World) {
    world.open_account("a1", at("2025-08-29T00:00:00Z"));
    let said = conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"]);
    world.import(vec![said], at("2025-09-01T10:02:00Z"));
}

#[test]
fn a_hold_keeps_a_class_that_the_judging_version_does_not_have() {
    let scores = "[[keep]]\nclass = \"scores\"\nwhen  = { regime = \"consumer\", flagged = true }\nfor   = \"7 years\"\nfrom  = \"flagged\"\nwhy   = \"Trust and safety scores\"\n";
    let newer = EXAMPLE
        .replace("version   = \"2025-10-08\"", "version   = \"2025-12-01\"")
        .replace("announced = 2025-08-28T00:00:00Z", "announced = 2025-11-01T00:00:00Z")
        .replace("effective = 2025-10-08T00:00:00Z", "effective = 2025-12-01T00:00:00Z")
        .replace("decide_by = 2025-10-08T00:00:00Z", "decide_by = 2025-12-01T00:00:00Z")
        .replace("facts     = [\"scores\"]\n", "")
        .replace(scores, "");
    assert!(!newer.contains("scores"));
    let world = World::new();
    said_once(&world);
    world.tenure.scan(first_record(&world, "a1"), Scan::Flagged, at("2025-09-02T00:00:00Z")).unwrap();
    let scope = HoldScope { classes: vec!["scores".to_owned()], ..HoldScope::default() };
    world.tenure.place_hold("order", scope, true, at("2025-09-10T00:00:00Z")).unwrap();
    world.tenure.publish(&[("newer.toml".to_owned(), newer)], at("2025-11-01T00:00:00Z")).unwrap();
    world.sweep(at("2026-01-01T00:00:00Z"));
    assert_eq!(world.live("a1"), ["content", "history", "scores"]);
    world.tenure.release_hold("order", at("2026-02-01T00:00:00Z")).unwrap();
    world.sweep(at("2026-03-02T23:59:59Z"));
    assert_eq!(world.live("a1"), ["content", "history", "scores"]);
    world.sweep(at("2026-03-03T00:00:00Z"));
    assert_eq!(world.live("a1"), ["content", "history"]);
}

#[test]
fn a_hold_of_a_class_surface_or_country_that_nobody_knows_is_refused() {
    let world = World::new();
    let now = at("2025-09-10T00:00:00Z");
    let scope = || HoldScope { classes: vec!["content".to_owned()], ..HoldScope::default() };
    let scopes = [
        HoldScope { classes: vec!["contents".to_owned()], ..HoldScope::default() },
        HoldScope { surfaces: Some(vec!["Pro".to_owned()]), ..scope() },
        HoldScope { countries: Some(vec!["us".to_owned()]), ..scope() },
        HoldScope { not_countries: Some(vec!["Germany".to_owned()]), ..scope() },
    ];
    for scope in scopes {
        let refused = world.tenure.place_hold("order", scope, true, now);
        assert!(matches!(refused, Err(Error::Refused(_) | Error::UnknownSurface(_))));
    }
    assert!(world.tenure.holds().unwrap().is_empty());
}

#[test]
fn a_deletion_while_a_conversation_goes_on_is_not_undone() {
    let world = World::new();
    said_once(&world);
    let times = ["2025-09-01T10:00:00Z", "2025-09-06T10:00:00Z"];
    let now = at("2025-09-06T11:00:00Z");
    let mut ingester = world.tenure.ingester("test", Defaults::default(), now).unwrap();
    ingester.push(Item::Conversation(conversation("a1", "c1", "pro", &times))).unwrap();
    let record = first_record(&world, "a1");
    world.tenure.delete(Deletion::ConversationOf(record), now).unwrap();
    assert!(matches!(ingester.finish(), Err(Error::ConversationMoved)));
    let row = world.store.read(|tx| Ok::<_, StoreError>(tx.record(record)?.unwrap())).unwrap();
    assert_eq!(row.facts.deleted_at, Some(now));
    // Asked for again, what is new becomes a record of its own.
    let again = world.import(vec![conversation("a1", "c1", "pro", &times)], at("2025-09-06T12:00:00Z"));
    assert_eq!((again.records, again.messages), (1, 1));
}

#[test]
fn what_was_said_since_the_scan_is_not_trained_on() {
    let world = World::new();
    said_once(&world);
    world.decide("a1", Choice::On, at("2025-09-01T11:00:00Z"));
    let times = ["2025-09-01T10:00:00Z", "2025-09-06T10:00:00Z"];
    world.import(vec![conversation("a1", "c1", "pro", &times)], at("2025-09-06T10:02:00Z"));
    let times = ["2025-09-01T10:00:00Z", "2025-09-06T10:00:00Z", "2025-09-08T10:00:00Z"];
    let mut unscanned = conversation("a1", "c1", "pro", &times);
    unscanned.scanned = None;
    world.import(vec![unscanned], at("2025-09-08T10:02:00Z"));
    assert_eq!(rows_of_run(&world, "unscanned", "2025-09-09T00:00:00Z"), 0);
    world.tenure.scan(first_record(&world, "a1"), Scan::Clear, at("2025-09-10T00:00:00Z")).unwrap();
    assert_eq!(rows_of_run(&world, "again", "2025-09-11T00:00:00Z"), 3);
}

#[test]
fn a_closed_account_takes_nothing_in() {
    let world = World::new();
    said_once(&world);
    world.decide("a1", Choice::On, at("2025-09-01T12:00:00Z"));
    world.tenure.delete(Deletion::Account("a1".to_owned()), at("2025-09-02T00:00:00Z")).unwrap();
    world.sweep(at("2025-10-03T00:00:00Z"));
    assert_eq!(world.live("a1"), Vec::<String>::new());
    let said = conversation("a1", "c2", "pro", &["2025-09-01T13:00:00Z"]);
    let taken = world.import(vec![said], at("2025-10-04T00:00:00Z"));
    assert_eq!((taken.records, taken.refused_conversations.values().sum()), (0, 1_u64));
    assert_eq!(rows_of_run(&world, "after", "2025-10-05T00:00:00Z"), 0);
    assert_eq!(world.live("a1"), Vec::<String>::new());
    // What is known already is known still.
    let said = conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"]);
    assert_eq!(world.import(vec![said], at("2025-10-04T00:00:00Z")).unchanged, 1);
}

#[test]
fn a_record_that_is_flagged_again_has_scores_again() {
    let world = World::new();
    said_once(&world);
    let record = first_record(&world, "a1");
    world.tenure.scan(record, Scan::Flagged, at("2025-09-02T00:00:00Z")).unwrap();
    world.tenure.scan(record, Scan::Clear, at("2025-09-03T00:00:00Z")).unwrap();
    // A cleared flag is no end by time: what it kept rests in quarantine for the grace of thirty days.
    assert_eq!(world.sweep(at("2025-09-04T00:00:00Z")).total(), 0);
    assert_eq!(world.live("a1"), ["content", "history", "scores"]);
    world.sweep(at("2025-11-05T00:00:00Z"));
    assert_eq!(world.live("a1"), ["history"]);
    world.tenure.scan(record, Scan::Flagged, at("2025-11-06T00:00:00Z")).unwrap();
    assert_eq!(world.live("a1"), ["history", "scores"]);
    world.integrity();
    world.sweep(at("2032-11-06T00:00:00Z"));
    assert_eq!(world.live("a1"), ["history"]);
}

#[test]
fn what_is_taken_in_while_its_account_is_opened_goes_by_what_the_account_says() {
    let kept = "[[keep]]\nclass = \"content\"\nwhen  = { regime = \"consumer\", deleted = false }\nfor   = \"30 days\"";
    let longer = "[[keep]]\nclass = \"content\"\nwhen  = { regime = \"consumer\", deleted = false, minor = false }\nfor   = \"1 year\"\nfrom  = \"last_activity\"\nwhy   = \"Of age\"\n\n";
    let policy = EXAMPLE.replacen(kept, &format!("{longer}{kept}"), 1);
    let world = World::with(&[("minors.toml".to_owned(), policy)], at("2025-08-01T00:00:00Z"));
    let mut ingester =
        world.tenure.ingester("test", Defaults::default(), at("2025-09-01T12:00:00Z")).unwrap();
    let account = Account { id: "a1".to_owned(), country: None, minor: Some(true), opened_at: None };
    ingester.push(Item::Account(account)).unwrap();
    // The first fills a batch, so the second is planned while the account is being opened.
    let times = vec!["2025-09-01T10:00:00Z"; 20_000];
    for id in ["c1", "c2"] {
        ingester.push(Item::Conversation(conversation("a1", id, "pro", &times))).unwrap();
    }
    ingester.finish().unwrap();
    assert_eq!(world.sweep(at("2025-10-02T00:00:00Z")).total(), 2);
}

#[test]
fn the_house_is_nobodys_account() {
    let world = World::new();
    let now = at("2025-09-01T00:00:00Z");
    assert!(world.tenure.delete(Deletion::Account(String::new()), now).is_err());
    assert!(world.tenure.set_account("", AccountFacts::default(), now).is_err());
    assert!(world.tenure.answer("", "train", Choice::On, None).is_err());
    let off = Answer { purpose: "train".to_owned(), reply: Reply::Off, version: None };
    assert!(world.tenure.decide("", off, now).is_err());
}

#[test]
fn what_is_said_after_a_run_is_not_in_its_training_copy() {
    let world = World::new();
    said_once(&world);
    world.decide("a1", Choice::On, at("2025-09-01T11:00:00Z"));
    let first = ["2025-09-01T10:00:00Z", "2025-09-02T10:00:00Z"];
    world.import(vec![conversation("a1", "c1", "pro", &first)], at("2025-09-02T10:02:00Z"));
    assert_eq!(rows_of_run(&world, "run", "2025-09-03T00:00:00Z"), 2);
    let then = ["2025-09-01T10:00:00Z", "2025-09-02T10:00:00Z", "2025-09-04T10:00:00Z"];
    let resumed = world.import(vec![conversation("a1", "c1", "pro", &then)], at("2025-09-04T10:02:00Z"));
    assert_eq!((resumed.resumed, resumed.messages), (1, 1));
    world.decide("a1", Choice::Off, at("2025-09-05T00:00:00Z"));
    world.sweep(at("2025-11-01T00:00:00Z"));
    // The training copy stays for its five years, and opens what was trained on and nothing else.
    let key = world.tenure.account("a1").unwrap().key;
    let opened: u32 = world
        .store
        .read(|tx| {
            let training = tx.classes()?.iter().find(|(_, name)| name == "training_copy").unwrap().0;
            let copies = tx.copies_of(key, None, 100)?;
            let live = copies.iter().filter(|copy| copy.key.class == training && copy.state.wrap().is_some());
            let mut opened = 0;
            for copy in live {
                opened += tx.record(copy.key.record)?.unwrap().messages;
            }
            Ok::<_, StoreError>(opened)
        })
        .unwrap();
    assert_eq!(opened, 2);
}
