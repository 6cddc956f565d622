//! The right to read under holds, and what was read, against what the operator stated.

use std::collections::BTreeMap;

use tenure_model::Instant;
use tenure_receipts::{Stated, Statement};
use tenure_store::{HoldReaderRow, ReadTx, Seq, StatementRow, StoreExt as _};

use super::{Fault, Found};
use crate::{Error, Tenure};

/// What was stated of one reader of one hold: when the right was given, by which leaf, and when it was taken.
type Rights = BTreeMap<(String, String), Vec<(Seq, Instant, Option<Instant>)>>;

impl Tenure {
    /// Verifies that who may read under holds, and what was read, is in the store as it is in the ledger.
    pub(super) fn verify_readers(&self, found: &Found) -> Result<(), Error> {
        self.store.read(|tx| {
            let Ok(stated) = self.stated_by_house(tx, &["hold_reader", "hold_read"]) else {
                // One that can't be read is found by following the chains.
                return Ok(());
            };
            let (mut rights, classes) = (Rights::new(), tx.classes()?);
            for (row, stated) in stated {
                match stated {
                    Stated { at, statement: Statement::HoldReader { hold, reader, may_read }, .. } => {
                        let given = rights.entry((hold, reader)).or_default();
                        match given.last_mut().filter(|(.., until)| !may_read && until.is_none()) {
                            Some((.., until)) => *until = Some(at),
                            None => given.push((row.seq, at, None)),
                        }
                    }
                    Stated { statement: Statement::HoldRead { count, root, .. }, .. } => {
                        let StatementRow { seq, statement, .. } = row;
                        let copies = tx.hold_read(seq)?;
                        let there = self.root_of_read(&classes, statement.version, &copies);
                        if (copies.len() as u64, there) != (count, root) {
                            let what = format!("what leaf {} says was read under a hold", seq.0);
                            found.add(Fault::Unstated { what });
                        }
                    }
                    _ => {}
                }
            }
            compare(tx, rights, found)
        })
    }
}

fn compare(tx: &mut dyn ReadTx, mut rights: Rights, found: &Found) -> Result<(), Error> {
    let mut holds: Vec<String> = tx.holds()?.into_iter().map(|row| row.id).collect();
    holds.dedup();
    for hold in holds {
        let mut there: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for HoldReaderRow { reader, given, since, until, .. } in tx.hold_readers(&hold)? {
            there.entry(reader).or_default().push((given, since, until));
        }
        for (reader, rows) in there {
            if rights.remove(&(hold.clone(), reader)) != Some(rows) {
                found.add(Fault::Unstated { what: format!("who may read under hold `{hold}`") });
            }
        }
    }
    for (hold, _) in rights.keys() {
        found.add(Fault::Missing { what: format!("a reader of hold `{hold}`") });
    }
    Ok(())
}
