//! What the integrity check finds and what it lets pass.

use super::{Instance, Outcome, sample};
use crate::{
    AccountKeys, ClassId, CopyRow, CopyState, Finding, NewAccount, PageId, PageState, RecordRow, SituationId,
    StoreError, StoreExt, Tx,
};

/// A little of everything, all of it in order.
fn everything(tx: &mut dyn Tx) -> Result<RecordRow, StoreError> {
    let page = PageId(sample::id(1));
    tx.open_page(page, &sample::shelf("ordinary"))?;
    tx.take_slots_on(page, 2)?;
    let keys = AccountKeys { account: Some(sample::wrap(1)), proof: None };
    let account = tx.insert_account(&NewAccount { keys, ..sample::new_account("a") })?;
    tx.insert_conversation(&sample::conversation(account, 1))?;
    let record = RecordRow { messages: 1, segments: 1, ..sample::record(account, 1, 1) };
    tx.insert_record(&record)?;
    tx.insert_messages(account, record.id, &[sample::message(0)])?;
    tx.insert_pack(&sample::pack(1))?;
    tx.insert_segments(account, record.id, &[sample::segment(0, 1)])?;
    let (class, situation) = (tx.intern_class("content")?, tx.intern_situation(b"s")?);
    let state = CopyState::Live { wrap: Some(sample::wrap(1)) };
    tx.insert_copy(&CopyRow { state, ..sample::fact_copy(&record, class, situation, 1) })?;
    tx.append_statement(&sample::statement(Some(account), 1, "decision"))?;
    Ok(record)
}

pub(super) fn a_store_in_use_is_sound(instance: &Instance) -> Outcome {
    assert_eq!(instance.store.integrity()?, []);
    instance.store.write(|tx| everything(tx).map(drop))?;
    assert_eq!(instance.store.integrity()?, []);
    Ok(())
}

pub(super) fn a_record_that_miscounts_is_found(instance: &Instance) -> Outcome {
    let record = instance.store.write(|tx| {
        let record = everything(tx)?;
        tx.set_record_counts(record.account, record.id, 7, 1)?;
        Ok::<_, StoreError>(record)
    })?;
    assert_eq!(instance.store.integrity()?, [Finding::RecordCounts(record.id)]);
    Ok(())
}

pub(super) fn slots_without_wraps_are_found(instance: &Instance) -> Outcome {
    let page = PageId(sample::id(1));
    instance.store.write(move |tx| {
        everything(tx)?;
        tx.take_slots_on(page, 3)
    })?;
    assert_eq!(instance.store.integrity()?, [Finding::PageCount { page, counted: 5, found: 2 }]);
    Ok(())
}

pub(super) fn wraps_on_a_destroyed_page_are_found(instance: &Instance) -> Outcome {
    let page = PageId(sample::id(1));
    instance.store.write(move |tx| {
        everything(tx)?;
        tx.set_page_state(page, PageState::Destroyed)
    })?;
    assert_eq!(instance.store.integrity()?, [Finding::WrapAdrift(page)]);
    Ok(())
}

pub(super) fn a_row_that_refers_to_nothing_is_refused(instance: &Instance) -> Outcome {
    let record = instance.store.write(everything)?;
    let copy = sample::fact_copy(&record, ClassId(99), SituationId(99), 1);
    let outcome: Outcome = instance.store.write(move |tx| tx.insert_copy(&copy));
    assert_eq!(outcome, Err(StoreError::Dangling));
    let alone = sample::record(record.account, 44, 44);
    let outcome: Outcome = instance.store.write(move |tx| tx.insert_record(&alone));
    assert_eq!(outcome, Err(StoreError::Dangling));
    let outcome: Outcome = instance
        .store
        .write(move |tx| tx.insert_segments(record.account, record.id, &[sample::segment(1, 44)]));
    assert_eq!(outcome, Err(StoreError::Missing { table: "packs" }));
    assert_eq!(instance.store.integrity()?, []);
    Ok(())
}

pub(super) fn scrubbing_succeeds_when_nobody_reads(instance: &Instance) -> Outcome {
    instance.store.write(|tx| everything(tx).map(drop))?;
    assert!(instance.store.scrub()?);
    Ok(())
}
