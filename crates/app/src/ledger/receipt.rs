//! Receipts: a statement with all that proves it, for its person.

mod batch;

use tenure_model::Instant;
use tenure_receipts::{Item, ItemProof, Link, Receipt, path_of};
use tenure_store::{AccountRow, ReadTx, RecordId, Seq, StatementRow, StoreExt as _};
use tenure_tlog::proof::TlogProof;

use super::{Draft, HOUSE, open_evidence, subject_of};
use crate::accounts::account_of;
use crate::destroy::{destroyed_of, items_of};
use crate::filing::class_name;
use crate::{Error, Tenure};

pub(crate) use batch::BatchStated;

impl Tenure {
    /// The receipt of a statement that was appended just now.
    pub(crate) fn receipt_of_draft(
        &self,
        account: &AccountRow,
        draft: Draft,
        seq: Seq,
        now: Instant,
    ) -> Result<Receipt, Error> {
        let proof = self.prove(seq, now)?;
        Ok(Receipt::new(subject_of(account), draft.link, draft.evidence, None, proof)?)
    }

    /// The receipts of an account's statements, in the order of its chain.
    ///
    /// # Errors
    /// [`Error::ProofDestroyed`] once the evidence of a closed account is gone.
    pub fn receipts(&self, account: &str, now: Instant) -> Result<Vec<Receipt>, Error> {
        let unplaced = self.store.read(|tx| {
            let row = account_of(tx, account)?;
            let newest = tx.unplaced_of(row.key, &[])?.pop();
            Ok::<_, Error>(newest.map(|newest| (row.key, newest.version)))
        })?;
        if let Some((account, version)) = unplaced {
            // The newest gets its place after all that come before it in the chain.
            self.store.place_of(account, version)?;
        }
        let (row, statements) = self.store.read(|tx| {
            let row = account_of(tx, account)?;
            let statements = tx.statements_of(row.key, &[])?;
            Ok::<_, Error>((row, statements))
        })?;
        let mut previous = [0; 32];
        let mut receipts = Vec::with_capacity(statements.len());
        for statement in &statements {
            let link = Link { version: statement.statement.version, previous };
            previous = statement.statement.commitment;
            receipts.push(self.receipt_of(&row, statement, link, None, now)?);
        }
        Ok(receipts)
    }

    /// The receipt for the destruction of a record's copy: what the operator stated of many copies at once,
    /// and that this one is among them. It is that of the newest one, also if the copy lives again since.
    pub fn receipt_of_destruction(
        &self,
        record: RecordId,
        class: &str,
        now: Instant,
    ) -> Result<Receipt, Error> {
        let (house, statement, link, item) = self.store.read(|tx| {
            let (seq, item) = self.find_destruction(tx, record, class)?;
            let house = tx.account_by_id(None, HOUSE)?.ok_or(Error::NotInitialised)?;
            let statement = tx.statement(seq)?.ok_or(Error::NotIntegrated)?;
            let version = statement.statement.version;
            let before = statement.previous.map(|before| tx.statement(before)).transpose()?.flatten();
            let previous = before.map_or([0; 32], |before| before.statement.commitment);
            Ok::<_, Error>((house, statement, Link { version, previous }, item))
        })?;
        self.receipt_of(&house, &statement, link, Some(item), now)
    }

    /// What the ledger states of the newest destruction of a copy, and where among the items the copy is.
    fn find_destruction(
        &self,
        tx: &mut dyn ReadTx,
        record: RecordId,
        class: &str,
    ) -> Result<(Seq, ItemProof), Error> {
        let account = tx.record(record)?.ok_or(Error::UnknownRecord)?.account;
        let classes = tx.classes()?;
        let is_of_class = |id| class_name(&classes, id) == class;
        let destructions = tx.destructions_of(account, record)?;
        let Some(newest) = destructions.iter().rfind(|row| is_of_class(row.key.class)) else {
            let copies = tx.copies_of_record(account, record)?;
            let is_there = copies.iter().any(|copy| is_of_class(copy.key.class));
            return Err(if is_there {
                Error::Refused("this copy was not destroyed".to_owned())
            } else {
                Error::UnknownRecord
            });
        };
        let seq = tx.batch(newest.batch)?.and_then(|batch| batch.statement).ok_or(Error::NotIntegrated)?;
        let named = destroyed_of(tx, newest.batch)?;
        let place = named.iter().position(|key| *key == newest.key).ok_or(Error::NotIntegrated)?;
        let items = items_of(&self.vault, &classes, newest.batch, &named);
        let blinded: Vec<_> = items.iter().map(Item::blind).collect();
        let (item, path) =
            items.into_iter().nth(place).zip(path_of(&blinded, place)).ok_or(Error::NotIntegrated)?;
        Ok((seq, ItemProof { item, index: place as u64, path }))
    }

    pub(crate) fn receipt_of(
        &self,
        account: &AccountRow,
        row: &StatementRow,
        link: Link,
        item: Option<ItemProof>,
        now: Instant,
    ) -> Result<Receipt, Error> {
        let evidence = open_evidence(account, &self.proof_key(account)?, &row.statement)?;
        Ok(Receipt::new(subject_of(account), link, evidence, item, self.prove(row.seq, now)?)?)
    }

    /// The proof that a leaf is in the log, which says nothing of what the leaf is.
    ///
    /// # Errors
    /// [`Error::UnknownLeaf`] while the log is shorter.
    pub fn prove_leaf(&self, leaf: u64, now: Instant) -> Result<TlogProof, Error> {
        let seq = i64::try_from(leaf).map_err(|_| Error::UnknownLeaf)?;
        if leaf >= self.store.head().size {
            return Err(Error::UnknownLeaf);
        }
        self.prove(Seq(seq), now)
    }

    pub(super) fn prove(&self, seq: Seq, now: Instant) -> Result<TlogProof, Error> {
        let checkpoint = self.checkpoint_over(seq, now)?;
        let path = self.store.prove_inclusion(seq, checkpoint.checkpoint().size())?;
        let index = u64::try_from(seq.0).map_err(|_| Error::NotIntegrated)?;
        Ok(TlogProof { extra: Vec::new(), index, path, checkpoint: (*checkpoint).clone() })
    }
}
