//! One example of each statement, in its canonical form and in words. Logs of today must be read for years, so
//! a change of this file is a change of the format.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use tenure_model::{Choice, Instant};
use tenure_receipts::{Digest, Heading, Stated, Statement, StatementError};

/// A key from the documentation and tests of Go's `sumdb/note`.
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

fn at() -> Instant {
    Instant::parse("2025-09-02T09:00:00.25Z").unwrap()
}

fn about_an_account() -> Vec<Statement> {
    let (policy, version) = ("consumer".to_owned(), "2025-10-08".to_owned());
    let record = "c1".to_owned();
    vec![
        Statement::AccountOpened,
        Statement::AccountChanged,
        Statement::AccountClosed,
        Statement::Informed { policy: policy.clone(), version: version.clone() },
        Statement::Acknowledged { policy: policy.clone(), version: version.clone(), evidence: None },
        Statement::Decision {
            policy,
            version,
            purpose: "train".to_owned(),
            choice: Choice::On,
            evidence: None,
        },
        Statement::Flagged { record: record.clone(), flagged: true },
        Statement::Flagged { record: record.clone(), flagged: false },
        Statement::Feedback { record: record.clone() },
        Statement::DeletionAsked { records: vec![record, "c2".to_owned()] },
    ]
}

fn about_policies() -> Vec<Statement> {
    let (policy, version) = ("consumer".to_owned(), "2025-10-08".to_owned());
    vec![
        Statement::PolicyPublished {
            policy: policy.clone(),
            version: version.clone(),
            digest: Digest([0xd1; 32]),
        },
        Statement::PolicyWithdrawn { policy: policy.clone(), version: version.clone() },
        Statement::NoticePublished {
            policy: policy.clone(),
            version: version.clone(),
            notice: "popup-3".to_owned(),
            language: "en".to_owned(),
            text: Digest([0xa1; 32]),
            layout: Digest([0xa2; 32]),
            defaults: [("train".to_owned(), Choice::On), ("memory".to_owned(), Choice::Off)].into(),
            code: Digest([0xa3; 32]),
        },
        Statement::Campaign {
            campaign: "autumn".to_owned(),
            policy,
            version,
            decide_by: Instant::parse("2025-10-08T00:00:00Z").unwrap(),
            count: 1_000_000,
            root: Digest([0xc1; 32]),
        },
    ]
}

fn about_holds() -> Vec<Statement> {
    let hold = "case-17".to_owned();
    let scope = serde_json::json!({"regimes": ["consumer"], "deleted_only": true});
    let dated = Some(Instant::parse("2025-09-01T00:00:00Z").unwrap());
    vec![
        // The first forms of these three, without what may be left out.
        Statement::HoldPlaced { hold: hold.clone(), scope: scope.clone(), may_tell: None, dated: None },
        Statement::HoldAmended { hold: hold.clone(), scope: scope.clone(), may_tell: None, dated: None },
        Statement::HoldReleased { hold: hold.clone(), dated: None },
        Statement::HoldPlaced { hold: hold.clone(), scope: scope.clone(), may_tell: Some(true), dated },
        Statement::HoldAmended { hold: hold.clone(), scope, may_tell: Some(false), dated },
        Statement::HoldReleased { hold: hold.clone(), dated },
        Statement::HoldReader { hold: hold.clone(), reader: "counsel".to_owned(), may_read: true },
        Statement::HoldReader { hold: hold.clone(), reader: "counsel".to_owned(), may_read: false },
        Statement::HoldRead { hold, reader: "counsel".to_owned(), count: 3, root: Digest([0xb0; 32]) },
        Statement::ChangeApproved {
            change: "releases-hold".to_owned(),
            what: Digest([0xb1; 32]),
            proposed_by: "counsel".to_owned(),
            approved_by: "privacy-lead".to_owned(),
        },
    ]
}

fn about_many() -> Vec<Statement> {
    let (count, root) = (256, Digest([0xee; 32]));
    let run = "7".to_owned();
    vec![
        Statement::CopiesDue { count, root },
        Statement::CopiesSealed { count, root },
        Statement::CopiesShredded { count, root },
        Statement::CopiesRemoved { count, root },
        Statement::CopiesVerified { count, root },
        Statement::ProofsDestroyed { leaves: [4, 5, 6, 9].into_iter().collect(), count: 4 },
        Statement::RunSealed { run: run.clone(), manifest: Digest([0xf0; 32]) },
        Statement::RowsRevoked { run, count: 1, root },
        Statement::SigningKeysChanged { added: vec![VKEY.parse().unwrap()], retired: Vec::new() },
    ]
}

fn examples() -> Vec<Statement> {
    [about_an_account(), about_policies(), about_holds(), about_many()].concat()
}

#[test]
fn each_kind_has_one_form_and_its_words() {
    let mut shown = String::new();
    for statement in examples() {
        let stated = Stated::new(at(), statement);
        let canonical = stated.canonical().unwrap();
        assert_eq!(Stated::read(&canonical).unwrap(), stated);
        let kind = stated.statement.kind();
        assert_eq!(Heading::read(&canonical).unwrap(), Heading { v: 1, at: at(), kind });
        let words = stated.statement.describe();
        writeln!(shown, "{}\n# {words}", String::from_utf8(canonical).unwrap()).unwrap();
    }
    insta::assert_snapshot!("statements", shown);
}

/// Every kind there is: the reader names those that it knows when it meets one that it does not.
pub(crate) fn kinds() -> BTreeSet<&'static str> {
    let error = serde_json::from_str::<Statement>(r#"{"kind":"?"}"#).unwrap_err().to_string();
    error.leak().split('`').skip(3).step_by(2).collect()
}

/// Whoever adds a kind adds an example above.
#[test]
fn the_examples_have_every_kind() {
    let shown: BTreeSet<&str> = examples().iter().map(Statement::kind).collect();
    assert_eq!(shown, kinds());
}

#[test]
fn a_field_more_or_less_is_refused_in_each_kind() {
    for statement in examples() {
        let canonical = Stated::new(at(), statement).canonical().unwrap();
        let whole: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&canonical).unwrap();
        let mut more = whole.clone();
        more.insert("zz".to_owned(), 1.into());
        let refused = Stated::read(&serde_json::to_vec(&more).unwrap());
        assert!(matches!(refused, Err(StatementError::NotCanonical)), "{whole:?}");
        for field in whole.keys() {
            let mut less = whole.clone();
            less.remove(field);
            // Without these it is the statement that it would have been before there were any.
            let may_go = matches!(field.as_str(), "may_tell" | "dated");
            assert_eq!(Stated::read(&serde_json::to_vec(&less).unwrap()).is_ok(), may_go, "{field}");
        }
    }
}
