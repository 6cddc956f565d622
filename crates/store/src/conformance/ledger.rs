//! Statements, holds, batches and runs.

use super::{Instance, Outcome, sample};
use crate::{
    BatchId, BatchRow, BatchStage, Chain, CopyKey, CopyRow, CopyStage, CopyState, DestroyedRow, HoldRow,
    NewStatement, PageId, RunId, RunRecordRow, RunRow, RunState, Seq, StatementRow, StoreError, StoreExt, Tx,
};

pub(super) fn statements_come_in_one_order_and_in_their_chains(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (one, two) = (sample::open_record(tx, 1)?.account, sample::open_record(tx, 2)?.account);
        assert_eq!(tx.statement_count()?, 0);
        let appended = [(Some(one), 1), (None, 0), (Some(two), 1), (Some(one), 2)]
            .map(|(account, version)| sample::statement(account, version, "decision"));
        for (number, statement) in appended.iter().enumerate() {
            let seq = tx.append_statement(statement)?;
            assert_eq!(usize::try_from(seq.0), Ok(number), "the first is 0");
        }
        let row = |(seq, previous): (i64, Option<i64>), statement: &NewStatement| {
            let statement = statement.clone();
            StatementRow { seq: Seq(seq), previous: previous.map(Seq), statement }
        };
        let places = (0..).zip([None, None, None, Some(0)]);
        let all: Vec<_> = places.zip(&appended).map(|(place, statement)| row(place, statement)).collect();
        assert_eq!(tx.statements(Seq(0), 10)?, all);
        assert!(tx.statements(Seq(1), 2)?.iter().eq(all.iter().skip(1).take(2)));
        assert_eq!(tx.statement(Seq(3))?.as_ref(), all.last());
        assert_eq!((tx.statement_count()?, tx.statement(Seq(4))?), (4, None));
        let versions: Vec<_> = tx.statements_of(one, &[])?.iter().map(|row| row.statement.version).collect();
        assert_eq!(versions, [1, 2]);
        let at = appended.last().map(|statement| statement.at);
        let chain = Chain { version: 2, head: [2; 32], newest: Some(Seq(3)), at };
        assert_eq!(tx.account(one)?.map(|account| account.chain), Some(chain));
        Ok(())
    })
}

pub(super) fn a_statement_that_is_not_the_chains_next_is_refused(instance: &Instance) -> Outcome {
    let account = instance.store.write(|tx| -> Result<_, StoreError> {
        let account = sample::open_record(tx, 1)?.account;
        tx.append_statement(&sample::statement(Some(account), 1, "decision"))?;
        Ok(account)
    })?;
    for version in [0, 1, 3] {
        let outcome = instance
            .store
            .write(move |tx| tx.append_statement(&sample::statement(Some(account), version, "decision")));
        assert!(outcome.is_err(), "version {version} after version 1");
    }
    let stranger = crate::AccountKey(account.0 + 1);
    let outcome =
        instance.store.write(move |tx| tx.append_statement(&sample::statement(Some(stranger), 1, "x")));
    assert_eq!(outcome, Err(StoreError::Dangling));
    let (count, chain) = instance.store.read(|tx| -> Result<_, StoreError> {
        Ok((tx.statement_count()?, tx.account(account)?.map(|account| account.chain.version)))
    })?;
    assert_eq!((count, chain), (1, Some(1)), "what was refused left nothing");
    Ok(())
}

pub(super) fn statements_are_found_by_kind(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let account = sample::open_record(tx, 1)?.account;
        for (version, kind) in (1..).zip(["decision", "informed", "acknowledged", "decision"]) {
            tx.append_statement(&sample::statement(Some(account), version, kind))?;
        }
        let mut versions = |kinds: &[&str]| -> Result<Vec<u64>, StoreError> {
            Ok(tx.statements_of(account, kinds)?.iter().map(|row| row.statement.version).collect())
        };
        assert_eq!(versions(&["decision"])?, [1, 4]);
        assert_eq!(versions(&["decision", "informed"])?, [1, 2, 4]);
        assert!(versions(&["flag"])?.is_empty());
        assert_eq!(versions(&[])?, [1, 2, 3, 4]);
        Ok(())
    })
}

fn hold(id: &str, version: u32) -> HoldRow {
    HoldRow {
        id: id.to_owned(),
        version,
        placed_at: sample::at(i64::from(version)),
        released_at: None,
        may_tell: version > 1,
        scope: "{\"classes\":[\"content\"]}".to_owned(),
    }
}

