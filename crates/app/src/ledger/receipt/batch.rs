//! What the ledger states of a batch of copies, stage by stage, and what proves that one copy is meant.

use tenure_model::Instant;
use tenure_receipts::{Digest, Evidence, Item, ItemProof, Link, Receipt, Stated, path_of};
use tenure_store::{
    AccountRow, BatchId, BatchStage, CopyKey, CopyStage, ReadTx, RecordId, Seq, StatementRow, StoreExt as _,
};
use tenure_vault::ProofKey;

use super::super::{HOUSE, open_evidence, subject_of};
use crate::destroy::{destroyed_of, items_of};
use crate::filing::class_name;
use crate::{Error, Tenure};

/// How many statements are read at once. Those of one batch lie close to each other.
const SLICE: usize = 32;
/// How far back the announcement of a batch is looked for.
const BACK: usize = 64;

/// One statement of a batch, opened.
pub(crate) struct StageStated {
    /// What it says of the copies.
    pub(crate) stage: CopyStage,
    /// Where it is.
    pub(crate) seq: Seq,
    /// When it was received.
    pub(crate) at: Instant,
    link: Link,
    evidence: Evidence,
}

/// A batch whose keys are destroyed, as the ledger tells it.
pub(crate) struct BatchStated {
    keys: Vec<CopyKey>,
    items: Vec<Item>,
    blinded: Vec<[u8; 32]>,
    /// Its statements in the order of the stages. The announcement is among them only if it names these very copies.
    pub(crate) stages: Vec<StageStated>,
}

impl BatchStated {
    /// That a copy is among those that the statements are about.
    pub(crate) fn item(&self, key: CopyKey) -> Option<ItemProof> {
        let place = self.keys.iter().position(|of| *of == key)?;
        let (item, path) = self.items.get(place).cloned().zip(path_of(&self.blinded, place))?;
        Some(ItemProof { item, index: place as u64, path })
    }
}

/// Reads the statements of the house.
struct House {
    row: AccountRow,
    proof: ProofKey,
}

impl House {
    fn open(tenure: &Tenure, tx: &mut dyn ReadTx) -> Result<Self, Error> {
        let row = tx.account_by_id(None, HOUSE)?.ok_or(Error::NotInitialised)?;
        let proof = tenure.proof_key(&row)?;
        Ok(Self { row, proof })
    }

    fn read(
        &self,
        tx: &mut dyn ReadTx,
        stage: CopyStage,
        row: &StatementRow,
    ) -> Result<(StageStated, Option<Digest>), Error> {
        let before = row.previous.map(|before| tx.statement(before)).transpose()?.flatten();
        let previous = before.map_or([0; 32], |before| before.statement.commitment);
        let evidence = open_evidence(&self.row, &self.proof, &row.statement)?;
        let stated = Stated::read(&evidence.statement)?;
        let root = stated.statement.items().map(|(_, root)| *root);
        let link = Link { version: row.statement.version, previous };
        Ok((StageStated { stage, seq: row.seq, at: stated.at, link, evidence }, root))
    }

    /// The first of some statements that is about a root.
    fn find(
        &self,
        tx: &mut dyn ReadTx,
        stage: CopyStage,
        rows: &[StatementRow],
        wanted: &Digest,
    ) -> Result<Option<StageStated>, Error> {
        for row in rows {
            let (stated, root) = self.read(tx, stage, row)?;
            if root.as_ref() == Some(wanted) {
                return Ok(Some(stated));
            }
        }
        Ok(None)
    }

    /// The first statement of a kind after a place that is about a root.
    fn find_after(
        &self,
        tx: &mut dyn ReadTx,
        (stage, kind): (CopyStage, &str),
        mut after: Seq,
        wanted: &Digest,
    ) -> Result<Option<StageStated>, Error> {
        loop {
            let rows = tx.stated_after(kind, after, SLICE)?;
            let Some(last) = rows.last() else { return Ok(None) };
            after = last.seq;
            if let Some(found) = self.find(tx, stage, &rows, wanted)? {
                return Ok(Some(found));
            }
        }
    }
}

