//! Filing copies in the due index, and making their wraps.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::{thread, time};

use tenure_model::{Anchored, Day};
use tenure_policy::case::Hold;
use tenure_policy::{Facts, FiledUnder, Lineage, Verdict};
use tenure_store::{
    AccountKey, AccountRow, ClassId, CopyKey, CopyRow, CopyState, Filing, PageId, RecordId, RecordRow,
    RefileMark, Shelf, SituationId, StoreExt as _, Tx, Wrap,
};
use tenure_vault::{BodyKey, CopyName, Tree};

use tenure_model::Instant;

use crate::pages::{in_vault, tree_word};
use crate::person::Person;
use crate::record::{Holds, Reader, With, seen_in};
use crate::sweep::Sweep;
use crate::{Error, Policies, Tenure};

/// All copies of an embedded store are swept together; a distributed one will spread them.
pub(crate) const SHARD: u16 = 0;

/// The number of the anchor `flagged`, which [`FiledUnder`] gives to what counts its term from a flag.
const FLAGGED: u16 = 3;

/// How much one transaction files anew. Others who write wait for no more than that.
const REFILE_WORK: usize = 256;
/// How much of that a record is; an account is one by itself.
const OF_RECORD: usize = 8;
/// How many copies of them are read at once.
const REFILE_COPIES: usize = 1_024;

/// Where a copy is filed, and the day on which its key's page should go.
#[derive(Debug, Clone)]
pub(crate) struct Filed {
    pub(crate) situation: Vec<u8>,
    pub(crate) anchor: u16,
    pub(crate) day: Day,
    /// The day on which the key's page should go; none where no day is known.
    pub(crate) expires: Option<Day>,
    /// The tree that the key should hang in.
    pub(crate) tree: Tree,
}

/// Files the copies of a record, given the verdict on it.
pub(crate) fn filed(
    lineage: &Lineage,
    facts: &Facts<'_>,
    verdict: &Verdict,
    class: &str,
) -> Result<Filed, Error> {
    let situation = lineage.situation(facts);
    let (under, day) = lineage.file(facts, &situation, verdict, class);
    let of_class = lineage.class(facts, verdict, class);
    let expires = match (of_class.until, of_class.quarantine) {
        (Some(Anchored::Until(until)), _) => Some(until.day()),
        (Some(Anchored::Indefinite), _) => None,
        (None, Some(quarantine)) => Some(quarantine.until.day()),
        (None, None) if of_class.held => None,
        (None, None) => Some(facts.at.day()),
    };
    let tree = match under {
        _ if class == "feedback" => Tree::Feedback,
        FiledUnder::HELD => Tree::Held,
        _ if under.number() == FLAGGED => Tree::Flagged,
        _ => Tree::Ordinary,
    };
    Ok(Filed { situation: serde_json::to_vec(&situation)?, anchor: under.number(), day, expires, tree })
}

impl Tenure {
    /// Makes one copy of a record under a class; see [`Desk::insert`].
    #[expect(
        clippy::too_many_arguments,
        reason = "a copy is made of an account, its keys, a record and a class"
    )]
    pub(crate) fn insert_copy(
        &self,
        tx: &mut dyn Tx,
        account: &AccountRow,
        keys: Option<(&tenure_vault::AccountKey, &BodyKey)>,
        record: RecordId,
        class: &str,
        filed: &Filed,
        now: Instant,
    ) -> Result<(), Error> {
        Desk::new(self, now).insert(tx, account, keys, record, class, filed)
    }
}

impl Sweep<'_> {
    /// Files anew the copies of every account that is marked now, in slices, and says how many accounts.
    ///
    /// No sweep closes a day before this is done. An account stays marked until its last slice, so a
    /// crash in between only files some copies twice. What is marked meanwhile waits for the next sweep, so that this
    /// one ends however many people decide. A sweep that spares others rests as long as each slice took.
    pub(crate) fn refile_marked(&self) -> Result<u64, Error> {
        let marks = self.tenure.store.read(|tx| Ok::<_, Error>(tx.refile_slice(usize::MAX)?))?;
        let accounts = marks.len() as u64;
        let mut next: VecDeque<_> = marks.into_iter().map(|mark| (mark, None)).collect();
        while !next.is_empty() {
            let (tenure, policies) = (self.tenure.clone(), Arc::clone(&self.policies));
            let (now, began) = (self.now, time::Instant::now());
            next = self.write(move |tx| {
                let policies = Policies::current(tx, &policies)?;
                tenure.refile_slice(tx, &policies, &mut next, now)?;
                Ok(next)
            })?;
            if self.pace.is_set() {
                thread::sleep(began.elapsed());
            }
        }
        Ok(accounts)
    }
}

