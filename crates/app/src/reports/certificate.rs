//! Certificates of erasure: what became of each copy of a record or of an account, with what proves it.
//!
//! One statement of the ledger is about many copies of many people. A certificate has each such statement once, with
//! its receipt, and of each copy what shows that it is one of those: together they are the receipt of that copy.
//! Other people's copies are in it as blinded hashes alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tenure_model::Instant;
use tenure_receipts::{Digest, Evidence, Item, ItemProof, Opening, Receipt, ReceiptError};
use tenure_store::{BatchId, CopyKey, CopyRow, ReadTx, RecordId, RecordRow, StoreExt as _};

use super::SLICE;
use super::ageing::AgeingOut;
use super::fate::{Orders, fate};
use crate::accounts::account_of;
use crate::filing::class_name;
use crate::ledger::BatchStated;
use crate::person::Person;
use crate::record::{Reader, With};
use crate::{Error, Tenure};

/// The form of certificates that is written here.
pub const FORM: &str = "tenure/erasure-certificate/v1";

/// What a certificate is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The copies of one record.
    Record(String),
    /// Everything that an account has or had.
    Account(String),
}

/// What became of copies, with what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The form.
    pub form: String,
    /// The instant of what is said.
    pub at: Instant,
    /// What it is about.
    pub of: Of,
    /// The log's name.
    pub log: String,
    /// The log as it was signed then: a signed note.
    pub checkpoint: String,
    /// Whether the account's decisions, and what proves them, are destroyed too.
    pub evidence_destroyed: bool,
    /// The copies that there are or were.
    pub copies: Vec<ToldFate>,
    /// The statements that the copies name, each with its receipt.
    pub statements: Vec<CertifiedStatement>,
    /// What still holds something of what was destroyed.
    pub ageing_out: AgeingOut,
}

/// A copy and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldFate {
    /// The record.
    pub record: String,
    /// The class.
    pub class: String,
    /// The surface.
    pub surface: String,
    /// When the copy was made.
    pub made_at: Instant,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fated,
}

/// What became of a copy, as far as its person may be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fated {
    /// The terms keep it.
    Kept {
        /// The reasons that the terms give.
        because: Vec<String>,
        /// Until when; nothing where there is no end.
        until: Option<Instant>,
        /// Since when an order keeps it too.
        under_order_since: Option<Instant>,
    },
    /// Only an order keeps it.
    UnderOrder {
        /// Since when.
        since: Instant,
    },
    /// It lost its basis and rests until it is destroyed; a basis that comes back ends that.
    Quarantined {
        /// Until when.
        until: Instant,
    },
    /// Nothing keeps it but the time that is left of an earlier promise.
    Waits {
        /// Until when.
        until: Instant,
    },
    /// It waits to be destroyed.
    Due,
    /// Its end is decided, and its key is about to be destroyed.
    UnderWay {
        /// Why it goes.
        why: String,
        /// Since when it had to be gone.
        due_at: Instant,
        /// When its end was decided.
        sealed_at: Instant,
    },
    /// Its key is destroyed: nothing opens it.
    Destroyed {
        /// Why it went.
        why: String,
        /// Since when it had to be gone.
        due_at: Instant,
        /// How far that has come.
        stages: Vec<StageTold>,
        /// What shows that the statements of the stages are about this copy.
        item: Option<CertifiedItem>,
    },
}

/// A stage of destruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTold {
    /// The stage: sealed, shredded, removed or verified.
    pub stage: String,
    /// When.
    pub at: Instant,
    /// The place in the log of the statement that says so of this very copy; nothing where none does.
    pub leaf: Option<u64>,
}

/// That a copy is one of those that a statement is about. Hashes are written in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertifiedItem {
    /// What opens the item.
    pub opening: String,
    /// Its place.
    pub index: u64,
    /// The path to the statement's root.
    pub path: Vec<String>,
}

/// A statement of the operator about many copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertifiedStatement {
    /// Its place in the log.
    pub leaf: u64,
    /// Its receipt, which names no copy.
    pub receipt: String,
}

impl From<&ItemProof> for CertifiedItem {
    fn from(proof: &ItemProof) -> Self {
        let hex = |hash: &[u8; 32]| Digest(*hash).to_string();
        Self {
            opening: hex(&proof.item.opening.0),
            index: proof.index,
            path: proof.path.iter().map(hex).collect(),
        }
    }
}

impl Certificate {
    /// The receipt that shows what a statement says of one copy; nothing if this certificate has none such, or one
    /// that can't be read.
    pub fn receipt_of(&self, copy: &ToldFate, leaf: u64) -> Option<Result<Receipt, ReceiptError>> {
        let Fated::Destroyed { item: Some(item), .. } = &copy.fate else { return None };
        let statement = self.statements.iter().find(|statement| statement.leaf == leaf)?;
        let hash = |text: &String| Some(text.parse::<Digest>().ok()?.0);
        let proof = ItemProof {
            item: Item {
                opening: Opening(hash(&item.opening)?),
                record: copy.record.clone(),
                class: copy.class.clone(),
            },
            index: item.index,
            path: item.path.iter().map(hash).collect::<Option<_>>()?,
        };
        let about = |receipt: Receipt| {
            let evidence =
                Evidence { opening: receipt.opening().clone(), statement: receipt.statement().to_vec() };
            Receipt::new(receipt.subject(), *receipt.link(), evidence, Some(proof), receipt.proof().clone())
        };
        Some(Receipt::parse(statement.receipt.as_bytes()).and_then(about))
    }
}

