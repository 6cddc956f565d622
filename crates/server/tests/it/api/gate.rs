//! A gatekeeper in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use tenure_access::{
    ApiKey, Bearer, Claim, Environment, Grant, KeyHolder, KeyId, KeyTerms, Role, Scope, StoredKey,
    SubjectToken, TokenId, TokenKey, TokenRing,
};
use tenure_model::Instant;
use tenure_server::api::{Attempt, Begun, Denied, Gatekeeper};
use zeroize::Zeroizing;

pub(crate) struct MemoryGate {
    keys: Mutex<HashMap<KeyId, StoredKey>>,
    ring: TokenRing,
    claims: Mutex<HashMap<TokenId, Claim>>,
    attempts: Mutex<HashMap<[u8; 32], ([u8; 32], Option<Vec<u8>>)>>,
    drawn: Mutex<u64>,
}

impl MemoryGate {
    pub(crate) fn new() -> Self {
        Self {
            keys: Mutex::default(),
            ring: TokenRing::new(TokenKey::new(1, &[7; 32]), Vec::new()),
            claims: Mutex::default(),
            attempts: Mutex::default(),
            drawn: Mutex::new(0),
        }
    }

    fn draw<const N: usize>(&self) -> [u8; N] {
        let mut drawn = self.drawn.lock().unwrap();
        std::array::from_fn(|_| {
            *drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*drawn >> 56) as u8
        })
    }

    /// A key of a role, as it is sent.
    pub(crate) fn key(&self, role: Role, scope: Scope, expires: Instant, now: Instant) -> String {
        let owner = format!("{role}-1").parse().unwrap();
        let terms = KeyTerms { environment: Environment::Test, owner, role, scope, expires };
        let (stored, key) = StoredKey::mint(terms, self.draw(), self.draw(), now).unwrap();
        self.keys.lock().unwrap().insert(stored.id, stored);
        key.text().to_string()
    }

    pub(crate) fn revoke(&self, key: &str, now: Instant) {
        let id = key.parse::<ApiKey>().unwrap().id();
        let mut keys = self.keys.lock().unwrap();
        let stored = keys.remove(&id).unwrap();
        keys.insert(id, stored.revoke(now));
    }

    /// Has an attempt stay under way, as if the process had died over it.
    pub(crate) fn forget_answers(&self) {
        self.attempts.lock().unwrap().values_mut().for_each(|(_, answer)| *answer = None);
    }
}

impl Gatekeeper for MemoryGate {
    fn open_key(&self, key: &ApiKey, now: Instant) -> Result<KeyHolder, Denied> {
        let keys = self.keys.lock().unwrap();
        Ok(StoredKey::check(keys.get(&key.id()), key, now)?)
    }

    fn open_token(&self, text: &str, audience: &str, now: Instant) -> Result<SubjectToken, Denied> {
        Ok(self.ring.open(text, audience, now)?)
    }

    fn present(&self, token: SubjectToken, request: [u8; 32], _: Instant) -> Result<Bearer, Denied> {
        let mut claims = self.claims.lock().unwrap();
        let claim = token.claim(request);
        let earlier = claim.and_then(|claim| claims.get(&claim.token).copied());
        if let (Some(claim), None) = (claim, earlier) {
            claims.insert(claim.token, claim);
        }
        Ok(token.present(request, earlier.as_ref())?)
    }

    fn mint(&self, grant: &Grant<'_>) -> Result<(Zeroizing<String>, String), Denied> {
        let id = TokenId(self.draw());
        Ok((self.ring.mint(grant, id)?, id.to_string()))
    }

    fn begin(&self, attempt: &Attempt, _: Instant) -> Result<Begun, Denied> {
        let mut attempts = self.attempts.lock().unwrap();
        Ok(match attempts.get(&attempt.key) {
            None => {
                attempts.insert(attempt.key, (attempt.request, None));
                Begun::First
            }
            Some((request, _)) if *request != attempt.request => Begun::Other,
            Some((_, None)) => Begun::UnderWay,
            Some((_, Some(answer))) => Begun::Done(answer.clone()),
        })
    }

    fn finish(&self, attempt: &Attempt, answer: &[u8], _: Instant) -> Result<(), Denied> {
        self.attempts.lock().unwrap().insert(attempt.key, (attempt.request, Some(answer.to_vec())));
        Ok(())
    }

    fn give_up(&self, attempt: &Attempt) -> Result<(), Denied> {
        self.attempts.lock().unwrap().remove(&attempt.key);
        Ok(())
    }
}
