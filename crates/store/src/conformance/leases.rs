//! Leases.

use super::{Instance, Outcome, sample};
use crate::StoreExt;

pub(super) fn one_holder_at_a_time_has_a_lease(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        assert_eq!(tx.lease("sweep")?, None);
        assert_eq!(tx.take_lease("sweep", "a", sample::at(1), sample::at(10))?, Some(1));
        assert_eq!(tx.take_lease("sweep", "b", sample::at(9), sample::at(20))?, None);
        assert_eq!(tx.take_lease("other", "b", sample::at(9), sample::at(20))?, Some(1));
        assert_eq!(tx.take_lease("sweep", "a", sample::at(9), sample::at(19))?, Some(1), "it is prolonged");
        Ok(())
    })
}

pub(super) fn a_lease_that_lapsed_or_was_ended_goes_to_the_next_with_a_new_token(
    instance: &Instance,
) -> Outcome {
    instance.store.write(|tx| {
        tx.take_lease("sweep", "a", sample::at(1), sample::at(10))?;
        assert_eq!(tx.take_lease("sweep", "b", sample::at(10), sample::at(20))?, Some(2));
        tx.end_lease("sweep", 1, sample::at(11))?;
        let held = tx.lease("sweep")?.map(|lease| (lease.holder, lease.token, lease.until));
        assert_eq!(held, Some(("b".to_owned(), 2, sample::at(20))), "a former holder ends nothing");
        tx.end_lease("sweep", 2, sample::at(11))?;
        assert_eq!(tx.take_lease("sweep", "a", sample::at(11), sample::at(30))?, Some(3));
        Ok(())
    })
}
