//! A folder in which something is done while a write fails, again and again.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;
use tenure_app::doctor::{Leftovers, Thoroughness};
use tenure_app::{Deletion, Entropy, Error, Tenure};
use tenure_model::Choice;
use tenure_store::faults::{Fault, Faults};
use tenure_store::{BatchStage, SqliteStore, Store, StoreExt as _};
use tenure_vault::faults::{Call, Fault as VaultFault, Faults as VaultFaults};
use tenure_vault::{LogKeys, Vault};

use super::witness::{Stages, Witness, Work};
use super::{SETTLED, SWEPT};
use crate::auditor::Auditor;
use crate::world::{World, at, conversation};

/// How a commit fails that nobody can tell from another.
pub(super) const ANSWERS: [Fault; 2] = [Fault::Lost, Fault::DoneButFailed];
/// How the store's commits fail. The log is written before each commit, so that its tiles are lost with it.
pub(super) const COMMITS: [Fault; 3] = [Fault::Lost, Fault::DoneButFailed, Fault::Log { writes: 0 }];

/// A folder to begin with again and again, and who keeps what was given out of it.
pub(super) struct Base {
    folder: TempDir,
    auditor: Auditor,
    witness: Witness,
    /// How many processes have opened it: each draws other random bytes.
    opened: u64,
}

/// A world whose writes can be made to fail.
pub(super) struct Trial {
    pub(super) world: World,
    pub(super) store: Faults,
    pub(super) vault: Arc<Vault>,
    vault_faults: VaultFaults,
    pub(super) auditor: Auditor,
    pub(super) witness: Witness,
    opened: u64,
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
        Self::of(world, auditor)
    }

    /// What lies in the folder of a world.
    pub(super) fn of(world: World, auditor: Auditor) -> Self {
        let World { folder, store, tenure } = world;
        drop((store, tenure));
        let mut trial = Trial::open(folder, auditor, Witness::default(), 1);
        trial.witness.look(&trial.world, &trial.vault);
        Self::after(trial)
    }

    fn after(trial: Trial) -> Self {
        let Trial { world: World { folder, store, tenure }, auditor, witness, vault, opened, .. } = trial;
        drop((store, tenure, vault));
        Self { folder, auditor, witness, opened }
    }

    /// Later, when all copies that were due are gone.
    pub(super) fn settled() -> Self {
        Self::new().once(|trial| {
            for now in [SWEPT, SETTLED] {
                trial.world.sweep(at(now));
            }
            trial.auditor.audit(&trial.world, at(SETTLED));
        })
    }

    /// The folder after something was done in it.
    pub(super) fn once(self, then: impl FnOnce(&mut Trial)) -> Self {
        let mut trial = self.trial();
        then(&mut trial);
        trial.witness.look(&trial.world, &trial.vault);
        Self::after(trial)
    }

    /// The folder after a sweep that was cut short when a batch stood in such a stage.
    pub(super) fn cut_short(self, now: &str, wanted: fn(&BatchStage) -> bool) -> Self {
        for after in 0..100 {
            let trial = self.trial();
            trial.store.arm(after, Fault::Lost);
            let options = tenure_app::SweepOptions::everything(at(now));
            trial.world.tenure.sweep(at(now), options, &mut |_| {}).unwrap_err();
            let batches = trial.world.store.read(|tx| tx.unfinished_batches()).unwrap();
            if batches.iter().any(|batch| wanted(&batch.stage)) {
                return Self::after(trial);
            }
        }
        panic!("no sweep leaves such a batch");
    }

    pub(super) fn trial(&self) -> Trial {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        Trial::open(folder, self.auditor.clone(), self.witness.clone(), self.opened + 1)
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

/// Another sequence of random bytes for each process that opens a folder.
struct Drawn(AtomicU64);

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        for byte in bytes {
            let drawn = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = ((drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 56) as u8;
        }
        Ok(())
    }
}

impl Trial {
    fn open(folder: TempDir, auditor: Auditor, witness: Witness, opened: u64) -> Self {
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        let faults = Faults::default();
        let store = SqliteStore::open_with_faults(&data.join("tenure.db"), faults.clone()).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let (vault, vault_faults) = tenure_vault::faults::open(&data, &keys).unwrap();
        let vault = Arc::new(vault);
        let drawn = Arc::new(Drawn(opened.wrapping_mul(0x1_0000_0001).into()));
        let log = LogKeys::open(&keys).unwrap();
        let tenure = Tenure::new(Arc::clone(&store), Arc::clone(&vault), log, drawn);
        tenure.alone().unwrap();
        Self {
            world: World { folder, store, tenure },
            store: faults,
            vault,
            vault_faults,
            auditor,
            witness,
            opened,
        }
    }

    /// Everything is dropped and comes back from disk, and no write fails any more.
    pub(super) fn crashed(self) -> Self {
        let Base { folder, auditor, witness, opened } = Base::after(self);
        Self::open(folder, auditor, witness, opened + 1)
    }

    /// Holds the folder to what was given out of it and to what was said in it.
    fn inspect(&mut self, now: &str, work: Work) {
        self.auditor.audit(&self.world, at(now));
        self.witness.look(&self.world, &self.vault);
        self.witness.assert_whole(&self.world, &self.vault, work);
    }

    /// No key and no body is there that should be gone, and none is gone that should be there; what nobody mentions
    /// can be removed.
    fn examine(&self) {
        let how = Thoroughness { full: true, repair: true };
        let diagnosis = self.world.tenure.examine(how, &mut |_, _, _| {}).unwrap();
        assert_eq!(diagnosis.findings, [""; 0]);
        let Leftovers { packs, page_keys, removed, .. } = diagnosis.leftovers;
        assert_eq!(removed, packs + page_keys > 0);
    }
}

