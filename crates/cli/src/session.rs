//! Opens a data folder: the one place that names the adapters behind the ports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tenure_app::{
    BackupError, Entropy, Error, OpenedStore, PublicLog, RESTORING, Restore, Restored, SharedJournal, Tenure,
    TimeKeeping, is_behind_its_journal, open_store,
};
use tenure_model::Instant;
use tenure_store::{SqliteStore, Store, StoreError};
use tenure_tlog::checkpoint::Origin;
#[cfg(feature = "transit")]
use tenure_vault::TransitServer;
use tenure_vault::{BodyPlace, KeyAccess, LogKeyError, LogKeys, NewRoot, S3Credentials, Vault};

use crate::configuration::Secrets;

/// The system's random bytes.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| Error::Entropy)
    }
}

/// An open data folder, and the instant that the command runs at.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) tenure: Tenure,
    pub(crate) now: Instant,
    /// The journal in the key folder; none where the folder is only inspected.
    pub(crate) journal: Option<SharedJournal>,
    intent: Intent,
}

impl Session {
    /// Says that the command changes something after all.
    pub(crate) const fn will_change(&mut self) {
        self.intent = Intent::Change;
    }
}

/// What a command added to the log is published when it ends, for whoever serves or follows the log.
impl Drop for Session {
    fn drop(&mut self) {
        if self.intent == Intent::Change {
            // If it fails, the next command publishes it: everything is durable already.
            drop(self.tenure.publish_checkpoint(self.now));
        }
    }
}

/// Whether a command changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// It only looks, so any instant may be asked about.
    Look,
    /// It changes something, so time is real unless the folder's is simulated.
    Change,
}

/// The key folder of a data folder: beside it, so that a copy of the data is not a copy of the keys.
pub(crate) fn key_folder(data: &Path) -> PathBuf {
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push("-keys");
    data.with_file_name(name)
}

/// Makes a data folder and the key folder beside it. Setting up that was cut short is finished.
pub(crate) fn init(
    data: &Path,
    time: TimeKeeping,
    origin: Option<Origin>,
    root: &NewRoot,
    packs: &BodyPlace,
    at: Option<Instant>,
) -> anyhow::Result<Tenure> {
    let now = instant(time, at, Intent::Change)?;
    let keys = key_folder(data);
    refuse_unfinished(data)?;
    let vault = if data.join(DATABASE).exists() {
        let vault = open_vault(data, &keys)?;
        if is_set_up(data) {
            bail!("{} is set up already: nothing was changed", data.display());
        }
        vault
    } else {
        std::fs::create_dir_all(data).with_context(|| format!("can't make the folder {}", data.display()))?;
        let vault = Vault::create_at(data, &keys, root, packs, &s3_credentials())
            .with_context(|| format!("can't set up the keys beside {}", data.display()))?;
        if !vault.pages().pages()?.is_empty() {
            bail!(
                "the keys beside {} are those of a folder whose database is gone: restore it, or name another folder",
                data.display()
            );
        }
        vault
    };
    let log_keys = match LogKeys::open(&keys) {
        Err(LogKeyError::Missing) => LogKeys::create(&keys, &origin.map_or_else(drawn_origin, Ok)?, now)?,
        found => found?,
    };
    let (tenure, _) = join(data, &keys, vault, log_keys)?;
    match tenure.init(time, now) {
        Err(Error::AlreadyInitialised) => bail!("{} is set up already: nothing was changed", data.display()),
        other => other?,
    }
    Ok(tenure)
}

/// Opens a data folder.
pub(crate) fn open(data: &Path, at: Option<Instant>, intent: Intent) -> anyhow::Result<Session> {
    open_with(data, at, intent, &Secrets::default())
}

/// Opens a data folder with secrets that lie in files, and others that the environment has.
pub(crate) fn open_with(
    data: &Path,
    at: Option<Instant>,
    intent: Intent,
    secrets: &Secrets,
) -> anyhow::Result<Session> {
    refuse_unfinished(data)?;
    if !data.join(DATABASE).exists() {
        bail!(
            "there is no data folder at {}: run `tenure init` first, or name one with --data",
            data.display()
        );
    }
    let keys = key_folder(data);
    let vault = vault_with(data, &keys, secrets)?;
    if !is_set_up(data) && !is_of_an_earlier_version(data) {
        bail!(
            "{} was made before there was a log, or its setting up was not finished: run `tenure init` on it if so, or make another",
            data.display()
        );
    }
    let log_keys = LogKeys::open(&keys)?;
    let (tenure, opened) = join(data, &keys, vault, log_keys)?;
    let now = instant(tenure.time()?, at, intent)?;
    if intent == Intent::Change {
        tenure.resume_log(now)?;
    }
    Ok(Session { tenure, now, journal: Some(opened.journal), intent })
}

/// Opens a data folder into which a backup was copied, brings it up to its journal, and makes it one to be relied on.
pub(crate) fn finish_restore(
    begun: Restore,
    data: &Path,
    keys: &Path,
    at: Option<Instant>,
) -> anyhow::Result<Restored> {
    let vault = open_vault(data, keys)?;
    let (tenure, opened) = join(data, keys, vault, LogKeys::open(keys)?)?;
    let now = instant(tenure.time()?, at, Intent::Change)?;
    let restored = begun.finish(&tenure, &opened, now)?;
    tenure.publish_checkpoint(now)?;
    Ok(restored)
}

