//! What was destroyed, copy by copy, against the statements that are each about many copies.

use std::collections::{BTreeMap, BTreeSet};

use tenure_app::CopyFigure;
use tenure_receipts::{Receipt, Statement};

use super::{Hall, Stated};
use crate::DemoError;

/// A copy that is gone, with the receipt for that.
pub(super) struct Destroyed<'l> {
    pub(super) copy: &'l CopyFigure,
    pub(super) receipt: Receipt,
}

/// The receipt of every copy that is gone, each verified; and that no statement speaks of more copies.
pub(super) fn check<'l>(
    hall: &Hall<'l>,
    stated: &mut Stated,
    findings: &mut Vec<String>,
) -> Result<Vec<Destroyed<'l>>, DemoError> {
    let gone: Vec<&'l CopyFigure> = hall.gone();
    let destroyed = hall.each(&gone, |hall, copy| {
        let receipt = hall.tenure.receipt_of_destruction(copy.record, &copy.class, hall.now)?;
        Ok(Destroyed { copy, receipt })
    })?;
    let mut batches: BTreeMap<u64, Vec<&Destroyed<'_>>> = BTreeMap::new();
    for gone in &destroyed {
        batches.entry(gone.receipt.proof().index).or_default().push(gone);
    }
    let unproved = batches.values().filter(|batch| !is_proved(hall, batch)).count();
    if unproved > 0 {
        findings.push(format!("{unproved} destructions are not in the ledger copy by copy"));
    }
    if destroyed.len() != hall.log.gone.len() {
        findings.push("the ledger has another number of destroyed copies than were destroyed".to_owned());
    }
    stated.batches = batches.len() as u64;
    stated.copies = destroyed.len() as u64;
    Ok(destroyed)
}

/// Whether one statement, which the log holds, is about these copies and no others. Its receipts are of one
/// statement and one checkpoint, so what they share is verified once.
fn is_proved(hall: &Hall<'_>, batch: &[&Destroyed<'_>]) -> bool {
    let Some(first) = batch.first() else { return false };
    let Some(proved) = hall.proved(&first.receipt) else { return false };
    let Statement::CopiesShredded { count, root } = proved.stated.statement else { return false };
    let places: BTreeSet<u64> = batch
        .iter()
        .filter(|gone| gone.receipt.statement() == first.receipt.statement())
        .filter_map(|gone| Some((gone.copy, gone.receipt.item()?)))
        .filter(|(copy, proof)| {
            (&proof.item.record, &proof.item.class) == (&copy.record.to_string(), &copy.class)
                && proof.verify(count, &root.0)
        })
        .map(|(_, proof)| proof.index)
        .collect();
    batch.len() == places.len() && count == places.len() as u64
}
