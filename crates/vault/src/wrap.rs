//! Wraps: keys encrypted under other keys.

use std::fmt;

use zeroize::Zeroizing;

use crate::cipher::{Algorithm, Cipher, CipherError, OVERHEAD, derive};
use crate::error::OpenError;
use crate::ids::PageId;
use crate::keys::{AccountKey, BodyKey, Secret};
use crate::names::{AccountName, CopyName};
use crate::page::PageKey;

const COPY: &str = "tenure/wrap/v1";
pub(crate) const ACCOUNT: &str = "tenure/account/v1";
pub(crate) const PROOF: &str = "tenure/proof/v1";

const WRAP_LEN: usize = Secret::LEN + OVERHEAD;

/// A wrapped key, to be stored where anyone may read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrap([u8; WRAP_LEN]);

/// Bytes that are too few or too many for a wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a wrap is {WRAP_LEN} bytes; run `tenure doctor`")]
pub struct MalformedWrap;

impl Wrap {
    /// The length of every wrap.
    pub const LEN: usize = WRAP_LEN;

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn sealed(cipher: &Cipher, names: &[u8], secret: &Secret) -> Result<Self, CipherError> {
        let sealed = cipher.seal(names, secret.as_bytes())?;
        sealed.try_into().map(Self).map_err(|_| CipherError)
    }

    fn opened(&self, cipher: &Cipher, names: &[u8]) -> Result<Secret, OpenError> {
        let bytes = Zeroizing::new(cipher.open(names, &self.0)?);
        Secret::from_slice(&bytes).ok_or(OpenError::Malformed)
    }
}

impl TryFrom<&[u8]> for Wrap {
    type Error = MalformedWrap;

    fn try_from(bytes: &[u8]) -> Result<Self, MalformedWrap> {
        bytes.try_into().map(Self).map_err(|_| MalformedWrap)
    }
}

impl fmt::Debug for Wrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrap(..)")
    }
}

/// An account's key and a page's key, joined: wraps and unwraps any number of the account's copies
/// that are filed under the page.
#[derive(Debug)]
pub struct Wrapper {
    page: PageId,
    cipher: Cipher,
}

impl Wrapper {
    pub(crate) fn new(account: &AccountKey, page: PageId, key: &PageKey) -> Result<Self, CipherError> {
        let mut joined = Zeroizing::new([0; 2 * Secret::LEN]);
        let (of_account, of_page) = joined.split_at_mut(Secret::LEN);
        of_account.copy_from_slice(account.secret().as_bytes());
        of_page.copy_from_slice(key.secret().as_bytes());
        let cipher = Cipher::new(Algorithm::GcmSiv, &derive(joined.as_slice(), COPY)?)?;
        Ok(Self { page, cipher })
    }

    /// The page that the wraps are filed under.
    pub const fn page(&self) -> PageId {
        self.page
    }

    /// Wraps a body key for one copy.
    pub fn wrap(&self, copy: &CopyName<'_>, key: &BodyKey) -> Result<Wrap, CipherError> {
        let names = copy.bind(COPY, self.cipher.algorithm(), self.page);
        Wrap::sealed(&self.cipher, names.as_bytes(), key.secret())
    }

    /// Unwraps the body key of one copy.
    pub fn unwrap(&self, copy: &CopyName<'_>, wrap: &Wrap) -> Result<BodyKey, OpenError> {
        let names = copy.bind(COPY, self.cipher.algorithm(), self.page);
        wrap.opened(&self.cipher, names.as_bytes()).map(BodyKey::new)
    }
}

/// Wraps a key of an account under a page's key alone.
pub(crate) fn wrap_under_page(
    label: &str,
    account: &AccountName<'_>,
    page: PageId,
    key: &PageKey,
    secret: &Secret,
) -> Result<Wrap, CipherError> {
    let cipher = Cipher::new(Algorithm::GcmSiv, &derive(key.secret().as_bytes(), label)?)?;
    Wrap::sealed(&cipher, account.bind(label, cipher.algorithm(), page).as_bytes(), secret)
}

/// Opens what [`wrap_under_page`] made.
pub(crate) fn unwrap_under_page(
    label: &str,
    account: &AccountName<'_>,
    page: PageId,
    key: &PageKey,
    wrap: &Wrap,
) -> Result<Secret, OpenError> {
    let cipher = Cipher::new(Algorithm::GcmSiv, &derive(key.secret().as_bytes(), label)?)?;
    wrap.opened(&cipher, account.bind(label, cipher.algorithm(), page).as_bytes())
}
