//! Destruction in batches, of an account and of packs, while the root is rotated, cut short at every step.

use tenure_app::{Deletion, Error, SweepOptions};
use tenure_model::Span;
use tenure_store::{BatchStage, CopyStage, StoreExt as _};
use tenure_vault::faults::Call;

use super::crowd::{Says, crowd};
use super::trial::{ANSWERS, Base, COMMITS, Deed, Trial, fail_calls, fail_commits};
use super::{SWEPT, emptied, first_record, stated, sweep};
use crate::world::at;

/// Packs with dead bytes have waited for most of the time that there is for erasure.
const OWED: &str = "2025-12-08T00:00:00Z";
const LEAVING: &str = "2025-11-16T00:00:00Z";

/// A sweep of so many copies, in the midst of which the root is rotated.
fn sweep_and_rotate(trial: &Trial, limit: usize) -> Result<(), Error> {
    let options = SweepOptions { limit, ..SweepOptions::everything(at(SWEPT)) };
    let mut rotated = Ok(());
    trial.world.tenure.sweep(at(SWEPT), options, &mut |_| {
        if rotated.is_ok() {
            rotated = trial.vault.pages().rotate_root().map(drop);
        }
    })?;
    Ok(rotated?)
}

fn is_shredded(stage: CopyStage) -> bool {
    stage >= CopyStage::Shredded
}

fn verified(trial: &Trial, account: &str) -> Vec<String> {
    trial.world.copies(account, |stage| stage == CopyStage::Verified)
}

/// What every destruction comes to: pages are gone with their keys, and the ledger states each stage of each batch.
fn assert_settled(trial: &Trial) {
    assert_eq!(emptied(&trial.world), 0);
    let batches = trial.world.store.read(|tx| tx.batches(None, 100)).unwrap();
    let destroyed = batches.iter().filter(|batch| batch.statement.is_some()).count();
    assert_eq!(stated(&trial.world, "copies_sealed"), destroyed);
    for kind in ["copies_shredded", "copies_removed", "copies_verified"] {
        assert_eq!(stated(&trial.world, kind), destroyed, "{kind}");
    }
    let (bytes, live) = trial.world.store.read(|tx| tx.pack_bytes()).unwrap();
    assert!(bytes * 10 <= live * 11, "{bytes} bytes for {live} that live");
}

/// Two batches out of shared packs and pages, and the root that is rotated within the one and before the other.
const BATCHES: Deed = Deed {
    steps: &[
        |trial| sweep_and_rotate(trial, 4),
        |trial| Ok(trial.vault.pages().rotate_root().map(drop)?),
        |trial| sweep(trial, SWEPT),
    ],
    done: |trial| {
        assert_settled(trial);
        assert_eq!(
            verified(trial, "gone"),
            ["content", "content", "content", "history", "history", "history"]
        );
        for (account, gone) in [("silent", 2), ("leaver", 2), ("caught", 1)] {
            assert_eq!(verified(trial, account), vec!["content"; gone], "{account}");
        }
        assert_eq!(trial.world.live("yes").len(), 4);
        assert_eq!(trial.world.live("clean"), ["content", "history", "scores"]);
        assert_eq!(trial.world.live("kept"), ["content", "history"]);
        for account in ["silent", "leaver", "caught"] {
            let record = first_record(&trial.world, account);
            let receipt = trial.world.tenure.receipt_of_destruction(record, "content", at(SWEPT)).unwrap();
            trial.auditor.hear([receipt]);
        }
    },
    now: SWEPT,
};

/// Packs of which too little is dead to be worth it are written anew once a batch has waited for them.
const COMPACTION: Deed = Deed {
    steps: &[|trial| sweep(trial, OWED)],
    done: |trial| {
        assert_settled(trial);
        assert!(!verified(trial, "gone").is_empty());
        assert_eq!(trial.world.copies("gone", |stage| stage != CopyStage::Verified), [""; 0]);
    },
    now: OWED,
};

