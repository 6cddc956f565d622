//! What the verifier says of receipts that are good, and of those that are not.

#![cfg(test)]

mod world;

use tenure_receipts::{Stated, Subject};
use tenure_verifier::{Owner, Problem, Report, verify};
use world::{
    ORIGIN, PERSON, decision, destroyed, ed25519, keys, ml_dsa_44, raw_receipt, receipt, witness, witnesses,
};

fn problem(receipt: &str, keys: &str, witnesses: &str) -> Problem {
    match verify(receipt.as_bytes(), keys, witnesses) {
        Report::NotProved(problem) => problem,
        Report::Proved(proved) => panic!("proved: {proved:?}"),
    }
}

fn good() -> String {
    receipt(PERSON, &decision(), None)
}

/// The report as a terminal would show it.
fn told(report: &Report) -> String {
    let words = report.words();
    let lines = words.lines.iter().map(|line| format!("{}: {}\n", line.label, line.text));
    let notes = words.notes.iter().map(|note| format!("- {note}\n"));
    format!("{}\n{}{}", words.headline, lines.collect::<String>(), notes.collect::<String>())
}

#[test]
fn a_good_receipt_says_what_is_proved_by_whom_and_as_of_when() {
    let report = verify(good().as_bytes(), &keys(), &witnesses());
    let (classic, quantum) = (ed25519(ORIGIN, 1).key().id(), ml_dsa_44(ORIGIN, 2).key().id());
    let (first, second) = (witness(3).key().id(), ml_dsa_44("watch.example", 4).key().id());
    assert_eq!(
        told(&report),
        format!(
            "Proved: the account decided `off` for purpose `train` under policy `consumer`, version `2025-10-08`.
Who: account `a-7f3`, its statement number 2
Received: 2 September 2025, 09:00 UTC
Log: `log.example/tenure`, place 1,001, when it held 1,234 statements
Signed by: `log.example/tenure` (key {classic}, Ed25519)
`log.example/tenure` (key {quantum}, ML-DSA-44)
Witnessed by: `witness.example/w1` (key {first}, Ed25519), on 3 September 2025, 10:00 UTC
`watch.example` (key {second}, ML-DSA-44), on 3 September 2025, 10:00:05 UTC
- The time above is the operator's word. A witness saw that the log held this by 3 September 2025, 10:00 UTC.
- A receipt does not show what came later. If you have receipts with higher numbers for the same account, the \
highest says what holds.
"
        )
    );
}

#[test]
fn one_key_is_enough_and_witnesses_are_not_needed() {
    let report = verify(good().as_bytes(), &ed25519(ORIGIN, 1).key().to_string(), "");
    let told = told(&report);
    assert!(report.is_proved());
    assert!(told.contains("Witnessed by: no one that you named\n"), "{told}");
    assert!(told.contains("No witness that you named confirms it"), "{told}");
}

#[test]
fn a_key_that_has_not_signed_is_told_of() {
    let keys = format!("{}{}", keys(), ed25519(ORIGIN, 8).key());
    let told = told(&verify(good().as_bytes(), &keys, ""));
    let silent = format!("Key {} has not signed this receipt.", ed25519(ORIGIN, 8).key().id());
    assert!(told.contains(&silent), "{told}");
}

#[test]
fn a_receipt_of_an_organisation_names_it() {
    let subject = Subject { organisation: Some("acme"), account: "a-1" };
    let told = told(&verify(receipt(subject, &decision(), None).as_bytes(), &keys(), ""));
    assert!(told.contains("Who: account `a-1` of organisation `acme`, its statement number 2\n"), "{told}");
}

#[test]
fn a_receipt_for_one_copy_of_many_says_which() {
    let (stated, item) = destroyed();
    let report = verify(receipt(Subject::HOUSE, &stated, Some(item)).as_bytes(), &keys(), "");
    let told = told(&report);
    assert!(told.starts_with("Proved: the operator destroyed the keys of 3 copies.\n"), "{told}");
    assert!(told.contains("Who: the operator, about nobody in particular\n"), "{told}");
    assert!(
        told.contains("Which: record `r-1`, class `history`: one of the 3 that this is about\n"),
        "{told}"
    );
}

#[test]
fn the_json_has_the_facts_and_the_words() {
    let report = verify(good().as_bytes(), &keys(), "");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["proved"], true);
    assert_eq!(json["facts"]["stated"]["choice"], "off");
    assert_eq!(json["facts"]["account"], "a-7f3");
    assert_eq!(json["facts"]["index"], 1_001);
    assert_eq!(json["words"]["headline"], report.words().headline);
    let report = verify(b"", "", "");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["proved"], false);
    assert_eq!(json["problem"]["kind"], "no_receipt");
}

#[test]
fn keys_may_stand_among_comments_blank_lines_and_copies_of_themselves() {
    let keys = format!("\u{feff}# the log\r\n\r\n  {}\r\n{}", keys().trim().replace('\n', "\r\n"), keys());
    assert!(verify(good().as_bytes(), &keys, "\n# none\n").is_proved());
}

#[test]
fn what_is_missing_is_asked_for() {
    assert_eq!(problem(" \n", &keys(), ""), Problem::NoReceipt);
    assert_eq!(problem(&good(), "# later\n", ""), Problem::NoKey);
}

