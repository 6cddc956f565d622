//! Reading under a hold: the access is in the ledger before a single byte is opened.

use std::path::Path;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tenure_model::{Instant, Kind};
use tenure_store::{AccountKey, CopyRow, ReadTx, RecordId, RecordRow, Seq, StoreExt as _};
use tenure_vault::{CopyName, OpenError, PackId, Place, Reading, SegmentName};

use super::cover::Versions;
use super::folder::ReadingFolder;
use super::readers::{know_reader, known};
use super::right::{Granted, HeldReading, Unreadable};
use super::walk::Accounts;
use crate::accounts::account_of;
use crate::filing::class_name;
use crate::ledger::hex;
use crate::pages::in_vault;
use crate::person::wrap_of;
use crate::policies::Policies;
use crate::{Error, Tenure};

/// How many records one statement speaks of.
const RECORDS: usize = 256;

/// What is to be read under a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldTarget {
    /// One record.
    Record(RecordId),
    /// The records of an account.
    Account(String),
    /// Everything that it covers.
    All,
}

/// What was read under a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldAccess {
    /// The hold.
    pub hold: String,
    /// Who read.
    pub reader: String,
    /// When.
    pub at: Instant,
    /// The leaves of the log that say so.
    pub leaves: Vec<u64>,
    /// Records whose body was written.
    pub read: u64,
    /// Records that the hold covered and whose copies are destroyed, or are being destroyed.
    pub destroyed: u64,
    /// Records of which it covers what has no body.
    pub without_body: u64,
    /// Bytes that were written, the index left out.
    pub bytes: u64,
}

/// What is said of a record that the hold covers: a line of the index.
#[derive(Debug, Serialize)]
pub struct HeldEntry<'e> {
    record: String,
    conversation: String,
    account: &'e str,
    surface: &'e str,
    kind: Kind,
    country: Option<&'e str>,
    created_at: Instant,
    deleted_at: Option<Instant>,
    class: &'e str,
    /// The versions of the hold that cover it.
    versions: &'e [u32],
    /// `read`, `no_body`, or how far the copy's destruction has come.
    state: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone_at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// The leaf of the log that states the access.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf: Option<u64>,
    /// What opens the record's item in that statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    opening: Option<String>,
}

impl Tenure {
    /// Reads what a hold covers into a folder that is new or empty: one file for each record, as it was said, and
    /// an index. Only a reader of the hold may, and the ledger says so before anything is opened.
    ///
    /// A copy is read if a version of the hold covers it, or covered it when that version ended, and if it lives.
    pub fn read_held(
        &self,
        (hold, reader): (&str, &str),
        what: &HeldTarget,
        out: &Path,
        now: Instant,
        progress: &mut dyn FnMut(u64),
    ) -> Result<HeldAccess, Error> {
        // Whoever may not read makes no folder.
        self.store.read(|tx| know_reader(tx, hold, reader))?;
        let (mut folder, mut read) = (ReadingFolder::enter(out)?, 0);
        let access = self.read_held_to((hold, reader), what, now, &mut |mut entry, body| {
            if let Some(body) = body {
                let file = format!("{}.jsonl", entry.record);
                folder.write(&file, body)?;
                entry.file = Some(file);
                read += 1;
                progress(read);
            }
            folder.index(&entry)
        })?;
        folder.finish()?;
        Ok(access)
    }

    /// Reads what a hold covers, record by record: what is said of each, and its body if there is one to read.
    pub(crate) fn read_held_to<E: From<Error>>(
        &self,
        (hold, reader): (&str, &str),
        what: &HeldTarget,
        now: Instant,
        out: HeldOut<'_, E>,
    ) -> Result<HeldAccess, E> {
        let policies = self.policies()?;
        let (versions, mut accounts) = self.store.read(|tx| {
            know_reader(tx, hold, reader)?;
            self.reach(tx, hold, what)
        })?;
        let mut session = Session {
            out,
            access: HeldAccess {
                hold: hold.to_owned(),
                reader: reader.to_owned(),
                at: now,
                leaves: Vec::new(),
                read: 0,
                destroyed: 0,
                without_body: 0,
                bytes: 0,
            },
        };
        loop {
            let account = self.store.read(|tx| Ok::<_, Error>(accounts.next(tx, 1)?.pop()))?;
            let Some(account) = account else { break };
            let covered = match what {
                HeldTarget::Record(record) => vec![*record],
                _ => self.store.read(|tx| self.covered_records(tx, &versions, (&policies, account, now)))?,
            };
            for slice in covered.chunks(RECORDS) {
                let granted = self.grant(&policies, (hold, reader), account, slice, now)?;
                self.write_down(&granted, &mut session)?;
            }
        }
        if session.access.leaves.is_empty() && matches!(what, HeldTarget::Record(_)) {
            let nothing = format!("hold `{hold}` covers no copy of this record: nothing was read");
            return Err(Error::Refused(nothing).into());
        }
        Ok(session.access)
    }

    /// The versions of a hold, and the accounts that what is asked for lies with.
    fn reach(
        &self,
        tx: &mut dyn ReadTx,
        hold: &str,
        what: &HeldTarget,
    ) -> Result<(Versions, Accounts), Error> {
        known(tx, hold)?;
        let versions = Versions::of(&tx.hold_versions(hold)?)?;
        let accounts = match what {
            HeldTarget::All => Accounts::of(tx, versions.scopes())?,
            HeldTarget::Account(account) => Accounts::Named(vec![account_of(tx, account)?.key]),
            HeldTarget::Record(record) => Accounts::Named(vec![self.find_record(tx, *record)?.1.account]),
        };
        Ok((versions, accounts))
    }

