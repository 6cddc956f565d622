//! Every raw key that is made, told to a test.
//!
//! A test that claims "this can never be read again" must be able to look for the keys themselves: in
//! files, and as what opens an old wrap. So the `key-log` feature, which no binary that is given away
//! is built with, notes each key where its random bytes are drawn or where it arrives from elsewhere.

#[cfg(any(test, feature = "key-log"))]
pub use recording::{Recorded, Recording, open_body, open_bundle, try_wrap};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    not(any(test, feature = "key-log")),
    expect(unreachable_pub, reason = "the module is public with its feature")
)]
pub enum Kind {
    /// Encrypts the body of one record.
    Body,
    /// Belongs to one account.
    Account,
    /// Belongs to one page.
    Page,
    /// Seals what proves an account's decisions.
    Proof,
    /// Seals the files of the key folder. With a root that lies elsewhere it is what that one wraps.
    Root,
    /// Recognises content, or serves another purpose for as long as the vault lives.
    Standing,
    /// Makes a signing key of the log.
    Seed,
}

/// Tells a new key to whoever listens.
#[cfg(any(test, feature = "key-log"))]
pub(crate) fn note(kind: Kind, bytes: &[u8; 32]) {
    recording::note(kind, bytes);
}

/// Nobody can listen.
#[cfg(not(any(test, feature = "key-log")))]
pub(crate) const fn note(_: Kind, _: &[u8; 32]) {}

#[cfg(any(test, feature = "key-log"))]
mod recording {
    use std::fmt;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

    use super::Kind;
    use crate::bundle;
    use crate::ids::PageId;
    use crate::keys::{AccountKey, BodyKey, Secret};
    use crate::keystore::{Root, Roots};
    use crate::names::CopyName;
    use crate::page::{PageKey, Tree};
    use crate::wrap::{Wrap, Wrapper};

    type Sink = Mutex<Vec<Recorded>>;

    static LISTENERS: Mutex<Vec<Weak<Sink>>> = Mutex::new(Vec::new());

    /// A key that was made, in the clear.
    #[derive(Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Recorded {
        /// What it is for.
        pub kind: Kind,
        /// Its bytes.
        pub bytes: [u8; 32],
    }

    impl fmt::Debug for Recorded {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "Recorded({:?})", self.kind)
        }
    }

    impl Recorded {
        /// Whether the bytes hold this key as it is, in hexadecimal of either case, or in base64.
        pub fn is_in(&self, content: &[u8]) -> bool {
            let holds = |part: &[u8]| content.windows(part.len()).any(|window| window == part);
            let lower = hexadecimal(&self.bytes);
            holds(&self.bytes)
                || holds(lower.as_bytes())
                || holds(lower.to_uppercase().as_bytes())
                || holds(base64(&self.bytes).as_bytes())
        }
    }

    fn hexadecimal(bytes: &[u8]) -> String {
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
        digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
    }

    /// The digits of base64 that do not depend on what follows the key.
    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let (threes, _) = bytes.as_chunks::<3>();
        let of_three = |three: &[u8; 3]| {
            let number = three.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
            [18, 12, 6, 0].map(|shift| DIGITS.get(number >> shift & 0x3F).copied().map_or('A', char::from))
        };
        threes.iter().flat_map(of_three).collect()
    }

    /// A test's ear, for as long as it lives. It hears the whole process, other tests of it too.
    #[derive(Debug)]
    pub struct Recording(Arc<Sink>);

    impl Recording {
        /// Listens from now on.
        pub fn start() -> Self {
            let sink = Arc::new(Sink::default());
            let mut listeners = locked(&LISTENERS);
            listeners.retain(|listener| listener.strong_count() > 0);
            listeners.push(Arc::downgrade(&sink));
            Self(sink)
        }

        /// What was made since, in the order of making.
        pub fn keys(&self) -> Vec<Recorded> {
            locked(&self.0).clone()
        }

        /// What was made since for one purpose.
        pub fn of(&self, kind: Kind) -> Vec<Recorded> {
            self.keys().into_iter().filter(|key| key.kind == kind).collect()
        }
    }

    pub(super) fn note(kind: Kind, bytes: &[u8; 32]) {
        for sink in locked(&LISTENERS).iter().filter_map(Weak::upgrade) {
            locked(&sink).push(Recorded { kind, bytes: *bytes });
        }
    }

    fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries to unwrap a copy with an account's key and a page's, whatever the key store says.
    pub fn try_wrap(
        copy: &CopyName<'_>,
        wrap: &Wrap,
        page: PageId,
        account_key: &[u8; 32],
        page_key: &[u8; 32],
    ) -> Option<[u8; 32]> {
        let account = AccountKey::new(Secret::from_slice(account_key)?);
        let page_key = PageKey::new(Tree::Ordinary, Secret::from_slice(page_key)?);
        let opened = Wrapper::new(&account, page, &page_key).ok()?.unwrap(copy, wrap).ok()?;
        Some(*opened.secret().as_bytes())
    }

    /// Tries to open a file of page keys with a root key, whatever version it says it is of. The number is
    /// the file's name, in hexadecimal.
    pub fn open_bundle(number: u64, file: &[u8], root: &[u8; 32]) -> Option<Vec<(PageId, [u8; 32])>> {
        let root = Root::new(bundle::version(file)?, Secret::from_slice(root)?).ok()?;
        let bundle = bundle::open(&Roots::only(root), number, file).ok()?;
        Some(bundle.keys.iter().map(|(page, key)| (*page, *key.secret().as_bytes())).collect())
    }

    /// The body key of raw bytes, to try on a segment.
    pub fn open_body(bytes: &[u8; 32]) -> Option<BodyKey> {
        Secret::from_slice(bytes).map(BodyKey::new)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn every_key_that_is_made_is_heard_and_found_in_each_form() {
            let recording = Recording::start();
            let made = Secret::random(Kind::Body).unwrap();
            let bytes = *made.as_bytes();
            let heard = recording.keys().into_iter().find(|key| key.bytes == bytes).unwrap();
            assert_eq!(heard.kind, Kind::Body);
            assert!(heard.is_in(&[b"before".as_slice(), &bytes, b"after"].concat()));
            assert!(heard.is_in(hexadecimal(&bytes).to_uppercase().as_bytes()));
            assert!(!heard.is_in(&bytes[1..]));
            assert!(!format!("{heard:?}").contains(&bytes[0].to_string()));
        }

        #[test]
        fn base64_is_that_of_everybody_else() {
            assert_eq!(base64(b"Many hands make light work."), "TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsu");
        }
    }
}
