//! Lists of what an account has, a slice at a time, each going on where the one before it ended.

use serde::Serialize;
use tenure_model::{Instant, Kind, Mode};
use tenure_receipts::{Link, Receipt, Stated};
use tenure_store::{AccountRow, CopyStage, RecordId, StoreExt as _};

use crate::accounts::account_of;
use crate::explain::Sight;
use crate::record::{Reader, With};
use crate::{Error, Tenure};

/// A slice of a list, and whether it goes on.
#[derive(Debug, Clone)]
pub struct Slice<T, P> {
    /// What is in it.
    pub items: Vec<T>,
    /// After what the next one begins; nothing where the list has ended.
    pub next: Option<P>,
}

/// A record as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedRecord {
    /// The record.
    pub record: String,
    /// The conversation that it is a part of.
    pub conversation: String,
    /// The surface.
    pub surface: String,
    /// Chat or code.
    pub kind: Kind,
    /// How it was sent.
    pub mode: Mode,
    /// When it was created.
    pub created_at: Instant,
    /// Its own last activity.
    pub last_activity_at: Instant,
    /// When its person deleted it.
    pub deleted_at: Option<Instant>,
    /// The classes of which a copy is kept.
    pub kept: Vec<String>,
}

/// A receipt, and what it is for.
#[derive(Debug, Clone)]
pub struct ListedReceipt {
    /// Its place in the account's chain.
    pub version: u64,
    /// Its leaf in the log.
    pub leaf: u64,
    /// When the statement was received, and what it says.
    pub stated: Stated,
    /// The receipt.
    pub receipt: Receipt,
}

impl Tenure {
    /// Records of an account by id, after one. Whoever may be told only what the person may does not see those of
    /// which nothing is kept but what nobody may be told of.
    pub fn list_records(
        &self,
        account: &str,
        sight: Sight,
        (after, limit): (Option<RecordId>, usize),
        now: Instant,
    ) -> Result<Slice<ListedRecord, RecordId>, Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let row = account_of(tx, account)?;
            let person = self.person(tx, row)?;
            let rows = tx.records_of(person.row.key, after, limit)?;
            let next = rows.last().filter(|_| rows.len() >= limit).map(|row| row.id);
            let (orders, classes) = (crate::explain::tellable(tx)?, tx.classes()?);
            let mut reader = Reader::new(&policies, &person);
            let mut items = Vec::with_capacity(rows.len());
            for row in rows {
                let copies = tx.copies_of_record(row.account, row.id)?;
                let loaded = reader.load(tx, row, With::Nothing)?;
                let mut kept: Vec<String> = match sight {
                    Sight::Told => {
                        let told =
                            crate::explain::tell(&person, &loaded, &orders, &classes, &copies, now).kept;
                        told.into_iter().map(|copy| copy.class).collect()
                    }
                    Sight::Whole => {
                        let live = copies.iter().filter(|copy| copy.state.stage() == CopyStage::Live);
                        live.map(|copy| crate::filing::class_name(&classes, copy.key.class).to_owned())
                            .collect()
                    }
                };
                if kept.is_empty() && sight == Sight::Told {
                    continue;
                }
                kept.sort_unstable();
                let row = &loaded.row;
                items.push(ListedRecord {
                    record: row.id.to_string(),
                    conversation: row.conversation.to_string(),
                    surface: row.surface.clone(),
                    kind: row.kind,
                    mode: row.mode,
                    created_at: row.created_at,
                    last_activity_at: row.facts.last_activity_at,
                    deleted_at: row.facts.deleted_at.filter(|deleted| *deleted <= now),
                    kept,
                });
            }
            Ok(Slice { items, next })
        })
    }

    /// Whose a record is.
    pub fn owner_of(&self, record: RecordId) -> Result<AccountRow, Error> {
        self.store.read(|tx| {
            let row = tx.record(record)?.ok_or(Error::UnknownRecord)?;
            tx.account(row.account)?.ok_or(Error::UnknownRecord)
        })
    }

    /// Receipts of an account's statements in the order of its chain, after a place in it.
    ///
    /// # Errors
    /// [`Error::ProofDestroyed`] once the evidence of a closed account is gone.
    pub fn list_receipts(
        &self,
        account: &str,
        (after, limit): (u64, usize),
        now: Instant,
    ) -> Result<Slice<ListedReceipt, u64>, Error> {
        let (row, statements) = self.store.read(|tx| {
            let row = account_of(tx, account)?;
            let statements = tx.statements_of(row.key, &[])?;
            Ok::<_, Error>((row, statements))
        })?;
        let before = statements.iter().rev().find(|row| row.statement.version <= after);
        let mut previous = before.map_or([0; 32], |row| row.statement.commitment);
        let rest: Vec<_> = statements.iter().filter(|row| row.statement.version > after).collect();
        let mut items = Vec::with_capacity(rest.len().min(limit));
        for statement in rest.iter().take(limit) {
            let link = Link { version: statement.statement.version, previous };
            previous = statement.statement.commitment;
            let receipt = self.receipt_of(&row, statement, link, None, now)?;
            items.push(ListedReceipt {
                version: link.version,
                leaf: receipt.proof().index,
                stated: Stated::read(receipt.statement())?,
                receipt,
            });
        }
        let next = items.last().filter(|_| rest.len() > limit).map(|last| last.version);
        Ok(Slice { items, next })
    }
}
