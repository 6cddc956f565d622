//! Every write of a decision and of a destruction fails, in each way that it can: whatever was acknowledged is
//! in the log, and the log is one.

mod crowd;
mod erasure;
mod orders;
mod trial;
mod withdrawal;
mod witness;

use std::sync::Arc;

use tenure_app::{Answer, Error, PublicLog, Reply};
use tenure_model::{Choice, Instant};
use tenure_store::faults::Fault;
use tenure_store::{PageState, ReadTx, RecordId, Seq, StoreError, StoreExt as _};
use tenure_vault::LogKeyError;
use tenure_vault::faults::Call;

use crate::world::{World, at};
use trial::{Base, COMMITS, Deed, Trial, fail_calls, fail_commits};

const DECIDED: &str = "2025-09-03T00:00:00Z";
/// The content of who said nothing has passed its thirty days, and all of who is gone is due.
const SWEPT: &str = "2025-11-15T00:00:00Z";
/// Nothing is due any more but the evidence of who is gone, a while later.
const SETTLED: &str = "2031-08-01T00:00:00Z";
const FORGOTTEN: &str = "2031-10-01T00:00:00Z";

fn decide(trial: &mut Trial, choice: Choice) -> Result<(), Error> {
    let answer = trial.world.tenure.answer("yes", "train", choice, None)?;
    trial.auditor.hear(trial.world.tenure.decide("yes", answer, at(DECIDED))?);
    Ok(())
}

fn publish(trial: &mut Trial) -> Result<(), Error> {
    trial.auditor.see((*trial.world.tenure.publish_checkpoint(at(DECIDED))?).clone());
    Ok(())
}

/// A decision and its publication, twice, so that the second follows what the first one left.
const DECISION: Deed = Deed {
    steps: &[
        |trial| decide(trial, Choice::Off),
        publish,
        |trial| {
            let told = trial.world.tenure.acknowledge("yes", "2025-10-08", at(DECIDED))?;
            trial.auditor.hear([told]);
            Ok(())
        },
        |trial| decide(trial, Choice::On),
        publish,
    ],
    done: |trial| {
        let chain = trial.world.tenure.receipts("yes", at(DECIDED)).unwrap();
        let acknowledged: Vec<_> =
            trial.auditor.receipts.iter().filter(|receipt| receipt.subject().account == "yes").collect();
        for receipt in acknowledged {
            assert!(chain.iter().any(|known| known.statement() == receipt.statement()));
        }
        trial.auditor.hear(chain);
    },
    now: DECIDED,
};

fn sweep(trial: &Trial, now: &str) -> Result<(), Error> {
    let options = tenure_app::SweepOptions::everything(at(now));
    trial.world.tenure.sweep(at(now), options, &mut |_| {}).map(drop)
}

fn first_record(world: &World, account: &str) -> RecordId {
    let key = world.tenure.account(account).unwrap().key;
    let read = |tx: &mut dyn ReadTx| Ok::<_, StoreError>(tx.records_of(key, None, 1)?[0].id);
    world.store.read(read).unwrap()
}

/// How often the ledger states something of a kind.
fn stated(world: &World, kind: &str) -> usize {
    let all = world.store.read(|tx| tx.statements(Seq(0), 10_000)).unwrap();
    all.iter().filter(|row| row.statement.kind == kind).count()
}

/// Pages that were emptied because their keys were to go, and whose keys were forgotten there.
fn emptied(world: &World) -> usize {
    let count = |tx: &mut dyn ReadTx| {
        let mut emptied = 0;
        for page in tx.pages(None, 10_000)? {
            let used = !tx.copies_of_page(page.id)?.is_empty() || !tx.accounts_of_page(page.id)?.is_empty();
            emptied += usize::from(page.state == PageState::Full && !used);
        }
        Ok::<_, StoreError>(emptied)
    };
    world.store.read(count).unwrap()
}

/// The sweep that destroys the evidence of who has left.
const FORGETTING: Deed = Deed {
    steps: &[|trial| sweep(trial, FORGOTTEN)],
    done: |trial| {
        let tenure = &trial.world.tenure;
        assert!(matches!(tenure.receipts("gone", at(FORGOTTEN)), Err(Error::ProofDestroyed)));
        for account in ["yes", "silent"] {
            trial.auditor.hear(tenure.receipts(account, at(FORGOTTEN)).unwrap());
        }
        assert_eq!((stated(&trial.world, "proofs_destroyed"), emptied(&trial.world)), (1, 0));
        let verified = tenure.verify_ledger(1, &|_, _, _| {}).unwrap();
        assert_eq!(verified.destroyed, 4, "opened, decided, asked, closed");
    },
    now: FORGOTTEN,
};

