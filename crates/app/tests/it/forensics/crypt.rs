//! How keys are wrapped, done with the cryptographic library alone.

use aws_lc_rs::{aead, hkdf};
use tenure_vault::PageId;

use super::thief::Secret;

/// AES-256-GCM-SIV, whose id is the first byte of what it sealed.
const GCM_SIV: u8 = 2;
const COPY: &str = "tenure/wrap/v1";

/// What is sealed under a page's key alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Sealed {
    Account,
    Proof,
}

impl Sealed {
    const fn label(self) -> &'static str {
        match self {
            Self::Account => "tenure/account/v1",
            Self::Proof => "tenure/proof/v1",
        }
    }
}

/// A page's key, made ready to be tried on wraps of one kind.
pub(crate) struct Pick(aead::LessSafeKey, Sealed);

impl Pick {
    pub(crate) fn new(page_key: &Secret, kind: Sealed) -> Self {
        Self(ready(page_key, kind.label()), kind)
    }

    /// The account's key in a wrap that names a page.
    pub(crate) fn open(&self, account: &str, page: PageId, wrap: &[u8]) -> Option<Secret> {
        open(&self.0, &bound(self.1.label(), &[account.as_bytes(), page.as_bytes()]), wrap)
    }
}

/// An account's key and a page's, joined and made ready to be tried on wraps of copies.
pub(crate) struct Pair(aead::LessSafeKey);

impl Pair {
    pub(crate) fn new(account_key: &Secret, page_key: &Secret) -> Self {
        Self(ready(&[*account_key, *page_key].concat(), COPY))
    }

    /// The body's key in a wrap that is bound to these names.
    pub(crate) fn open(&self, names: &[u8], wrap: &[u8]) -> Option<Secret> {
        open(&self.0, names, wrap)
    }
}

/// What the wrap of a copy is bound to.
pub(crate) fn names_of_copy(account: &str, record: &str, class: &str, page: PageId) -> Vec<u8> {
    bound(COPY, &[account.as_bytes(), record.as_bytes(), class.as_bytes(), page.as_bytes()])
}

/// Label, algorithm, no organisation and the other names, each with its length before it.
fn bound(label: &str, names: &[&[u8]]) -> Vec<u8> {
    let all = [label.as_bytes(), &[GCM_SIV], &[0]].into_iter().chain(names.iter().copied());
    all.flat_map(|field| [&(field.len() as u64).to_be_bytes(), field].concat()).collect()
}

fn open(key: &aead::LessSafeKey, names: &[u8], wrap: &[u8]) -> Option<Secret> {
    let (nonce, sealed) = wrap.strip_prefix(&[GCM_SIV])?.split_first_chunk::<12>()?;
    let mut text = <[u8; 48]>::try_from(sealed).ok()?;
    let nonce = aead::Nonce::assume_unique_for_key(*nonce);
    let opened = key.open_in_place(nonce, aead::Aad::from(names), &mut text).ok()?;
    Secret::try_from(&*opened).ok()
}

fn ready(secret: &[u8], info: &str) -> aead::LessSafeKey {
    aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM_SIV, &derive(secret, info)).unwrap())
}

fn derive(input: &[u8], info: &str) -> Secret {
    struct Length;
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            32
        }
    }
    let mut secret = [0; 32];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(input);
    extracted.expand(&[info.as_bytes()], Length).unwrap().fill(&mut secret).unwrap();
    secret
}
