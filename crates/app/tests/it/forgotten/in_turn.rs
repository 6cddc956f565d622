//! When evidence goes: not before its term, not while a copy lives, and once begun, to the end.

use super::*;

#[test]
fn evidence_stays_to_the_last_microsecond_of_its_term_and_a_receipt_stays_for_good() {
    let (world, _) = world();
    for number in 0..4 {
        open(&world.tenure, number);
    }
    let held = decide(&world.tenure, 1, Choice::Off);
    close(&world.tenure, 1);
    close(&world.tenure, 3);
    assert_eq!(sweep(&world, "2031-10-01T00:00:00.999999Z").unwrap(), 0);
    assert_eq!(world.tenure.receipts(&named(1), at(FORGOTTEN)).unwrap().len(), 3);
    assert_eq!(sweep(&world, "2031-10-01T00:00:01Z").unwrap(), 1);
    assert!(matches!(world.tenure.receipts(&named(1), at(FORGOTTEN)), Err(Error::ProofDestroyed)));
    // Whoever was on the same page keeps what they had, also the one whose turn comes two seconds later.
    for number in [0, 2, 3] {
        assert!(!world.tenure.receipts(&named(number), at(FORGOTTEN)).unwrap().is_empty());
    }
    assert!(proves(&world.tenure, &held, Choice::Off));
    assert_eq!(assert_sound(&world).destroyed, 3);
    let late = Answer { purpose: "train".to_owned(), reply: Reply::Off, version: None };
    assert!(matches!(world.tenure.decide(&named(1), late, at(FORGOTTEN)), Err(Error::ProofDestroyed)));
    assert_sound(&world);
}

#[test]
fn evidence_stays_while_a_copy_of_anything_that_was_said_can_be_opened() {
    let world = World::new();
    world.open_account("a1", at("2025-08-29T00:00:00Z"));
    world
        .import(vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"])], at("2025-09-01T10:02:00Z"));
    let key = world.tenure.account("a1").unwrap().key;
    let record = world.store.read(|tx| Ok::<_, StoreError>(tx.records_of(key, None, 1)?[0].id)).unwrap();
    world.tenure.scan(record, Scan::Flagged, at("2025-09-02T00:00:00Z")).unwrap();
    world.tenure.delete(Deletion::Account("a1".to_owned()), at("2025-09-03T00:00:00Z")).unwrap();
    // Six years have passed, and the scores of what was flagged are kept for seven.
    assert_eq!(sweep(&world, "2032-09-01T00:00:00Z").unwrap(), 0);
    assert_eq!(world.live("a1"), ["scores"]);
    assert!(world.tenure.receipts("a1", at("2032-09-01T00:00:00Z")).is_ok());
    assert_eq!(sweep(&world, "2032-09-02T00:00:00Z").unwrap(), 1);
    assert!(world.live("a1").is_empty());
    assert_sound(&world);
}

/// The same folders, with a vault that fails as it is told.
fn with_faults(world: World) -> (World, faults::Faults) {
    let World { folder, store, tenure } = world;
    drop((store, tenure));
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let (vault, faults) = faults::open(&data, &keys).unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.join("tenure.db")).unwrap());
    let log = LogKeys::open(&keys).unwrap();
    let tenure = Tenure::new(Arc::clone(&store), Arc::new(vault), log, Arc::new(Recorded::default()));
    (World { folder, store, tenure }, faults)
}

fn stated(world: &World, kind: &str) -> u32 {
    let sql = "SELECT count(*) FROM statements WHERE kind = ?1";
    thief::with_database(&data(world), |database| database.query_row(sql, [kind], |row| row.get(0)).unwrap())
}

#[test]
fn what_a_crash_leaves_between_the_statement_and_the_keys_the_next_sweep_finishes() {
    use faults::{Call, Fault};
    let cases = [
        (Call::DestroyPages, Fault::Lost),
        (Call::DestroyPages, Fault::DoneButFailed),
        (Call::ListPages, Fault::Lost),
    ];
    for (call, fault) in cases {
        let (world, _) = world();
        (0..8).for_each(|number| open(&world.tenure, number));
        (1..8).for_each(|number| close(&world.tenure, number));
        let old = thief::with_database(&data(&world), |database| {
            let sql = "SELECT DISTINCT proof_page FROM accounts";
            database.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0)).unwrap()
        });
        let (world, faults) = with_faults(world);
        faults.arm(call, fault);
        assert!(sweep(&world, FORGOTTEN).is_err());
        assert!(!faults.is_armed());
        assert_eq!(stated(&world, "proofs_destroyed"), 1);
        let lost = (call, fault) == (Call::DestroyPages, Fault::Lost);
        assert_eq!(Keys::read(&keys(&world)).pages.contains_key(&old), lost);
        let world = world.reopened();
        // What was stated and not yet done is no fault of the log.
        assert_sound(&world);
        assert_eq!(sweep(&world, FORGOTTEN).unwrap(), 0);
        assert!(!Keys::read(&keys(&world)).pages.contains_key(&old));
        assert_eq!(stated(&world, "proofs_destroyed"), 1);
        assert_eq!(assert_sound(&world).destroyed, 14);
        assert!(world.tenure.receipts(&named(0), at(FORGOTTEN)).is_ok());
        world.integrity();
    }
}

#[test]
fn a_leaf_that_nobody_can_open_and_nobody_spoke_of_is_found() {
    let (world, _) = world();
    (0..300).for_each(|number| open(&world.tenure, number));
    (1..3).for_each(|number| close(&world.tenure, number));
    sweep(&world, FORGOTTEN).unwrap();
    let page = |number: usize| world.tenure.account(&named(number)).unwrap().keys.proof.unwrap().page;
    // The first page is the house's too, without which nothing is explained.
    let lost = (3..300).map(page).find(|lost| *lost != page(0)).unwrap();
    let missing: Vec<usize> = (3..300).filter(|number| page(*number) == lost).collect();
    assert!(missing.len() > 10);
    let World { folder, store, tenure } = world;
    drop((store, tenure));
    FileKeyStore::open(&folder.path().join("keys")).unwrap().destroy(&[PageId::from_bytes(lost.0)]).unwrap();
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.join("tenure.db")).unwrap());
    let vault = Arc::new(Vault::open(&data, &keys).unwrap());
    let tenure =
        Tenure::new(Arc::clone(&store), vault, LogKeys::open(&keys).unwrap(), Arc::new(Recorded::default()));
    let world = World { folder, store, tenure };
    let verification = verify(&world);
    assert_eq!(verification.found, u64::try_from(missing.len()).unwrap());
    assert!(verification.faults.iter().all(|fault| matches!(fault, Fault::Unexplained { .. })));
    assert_eq!(verification.destroyed, 4);
}
