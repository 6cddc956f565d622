//! Filing copies in the due index, and making their wraps.

use tenure_model::{Anchored, Day};
use tenure_policy::{Facts, Lineage, Verdict};
use tenure_store::{
    AccountKey, AccountRow, ClassId, CopyKey, CopyRow, CopyState, Filing, RecordId, RefileMark, Shelf,
    StoreExt as _, Tx, Wrap,
};
use tenure_vault::{BodyKey, CopyName, Tree};

use tenure_model::Instant;

use crate::pages::{in_vault, tree_word};
use crate::record::{Holds, Reader, With};
use crate::{Error, Policies, Tenure};

/// All copies of an embedded store are swept together; a distributed one will spread them.
pub(crate) const SHARD: u16 = 0;

/// How many accounts one transaction files anew.
const REFILE_SLICE: usize = 64;

/// Where a copy is filed, and the day on which its key's page should go.
#[derive(Debug, Clone)]
pub(crate) struct Filed {
    pub(crate) situation: Vec<u8>,
    pub(crate) anchor: u16,
    pub(crate) day: Day,
    pub(crate) expires: Option<Day>,
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
    let place = lineage.tree(verdict.judged).classes().position(|known| known == class);
    let until = place.and_then(|place| verdict.classes.get(place)).and_then(|class| class.until);
    let expires = match until {
        Some(Anchored::Until(until)) => Some(until.day()),
        Some(Anchored::Indefinite) => None,
        None => Some(facts.at.day()),
    };
    Ok(Filed { situation: serde_json::to_vec(&situation)?, anchor: under.number(), day, expires })
}

impl Tenure {
    /// Makes a copy of a record under a class: its wrap on a page of its day, and its place in the index.
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
        let class_id = tx.intern_class(class)?;
        let situation = tx.intern_situation(&filed.situation)?;
        let wrap = match keys {
            None => None,
            Some((account_key, body_key)) => {
                let tree = tree_of(class);
                let shelf =
                    Shelf { tree: tree_word(tree).to_owned(), class: Some(class_id), day: filed.expires };
                let page = self.pages.slot(tx, tree, &shelf)?;
                let record = record.to_string();
                let name = CopyName {
                    organisation: account.organisation.as_deref(),
                    account: &account.id,
                    record: &record,
                    class,
                };
                let wrap = self.vault.wrap(&name, account_key, in_vault(page), body_key)?;
                Some(Wrap { page, sealed: wrap.as_bytes().to_vec() })
            }
        };
        tx.insert_copy(&CopyRow {
            key: CopyKey { account: account.key, record, class: class_id },
            shard: SHARD,
            place: None,
            created_at: now,
            filing: Filing { situation, anchor: filed.anchor, day: filed.day },
            state: CopyState::Live { wrap },
        })?;
        Ok(())
    }

    /// Files anew the copies of every account that is marked, in slices, and says how many accounts.
    ///
    /// No sweep closes a day before this is done.
    pub(crate) fn refile_marked(&self, now: Instant) -> Result<u64, Error> {
        let policies = self.policies()?;
        let mut done = 0;
        loop {
            let (tenure, policies) = (self.clone(), std::sync::Arc::clone(&policies));
            let count = self.store.write(move |tx| {
                let marks = tx.refile_slice(REFILE_SLICE)?;
                for mark in &marks {
                    tenure.refile_account(tx, &policies, *mark, now)?;
                }
                Ok::<_, Error>(marks.len())
            })?;
            if count == 0 {
                return Ok(done);
            }
            done += count as u64;
        }
    }

    fn refile_account(
        &self,
        tx: &mut dyn Tx,
        policies: &Policies,
        mark: RefileMark,
        now: Instant,
    ) -> Result<(), Error> {
        let holds = Holds::load(tx)?;
        let parsed = holds.as_facts();
        let person = self.person_of(tx, mark.account)?;
        let classes = tx.classes()?;
        let mut reader = Reader::new(policies, &person);
        let mut after = None;
        loop {
            let slice = tx.records_of(mark.account, after, 500)?;
            let Some(last) = slice.last() else { break };
            after = Some(last.id);
            for record in slice {
                let copies = tx.copies_of_record(mark.account, record.id)?;
                if !copies.iter().any(|copy| matches!(copy.state, CopyState::Live { .. })) {
                    continue;
                }
                let loaded = reader.load(tx, record, With::Nothing)?;
                let facts = loaded.facts(&person, &[], &parsed, now);
                let verdict = loaded.lineage.judge(&facts);
                for copy in copies.iter().filter(|copy| matches!(copy.state, CopyState::Live { .. })) {
                    let class = class_name(&classes, copy.key.class);
                    let filed = filed(&loaded.lineage, &facts, &verdict, class)?;
                    file(tx, copy.key, &filed)?;
                }
            }
        }
        tx.refile_done(mark)?;
        Ok(())
    }

    /// Marks an account whose copies must be filed anew.
    pub(crate) fn mark(&self, tx: &mut dyn Tx, account: AccountKey) -> Result<(), Error> {
        Ok(tx.mark_refile(account)?)
    }
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

/// The tree that the keys of a class hang in: what must survive others hangs in one of its own.
pub(crate) fn tree_of(class: &str) -> Tree {
    if class == "feedback" { Tree::Feedback } else { Tree::Ordinary }
}