pub(super) fn holds_are_versioned_and_every_change_advances_the_epoch(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        assert_eq!(tx.holds_epoch()?, 0);
        tx.insert_hold(&hold("h2", 1))?;
        tx.insert_hold(&hold("h1", 1))?;
        assert_eq!(tx.holds_epoch()?, 2);
        tx.amend_hold(&hold("h2", 2))?;
        assert_eq!(tx.holds_epoch()?, 3);
        // The first version ends where the second begins.
        let first = HoldRow { released_at: Some(sample::at(2)), ..hold("h2", 1) };
        assert_eq!(tx.holds()?, [hold("h1", 1), first.clone(), hold("h2", 2)]);
        tx.release_hold("h2", sample::at(50))?;
        let released = HoldRow { released_at: Some(sample::at(50)), ..hold("h2", 2) };
        assert_eq!(tx.holds()?, [hold("h1", 1), first.clone(), released.clone()]);
        assert_eq!(tx.hold_versions("h2")?, [first, released]);
        assert_eq!(tx.holds_epoch()?, 4);
        let missing = Err(StoreError::Missing { table: "holds" });
        assert_eq!(tx.release_hold("h3", sample::at(1)), missing);
        assert_eq!(tx.amend_hold(&hold("h3", 2)), missing);
        Ok::<_, StoreError>(())
    })?;
    let again: Outcome = instance.store.write(|tx| tx.insert_hold(&hold("h1", 1)));
    assert!(matches!(again, Err(StoreError::Conflict { .. })));
    // A number that is taken: what was ended for the sake of it is not.
    let taken: Outcome = instance.store.write(|tx| tx.amend_hold(&hold("h1", 1)));
    assert!(matches!(taken, Err(StoreError::Conflict { .. })));
    let (epoch, there) = instance.store.read(|tx| Ok::<_, StoreError>((tx.holds_epoch()?, tx.holds()?)))?;
    assert_eq!((epoch, there.first()), (4, Some(&hold("h1", 1))), "a change that was refused is none");
    Ok(())
}

pub(super) fn a_released_hold_stays_released(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        tx.insert_hold(&hold("h", 1))?;
        tx.release_hold("h", sample::at(5))
    })?;
    let again: Outcome = instance.store.write(|tx| tx.release_hold("h", sample::at(6)));
    assert_eq!(again, Err(StoreError::AppendOnly { table: "holds" }));
    let amended: Outcome = instance.store.write(|tx| tx.amend_hold(&hold("h", 2)));
    assert_eq!(amended, Err(StoreError::AppendOnly { table: "holds" }));
    Ok(())
}

pub(super) fn batches_keep_their_stage_and_their_pages(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (first, second) = (tx.open_batch(sample::at(1), 7)?, tx.open_batch(sample::at(2), 7)?);
        let statement = tx.append_statement(&sample::statement(None, 0, "destruction"))?;
        let pages = [PageId(sample::id(1)), PageId(sample::id(2))];
        tx.set_batch_statement(first, statement)?;
        tx.set_batch_pages(first, 9, &pages)?;
        let [sealed_at, shredded_at, removed_at, verified_at] = [4, 5, 6, 7].map(sample::at);
        let stages = [
            BatchStage::Sealed { sealed_at },
            BatchStage::Shredding { sealed_at },
            BatchStage::Shredded { sealed_at, shredded_at },
            BatchStage::Removed { sealed_at, shredded_at, removed_at },
            BatchStage::Verified { sealed_at, shredded_at, removed_at, verified_at },
        ];
        assert_eq!(tx.batch(second)?.map(|batch| batch.stage), Some(BatchStage::Gathering));
        for stage in stages {
            assert_eq!(tx.unfinished_batches()?.len(), 2);
            tx.set_batch_stage(first, stage)?;
            let expected = BatchRow {
                id: first,
                created_at: sample::at(1),
                due_at: None,
                epoch: 9,
                statement: Some(statement),
                old_pages: pages.to_vec(),
                stage,
                released: false,
            };
            assert_eq!(tx.batch(first)?, Some(expected));
        }
        let unfinished: Vec<_> = tx.unfinished_batches()?.iter().map(|batch| batch.id).collect();
        assert_eq!(unfinished, [second]);
        assert_eq!(tx.batches(Some(first), 10)?.len(), 1);
        Ok(())
    })
}

/// Shreds copies together, in this order, and gives the batch.
fn destroy(tx: &mut dyn Tx, copies: &[CopyRow]) -> Result<BatchId, StoreError> {
    let batch = tx.open_batch(sample::at(1), 0)?;
    for copy in copies {
        let state = CopyState::Shredded { sealing: sample::sealing(batch), shredded_at: sample::at(3) };
        assert!(tx.move_copy(copy.key, CopyStage::Live, &state)?);
    }
    tx.insert_destroyed(batch, &copies.iter().map(|copy| copy.key).collect::<Vec<_>>())?;
    Ok(batch)
}

