//! A root key that the Transit engine of a Vault or `OpenBao` server wraps.
//!
//! The folder holds only the wrapped root. The key that wraps it never leaves the server. To replace the
//! root is to make a new version of that key, wrap a new root under it, and let the server delete the
//! earlier versions: then a saved copy of the folder opens nothing, whoever may ask the server.

mod client;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use self::client::{KeyState, wrapped_version};
use super::root::{Custody, Root, RootFile, Wrapped};
use crate::cipher::CipherError;
use crate::error::{KeyError, TransitError};
use crate::keylog::{self, Kind};
use crate::keys::Secret;

pub use client::TransitServer;

/// A key of a Transit engine.
#[derive(Debug)]
pub(crate) struct TransitCustody {
    server: TransitServer,
    mount: String,
    key: String,
}

impl TransitCustody {
    /// The key that a folder speaks of.
    pub(crate) fn of(server: TransitServer, wrapped: &Wrapped) -> Self {
        Self { server, mount: wrapped.mount.clone(), key: wrapped.key.clone() }
    }

    /// Makes a key for a new folder.
    ///
    /// It must not exist yet: two folders that shared one would each delete versions that the other needs.
    pub(crate) fn create(server: TransitServer, mount: &str, key: Option<&str>) -> Result<Self, KeyError> {
        let key = match key {
            Some(key) => key.to_owned(),
            None => drawn_name()?,
        };
        if !is_name(&key) || !mount.split('/').all(is_name) {
            return Err(TransitError::Name.into());
        }
        let custody = Self { server, mount: mount.to_owned(), key };
        let path = custody.path("keys", "");
        if custody.server.key_state(&path)?.is_some() {
            return Err(TransitError::KeyExists.into());
        }
        let made = json!({"type": "aes256-gcm96", "exportable": false, "allow_plaintext_backup": false});
        custody.server.post("make the wrapping key", &path, &made)?;
        custody.fit()?;
        // So that the whole vault can be destroyed by one act.
        let deletable = json!({"deletion_allowed": true});
        custody.server.post("configure the wrapping key", &custody.path("keys", "/config"), &deletable)?;
        Ok(custody)
    }

    fn path(&self, kind: &str, action: &str) -> String {
        format!("{}/{kind}/{}{action}", self.mount, self.key)
    }

    /// The state of the key, if destroying a version of it destroys all there is of that version.
    fn fit(&self) -> Result<KeyState, KeyError> {
        let state = self.server.key_state(&self.path("keys", ""))?.ok_or(TransitError::KeyGone)?;
        if state.exportable || state.allow_plaintext_backup || state.derived {
            return Err(TransitError::Unfit.into());
        }
        Ok(state)
    }

    /// What the wrapped root is bound to, so that none can stand in for another.
    fn bound(&self, version: u32) -> String {
        STANDARD.encode(format!("tenure/root/v1\n{}\n{version}", self.key))
    }
}

impl Custody for TransitCustody {
    fn make(&self, version: u32) -> Result<(Root, RootFile), KeyError> {
        let state = self.fit()?;
        // A first root takes the first version of a key that was just made.
        if version > super::root::FIRST_VERSION || state.latest_version > 1 {
            let rotate = self.path("keys", "/rotate");
            self.server.post("rotate the wrapping key", &rotate, &json!({}))?;
        }
        let latest = self.fit()?.latest_version;
        let secret = Secret::random(Kind::Root)?;
        let bound = self.bound(version);
        let ciphertext = self.server.encrypt(&self.path("encrypt", ""), secret.as_bytes(), &bound)?;
        // Another rotation may have come between, and what it wrapped under must be known.
        if wrapped_version(&ciphertext).is_none_or(|wrapped| wrapped < latest) {
            return Err(TransitError::Unexpected("wrap the root key").into());
        }
        let wrapped = Wrapped { mount: self.mount.clone(), key: self.key.clone(), ciphertext };
        Ok((Root::new(version, secret)?, RootFile::Wrapped { version, wrapped }))
    }

    fn open(&self, file: &RootFile) -> Result<Root, KeyError> {
        let RootFile::Wrapped { version, wrapped } = file else {
            return Err(KeyError::RootDamaged(super::folder::NEXT_FILE));
        };
        if wrapped.mount != self.mount || wrapped.key != self.key {
            return Err(KeyError::RootDamaged(super::folder::NEXT_FILE));
        }
        let bound = self.bound(*version);
        let plaintext = self.server.decrypt(&self.path("decrypt", ""), &wrapped.ciphertext, &bound)?;
        let secret = Secret::from_slice(&plaintext).ok_or(TransitError::Unexpected("unwrap the root key"))?;
        keylog::note(Kind::Root, secret.as_bytes());
        Ok(Root::new(*version, secret)?)
    }

    fn retain_only(&self, file: &RootFile) -> Result<(), KeyError> {
        let RootFile::Wrapped { wrapped, .. } = file else {
            return Err(KeyError::RootDamaged(super::folder::ROOT_FILE));
        };
        let keep =
            wrapped_version(&wrapped.ciphertext).ok_or(TransitError::Unexpected("read the root key"))?;
        if !self.fit()?.holds_before(keep) {
            return Ok(());
        }
        let least = json!({"min_decryption_version": keep, "min_encryption_version": keep});
        self.server.post("retire the wrapping key", &self.path("keys", "/config"), &least)?;
        let trim = json!({"min_available_version": keep});
        self.server.post("trim the wrapping key", &self.path("keys", "/trim"), &trim)?;
        if self.fit()?.holds_before(keep) { Err(KeyError::RootRemains) } else { Ok(()) }
    }
}

/// Whether a word can stand in a path as it is.
fn is_name(word: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !word.is_empty() && word.len() <= 128 && word.bytes().all(fits) && !word.bytes().all(|byte| byte == b'.')
}

fn drawn_name() -> Result<String, KeyError> {
    let mut bytes = [0_u8; 8];
    rand::fill(&mut bytes).map_err(|_| CipherError)?;
    Ok(format!("tenure-{:016x}", u64::from_be_bytes(bytes)))
}

/// Base64 of what is secret, in memory that is wiped.
fn secret_base64(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
    let mut text = Zeroizing::new(vec![0; bytes.len().div_ceil(3) * 4]);
    STANDARD.encode_slice(bytes, text.as_mut_slice()).map_err(|_| CipherError)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_mean_nothing_to_a_path_are_names() {
        assert!(["tenure-1", "a.b_c", &drawn_name().unwrap()].into_iter().all(is_name));
        assert!(!["", "..", ".", "a/b", "a b", "ä", "a?b", "%41"].into_iter().any(is_name));
    }

    #[test]
    fn the_version_of_a_wrapped_root_is_read_from_it() {
        assert_eq!(wrapped_version("vault:v12:QUJD"), Some(12));
        for other in ["vault:v:QUJD", "v1:QUJD", "vault:1:QUJD", "vault:v1", ""] {
            assert_eq!(wrapped_version(other), None, "{other}");
        }
    }
}
