//! What was destroyed in its turn stays forgotten: whoever has all folders of today, and those of before without
//! the keys of then, can tell nobody's answer; and what must not go yet does not go.

mod in_turn;
mod thief;
mod traces;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant as Clock;

use tenure_app::{
    AccountFacts, Answer, Deletion, Entropy, Error, Fault, Reply, Scan, SweepOptions, Tenure, TimeKeeping,
    Verification,
};
use tenure_model::{Choice, Instant};
use tenure_receipts::{Opening, Receipt};
use tenure_store::{SqliteStore, Store, StoreError, StoreExt as _};
use tenure_tlog::crypto::verifier;
use tenure_tlog::note::Verifier;
use tenure_vault::{FileKeyStore, KeyStore as _, LogKeys, PageId, Vault, faults};

use crate::world::{EXAMPLE, World, at, conversation};
use thief::{Keys, Picks, Secret, Stolen, Wanted};

const ACCOUNTS: usize = 10_000;
/// Every fiftieth account stays open.
const STAYS: usize = 50;
const THREADS: usize = 32;

const OPENED: &str = "2025-08-01T00:00:00Z";
const DECIDED: &str = "2025-09-01T00:00:00Z";
const CLOSED: &str = "2025-10-01T00:00:00Z";
/// Six years after half of the accounts were closed, which takes a second each.
const HALFWAY: &str = "2031-10-01T01:23:20Z";
/// More than the six years of the policy after the last account was closed.
const FORGOTTEN: &str = "2031-10-02T00:00:00Z";

/// The system's randomness, with all openings that were ever drawn written down.
#[derive(Default)]
struct Recorded(Mutex<Vec<Secret>>);

impl Entropy for Recorded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| Error::Entropy)?;
        self.0.lock().unwrap().extend(Secret::try_from(&*bytes).ok());
        Ok(())
    }
}

fn data(world: &World) -> PathBuf {
    world.folder.path().join("data")
}

fn keys(world: &World) -> PathBuf {
    world.folder.path().join("keys")
}

/// A world with the system's randomness, and that randomness.
fn world() -> (World, Arc<Recorded>) {
    let folder = tempfile::tempdir().unwrap();
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    std::fs::create_dir(&data).unwrap();
    let vault = Vault::create(&data, &keys).unwrap();
    let log = LogKeys::create(&keys, &"tenure.example/test".parse().unwrap(), at(OPENED)).unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.join("tenure.db")).unwrap());
    let drawn = Arc::new(Recorded::default());
    let tenure = Tenure::new(Arc::clone(&store), Arc::new(vault), log, Arc::<Recorded>::clone(&drawn));
    tenure.init(TimeKeeping::Simulated, at(OPENED)).unwrap();
    tenure.publish(&[("example.toml".to_owned(), EXAMPLE.to_owned())], at(OPENED)).unwrap();
    (World { folder, store, tenure }, drawn)
}

/// A name that says nothing, always as long.
fn named(number: usize) -> String {
    format!("person-{number:05}")
}

const fn stays(number: usize) -> bool {
    number.is_multiple_of(STAYS)
}

/// The answers of so many accounts, half of them `on`, shuffled.
fn answers(count: usize) -> Vec<Choice> {
    let mut answers: Vec<Choice> =
        (0..count).map(|number| if number < count / 2 { Choice::On } else { Choice::Off }).collect();
    let mut state = 0x5eed_u64;
    for place in (1..count).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        answers.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
    }
    answers
}

fn later(start: &str, seconds: usize) -> Instant {
    Instant::from_micros(at(start).micros() + i64::try_from(seconds).unwrap() * 1_000_000).unwrap()
}

fn open(tenure: &Tenure, number: usize) {
    let facts =
        AccountFacts { country: Some("US".to_owned()), minor: Some(false), ..AccountFacts::default() };
    tenure.set_account(&named(number), facts, at(OPENED)).unwrap();
}

fn decide(tenure: &Tenure, number: usize, choice: Choice) -> Receipt {
    let answer = tenure.answer(&named(number), "train", choice, None).unwrap();
    tenure.decide(&named(number), answer, later(DECIDED, number)).unwrap().remove(0)
}

