//! Checkpoints: what the log is, signed. Signed only after the commit that made it so, and never otherwise.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenure_model::Instant;
use tenure_receipts::Statement;
use tenure_store::log::Tiles;
use tenure_store::{Digest, ReadTx, Seq, Store, StoreExt as _, Tx};
use tenure_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tenure_tlog::merkle::tree_root;
use tenure_tlog::note::{Verifier, VerifierKey};
use tenure_tlog::tile::TileHashReader;
use tenure_vault::{LogKey, LogKeys};

use super::public::{self, KEYS, ORIGIN, PUBLISHED};
use crate::{Error, Tenure};

/// The log's keys, and the newest checkpoint that they signed.
#[derive(Debug)]
pub(crate) struct Log(Mutex<Signing>);

#[derive(Debug)]
struct Signing {
    keys: LogKeys,
    /// Whether the log was found to continue what was published of it.
    continues: bool,
    newest: Option<Arc<SignedCheckpoint>>,
}

impl Log {
    pub(crate) fn new(keys: LogKeys) -> Self {
        Self(Mutex::new(Signing { keys, continues: false, newest: None }))
    }

    /// A panic elsewhere leaves keys and checkpoint as they were: each is replaced whole.
    fn lock(&self) -> MutexGuard<'_, Signing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A signed checkpoint of a tree that has at least so many leaves.
    ///
    /// Callers that were committed together ask together: the first one signs what the log is now, and the
    /// others find it signed. What the store says of its head is committed already, so nothing is ever signed
    /// that a crash could take back.
    fn covering(&self, store: &dyn Store, size: u64, now: Instant) -> Result<Arc<SignedCheckpoint>, Error> {
        let mut signing = self.lock();
        if let Some(signed) = signing.newest.as_ref().filter(|signed| size <= signed.checkpoint().size()) {
            return Ok(Arc::clone(signed));
        }
        signing.check_continues(store)?;
        let mut head = store.head();
        if head.size < size {
            // Its writer has not heard of a commit whose answer was lost. What a snapshot shows is committed.
            let stored = store.read(|tx| Ok::<_, Error>(tx.tree_head()?))?;
            head = stored.filter(|stored| size <= stored.size).ok_or(Error::NotIntegrated)?;
        }
        let checkpoint = Checkpoint::new(signing.keys.origin().clone(), head.size, head.root);
        let signed = Arc::new(signing.keys.sign(checkpoint, now)?);
        signing.newest = Some(Arc::clone(&signed));
        Ok(signed)
    }

    /// Changes the keys. What the old ones signed is signed anew when it is next asked for.
    fn change(&self, change: impl FnOnce(&LogKeys) -> Result<LogKeys, Error>) -> Result<(), Error> {
        let mut signing = self.lock();
        signing.keys = change(&signing.keys)?;
        signing.newest = None;
        Ok(())
    }
}

impl Signing {
    /// Refuses a log that does not continue what was published of it, as after a restore of older data. It is
    /// looked at once: from then on this process is the only one that writes.
    fn check_continues(&mut self, store: &dyn Store) -> Result<(), Error> {
        if self.continues {
            return Ok(());
        }
        if let Some(mark) = self.keys.mark()? {
            let shown = mark.checkpoint();
            if store.read(|tx| root_at(tx, shown.size()))? != Some(*shown.root()) {
                return Err(Error::LogRolledBack(shown.size()));
            }
        }
        self.continues = true;
        Ok(())
    }
}

impl Signing {
    /// Remembers a checkpoint that is about to be published. Of several at once the largest is remembered.
    fn remember(&self, published: &SignedCheckpoint) -> Result<(), Error> {
        let size = |signed: &SignedCheckpoint| signed.checkpoint().size();
        if self.keys.mark()?.is_none_or(|mark| size(&mark) < size(published)) {
            self.keys.set_mark(published)?;
        }
        Ok(())
    }
}

/// The root of the log when it had so many leaves; none if it never had.
fn root_at(tx: &mut dyn ReadTx, size: u64) -> Result<Option<Digest>, Error> {
    if tx.tree_head()?.is_none_or(|head| head.size < size) {
        return Ok(None);
    }
    let tiles = Tiles::new(tx);
    // Tiles that can't be read are not those that the checkpoint was made of.
    Ok(tree_root(size, &TileHashReader::new(size, &tiles)).ok())
}

impl Tenure {
    /// A signed checkpoint of a tree that has a leaf.
    pub(super) fn checkpoint_over(&self, leaf: Seq, now: Instant) -> Result<Arc<SignedCheckpoint>, Error> {
        let leaf = u64::try_from(leaf.0).map_err(|_| Error::NotIntegrated)?;
        self.log.covering(self.store.as_ref(), leaf.saturating_add(1), now)
    }

