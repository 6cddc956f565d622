//! People of whom each has something else that keeps their copies, on shared pages and in shared packs.

use tenure_app::{Deletion, HoldScope, Scan};
use tenure_formats::Conversation;
use tenure_model::Choice;

use super::first_record;
use super::trial::Base;
use crate::auditor::Auditor;
use crate::world::{World, at, conversation};

pub(super) const PEOPLE: [&str; 7] = ["yes", "silent", "gone", "leaver", "clean", "kept", "caught"];

pub(super) fn content_of(accounts: &[&str]) -> HoldScope {
    HoldScope {
        classes: vec!["content".to_owned()],
        accounts: Some(accounts.iter().map(|account| (*account).to_owned()).collect()),
        ..HoldScope::default()
    }
}

/// How much the one who allows training says: a little, so that what dies beside it is much of a pack, or so much
/// that it is not.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Says {
    Little,
    Much,
}

fn said(account: &str, number: u32, says: Says) -> Conversation {
    let time = format!("2025-09-01T1{number}:00:00Z");
    let mut said = conversation(account, &format!("{account}-{number}"), "pro", &[&time]);
    if account == "yes" && number == 1 && says == Says::Much {
        said.messages[0].text = "much of it ".repeat(6_000);
    }
    said
}

/// Half a month after the terms of most content have passed:
///
/// - `yes` allowed training, so all of it stays;
/// - `silent`, `leaver` and `caught` said nothing: content is due;
/// - `gone` has left: everything is due;
/// - `clean` was flagged by mistake: content and scores are in quarantine;
/// - `kept` has content that only a hold keeps.
pub(super) fn crowd(says: Says) -> Base {
    let world = World::new();
    let mut auditor = Auditor::default();
    for account in PEOPLE {
        world.open_account(account, at("2025-08-29T00:00:00Z"));
    }
    for account in ["yes", "gone"] {
        let answer = world.tenure.answer(account, "train", Choice::On, None).unwrap();
        auditor.hear(world.tenure.decide(account, answer, at("2025-08-30T00:00:00Z")).unwrap());
    }
    // A pack that all share, one of what goes and one of what half goes.
    let packs = [(1, &PEOPLE[..]), (2, &["gone"]), (3, &["silent", "yes", "leaver", "gone"])];
    for (number, accounts) in packs {
        let said = accounts.iter().map(|account| said(account, number, says)).collect();
        world.import(said, at(&format!("2025-09-01T1{number}:30:00Z")));
    }
    world.tenure.delete(Deletion::Account("gone".to_owned()), at("2025-09-02T01:00:00Z")).unwrap();
    let clean = first_record(&world, "clean");
    world.tenure.scan(clean, Scan::Flagged, at("2025-09-03T00:00:00Z")).unwrap();
    world.tenure.place_hold("order", content_of(&["kept"]), true, at("2025-09-10T00:00:00Z")).unwrap();
    world.tenure.scan(clean, Scan::Clear, at("2025-11-10T00:00:00Z")).unwrap();
    auditor.audit(&world, at("2025-11-10T01:00:00Z"));
    Base::of(world, auditor)
}
