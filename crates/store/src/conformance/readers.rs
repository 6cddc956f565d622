//! Who may read under holds, and what they read.

use super::{Instance, Outcome, sample};
use crate::{HoldReaderRow, Seq, StoreError, StoreExt as _};

fn reader(name: &str, given: Seq) -> HoldReaderRow {
    HoldReaderRow { hold: "h1".to_owned(), reader: name.to_owned(), given, since: sample::at(1), until: None }
}

pub(super) fn the_right_to_read_is_given_taken_and_given_again(instance: &Instance) -> Outcome {
    let [one, two, three] = instance.store.write(|tx| {
        let account = sample::open_record(tx, 1)?.account;
        let mut state =
            |version| tx.append_statement(&sample::statement(Some(account), version, "hold_reader"));
        Ok::<_, StoreError>([state(1)?, state(2)?, state(3)?])
    })?;
    instance.store.write(move |tx| {
        tx.add_hold_reader(&reader("counsel", one))?;
        tx.add_hold_reader(&reader("auditor", two))?;
        assert_eq!(tx.hold_readers("h1")?, [reader("counsel", one), reader("auditor", two)]);
        assert!(tx.hold_readers("h2")?.is_empty());
        Ok::<_, StoreError>(())
    })?;
    let twice: Outcome = instance.store.write(move |tx| tx.add_hold_reader(&reader("counsel", three)));
    assert!(matches!(twice, Err(StoreError::Conflict { .. })), "{twice:?}");
    instance.store.write(move |tx| {
        tx.end_hold_reader("h1", "counsel", sample::at(5))?;
        assert_eq!(
            tx.end_hold_reader("h1", "counsel", sample::at(6)),
            Err(StoreError::Missing { table: "hold_readers" })
        );
        tx.add_hold_reader(&reader("counsel", three))?;
        let ended = HoldReaderRow { until: Some(sample::at(5)), ..reader("counsel", one) };
        assert_eq!(tx.hold_readers("h1")?, [ended, reader("auditor", two), reader("counsel", three)]);
        Ok(())
    })
}

pub(super) fn an_access_names_once_what_it_reads(instance: &Instance) -> Outcome {
    let (seq, copies) = instance.store.write(|tx| {
        let copies: Vec<_> =
            sample::filed_copies(tx, "a1", 1..3, |_| 1)?.iter().rev().map(|copy| copy.key).collect();
        let account = copies.first().map(|copy| copy.account);
        let seq = tx.append_statement(&sample::statement(account, 1, "hold_read"))?;
        tx.insert_hold_read(seq, &copies)?;
        assert_eq!(tx.hold_read(seq)?, copies);
        assert!(tx.hold_read(Seq(seq.0 + 1))?.is_empty());
        Ok::<_, StoreError>((seq, copies))
    })?;
    let again: Outcome = instance.store.write(move |tx| tx.insert_hold_read(seq, &copies));
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    Ok(())
}
