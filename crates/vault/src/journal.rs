//! The journal: what was written to the database since its last backup, in the key folder, so that a restore of the
//! data can't undo it.
//!
//! It lies in segments of a few MiB, `journal/NUMBER.journal`, named by the number of their first entry. An entry is
//! encrypted under a key of the journal's own (`journal.key`, sealed where the root key lies elsewhere) and bound to its number and to the one before it, by
//! that one's tag. So an entry that was changed, swapped or taken out of the middle opens nothing after it. What is
//! dropped is dropped from the front, in whole segments, and each segment says what it continues.

mod error;
mod segment;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use error::JournalFault;
use segment::{End, HEADER_LEN, Segment};

use crate::cipher::{Algorithm, Cipher, derive};
use crate::error::KeyError;
use crate::files::{self, Change};
use crate::keylog::Kind;
use crate::keys::Secret;
use crate::keystore::sealed::STANDING;
use crate::keystore::{KeyAccess, RootFile, fingerprint, read_roots};

const FOLDER: &str = "journal";
const KEY_FILE: &str = "journal.key";
const LOCK_FILE: &str = "lock";
const ENDING: &str = ".journal";
/// After this many bytes the next entry begins a new segment.
const SEGMENT_BYTES: u64 = 4 << 20;
const TAG_LEN: usize = 16;

/// What a journal made of an entry, by which the next one is bound to it.
pub type Tag = [u8; TAG_LEN];

/// A place in a journal: an entry's number, from 1, and its tag; zeros before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalPlace {
    /// The entry's number.
    pub number: u64,
    /// The entry's tag.
    pub tag: Tag,
}

/// What is done with an entry when a journal is read.
pub type Visit<'v, E> = &'v mut dyn FnMut(JournalPlace, &[u8]) -> Result<(), E>;

/// The journal of a key folder, which no other process has open.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    sealing: Sealing,
    /// The first entry of each segment, in order.
    firsts: Vec<u64>,
    /// The newest segment.
    file: File,
    bytes: u64,
    newest: JournalPlace,
    /// What can't be read at the end of the newest segment, until it is known whether it was acknowledged.
    unread: Option<Unread>,
    /// Set by a write of which nobody knows how far it came.
    stopped: bool,
    /// Held for as long as the journal is in use; the system releases it when a process dies.
    _lock: File,
}

/// An end that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unread {
    /// An entry that was not written to its end, as a crash leaves it.
    Torn,
    /// An entry that was written to its end and does not open.
    Broken,
}

/// The key of a journal, and what the journal is called.
#[derive(Debug)]
struct Sealing {
    cipher: Cipher,
    name: [u8; 16],
}

impl Sealing {
    fn new(secret: &Secret) -> Result<Self, JournalFault> {
        let name = derive(secret.as_bytes(), "tenure/journal-name/v1")?;
        let name = name.as_bytes().first_chunk().copied().unwrap_or_default();
        Ok(Self { cipher: Cipher::new(Algorithm::GcmSiv, secret)?, name })
    }

    /// What an entry is bound to. Every part has a fixed length.
    fn binding(&self, number: u64, before: &Tag) -> Vec<u8> {
        let parts: [&[u8]; 4] = [b"tenure/journal/v1", &self.name, &number.to_le_bytes(), before];
        parts.concat()
    }
}

impl Journal {
    /// Makes a journal in a key folder that has none. One that broke off is made again.
    pub fn create(keys: &Path) -> Result<Self, JournalFault> {
        Self::create_with(keys, &KeyAccess::default())
    }

    /// The same, in a folder whose root key is reached as said.
    pub fn create_with(keys: &Path, access: &KeyAccess) -> Result<Self, JournalFault> {
        let folder = keys.join(FOLDER);
        files::make_private_folder(&folder).map_err(JournalFault::from_io("make the journal's folder"))?;
        let lock = lock(&folder)?;
        let there =
            fs::exists(keys.join(KEY_FILE)).map_err(JournalFault::from_io("look for the journal's key"))?;
        if there || segments(&folder)?.iter().any(|first| *first != 1) {
            return Err(JournalFault::AlreadyThere);
        }
        let secret = Secret::random(Kind::Standing)?;
        let sealing = Sealing::new(&secret)?;
        let file = segment::begin(&folder, &sealing.name, JournalPlace::default())?;
        // The key comes last: with it the journal exists.
        let content = kept_as(keys, access, &secret)?;
        files::apply(keys, &[Change::Write { name: KEY_FILE.to_owned(), content }])
            .map_err(JournalFault::from_io("write the journal's key"))?;
        let newest = JournalPlace::default();
        Ok(Self {
            folder,
            sealing,
            firsts: vec![1],
            file,
            bytes: HEADER_LEN as u64,
            newest,
            unread: None,
            stopped: false,
            _lock: lock,
        })
    }

    /// Opens the journal of a key folder; nothing if it has none.
    pub fn open(keys: &Path) -> Result<Option<Self>, JournalFault> {
        Self::open_with(keys, &KeyAccess::default())
    }

