//! Opening what should open: the keys of accounts, those of their copies, and the bodies.

use std::collections::{HashMap, HashSet};

use tenure_store::{
    AccountKey, AccountRow, ClassId, CopyKey, CopyRow, CopyState, PackId, ReadTx, RecordId, SegmentRow,
    StoreExt as _,
};
use tenure_vault::{BodyKey, CopyName, Place, Reading, SegmentName};

use super::{Check, Examination, SAMPLE, SLICE};
use crate::Error;
use crate::filing::class_name;
use crate::ingest::read_segment;
use crate::pages::in_vault;
use crate::person::wrap_of;

/// How far the opening of copies has come.
struct Tally {
    seen: u64,
    opened: u64,
    bodies: u64,
    accounts: u64,
    live: u64,
    stride: u64,
}

/// How many messages the segments of a body have.
fn messages_in(segments: &[Vec<u8>]) -> Result<u64, Error> {
    segments.iter().try_fold(0, |count, segment| Ok(count + read_segment(segment)?.len() as u64))
}

/// An error with what caused it.
fn told(error: &Error) -> String {
    use std::error::Error as _;
    match error.source() {
        Some(source) => format!("{error}, because {source}"),
        None => error.to_string(),
    }
}

fn rows_of(
    tx: &mut dyn ReadTx,
    account: AccountKey,
    record: RecordId,
) -> Result<(Vec<SegmentRow>, u64), Error> {
    let messages = tx.record(record)?.map_or(0, |row| u64::from(row.messages));
    Ok((tx.segments(account, record)?, messages))
}

