//! Many decide at once, and a process that is killed at any moment has lost nothing that it acknowledged.

use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_app::{Answer, Error, Reply, Tenure};
use tenure_model::Choice;
use tenure_receipts::Receipt;
use tenure_store::{SqliteStore, Store};
use tenure_tlog::checkpoint::SignedCheckpoint;
use tenure_vault::Vault;

use crate::auditor::{Auditor, opened};
use crate::world::{World, at};

const WORLD: &str = "TENURE_LEDGER_WORLD";
const NOW: &str = "2025-09-03T00:00:00Z";
/// A line that ends what a thread of the child was given; without it, it may have been killed while writing.
const END: &str = "== given ==\n";
const THREADS: usize = 16;

fn open(folder: &Path, seed: u64) -> (Arc<dyn Store>, Tenure) {
    let data = folder.join("data");
    let vault = Vault::open(&data, &folder.join("keys")).unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.join("tenure.db")).unwrap());
    let tenure = opened(folder, Arc::clone(&store), vault, seed);
    (store, tenure)
}

fn write_down(file: &mut File, given: &str) {
    file.write_all(format!("{given}{END}").as_bytes()).unwrap();
}

fn off() -> Answer {
    Answer { purpose: "train".to_owned(), reply: Reply::Off, version: None }
}

/// Not a test of its own: it is the process that the test below starts and kills.
#[test]
fn child_that_decides_until_it_is_killed() {
    let Ok(folder) = std::env::var(WORLD) else { return };
    let folder = Path::new(&folder);
    // Another seed for each process, since none may draw what an earlier one drew.
    let (_, tenure) = open(folder, drawn());
    let acknowledged = AtomicU64::new(0);
    let file = |name: String| File::options().append(true).create(true).open(folder.join(name)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let mut receipts = file(format!("receipts-{thread}"));
            let (tenure, acknowledged) = (&tenure, &acknowledged);
            scope.spawn(move || {
                // Neighbours share an account, so that chains move between reading and writing.
                let account = format!("a{}", thread / 2);
                for round in 0_u32.. {
                    let answer = match round % 3 {
                        0 => tenure.answer(&account, "train", Choice::On, None).unwrap(),
                        _ => off(),
                    };
                    match tenure.decide(&account, answer, at(NOW)) {
                        Err(Error::ChainMoved) => {}
                        given => write_down(&mut receipts, &given.unwrap()[0].to_string()),
                    }
                    let number = acknowledged.fetch_add(1, Ordering::SeqCst) + 1;
                    // Through stderr, which the test harness does not capture here and nothing buffers.
                    eprintln!("acknowledged {number}");
                }
            });
        }
        let mut checkpoints = file("checkpoints".to_owned());
        let tenure = &tenure;
        scope.spawn(move || {
            loop {
                let published = tenure.publish_checkpoint(at(NOW)).unwrap();
                write_down(&mut checkpoints, &published.to_string());
            }
        });
    });
}

fn drawn() -> u64 {
    RandomState::new().hash_one(())
}

fn run_and_kill(folder: &Path, kill_at: u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger_crash::child_that_decides_until_it_is_killed", "--nocapture"])
        .env(WORLD, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let wanted = format!("acknowledged {kill_at}");
    let said = BufReader::new(child.stderr.take().unwrap()).lines();
    let reached = said.map_while(Result::ok).any(|line| line == wanted);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(reached, "the child never said `{wanted}`");
}

/// What was written down whole.
fn given(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut parts: Vec<String> = text.split(END).map(str::to_owned).collect();
    // What follows the last end was not written whole.
    parts.pop();
    parts
}

#[test]
fn killed_at_any_moment_the_log_has_every_decision_that_was_acknowledged() {
    let world = World::new();
    for account in 0..THREADS / 2 {
        world.open_account(&format!("a{account}"), at("2025-08-29T00:00:00Z"));
    }
    let World { mut folder, store, tenure } = world;
    drop((store, tenure));
    // The later processes go on with what the earlier ones left.
    let mut before = 0;
    for round in 0..5_u64 {
        let kill_at = 1 + drawn() % 250;
        run_and_kill(folder.path(), kill_at);
        let mut auditor = Auditor::default();
        for thread in 0..THREADS {
            let receipts = given(&folder.path().join(format!("receipts-{thread}")));
            auditor.hear(receipts.iter().map(|text| Receipt::parse(text.as_bytes()).unwrap()));
        }
        for text in given(&folder.path().join("checkpoints")) {
            auditor.see(SignedCheckpoint::parse(text.as_bytes()).unwrap());
        }
        let (store, tenure) = open(folder.path(), round);
        let world = World { folder, store, tenure };
        auditor.audit(&world, at(NOW));
        let size = world.store.head().size;
        println!("killed at {kill_at}: {} receipts, {size} leaves", auditor.receipts.len());
        let heard = auditor.receipts.len();
        assert!(heard > before && size > heard as u64);
        before = heard;
        folder = world.folder;
    }
}

#[test]
fn sixty_four_that_decide_for_few_accounts_each_get_their_off_and_no_chain_breaks() {
    const ACCOUNTS: [&str; 3] = ["a0", "a1", "a2"];
    let world = World::new();
    let opened_at = at("2025-08-29T00:00:00Z");
    for account in ACCOUNTS {
        world.open_account(account, opened_at);
    }
    let tenure = &world.tenure;
    let decided: Vec<(usize, Vec<Receipt>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|thread| {
                scope.spawn(move || {
                    let account = ACCOUNTS[thread % ACCOUNTS.len()];
                    let (mut moved, mut receipts) = (0, Vec::new());
                    for _ in 0..2 {
                        let seen = tenure.account(account).unwrap().chain.head;
                        let on = Reply::On { follows: seen };
                        match tenure.decide(account, Answer { reply: on, ..off() }, at(NOW)) {
                            Err(Error::ChainMoved) => moved += 1,
                            taken => {
                                let taken = taken.unwrap();
                                // It follows what its giver had seen, and nothing came between.
                                assert_eq!(taken[0].link().previous, seen);
                                receipts.extend(taken);
                            }
                        }
                        receipts.extend(tenure.decide(account, off(), at(NOW)).unwrap());
                    }
                    (moved, receipts)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let moved: usize = decided.iter().map(|(moved, _)| moved).sum();
    let receipts: Vec<Receipt> = decided.into_iter().flat_map(|(_, receipts)| receipts).collect();
    assert_eq!(receipts.len(), 64 * 4 - moved);
    println!("{} decisions were taken, {moved} yeses came too late", receipts.len());
    for account in ACCOUNTS {
        let mut links: Vec<u64> = receipts
            .iter()
            .filter(|receipt| receipt.subject().account == account)
            .map(|receipt| receipt.link().version)
            .collect();
        links.sort_unstable();
        // The first of the chain says that the account was opened.
        assert!(links.iter().copied().eq(2..2 + links.len() as u64), "{links:?}");
        assert_eq!(tenure.account(account).unwrap().chain.version, links.len() as u64 + 1);
    }
    let mut auditor = Auditor::default();
    auditor.hear(receipts);
    auditor.audit(&world, at(NOW));
    let world = world.reopened();
    auditor.audit(&world, at(NOW));
}
