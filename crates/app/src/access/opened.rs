//! What was opened a moment ago: keys and the ring of tokens, so that a request need not wait for the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenure_access::{KeyId, StoredKey, TokenRing};
use tenure_model::Instant;

/// For how long what was read may be relied on. Another process hears of a revocation so much later at most.
const FRESH_MICROS: i64 = 1_000_000;
/// How many keys are remembered. Only keys that exist are, so that strangers fill nothing.
const KEYS_MAX: usize = 1_024;

/// What was read lately. This process's own writes empty it before they are answered.
#[derive(Debug, Default)]
pub(crate) struct Opened(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Advances with each write: what was read before one is not remembered after it.
    generation: u64,
    keys: HashMap<KeyId, (Instant, Arc<StoredKey>)>,
    ring: Option<(Instant, Arc<TokenRing>)>,
}

/// What was remembered, or the generation in which it is to be read.
pub(super) enum Found<T> {
    Fresh(T),
    Read(u64),
}

fn fresh<T: Clone>(kept: Option<&(Instant, T)>, now: Instant) -> Option<T> {
    // A clock that was set back finds nothing fresh.
    let is_fresh = |at: &Instant| (0..FRESH_MICROS).contains(&now.micros().saturating_sub(at.micros()));
    kept.filter(|(at, _)| is_fresh(at)).map(|(_, value)| value.clone())
}

impl Opened {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn key(&self, id: KeyId, now: Instant) -> Found<Arc<StoredKey>> {
        let inner = self.inner();
        fresh(inner.keys.get(&id), now).map_or(Found::Read(inner.generation), Found::Fresh)
    }

    pub(super) fn keep_key(&self, generation: u64, key: &Arc<StoredKey>, now: Instant) {
        let mut inner = self.inner();
        if inner.generation != generation {
            return;
        }
        if inner.keys.len() >= KEYS_MAX {
            inner.keys.clear();
        }
        inner.keys.insert(key.id, (now, Arc::clone(key)));
    }

    pub(super) fn ring(&self, now: Instant) -> Found<Arc<TokenRing>> {
        let inner = self.inner();
        fresh(inner.ring.as_ref(), now).map_or(Found::Read(inner.generation), Found::Fresh)
    }

    pub(super) fn keep_ring(&self, generation: u64, ring: &Arc<TokenRing>, now: Instant) {
        let mut inner = self.inner();
        if inner.generation == generation {
            inner.ring = Some((now, Arc::clone(ring)));
        }
    }

    /// Forgets everything, also what others are reading now. To be called once a write has ended, however it did: one
    /// that was reported as failed may have happened.
    pub(super) fn forget(&self) {
        let mut inner = self.inner();
        *inner = Inner { generation: inner.generation.wrapping_add(1), ..Inner::default() };
    }
}

#[cfg(test)]
mod tests {
    use tenure_access::{Environment, KeyTerms, Role, Scope};

    use super::*;

    fn at(micros: i64) -> Instant {
        Instant::from_micros(micros).unwrap()
    }

    fn key() -> Arc<StoredKey> {
        let terms = KeyTerms {
            environment: Environment::Test,
            owner: "ops".parse().unwrap(),
            role: Role::App,
            scope: Scope::default(),
            expires: at(10),
        };
        Arc::new(StoredKey::mint(terms, [1; 8], [2; 32], at(0)).unwrap().0)
    }

    fn is_fresh(opened: &Opened, now: i64) -> bool {
        matches!(opened.key(KeyId([1; 8]), at(now)), Found::Fresh(_))
    }

    #[test]
    fn a_key_is_remembered_for_a_second_and_not_by_a_clock_that_was_set_back() {
        let opened = Opened::default();
        opened.keep_key(0, &key(), at(5));
        assert!(is_fresh(&opened, 5) && is_fresh(&opened, 1_000_004));
        assert!(!is_fresh(&opened, 1_000_005) && !is_fresh(&opened, 4));
    }

    #[test]
    fn what_was_read_before_a_write_is_not_remembered_after_it() {
        let opened = Opened::default();
        let Found::Read(before) = opened.key(KeyId([1; 8]), at(5)) else { panic!() };
        opened.forget();
        opened.keep_key(before, &key(), at(5));
        assert!(!is_fresh(&opened, 5));
        opened.keep_key(before + 1, &key(), at(5));
        assert!(is_fresh(&opened, 5));
        opened.forget();
        assert!(!is_fresh(&opened, 5));
    }
}
