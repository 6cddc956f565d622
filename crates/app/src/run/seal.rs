//! Sealing: the manifest's digest, the statement about it, and the state, in one transaction.

use sha2::{Digest as _, Sha256};
use tenure_model::Instant;
use tenure_receipts::Statement;
use tenure_store::{ReadTx, RunId, StoreExt as _};

use super::copies::{COPIES_DUE, copies_key};
use crate::ledger::hex;
use crate::{Error, Tenure};

/// The versions that are published and not withdrawn, with the digests of their files.
pub(super) fn policies_in_force(tx: &mut dyn ReadTx) -> Result<Vec<(String, [u8; 32])>, Error> {
    let published = tx.policies()?.into_iter().filter(|row| row.withdrawn_at.is_none());
    Ok(published.map(|row| (format!("{}@{}", row.lineage, row.version), row.digest)).collect())
}

impl Tenure {
    /// Seals a run whose files and manifest are durable, and gives the manifest's digest.
    ///
    /// # Errors
    /// Refused if other policies are in force than when the run was opened: they may judge otherwise.
    pub(super) fn seal_run(
        &self,
        run: RunId,
        policies: Vec<(String, [u8; 32])>,
        manifest: String,
        now: Instant,
    ) -> Result<String, Error> {
        let digest: [u8; 32] = Sha256::digest(manifest.as_bytes()).into();
        let tenure = self.clone();
        self.store.write(move |tx| {
            if policies_in_force(tx)? != policies {
                return Err(Error::Refused(
                    "a policy was published or withdrawn while the run was written: open it again".to_owned(),
                ));
            }
            tx.seal_run(run, &manifest, &digest)?;
            tx.set_meta(&copies_key(run), COPIES_DUE)?;
            let statement = Statement::RunSealed { run: run.to_string(), manifest: digest.into() };
            tenure.state_by_house(tx, statement, now)?;
            Ok::<_, Error>(hex(&digest))
        })
    }
}
