//! Root keys: what the files of a key folder are sealed under, and where the root itself lies.
//!
//! Roots are numbered. `root.key` says how the one in force is had: it holds the key itself, or what a
//! remote store wrapped it as. While a root is being replaced, `root.next` does the same for the next one.

use std::fmt::Debug;
use std::path::Path;

use zeroize::Zeroizing;

use super::folder::{NEXT_FILE, ROOT_FILE, read_private};
use crate::cipher::{Algorithm, Cipher, CipherError, derive};
use crate::error::KeyError;
use crate::keylog::Kind;
use crate::keys::Secret;

/// The label of the key that seals bundles.
const BUNDLES: &str = "tenure/bundle/v1";
/// Begins a file that holds a root key. The first root lies in 32 bytes without it.
const PLAIN: &[u8; 8] = b"TNRROOT1";
/// Begins a file that holds what a remote store wrapped.
const WRAPPED: &[u8; 8] = b"TNRROOT2";
pub(crate) const FIRST_VERSION: u32 = 1;

/// A root key, ready to seal.
#[derive(Debug)]
pub(crate) struct Root {
    version: u32,
    secret: Secret,
    bundles: Cipher,
}

impl Root {
    pub(crate) fn new(version: u32, secret: Secret) -> Result<Self, CipherError> {
        let bundles = Cipher::new(Algorithm::GcmSiv, &derive(secret.as_bytes(), BUNDLES)?)?;
        Ok(Self { version, secret, bundles })
    }

    pub(crate) const fn version(&self) -> u32 {
        self.version
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// What seals bundles, of which there may be many.
    pub(crate) const fn bundles(&self) -> &Cipher {
        &self.bundles
    }

    /// What seals another kind of file.
    pub(crate) fn cipher(&self, label: &str) -> Result<Cipher, CipherError> {
        Cipher::new(Algorithm::GcmSiv, &derive(self.secret.as_bytes(), label)?)
    }
}

/// The root in force, and the one before it while files are still sealed under that.
#[derive(Debug)]
pub(crate) struct Roots {
    newest: Root,
    earlier: Option<Root>,
}

impl Roots {
    pub(crate) const fn only(newest: Root) -> Self {
        Self { newest, earlier: None }
    }

    /// The root that seals from now on.
    pub(crate) const fn newest(&self) -> &Root {
        &self.newest
    }

    pub(crate) const fn earlier(&self) -> Option<&Root> {
        self.earlier.as_ref()
    }

    pub(crate) fn of(&self, version: u32) -> Option<&Root> {
        [Some(&self.newest), self.earlier.as_ref()].into_iter().flatten().find(|root| root.version == version)
    }

    /// Lets another root seal from now on.
    pub(crate) fn follow(&mut self, next: Root) {
        self.earlier = Some(std::mem::replace(&mut self.newest, next));
    }

    /// Forgets the earlier root. Its bytes are wiped.
    pub(crate) fn forget_earlier(&mut self) {
        self.earlier = None;
    }
}

/// What a file says of a root key.
#[derive(Debug)]
pub(crate) enum RootFile {
    /// The key itself.
    Plain { version: u32, secret: Secret },
    /// What a remote store wrapped it as.
    Wrapped { version: u32, wrapped: Wrapped },
}

/// A root key as a remote store wrapped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrapped {
    /// Where the store's engine is mounted.
    pub(crate) mount: String,
    /// The name of the store's key.
    pub(crate) key: String,
    /// The ciphertext, as the store wrote it.
    pub(crate) ciphertext: String,
}

impl RootFile {
    pub(crate) const fn version(&self) -> u32 {
        match self {
            Self::Plain { version, .. } | Self::Wrapped { version, .. } => *version,
        }
    }

