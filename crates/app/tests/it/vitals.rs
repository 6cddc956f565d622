//! How the store is, and sweeps that are told to end.

use tenure_app::{Error, SweepOptions};
use tenure_model::Instant;

use crate::world::{World, at, conversation};

/// A world with chats of which the back-end copies are due from 1 October 2025 on.
fn world(chats: usize) -> World {
    let world = World::new();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    let chats = (0..chats)
        .map(|chat| conversation("a1", &format!("c{chat}"), "pro", &["2025-09-01T00:00:00Z"]))
        .collect();
    world.import(chats, at("2025-09-01T10:00:00Z"));
    world
}

#[test]
fn the_pulse_says_how_much_of_the_log_is_published_and_whether_destruction_is_stopped() {
    let world = world(1);
    let now = at("2025-09-02T00:00:00Z");
    let before = world.tenure.pulse().unwrap();
    assert!(before.log_size > 0 && before.published_size < before.log_size && !before.paused, "{before:?}");
    world.tenure.publish_checkpoint(now).unwrap();
    world.tenure.pause("to look", now).unwrap();
    world.tenure.observe_only(true).unwrap();
    let after = world.tenure.pulse().unwrap();
    assert_eq!((after.log_size, after.published_size), (before.log_size, before.log_size));
    assert!(after.paused && after.observes);
    assert_eq!(after.waiting, 0);
}

#[test]
fn the_pulse_stops_where_the_keys_are_gone() {
    let world = world(1);
    let keys = world.folder.path().join("keys");
    std::fs::rename(&keys, keys.with_extension("away")).unwrap();
    assert!(matches!(world.tenure.pulse(), Err(Error::Keys(_))));
}

#[test]
fn the_burden_is_what_is_due_and_what_is_due_for_longer_than_erasure_may_take() {
    let world = world(3);
    let due = |now: Instant| {
        let burden = world.tenure.burden(now).unwrap();
        (burden.due, burden.overdue, burden.batches)
    };
    assert_eq!(due(at("2025-09-30T00:00:00Z")), (0, 0, 0));
    assert_eq!(due(at("2025-10-02T00:00:00Z")), (3, 0, 0));
    // Thirty days are the time for erasure.
    assert_eq!(due(at("2025-11-05T00:00:00Z")), (3, 3, 0));
    world.sweep(at("2025-11-05T00:00:00Z"));
    assert_eq!(due(at("2025-11-05T00:00:00Z")), (0, 0, 0));
}

#[test]
fn a_sweep_that_is_told_to_end_leaves_what_the_next_one_finishes_and_whoever_leaves_is_erased() {
    let world = world(600);
    let now = at("2025-10-02T00:00:00Z");
    let stopped =
        world.tenure.sweep(now, SweepOptions::everything(now), &mut |_| world.tenure.stop_sweeping());
    assert!(matches!(stopped, Err(Error::Stopping)), "{stopped:?}");
    let live = world.live("a1").iter().filter(|class| *class == "content").count();
    assert!(live > 0 && live < 600, "{live}");
    world.open_account("gone", now);
    world.tenure.erase_account("gone", now).unwrap();
    let world = world.reopened();
    let swept = world.sweep(now);
    assert_eq!(swept.total(), live as u64);
    assert_eq!(world.live("a1").iter().filter(|class| *class == "content").count(), 0);
    world.integrity();
}
