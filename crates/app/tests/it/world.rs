//! A Tenure in a temporary folder, with the example policy.

use std::path::Path;
use std::sync::Arc;

use tenure_app::{AccountFacts, Defaults, Entropy, Error, SweepOptions, Swept, Tenure, TimeKeeping};
use tenure_formats::{Conversation, Item, Message, Role};
use tenure_model::{Choice, Instant, Kind};
use tenure_store::{CopyStage, CopyState, ReadTx, SqliteStore, Store, StoreExt as _};
use tenure_vault::{LogKeys, Vault};

/// Random enough for ids and openings, and the same in every run.
pub(crate) struct Counting(pub(crate) std::sync::Mutex<u64>);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let mut state = self.0.lock().unwrap();
        for byte in bytes {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (*state >> 56) as u8;
        }
        Ok(())
    }
}

pub(crate) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tenure: Tenure,
}

pub(crate) const EXAMPLE: &str = include_str!("../../../../policies/example.toml");

impl World {
    /// A world in which the example policy is published before anything happens.
    pub(crate) fn new() -> Self {
        Self::with(&[("example.toml".to_owned(), EXAMPLE.to_owned())], at("2025-08-01T00:00:00Z"))
    }

    /// A world with a real clock, as which the instants that a test names are taken.
    pub(crate) fn real() -> Self {
        let example = [("example.toml".to_owned(), EXAMPLE.to_owned())];
        Self::keeping(TimeKeeping::Real, &example, at("2025-08-01T00:00:00Z"))
    }

    /// A world in which these policies are published at the start.
    pub(crate) fn with(policies: &[(String, String)], start: Instant) -> Self {
        Self::keeping(TimeKeeping::Simulated, policies, start)
    }

    fn keeping(time: TimeKeeping, policies: &[(String, String)], start: Instant) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let store = Arc::new(SqliteStore::open(&data.join("tenure.db")).unwrap());
        Self::over(store, folder, (time, start), policies)
    }

    /// A world over an empty store, with its vault in a folder.
    pub(crate) fn over(
        store: Arc<dyn Store>,
        folder: tempfile::TempDir,
        (time, start): (TimeKeeping, Instant),
        policies: &[(String, String)],
    ) -> Self {
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        std::fs::create_dir_all(&data).unwrap();
        let vault = Vault::create(&data, &keys).unwrap();
        let log = LogKeys::create(&keys, &"tenure.example/test".parse().unwrap(), start).unwrap();
        let tenure = Tenure::new(Arc::clone(&store), Arc::new(vault), log, Arc::new(Counting(0.into())));
        tenure.init(time, start).unwrap();
        tenure.publish(policies, start).unwrap();
        Self { folder, store, tenure }
    }

    /// Everything again, from disk.
    pub(crate) fn reopened(self) -> Self {
        let Self { folder, store, tenure } = self;
        drop((store, tenure));
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        let vault = Vault::open(&data, &keys).unwrap();
        let log = LogKeys::open(&keys).unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.join("tenure.db")).unwrap());
        let tenure = Tenure::new(Arc::clone(&store), Arc::new(vault), log, Arc::new(Counting(77.into())));
        tenure.alone().unwrap();
        Self { folder, store, tenure }
    }

    pub(crate) fn import(&self, conversations: Vec<Conversation>, now: Instant) -> tenure_app::Ingested {
        let mut ingester = self.tenure.ingester("test", Defaults::default(), now).unwrap();
        for conversation in conversations {
            ingester.push(Item::Conversation(conversation)).unwrap();
        }
        ingester.finish().unwrap()
    }

    pub(crate) fn decide(&self, account: &str, choice: Choice, now: Instant) {
        let answer = self.tenure.answer(account, "train", choice, None).unwrap();
        self.tenure.decide(account, answer, now).unwrap();
    }

    pub(crate) fn open_account(&self, id: &str, now: Instant) {
        let facts =
            AccountFacts { country: Some("US".to_owned()), minor: Some(false), ..AccountFacts::default() };
        self.tenure.set_account(id, facts, now).unwrap();
    }

    pub(crate) fn sweep(&self, now: Instant) -> Swept {
        self.tenure.sweep(now, SweepOptions::everything(now), &mut |_| {}).unwrap()
    }

    /// The classes of an account's copies that are live, by record in order of creation.
    pub(crate) fn live(&self, account: &str) -> Vec<String> {
        self.copies(account, |stage| stage == CopyStage::Live)
    }

    pub(crate) fn copies(&self, account: &str, wanted: impl Fn(CopyStage) -> bool) -> Vec<String> {
        let key = self.tenure.account(account).unwrap().key;
        self.store
            .read(|tx: &mut dyn ReadTx| {
                let classes = tx.classes()?;
                let copies = tx.copies_of(key, None, 10_000)?;
                let name = |id| classes.iter().find(|(known, _)| *known == id).unwrap().1.clone();
                let mut names: Vec<String> = copies
                    .iter()
                    .filter(|copy| wanted(copy.state.stage()))
                    .map(|copy| {
                        if let CopyState::Live { wrap } = &copy.state {
                            assert!(wrap.is_some() || name(copy.key.class) == "scores");
                        }
                        name(copy.key.class)
                    })
                    .collect();
                names.sort();
                Ok::<_, tenure_store::StoreError>(names)
            })
            .unwrap()
    }

    pub(crate) fn integrity(&self) {
        assert_eq!(self.store.integrity().unwrap(), []);
    }
}

/// A conversation of an account on a surface, with messages at some instants.
pub(crate) fn conversation(account: &str, id: &str, surface: &str, times: &[&str]) -> Conversation {
    let messages = times.iter().enumerate().map(|(index, time)| Message {
        id: Some(format!("{id}-{index}")),
        at: Some(at(time)),
        ..Message::new(
            if index % 2 == 0 { Role::Human } else { Role::Assistant },
            format!("text {index} of {id}"),
        )
    });
    Conversation {
        external_id: Some(id.to_owned()),
        account: Some(account.to_owned()),
        title: Some(format!("title of {id}")),
        kind: Kind::Chat,
        created_at: None,
        surface: Some(surface.to_owned()),
        mode: None,
        country: Some("US".to_owned()),
        scanned: Some(true),
        messages: messages.collect(),
    }
}

/// Whether any file below a folder contains a text.
pub(crate) fn contains(folder: &Path, needle: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return contains(&path, needle);
        }
        let bytes = std::fs::read(&path).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}