    pub(crate) fn parse(name: &'static str, bytes: &[u8]) -> Result<Self, KeyError> {
        Self::of(bytes).ok_or(KeyError::RootDamaged(name))
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        if let Some(secret) = Secret::from_slice(bytes) {
            return Some(Self::Plain { version: FIRST_VERSION, secret });
        }
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (version, rest) = rest.split_first_chunk::<4>()?;
        let version = u32::from_be_bytes(*version);
        match magic {
            PLAIN => Some(Self::Plain { version, secret: Secret::from_slice(rest)? }),
            WRAPPED => {
                let mut lines = str::from_utf8(rest).ok()?.split('\n').map(str::to_owned);
                let (mount, key, ciphertext) = (lines.next()?, lines.next()?, lines.next()?);
                let wrapped = Wrapped { mount, key, ciphertext };
                lines.next().is_none().then_some(Self::Wrapped { version, wrapped })
            }
            _ => None,
        }
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Room is made first: growing would leave the key behind in the old allocation.
        let mut bytes = Zeroizing::new(Vec::with_capacity(64));
        match self {
            Self::Plain { version: FIRST_VERSION, secret } => bytes.extend_from_slice(secret.as_bytes()),
            Self::Plain { version, secret } => {
                bytes.extend_from_slice(PLAIN);
                bytes.extend_from_slice(&version.to_be_bytes());
                bytes.extend_from_slice(secret.as_bytes());
            }
            Self::Wrapped { version, wrapped } => {
                bytes.extend_from_slice(WRAPPED);
                bytes.extend_from_slice(&version.to_be_bytes());
                let Wrapped { mount, key, ciphertext } = wrapped;
                bytes.extend_from_slice(format!("{mount}\n{key}\n{ciphertext}").as_bytes());
            }
        }
        bytes
    }
}

/// Who can make a root key, give it out, and see to it that earlier ones are gone.
pub(crate) trait Custody: Debug + Send + Sync {
    /// A new root key, and what `root.key` has to say for it to be had again.
    fn make(&self, version: u32) -> Result<(Root, RootFile), KeyError>;

    /// The root key that a file speaks of.
    fn open(&self, file: &RootFile) -> Result<Root, KeyError>;

    /// Destroys, outside the folder, whatever opens earlier roots, and makes sure that it is gone. May be
    /// repeated.
    fn retain_only(&self, file: &RootFile) -> Result<(), KeyError>;
}

/// The root key lies in the folder itself.
#[derive(Debug)]
pub(crate) struct InFolder;

impl Custody for InFolder {
    fn make(&self, version: u32) -> Result<(Root, RootFile), KeyError> {
        let secret = Secret::random(Kind::Root)?;
        let file = RootFile::Plain { version, secret: secret.clone() };
        Ok((Root::new(version, secret)?, file))
    }

    fn open(&self, file: &RootFile) -> Result<Root, KeyError> {
        match file {
            RootFile::Plain { version, secret } => Ok(Root::new(*version, secret.clone())?),
            RootFile::Wrapped { .. } => Err(KeyError::RootDamaged(ROOT_FILE)),
        }
    }

    /// There is nothing outside the folder.
    fn retain_only(&self, _: &RootFile) -> Result<(), KeyError> {
        Ok(())
    }
}

/// How a root key is reached that does not lie in the key folder.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum KeyAccess {
    /// As the environment says, which is asked only for a folder that needs it: `VAULT_ADDR` and
    /// `VAULT_TOKEN`, or `BAO_ADDR` and `BAO_TOKEN`.
    #[default]
    Environment,
    /// By this server.
    #[cfg(feature = "transit")]
    Transit(super::transit::TransitServer),
}

impl KeyAccess {
    #[cfg_attr(
        not(feature = "transit"),
        expect(clippy::unused_self, reason = "only a server has to be reached")
    )]
    pub(crate) fn custody(&self, file: &RootFile) -> Result<Box<dyn Custody>, KeyError> {
        match file {
            RootFile::Plain { .. } => Ok(Box::new(InFolder)),
            #[cfg(feature = "transit")]
            RootFile::Wrapped { wrapped, .. } => self.remote(wrapped),
            #[cfg(not(feature = "transit"))]
            RootFile::Wrapped { .. } => Err(crate::error::TransitError::NotBuilt.into()),
        }
    }

    #[cfg(feature = "transit")]
    fn remote(&self, wrapped: &Wrapped) -> Result<Box<dyn Custody>, KeyError> {
        use super::transit::{TransitCustody, TransitServer};
        let server = match self {
            Self::Environment => TransitServer::from_environment()?,
            Self::Transit(server) => server.clone(),
        };
        Ok(Box::new(TransitCustody::of(server, wrapped)))
    }
}