impl Tenure {
    /// Files anew so much of marked accounts as one transaction may, and leaves what is still to do.
    fn refile_slice(
        &self,
        tx: &mut dyn Tx,
        policies: &Policies,
        marks: &mut VecDeque<(RefileMark, Option<RecordId>)>,
        now: Instant,
    ) -> Result<(), Error> {
        let holds = Holds::load(tx)?;
        let (parsed, classes) = (holds.as_facts(), tx.classes()?);
        let mut desk = Desk::new(self, now);
        let mut left = REFILE_WORK;
        while left > 0 {
            let Some((mark, after)) = marks.pop_front() else { return Ok(()) };
            let most = left.div_ceil(OF_RECORD);
            let records = tx.records_of(mark.account, after, most)?;
            let whole = records.len() < most;
            left = left.saturating_sub(1 + records.len() * OF_RECORD);
            if let Some(last) = records.last().map(|record| record.id) {
                let person = self.person_of(tx, mark.account)?;
                let mut reader = Reader::new(policies, &person);
                if after.is_none() && whole {
                    reader.seen = seen_in(policies, &records);
                }
                let mut copies = copies_between(tx, mark.account, after, last)?;
                for record in records {
                    let copies = copies.remove(&record.id).unwrap_or_default();
                    let facts = (&*parsed, &*classes);
                    refile_record(tx, &mut desk, &mut reader, &person, (record, copies), facts, now)?;
                }
                if !whole {
                    marks.push_front((mark, Some(last)));
                    return Ok(());
                }
            }
            tx.refile_done(mark)?;
        }
        Ok(())
    }
}

/// The live copies of an account's records, from after one up to the last, by record.
fn copies_between(
    tx: &mut dyn Tx,
    account: AccountKey,
    after: Option<RecordId>,
    last: RecordId,
) -> Result<HashMap<RecordId, Vec<CopyRow>>, Error> {
    let mut found: HashMap<RecordId, Vec<CopyRow>> = HashMap::new();
    let mut cursor = after.map(|record| CopyKey { account, record, class: ClassId(i64::MAX) });
    loop {
        let slice = tx.copies_of(account, cursor, REFILE_COPIES)?;
        let whole = slice.len() < REFILE_COPIES;
        cursor = slice.last().map(|copy| copy.key);
        for copy in slice.into_iter().filter(|copy| matches!(copy.state, CopyState::Live { .. })) {
            if copy.key.record <= last {
                found.entry(copy.key.record).or_default().push(copy);
            }
        }
        if whole || cursor.is_some_and(|key| key.record > last) {
            return Ok(found);
        }
    }
}

/// Where many copies are made in one transaction: names are interned once, and slots are taken in bulk.
///
/// It must not outlive its transaction, since what a transaction interned is gone if it is rolled back.
pub(crate) struct Desk<'t> {
    tenure: &'t Tenure,
    now: Instant,
    classes: HashMap<String, ClassId>,
    situations: HashMap<Vec<u8>, SituationId>,
    slots: HashMap<Shelf, Vec<PageId>>,
}

impl<'t> Desk<'t> {
    pub(crate) fn new(tenure: &'t Tenure, now: Instant) -> Self {
        Self { tenure, now, classes: HashMap::new(), situations: HashMap::new(), slots: HashMap::new() }
    }

