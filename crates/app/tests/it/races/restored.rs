//! A sweep while a backup is taken, and what a restore makes of that.

use std::path::Path;
use std::sync::Arc;

use tenure_app::{BackupRequest, Restore, Tenure, TimeKeeping, open_store};
use tenure_store::{CopyStage, Store};
use tenure_vault::{LogKeys, Vault};

use super::explore::Race;
use super::*;
use crate::world::EXAMPLE;

fn journalled() -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    std::fs::create_dir(&data).unwrap();
    let vault = Vault::create(&data, &keys).unwrap();
    let start = at("2025-08-01T00:00:00Z");
    let log = LogKeys::create(&keys, &"tenure.example/test".parse().unwrap(), start).unwrap();
    let opened = open_store(&data.join("tenure.db"), &keys).unwrap();
    let store: Arc<dyn Store> = Arc::<tenure_store::SqliteStore>::clone(&opened.store);
    let tenure = Tenure::new(Arc::clone(&store), Arc::new(vault), log, stage::entropy(9));
    tenure.init(TimeKeeping::Simulated, start).unwrap();
    tenure.publish(&[("example.toml".to_owned(), EXAMPLE.to_owned())], start).unwrap();
    let world = people_in(World { folder, store, tenure }, &["gone", "due", "held"]);
    world.tenure.place_hold("order", content_of(&["held"]), true, at("2025-09-10T00:00:00Z")).unwrap();
    drop(opened);
    Ground::journalled(world)
}

fn sweeps_and_backs_up(stage: &Stage) -> Vec<Act> {
    let (tenure, folder) = (stage.tenure.clone(), stage.folder.path().to_owned());
    let journal = stage.opened.as_ref().unwrap().journal.clone();
    let backup = act(move || {
        let request = BackupRequest {
            data: &folder.join("data"),
            folder: &folder.join("backup"),
            journal: &journal,
            keep_until: None,
            note: None,
        };
        tenure.backup(&request, at(DUE), &mut |_, _, _| {}).map(drop)
    });
    vec![sweeps(stage, at(DUE)), backup]
}

/// Restores the backup beside the key folder as it is now, in another place.
fn restored(folder: &Path) -> Stage {
    let elsewhere = stage::folder();
    stage::copy(&folder.join("keys"), &elsewhere.path().join("keys"));
    let (data, keys) = (elsewhere.path().join("data"), elsewhere.path().join("keys"));
    let begun = Restore::begin(&folder.join("backup"), &data, &keys, &mut |_, _, _| {}).unwrap();
    let stage = Stage::open(elsewhere, true);
    begun.finish(&stage.tenure, stage.opened.as_ref().unwrap(), at(DUE)).unwrap();
    stage
}

#[test]
fn a_backup_taken_at_any_step_of_a_sweep_brings_back_nothing_that_was_destroyed_and_all_that_was_held() {
    let ground = journalled();
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.settle(at(DUE), at("2025-10-03T00:00:00Z"));
        let again = restored(stage.folder.path());
        again.assert_sound();
        for (account, left) in
            [("gone", CopyStage::Verified), ("due", CopyStage::Verified), ("held", CopyStage::Live)]
        {
            assert_eq!(again.copy(account, "content"), left, "{account}");
        }
        again.settle(at("2025-10-04T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        assert_eq!(again.copy("held", "content"), CopyStage::Live);
    };
    let count = Race { ground: &ground, acts: &sweeps_and_backs_up, check: &check }.explore(10);
    assert!(count.exhaustive > 30, "{count:?}");
}
