//! The rules of access, end to end: keys, tokens, the question, and changes that need two people.

#![cfg(test)]

mod approvals;
mod documentation;
mod keys;
mod permits;
mod tokens;

use std::collections::BTreeSet;

use tenure_access::{
    Bearer, ConsoleUser, Environment, Grant, KeyHolder, KeyTerms, Operation, Principal, Role, Scope,
    StoredKey, Subject, TokenId, TokenKey, TokenPurpose, TokenRing,
};
use tenure_model::Instant;

const AUDIENCE: &str = "https://privacy.example.org";

/// So many seconds after the time at which the tests begin.
fn at(seconds: i64) -> Instant {
    Instant::from_micros((1_790_000_000 + seconds) * 1_000_000).unwrap()
}

fn subject(organisation: &str, account: &str) -> Subject {
    Subject { organisation: organisation.parse().ok(), account: account.parse().unwrap() }
}

fn principal(name: &str) -> Principal {
    name.parse().unwrap()
}

fn user(name: &str, roles: &[Role]) -> ConsoleUser {
    ConsoleUser { principal: principal(name), roles: roles.iter().copied().collect() }
}

fn terms(role: Role, scope: Scope) -> KeyTerms {
    KeyTerms { environment: Environment::Live, owner: principal("owner"), role, scope, expires: at(86_400) }
}

fn holder(role: Role, scope: Scope) -> KeyHolder {
    let (stored, key) = StoredKey::mint(terms(role, scope), [1; 8], [2; 32], at(0)).unwrap();
    StoredKey::check(Some(&stored), &key, at(0)).unwrap()
}

fn only(operations: &[Operation]) -> Scope {
    Scope { operations: Some(operations.iter().copied().collect::<BTreeSet<_>>()), organisation: None }
}

fn ring() -> TokenRing {
    TokenRing::new(TokenKey::new(1, &[9; 32]), Vec::new())
}

fn grant(subject: &Subject, purpose: TokenPurpose) -> Grant<'_> {
    Grant { subject, purpose, audience: AUDIENCE, from: at(0), until: at(600) }
}

fn bearer(subject: &Subject, purpose: TokenPurpose) -> Bearer {
    let text = ring().mint(&grant(subject, purpose), TokenId([3; 16])).unwrap();
    ring().open(&text, AUDIENCE, at(1)).unwrap().present([0; 32], None).unwrap()
}