/// Where the root key of a new key folder is to lie.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum NewRoot {
    /// In the folder itself.
    #[default]
    InFolder,
    /// In Vault or `OpenBao`: the folder holds only what its Transit engine wrapped.
    #[cfg(feature = "transit")]
    InTransit {
        /// The server.
        server: super::transit::TransitServer,
        /// Where its Transit engine is mounted, such as `transit`.
        mount: String,
        /// The name of the key, which must not exist yet; drawn if there is none.
        key: Option<String>,
    },
}

impl NewRoot {
    #[cfg_attr(not(feature = "transit"), expect(clippy::unnecessary_wraps, reason = "a server may refuse"))]
    pub(crate) fn custody(&self) -> Result<Box<dyn Custody>, KeyError> {
        match self {
            Self::InFolder => Ok(Box::new(InFolder)),
            #[cfg(feature = "transit")]
            Self::InTransit { server, mount, key } => {
                let key = key.as_deref();
                Ok(Box::new(super::transit::TransitCustody::create(server.clone(), mount, key)?))
            }
        }
    }
}

/// What a folder says of its roots.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) custody: Box<dyn Custody>,
    pub(crate) roots: Roots,
    /// What is in force once a replacement is finished.
    pub(crate) file: RootFile,
    /// A root is being replaced.
    pub(crate) unfinished: bool,
}

/// The roots of a folder.
pub(crate) fn read(folder: &Path, access: &KeyAccess) -> Result<Found, KeyError> {
    let bytes = read_private(folder, ROOT_FILE)?.ok_or(KeyError::Missing(ROOT_FILE))?;
    let file = RootFile::parse(ROOT_FILE, &bytes)?;
    let custody = access.custody(&file)?;
    let Some(next_bytes) = read_private(folder, NEXT_FILE)? else {
        let roots = Roots::only(custody.open(&file)?);
        return Ok(Found { custody, roots, file, unfinished: false });
    };
    let next = RootFile::parse(NEXT_FILE, &next_bytes)?;
    let newest = custody.open(&next)?;
    let mut roots = Roots::only(newest);
    if next_bytes != bytes {
        if Some(next.version()) != file.version().checked_add(1) {
            return Err(KeyError::RootDamaged(NEXT_FILE));
        }
        roots.earlier = Some(custody.open(&file)?);
    }
    Ok(Found { custody, roots, file: next, unfinished: true })
}

/// What `root.key` says at this moment, to see whether it was replaced meanwhile.
pub(crate) fn fingerprint(folder: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    read_private(folder, ROOT_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_root_file_says_is_read_back_and_the_first_root_is_bare() {
        let (_, first) = InFolder.make(FIRST_VERSION).unwrap();
        assert_eq!(first.to_bytes().len(), Secret::LEN);
        let (root, later) = InFolder.make(7).unwrap();
        let read = RootFile::parse(ROOT_FILE, &later.to_bytes()).unwrap();
        assert_eq!(read.version(), 7);
        assert_eq!(InFolder.open(&read).unwrap().secret().as_bytes(), root.secret().as_bytes());
        let wrapped = Wrapped {
            mount: "transit".to_owned(),
            key: "tenure-1".to_owned(),
            ciphertext: "vault:v3:QUJD".to_owned(),
        };
        let file = RootFile::Wrapped { version: 9, wrapped: wrapped.clone() };
        let read = RootFile::parse(ROOT_FILE, &file.to_bytes()).unwrap();
        assert!(matches!(&read, RootFile::Wrapped { version: 9, wrapped: found } if *found == wrapped));
        assert!(matches!(InFolder.open(&read), Err(KeyError::RootDamaged(_))));
    }

    #[test]
    fn noise_is_no_root_file() {
        for noise in [&b""[..], b"short", &[0; 31], &[0; 44], b"TNRROOT2\0\0\0\x02transit\nkey"] {
            assert_eq!(RootFile::parse(ROOT_FILE, noise).unwrap_err(), KeyError::RootDamaged(ROOT_FILE));
        }
    }
}