    /// The same, in a folder whose root key is reached as said.
    pub fn open_with(keys: &Path, access: &KeyAccess) -> Result<Option<Self>, JournalFault> {
        let Some(secret) = read_key(keys, access)? else { return Ok(None) };
        let sealing = Sealing::new(&secret)?;
        let folder = keys.join(FOLDER);
        let private =
            files::is_private(&folder).map_err(JournalFault::from_io("look into the journal's folder"))?;
        if !private {
            return Err(JournalFault::TooOpen(FOLDER));
        }
        let lock = lock(&folder)?;
        files::remove_temporaries(&folder)
            .map_err(JournalFault::from_io("clear the journal's folder of unfinished files"))?;
        let firsts = segments(&folder)?;
        let first = *firsts.last().ok_or(JournalFault::Damaged { after: 0 })?;
        let segment = Segment::read(&folder, first, &sealing)?;
        let mut newest = segment.before();
        let end = segment.walk(&sealing, &mut |place, _| {
            newest = place;
            Ok::<_, JournalFault>(())
        })?;
        let file = OpenOptions::new()
            .append(true)
            .open(folder.join(segment_name(first)))
            .map_err(JournalFault::from_io("open the journal"))?;
        let (bytes, unread) = match end {
            End::Whole(bytes) => (bytes, None),
            End::Torn(bytes) => (bytes, Some(Unread::Torn)),
            End::Broken(bytes) => (bytes, Some(Unread::Broken)),
            // More was appended after it, so it was acknowledged.
            End::Damaged => return Err(JournalFault::Damaged { after: newest.number }),
        };
        Ok(Some(Self { folder, sealing, firsts, file, bytes, newest, unread, stopped: false, _lock: lock }))
    }

    /// The number of the newest entry, for those who have no key and don't keep others from writing; nothing if
    /// there is no journal. One that is being appended may be counted or not.
    pub fn peek(keys: &Path) -> Result<Option<u64>, JournalFault> {
        let folder = keys.join(FOLDER);
        if !fs::exists(&folder).map_err(JournalFault::from_io("look for the journal"))? {
            return Ok(None);
        }
        let Some(first) = segments(&folder)?.last().copied() else { return Ok(None) };
        segment::last_number(&folder, first).map(Some)
    }

    /// What no other journal is called.
    pub const fn name(&self) -> [u8; 16] {
        self.sealing.name
    }

    /// The newest entry.
    pub const fn newest(&self) -> JournalPlace {
        self.newest
    }

    /// The entry after which this journal begins: 0 if nothing was dropped.
    pub fn begins_after(&self) -> u64 {
        self.firsts.first().map_or(0, |first| first.saturating_sub(1))
    }

    /// Whether its end was written and does not open, so that only those know whether it was acknowledged who know
    /// what was acknowledged last.
    pub fn is_broken(&self) -> bool {
        self.unread == Some(Unread::Broken)
    }

    /// Says which entry is known to have been acknowledged, and drops an end that can't be read if it never was. One
    /// that was not written to its end never was; one that was is taken for damage, unless the entry just before it
    /// is the one that is known.
    pub fn settle(&mut self, acknowledged: u64) -> Result<(), JournalFault> {
        let newest = self.newest.number;
        let never = match self.unread {
            None => return Ok(()),
            Some(Unread::Torn) => acknowledged <= newest,
            Some(Unread::Broken) => acknowledged == newest,
        };
        if !never {
            return Err(JournalFault::Damaged { after: newest });
        }
        self.file
            .set_len(self.bytes)
            .and_then(|()| self.file.sync_all())
            .map_err(JournalFault::from_io("drop the unfinished end of the journal"))?;
        self.unread = None;
        Ok(())
    }

    /// Appends an entry, which is durable on return. Its number must be the next.
    ///
    /// After a failure nothing more is taken: the entry may be there or not, and opening again tells.
    pub fn append(&mut self, number: u64, content: &[u8]) -> Result<Tag, JournalFault> {
        if self.stopped || self.unread.is_some() || number != self.newest.number + 1 {
            return Err(JournalFault::Stopped);
        }
        self.stopped = true;
        if self.bytes >= SEGMENT_BYTES {
            self.file = segment::begin(&self.folder, &self.sealing.name, self.newest)?;
            self.firsts.push(number);
            self.bytes = HEADER_LEN as u64;
        }
        let (entry, tag) = segment::entry(&self.sealing, number, &self.newest.tag, content)?;
        self.file
            .write_all(&entry)
            .and_then(|()| self.file.sync_data())
            .map_err(JournalFault::from_io("write to the journal"))?;
        self.bytes += entry.len() as u64;
        self.newest = JournalPlace { number, tag };
        self.stopped = false;
        Ok(tag)
    }

