//! Jobs of one account, which several may run at the same time, and the places that their statements get.

use super::{Instance, Outcome, sample};
use crate::{AccountKey, NewStatement, StoreError, StoreExt};
use std::sync::mpsc;
use tenure_tlog::verify_inclusion;

const ACCOUNTS: u64 = 16;
const EACH: u64 = 12;

fn accounts(instance: &Instance) -> Result<Vec<AccountKey>, StoreError> {
    instance.store.write(|tx| {
        (0..ACCOUNTS).map(|number| tx.insert_account(&sample::new_account(&format!("a{number}")))).collect()
    })
}

/// The statement of an account and a version; no two are the same.
fn statement(account: AccountKey, version: u64) -> NewStatement {
    let mut commitment = [0x5a; 32];
    let marks = account.0.to_be_bytes().into_iter().chain(version.to_be_bytes());
    commitment.iter_mut().zip(marks).for_each(|(to, from)| *to = from);
    NewStatement { commitment, ..sample::statement(Some(account), version, "decision") }
}

pub(super) fn jobs_of_an_account_come_in_the_order_in_which_they_are_handed_in(
    instance: &Instance,
) -> Outcome {
    let accounts = accounts(instance)?;
    let (seen, order) = mpsc::channel();
    let mut tickets = Vec::new();
    for number in 0..200_u64 {
        for account in accounts.iter().take(3).copied() {
            let seen = seen.clone();
            let job = move |tx: &mut dyn crate::Tx| {
                tx.mark_refile(account).map_err(|_| crate::Abort)?;
                seen.send((account, number)).map_err(|_| crate::Abort)
            };
            tickets.push(instance.store.submit_of(account, Box::new(job))?);
        }
    }
    tickets.into_iter().try_for_each(crate::Ticket::wait)?;
    drop(seen);
    let all: Vec<_> = order.iter().collect();
    for account in accounts.iter().take(3) {
        assert!(all.iter().filter(|(of, _)| of == account).map(|(_, number)| *number).eq(0..200));
    }
    Ok(())
}

pub(super) fn a_statement_gets_its_place_after_its_commit(instance: &Instance) -> Outcome {
    let store = &instance.store;
    let Some(account) = accounts(instance)?.first().copied() else { return Ok(()) };
    for version in 1..4 {
        let given = store.write_of(account, move |tx| tx.append_unplaced(&statement(account, version)))?;
        // Whoever reads sees it once, with its place or without.
        let (placed, waiting, newest) = store.read(|tx| -> Result<_, StoreError> {
            let chain = tx.account(account)?.map(|account| account.chain);
            Ok((tx.statements_of(account, &[])?, tx.unplaced_of(account, &[])?, chain))
        })?;
        let rows = placed.iter().map(|row| &row.statement).chain(&waiting);
        assert!(rows.map(|statement| statement.version).eq(1..=version));
        assert_eq!(newest.map(|chain| chain.version), Some(version));
        let place = store.place_of(account, version)?;
        assert!(given.is_none_or(|given| given == place));
        let row = store.read(|tx| tx.statement(place))?;
        assert_eq!(row.map(|row| row.statement), Some(statement(account, version)));
        assert_eq!(store.read(|tx| tx.unplaced_of(account, &[]))?, []);
    }
    assert_eq!(store.place_of(account, 4), Err(StoreError::Missing { table: "statements" }));
    assert_eq!(store.integrity()?, []);
    Ok(())
}

pub(super) fn a_job_that_may_write_anything_sees_the_whole_chain_in_its_places(
    instance: &Instance,
) -> Outcome {
    let store = &instance.store;
    let Some(account) = accounts(instance)?.first().copied() else { return Ok(()) };
    store.write_of(account, move |tx| tx.append_unplaced(&statement(account, 1)))?;
    store.write_of(account, move |tx| tx.append_unplaced(&statement(account, 2)))?;
    let (places, own) = store.write(move |tx| -> Result<_, StoreError> {
        let places: Vec<_> = tx.statements_of(account, &[])?.iter().map(|row| row.seq).collect();
        assert_eq!(tx.unplaced_of(account, &[])?, []);
        Ok((places, tx.append_statement(&statement(account, 3))?))
    })?;
    assert_eq!(places.len(), 2);
    assert!(places.iter().all(|place| *place < own), "a chain has its places in its order");
    assert_eq!(store.place_of(account, 3)?, own);
    assert_eq!(store.integrity()?, []);
    Ok(())
}

pub(super) fn a_job_of_an_account_that_fails_leaves_nothing(instance: &Instance) -> Outcome {
    let store = &instance.store;
    let Some(account) = accounts(instance)?.first().copied() else { return Ok(()) };
    let refused: Outcome = store.write_of(account, move |tx| {
        tx.append_unplaced(&statement(account, 1))?;
        Err(StoreError::Aborted)
    });
    assert_eq!(refused, Err(StoreError::Aborted));
    let late = store.write_of(account, move |tx| tx.append_unplaced(&statement(account, 2)));
    assert_eq!(late, Err(StoreError::Conflict { table: "statements".to_owned() }));
    let panicking: Outcome = store.write_of(account, move |tx| {
        tx.append_unplaced(&statement(account, 1))?;
        std::panic::resume_unwind(Box::new("on purpose"))
    });
    assert_eq!(panicking, Err(StoreError::Panicked));
    assert_eq!(store.head().size, 0);
    assert_eq!(store.integrity()?, []);
    Ok(())
}

pub(super) fn many_accounts_state_at_once_beside_the_house(instance: &Instance) -> Outcome {
    let store = &instance.store;
    let accounts = accounts(instance)?;
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let house = scope.spawn(|| {
            (0..EACH).try_for_each(|_| {
                let all = accounts.clone();
                store.write(move |tx| -> Outcome {
                    // What a sweep does: it unmarks accounts, reads them, and states what it did.
                    for mark in tx.refile_slice(100)? {
                        tx.refile_done(mark)?;
                    }
                    for account in &all {
                        tx.account(*account)?;
                    }
                    tx.append_statement(&sample::statement(None, 0, "policy")).map(drop)
                })
            })
        });
        let people: Vec<_> = accounts
            .iter()
            .map(|&account| {
                scope.spawn(move || -> Outcome {
                    for version in 1..=EACH {
                        let new = statement(account, version);
                        let leaf = tenure_receipts::leaf(&new.commitment);
                        store.write_of(account, move |tx| -> Outcome {
                            tx.mark_refile(account)?;
                            tx.append_unplaced(&new).map(drop)
                        })?;
                        let place = store.place_of(account, version)?;
                        let head = store.read(|tx| tx.tree_head())?.ok_or(StoreError::Closed)?;
                        let index = u64::try_from(place.0).unwrap_or(u64::MAX);
                        let path = store.prove_inclusion(place, head.size)?;
                        assert!(verify_inclusion(index, head.size, &leaf, &path, &head.root), "leaf {index}");
                    }
                    Ok(())
                })
            })
            .collect();
        let all = people.into_iter().chain([house]);
        all.map(|thread| thread.join().unwrap_or(Err(StoreError::Panicked))).collect()
    });
    outcomes.into_iter().collect::<Outcome>()?;
    assert_eq!(store.head().size, ACCOUNTS * EACH + EACH);
    assert_eq!(store.integrity()?, []);
    Ok(())
}
