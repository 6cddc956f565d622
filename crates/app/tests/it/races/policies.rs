//! A version that is withdrawn, against destruction by its terms.

use std::collections::BTreeSet;
use std::sync::Mutex;

use tenure_app::Withdrawal;
use tenure_store::CopyStage;

use super::explore::Race;
use super::stage::condemned;
use super::*;
use crate::plan::{file, next};

const PUBLISHED: &str = "2025-09-03T00:00:00Z";
/// When the quarantine of what the mistaken version has hit is over.
const OVER: &str = "2025-11-20T00:00:00Z";

/// A version was published that keeps history for ten days; one person has asked to withdraw it.
fn ground() -> Ground {
    let world = people(&["gone", "due"]);
    let mistaken = next(PUBLISHED, PUBLISHED, &[("for   = \"indefinite\"", "for   = \"10 days\"")]);
    world.tenure.publish(&file(&mistaken), at(PUBLISHED)).unwrap();
    world.tenure.withdraw("consumer@next", "ops", at("2025-11-18T00:00:00Z")).unwrap();
    Ground::of(world)
}

fn withdraws(stage: &Stage) -> Vec<Act> {
    let mut condemned = condemned();
    stage.watch.add(Box::new(move |tx| {
        let withdrawn = tx.policies()?.iter().any(|row| row.withdrawn_at.is_some());
        let history = tx.classes()?.into_iter().find(|(_, name)| name == "history").map(|(id, _)| id);
        let hit = condemned(tx)?.into_iter().any(|key| Some(key.class) == history);
        Ok((hit && withdrawn)
            .then(|| "history was condemned by a withdrawn version".to_owned())
            .into_iter()
            .collect())
    }));
    let tenure = stage.tenure.clone();
    let withdraw = act(move || {
        let done = tenure.withdraw("consumer@next", "legal", at(OVER))?;
        assert!(matches!(done, Withdrawal::Withdrawn { .. }));
        Ok(())
    });
    vec![sweeps(stage, at(OVER)), withdraw]
}

#[test]
fn a_version_that_is_withdrawn_at_any_step_of_a_sweep_destroys_nothing_more() {
    let ground = ground();
    let ends = Mutex::new(BTreeSet::new());
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.settle(at(OVER), at("2026-01-01T00:00:00Z"));
        let left = stage.copy("due", "history");
        assert!(matches!(left, CopyStage::Live | CopyStage::Verified), "{left:?}");
        ends.lock().unwrap().insert(left);
    };
    let count = Race { ground: &ground, acts: &withdraws, check: &check }.explore(10);
    assert!(count.exhaustive > 30, "{count:?}");
    assert_eq!(ends.into_inner().unwrap().len(), 2, "it comes too late only if it comes too late");
}