/// New keys that sign beside the old ones, and then without them.
const ROTATION: Deed = Deed {
    steps: &[
        |trial| trial.world.tenure.rotate_log_keys(at(DECIDED)),
        |trial| decide(trial, Choice::Off),
        |trial| match trial.world.tenure.retire_log_keys(at(DECIDED)) {
            // They were retired before the answer was lost; what is left is to say so.
            Err(Error::LogKeys(LogKeyError::NothingToRetire)) => trial.world.tenure.resume_log(at(DECIDED)),
            retired => retired,
        },
        publish,
        |trial| decide(trial, Choice::Off),
    ],
    done: |trial| {
        let tenure = &trial.world.tenure;
        let signing: Vec<_> =
            tenure.log_keys().into_iter().filter(|key| key.retired_at.is_none()).map(|key| key.key).collect();
        let stated = PublicLog::of(Arc::clone(&trial.world.store)).unwrap().keys().unwrap();
        assert_eq!((signing.len(), stated), (2, signing));
        trial.auditor.hear(tenure.receipts("yes", at(DECIDED)).unwrap());
    },
    now: DECIDED,
};

#[test]
fn a_decision_survives_whichever_of_its_commits_fails() {
    assert!(fail_commits(&DECISION, &Base::new(), &COMMITS) >= 5);
}

#[test]
fn a_change_of_keys_survives_whichever_of_its_commits_fails() {
    assert!(fail_commits(&ROTATION, &Base::new(), &COMMITS) >= 5);
}

#[test]
fn the_destruction_of_evidence_survives_whichever_of_its_commits_fails() {
    assert!(fail_commits(&FORGETTING, &Base::settled(), &COMMITS) >= 2);
}

#[test]
fn the_destruction_of_evidence_survives_whatever_its_vault_fails_at() {
    let made = fail_calls(&FORGETTING, &Base::settled());
    for call in [Call::CreatePages, Call::DestroyPages, Call::ListPages] {
        assert!(made.contains(&call), "{call:?}");
    }
}

#[test]
fn a_decision_whose_answer_was_lost_is_proved_and_published_though_nothing_follows_it() {
    let mut trial = Base::new().trial();
    let before = trial.world.store.read(|tx| tx.statement_count()).unwrap();
    trial.store.arm(0, Fault::DoneButFailed);
    let answer = trial.world.tenure.answer("yes", "train", Choice::Off, None).unwrap();
    let lost = trial.world.tenure.decide("yes", answer, at(DECIDED));
    assert!(matches!(lost, Err(Error::Store(StoreError::Commit { .. }))), "{lost:?}");
    let published = trial.world.tenure.publish_checkpoint(at(DECIDED)).unwrap();
    assert_eq!(published.checkpoint().size(), before + 1);
    trial.auditor.hear(trial.world.tenure.receipts("yes", at(DECIDED)).unwrap());
    trial.auditor.audit(&trial.world, at(DECIDED));
}

#[test]
fn a_decision_that_could_not_be_signed_is_not_acknowledged_and_is_in_the_log() {
    // Nothing is signed as of a time before the epoch, which the keys say once the decision is committed.
    let early: Instant = at("1969-12-01T00:00:00Z");
    let base = Base::new();
    let mut trial = base.trial();
    let off = Answer { purpose: "train".to_owned(), reply: Reply::Off, version: None };
    let before = trial.world.store.head().size;
    let refused = trial.world.tenure.decide("yes", off.clone(), early);
    assert!(matches!(refused, Err(Error::LogKeys(_))), "{refused:?}");
    assert_eq!(trial.world.store.head().size, before + 1);
    for crashes in [false, true] {
        if crashes {
            trial = trial.crashed();
        }
        trial.auditor.hear(trial.world.tenure.receipts("yes", at(DECIDED)).unwrap());
        trial.auditor.hear(trial.world.tenure.decide("yes", off.clone(), at(DECIDED)).unwrap());
        trial.auditor.audit(&trial.world, at(DECIDED));
    }
}
