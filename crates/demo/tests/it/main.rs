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
