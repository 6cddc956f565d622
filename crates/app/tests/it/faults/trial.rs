//! A folder in which something is done while a write fails, again and again.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tenure_app::doctor::Thoroughness;
use tenure_app::{Deletion, Error};
use tenure_model::Choice;
use tenure_store::faults::{Fault, Faults};
use tenure_store::{SqliteStore, Store};
use tenure_vault::faults::{Call, Fault as VaultFault, Faults as VaultFaults};

use super::{SETTLED, SWEPT};
use crate::auditor::{Auditor, opened};
use crate::world::{World, at, conversation};

/// How the store's commits fail. The log is written before each commit, so that its tiles are lost with it.
const COMMITS: [Fault; 3] = [Fault::Lost, Fault::DoneButFailed, Fault::Log { writes: 0 }];

/// A folder to begin with again and again, and who keeps what was given out of it.
pub(super) struct Base {
    folder: TempDir,
    auditor: Auditor,
}

/// A world whose writes can be made to fail.
pub(super) struct Trial {
    pub(super) world: World,
    pub(super) store: Faults,
    vault: VaultFaults,
    pub(super) auditor: Auditor,
}

impl Base {
    /// Someone who allowed training, someone who said nothing, and someone who has left.
    pub(super) fn new() -> Self {
        let world = World::new();
        let mut auditor = Auditor::default();
        for account in ["yes", "silent", "gone"] {
            world.open_account(account, at("2025-08-29T00:00:00Z"));
            if account != "silent" {
                let answer = world.tenure.answer(account, "train", Choice::On, None).unwrap();
                auditor.hear(world.tenure.decide(account, answer, at("2025-08-30T00:00:00Z")).unwrap());
            }
            world.import(
                vec![conversation(account, &format!("{account}-1"), "pro", &["2025-09-01T10:00:00Z"])],
                at("2025-09-01T11:00:00Z"),
            );
        }
        world.tenure.delete(Deletion::Account("gone".to_owned()), at("2025-09-02T01:00:00Z")).unwrap();
        auditor.audit(&world, at("2025-09-02T02:00:00Z"));
        Self { folder: world.folder, auditor }
    }

    /// Later, when all copies that were due are gone.
    pub(super) fn settled() -> Self {
        let mut trial = Self::new().trial(1);
        for now in [SWEPT, SETTLED] {
            trial.world.sweep(at(now));
        }
        trial.auditor.audit(&trial.world, at(SETTLED));
        Self { folder: trial.world.folder, auditor: trial.auditor }
    }

    pub(super) fn trial(&self, seed: u64) -> Trial {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        Trial::open(folder, self.auditor.clone(), seed)
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            fs::create_dir(&to).unwrap();
            fs::set_permissions(&to, fs::metadata(&from).unwrap().permissions()).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

impl Trial {
    fn open(folder: TempDir, auditor: Auditor, seed: u64) -> Self {
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        let (store_faults, seed) = (Faults::default(), seed + 1);
        let store = SqliteStore::open_with_faults(&data.join("tenure.db"), store_faults.clone()).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let (vault, vault_faults) = tenure_vault::faults::open(&data, &keys).unwrap();
        let tenure = opened(folder.path(), Arc::clone(&store), vault, seed);
        let world = World { folder, store, tenure };
        Self { world, store: store_faults, vault: vault_faults, auditor }
    }

    /// Everything is dropped and comes back from disk, and no write fails any more.
    pub(super) fn crashed(self, seed: u64) -> Self {
        let Self { world: World { folder, store, tenure }, auditor, .. } = self;
        drop((store, tenure));
        Self::open(folder, auditor, seed)
    }
}

/// One call, after which an auditor hears what it gave.
pub(super) type Step = fn(&World, &mut Auditor) -> Result<(), Error>;

/// Something that is done, and what is to be true once it is.
pub(super) struct Deed {
    pub(super) steps: &'static [Step],
    pub(super) done: fn(&mut Trial),
    pub(super) now: &'static str,
}

/// What becomes of the process when a write has failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    Crashes,
    GoesOn,
}

impl Deed {
    /// Does it while a write fails, and once more from disk when nothing does. Gives whether anything failed.
    fn attempt(&self, mut trial: Trial, then: Then, seed: u64) -> bool {
        let mut failures = 0;
        for step in self.steps {
            if step(&trial.world, &mut trial.auditor).is_ok() {
                continue;
            }
            failures += 1;
            if then == Then::Crashes {
                break;
            }
            // What the answer of a commit does not say can be asked for, and the step can be repeated.
            trial.auditor.hear(trial.world.tenure.receipts("yes", at(self.now)).unwrap());
            step(&trial.world, &mut trial.auditor).unwrap();
        }
        trial = trial.crashed(seed * 3);
        trial.auditor.audit(&trial.world, at(self.now));
        for step in self.steps {
            step(&trial.world, &mut trial.auditor).unwrap();
        }
        (self.done)(&mut trial);
        trial = trial.crashed(seed * 3 + 1);
        trial.auditor.audit(&trial.world, at(self.now));
        // No key is there that should be gone, and none is gone that should be there.
        let how = Thoroughness { full: true, repair: false };
        let diagnosis = trial.world.tenure.examine(how, &mut |_, _, _| {}).unwrap();
        assert_eq!(diagnosis.findings, [""; 0]);
        failures > 0
    }

