//! Opening a run against choices, flags, resumed conversations and destruction.

use tenure_app::{Rows, Scan, Tenure};
use tenure_model::Choice;
use tenure_store::{CopyKey, CopyStage, Seq};

use super::explore::Race;
use super::*;

const NOW: &str = "2025-09-03T00:00:00Z";

/// Blames every row that is noted in a run for an account that has moved on since the run's position, for less of a
/// record than there is, or for a copy that is not there.
fn watch_rows(stage: &Stage) {
    let mut known = std::collections::HashSet::new();
    stage.watch.add(Box::new(move |tx| {
        let mut wrong = Vec::new();
        let content = tx.classes()?.into_iter().find(|(_, name)| name == "content").map(|(id, _)| id);
        for run in tx.runs()? {
            for row in tx.records_of_run(run.id, 0, 100)? {
                if !known.insert((run.id, row.record)) {
                    continue;
                }
                let from = Seq(i64::try_from(run.position).unwrap());
                let since = tx.statements(from, 1_000)?;
                if since.iter().any(|stated| stated.statement.account == Some(row.account)) {
                    wrong.push("a row was noted for an account that had moved on".to_owned());
                }
                if tx.record(row.record)?.unwrap().messages != row.messages {
                    wrong.push("a row was noted for a record that had gone on".to_owned());
                }
                let key = CopyKey { account: row.account, record: row.record, class: content.unwrap() };
                if tx.copy(key)?.unwrap().state.stage() != CopyStage::Live {
                    wrong.push("a row was noted for a copy that was sealed".to_owned());
                }
            }
        }
        Ok(wrong)
    }));
}

fn opens(stage: &Stage) -> Act {
    let (tenure, out) = (stage.tenure.clone(), stage.folder.path().join("run"));
    act(move || tenure.open_run("train", &out, Rows::Both, at(NOW), &mut |_| {}).map(drop))
}

fn against(meets: impl Fn(&Tenure, &Stage) -> Act + Sync) -> impl Fn(&Stage) -> Vec<Act> + Sync {
    move |stage| {
        watch_rows(stage);
        vec![opens(stage), meets(&stage.tenure, stage)]
    }
}

fn run_verifies(stage: &Stage, played: &Played) {
    all_did(played);
    let verified = stage.tenure.verify_run(&stage.folder.path().join("run")).unwrap();
    assert!(verified.problems.is_empty(), "{:?}", verified.problems);
    stage.settle(at(NOW), at("2025-09-04T00:00:00Z"));
}

fn resumes(tenure: &Tenure) -> Result<(), Error> {
    let mut ingester = tenure.ingester("test", tenure_app::Defaults::default(), at(NOW))?;
    let said = conversation("yes", "c1", "pro", &["2025-09-01T00:00:00Z", "2025-09-02T00:00:00Z"]);
    ingester.push(tenure_formats::Item::Conversation(said))?;
    ingester.finish().map(drop)
}

#[test]
fn an_off_at_any_step_of_a_run_keeps_out_what_was_not_noted_yet() {
    let ground = Ground::of(choices::allowed());
    let acts = against(|tenure, _| {
        let tenure = tenure.clone();
        act(move || {
            let off = tenure.answer("yes", "train", Choice::Off, None)?;
            tenure.decide("yes", off, at(NOW)).map(drop)
        })
    });
    let count = Race { ground: &ground, acts: &acts, check: &run_verifies }.explore(20);
    assert!(count.exhaustive > 10, "{count:?}");
}

#[test]
fn an_on_at_any_step_of_a_run_lets_nothing_in_that_was_not_allowed_when_the_run_froze_the_ledger() {
    let world = choices::allowed();
    world.open_account("late", at("2025-08-29T00:00:00Z"));
    let ground = Ground::of(world);
    let acts = against(|tenure, _| {
        let tenure = tenure.clone();
        act(move || {
            let on = tenure.answer("late", "train", Choice::On, None)?;
            tenure.decide("late", on, at("2025-09-02T00:00:00Z"))?;
            let mut ingester = tenure.ingester("race", tenure_app::Defaults::default(), at(NOW))?;
            let said = conversation("late", "c1", "pro", &["2025-09-02T00:00:01Z"]);
            ingester.push(tenure_formats::Item::Conversation(said))?;
            ingester.finish().map(drop)
        })
    });
    Race { ground: &ground, acts: &acts, check: &run_verifies }.explore(40);
}

#[test]
fn a_flag_or_a_new_message_at_any_step_of_a_run_keeps_out_what_was_not_noted_yet() {
    let ground = Ground::of(choices::allowed());
    let flags = against(|tenure, stage| {
        let (tenure, record) = (tenure.clone(), stage.record("yes"));
        act(move || tenure.scan(record, Scan::Flagged, at(NOW)))
    });
    Race { ground: &ground, acts: &flags, check: &run_verifies }.explore(5);
    let resumed = against(|tenure, _| {
        let tenure = tenure.clone();
        act(move || resumes(&tenure))
    });
    Race { ground: &ground, acts: &resumed, check: &run_verifies }.explore(20);
}

#[test]
fn what_a_sweep_has_sealed_is_not_noted_in_a_run() {
    let ground = Ground::of(choices::allowed());
    let acts = against(|_, stage| sweeps(stage, at("2030-09-02T00:00:00Z")));
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.settle(at("2030-09-02T00:00:00Z"), at("2031-09-02T00:00:00Z"));
    };
    let count = Race { ground: &ground, acts: &acts, check: &check }.explore(20);
    assert!(count.exhaustive > 30, "{count:?}");
}

#[test]
fn two_runs_that_finish_each_other_make_one_training_copy_of_each_record() {
    let ground = Ground::of(choices::allowed());
    let acts = |stage: &Stage| {
        let (tenure, out) = (stage.tenure.clone(), stage.folder.path().join("other"));
        let other = act(move || tenure.open_run("train", &out, Rows::Both, at(NOW), &mut |_| {}).map(drop));
        vec![opens(stage), other]
    };
    let check = |stage: &Stage, played: &Played| {
        run_verifies(stage, played);
        assert_eq!(stage.copy("yes", "training_copy"), CopyStage::Live);
    };
    Race { ground: &ground, acts: &acts, check: &check }.explore(30);
}
