//! Small files that are sealed under the root as a whole: `magic (8) ‖ root version (4) ‖ sealed`.

use zeroize::Zeroizing;

use super::root::{FIRST_VERSION, Root, Roots};
use crate::cipher::{Algorithm, CipherError, OVERHEAD};
use crate::error::KeyError;
use crate::names::Fields;

pub(crate) const LOG_KEYS_FILE: &str = "log-keys";
const KEY_ENDING: &str = ".key";

/// A kind of sealed file.
#[derive(Debug)]
pub(crate) struct Form {
    magic: &'static [u8; 8],
    /// How such a file began before roots had versions.
    magic_before: Option<&'static [u8; 8]>,
    label: &'static str,
}

/// The keys of the log.
pub(crate) const LOG_KEYS: Form =
    Form { magic: b"TNRLOGK2", magic_before: Some(b"TNRLOGK1"), label: "tenure/log-keys/v1" };
/// A key that lives as long as the vault.
pub(crate) const STANDING: Form =
    Form { magic: b"TNRSTND1", magic_before: None, label: "tenure/standing/v1" };

/// Which kind of sealed file a file is, if it is one.
pub(super) fn form_of(name: &str, file: &[u8]) -> Option<&'static Form> {
    match name {
        LOG_KEYS_FILE => Some(&LOG_KEYS),
        // A key of 32 bytes is one that lies beside its root, unsealed.
        _ if name.ends_with(KEY_ENDING) && file.starts_with(STANDING.magic) => Some(&STANDING),
        _ => None,
    }
}

impl Form {
    /// The root that a file says it is sealed under.
    pub(crate) fn version(&self, file: &[u8]) -> Option<u32> {
        let (magic, rest) = file.split_first_chunk::<8>()?;
        if Some(magic) == self.magic_before {
            return Some(FIRST_VERSION);
        }
        let (version, _) = rest.split_first_chunk::<4>()?;
        (magic == self.magic).then(|| u32::from_be_bytes(*version))
    }

    pub(crate) fn seal(&self, root: &Root, name: &str, plaintext: &[u8]) -> Result<Vec<u8>, CipherError> {
        let mut file = Vec::with_capacity(self.magic.len() + 4 + plaintext.len() + OVERHEAD);
        file.extend_from_slice(self.magic);
        file.extend_from_slice(&root.version().to_be_bytes());
        let names = self.bound(&[&file, name.as_bytes()]);
        root.cipher(self.label)?.seal_into(names.as_bytes(), plaintext, &mut file)?;
        Ok(file)
    }

    pub(crate) fn open(
        &self,
        roots: &Roots,
        name: &str,
        file: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let damaged = || KeyError::SealedDamaged;
        let root = self.version(file).and_then(|version| roots.of(version)).ok_or_else(damaged)?;
        let before = self.magic_before.is_some_and(|magic| file.starts_with(magic));
        let (head, sealed) = file.split_at_checked(if before { 8 } else { 12 }).ok_or_else(damaged)?;
        let names = if before { self.bound(&[head]) } else { self.bound(&[head, name.as_bytes()]) };
        let opened = root.cipher(self.label)?.open(names.as_bytes(), sealed);
        opened.map(Zeroizing::new).map_err(|_| damaged())
    }

    fn bound(&self, parts: &[&[u8]]) -> Fields {
        let mut fields = Fields::new(self.label, Algorithm::GcmSiv);
        for part in parts {
            fields.add(part);
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keylog::Kind;
    use crate::keys::Secret;

    fn root(version: u32) -> Root {
        Root::new(version, Secret::random(Kind::Root).unwrap()).unwrap()
    }

    #[test]
    fn a_sealed_file_opens_under_its_root_and_name_and_nothing_else() {
        let mut roots = Roots::only(root(4));
        roots.follow(root(5));
        let file = STANDING.seal(roots.earlier().unwrap(), "a.key", b"text").unwrap();
        assert_eq!(STANDING.version(&file), Some(4));
        assert_eq!(**STANDING.open(&roots, "a.key", &file).unwrap(), *b"text");
        assert_eq!(STANDING.open(&roots, "b.key", &file).unwrap_err(), KeyError::SealedDamaged);
        assert_eq!(
            STANDING.open(&Roots::only(root(5)), "a.key", &file).unwrap_err(),
            KeyError::SealedDamaged
        );
        assert_eq!(
            STANDING.open(&Roots::only(root(4)), "a.key", &file).unwrap_err(),
            KeyError::SealedDamaged
        );
        for place in 0..file.len() {
            let mut altered = file.clone();
            altered[place] ^= 1;
            assert!(STANDING.open(&roots, "a.key", &altered).is_err(), "byte {place}");
            assert!(STANDING.open(&roots, "a.key", &file[..place]).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn keys_of_the_log_from_before_roots_had_versions_still_open() {
        let root = root(FIRST_VERSION);
        let mut file = b"TNRLOGK1".to_vec();
        let names = LOG_KEYS.bound(&[b"TNRLOGK1"]);
        root.cipher(LOG_KEYS.label).unwrap().seal_into(names.as_bytes(), b"text", &mut file).unwrap();
        assert_eq!(**LOG_KEYS.open(&Roots::only(root), LOG_KEYS_FILE, &file).unwrap(), *b"text");
    }
}