impl Examination<'_> {
    /// Opens the keys of every account, and those of its copies, of all or of a sample.
    pub(super) fn accounts(&mut self, packs: &HashMap<PackId, u64>) -> Result<(), Error> {
        let (live, classes) = self.tenure.store.read(|tx| {
            let live =
                tx.stage_counts()?.into_iter().filter(|count| count.stage == tenure_store::CopyStage::Live);
            Ok::<_, Error>((live.map(|count| count.copies).sum::<u64>(), tx.classes()?))
        })?;
        let stride = if self.how.full { 1 } else { live.div_ceil(SAMPLE).max(1) };
        let mut tally = Tally { seen: 0, opened: 0, bodies: 0, accounts: 0, live, stride };
        let mut after: Option<AccountKey> = None;
        loop {
            let slice = self.tenure.store.read(|tx| Ok::<_, Error>(tx.accounts(after, SLICE)?))?;
            let Some(last) = slice.last() else { break };
            after = Some(last.key);
            for account in &slice {
                self.account(account, &classes, packs, &mut tally)?;
            }
        }
        self.found.checked.push((Check::Accounts, tally.accounts));
        self.found.checked.push((Check::Copies, tally.opened));
        if self.how.full {
            self.found.checked.push((Check::Bodies, tally.bodies));
        }
        Ok(())
    }

    fn account(
        &mut self,
        account: &AccountRow,
        classes: &[(ClassId, String)],
        packs: &HashMap<PackId, u64>,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        // The house's own account counts as none: it is nobody's.
        tally.accounts += u64::from(account.id != crate::ledger::HOUSE);
        let number = account.key.0;
        if account.keys.proof.is_some() {
            let read = self.tenure.store.read(|tx| self.tenure.person(tx, account.clone()).map(drop));
            if let Err(error) = read {
                self.find(format!(
                    "the statements of account number {number} can't be read: {}",
                    told(&error)
                ));
            }
        }
        if account.keys.account.is_none() {
            return self.nothing_is_left(account);
        }
        let key = match self.tenure.account_key(account) {
            Ok(key) => key,
            Err(error) => {
                self.find(format!("the key of account number {number} does not open: {}", told(&error)));
                return Ok(());
            }
        };
        let mut after: Option<CopyKey> = None;
        let mut read_records: HashSet<RecordId> = HashSet::new();
        loop {
            let slice =
                self.tenure.store.read(|tx| Ok::<_, Error>(tx.copies_of(account.key, after, SLICE)?))?;
            let Some(last) = slice.last() else { return Ok(()) };
            after = Some(last.key);
            for copy in slice {
                let CopyState::Live { wrap: Some(_) } = &copy.state else { continue };
                tally.seen += 1;
                if !tally.seen.is_multiple_of(tally.stride) {
                    continue;
                }
                tally.opened += 1;
                (self.progress)(Check::Copies, tally.seen, tally.live);
                let Some(body) = self.open(account, &key, class_name(classes, copy.key.class), &copy) else {
                    continue;
                };
                if read_records.insert(copy.key.record) {
                    self.body(account, copy.key.record, &body, packs, tally)?;
                }
            }
        }
    }

    /// An account whose key is destroyed has no copy that says that it lives.
    fn nothing_is_left(&mut self, account: &AccountRow) -> Result<(), Error> {
        let copies =
            self.tenure.store.read(|tx| Ok::<_, Error>(tx.copies_of(account.key, None, usize::MAX)?))?;
        let live = copies.iter().filter(|copy| matches!(copy.state, CopyState::Live { wrap: Some(_) }));
        match live.count() {
            0 => {}
            live => self.find(format!(
                "account number {} has no key, and {live} of its copies are said to live",
                account.key.0
            )),
        }
        Ok(())
    }

    fn open(
        &mut self,
        account: &AccountRow,
        key: &tenure_vault::AccountKey,
        class: &str,
        copy: &CopyRow,
    ) -> Option<BodyKey> {
        let wrap = copy.state.wrap()?;
        let record = copy.key.record.to_string();
        let name = CopyName {
            organisation: account.organisation.as_deref(),
            account: &account.id,
            record: &record,
            class,
        };
        let opened = wrap_of(wrap)
            .and_then(|sealed| Ok(self.tenure.vault.unwrap(&name, key, in_vault(wrap.page), &sealed)?));
        match opened {
            Ok(body) => Some(body),
            Err(error) => {
                self.find(format!("the `{class}` copy of record `{record}` does not open: {}", told(&error)));
                None
            }
        }
    }

    /// Whether a record's body lies where its rows say, and, if all is asked for, reads back.
    fn body(
        &mut self,
        account: &AccountRow,
        record: RecordId,
        key: &BodyKey,
        packs: &HashMap<PackId, u64>,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let (segments, messages) = self.tenure.store.read(|tx| rows_of(tx, account.key, record))?;
        let reaches = |segment: &&SegmentRow| {
            let end = segment.offset.saturating_add(segment.length);
            packs.get(&segment.pack).is_none_or(|size| end > *size)
        };
        if let Some(short) = segments.iter().find(reaches) {
            self.find(format!(
                "a part of record `{record}` lies beyond the end of pack `{}`: restore it from a backup",
                short.pack
            ));
            return Ok(());
        }
        if !self.how.full {
            return Ok(());
        }
        tally.bodies += 1;
        let id = record.to_string();
        let readings: Result<Vec<Reading<'_>>, Error> = segments
            .iter()
            .map(|segment| {
                let length = u32::try_from(segment.length)
                    .map_err(|_| Error::Refused("a segment is longer than any can be".to_owned()))?;
                let pack = tenure_vault::PackId::from_bytes(segment.pack.0);
                Ok(Reading {
                    place: Place { pack, offset: segment.offset, length },
                    key,
                    name: SegmentName {
                        organisation: account.organisation.as_deref(),
                        account: &account.id,
                        record: &id,
                        number: u64::from(segment.segment),
                    },
                })
            })
            .collect();
        match self.tenure.vault.read_all(&readings?) {
            Err(error) => self.find(format!("the body of record `{record}` does not open: {error}")),
            Ok(plain) => match messages_in(&plain) {
                Ok(said) if said == messages => {}
                Ok(said) => {
                    self.find(format!(
                        "the body of record `{record}` has {said} messages and not {messages}"
                    ));
                }
                Err(_) => self.find(format!("the body of record `{record}` can't be understood")),
            },
        }
        Ok(())
    }
}