/// Opens a data folder to look at it, also where its log does not verify: nothing can be written.
pub(crate) fn inspect(data: &Path, at: Option<Instant>) -> anyhow::Result<Session> {
    let store = look(data)?;
    let vault = open_vault(data, &key_folder(data))?;
    let tenure =
        Tenure::new(store, Arc::new(vault), LogKeys::open(&key_folder(data))?, Arc::new(SystemEntropy));
    let now = instant(tenure.time()?, at, Intent::Look)?;
    Ok(Session { tenure, now, journal: None, intent: Intent::Look })
}

/// The vault of a data folder, with its packs wherever the folder says.
pub(crate) fn open_vault(data: &Path, keys: &Path) -> anyhow::Result<Vault> {
    vault_with(data, keys, &Secrets::default())
}

fn vault_with(data: &Path, keys: &Path, secrets: &Secrets) -> anyhow::Result<Vault> {
    let credentials = S3Credentials::from_variables(secrets.variables());
    Vault::open_at(data, keys, &key_access(secrets)?, &credentials)
        .with_context(|| format!("can't open {}", data.display()))
}

/// How a root key is reached that a server wraps. Where no file has the token, the environment is asked, and only
/// for a folder that needs it.
#[cfg(feature = "transit")]
fn key_access(secrets: &Secrets) -> anyhow::Result<KeyAccess> {
    if !secrets.has("VAULT_TOKEN") {
        return Ok(KeyAccess::default());
    }
    let server = TransitServer::from_variables(|name| secrets.variable(name));
    Ok(KeyAccess::Transit(server.context("can't use the Transit server")?))
}

#[cfg(not(feature = "transit"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature it may fail")]
fn key_access(_: &Secrets) -> anyhow::Result<KeyAccess> {
    Ok(KeyAccess::default())
}

/// Who asks a store of packs that is not a folder: the usual variables say it, and nothing keeps it.
fn s3_credentials() -> S3Credentials {
    S3Credentials::from_variables(Secrets::default().variables())
}

/// Whether the setting up of a data folder was finished.
fn is_set_up(data: &Path) -> bool {
    look(data).is_ok_and(|store| PublicLog::of(store).is_ok())
}

/// Whether a data folder waits to be brought up to this version's schema.
fn is_of_an_earlier_version(data: &Path) -> bool {
    matches!(SqliteStore::observe(&data.join(DATABASE)), Err(StoreError::OlderSchema))
}

/// A data folder whose restore was cut short is not to be relied on.
fn refuse_unfinished(data: &Path) -> anyhow::Result<()> {
    if data.join(RESTORING).exists() { Err(BackupError::Unfinished.into()) } else { Ok(()) }
}

/// A data folder to serve from without its keys, also while another process writes. One that was put back from a
/// backup is refused until a command with the keys has brought it up to date.
pub(crate) fn observe(data: &Path) -> anyhow::Result<Arc<dyn Store>> {
    let store = look(data)?;
    if is_behind_its_journal(&data.join(DATABASE), &key_folder(data))? {
        bail!(
            "{} is older than its journal, as after a restore: run `tenure doctor`, which brings it up to date",
            data.display()
        );
    }
    Ok(store)
}

/// A data folder as it is found.
fn look(data: &Path) -> anyhow::Result<Arc<dyn Store>> {
    refuse_unfinished(data)?;
    if !data.join(DATABASE).exists() {
        bail!(
            "there is no data folder at {}: run `tenure init` first, or name one with --data",
            data.display()
        );
    }
    let store = SqliteStore::observe(&data.join(DATABASE))
        .with_context(|| format!("can't open the database in {}", data.display()))?;
    Ok(Arc::new(store))
}

/// What a log is called whose operator gave it no name. Names must differ, since keys go by them.
fn drawn_origin() -> anyhow::Result<Origin> {
    let mut bytes = [0_u8; 8];
    SystemEntropy.fill(&mut bytes)?;
    Ok(format!("tenure.invalid/{:016x}", u64::from_be_bytes(bytes)).parse()?)
}

const DATABASE: &str = "tenure.db";

/// Opens the database with its journal, which brings it up to date if it was put back from a backup.
fn join(data: &Path, keys: &Path, vault: Vault, log_keys: LogKeys) -> anyhow::Result<(Tenure, OpenedStore)> {
    let opened = open_store(&data.join(DATABASE), keys)
        .with_context(|| format!("can't open the database in {}", data.display()))?;
    let store: Arc<dyn Store> = Arc::<SqliteStore>::clone(&opened.store);
    let tenure = Tenure::new(store, Arc::new(vault), log_keys, Arc::new(SystemEntropy));
    // Whoever has the key folder is alone: a process that swept before is gone.
    tenure.alone()?;
    Ok((tenure, opened))
}

/// The instant that a command runs at: the clock's, or the one that it was told.
fn instant(time: TimeKeeping, at: Option<Instant>, intent: Intent) -> anyhow::Result<Instant> {
    match (at, time, intent) {
        (Some(at), TimeKeeping::Simulated, _) | (Some(at), TimeKeeping::Real, Intent::Look) => Ok(at),
        (Some(_), TimeKeeping::Real, Intent::Change) => {
            bail!(
                "--at is for looking, or for a data folder made with `tenure init --simulated`: nothing was changed"
            )
        }
        (None, ..) => clock(),
    }
}

/// The only place that reads the clock.
#[expect(clippy::disallowed_methods, reason = "the command line is where time enters")]
pub(crate) fn clock() -> anyhow::Result<Instant> {
    Ok(Instant::from_micros(jiff::Timestamp::now().as_microsecond())?)
}