/// Copies as they were read, with the batches in which they went.
struct Read {
    evidence_destroyed: bool,
    copies: Vec<(ToldFate, Option<(CopyKey, BatchId)>)>,
    batches: BTreeMap<BatchId, BatchStated>,
}

impl Tenure {
    /// What became of the copies of a record or of an account, of one class or of all, with what proves it.
    ///
    /// A person is told what concerns them: a hold of which they may not be told does not show.
    pub fn certificate(&self, of: &Of, class: Option<&str>, now: Instant) -> Result<Certificate, Error> {
        let read = self.read_fates(of, class, now)?;
        let (mut statements, mut copies) = (BTreeMap::<u64, CertifiedStatement>::new(), Vec::new());
        for (mut copy, went) in read.copies {
            let stated = went.and_then(|(key, batch)| Some((key, read.batches.get(&batch)?)));
            if let Some((key, batch)) = stated {
                prove(&mut copy.fate, key, batch);
            }
            copies.push(copy);
        }
        for stated in read.batches.values().flat_map(|batch| &batch.stages) {
            let leaf = u64::try_from(stated.seq.0).map_err(|_| Error::NotIntegrated)?;
            let receipt = self.receipt_of_stage(stated, None, now)?.to_string();
            statements.insert(leaf, CertifiedStatement { leaf, receipt });
        }
        let checkpoint = self.publish_checkpoint(now)?;
        let ageing = self.ageing_out(now)?;
        Ok(Certificate {
            form: FORM.to_owned(),
            at: now,
            of: of.clone(),
            log: checkpoint.checkpoint().origin().to_string(),
            checkpoint: checkpoint.to_string(),
            evidence_destroyed: read.evidence_destroyed,
            ageing_out: ageing_of(&ageing, &copies),
            copies,
            statements: statements.into_values().collect(),
        })
    }

    fn read_fates(&self, of: &Of, class: Option<&str>, now: Instant) -> Result<Read, Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let (person, records) = self.concerned(tx, of)?;
            let (orders, classes) = (Orders::load(tx)?, tx.classes()?);
            let mut reader = Reader::new(&policies, &person);
            let (mut told, mut went) = (Vec::new(), BTreeSet::new());
            for record in records {
                let copies = tx.copies_of_record(record.account, record.id)?;
                let loaded = reader.load(tx, record, With::Nothing)?;
                for copy in &copies {
                    let name = class_name(&classes, copy.key.class);
                    if class.is_some_and(|wanted| wanted != name) {
                        continue;
                    }
                    let fate = fate(&person, &loaded, &orders, copy, name, now);
                    let batch = went_in(copy, &fate);
                    went.extend(batch);
                    let copy_told = ToldFate {
                        record: copy.key.record.to_string(),
                        class: name.to_owned(),
                        surface: loaded.row.surface.clone(),
                        made_at: copy.created_at,
                        fate,
                    };
                    told.push((copy_told, batch.map(|batch| (copy.key, batch))));
                }
            }
            let mut batches = BTreeMap::new();
            for batch in went {
                batches.extend(self.stated_of_batch(tx, batch)?.map(|stated| (batch, stated)));
            }
            Ok(Read { evidence_destroyed: person.row.keys.proof.is_none(), copies: told, batches })
        })
    }

    /// Whom a certificate concerns, and the records that it is about.
    fn concerned(&self, tx: &mut dyn ReadTx, of: &Of) -> Result<(Person, Vec<RecordRow>), Error> {
        match of {
            Of::Record(id) => {
                let id: RecordId = id.parse().map_err(|_| Error::UnknownRecord)?;
                let (person, record) = self.find_record(tx, id)?;
                Ok((person, vec![record]))
            }
            Of::Account(id) => {
                let row = account_of(tx, id)?;
                let (mut records, mut after) = (Vec::new(), None);
                loop {
                    let slice = tx.records_of(row.key, after, SLICE)?;
                    let Some(last) = slice.last() else { break };
                    after = Some(last.id);
                    records.extend(slice);
                }
                Ok((self.person(tx, row)?, records))
            }
        }
    }
}

/// The batch in which a copy went, if its key is destroyed.
fn went_in(copy: &CopyRow, fate: &Fated) -> Option<BatchId> {
    matches!(fate, Fated::Destroyed { .. }).then(|| copy.state.batch()).flatten()
}

/// Adds to each stage where the ledger says it, and when, and that the copy is meant.
fn prove(fate: &mut Fated, key: CopyKey, batch: &BatchStated) {
    let Fated::Destroyed { stages, item, .. } = fate else { return };
    let Some(proof) = batch.item(key) else { return };
    *item = Some(CertifiedItem::from(&proof));
    for stage in stages {
        let Some(stated) = batch.stages.iter().find(|stated| stated.stage.word() == stage.stage) else {
            continue;
        };
        stage.leaf = u64::try_from(stated.seq.0).ok();
        stage.at = stated.at;
    }
}

/// What ages out of the copies that were destroyed.
fn ageing_of(ageing: &AgeingOut, copies: &[ToldFate]) -> AgeingOut {
    let spans = copies.iter().filter_map(|copy| {
        let Fated::Destroyed { stages, .. } = &copy.fate else { return None };
        let shredded = stages.iter().find(|stage| stage.stage == "shredded")?;
        Some((copy.made_at, shredded.at))
    });
    let mut found: Option<AgeingOut> = None;
    for (made, destroyed) in spans {
        let of = ageing.of(made, destroyed);
        let known = found.get_or_insert_with(AgeingOut::default);
        known.keys = of.keys;
        for backup in of.backups {
            if !known.backups.contains(&backup) {
                known.backups.push(backup);
            }
        }
    }
    found.unwrap_or_default()
}
