//! Orders to keep, stops of all destruction and a withdrawn version, cut short at every step while a batch is sealed.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tenure_app::{Allowance, Error, HeldTarget, SweepOptions};
use tenure_store::{BatchStage, CopyStage};

use super::crowd::{Says, content_of, crowd};
use super::trial::{ANSWERS, Base, Deed, Trial, fail_calls, fail_commits};
use super::witness::Witness;
use super::{SWEPT, stated, sweep};
use crate::plan;
use crate::world::at;

const ORDER: &str = "late";
const AFTER: &str = "2025-11-16T00:00:00Z";
const AMENDED: &str = "2025-11-17T00:00:00Z";
const RELEASED: &str = "2025-11-19T00:00:00Z";
/// Every grace has passed.
const LATE: &str = "2025-12-25T00:00:00Z";

/// A sweep that stopped when what it gathered was sealed.
fn sealed() -> Base {
    crowd(Says::Little).cut_short(SWEPT, |stage| matches!(stage, BatchStage::Sealed { .. }))
}

/// How far the order has come: the number of its newest version, and one more once it is released; 0 before it is
/// placed. Whoever lost the answer to a change looks first.
fn come_to(trial: &Trial) -> Result<u32, Error> {
    let order = trial.world.tenure.holds()?.into_iter().find(|hold| hold.id == ORDER);
    Ok(order.map_or(0, |hold| hold.version + u32::from(hold.released_at.is_some())))
}

/// Does something of an order that has come no further than this.
fn unless_done(
    trial: &mut Trial,
    before: u32,
    act: fn(&mut Trial) -> Result<(), Error>,
) -> Result<(), Error> {
    if come_to(trial)? > before { Ok(()) } else { act(trial) }
}

fn add_reader(trial: &mut Trial) -> Result<(), Error> {
    if !trial.world.tenure.hold_readers(ORDER)?.is_empty() {
        return Ok(());
    }
    trial.world.tenure.add_hold_reader(ORDER, "counsel", at(SWEPT))
}

fn folders(trial: &Trial) -> impl Iterator<Item = PathBuf> {
    let beside = trial.world.folder.path().to_owned();
    (0..).map(move |number| beside.join(format!("read-{number}")))
}

fn read_held(trial: &mut Trial) -> Result<(), Error> {
    let out = folders(trial).find(|folder| !folder.exists()).unwrap();
    let (all, reader) = (HeldTarget::All, (ORDER, "counsel"));
    trial.world.tenure.read_held(reader, &all, &out, at(AFTER), &mut |_| {}).map(drop)
}

/// Whatever was read is in the ledger, in folders of which some were never finished.
fn assert_reading_is_stated(trial: &Trial) {
    let stated = trial.world.tenure.operator_statements(&["hold_read"]).unwrap();
    for folder in folders(trial).take_while(|folder| folder.exists()) {
        let index = fs::read_to_string(folder.join("index.jsonl")).unwrap_or_default();
        let lines = index.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let leaves: Vec<u64> = lines.filter_map(|line| line["leaf"].as_u64()).collect();
        assert!(leaves.iter().all(|leaf| stated.iter().any(|stated| stated.leaf == *leaf)));
        let bodies = fs::read_dir(&folder).unwrap().count().saturating_sub(1);
        assert!(bodies == 0 || !stated.is_empty());
    }
}

/// An order comes when what it covers is sealed already, is read under, amended and released.
const ORDERS: Deed = Deed {
    steps: &[
        |trial| {
            unless_done(trial, 0, |trial| {
                let scope = content_of(&["silent", "leaver"]);
                trial.world.tenure.place_hold(ORDER, scope, false, at(SWEPT))
            })
        },
        add_reader,
        read_held,
        |trial| {
            unless_done(trial, 1, |trial| {
                sweep(trial, AFTER)?;
                // What was sealed when the order came is rescued.
                assert_eq!(trial.world.live("silent"), ["content", "content", "history", "history"]);
                Ok(())
            })
        },
        |trial| {
            unless_done(trial, 1, |trial| {
                trial.world.tenure.amend_hold(ORDER, content_of(&["leaver"]), None, at(AMENDED))
            })
        },
        |trial| unless_done(trial, 2, |trial| trial.world.tenure.release_hold(ORDER, at(RELEASED))),
        |trial| sweep(trial, LATE),
    ],
    done: |trial| {
        assert_eq!(come_to(trial).unwrap(), 3);
        assert_reading_is_stated(trial);
        for account in ["silent", "leaver"] {
            assert_eq!(trial.world.live(account), ["history", "history"], "{account}");
        }
        assert_eq!(trial.world.live("kept"), ["content", "history"]);
        assert_eq!(trial.world.live("clean"), ["history"]);
    },
    now: LATE,
};

