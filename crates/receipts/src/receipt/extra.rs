//! What a receipt adds to a proof: canonical JSON (RFC 8785).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tenure_tlog::proof::TlogProof;

use super::{Receipt, ReceiptError};
use crate::{Digest, Item, ItemProof, Link, Opening};

/// The version of this form.
const VERSION: u8 = 1;
/// No tree of up to 2^64 items has a longer path.
const MAX_PATH: usize = 64;

// The fields of both are in the order of their names, as the canonical form wants it; strings and whole
// numbers are written by `serde_json` as RFC 8785 writes them.

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extra<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    item: Option<ExtraItem<'a>>,
    opening: Digest,
    #[serde(borrow)]
    organisation: Option<Cow<'a, str>>,
    previous: Digest,
    #[serde(borrow)]
    statement: Cow<'a, str>,
    v: u8,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtraItem<'a> {
    #[serde(borrow)]
    class: Cow<'a, str>,
    index: u64,
    opening: Digest,
    path: Vec<Digest>,
    #[serde(borrow)]
    record: Cow<'a, str>,
}

impl Receipt {
    /// The bytes of `extra`.
    pub(super) fn extra(&self) -> Result<Vec<u8>, ReceiptError> {
        let item = self.item.as_ref().map(|proof| ExtraItem {
            class: Cow::Borrowed(&proof.item.class),
            index: proof.index,
            opening: Digest(proof.item.opening.0),
            path: proof.path.iter().copied().map(Digest).collect(),
            record: Cow::Borrowed(&proof.item.record),
        });
        let extra = Extra {
            account: Cow::Borrowed(&self.account),
            item,
            opening: Digest(self.opening.0),
            organisation: self.organisation.as_deref().map(Cow::Borrowed),
            previous: Digest(self.link.previous),
            statement: Cow::Borrowed(&self.statement),
            v: VERSION,
            version: self.link.version,
        };
        serde_json::to_vec(&extra).map_err(|_| ReceiptError::Extra)
    }

    /// The receipt that a proof is, if its `extra` is that of one.
    pub(super) fn of_proof(proof: TlogProof) -> Option<Self> {
        let extra: Extra<'_> = serde_json::from_slice(&proof.extra).ok()?;
        let one_spelling = serde_json::to_vec(&extra).is_ok_and(|bytes| bytes == proof.extra);
        let named = extra.organisation.as_ref().is_none_or(|name| !name.is_empty());
        let short = extra.item.as_ref().is_none_or(|item| item.path.len() <= MAX_PATH);
        if extra.v != VERSION || !one_spelling || !named || !short {
            return None;
        }
        let item = extra.item.map(|item| ItemProof {
            item: Item {
                opening: Opening(item.opening.0),
                record: item.record.into_owned(),
                class: item.class.into_owned(),
            },
            index: item.index,
            path: item.path.into_iter().map(|hash| hash.0).collect(),
        });
        Some(Self {
            organisation: extra.organisation.map(Cow::into_owned),
            account: extra.account.into_owned(),
            link: Link { version: extra.version, previous: extra.previous.0 },
            opening: Opening(extra.opening.0),
            statement: extra.statement.into_owned(),
            item,
            proof,
        })
    }
}