    /// Takes the slots that copies to come will need, so that each shelf is asked once.
    pub(crate) fn reserve<'f>(
        &mut self,
        tx: &mut dyn Tx,
        copies: impl Iterator<Item = (&'f str, &'f Filed)>,
    ) -> Result<(), Error> {
        let mut counts: HashMap<(&str, Tree, Option<Day>), u32> = HashMap::new();
        for (class, filed) in copies {
            *counts.entry((class, filed.tree, filed.expires)).or_default() += 1;
        }
        for ((class, tree, expires), count) in counts {
            let shelf = self.shelf(tx, class, tree, expires)?;
            let taken = self.tenure.pages.slots(tx, tree, &shelf, count)?;
            self.slots.entry(shelf).or_default().extend(taken);
        }
        Ok(())
    }

    /// Makes a copy of a record under a class: its wrap on a page of its day, and its place in the index.
    pub(crate) fn insert(
        &mut self,
        tx: &mut dyn Tx,
        account: &AccountRow,
        keys: Option<(&tenure_vault::AccountKey, &BodyKey)>,
        record: RecordId,
        class: &str,
        filed: &Filed,
    ) -> Result<(), Error> {
        let situation = self.situation(tx, &filed.situation)?;
        let class_id = self.class(tx, class)?;
        let wrap = match keys {
            None => None,
            Some((account_key, body_key)) => {
                let shelf = self.shelf(tx, class, filed.tree, filed.expires)?;
                let reserved = self.slots.get_mut(&shelf).and_then(Vec::pop);
                let page = match reserved {
                    Some(page) => page,
                    None => self.tenure.pages.slot(tx, filed.tree, &shelf)?,
                };
                let record = record.to_string();
                let name = CopyName {
                    organisation: account.organisation.as_deref(),
                    account: &account.id,
                    record: &record,
                    class,
                };
                let wrap = self.tenure.vault.wrap(&name, account_key, in_vault(page), body_key)?;
                Some(Wrap { page, sealed: wrap.as_bytes().to_vec() })
            }
        };
        tx.insert_copy(&CopyRow {
            key: CopyKey { account: account.key, record, class: class_id },
            shard: SHARD,
            place: None,
            created_at: self.now,
            filing: Filing { situation, anchor: filed.anchor, day: filed.day },
            state: CopyState::Live { wrap },
        })?;
        Ok(())
    }

    fn class(&mut self, tx: &mut dyn Tx, name: &str) -> Result<ClassId, Error> {
        if let Some(id) = self.classes.get(name) {
            return Ok(*id);
        }
        let id = tx.intern_class(name)?;
        self.classes.insert(name.to_owned(), id);
        Ok(id)
    }

    fn situation(&mut self, tx: &mut dyn Tx, body: &[u8]) -> Result<SituationId, Error> {
        if let Some(id) = self.situations.get(body) {
            return Ok(*id);
        }
        let id = tx.intern_situation(body)?;
        self.situations.insert(body.to_vec(), id);
        Ok(id)
    }

    fn shelf(&mut self, tx: &mut dyn Tx, class: &str, tree: Tree, day: Option<Day>) -> Result<Shelf, Error> {
        Ok(Shelf { tree: tree_word(tree).to_owned(), class: Some(self.class(tx, class)?), day })
    }
}

fn refile_record(
    tx: &mut dyn Tx,
    desk: &mut Desk<'_>,
    reader: &mut Reader<'_>,
    person: &Person,
    (record, copies): (RecordRow, Vec<CopyRow>),
    (holds, classes): (&[Hold<'_>], &[(ClassId, String)]),
    now: Instant,
) -> Result<(), Error> {
    if copies.is_empty() {
        return Ok(());
    }
    let loaded = reader.load(tx, record, With::Nothing)?;
    let facts = loaded.facts(person, &[], holds, now);
    let verdict = loaded.lineage.judge(&facts);
    for copy in copies {
        let filed = filed(&loaded.lineage, &facts, &verdict, class_name(classes, copy.key.class))?;
        let filing =
            Filing { situation: desk.situation(tx, &filed.situation)?, anchor: filed.anchor, day: filed.day };
        if filing != copy.filing {
            tx.file(copy.key, filing)?;
        }
    }
    Ok(())
}

/// Moves a copy to another place in the index.
pub(crate) fn file(tx: &mut dyn Tx, key: CopyKey, filed: &Filed) -> Result<(), Error> {
    let situation = tx.intern_situation(&filed.situation)?;
    tx.file(key, Filing { situation, anchor: filed.anchor, day: filed.day })?;
    Ok(())
}

/// The name of a class of the store.
pub(crate) fn class_name(classes: &[(ClassId, String)], id: ClassId) -> &str {
    classes.iter().find(|(known, _)| *known == id).map_or("", |(_, name)| name)
}
