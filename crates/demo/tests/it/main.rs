//! The demonstration, played small, in a temporary folder.

#![cfg(test)]

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tenure_app::{Entropy, Error, Tenure, TimeKeeping};
use tenure_demo::{Outcome, Scale, Voice};
use tenure_model::Instant;
use tenure_store::SqliteStore;
use tenure_vault::{LogKeys, Vault};
use tenure_verifier::{Report, verify};

/// Random enough for ids, and the same in every run.
struct Counting(Mutex<u64>);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let mut state = self.0.lock().unwrap();
        for byte in bytes {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = state.to_be_bytes()[0];
        }
        Ok(())
    }
}

#[derive(Default)]
struct Heard(Vec<(Instant, String)>);

impl Voice for Heard {
    fn step(&mut self, at: Instant, text: &str) -> io::Result<()> {
        self.0.push((at, text.to_owned()));
        Ok(())
    }

    fn progress(&mut self, _: &str, _: u64, _: u64) {}
}

fn play(folder: &Path) -> (Outcome, Heard) {
    let (data, work) = (folder.join("data"), folder.join("work"));
    std::fs::create_dir_all(&data).unwrap();
    std::fs::create_dir_all(&work).unwrap();
    let vault = Vault::create(&data, &folder.join("keys")).unwrap();
    let store = SqliteStore::open(&data.join("tenure.db")).unwrap();
    let origin = "tenure.example/demo".parse().unwrap();
    let log = LogKeys::create(&folder.join("keys"), &origin, tenure_demo::start()).unwrap();
    let tenure = Tenure::new(Arc::new(store), Arc::new(vault), log, Arc::new(Counting(7.into())));
    tenure.init(TimeKeeping::Simulated, tenure_demo::start()).unwrap();
    let mut heard = Heard::default();
    let outcome = tenure_demo::play(&tenure, &work, Scale::SMALL, &mut heard).unwrap();
    (outcome, heard)
}

#[test]
fn the_story_is_told_in_order_and_everything_that_it_claims_is_so() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, heard) = play(folder.path());
    let summary = &outcome.summary;
    assert_eq!(summary.findings, Vec::<String>::new());
    assert!(heard.0.is_sorted_by_key(|(at, _)| *at), "{:#?}", heard.0);
    assert!(heard.0.iter().all(|(_, text)| !text.contains('!')));
    let said = &summary.decisions;
    for (what, number) in [
        ("yes", said.yes),
        ("no", said.no),
        ("nothing", said.none),
        ("yes, then no", said.withdrawn),
        ("no, then yes", said.came_round),
        ("refused at the door", summary.refused_at_the_door),
        ("held", summary.held_at_most),
        ("revoked", summary.runs[0].revoked_by_next.unwrap()),
    ] {
        assert!(number > 0, "nobody: {what}");
    }
    assert_eq!(summary.read_by_format.len(), 6, "{:?}", summary.read_by_format);
    assert_eq!((summary.destroyed.late, summary.runs.len()), (0, 2));
    let training = summary.copies.iter().find(|line| line.class == "training_copy").unwrap();
    assert!(training.made > 0 && training.left == 0);
    page_is_whole(&tenure_demo::report(&outcome));
}

#[test]
fn all_that_people_did_and_all_that_was_destroyed_is_in_the_log_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, _) = play(folder.path());
    let (summary, ledger) = (&outcome.summary, &outcome.summary.ledger);
    let (stated, said) = (&ledger.stated, &summary.decisions);
    let twice = said.withdrawn + said.came_round;
    assert!(stated.decisions >= said.yes + said.no + twice && stated.decisions <= said.asked * 2);
    assert!(stated.told > 0 && stated.told < summary.accounts);
    assert_eq!(stated.opened, summary.accounts);
    assert_eq!((stated.copies, stated.runs), (summary.destroyed.copies, 2));
    assert_eq!((ledger.size, ledger.size > stated.of_people), (summary.statements, true));
    assert!(ledger.checkpoint.starts_with(&format!("{}\n{}\n", ledger.origin, ledger.size)));
    assert_eq!(ledger.signatures.len(), 2, "both keys sign");
    assert_eq!(ledger.keys.lines().count(), 2);
}

#[test]
fn the_files_that_are_left_prove_a_no_and_a_destruction_to_a_stranger() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, _) = play(folder.path());
    let ledger = &outcome.summary.ledger;
    for (name, text) in ledger.files() {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let keys = String::from_utf8(read("log.keys")).unwrap();
    let proved = |name: &str| match verify(&read(name), &keys, "") {
        Report::Proved(proved) => proved,
        Report::NotProved(problem) => panic!("{name}: {problem:?}"),
    };
    let (decision, destruction) = (proved("decision.receipt"), proved("destruction.receipt"));
    let shown = ledger.shown.unwrap();
    assert!(shown.yes < shown.no);
    assert_eq!(decision.stated.at, shown.no);
    assert_eq!(decision.account.map(|account| account.is_empty()), Some(false));
    assert!(decision.stated.statement.describe().starts_with("decided `off` for purpose `train`"));
    assert_eq!(destruction.stated.at, shown.destroyed);
    assert_eq!(destruction.account, None);
    assert_eq!(destruction.item.unwrap().class, "training_copy");
    assert_eq!((decision.size, destruction.size), (ledger.size, ledger.size));

    let (text, stranger) = (read("decision.receipt"), tempfile::tempdir().unwrap());
    let (data, keys) = (stranger.path().join("data"), stranger.path().join("keys"));
    std::fs::create_dir(&data).unwrap();
    Vault::create(&data, &keys).unwrap();
    let other = LogKeys::create(&keys, &ledger.origin.parse().unwrap(), tenure_demo::start());
    let other: Vec<String> = other.unwrap().verifier_keys().iter().map(ToString::to_string).collect();
    assert!(!verify(&text, &other.join("\n"), "").is_proved(), "another log's keys");
}

#[test]
fn the_page_shows_what_was_proved_and_the_files_that_prove_it() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, _) = play(folder.path());
    let page = tenure_demo::report(&outcome);
    let ledger = &outcome.summary.ledger;
    assert!(page.contains("<h2 id=\"checked\">Checked by anyone: all that was done here is in one log of "));
    for given in &ledger.receipts {
        assert!(page.contains(&format!("<h3>{}</h3>", given.report.words().headline)));
    }
    for (name, text) in ledger.files() {
        assert!(page.contains(text), "{name}");
    }
}

/// The page asks nothing of anyone, runs nothing, and every element that is opened is closed.
fn page_is_whole(page: &str) {
    for word in ["http://", "https://", "<script", "<link", "<img", "url(", "@import", "javascript:", " on"] {
        if word == " on" {
            let handler =
                page.split(" on").skip(1).any(|rest| rest.starts_with("click=") || rest.starts_with("load="));
            assert!(!handler);
            continue;
        }
        let local = page.replace("url(#", "");
        assert!(!local.contains(word), "{word}");
    }
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = tag.split([' ', '\n', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        let is_void = tag.ends_with('/') || matches!(name, "!doctype" | "meta" | "br" | "hr");
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "closes what is not open"),
            None if is_void => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}