#[test]
fn an_altered_byte_never_changes_what_is_proved() {
    let good = good();
    let proved = |bytes: &[u8]| match verify(bytes, &keys(), &witnesses()) {
        Report::Proved(proved) => Some(*proved),
        Report::NotProved(_) => None,
    };
    let whole = proved(good.as_bytes()).unwrap();
    for at in (0..good.len()).step_by(7) {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        // In the name or the id of a key, it makes the signature one of a stranger, who is passed over.
        if let Some(mut less) = proved(&bytes) {
            assert!(less.signatures.len() + less.cosignatures.len() == 3, "byte {at}");
            less.signatures.clone_from(&whole.signatures);
            less.cosignatures.clone_from(&whole.cosignatures);
            less.silent.clear();
            assert_eq!(less, whole, "byte {at}");
        }
    }
    for end in (0..good.len()).step_by(101) {
        let left = proved(&good.as_bytes()[..end]);
        assert!(left.is_none_or(|left| left.stated == whole.stated), "cut at {end}");
    }
}

#[test]
fn a_receipt_that_was_changed_on_the_way_is_told_how_to_be_had_whole() {
    for changed in [good().trim_end().to_owned(), good().replace('\n', "\r\n"), "hello".to_owned()] {
        let problem = problem(&changed, &keys(), "");
        assert!(matches!(problem, Problem::Receipt { .. }), "{problem:?}");
        assert!(problem.advice().contains("ends with a line break"));
    }
}

#[test]
fn an_altered_statement_is_not_in_the_log() {
    let other = Stated::new(decision().at, tenure_receipts::Statement::AccountClosed);
    let (good, other) = (good(), receipt(PERSON, &other, None));
    let extra = |receipt: &str| receipt.lines().nth(1).unwrap().to_owned();
    let forged = good.replace(&extra(&good), &extra(&other));
    assert_eq!(problem(&forged, &keys(), ""), Problem::NotInLog { index: 1_001 });
    assert_eq!(
        problem(&forged, &keys(), "").to_string(),
        "place 1,001 of the log does not hold this statement: the receipt was altered, or forged"
    );
}

#[test]
fn another_key_of_the_same_name_has_not_signed() {
    assert_eq!(problem(&good(), &ed25519(ORIGIN, 9).key().to_string(), ""), Problem::OtherKey);
}

#[test]
fn another_log_is_named() {
    let problem = problem(&good(), &ed25519("other.example", 1).key().to_string(), "");
    assert_eq!(
        problem.to_string(),
        "the receipt is from the log `log.example/tenure`, and the key is of the log `other.example`"
    );
}

#[test]
fn a_wrong_signature_is_told_with_its_key() {
    let good = good();
    let line = good.lines().find(|line| line.starts_with("\u{2014} witness.example/w1")).unwrap();
    let middle = good.find(line).unwrap() + line.len() - 40;
    let mut forged = good.clone().into_bytes();
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    // Whoever does not know the witness passes it over.
    assert!(verify(forged.as_bytes(), &keys(), "").is_proved());
    let Problem::Signature { owner, name, .. } = problem(&forged, &keys(), &witnesses()) else { panic!() };
    assert_eq!((owner, name.as_str()), (Owner::Witness, "witness.example/w1"));
}

#[test]
fn keys_in_the_wrong_place_are_told_apart() {
    let log = ed25519(ORIGIN, 1).key().to_string();
    assert_eq!(problem(&good(), &witnesses(), ""), Problem::KeyOfWitness);
    assert_eq!(problem(&good(), &keys(), &log), Problem::KeyOfLog);
    assert_eq!(problem(&good(), &log, &ml_dsa_44(ORIGIN, 2).key().to_string()), Problem::KeyOfLog);
    let two = format!("{log}\n{}", ed25519("other.example", 1).key());
    assert_eq!(problem(&good(), &two, ""), Problem::TwoLogs);
}

#[test]
fn a_line_that_is_no_key_is_told_by_its_number() {
    let Problem::Key { owner, line, .. } = problem(&good(), &format!("# one\n{}x", keys()), "") else {
        panic!()
    };
    assert_eq!((owner, line), (Owner::Log, 4));
    let problem = problem(&good(), &keys(), "nonsense");
    assert!(problem.to_string().starts_with("line 1 of the witness's keys is not a key ("), "{problem}");
}

#[test]
fn a_copy_that_the_statement_is_not_about_is_refused() {
    let (stated, item) = destroyed();
    let mut other = item.clone();
    other.item.record = "r-9".to_owned();
    assert_eq!(problem(&receipt(Subject::HOUSE, &stated, Some(other)), &keys(), ""), Problem::Item);
    assert_eq!(problem(&receipt(PERSON, &decision(), Some(item)), &keys(), ""), Problem::Item);
}

#[test]
fn a_statement_of_a_later_version_is_not_guessed_at() {
    let later = br#"{"at":"2025-09-02T09:00:00Z","kind":"telepathy","v":1}"#;
    let problem = problem(&raw_receipt(PERSON, later, None), &keys(), "");
    assert!(matches!(problem, Problem::Statement { .. }), "{problem:?}");
    assert!(problem.advice().contains("newer version"));
}

#[test]
fn no_name_in_a_receipt_can_change_how_a_screen_shows_it() {
    let subject = Subject { organisation: Some("\u{202e}acme"), account: "a\u{1b}[2J\n`" };
    let told = told(&verify(receipt(subject, &decision(), None).as_bytes(), &keys(), ""));
    assert!(told.contains(r"account `a\u{1b}[2J\n\u{60}` of organisation `\u{202e}acme`"), "{told}");
}