/// One call, after which an auditor hears what it gave.
pub(super) type Step = fn(&mut Trial) -> Result<(), Error>;

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

/// The ways in which something fails, each with what becomes of the process.
fn ways<F: Copy + 'static>(faults: &[F]) -> impl Iterator<Item = (usize, F, Then)> {
    let ways = faults.iter().flat_map(|fault| [(*fault, Then::Crashes), (*fault, Then::GoesOn)]);
    (0..).zip(ways).map(|(number, (fault, then))| (number, fault, then)).collect::<Vec<_>>().into_iter()
}

impl Deed {
    /// What comes of it if nothing fails.
    fn undisturbed(&self, base: &Base) -> Stages {
        let mut trial = base.trial();
        for step in self.steps {
            step(&mut trial).unwrap();
        }
        (self.done)(&mut trial);
        trial.inspect(self.now, Work::Finished);
        trial.examine();
        Witness::stages(&trial.world)
    }

    /// Does it while a write fails, and once more from disk when nothing does. Gives whether anything failed.
    fn attempt(&self, mut trial: Trial, then: Then, rotates: bool, expected: &Stages) -> bool {
        let mut failures = 0;
        for step in self.steps {
            if step(&mut trial).is_ok() {
                continue;
            }
            failures += 1;
            if then == Then::Crashes {
                break;
            }
            // What the answer of a commit does not say can be asked for, and the step can be repeated.
            trial.auditor.hear(trial.world.tenure.receipts("yes", at(self.now)).unwrap());
            step(&mut trial).unwrap();
        }
        trial = trial.crashed();
        trial.inspect(self.now, Work::MayBeUnderWay);
        if rotates {
            // What is under way does not depend on the root key that it began under.
            trial.vault.pages().rotate_root().unwrap();
        }
        for step in self.steps {
            step(&mut trial).unwrap();
        }
        (self.done)(&mut trial);
        trial = trial.crashed();
        trial.inspect(self.now, Work::Finished);
        trial.examine();
        assert_eq!(&Witness::stages(&trial.world), expected);
        failures > 0
    }

    /// Lets every commit fail in its turn, and says how many there are.
    fn fail_every_commit(
        &self,
        base: &Base,
        (way, fault, then): (usize, Fault, Then),
        expected: &Stages,
    ) -> usize {
        let mut after = 0;
        loop {
            let trial = base.trial();
            let faults = trial.store.clone();
            faults.arm(after, fault);
            let failed = self.attempt(trial, then, (after + way) % 2 == 1, expected);
            if faults.is_armed() {
                assert!(!failed);
                return after;
            }
            // A commit that appends no statement writes nothing to the log, so that can't fail.
            assert!(failed || matches!(fault, Fault::Log { .. }), "commit {after} failed and nobody heard");
            after += 1;
        }
    }

    /// Lets a step of a vault fail, and says which call it was, if there are so many.
    fn fail_call(
        &self,
        base: &Base,
        (after, fault, then): (usize, VaultFault, Then),
        expected: &Stages,
    ) -> Option<Call> {
        let trial = base.trial();
        let faults = trial.vault_faults.clone();
        faults.arm_step(after, fault);
        let rotates = (after + usize::from(then == Then::GoesOn)) % 2 == 1;
        let failed = self.attempt(trial, then, rotates, expected);
        assert_eq!(failed, faults.met().is_some(), "step {after}, {:?}", faults.met());
        faults.met()
    }

    /// Lets every step of a vault fail in its turn, and says which calls they were. One that changes something
    /// fails once more, with only the answer lost: to a call that reads it is the same.
    fn fail_every_call(&self, base: &Base, then: Then, expected: &Stages) -> Vec<Call> {
        let lost = |after| self.fail_call(base, (after, VaultFault::Lost, then), expected);
        let made: Vec<Call> = (0..).map_while(lost).collect();
        for (after, call) in made.iter().enumerate().filter(|(_, call)| call.writes()) {
            let met = self.fail_call(base, (after, VaultFault::DoneButFailed, then), expected);
            assert_eq!(met, Some(*call), "step {after}");
        }
        made
    }
}

/// Lets commits fail in each way, whatever becomes of the process then: side by side, as they mostly wait for
/// the disk. Each finds the same number of commits.
pub(super) fn fail_commits(deed: &Deed, base: &Base, faults: &'static [Fault]) -> usize {
    let expected = &deed.undisturbed(base);
    let found: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = ways(faults)
            .map(|way| scope.spawn(move || deed.fail_every_commit(base, way, expected)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    println!("{} commits, each of which failed in {} ways", found[0], found.len());
    assert!(found.iter().all(|commits| *commits == found[0]), "{found:?}");
    found[0]
}

/// Lets steps of the vault fail in each way, and says which calls they were.
pub(super) fn fail_calls(deed: &Deed, base: &Base) -> Vec<Call> {
    let expected = &deed.undisturbed(base);
    let fail = |then| deed.fail_every_call(base, then, expected);
    let (made, others) = std::thread::scope(|scope| {
        let going_on = scope.spawn(|| fail(Then::GoesOn));
        (fail(Then::Crashes), going_on.join().unwrap())
    });
    println!("{} calls, each of which failed in every way: {made:?}", made.len());
    assert_eq!(made, others);
    made
}