    /// Gives the entries after a place, in order. Each was opened, so all of them are there and unchanged; if one is
    /// not, those before it were given already.
    pub fn replay<E: From<JournalFault>>(&self, after: JournalPlace, visit: Visit<'_, E>) -> Result<(), E> {
        let begins_after = self.begins_after();
        if after.number < begins_after {
            return Err(JournalFault::Short { begins_after }.into());
        }
        let start = self.firsts.partition_point(|first| *first <= after.number + 1).saturating_sub(1);
        let mut expected: Option<JournalPlace> = None;
        for first in self.firsts.iter().skip(start) {
            let segment = Segment::read(&self.folder, *first, &self.sealing)?;
            let before = segment.before();
            if expected.is_some_and(|expected| expected != before) {
                return Err(JournalFault::Damaged { after: expected.map_or(0, |place| place.number) }.into());
            }
            check_after(before, after)?;
            let mut last = before;
            let end = segment.walk(&self.sealing, &mut |place, content| {
                last = place;
                check_after(place, after)?;
                if place.number > after.number { visit(place, content) } else { Ok(()) }
            })?;
            if !matches!(end, End::Whole(_)) && last != self.newest {
                return Err(JournalFault::Damaged { after: last.number }.into());
            }
            expected = Some(last);
        }
        if expected == Some(self.newest) {
            Ok(())
        } else {
            Err(JournalFault::Damaged { after: expected.map_or(0, |place| place.number) }.into())
        }
    }

    /// Drops entries up to one, as far as whole segments have no other. The newest segment always stays.
    pub fn drop_up_to(&mut self, number: u64) -> Result<(), JournalFault> {
        // From the front, so that what is left is unbroken after a crash too.
        while let [first, next, ..] = *self.firsts
            && next <= number.saturating_add(1)
        {
            files::apply(&self.folder, &[Change::Remove { name: segment_name(first) }])
                .map_err(JournalFault::from_io("drop the oldest part of the journal"))?;
            self.firsts.remove(0);
        }
        Ok(())
    }
}

/// Refuses a history that parts from the one that is asked about.
fn check_after(place: JournalPlace, after: JournalPlace) -> Result<(), JournalFault> {
    if place.number == after.number && place.tag != after.tag {
        return Err(JournalFault::Parted { number: place.number });
    }
    Ok(())
}

fn lock(folder: &Path) -> Result<File, JournalFault> {
    let lock = files::open_private(&folder.join(LOCK_FILE))
        .map_err(JournalFault::from_io("make the journal's lock file"))?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalFault::InUse,
        TryLockError::Error(error) => JournalFault::from_io("lock the journal")(error),
    })?;
    Ok(lock)
}

/// The key as its file holds it. Beside a root that lies in the folder it gains nothing by being sealed, and beside
/// one that lies elsewhere it is.
fn kept_as(keys: &Path, access: &KeyAccess, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, JournalFault> {
    if fingerprint(keys)?.is_some() {
        let found = read_roots(keys, access)?;
        if let RootFile::Wrapped { .. } = found.file {
            let sealed = STANDING.seal(found.roots.newest(), KEY_FILE, secret.as_bytes())?;
            return Ok(sealed.into());
        }
    }
    Ok(Zeroizing::new(secret.as_bytes().to_vec()))
}

/// The key of a folder, if it has one.
///
/// Another process may replace the root key meanwhile. What was then read of both does not fit together, so it is
/// read again.
fn read_key(keys: &Path, access: &KeyAccess) -> Result<Option<Secret>, JournalFault> {
    loop {
        let before = fingerprint(keys)?;
        match read_key_once(keys, access) {
            Err(_) if fingerprint(keys)? != before => {}
            found => return found,
        }
    }
}

fn read_key_once(keys: &Path, access: &KeyAccess) -> Result<Option<Secret>, JournalFault> {
    let place = keys.join(KEY_FILE);
    if !fs::exists(&place).map_err(JournalFault::from_io("look for the journal's key"))? {
        return Ok(None);
    }
    let read = JournalFault::from_io("read the journal's key");
    if !files::is_private(&place).map_err(&read)? {
        return Err(JournalFault::TooOpen(KEY_FILE));
    }
    let bytes = Zeroizing::new(fs::read(&place).map_err(read)?);
    let damaged = JournalFault::Damaged { after: 0 };
    if let Some(secret) = Secret::from_slice(&bytes) {
        return Ok(Some(secret));
    }
    if STANDING.version(&bytes).is_none() {
        return Err(damaged);
    }
    let roots = read_roots(keys, access)?.roots;
    let opened = STANDING.open(&roots, KEY_FILE, &bytes).map_err(|error| match error {
        KeyError::SealedDamaged => damaged.clone(),
        other => other.into(),
    })?;
    Secret::from_slice(&opened).map(Some).ok_or(damaged)
}

fn segment_name(first: u64) -> String {
    format!("{first:016x}{ENDING}")
}

/// The first entries of the segments in a folder, in order.
fn segments(folder: &Path) -> Result<Vec<u64>, JournalFault> {
    let list = || {
        let mut firsts = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(ENDING));
            firsts.extend(number.and_then(|number| u64::from_str_radix(number, 16).ok()));
        }
        firsts.sort_unstable();
        Ok(firsts)
    };
    list().map_err(JournalFault::from_io("list the journal"))
}
