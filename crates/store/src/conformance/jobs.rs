//! Jobs and snapshots.

use super::{Instance, Outcome, sample};
use crate::{ReadTx, StoreError, StoreExt};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

pub(super) fn what_was_answered_survives_a_power_loss(instance: &Instance) -> Outcome {
    for number in 0..20 {
        let key = format!("k{number}");
        let written = key.clone();
        instance.store.write(move |tx| tx.set_meta(&written, "there"))?;
        let later = (instance.after_power_loss)();
        assert_eq!(later.read(|tx| tx.meta(&key))?.as_deref(), Some("there"));
    }
    Ok(())
}

pub(super) fn a_job_that_fails_takes_nothing_else_along(instance: &Instance) -> Outcome {
    let store = &instance.store;
    let before = store.write_later(|tx| tx.set_meta("before", "1"))?;
    let failing = store.write_later(|tx| {
        tx.set_meta("failing", "1")?;
        tx.insert_account(&sample::new_account("twice"))?;
        tx.insert_account(&sample::new_account("twice"))
    })?;
    let after = store.write_later(|tx| tx.set_meta("after", "1"))?;
    before.wait()?;
    assert!(matches!(failing.wait(), Err(StoreError::Conflict { .. })));
    after.wait()?;
    store.read(|tx| {
        assert!(tx.meta("before")?.is_some() && tx.meta("after")?.is_some());
        assert_eq!(tx.meta("failing")?, None);
        assert_eq!(tx.account_by_id(None, "twice")?, None);
        Ok(())
    })
}

pub(super) fn a_job_that_panics_is_rolled_back_and_the_writer_lives(instance: &Instance) -> Outcome {
    let store = &instance.store;
    let outcome: Result<(), StoreError> = store.write(|tx| {
        tx.set_meta("panicking", "1")?;
        // Unwinds like a panic, without the message on the test's output.
        std::panic::resume_unwind(Box::new("on purpose"))
    });
    assert_eq!(outcome, Err(StoreError::Panicked));
    store.write(|tx| tx.set_meta("next", "1"))?;
    store.read(|tx| {
        assert_eq!((tx.meta("panicking")?, tx.meta("next")?.as_deref()), (None, Some("1")));
        Ok(())
    })
}

pub(super) fn a_job_reads_what_it_wrote_and_gives_its_value(instance: &Instance) -> Outcome {
    // What only reads takes a `ReadTx`, and a job can call it with its own `Tx`.
    fn look(tx: &mut dyn ReadTx) -> Result<Option<String>, StoreError> {
        tx.meta("own")
    }
    let seen = instance.store.write(|tx| {
        tx.set_meta("own", "write")?;
        look(tx)
    })?;
    assert_eq!(instance.store.read(|tx| look(tx))?, seen);
    assert_eq!(seen.as_deref(), Some("write"));
    Ok(())
}

pub(super) fn a_snapshot_does_not_move(instance: &Instance) -> Outcome {
    let store = &instance.store;
    store.write(|tx| tx.set_meta("state", "old"))?;
    store.read(|tx| {
        store.write(|tx| tx.set_meta("state", "new"))?;
        assert_eq!(tx.meta("state")?.as_deref(), Some("old"));
        Ok::<_, StoreError>(())
    })?;
    assert_eq!(store.read(|tx| tx.meta("state"))?.as_deref(), Some("new"));
    Ok(())
}

pub(super) fn no_reader_sees_half_of_a_job(instance: &Instance) -> Outcome {
    let store = &instance.store;
    let done = AtomicBool::new(false);
    let (looked, written) = std::thread::scope(|scope| {
        let readers = [(); 3].map(|()| {
            scope.spawn(|| {
                let mut seen = 0_u32;
                while !done.load(Ordering::SeqCst) {
                    let (left, right) = store.read(|tx| -> Result<_, StoreError> {
                        let left = tx.meta("left")?;
                        std::thread::yield_now();
                        Ok((left, tx.meta("right")?))
                    })?;
                    assert_eq!(left, right, "a snapshot shows one job's first write and not its second");
                    seen += 1;
                }
                Ok::<_, StoreError>(seen)
            })
        });
        let written = (0..400).try_for_each(|number| {
            store.write(move |tx| {
                tx.set_meta("left", &number.to_string())?;
                tx.set_meta("right", &number.to_string())
            })
        });
        done.store(true, Ordering::SeqCst);
        (readers.map(|reader| reader.join().unwrap_or(Err(StoreError::Panicked))), written)
    });
    written?;
    for seen in looked {
        assert!(seen? > 0);
    }
    Ok(())
}

pub(super) fn sixteen_threads_write_and_nothing_is_lost(instance: &Instance) -> Outcome {
    const EACH: u64 = 50;
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16_u64)
            .map(|thread| {
                let store = &instance.store;
                scope.spawn(move || {
                    (0..EACH).try_for_each(|number| {
                        let record =
                            store.write(move |tx| sample::open_record(tx, thread * EACH + number))?;
                        let found = store.read(|tx| tx.record(record.id))?;
                        assert_eq!(found, Some(record), "an answered write is not readable");
                        Ok(())
                    })
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(StoreError::Panicked))).collect()
    });
    outcomes.into_iter().collect::<Outcome>()?;
    let totals = instance.store.read(|tx| tx.totals())?;
    assert_eq!((totals.accounts, totals.records), (16 * EACH, 16 * EACH));
    Ok(())
}

pub(super) fn jobs_are_applied_in_the_order_in_which_one_thread_submits_them(instance: &Instance) -> Outcome {
    let (seen, order) = mpsc::channel();
    let mut pending = Vec::new();
    for number in 0..600_u32 {
        let seen = seen.clone();
        pending.push(instance.store.write_later(move |tx| {
            tx.set_meta("last", &number.to_string())?;
            seen.send(number).map_err(|_| StoreError::Aborted)
        })?);
    }
    pending.into_iter().try_for_each(crate::Pending::wait)?;
    drop(seen);
    assert!(order.iter().eq(0..600));
    assert_eq!(instance.store.read(|tx| tx.meta("last"))?.as_deref(), Some("599"));
    Ok(())
}

pub(super) fn a_snapshot_may_be_taken_within_a_snapshot(instance: &Instance) -> Outcome {
    fn nested(instance: &Instance, depth: u32) -> Outcome {
        instance.store.read(|tx| {
            tx.meta("any")?;
            if depth == 0 { Ok(()) } else { nested(instance, depth - 1) }
        })
    }
    nested(instance, 12)
}
