//! What `docs/access.md` says is what the code does.

use tenure_access::{
    Change, Environment, Grant, KeyTerms, Kind, Operation, Refusal, Role, Scope, StoredKey, TokenId,
    TokenKey, TokenPurpose, TokenRing,
};

use crate::{at, principal, subject};

const PAGE: &str = include_str!("../../../../docs/access.md");

/// The rows of the table under a heading, without its two lines of title.
fn table(heading: &str) -> Vec<&'static str> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    section.lines().filter(|line| line.starts_with('|')).skip(2).collect()
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let list = words.collect::<Vec<_>>().join(", ");
    if list.is_empty() { "–".to_owned() } else { list }
}

#[track_caller]
fn same(shown: &[&str], expected: &[String]) {
    assert_eq!(shown, expected, "write this into docs/access.md:\n{}\n", expected.join("\n"));
}

#[test]
fn the_table_of_the_page_is_that_of_the_code() {
    let row = |operation: &Operation| {
        let everybody = operation.is_public().then_some("everybody");
        let roles = list(everybody.into_iter().chain(operation.roles().iter().map(|role| role.word())));
        let token = list(operation.purpose().iter().map(|purpose| purpose.word()));
        let changes = list(operation.changes().map(Change::word));
        format!("| `{operation}` | {} | {roles} | {token} | {changes} |", operation.about())
    };
    same(&table("The table"), &Operation::ALL.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn every_refusal_of_the_page_is_that_of_the_code() {
    let row = |refusal: &Refusal| {
        let status = match refusal.kind() {
            Kind::Unidentified => 401,
            Kind::Forbidden => 403,
            Kind::Conflict => 409,
            Kind::Unacceptable => 422,
        };
        format!("| `{}` | {status} | {refusal} |", refusal.code())
    };
    same(&table("Refusals"), &Refusal::ALL.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn the_key_of_the_page_is_one() {
    let terms = KeyTerms {
        environment: Environment::Test,
        owner: principal("owner"),
        role: Role::App,
        scope: Scope::default(),
        expires: at(1),
    };
    let secret = std::array::from_fn(|place| u8::try_from(place).unwrap());
    let (_, key) = StoredKey::mint(terms, [0, 1, 2, 3, 4, 5, 6, 7], secret, at(0)).unwrap();
    assert!(PAGE.contains(key.text().as_str()), "{}", *key.text());
}

#[test]
fn the_token_of_the_page_is_one() {
    let secret = std::array::from_fn(|place| u8::try_from(place).unwrap());
    let ring = TokenRing::new(TokenKey::new(1, &secret), Vec::new());
    let ada = subject("acme", "ada");
    let audience = "https://privacy.example.org";
    let grant = Grant { subject: &ada, purpose: TokenPurpose::Decide, audience, from: at(0), until: at(600) };
    let text = ring.mint(&grant, TokenId([0xaa; 16])).unwrap();
    assert!(PAGE.contains(text.as_str()), "{}", *text);
}
