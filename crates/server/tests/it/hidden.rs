//! An operator with all keys, who writes the history of the log anew and signs it: the log is sound by itself,
//! and found by whoever outside has ever seen it as it was.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tenure_app::{AccountFacts, Deletion, Entropy, Error, HoldScope, PublicLog, Tenure, TimeKeeping};
use tenure_model::{Choice, Instant};
use tenure_receipts::Receipt;
use tenure_server::witness::WitnessError;
use tenure_server::{
    AlarmKind, Auditor, KnownLog, KnownWitnesses, LogSource, Look, LookError, SourceError, Witness,
};
use tenure_store::SqliteStore;
use tenure_tlog::checkpoint::SignedCheckpoint;
use tenure_tlog::cosignature::Timestamp;
use tenure_tlog::tile::Resource;
use tenure_vault::{LogKeys, Vault};

const POLICY: &str = include_str!("../../../../policies/example.toml");
const START: &str = "2025-08-01T00:00:00Z";

/// Random enough for openings.
struct Drawn(std::sync::atomic::AtomicU64);

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        for byte in bytes {
            let drawn = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, std::sync::atomic::Ordering::Relaxed);
            *byte = (drawn.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 56) as u8;
        }
        Ok(())
    }
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// An operator's folders, opened.
struct Operator {
    tenure: Tenure,
    public: Shown,
}

/// What the operator shows.
struct Shown(PublicLog);

impl LogSource for Shown {
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.resource(resource).map_err(SourceError::new)
    }
}

impl Operator {
    fn open(folder: &Path, seed: u64) -> Self {
        let (data, keys) = (folder.join("data"), folder.join("keys"));
        let vault = Arc::new(Vault::open(&data, &keys).unwrap());
        Self::of(folder, vault, LogKeys::open(&keys).unwrap(), seed, |_| {})
    }

    fn create(folder: &Path) -> Self {
        let (data, keys) = (folder.join("data"), folder.join("keys"));
        fs::create_dir(&data).unwrap();
        let vault = Arc::new(Vault::create(&data, &keys).unwrap());
        let log = LogKeys::create(&keys, &"tenure.example/test".parse().unwrap(), at(START)).unwrap();
        Self::of(folder, vault, log, 1, |tenure| tenure.init(TimeKeeping::Simulated, at(START)).unwrap())
    }

    fn of(folder: &Path, vault: Arc<Vault>, log: LogKeys, seed: u64, first: impl FnOnce(&Tenure)) -> Self {
        let store = Arc::new(SqliteStore::open(&folder.join("data/tenure.db")).unwrap());
        let tenure = Tenure::new(Arc::<SqliteStore>::clone(&store), vault, log, Arc::new(Drawn(seed.into())));
        first(&tenure);
        Self { tenure, public: Shown(PublicLog::of(store).unwrap()) }
    }

    fn known(&self) -> KnownLog {
        KnownLog::named_by(self.public.0.keys().unwrap()).unwrap()
    }

    fn publish(&self) -> SignedCheckpoint {
        (*self.tenure.publish_checkpoint(at("2026-01-01T00:00:00Z")).unwrap()).clone()
    }

    fn does(&self, deed: &Deed, number: usize) -> Result<Option<Receipt>, Error> {
        let seconds = i64::try_from(number).unwrap();
        let now = Instant::from_micros(at("2025-09-01T00:00:00Z").micros() + 1_000_000 * seconds).unwrap();
        let facts = || AccountFacts { country: Some("US".to_owned()), ..AccountFacts::default() };
        match deed {
            Deed::Publish => self
                .tenure
                .publish(&[("example.toml".to_owned(), POLICY.to_owned())], at(START))
                .map(|_| None),
            Deed::Open(account) => self.tenure.set_account(account, facts(), now).map(|_| None),
            Deed::Inform(account) => self.tenure.inform(account, "2025-10-08", now).map(Some),
            Deed::Decide(account, choice) => {
                let answer = self.tenure.answer(account, "train", *choice, None)?;
                self.tenure.decide(account, answer, now).map(|mut receipts| receipts.pop())
            }
            Deed::Hold(id) => {
                let scope = HoldScope { classes: vec!["content".to_owned()], ..HoldScope::default() };
                self.tenure.place_hold(id, scope, true, now).map(|()| None)
            }
            Deed::Release(id) => self.tenure.release_hold(id, now).map(|()| None),
            Deed::Close(account) => {
                self.tenure.delete(Deletion::Account((*account).to_owned()), now).map(|_| None)
            }
        }
    }
}

