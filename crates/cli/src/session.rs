//! Opens a data folder: the one place that names the adapters behind the ports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tenure_app::{Entropy, Error, Tenure, TimeKeeping};
use tenure_model::Instant;
use tenure_store::SqliteStore;
use tenure_vault::Vault;

/// The system's random bytes.
struct SystemEntropy;

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
pub(crate) fn init(data: &Path, time: TimeKeeping, at: Option<Instant>) -> anyhow::Result<Tenure> {
    let now = instant(time, at, Intent::Change)?;
    let keys = key_folder(data);
    let tenure = if data.join(DATABASE).exists() {
        join(data, Vault::open(data, &keys).with_context(|| format!("can't open {}", data.display()))?)?
    } else {
        std::fs::create_dir_all(data).with_context(|| format!("can't make the folder {}", data.display()))?;
        let vault = Vault::create(data, &keys)
            .with_context(|| format!("can't set up the keys beside {}", data.display()))?;
        if !vault.pages().pages()?.is_empty() {
            bail!(
                "the keys beside {} are those of a folder whose database is gone: restore it, or name another folder",
                data.display()
            );
        }
        join(data, vault)?
    };
    match tenure.init(time, now) {
        Err(Error::AlreadyInitialised) => bail!("{} is set up already: nothing was changed", data.display()),
        other => other?,
    }
    Ok(tenure)
}

/// Opens a data folder.
pub(crate) fn open(data: &Path, at: Option<Instant>, intent: Intent) -> anyhow::Result<Session> {
    if !data.join(DATABASE).exists() {
        bail!(
            "there is no data folder at {}: run `tenure init` first, or name one with --data",
            data.display()
        );
    }
    let vault =
        Vault::open(data, &key_folder(data)).with_context(|| format!("can't open {}", data.display()))?;
    let tenure = join(data, vault)?;
    let now = instant(tenure.time()?, at, intent)?;
    Ok(Session { tenure, now })
}

const DATABASE: &str = "tenure.db";

fn join(data: &Path, vault: Vault) -> anyhow::Result<Tenure> {
    let store = SqliteStore::open(&data.join(DATABASE))
        .with_context(|| format!("can't open the database in {}", data.display()))?;
    Ok(Tenure::new(Arc::new(store), Arc::new(vault), Arc::new(SystemEntropy)))
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