    /// Signs what the log is now, and keeps it where those who serve the log find it.
    pub fn publish_checkpoint(&self, now: Instant) -> Result<Arc<SignedCheckpoint>, Error> {
        // As a snapshot shows it: the writer may not have heard of a commit whose answer was lost.
        let (head, old) = self.store.read(|tx| Ok::<_, Error>((tx.tree_head()?, public::published(tx)?)))?;
        let size = head.map_or(0, |head| head.size);
        let signed = self.log.covering(self.store.as_ref(), size, now)?;
        if old.is_some_and(|old| old == *signed) {
            return Ok(signed);
        }
        self.log.lock().remember(&signed)?;
        let published = Arc::clone(&signed);
        self.store.write(move |tx| {
            // Another caller may have published a later one meanwhile.
            let size = |signed: &SignedCheckpoint| signed.checkpoint().size();
            if public::published(tx)?.is_none_or(|old| size(&old) <= size(&published)) {
                tx.set_meta(PUBLISHED, &published.to_string())?;
            }
            Ok::<_, Error>(())
        })?;
        Ok(signed)
    }

    /// The root of the log when it had so many statements; none if it never had.
    pub(crate) fn log_root_at(&self, size: u64) -> Result<Option<Digest>, Error> {
        self.store.read(|tx| root_at(tx, size))
    }

    /// The newest checkpoint that was published, as the key folder remembers it.
    pub(super) fn log_mark(&self) -> Result<Option<SignedCheckpoint>, Error> {
        Ok(self.log.lock().keys.mark()?)
    }

    /// Whether keys of the log, present or retired, signed a checkpoint of it.
    pub(super) fn signed_by_log(&self, signed: &SignedCheckpoint) -> bool {
        let signing = self.log.lock();
        let verifiers = signing.keys.all_verifiers();
        let verifiers: Vec<&dyn Verifier> =
            verifiers.iter().map(|verifier| &**verifier as &dyn Verifier).collect();
        signed.verify(signing.keys.origin(), &verifiers).is_ok()
    }

    /// The keys of the log, also those that were retired.
    pub fn log_keys(&self) -> Vec<LogKey> {
        self.log.lock().keys.keys()
    }

    /// Makes new keys, which sign beside the present ones until those are retired.
    pub fn rotate_log_keys(&self, now: Instant) -> Result<(), Error> {
        self.log.change(|keys| Ok(keys.rotate(now)?))?;
        self.settle_log_keys(now)
    }

    /// Retires all keys but the newest. From now on only those who know the newest can verify what is signed.
    pub fn retire_log_keys(&self, now: Instant) -> Result<(), Error> {
        self.log.change(|keys| Ok(keys.retire(now)?))?;
        self.settle_log_keys(now)
    }

    /// Takes the log up again: refuses one that does not continue what was published of it, and states which
    /// keys sign, if that is not what was stated last, since a change of keys may have been cut short.
    ///
    /// # Errors
    /// [`Error::LogRolledBack`] after a restore of older data.
    pub fn resume_log(&self, now: Instant) -> Result<(), Error> {
        self.log.lock().check_continues(self.store.as_ref())?;
        self.settle_log_keys(now)
    }

    fn settle_log_keys(&self, now: Instant) -> Result<(), Error> {
        let keys = self.log.lock().keys.verifier_keys();
        if self.store.read(|tx| Ok::<_, Error>(public::keys(tx)? == keys))? {
            return Ok(());
        }
        let tenure = self.clone();
        self.store.write(move |tx| tenure.state_log_keys(tx, &keys, now))
    }

    /// States, with the first statement of the log, whose it is and which keys sign it.
    pub(crate) fn open_log(&self, tx: &mut dyn Tx, now: Instant) -> Result<(), Error> {
        let (origin, keys) = {
            let signing = self.log.lock();
            (signing.keys.origin().to_string(), signing.keys.verifier_keys())
        };
        tx.set_meta(ORIGIN, &origin)?;
        self.state_log_keys(tx, &keys, now)
    }

    fn state_log_keys(&self, tx: &mut dyn Tx, keys: &[VerifierKey], now: Instant) -> Result<(), Error> {
        let stated = public::keys(tx)?;
        let without = |some: &[VerifierKey], others: &[VerifierKey]| {
            some.iter().filter(|key| !others.contains(key)).cloned().collect::<Vec<_>>()
        };
        let (added, retired) = (without(keys, &stated), without(&stated, keys));
        let lines: Vec<String> = keys.iter().map(ToString::to_string).collect();
        tx.set_meta(KEYS, &lines.join("\n"))?;
        self.state_by_house(tx, Statement::SigningKeysChanged { added, retired }, now).map(drop)
    }
}
