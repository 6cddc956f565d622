//! A batch of planned conversations: sealed into a pack, then committed in one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tenure_model::Instant;
use tenure_receipts::Statement;
use tenure_store::{
    AccountFacts, AccountRow, CopyRow, CopyStage, PackId, PackRow, RecordRow, SegmentRow, Tx,
};
use tenure_vault::{AccountKey, SegmentName};

use super::plan::{Planned, PlannedRecord};
use super::{Committed, Ingested};
use crate::filing::{Desk, Filed};
use crate::{Error, Tenure};

/// Conversations that will be committed together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    accounts: HashMap<String, AccountFacts>,
    planned: Vec<Planned>,
    recognised: HashSet<[u8; 32]>,
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Batch {
    pub(super) fn add_account(&mut self, id: String, facts: AccountFacts) {
        self.accounts.insert(id, facts);
    }

    /// How many accounts and conversations there are.
    pub(super) fn entries(&self) -> usize {
        self.accounts.len() + self.planned.len()
    }

    pub(super) fn facts_of(&self, id: &str) -> AccountFacts {
        self.accounts.get(id).cloned().unwrap_or_default()
    }

    pub(super) fn add(&mut self, planned: Planned) {
        for record in &planned.records {
            self.messages += record.messages.len();
            self.bytes += record.plaintext.len();
        }
        self.recognised.insert(planned.conversation.recognised);
        self.planned.push(planned);
    }

    pub(super) fn has(&self, recognised: &[u8; 32]) -> bool {
        self.recognised.contains(recognised)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.planned.is_empty() && self.accounts.is_empty()
    }

    /// Encrypts the bodies into packs, which are durable before any row speaks of them.
    ///
    /// A pack whose rows are never committed is an orphan, which `doctor` finds.
    pub(super) fn seal(mut self, tenure: &Tenure) -> Result<Sealed, Error> {
        let mut sealed = Sealed { accounts: self.accounts, conversations: Vec::new(), packs: Vec::new() };
        let mut pack = tenure.vault.pack_writer()?;
        for planned in self.planned.drain(..) {
            let mut records = Vec::with_capacity(planned.records.len());
            for mut record in planned.records {
                if pack.is_full() {
                    let full = std::mem::replace(&mut pack, tenure.vault.pack_writer()?);
                    sealed.packs.push(PackId(*full.id().as_bytes()));
                    tenure.vault.finish(full)?;
                }
                let id = record.row.id.to_string();
                let name = SegmentName {
                    organisation: planned.person.row.organisation.as_deref(),
                    account: &planned.person.row.id,
                    record: &id,
                    number: u64::from(record.row.segments.saturating_sub(1)),
                };
                let plaintext = std::mem::take(&mut record.plaintext);
                let place = pack.add(&record.body, &name, &plaintext)?;
                let segment = SegmentRow {
                    segment: record.row.segments.saturating_sub(1),
                    pack: PackId(*place.pack.as_bytes()),
                    offset: place.offset,
                    length: u64::from(place.length),
                };
                records.push(SealedRecord { record, segment, bytes: plaintext.len() as u64 });
            }
            let Planned { person, conversation, is_new, .. } = Planned { records: Vec::new(), ..planned };
            sealed.conversations.push(SealedConversation { person, conversation, is_new, records });
        }
        if !pack.is_empty() {
            sealed.packs.push(PackId(*pack.id().as_bytes()));
            tenure.vault.finish(pack)?;
        }
        Ok(sealed)
    }
}

/// A record whose body lies in a pack.
#[derive(Debug, Clone)]
struct SealedRecord {
    record: PlannedRecord,
    segment: SegmentRow,
    bytes: u64,
}

#[derive(Debug, Clone)]
struct SealedConversation {
    person: Arc<crate::person::Person>,
    conversation: tenure_store::ConversationRow,
    is_new: bool,
    records: Vec<SealedRecord>,
}

/// A batch whose bodies are durable.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    accounts: HashMap<String, AccountFacts>,
    conversations: Vec<SealedConversation>,
    packs: Vec<PackId>,
}

impl Sealed {
    pub(super) fn counts(&self) -> Ingested {
        let mut counts = Ingested::default();
        for conversation in &self.conversations {
            counts.conversations += u64::from(conversation.is_new);
            counts.resumed += u64::from(!conversation.is_new);
            for record in &conversation.records {
                counts.records += u64::from(record.record.began.is_none());
                counts.messages += record.record.messages.len() as u64;
                counts.bytes += record.bytes;
            }
        }
        counts
    }

    pub(super) fn recognised(&self) -> HashSet<[u8; 32]> {
        self.conversations.iter().map(|conversation| conversation.conversation.recognised).collect()
    }

    pub(super) fn commit(self, tenure: &Tenure, tx: &mut dyn Tx, now: Instant) -> Result<Committed, Error> {
        let mut accounts =
            Accounts { tenure, now, known: HashMap::new(), opened: 0, desk: Desk::new(tenure, now) };
        accounts.desk.reserve(tx, self.copies())?;
        for (id, facts) in &self.accounts {
            accounts.tell(tx, id, facts)?;
        }
        for id in &self.packs {
            let bytes =
                self.segments().filter(|segment| segment.pack == *id).map(|segment| segment.length).sum();
            tx.insert_pack(&PackRow {
                id: *id,
                bytes,
                segments: 0,
                live: 0,
                created_at: now,
                removed_at: None,
            })?;
        }
        for conversation in self.conversations {
            accounts.commit(tx, conversation)?;
        }
        Ok(Committed { accounts: accounts.opened })
    }