fn close(tenure: &Tenure, number: usize) {
    tenure.delete(Deletion::Account(named(number)), later(CLOSED, number)).unwrap();
}

/// Does something for each account, with many callers at once. Each goes through the accounts in order.
fn each<T: Send>(count: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let callers = THREADS.min(count);
    let act = &act;
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let of_caller = |first| (first..count).step_by(callers).map(|number| (number, act(number)));
        let threads: Vec<_> =
            (0..callers).map(|first| scope.spawn(move || of_caller(first).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

fn sweep(world: &World, now: &str) -> Result<u64, Error> {
    let now = at(now);
    let options = SweepOptions::everything(now);
    world.tenure.sweep(now, options, &mut |_| {}).map(|swept| swept.proofs)
}

fn verify(world: &World) -> Verification {
    world.tenure.verify_ledger(2, &|_, _, _| {}).unwrap()
}

fn assert_sound(world: &World) -> Verification {
    let verification = verify(world);
    assert!(verification.is_sound(), "{:?}", verification.faults);
    verification
}

/// Whether the receipt, as its person keeps it, proves a decision with this answer.
fn proves(tenure: &Tenure, receipt: &Receipt, choice: Choice) -> bool {
    let receipt = Receipt::parse(receipt.to_string().as_bytes()).unwrap();
    let keys: Vec<_> = tenure.log_keys().iter().map(|key| verifier(&key.key).unwrap()).collect();
    let keys: Vec<&dyn Verifier> = keys.iter().map(|key| &**key as &dyn Verifier).collect();
    let proven = receipt.verify(&"tenure.example/test".parse().unwrap(), &keys).unwrap();
    matches!(proven.stated.statement, tenure_receipts::Statement::Decision { choice: said, .. } if said == choice)
}

/// What a thief makes of data folders, with the keys of one key folder.
struct Loot {
    /// Each copy of each account's row, as it was found.
    rows: Vec<Stolen>,
}

impl Loot {
    fn of(folders: &[PathBuf]) -> Self {
        let mut rows: Vec<Stolen> = folders.iter().flat_map(|folder| thief::decisions(folder)).collect();
        let whole = |row: &Stolen| (row.id.clone(), row.wrap.clone());
        rows.sort_by_key(whole);
        // Most copies have the same row.
        rows.dedup_by_key(|row| whole(row));
        Self { rows }
    }

    /// The proof keys that any of the page keys opens, by account.
    fn proof_keys(&self, keys: &Keys) -> HashMap<&str, Secret> {
        let picks = Picks::new(keys);
        let (left, right) = self.rows.split_at(self.rows.len() / 2);
        let pick = |rows: &[Stolen]| -> Vec<Option<Secret>> {
            let of =
                |row: &Stolen| row.wrap.as_ref().and_then(|(page, wrap)| picks.pick(&row.id, page, wrap));
            rows.iter().map(of).collect()
        };
        let picked = std::thread::scope(|scope| {
            let other = scope.spawn(|| pick(right));
            [pick(left), other.join().unwrap()].concat()
        });
        self.rows.iter().zip(picked).filter_map(|(row, key)| Some((row.id.as_str(), key?))).collect()
    }

    /// The answers that are in the evidence that these proof keys open, with the openings.
    fn answers(&self, proof_keys: &HashMap<&str, Secret>) -> HashMap<&str, (Opening, Choice)> {
        let open = |row: &Stolen| proof_keys.get(row.id.as_str()).and_then(|key| row.open(key));
        self.rows.iter().filter_map(|row| Some((row.id.as_str(), open(row)?))).collect()
    }
}

/// Tells how long each part of a long test takes.
struct Stopwatch(Clock);

impl Stopwatch {
    fn lap(&mut self, what: &str) {
        println!("{:>6.1} s  {what}", self.0.elapsed().as_secs_f64());
        self.0 = Clock::now();
    }
}

#[test]
fn of_ten_thousand_decisions_whose_proofs_are_destroyed_a_thief_tells_none() {
    let mut watch = Stopwatch(Clock::now());
    let (world, drawn) = world();
    let answers = answers(ACCOUNTS);
    let copies = tempfile::tempdir().unwrap();
    let copied = |name: &str| {
        let to = copies.path().join(name);
        thief::copy(&data(&world), &to);
        to
    };
    each(ACCOUNTS, |number| open(&world.tenure, number));
    let receipts = each(ACCOUNTS, |number| decide(&world.tenure, number, answers[number]));
    watch.lap("10,000 accounts opened, 10,000 decisions with receipts");
    let decided = copied("decided");
    each(ACCOUNTS, |number| {
        if !stays(number) {
            close(&world.tenure, number);
        }
    });
    let closed = copied("closed");
    assert_eq!(sweep(&world, "2031-09-30T00:00:00Z").unwrap(), 0);
    world.tenure.publish_checkpoint(at("2031-09-30T00:00:00Z")).unwrap();
    assert_sound(&world);
    let before = copied("before");
    let keys_of_then = Keys::read(&keys(&world));
    watch.lap("closed, swept in vain and verified");

    // With the keys of then the same thief opens every answer, so what follows is worth something.
    let old = [decided, closed, before];
    let loot = Loot::of(&old);
    let proof_keys = loot.proof_keys(&keys_of_then);
    let opened = loot.answers(&proof_keys);
    for (number, choice) in answers.iter().enumerate() {
        assert_eq!(opened[&*named(number)].1, *choice);
    }
    for row in &loot.rows {
        let (opening, choice) = &opened[&*row.id];
        assert_eq!(row.guess(std::slice::from_ref(opening)), [*choice], "both answers were tried");
    }
    watch.lap("control: the thief with the keys of then");

    let gone = ACCOUNTS - ACCOUNTS / STAYS;
    // Halfway, those whose turn comes later lie wrapped anew on other pages.
    let first = sweep(&world, HALFWAY).unwrap();
    let halfway = copied("halfway");
    assert_eq!(first, u64::try_from(gone / 2).unwrap());
    assert_eq!(first + sweep(&world, FORGOTTEN).unwrap(), u64::try_from(gone).unwrap());
    watch.lap("destroyed");
    let verification = assert_sound(&world);
    assert_eq!(verification.destroyed, 3 * u64::try_from(gone).unwrap());
    watch.lap("verified");

    let today = copied("today");
    let keys_of_today = Keys::read(&keys(&world));
    let folders = [&old[..], &[halfway, today, data(&world)]].concat();
    let all = Loot::of(&folders);
    for number in 0..ACCOUNTS {
        let receipts_now = world.tenure.receipts(&named(number), at(FORGOTTEN));
        assert_eq!(receipts_now.is_ok(), stays(number));
        assert!(stays(number) || matches!(receipts_now, Err(Error::ProofDestroyed)));
    }
    for (number, receipt) in receipts.iter().enumerate().step_by(STAYS / 2) {
        assert!(proves(&world.tenure, receipt, answers[number]), "what a person holds still proves it");
    }
    watch.lap("receipts");
    no_key_opens(&all, &keys_of_today);
    watch.lap("every key of today tried on every wrap of any time");
    no_opening_fits(&all, &keys_of_today);
    watch.lap("both answers tried with everything that could be an opening");
    let openings = std::mem::take(&mut *drawn.0.lock().unwrap());
    nothing_lies_about(&folders, &keys(&world), (&openings, &proof_keys), (&keys_of_then, &keys_of_today));
    watch.lap("all files searched for all openings and keys");
    nothing_tells(&folders, &answers);
    watch.lap("all columns of all rows compared with the answers");
}

/// Of all wraps that there ever were, the keys of today open those of the accounts that stayed.
fn no_key_opens(all: &Loot, keys: &Keys) {
    let open = all.proof_keys(keys);
    for number in 0..ACCOUNTS {
        assert_eq!(open.contains_key(&*named(number)), stays(number), "{number}");
    }
    assert_eq!(all.answers(&open).len(), ACCOUNTS / STAYS);
}

/// With both answers, no leaf of an account that went is the commitment that anything at hand opens.
fn no_opening_fits(all: &Loot, keys: &Keys) {
    let secrets: Vec<Opening> = keys.secrets().into_iter().map(Opening).collect();
    let went = |row: &&Stolen| !stays(row.id.trim_start_matches("person-").parse().unwrap());
    let mut tried = HashSet::new();
    for row in all.rows.iter().filter(went) {
        assert_eq!(row.guess(&row.own()), []);
        if tried.insert(&row.id) {
            assert_eq!(row.guess(&secrets), []);
        }
    }
    assert_eq!(tried.len(), ACCOUNTS - ACCOUNTS / STAYS);
}

/// No opening, no proof key and no destroyed page key is in any file of any of the folders.
fn nothing_lies_about(
    folders: &[PathBuf],
    keys: &Path,
    (openings, proof_keys): (&[Secret], &HashMap<&str, Secret>),
    (then, today): (&Keys, &Keys),
) {
    assert!(openings.len() >= 3 * ACCOUNTS - ACCOUNTS / STAYS);
    let destroyed: Vec<Secret> =
        then.of_proofs().filter(|(page, _)| !today.pages.contains_key(*page)).map(|(_, key)| *key).collect();
    assert!(destroyed.len() >= ACCOUNTS / 256);
    let hidden = openings.iter().chain(proof_keys.values()).chain(&destroyed).copied();
    let wanted = Wanted::new(hidden.chain(today.others.iter().copied()));
    // The root and identity keys lie in the key folder, which shows that what lies anywhere is found.
    assert_eq!(wanted.count_in(keys), today.others.len());
    let planted = [&b"..."[..], &openings[7], b"..."].concat();
    assert_eq!(wanted.count(&planted), 1);
    for folder in folders {
        assert_eq!(wanted.count_in(folder), 0, "{}", folder.display());
    }
}

/// Nothing that the rows of an account show goes with its answer.
fn nothing_tells(folders: &[PathBuf], answers: &[Choice]) {
    let said_on = |number: usize| answers[number] == Choice::On;
    let said: HashMap<String, bool> = (0..ACCOUNTS).map(|number| (named(number), said_on(number))).collect();
    let mut shared = 0;
    for folder in folders {
        for (feature, shown) in traces::features(folder, &said) {
            assert!(!shown.tells(), "{feature}: {} of {} said on", shown.on, shown.all);
            shared += usize::from(shown.all > 20);
        }
    }
    println!("          {shared} features that more than 20 accounts share");
    // How long the statements are, if that were not hidden, would tell at once.
    let mut lengths: BTreeMap<usize, traces::Shown> = BTreeMap::new();
    for (number, choice) in answers.iter().enumerate() {
        let length = thief::decision(later(DECIDED, number), *choice).len();
        lengths.entry(length).or_default().add(said_on(number));
    }
    assert!(lengths.values().all(|shown| shown.tells()));
}

/// What lies there after everyone decided, and after the evidence went.
fn outlines(flip: bool) -> Vec<BTreeMap<String, Vec<String>>> {
    let count = 300;
    let (world, _) = world();
    for (number, choice) in answers(count).into_iter().enumerate() {
        open(&world.tenure, number);
        let flipped = if choice == Choice::On { Choice::Off } else { Choice::On };
        decide(&world.tenure, number, if flip { flipped } else { choice });
    }
    world.tenure.publish_checkpoint(at(CLOSED)).unwrap();
    let decided = traces::outline(&data(&world));
    (0..count).filter(|number| !stays(*number)).for_each(|number| close(&world.tenure, number));
    let closed = traces::outline(&data(&world));
    assert_eq!(sweep(&world, FORGOTTEN).unwrap(), 294);
    vec![decided, closed, traces::outline(&data(&world))]
}

#[test]
fn the_same_world_with_every_answer_the_other_way_lies_there_the_same() {
    let [as_it_was, flipped] = std::thread::scope(|scope| {
        [false, true].map(|flip| scope.spawn(move || outlines(flip))).map(|it| it.join().unwrap())
    });
    for (one, other) in as_it_was.iter().zip(&flipped) {
        assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        for (table, rows) in one {
            for (row, other) in rows.iter().zip(&other[table]) {
                assert_eq!(row, other, "{table}");
            }
            assert_eq!(rows.len(), other[table].len(), "{table}");
        }
    }
    assert!(as_it_was[0]["statements"].len() > 600);
}