pub(super) fn what_a_batch_destroyed_stays_stated_when_a_copy_returns(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let mut copies = sample::filed_copies(tx, "a", 1..6, |_| 1)?;
        // The order of the items is the caller's.
        copies.reverse();
        let first = destroy(tx, &copies)?;
        let row = |batch, place, key: CopyKey| DestroyedRow { batch, place, key };
        let stated: Vec<_> = (0..).zip(&copies).map(|(place, copy)| row(first, place, copy.key)).collect();
        let again = copies.split_off(3);
        for copy in &again {
            assert!(tx.move_copy(copy.key, CopyStage::Shredded, &CopyState::Live { wrap: None })?);
        }
        assert_eq!(tx.destroyed_of(first, None, 10)?, stated);
        let second = destroy(tx, &again)?;
        assert_eq!(tx.destroyed_of(first, None, 10)?, stated);
        assert_eq!(tx.destroyed_of(second, None, 10)?.len(), 2);
        let mut found: Vec<DestroyedRow> = Vec::new();
        for _ in 0..3 {
            found.extend(tx.destroyed_of(first, found.last().map(|row| row.place), 2)?);
        }
        assert_eq!(found, stated, "in slices");
        for (places, copies) in [([Some(0), None], &copies), ([Some(3), Some(0)], &again)] {
            let Some(key) = copies.first().map(|copy| copy.key) else { continue };
            let expected = [first, second].into_iter().zip(places);
            let expected = expected.filter_map(|(batch, place)| Some(row(batch, place?, key)));
            assert!(tx.destructions_of(key.account, key.record)?.into_iter().eq(expected), "oldest first");
        }
        Ok(())
    })
}

pub(super) fn a_batch_states_once_what_it_destroyed(instance: &Instance) -> Outcome {
    let (batch, key) = instance.store.write(|tx| {
        let copies = sample::filed_copies(tx, "a", 1..3, |_| 1)?;
        let batch = destroy(tx, &copies)?;
        let first = copies.first().map(|copy| copy.key);
        Ok::<_, StoreError>((batch, first.ok_or(StoreError::Missing { table: "copies" })?))
    })?;
    let refused = |batch: BatchId, keys: Vec<CopyKey>| -> Outcome {
        instance.store.write(move |tx| tx.insert_destroyed(batch, &keys))
    };
    let conflict = Err(StoreError::Conflict { table: "destroyed".to_owned() });
    assert_eq!(refused(batch, vec![key]), conflict);
    let other = instance.store.write(|tx| tx.open_batch(sample::at(4), 0))?;
    assert_eq!(refused(other, vec![key, key]), conflict, "one copy twice");
    assert_eq!(refused(BatchId(other.0 + 1), vec![key]), Err(StoreError::Dangling));
    let stated = instance.store.read(|tx| tx.destroyed_of(other, None, 10))?;
    assert_eq!(stated, [], "what was refused left nothing");
    Ok(())
}

fn run() -> RunRow {
    RunRow {
        id: RunId(sample::id(1)),
        purpose: "train".to_owned(),
        opened_at: sample::at(3),
        position: 12,
        state: RunState::Opening,
    }
}

fn run_with_records(tx: &mut dyn Tx) -> Result<Vec<RunRecordRow>, StoreError> {
    tx.insert_run(&run())?;
    let mut rows = Vec::new();
    for number in 0..3_u64 {
        let record = sample::open_record(tx, number)?;
        let decision = tx.append_statement(&sample::statement(Some(record.account), 1, "decision"))?;
        rows.push(RunRecordRow {
            account: record.account,
            run: run().id,
            record: record.id,
            policy: "consumer@2025-10-08".to_owned(),
            decision: (number > 0).then_some(decision),
            messages: 4,
            first_row: number * 2,
            rows: 2,
        });
    }
    tx.insert_run_records(&rows)?;
    Ok(rows)
}

pub(super) fn a_run_is_sealed_once_and_lists_its_records(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let rows = run_with_records(tx)?;
        assert_eq!(tx.run(run().id)?, Some(run()));
        assert_eq!(tx.records_of_run(run().id, 0, 10)?, rows);
        assert!(tx.records_of_run(run().id, 1, 1)?.iter().eq(rows.iter().skip(1).take(1)));
        for row in &rows {
            assert_eq!(tx.runs_of_record(row.account, row.record)?.as_slice(), std::slice::from_ref(row));
        }
        tx.seal_run(run().id, "{}", &[5; 32])?;
        let sealed =
            RunRow { state: RunState::Sealed { manifest: "{}".to_owned(), digest: [5; 32] }, ..run() };
        assert_eq!(tx.runs()?, [sealed]);
        Ok::<_, StoreError>(())
    })?;
    let again: Outcome = instance.store.write(|tx| tx.seal_run(run().id, "{}", &[6; 32]));
    assert_eq!(again, Err(StoreError::Missing { table: "runs" }));
    let drop: Outcome = instance.store.write(|tx| tx.drop_run(run().id));
    assert_eq!(drop, Err(StoreError::Missing { table: "runs" }));
    Ok(())
}

pub(super) fn a_run_that_was_not_sealed_can_be_dropped(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let rows = run_with_records(tx)?;
        tx.drop_run(run().id)?;
        assert_eq!((tx.run(run().id)?, tx.records_of_run(run().id, 0, 10)?), (None, vec![]));
        for row in rows {
            assert_eq!(tx.runs_of_record(row.account, row.record)?, []);
        }
        Ok(())
    })
}
