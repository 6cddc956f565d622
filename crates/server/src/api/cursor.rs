//! Cursors: where a list goes on. Opaque to who holds one, and bound to its list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::fault::{Code, Fault};

/// The version of the form.
const VERSION: u8 = 1;
/// How much of the list's digest is in a cursor.
const BOUND: usize = 8;

/// One list: what it lists and of whom. A cursor of another is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<'a> {
    /// What is listed.
    pub(crate) name: &'a str,
    /// Of what.
    pub(crate) of: &'a str,
}

impl List<'_> {
    fn bound(&self) -> [u8; BOUND] {
        let digest = Sha256::new()
            .chain_update((self.name.len() as u64).to_be_bytes())
            .chain_update(self.name)
            .chain_update(self.of)
            .finalize();
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// The cursor after a place.
    pub(crate) fn after(&self, place: &str) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.bound());
        bytes.extend_from_slice(place.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place after which a cursor goes on.
    pub(crate) fn place<T: std::str::FromStr>(&self, cursor: &str) -> Result<T, Fault> {
        self.read(cursor).and_then(|place| place.parse().ok()).ok_or_else(|| Code::CursorUnknown.into())
    }

    fn read(&self, cursor: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let rest = bytes.strip_prefix(&[VERSION])?.strip_prefix(&self.bound())?;
        String::from_utf8(rest.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_on_in_its_own_list_and_in_no_other() {
        let list = List { name: "receipts", of: "ada" };
        let cursor = list.after("41");
        assert_eq!(list.place::<u64>(&cursor).unwrap(), 41);
        for other in [List { name: "receipts", of: "bob" }, List { name: "records", of: "ada" }] {
            assert!(other.place::<u64>(&cursor).is_err());
        }
        for altered in ["", "AQ", cursor.get(1..).unwrap(), &cursor.replacen('A', "B", 1), "ü"] {
            assert!(list.place::<u64>(altered).is_err(), "{altered}");
        }
    }
}