    fn copies(&self) -> impl Iterator<Item = (&str, &Filed)> {
        let records = self.conversations.iter().flat_map(|conversation| &conversation.records);
        records.flat_map(|record| &record.record.copies).map(|(class, filed)| (*class, filed))
    }

    fn segments(&self) -> impl Iterator<Item = &SegmentRow> {
        self.conversations.iter().flat_map(|conversation| &conversation.records).map(|record| &record.segment)
    }
}

/// The accounts of a batch, each opened, or its key unwrapped, once.
struct Accounts<'t> {
    tenure: &'t Tenure,
    now: Instant,
    known: HashMap<String, Arc<(AccountRow, AccountKey)>>,
    opened: u64,
    desk: Desk<'t>,
}

impl Accounts<'_> {
    fn tell(&mut self, tx: &mut dyn Tx, id: &str, facts: &AccountFacts) -> Result<(), Error> {
        match tx.account_by_id(None, id)? {
            None => {
                self.tenure.open_account(tx, id, facts.clone(), self.now)?;
                self.opened += 1;
            }
            Some(row) => {
                let known = row.facts.clone();
                let merged = AccountFacts {
                    country: facts.country.clone().or(known.country),
                    minor: facts.minor.or(known.minor),
                    opened_at: facts.opened_at.or(known.opened_at),
                    closed_at: known.closed_at,
                    former: known.former,
                };
                if merged != row.facts {
                    let merged = crate::accounts::corrected(&row.facts, merged, self.now);
                    tx.set_account_facts(row.key, &merged)?;
                    tx.mark_refile(row.key)?;
                    // Once the evidence is gone there is no key to state anything with, and nothing left to judge.
                    if row.keys.proof.is_some() {
                        let proof = self.tenure.proof_key(&row)?;
                        self.tenure.state(tx, &row, &proof, Statement::AccountChanged, self.now)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn account(&mut self, tx: &mut dyn Tx, id: &str) -> Result<Arc<(AccountRow, AccountKey)>, Error> {
        if let Some(known) = self.known.get(id) {
            return Ok(Arc::clone(known));
        }
        let row = match tx.account_by_id(None, id)? {
            Some(row) => row,
            None => {
                self.opened += 1;
                self.tenure.open_account(tx, id, AccountFacts::default(), self.now)?
            }
        };
        let key = self.tenure.account_key(&row)?;
        let account = Arc::new((row, key));
        self.known.insert(id.to_owned(), Arc::clone(&account));
        Ok(account)
    }

    fn commit(&mut self, tx: &mut dyn Tx, sealed: SealedConversation) -> Result<(), Error> {
        let account = self.account(tx, &sealed.person.row.id)?;
        let (row, key) = &*account;
        // What was planned on an older state of the account, or moves the last activity of records that
        // are filed already, is filed anew before the next sweep. An account that the plan did not know
        // has one statement, its opening, if it was opened for this batch; one that was opened for the batch
        // before has told more of itself than the plan knew.
        let planned_on = if sealed.person.is_stored() { sealed.person.row.chain.version } else { 1 };
        let has_moved = planned_on != row.chain.version || sealed.person.row.facts != row.facts;
        if has_moved || !sealed.is_new {
            tx.mark_refile(row.key)?;
        }
        if sealed.is_new {
            let conversation = tenure_store::ConversationRow { account: row.key, ..sealed.conversation };
            tx.insert_conversation(&conversation)?;
        }
        for sealed in sealed.records {
            let SealedRecord { record, segment, .. } = sealed;
            let (id, account) = (record.row.id, row.key);
            if let Some(began) = &record.began {
                still_goes_on(tx, began)?;
                tx.set_record_facts(account, id, &record.row.facts)?;
                tx.set_record_counts(account, id, record.row.messages, record.row.segments)?;
            } else {
                tx.insert_record(&RecordRow { account, ..record.row })?;
            }
            tx.insert_messages(account, id, &record.messages)?;
            tx.insert_segments(account, id, &[segment])?;
            for (class, filed) in &record.copies {
                self.desk.insert(tx, row, Some((key, &*record.body)), id, class, filed)?;
            }
        }
        Ok(())
    }
}

/// Refuses a batch that was planned on a record of which something was deleted, flagged or destroyed since:
/// writing it would undo that.
fn still_goes_on(tx: &mut dyn Tx, began: &RecordRow) -> Result<(), Error> {
    let all_live = |copies: &[CopyRow]| copies.iter().all(|copy| copy.state.stage() == CopyStage::Live);
    if tx.record(began.id)?.as_ref() == Some(began)
        && all_live(&tx.copies_of_record(began.account, began.id)?)
    {
        return Ok(());
    }
    Err(Error::ConversationMoved)
}
