//! A journalled Tenure in a temporary folder, and what happens to its accounts over six years.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tenure_app::{
    Deletion, Entropy, Error, HoldScope, OpenedStore, Rows, Scan, Swept, Tenure, TimeKeeping, open_store,
};
use tenure_formats::{Account, Item};
use tenure_model::Choice;
use tenure_store::{RecordId, Store};
use tenure_vault::{LogKeys, Vault};

use super::people::{self, Fate, Talk, named};
use super::thief;
use crate::world::{World, at};

const POLICY: &str = include_str!("../../../../../policies/claude-consumer/2025-10-08.toml");
const START: &str = "2025-10-20T00:00:00Z";
/// After the last term, and after the six years for which the evidence of closed accounts is kept; scores are kept for
/// seven.
pub(crate) const FINAL: &str = "2032-11-20T00:00:00Z";
/// How many callers there are at once.
const CALLERS: usize = 16;

struct System;

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| Error::Entropy)
    }
}

pub(crate) struct Site {
    pub(crate) world: World,
    opened: OpenedStore,
    records: HashMap<Talk, RecordId>,
}

impl Site {
    /// A Tenure with one policy and nobody in it.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        fs::create_dir(&data).unwrap();
        let vault = Vault::create(&data, &keys).unwrap();
        let log = LogKeys::create(&keys, &"tenure.example/test".parse().unwrap(), at(START)).unwrap();
        let opened = open_store(&data.join("tenure.db"), &keys).unwrap();
        let store: Arc<dyn Store> = Arc::<tenure_store::SqliteStore>::clone(&opened.store);
        let tenure = Tenure::new(Arc::clone(&store), Arc::new(vault), log, Arc::new(System));
        tenure.init(TimeKeeping::Simulated, at(START)).unwrap();
        let site = Self { world: World { folder, store, tenure }, opened, records: HashMap::new() };
        site.world.tenure.publish(&[("policy.toml".to_owned(), POLICY.to_owned())], at(START)).unwrap();
        site
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.world.folder.path().join("data")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.world.folder.path().join("keys")
    }

    pub(crate) fn record(&self, talk: &Talk) -> RecordId {
        self.records[talk]
    }

    pub(crate) fn records(&self) -> &HashMap<Talk, RecordId> {
        &self.records
    }

    /// Stops everything; the folder stays.
    pub(crate) fn stopped(self) -> tempfile::TempDir {
        let World { folder, store, tenure } = self.world;
        drop((store, tenure, self.opened));
        folder
    }

    /// Everybody says what they say at first.
    pub(crate) fn speak(&mut self) {
        let opened = |number: usize| {
            Item::Account(Account {
                id: named(number),
                country: Some("US".to_owned()),
                minor: Some(false),
                opened_at: Some(at("2025-10-25T00:00:00Z")),
            })
        };
        self.import((0..people::ACCOUNTS).map(opened), "2025-11-01T00:00:00Z");
        each(people::with(&[Fate::Outlived, Fate::Quarantined, Fate::Trained]), |number| {
            self.world.decide(&named(number), Choice::On, at("2025-11-01T12:00:00Z"));
        });
        let said = |talk: Talk| Item::Conversation(talk.conversation(false));
        self.import(people::talks().map(said), "2025-11-07T00:00:00Z");
        self.records = records(&self.data());
    }

    /// Some go on, and some of it is trained on, flagged, given feedback and held.
    pub(crate) fn speak_on(&self) {
        let tenure = &self.world.tenure;
        let resumed = people::talks().filter(Talk::is_resumed);
        self.import(resumed.map(|talk| Item::Conversation(talk.conversation(true))), "2025-11-09T00:00:00Z");
        let run = self.world.folder.path().join("run");
        tenure.open_run("train", &run, Rows::Jsonl, at("2025-11-10T00:00:00Z"), &mut |_| {}).unwrap();
        each(people::with(&[Fate::Outlived, Fate::Marked]), |account| {
            let now = at("2025-11-11T00:00:00Z");
            tenure.scan(self.record(&Talk { account, place: 0 }), Scan::Flagged, now).unwrap();
            tenure.feedback(self.record(&Talk { account, place: 2 }), now).unwrap();
        });
        for (hold, fate) in [("released", Fate::Released), ("kept", Fate::Held)] {
            let classes = ["history", "content"].map(str::to_owned).to_vec();
            let accounts = Some(people::with(&[fate]).map(named).collect());
            let scope = HoldScope { classes, accounts, ..HoldScope::default() };
            tenure.place_hold(hold, scope, true, at("2025-11-11T12:00:00Z")).unwrap();
        }
    }

    /// What people delete goes and what ends within two months, and some accounts go at once.
    pub(crate) fn erase_at_first(&self) {
        let tenure = &self.world.tenure;
        each(people::with(&[Fate::Deleted, Fate::Held]), |account| {
            people::of_account(account).for_each(|talk| self.delete(&talk, "2025-12-01T00:00:00Z"));
        });
        each(people::with(&[Fate::OneDeleted]), |account| {
            self.delete(&Talk { account, place: 0 }, "2025-12-01T00:00:00Z");
        });
        each(people::with(&[Fate::Outlived]), |account| {
            tenure.delete(Deletion::Account(named(account)), at("2025-12-02T00:00:00Z")).unwrap();
        });
        // Nobody else may destroy meanwhile, so these come one after another.
        for account in people::with(&[Fate::Released]) {
            let erased = tenure.erase_account(&named(account), at("2025-12-02T00:00:00Z")).unwrap();
            assert_eq!((erased.left > 0, erased.destroyed.len()), (true, 0));
        }
        assert!(self.sweep("2026-01-05T00:00:00Z").total() > 0);
        for account in people::with(&[Fate::AtOnce]) {
            let erased = tenure.erase_account(&named(account), at("2026-01-06T00:00:00Z")).unwrap();
            assert_eq!((erased.left, erased.destroyed.len()), (0, 1));
        }
    }

    /// Everything else goes that is to go.
    pub(crate) fn erase_later(&self) {
        let tenure = &self.world.tenure;
        tenure.release_hold("released", at("2026-03-01T00:00:00Z")).unwrap();
        assert_eq!(self.sweep("2026-03-15T00:00:00Z").total(), 0);
        assert!(self.sweep("2026-05-01T00:00:00Z").total() > 0);
        let mark = |scan: Scan, now: &str| {
            each(people::with(&[Fate::Quarantined]), |account| {
                tenure.scan(self.record(&Talk { account, place: 0 }), scan, at(now)).unwrap();
            });
        };
        mark(Scan::Flagged, "2030-06-01T00:00:00Z");
        assert!(self.sweep("2031-01-05T00:00:00Z").total() > 0);
        each(people::with(&[Fate::Quarantined]), |account| {
            self.delete(&Talk { account, place: 0 }, "2031-12-01T00:00:00Z");
        });
        // In quarantine, back again by a new flag, and in quarantine once more.
        mark(Scan::Clear, "2032-01-10T00:00:00Z");
        assert!(self.sweep("2032-01-15T00:00:00Z").proofs > 0);
        mark(Scan::Flagged, "2032-01-20T00:00:00Z");
        mark(Scan::Clear, "2032-11-15T00:00:00Z");
        assert!(self.sweep(FINAL).proofs > 0);
        tenure.publish_checkpoint(at(FINAL)).unwrap();
    }

    fn delete(&self, talk: &Talk, now: &str) {
        self.world.tenure.delete(Deletion::ConversationOf(self.record(talk)), at(now)).unwrap();
    }

    fn sweep(&self, now: &str) -> Swept {
        self.world.sweep(at(now))
    }

    fn import(&self, items: impl Iterator<Item = Item>, now: &str) {
        let mut ingester =
            self.world.tenure.ingester("test", tenure_app::Defaults::default(), at(now)).unwrap();
        for item in items {
            ingester.push(item).unwrap();
        }
        let ingested = ingester.finish().unwrap();
        assert!(ingested.refused_conversations.is_empty() && ingested.refused_messages.is_empty());
    }
}

/// The record of each conversation, by the ids of messages, which lie in the clear.
fn records(data: &Path) -> HashMap<Talk, RecordId> {
    let talks: HashMap<String, Talk> = people::talks().map(|talk| (talk.first_message(), talk)).collect();
    thief::with_database(data, |database| {
        let mut query = database.prepare("SELECT id, record FROM messages WHERE ordinal = 0").unwrap();
        let found = query.query_map([], |row| Ok((row.get::<_, String>(0)?, RecordId(row.get(1)?)))).unwrap();
        found.map(Result::unwrap).map(|(id, record)| (talks[&id].clone(), record)).collect()
    })
}

/// Does something for each account, with many callers at once.
fn each(accounts: impl Iterator<Item = usize>, act: impl Fn(usize) + Sync) {
    let (accounts, act): (Vec<usize>, _) = (accounts.collect(), &act);
    std::thread::scope(|scope| {
        for first in 0..CALLERS {
            let of_caller = accounts.iter().skip(first).step_by(CALLERS);
            scope.spawn(move || of_caller.for_each(|account| act(*account)));
        }
    });
}
