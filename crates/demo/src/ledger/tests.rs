//! The checks find what is not so: a story is played once, then told otherwise than it was.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tenure_app::{Entropy, Error, TimeKeeping};
use tenure_store::SqliteStore;
use tenure_vault::{LogKeys, Vault};

use super::*;
use crate::people::Scale;
use crate::{Voice, perform, start};

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

struct Deaf;

impl Voice for Deaf {
    fn step(&mut self, _: Instant, _: &str) -> std::io::Result<()> {
        Ok(())
    }

    fn progress(&mut self, _: &str, _: u64, _: u64) {}
}

fn set_up(folder: &Path) -> Tenure {
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::create_dir_all(folder.join("work")).unwrap();
    let vault = Vault::create(&data, &folder.join("keys")).unwrap();
    let store = SqliteStore::open(&data.join("tenure.db")).unwrap();
    let keys = LogKeys::create(&folder.join("keys"), &crate::ORIGIN.parse().unwrap(), start()).unwrap();
    let tenure = Tenure::new(Arc::new(store), Arc::new(vault), keys, Arc::new(Counting(7.into())));
    tenure.init(TimeKeeping::Simulated, start()).unwrap();
    tenure
}

#[test]
fn what_the_ledger_has_otherwise_than_the_story_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let tenure = set_up(folder.path());
    let mut world = World::new(Scale::SMALL);
    let mut log = perform(&tenure, &world, &folder.path().join("work"), &mut Deaf).unwrap();
    let found = |world: &World, log: &Log| {
        let mut findings = Vec::new();
        check(&tenure, world, log, &mut findings).unwrap();
        findings
    };
    assert_eq!(found(&world, &log), Vec::<String>::new());

    let answered = world.people.iter().position(|person| !person.choices.is_empty()).unwrap();
    let (at, choice) = world.people[answered].choices[0];
    let other = if choice == Choice::On { Choice::Off } else { Choice::On };
    world.people[answered].choices[0] = (at, other);
    let differs = "of 1 people the ledger has something else than the story";
    assert!(found(&world, &log).contains(&differs.to_owned()), "an answer that is the other one");
    world.people[answered].choices.remove(0);
    assert!(found(&world, &log).contains(&differs.to_owned()), "an answer that nobody gave");
    world.people[answered].choices.insert(0, (at, choice));

    let told = log.told.take();
    assert!(found(&world, &log).iter().any(|finding| finding.contains("something else")));
    log.told = told;

    let mark = log.marks.pop().unwrap();
    assert_eq!(found(&world, &log), [differs], "a thumb that nobody sent");
    log.marks.push(mark);

    let gone = log.gone.pop().unwrap();
    let number = "the ledger has another number of destroyed copies than were destroyed";
    assert_eq!(found(&world, &log), [number], "a copy that nobody saw go");
    log.gone.push(gone);

    let audit = log.audits.last_mut().unwrap();
    let kept = audit.copies.iter().position(|copy| copy.destroyed_at.is_some()).unwrap();
    let hidden = audit.copies.remove(kept);
    // Where it was the only copy of its batch, the story does not know the batch either.
    let findings = found(&world, &log);
    let named = ["1 destructions are not in the ledger copy by copy", number];
    assert!(findings.iter().any(|finding| named.contains(&finding.as_str())), "{findings:?}");
    log.audits.last_mut().unwrap().copies.push(hidden);

    log.published += 1;
    assert!(found(&world, &log)[0].contains("statements, and the story"), "terms that were not published");
    log.published -= 1;

    let manifest = log.runs[1].folder.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, format!("{text} ")).unwrap();
    assert!(found(&world, &log)[0].contains("run 2 is not in the ledger"), "a manifest that was changed");
    std::fs::write(&manifest, text).unwrap();
    assert_eq!(found(&world, &log), Vec::<String>::new());
}
