//! What still holds something of what was destroyed, and until when. None of it opens by itself; whoever relies on
//! destruction should know of it all the same.

use serde::{Deserialize, Serialize};
use tenure_model::Instant;
use tenure_store::StoreExt as _;

use crate::{Error, Tenure};

/// What ages out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AgeingOut {
    /// Backups that are kept. They hold ciphertext and wrapped keys, and no page key that would open them.
    pub backups: Vec<AgeingBackup>,
    /// What would open destroyed pages, if somebody saved it.
    pub keys: Vec<AgeingKeys>,
}

/// A backup that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeingBackup {
    /// When it was taken.
    pub taken_at: Instant,
    /// Until when it is kept; nothing where nobody has said.
    pub until: Option<Instant>,
}

/// What the key store says could have been saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeingKeys {
    /// What it is.
    pub what: String,
    /// When it ends by itself; nothing where the root key has to be replaced for that.
    pub until: Option<Instant>,
}

impl AgeingOut {
    /// Of this, what may hold something of copies that were made and destroyed at these instants.
    pub(super) fn of(&self, made: Instant, destroyed: Instant) -> Self {
        let holds = |backup: &&AgeingBackup| made <= backup.taken_at && backup.taken_at < destroyed;
        Self { backups: self.backups.iter().filter(holds).cloned().collect(), keys: self.keys.clone() }
    }
}

impl Tenure {
    /// What still ages out.
    pub fn ageing_out(&self, now: Instant) -> Result<AgeingOut, Error> {
        let backups = self.store.read(|tx| Ok::<_, Error>(tx.backups()?))?;
        let kept = backups.into_iter().filter(|row| row.is_kept(now));
        let backups =
            kept.map(|row| AgeingBackup { taken_at: row.backup.taken_at, until: row.backup.ages_out_at });
        let keys = self.vault.pages().ageing_out()?.into_iter();
        let keys =
            keys.map(|ageing| AgeingKeys { what: ageing.what.words().to_owned(), until: ageing.until });
        Ok(AgeingOut { backups: backups.collect(), keys: keys.collect() })
    }
}