impl Tenure {
    /// What the ledger states of a batch; nothing before its keys are destroyed.
    pub(crate) fn stated_of_batch(
        &self,
        tx: &mut dyn ReadTx,
        id: BatchId,
    ) -> Result<Option<BatchStated>, Error> {
        let Some(batch) = tx.batch(id)? else { return Ok(None) };
        let reached = match batch.stage {
            BatchStage::Gathering | BatchStage::Sealed { .. } | BatchStage::Shredding { .. } => {
                return Ok(None);
            }
            BatchStage::Shredded { .. } => CopyStage::Shredded,
            BatchStage::Removed { .. } => CopyStage::Removed,
            BatchStage::Verified { .. } => CopyStage::Verified,
        };
        let Some(shredded) = batch.statement else { return Ok(None) };
        let keys = destroyed_of(tx, id)?;
        let items = items_of(&self.vault, &tx.classes()?, id, &keys);
        let blinded: Vec<_> = items.iter().map(Item::blind).collect();
        let root = Digest(tenure_receipts::root_of(&blinded));
        let house = House::open(self, tx)?;
        let rows = tx.stated_before("copies_sealed", shredded, BACK)?;
        let mut stages: Vec<_> = house.find(tx, CopyStage::Sealed, &rows, &root)?.into_iter().collect();
        let row = tx.statement(shredded)?.ok_or(Error::NotIntegrated)?;
        stages.push(house.read(tx, CopyStage::Shredded, &row)?.0);
        let mut after = shredded;
        for (stage, kind) in
            [(CopyStage::Removed, "copies_removed"), (CopyStage::Verified, "copies_verified")]
        {
            if stage > reached {
                break;
            }
            let Some(found) = house.find_after(tx, (stage, kind), after, &root)? else { break };
            after = found.seq;
            stages.push(found);
        }
        Ok(Some(BatchStated { keys, items, blinded, stages }))
    }

    /// The receipt of a statement of the operator, for one of its items or for none.
    pub(crate) fn receipt_of_stage(
        &self,
        stated: &StageStated,
        item: Option<ItemProof>,
        now: Instant,
    ) -> Result<Receipt, Error> {
        let house = self.store.read(|tx| tx.account_by_id(None, HOUSE)?.ok_or(Error::NotInitialised))?;
        let proof = self.prove(stated.seq, now)?;
        Ok(Receipt::new(subject_of(&house), stated.link, stated.evidence.clone(), item, proof)?)
    }

    /// The receipts for the destruction of a record's copy, one for each stage that the ledger states of it: the
    /// newest destruction, also if the copy lives again since.
    pub fn receipts_of_destruction(
        &self,
        record: RecordId,
        class: &str,
        now: Instant,
    ) -> Result<Vec<(CopyStage, Receipt)>, Error> {
        let (batch, key) = self.store.read(|tx| {
            let account = tx.record(record)?.ok_or(Error::UnknownRecord)?.account;
            let classes = tx.classes()?;
            let of_class = |key: CopyKey| class_name(&classes, key.class) == class;
            let destructions = tx.destructions_of(account, record)?;
            let newest = destructions.iter().rfind(|row| of_class(row.key));
            let newest = newest.ok_or_else(|| Error::Refused("this copy was not destroyed".to_owned()))?;
            let batch = self.stated_of_batch(tx, newest.batch)?.ok_or(Error::NotIntegrated)?;
            Ok::<_, Error>((batch, newest.key))
        })?;
        let item = batch.item(key).ok_or(Error::NotIntegrated)?;
        let each = batch
            .stages
            .iter()
            .map(|stated| Ok((stated.stage, self.receipt_of_stage(stated, Some(item.clone()), now)?)));
        each.collect()
    }
}