    /// The records of an account of which a version covers a copy. They are judged again when they are granted.
    fn covered_records(
        &self,
        tx: &mut dyn ReadTx,
        versions: &Versions,
        place: (&Policies, AccountKey, Instant),
    ) -> Result<Vec<RecordId>, Error> {
        let (classes, now) = (tx.classes()?, place.2);
        let mut covered = Vec::new();
        self.visit_records(tx, place, &|_: &CopyRow| true, &mut |_, person, loaded, copies| {
            let is_covered = |copy: &CopyRow| {
                let class = class_name(&classes, copy.key.class);
                !versions.covering(person, loaded, class, (copy, now)).is_empty()
            };
            if copies.iter().any(is_covered) {
                covered.push(loaded.row.id);
            }
            Ok(())
        })?;
        Ok(covered)
    }

    fn grant(
        &self,
        policies: &std::sync::Arc<Policies>,
        (hold, reader): (&str, &str),
        account: AccountKey,
        records: &[RecordId],
        now: Instant,
    ) -> Result<Granted, Error> {
        let (tenure, policies) = (self.clone(), std::sync::Arc::clone(policies));
        let (hold, reader) = (hold.to_owned(), reader.to_owned());
        let records: Vec<_> = records.iter().map(|record| (account, *record)).collect();
        self.store.write(move |tx| tenure.grant_reading(tx, &policies, (&hold, &reader), &records, now))
    }

    /// Writes what was granted: the body of each reading, and a line of the index for each record.
    fn write_down<E: From<Error>>(&self, granted: &Granted, session: &mut Session<'_, E>) -> Result<(), E> {
        let leaf = granted.leaf.map(place_of);
        session.access.leaves.extend(leaf);
        for reading in &granted.readings {
            match self.open_held(reading) {
                Ok(body) => session.read(reading, &body, leaf)?,
                // It was destroyed after the ledger had said that it is read.
                Err(Error::Open(OpenError::Destroyed(_))) => session.gone(reading, leaf)?,
                Err(error) => return Err(error.into()),
            }
        }
        granted.unreadable.iter().try_for_each(|unreadable| session.unreadable(unreadable, leaf))
    }

    /// Opens the body of a copy, through its own key. What may be opened is what the check has given.
    fn open_held(&self, right: &HeldReading) -> Result<Vec<u8>, Error> {
        let (account, record) = (right.account(), right.record().id.to_string());
        let name = CopyName {
            organisation: account.organisation.as_deref(),
            account: &account.id,
            record: &record,
            class: right.class(),
        };
        let account_key = self.account_key(account)?;
        let key =
            self.vault.unwrap(&name, &account_key, in_vault(right.wrap().page), &wrap_of(right.wrap())?)?;
        let mut readings = Vec::with_capacity(right.segments().len());
        for segment in right.segments() {
            readings.push(Reading {
                place: Place {
                    pack: PackId::from_bytes(segment.pack.0),
                    offset: segment.offset,
                    length: u32::try_from(segment.length).map_err(|_| OpenError::Malformed)?,
                },
                key: &key,
                name: SegmentName {
                    organisation: account.organisation.as_deref(),
                    account: &account.id,
                    record: &record,
                    number: u64::from(segment.segment),
                },
            });
        }
        Ok(self.vault.read_all(&readings)?.concat())
    }
}

/// A reading under way.
struct Session<'s, E> {
    out: HeldOut<'s, E>,
    access: HeldAccess,
}

/// Where what is read goes, record by record: what is said of each, and its body if there is one to read.
pub type HeldOut<'s, E> = &'s mut dyn FnMut(HeldEntry<'_>, Option<&[u8]>) -> Result<(), E>;

impl<E> Session<'_, E> {
    fn read(&mut self, right: &HeldReading, body: &[u8], leaf: Option<u64>) -> Result<(), E> {
        self.access.read += 1;
        self.access.bytes += body.len() as u64;
        let sha256 = Some(hex(&Sha256::digest(body)));
        (self.out)(HeldEntry { state: "read", sha256, ..entry_of(right, leaf) }, Some(body))
    }

    fn gone(&mut self, right: &HeldReading, leaf: Option<u64>) -> Result<(), E> {
        self.access.destroyed += 1;
        (self.out)(HeldEntry { state: "shredded", ..entry_of(right, leaf) }, None)
    }

    fn unreadable(&mut self, gone: &Unreadable, leaf: Option<u64>) -> Result<(), E> {
        if gone.state == "no_body" {
            self.access.without_body += 1;
        } else {
            self.access.destroyed += 1;
        }
        let entry = HeldEntry {
            versions: &gone.versions,
            state: gone.state,
            gone_at: gone.gone_at,
            leaf,
            ..entry(&gone.account.id, &gone.record, &gone.class)
        };
        (self.out)(entry, None)
    }
}

fn entry_of(right: &HeldReading, leaf: Option<u64>) -> HeldEntry<'_> {
    HeldEntry {
        versions: right.versions(),
        leaf,
        opening: Some(hex(&right.opening().0)),
        ..entry(&right.account().id, right.record(), right.class())
    }
}

fn entry<'e>(account: &'e str, record: &'e RecordRow, class: &'e str) -> HeldEntry<'e> {
    HeldEntry {
        record: record.id.to_string(),
        conversation: record.conversation.to_string(),
        account,
        surface: &record.surface,
        kind: record.kind,
        country: record.country.as_deref(),
        created_at: record.created_at,
        deleted_at: record.facts.deleted_at,
        class,
        versions: &[],
        state: "",
        gone_at: None,
        file: None,
        sha256: None,
        leaf: None,
        opening: None,
    }
}

fn place_of(seq: Seq) -> u64 {
    u64::try_from(seq.0).unwrap_or(u64::MAX)
}