    /// Lets every commit fail in its turn, and says how many there are.
    fn fail_every_commit(&self, base: &Base, fault: Fault, then: Then) -> usize {
        let mut after = 0;
        loop {
            let trial = base.trial(after as u64);
            let faults = trial.store.clone();
            faults.arm(after, fault);
            let failed = self.attempt(trial, then, after as u64 + 1_000);
            if faults.is_armed() {
                assert!(!failed);
                return after;
            }
            // A commit that appends no statement writes nothing to the log, so that can't fail.
            assert!(failed || matches!(fault, Fault::Log { .. }), "commit {after} failed and nobody heard");
            after += 1;
        }
    }

    /// Lets the first call of every kind fail that a vault takes, and says which ones were made.
    fn fail_every_call(&self, base: &Base, fault: VaultFault, then: Then) -> Vec<Call> {
        let calls = [Call::ReadKey, Call::ListPages, Call::FindPack, Call::ListPacks];
        let calls = Call::WRITES.into_iter().chain(calls);
        let mut made = Vec::new();
        for (number, call) in (0..).zip(calls) {
            let trial = base.trial(number);
            let faults = trial.vault.clone();
            faults.arm(call, fault);
            let failed = self.attempt(trial, then, number + 2_000);
            if failed {
                assert!(!faults.is_armed());
                made.push(call);
            }
        }
        made
    }
}

/// Lets commits fail in each way, whatever becomes of the process then: side by side, as they mostly wait for
/// the disk. Each finds the same number of commits.
pub(super) fn fail_commits(deed: &Deed, base: &Base) -> usize {
    let ways = COMMITS.into_iter().flat_map(|fault| [(fault, Then::Crashes), (fault, Then::GoesOn)]);
    let found: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = ways
            .map(|(fault, then)| scope.spawn(move || deed.fail_every_commit(base, fault, then)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    println!("{} commits, each of which failed in {} ways", found[0], found.len());
    assert!(found.iter().all(|commits| *commits == found[0]), "{found:?}");
    found[0]
}

/// Lets calls of the vault fail in each way, and says which ones were made.
pub(super) fn fail_calls(deed: &Deed, base: &Base) -> Vec<Call> {
    let ways = [VaultFault::Lost, VaultFault::DoneButFailed]
        .into_iter()
        .flat_map(|fault| [(fault, Then::Crashes), (fault, Then::GoesOn)]);
    let mut found: Vec<Vec<Call>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            ways.map(|(fault, then)| scope.spawn(move || deed.fail_every_call(base, fault, then))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    println!("{:?}, each of which failed in {} ways", found[0], found.len());
    assert!(found.iter().all(|calls| *calls == found[0]), "{found:?}");
    found.swap_remove(0)
}
