//! A sweep that is paused, and one that is not alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tenure_store::CopyStage;

use super::explore::Race;
use super::turns::Turns;
use super::*;

/// The rows of all copies: what a pause must freeze.
fn copies(tx: &mut dyn tenure_store::ReadTx) -> Result<String, tenure_store::StoreError> {
    let (mut copies, mut after) = (Vec::new(), None);
    while let Some(last) = tx.accounts(after, 100)?.last() {
        for account in tx.accounts(after, 100)? {
            copies.extend(tx.copies_of(account.key, None, 100)?.into_iter().map(|copy| copy.state.stage()));
        }
        after = Some(last.key);
    }
    let batches: Vec<_> = tx.batches(None, 100)?.into_iter().map(|batch| batch.stage).collect();
    Ok(format!("{copies:?} {batches:?}"))
}

pub(super) fn pauses(stage: &Stage) -> Vec<Act> {
    let (tenure, watch) = (stage.tenure.clone(), Arc::clone(&stage.watch));
    // Nothing moves in the store from the transaction on that sets the pause.
    let mut frozen: Option<String> = None;
    stage.watch.add(Box::new(move |tx| {
        if tx.meta("destruction/paused")?.is_none_or(|word| word.is_empty()) {
            frozen = None;
            return Ok(Vec::new());
        }
        let now = copies(tx)?;
        // What was destroyed while the pause came is noted, and only that.
        let was = frozen.replace(now.clone());
        Ok(was
            .filter(|was| *was != now)
            .map(|was| format!("{was} became {now} in a pause"))
            .into_iter()
            .collect())
    }));
    let pause = act(move || {
        tenure.pause("a race", at(DUE))?;
        watch.quiet.store(true, Ordering::SeqCst);
        Ok(())
    });
    vec![sweeps(stage, at(DUE)), pause]
}

pub(super) fn paused_or_done(stage: &Stage, played: &Played) {
    assert!(matches!(played.ended[0], Ok(()) | Err(Error::Paused(_))), "the sweep failed otherwise");
    assert!(played.ended[1].is_ok());
    stage.watch.quiet.store(false, Ordering::SeqCst);
    stage.settle(at(DUE), at(GRACE_OVER));
    assert_eq!(stage.copy("due", "content"), CopyStage::Verified);
}

#[test]
fn once_a_pause_has_answered_nothing_is_destroyed_at_any_step_of_a_sweep() {
    let ground = held::ground();
    let count = Race { ground: &ground, acts: &pauses, check: &paused_or_done }.explore(10);
    assert!(count.exhaustive > 30, "{count:?}");
}

#[test]
fn a_sweep_does_not_begin_in_a_pause_and_says_so_also_where_nothing_is_due() {
    let now = at("2025-09-03T00:00:00Z");
    let stage = Ground::of(people(&["gone"])).stage();
    stage.tenure.pause("a race", now).unwrap();
    // Not even the lease is taken.
    stage.watch.add(Box::new(|_| Ok(vec!["a sweep that is paused has written".to_owned()])));
    let swept = stage::sweep(&stage.tenure, now);
    assert!(matches!(swept, Err(Error::Paused(_))), "{swept:?}");
    assert_eq!(stage.watch.wrong(), [] as [String; 0]);
}

/// Two processes, of which the second begins after the lease of the first would have lapsed.
pub(super) fn both_sweep(stage: &Stage) -> Vec<Act> {
    let other = stage.other(2);
    vec![sweeps(stage, at(DUE)), act(move || stage::sweep(&other, at("2025-10-02T00:02:00Z")).map(drop))]
}

pub(super) fn one_sweeps(stage: &Stage, played: &Played) {
    for ended in &played.ended {
        // Who lost the lease may also find that the other has removed a pack that was to be written anew.
        let lost = matches!(ended, Err(Error::LeaseLapsed | Error::SweptElsewhere(_) | Error::Bodies(_)));
        assert!(lost || ended.is_ok(), "{ended:?}");
    }
    stage.settle(at("2025-10-02T00:04:00Z"), at(GRACE_OVER));
    assert_eq!(stage.copy("due", "content"), CopyStage::Verified);
    assert_eq!(stage.copy("held", "content"), CopyStage::Live);
}

#[test]
fn two_sweepers_destroy_each_thing_once_and_nothing_else() {
    let ground = held::ground();
    let count = Race { ground: &ground, acts: &both_sweep, check: &one_sweeps }.explore(40);
    assert!(count.exhaustive > 30, "{count:?}");
}

/// Stalls a sweep so many steps after it has reached something, lets another process take over, and lets the first
/// go on.
fn stalled(reached: impl Fn(&Stage) -> bool, steps: usize) {
    let stage = held::ground().stage();
    let turns = Turns::of(1);
    let (watch, tenure) = (Arc::clone(&stage.watch), stage.tenure.clone());
    let ended = std::thread::scope(|scope| {
        let thread = scope.spawn(|| turns.take(0, || stage::sweep(&tenure, at(DUE)).map(drop)));
        let mut since = 0;
        while let Some((actor, _)) = turns.standing().pop() {
            since += usize::from(since > 0 || reached(&stage));
            if since == steps + 1 {
                stage::sweep(&stage.other(2), at("2025-10-02T00:01:01Z")).unwrap();
                watch.quiet.store(true, Ordering::SeqCst);
            }
            turns.let_go(actor);
        }
        thread.join().unwrap()
    });
    assert!(matches!(ended, Err(Error::LeaseLapsed)), "{ended:?}");
    assert_eq!(watch.wrong(), [] as [String; 0]);
    watch.quiet.store(false, Ordering::SeqCst);
    stage.settle(at("2025-10-02T00:04:00Z"), at(GRACE_OVER));
}

#[test]
fn a_sweeper_whose_lease_another_has_taken_writes_nothing_more() {
    stalled(|stage| stage.copy("due", "content") == CopyStage::Sealed, 0);
}

#[test]
fn a_sweeper_whose_lease_lapsed_while_it_was_stalled_calls_no_store_of_keys() {
    // After the point of no return it reads the batch; then it asks whether it may go on, and calls the key store.
    stalled(|stage| stage.copy("due", "content") == CopyStage::Shredding, 1);
}
