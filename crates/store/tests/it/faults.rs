//! Commits that fail, at every point: what is stored is what was committed, and the tree is that of what is
//! stored.

use tenure_store::faults::{Fault, Faults};
use tenure_store::{Seq, SqliteStore, Store, StoreError, StoreExt};

use crate::log::{Folder, append, head_of, statement};

fn open(folder: &Folder) -> (SqliteStore, Faults) {
    let faults = Faults::default();
    (SqliteStore::open_with_faults(&folder.path(), faults.clone()).unwrap(), faults)
}

/// Appends three groups of which the second fails, and gives the store with what must be in it.
fn fail_the_second(folder: &Folder, fault: Fault, sizes: [u64; 3]) -> (SqliteStore, Vec<u64>) {
    let [first, second, third] = sizes;
    let (store, faults) = open(folder);
    faults.arm(1, fault);
    append(&store, 0..first).unwrap();
    assert_eq!(faults.met(), 0);
    let failed = append(&store, first..first + second);
    assert_eq!(faults.met(), 1);
    let kept = match fault {
        Fault::DoneButFailed => true,
        Fault::Lost => false,
        // It may be more than there is to write, and then nothing fails.
        Fault::Log { .. } => failed.is_ok(),
    };
    if !matches!(fault, Fault::Log { .. }) || !kept {
        assert!(matches!(failed, Err(StoreError::Commit { .. })), "{failed:?}");
    }
    let mut leaves: Vec<u64> = (0..first + if kept { second } else { 0 }).collect();
    assert_eq!(store.read(|tx| tx.tree_head()).unwrap(), Some(head_of(leaves.iter().copied())));
    assert_eq!(store.read(|tx| tx.statement_count()).unwrap(), leaves.len() as u64);
    append(&store, 1_000_000..1_000_000 + third).unwrap();
    leaves.extend(1_000_000..1_000_000 + third);
    (store, leaves)
}

fn check(folder: &Folder, store: SqliteStore, leaves: &[u64]) {
    let head = head_of(leaves.iter().copied());
    for store in [store, open(folder).0] {
        assert_eq!((store.head(), store.read(|tx| tx.tree_head()).unwrap()), (head, Some(head)));
        for (place, leaf) in (0_u32..).zip(leaves).step_by(17) {
            let path = store.prove_inclusion(Seq(place.into()), head.size).unwrap();
            let leaf = tenure_receipts::leaf(&statement(*leaf).commitment);
            assert!(tenure_tlog::verify_inclusion(place.into(), head.size, &leaf, &path, &head.root));
        }
        assert_eq!(store.integrity().unwrap(), []);
    }
}

#[test]
fn a_commit_that_is_lost_leaves_the_tree_as_it_was_and_one_that_was_done_is_in_it() {
    for fault in [Fault::Lost, Fault::DoneButFailed] {
        for sizes in [[0, 1, 1], [1, 1, 1], [255, 1, 1], [255, 2, 600], [256, 256, 256], [10, 5_000, 3]] {
            let folder = Folder::new();
            let (store, leaves) = fail_the_second(&folder, fault, sizes);
            check(&folder, store, &leaves);
        }
    }
}

#[test]
fn wherever_the_log_refuses_a_group_nothing_of_it_is_kept() {
    // Two full tiles, the partial tile above them, and the head: four writes.
    let mut refused = 0;
    for writes in 0.. {
        let folder = Folder::new();
        let (store, leaves) = fail_the_second(&folder, Fault::Log { writes }, [100, 500, 300]);
        check(&folder, store, &leaves);
        if leaves.len() == 900 {
            break;
        }
        assert_eq!(leaves.len(), 400);
        refused += 1;
    }
    assert_eq!(refused, 4);
}

#[test]
fn every_job_of_a_group_hears_that_its_commit_failed() {
    let folder = Folder::new();
    let (store, faults) = open(&folder);
    for fault in [Fault::Lost, Fault::DoneButFailed, Fault::Log { writes: 0 }] {
        let before = store.read(|tx| tx.statement_count()).unwrap();
        // Keeps the writer busy until the others are queued, so that they are in one group with it.
        let (open_gate, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
        faults.arm(0, fault);
        let plug = store
            .write_later(move |tx| {
                gate.lock().unwrap().recv().unwrap();
                tx.set_meta("plug", "in")
            })
            .unwrap();
        let jobs: Vec<_> = (0..3)
            .map(|leaf| store.write_later(move |tx| tx.append_statement(&statement(leaf))).unwrap())
            .collect();
        open_gate.send(()).unwrap();
        let heard: Vec<_> = jobs.into_iter().map(|job| job.wait().is_ok()).collect();
        let plug = plug.wait();
        let kept = store.read(|tx| tx.statement_count()).unwrap() - before;
        if heard == [false; 3] {
            assert!(matches!(plug, Err(StoreError::Commit { .. })), "{plug:?}");
            assert_eq!(kept, if fault == Fault::DoneButFailed { 3 } else { 0 });
        } else {
            // Queueing took longer than a group is open: they were committed after the one that failed.
            assert_eq!((heard, kept), (vec![true; 3], 3));
        }
        faults.disarm();
    }
}

#[test]
fn the_head_follows_a_commit_whose_answer_was_lost() {
    let folder = Folder::new();
    let (store, faults) = open(&folder);
    append(&store, 0..10).unwrap();
    faults.arm(0, Fault::DoneButFailed);
    append(&store, 10..20).unwrap_err();
    // What the writer knows is behind, and never ahead, of what is committed.
    assert!([head_of(0..10), head_of(0..20)].contains(&store.head()));
    append(&store, 20..21).unwrap();
    assert_eq!(store.head(), head_of(0..21));
}