/// Something that must destroy nothing.
fn untouched(trial: &Trial, act: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let before = Witness::stages(&trial.world);
    let done = act();
    assert_eq!(Witness::stages(&trial.world), before);
    done
}

fn sweep_stopped(trial: &mut Trial) -> Result<(), Error> {
    untouched(trial, || {
        match trial.world.tenure.sweep(at(SWEPT), SweepOptions::everything(at(SWEPT)), &mut |_| {}) {
            Err(Error::Paused(_)) => Ok(()),
            Ok(swept) if swept.observed => Ok(()),
            Ok(swept) => panic!("{swept:?}"),
            Err(error) => Err(error),
        }
    })
}

/// All destruction is stopped while a batch is sealed, somebody leaves meanwhile, and it goes on.
const STOPS: Deed = Deed {
    steps: &[
        |trial| trial.world.tenure.pause("a doubt", at(SWEPT)),
        sweep_stopped,
        |trial| untouched(trial, || trial.world.tenure.erase_account("caught", at(SWEPT)).map(drop)),
        |trial| trial.world.tenure.observe_only(true),
        |trial| trial.world.tenure.resume().map(drop),
        sweep_stopped,
        |trial| trial.world.tenure.observe_only(false),
        |trial| sweep(trial, AFTER),
    ],
    done: |trial| {
        assert_eq!(trial.world.live("silent"), ["history", "history"]);
        assert_eq!(trial.world.copies("caught", |stage| stage < CopyStage::Shredded), ["content"]);
    },
    now: AFTER,
};

const MISTAKEN: &str = "2025-11-11T00:00:00Z";

/// A mistaken version has taken the basis of all that was allowed, which is in quarantine.
fn mistaken() -> Base {
    let five = "standing.train = \"on\" }\nfor   = \"5 years\"";
    let text = plan::next(MISTAKEN, MISTAKEN, &[(five, &five.replace("5 years", "5 days"))]);
    crowd(Says::Little).once(|trial| {
        let tenure = &trial.world.tenure;
        tenure.publish_allowing(&plan::file(&text), Allowance::Anything, at(MISTAKEN)).unwrap();
        trial.world.sweep(at(SWEPT));
        let unless_withdrawn = SweepOptions::everything(at(LATE));
        assert!(trial.world.tenure.sweep_dry_run(at(LATE), unless_withdrawn).unwrap().total() > 1);
    })
}

fn withdraw(trial: &Trial, name: &str) -> Result<(), Error> {
    trial.world.tenure.withdraw("consumer@next", name, at(AFTER)).map(drop)
}

/// The mistake is withdrawn by two people, and what was in quarantine comes back.
const WITHDRAWAL: Deed = Deed {
    steps: &[
        |trial| withdraw(trial, "counsel"),
        |trial| withdraw(trial, "privacy-lead"),
        |trial| sweep(trial, LATE),
    ],
    done: |trial| {
        assert_eq!(trial.world.live("yes"), ["content", "content", "history", "history"]);
        assert_eq!(stated(&trial.world, "policy_withdrawn"), 1);
    },
    now: LATE,
};

#[test]
fn what_a_withdrawal_brings_back_survives_whichever_commit_fails() {
    assert!(fail_commits(&WITHDRAWAL, &mistaken(), &ANSWERS) >= 5);
}

#[test]
fn orders_around_a_sealed_batch_survive_whichever_commit_fails() {
    assert!(fail_commits(&ORDERS, &sealed(), &ANSWERS) >= 15);
}

#[test]
fn orders_around_a_sealed_batch_survive_whatever_the_vault_fails_at() {
    assert!(!fail_calls(&ORDERS, &sealed()).is_empty());
}

#[test]
fn stops_around_a_sealed_batch_survive_whichever_commit_fails() {
    assert!(fail_commits(&STOPS, &sealed(), &ANSWERS) >= 10);
}
