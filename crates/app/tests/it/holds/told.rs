//! What a person is told of orders that keep what is theirs, and what nobody tells them.

use tenure_app::Deletion;
use tenure_app::explain::Ending;

use super::{content, first_record, of_accounts, world_of};
use crate::world::at;

#[test]
fn a_person_is_told_that_an_order_keeps_a_copy_since_when_and_that_it_is_not_used() {
    let world = world_of(&["ann"]);
    let record = first_record(&world, "ann");
    let placed = at("2025-09-10T00:00:00Z");
    world.tenure.place_hold("case-17", content(), true, placed).unwrap();
    world.tenure.delete(Deletion::ConversationOf(record), at("2025-09-15T00:00:00Z")).unwrap();
    world.tenure.amend_hold("case-17", of_accounts(&["ann"]), None, at("2025-11-01T00:00:00Z")).unwrap();
    let now = at("2025-12-01T00:00:00Z");
    world.sweep(now);
    let told = world.tenure.told_record(record, now).unwrap();
    let [copy] = told.kept.as_slice() else { panic!("{told:?}") };
    assert_eq!((copy.class.as_str(), copy.kept, copy.may_be_used), ("content", Ending::Held, false));
    assert_eq!(copy.orders.iter().map(|order| order.since).collect::<Vec<_>>(), [placed]);
    let all = world.tenure.told("ann", now).unwrap();
    assert_eq!((all.since, all.records_under_order, all.under_order["content"]), (Some(placed), 1, 1));
    assert!(!serde_json::to_string(&all).unwrap().contains("case-17"), "what a hold is called is not told");
    // Whoever runs the place sees which hold it is, and since when it covers the copy, not since it was amended.
    let explained = world.tenure.explain(record, now).unwrap();
    let hold =
        explained.copies.iter().find(|copy| copy.class == "content").map(|copy| &copy.holds[0]).unwrap();
    assert_eq!(
        (hold.id.as_str(), hold.since, hold.placed_at, hold.may_tell),
        ("case-17", placed, placed, true)
    );
    let summary = world.tenure.summary("ann", now).unwrap();
    let [on] = summary.holds.as_slice() else { panic!("{:?}", summary.holds) };
    assert_eq!((on.since, on.copies, on.alone, on.may_tell), (placed, 1, 1, true));
}

#[test]
fn an_order_counts_for_a_copy_from_when_there_was_one_and_from_when_it_was_covered() {
    let world = world_of(&["ann", "ben"]);
    world.tenure.place_hold("order", of_accounts(&["ann"]), true, at("2025-08-15T00:00:00Z")).unwrap();
    let amended = at("2025-09-20T00:00:00Z");
    world.tenure.amend_hold("order", content(), None, amended).unwrap();
    let now = at("2025-09-25T00:00:00Z");
    let since = |account: &str| world.tenure.told(account, now).unwrap().since;
    assert_eq!((since("ann"), since("ben")), (Some(at("2025-09-01T00:00:00Z")), Some(amended)));
    // A version that left it out is a gap.
    world.tenure.amend_hold("order", of_accounts(&["ben"]), None, at("2025-09-26T00:00:00Z")).unwrap();
    world.tenure.amend_hold("order", content(), None, at("2025-09-27T00:00:00Z")).unwrap();
    let told = world.tenure.told("ann", at("2025-09-28T00:00:00Z")).unwrap();
    assert_eq!(told.since, Some(at("2025-09-27T00:00:00Z")));
}

#[test]
fn of_an_order_that_may_not_be_told_nothing_shows() {
    let [held, free] = [true, false].map(|secretly| {
        let world = world_of(&["ann"]);
        let record = first_record(&world, "ann");
        if secretly {
            world.tenure.place_hold("order", content(), false, at("2025-09-10T00:00:00Z")).unwrap();
        }
        world.tenure.delete(Deletion::ConversationOf(record), at("2025-09-15T00:00:00Z")).unwrap();
        let mut shown = Vec::new();
        for day in ["2025-09-16", "2025-10-20", "2026-09-01"] {
            let now = at(&format!("{day}T00:00:00Z"));
            world.sweep(now);
            shown.push((
                world.tenure.told("ann", now).unwrap(),
                world.tenure.told_record(record, now).unwrap().kept,
            ));
        }
        // Its statements are not in the person's chain, nor among their receipts.
        let receipts = world.tenure.receipts("ann", at("2026-09-01T00:00:00Z")).unwrap();
        let kept = world.copies("ann", |stage| stage == tenure_store::CopyStage::Live);
        assert_eq!(kept.contains(&"content".to_owned()), secretly);
        (shown, receipts.len())
    });
    assert_eq!(held, free);
}

#[test]
fn an_order_that_may_be_told_later_is_told_from_then_on_and_one_that_may_no_longer_is_not() {
    let world = world_of(&["ann"]);
    let placed = at("2025-09-10T00:00:00Z");
    world.tenure.place_hold("order", content(), false, placed).unwrap();
    let since = |day: &str| world.tenure.told("ann", at(day)).unwrap().since;
    assert_eq!(since("2025-09-11T00:00:00Z"), None);
    world.tenure.amend_hold("order", content(), Some(true), at("2025-09-12T00:00:00Z")).unwrap();
    assert_eq!(since("2025-09-13T00:00:00Z"), Some(placed));
    world.tenure.amend_hold("order", content(), Some(false), at("2025-09-14T00:00:00Z")).unwrap();
    assert_eq!(since("2025-09-15T00:00:00Z"), None);
}