/// A sweep has left packs with dead bytes, as much in them lives and there is time.
fn owing() -> Base {
    crowd(Says::Much).once(|trial| {
        // Three quarters of it have not passed for what was due first.
        trial.world.tenure.set_erase_within(Span::days(100)).unwrap();
        trial.world.sweep(at(SWEPT));
        assert_eq!(trial.world.copies("gone", |stage| stage == CopyStage::Shredded).len(), 6);
    })
}

fn erase(trial: &Trial, account: &str) -> Result<(), Error> {
    if trial.world.tenure.erase_account(account, at(LEAVING))?.left == 0 {
        // Whoever hears that nothing is left hears the truth, also when an earlier call was cut short.
        assert_eq!(trial.world.copies(account, |stage| !is_shredded(stage)), [""; 0], "{account}");
    }
    Ok(())
}

/// People leave, of whom nothing is kept, something is held, and something is in a batch already.
const ERASURE: Deed = Deed {
    steps: &[
        |trial| erase(trial, "leaver"),
        |trial| erase(trial, "kept"),
        |trial| erase(trial, "caught"),
        |trial| sweep(trial, LEAVING),
    ],
    done: |trial| {
        assert_settled(trial);
        for account in ["leaver", "caught"] {
            assert_eq!(trial.world.copies(account, |stage| !is_shredded(stage)), [""; 0], "{account}");
        }
        // The key of the account went with its copies.
        assert_eq!(trial.world.tenure.account("leaver").unwrap().keys.account, None);
        assert_eq!(trial.world.live("kept"), ["content"]);
        assert_eq!(verified(trial, "kept"), ["history"]);
        assert_eq!(trial.world.live("silent"), ["history", "history"]);
        assert_eq!(trial.world.live("yes").len(), 4);
        assert_eq!(trial.world.live("clean"), ["content", "history", "scores"]);
    },
    now: LEAVING,
};

/// The content of most is gone, and a batch with something of one of them is sealed.
fn leaving() -> Base {
    let base = crowd(Says::Little).once(|trial| {
        trial.world.sweep(at(SWEPT));
        let caught = first_record(&trial.world, "caught");
        trial.world.tenure.delete(Deletion::ConversationOf(caught), at(LEAVING)).unwrap();
    });
    base.cut_short(LEAVING, |stage| matches!(stage, BatchStage::Sealed { .. }))
}

#[test]
fn destruction_in_batches_survives_whichever_of_its_commits_fails() {
    assert!(fail_commits(&BATCHES, &crowd(Says::Little), &ANSWERS) >= 15);
}

#[test]
fn destruction_in_batches_survives_whatever_its_vault_fails_at() {
    let made = fail_calls(&BATCHES, &crowd(Says::Little));
    let every = [Call::ReadKey, Call::ListPages, Call::FindPack, Call::ReadPack];
    for call in Call::WRITES.into_iter().chain(every) {
        assert!(made.contains(&call), "{call:?}");
    }
}

#[test]
fn packs_that_are_written_anew_survive_whichever_commit_fails() {
    assert!(fail_commits(&COMPACTION, &owing(), &COMMITS) >= 5);
}

#[test]
fn packs_that_are_written_anew_survive_whatever_the_vault_fails_at() {
    let made = fail_calls(&COMPACTION, &owing());
    for call in [Call::ReadPack, Call::PutPack, Call::RemovePacks, Call::FindPack, Call::ListPages] {
        assert!(made.contains(&call), "{call:?}");
    }
}

#[test]
fn the_erasure_of_accounts_survives_whichever_of_its_commits_fails() {
    assert!(fail_commits(&ERASURE, &leaving(), &ANSWERS) >= 10);
}

#[test]
fn the_erasure_of_accounts_survives_whatever_its_vault_fails_at() {
    let made = fail_calls(&ERASURE, &leaving());
    for call in [Call::ReadKey, Call::CreatePages, Call::DestroyPages, Call::ListPages] {
        assert!(made.contains(&call), "{call:?}");
    }
}
