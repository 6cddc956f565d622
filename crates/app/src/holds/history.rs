//! What the ledger says of holds: the dates that orders bear, and who read.

use std::collections::BTreeMap;

use tenure_model::Instant;
use tenure_receipts::{Stated, Statement};
use tenure_store::{AccountRow, ReadTx, StatementRow, StoreExt as _};

use crate::ledger::{HOUSE, read_statement};
use crate::{Error, Tenure};

/// The kinds of statement by which a hold changes.
const ORDERS: [&str; 3] = ["hold_placed", "hold_amended", "hold_released"];

/// A statement of the operator, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorStatement {
    /// Its leaf in the log.
    pub leaf: u64,
    /// When it was received.
    pub at: Instant,
    /// What it says.
    pub statement: Statement,
}

/// The dates that the orders of a hold bear.
#[derive(Debug, Default)]
pub(super) struct Dates {
    /// Of each version, the first one first.
    pub(super) versions: Vec<Option<Instant>>,
    /// Of the release.
    pub(super) release: Option<Instant>,
}

impl Tenure {
    /// What the operator stated, of some kinds, or of all if none is named, in the order of the ledger.
    pub fn operator_statements(&self, kinds: &[&str]) -> Result<Vec<OperatorStatement>, Error> {
        let stated = self.store.read(|tx| self.stated_by_house(tx, kinds))?;
        let statement = |(row, stated): (StatementRow, Stated)| OperatorStatement {
            leaf: u64::try_from(row.seq.0).unwrap_or(u64::MAX),
            at: stated.at,
            statement: stated.statement,
        };
        Ok(stated.into_iter().map(statement).collect())
    }

    /// The operator's statements of some kinds, with their rows.
    pub(crate) fn stated_by_house(
        &self,
        tx: &mut dyn ReadTx,
        kinds: &[&str],
    ) -> Result<Vec<(StatementRow, Stated)>, Error> {
        let house = house(tx)?;
        let proof = self.proof_key(&house)?;
        let open = |row: StatementRow| {
            let stated = read_statement(&house, &proof, &row.statement)?;
            Ok((row, stated))
        };
        tx.statements_of(house.key, kinds)?.into_iter().map(open).collect()
    }

    /// The dates that orders bear, by hold.
    pub(super) fn dates(&self, tx: &mut dyn ReadTx) -> Result<BTreeMap<String, Dates>, Error> {
        let mut dates: BTreeMap<String, Dates> = BTreeMap::new();
        for (_, stated) in self.stated_by_house(tx, &ORDERS)? {
            match stated.statement {
                Statement::HoldPlaced { hold, dated, .. } | Statement::HoldAmended { hold, dated, .. } => {
                    dates.entry(hold).or_default().versions.push(dated);
                }
                Statement::HoldReleased { hold, dated } => dates.entry(hold).or_default().release = dated,
                _ => {}
            }
        }
        Ok(dates)
    }
}

/// The account that speaks for the operator.
pub(crate) fn house(tx: &mut dyn ReadTx) -> Result<AccountRow, Error> {
    tx.account_by_id(None, HOUSE)?.ok_or(Error::NotInitialised)
}