/// One step of a history. Each makes one statement.
#[derive(Clone, Debug)]
enum Deed {
    Publish,
    Open(&'static str),
    Inform(&'static str),
    Decide(&'static str, Choice),
    Hold(&'static str),
    Release(&'static str),
    Close(&'static str),
}

fn history() -> Vec<Deed> {
    use Deed::{Close, Decide, Hold, Inform, Open, Publish, Release};
    vec![
        Publish,
        Open("a1"),
        Open("a2"),
        Inform("a1"),
        Decide("a1", Choice::On),
        Decide("a2", Choice::Off),
        Hold("order"),
        Decide("a2", Choice::On),
        Open("a3"),
        Decide("a1", Choice::Off),
        Release("order"),
        Decide("a3", Choice::Off),
        Close("a1"),
        Decide("a2", Choice::Off),
    ]
}

/// How history is written anew from one deed on.
type Forgery = fn(&mut Vec<Deed>);

const FORGERIES: [(&str, Forgery); 4] = [
    ("hidden", |deeds| {
        deeds.remove(0);
    }),
    ("altered", |deeds| {
        deeds[0] = match &deeds[0] {
            Deed::Decide(account, Choice::On) => Deed::Decide(account, Choice::Off),
            Deed::Decide(account, Choice::Off) => Deed::Decide(account, Choice::On),
            // Written anew with another opening, which is another leaf.
            other => other.clone(),
        };
    }),
    ("moved", |deeds| {
        let last = deeds.len().min(2) - 1;
        deeds.swap(0, last);
    }),
    ("preceded", |deeds| deeds.insert(0, Deed::Open("nobody"))),
];

/// How long the log is made after that: as it comes, and longer than it was.
const PADDINGS: [&[Deed]; 2] =
    [&[], &[Deed::Open("b1"), Deed::Open("b2"), Deed::Open("b3"), Deed::Open("b4"), Deed::Open("b5")]];

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// A log as it was, step by step, and what others have of it.
struct Past {
    folder: tempfile::TempDir,
    deeds: Vec<Deed>,
    known: KnownLog,
    /// The receipts that people hold, each with the number of the deed that it is for.
    receipts: Vec<(usize, Receipt)>,
    /// What an auditor has seen last.
    seen: Vec<u8>,
}

impl Past {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = folder.path().join("now");
        fs::create_dir(&now).unwrap();
        drop(Operator::create(&now));
        let (deeds, mut receipts) = (history(), Vec::new());
        for (number, deed) in deeds.iter().enumerate() {
            copy(&now, &folder.path().join(number.to_string()));
            let operator = Operator::open(&now, 100 + number as u64);
            receipts.extend(operator.does(deed, number).unwrap().map(|receipt| (number, receipt)));
        }
        let operator = Operator::open(&now, 99);
        let known = operator.known();
        let seen = operator.publish().to_string().into_bytes();
        Self { folder, deeds, known, receipts, seen }
    }

    fn known(&self) -> KnownLog {
        KnownLog::named_by(self.known.keys().to_vec()).unwrap()
    }

    /// Goes back to before a deed, and does everything anew from there on, the operator's way.
    fn rewritten(&self, from: usize, forgery: Forgery, padding: &[Deed]) -> (tempfile::TempDir, Operator) {
        let folder = tempfile::tempdir().unwrap();
        copy(&self.folder.path().join(from.to_string()), folder.path());
        let operator = Operator::open(folder.path(), 1_000 + from as u64);
        let mut deeds = self.deeds[from..].to_vec();
        forgery(&mut deeds);
        for (number, deed) in deeds.iter().chain(padding).enumerate() {
            // What can't be any more, since something before it was hidden, is left out.
            drop(operator.does(deed, from + number));
        }
        operator.publish();
        (folder, operator)
    }

    fn looks(&self, remembered: &[u8], source: &dyn LogSource) -> Result<Look, LookError> {
        let folder = tempfile::tempdir().unwrap();
        let auditor = Auditor::new(self.known(), folder.path().join("state"));
        fs::write(auditor.state(), remembered).unwrap();
        auditor.look(source)
    }

    /// A witness that has cosigned the log as it was.
    fn witness(&self, folder: &Path) -> Result<Witness, WitnessError> {
        let mut seed = 40;
        let mut entropy = |bytes: &mut [u8; 32]| {
            seed += 1;
            bytes.fill(seed);
            Ok(())
        };
        Witness::open(folder, "witness.example/w".parse().unwrap(), vec![self.known()], &mut entropy)
    }
}

fn alarm(looked: Result<Look, LookError>) -> Option<AlarmKind> {
    match looked {
        Err(LookError::Alarm(alarm)) => Some(alarm.kind),
        Err(other) => panic!("{other:?}"),
        Ok(_) => None,
    }
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_700_000_000).unwrap()
}

#[test]
fn history_written_anew_with_all_keys_is_found_by_auditor_witness_and_holder() {
    let past = Past::new();
    let operator = Operator::open(&past.folder.path().join("now"), 7);
    assert_eq!(alarm(past.looks(&past.seen, &operator.public)), None);
    let witnesses = tempfile::tempdir().unwrap();
    let witness = past.witness(witnesses.path()).unwrap();
    witness.fetch(&operator.public, now()).unwrap().unwrap();
    for (what, forgery) in FORGERIES {
        let mut alarms = std::collections::BTreeMap::<&str, u32>::new();
        let mut holders = 0;
        for (from, padding) in (0..past.deeds.len()).flat_map(|from| PADDINGS.map(|padding| (from, padding)))
        {
            let (_folder, forged) = past.rewritten(from, forgery, padding);
            let place = format!("{what}: {:?}, {} added", past.deeds[from], padding.len());
            // By itself it is sound: nothing inside the folders can tell.
            assert!(forged.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().is_sound(), "{place}");
            let kind = alarm(past.looks(&past.seen, &forged.public)).unwrap_or_else(|| panic!("{place}"));
            *alarms.entry(kind.code()).or_default() += 1;
            witness.fetch(&forged.public, now()).unwrap_err();
            // Whoever holds a receipt has a checkpoint of the log as it was, and its leaf.
            for (number, receipt) in &past.receipts {
                let held = receipt.proof().checkpoint.to_string();
                let found = alarm(past.looks(held.as_bytes(), &forged.public)).is_some();
                // What was given out before the forgery begins is still true.
                assert_eq!(found, *number >= from, "{place}: the receipt of {number}");
                holders += u32::from(found);
            }
        }
        println!("{what:>9}: the auditor's alarms {alarms:?}; {holders} receipts say so too");
    }
    assert_eq!(*witness.latest(past.known.origin()).unwrap().checkpoint(), *operator.publish().checkpoint());
}

#[test]
fn a_log_that_is_rolled_back_is_found_by_auditor_and_witness() {
    let past = Past::new();
    let operator = Operator::open(&past.folder.path().join("now"), 7);
    let witnesses = tempfile::tempdir().unwrap();
    let witness = past.witness(witnesses.path()).unwrap();
    witness.fetch(&operator.public, now()).unwrap().unwrap();
    for number in 1..past.deeds.len() {
        let folder = tempfile::tempdir().unwrap();
        copy(&past.folder.path().join(number.to_string()), folder.path());
        let older = Operator::open(folder.path(), 8);
        older.publish();
        assert_eq!(alarm(past.looks(&past.seen, &older.public)), Some(AlarmKind::RolledBack));
        witness.fetch(&older.public, now()).unwrap_err();
    }
}

#[test]
fn of_two_tales_for_two_auditors_one_witness_cosigns_one() {
    let past = Past::new();
    let tales = ["t1", "t2"].map(|account| {
        let folder = tempfile::tempdir().unwrap();
        copy(&past.folder.path().join("now"), folder.path());
        let operator = Operator::open(folder.path(), account.len() as u64);
        operator.does(&Deed::Open(account), 50).unwrap();
        operator.publish();
        (folder, operator)
    });
    // Each tale continues what either auditor has seen, so alone they find nothing.
    for (_, tale) in &tales {
        assert_eq!(alarm(past.looks(&past.seen, &tale.public)), None);
    }
    let witnesses = tempfile::tempdir().unwrap();
    let witness = past.witness(witnesses.path()).unwrap();
    let cosigned = tales.each_ref().map(|(_, tale)| witness.fetch(&tale.public, now()).ok().flatten());
    let [Some(cosigned), None] = cosigned else { panic!("{cosigned:?}") };
    // An auditor who demands the witness's cosignature sees that the other tale has none.
    let demanding = |folder: &Path| {
        let known = KnownWitnesses::new(witness.keys()).unwrap();
        let auditor = Auditor::new(past.known(), folder.join("state")).with_witnesses(known, 1);
        fs::write(auditor.state(), &past.seen).unwrap();
        auditor
    };
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let with = Cosigned { tale: &tales[0].1.public, checkpoint: cosigned.to_string().into_bytes() };
    let look = demanding(folders[0].path()).look(&with).unwrap();
    assert_eq!(look.witnesses, ["witness.example/w"]);
    let refused = demanding(folders[1].path()).look(&tales[1].1.public);
    assert!(matches!(refused, Err(LookError::TooFewWitnesses { found: 0, required: 1 })));
    // And once the two auditors compare what they have seen, they hold the proof of the fork.
    assert_eq!(alarm(past.looks(cosigned.to_string().as_bytes(), &tales[1].1.public)), Some(AlarmKind::Fork));
}

/// A log that shows its checkpoint with the cosignatures.
struct Cosigned<'s> {
    tale: &'s Shown,
    checkpoint: Vec<u8>,
}

impl LogSource for Cosigned<'_> {
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        match resource {
            Resource::Checkpoint => Ok(Some(self.checkpoint.clone())),
            other => self.tale.resource(other),
        }
    }
}
