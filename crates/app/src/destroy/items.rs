//! The copies of a batch as the items of a statement.

use tenure_receipts::{Digest, Item, Opening, root_of};
use tenure_store::{BatchId, ClassId, CopyKey, CopyRow, ReadTx};

use crate::filing::class_name;
use crate::{Error, Tenure};

/// How many rows are read at once.
const SLICE: usize = 1_000;

impl Tenure {
    /// The root over a batch's items.
    pub(crate) fn root_of(
        &self,
        classes: &[(ClassId, String)],
        batch: BatchId,
        copies: &[CopyKey],
    ) -> Digest {
        let items = items_of(&self.vault, classes, batch, copies);
        Digest(root_of(&items.iter().map(Item::blind).collect::<Vec<_>>()))
    }
}

/// Copies of a batch as items of a statement. What opens an item is a MAC whose key lies in the key folder, so
/// that it need not be stored and nobody else can make it.
pub(crate) fn items_of(
    vault: &tenure_vault::Vault,
    classes: &[(ClassId, String)],
    batch: BatchId,
    copies: &[CopyKey],
) -> Vec<Item> {
    let item = |copy: &CopyKey| {
        let CopyKey { account, record, class } = *copy;
        let parts: [&[u8]; 5] =
            [b"item", &batch.0.to_be_bytes(), &account.0.to_be_bytes(), &record.0, &class.0.to_be_bytes()];
        Item {
            opening: Opening(vault.identify(&parts)),
            record: record.to_string(),
            class: class_name(classes, class).to_owned(),
        }
    };
    copies.iter().map(item).collect()
}

/// The copies that are in a batch now.
pub(crate) fn copies_of(tx: &mut dyn ReadTx, batch: BatchId) -> Result<Vec<CopyRow>, Error> {
    let (mut copies, mut after) = (Vec::new(), None);
    loop {
        let slice = tx.copies_of_batch(batch, after, SLICE)?;
        let Some(last) = slice.last() else { return Ok(copies) };
        after = Some(last.key);
        copies.extend(slice);
    }
}

/// The copies that a batch's destruction names, in the order of its items.
pub(crate) fn destroyed_of(tx: &mut dyn ReadTx, batch: BatchId) -> Result<Vec<CopyKey>, Error> {
    let (mut copies, mut after) = (Vec::new(), None);
    loop {
        let slice = tx.destroyed_of(batch, after, SLICE)?;
        let Some(last) = slice.last() else { return Ok(copies) };
        after = Some(last.place);
        copies.extend(slice.iter().map(|row| row.key));
    }
}
