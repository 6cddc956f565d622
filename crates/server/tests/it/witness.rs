//! A witness over HTTP, and logs that try to be cosigned twice.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use tenure_server::witness::{Contradiction, FollowError, WitnessError, place};
use tenure_server::{Clock, KnownLog, KnownWitnesses, Witness, witness_router};
use tenure_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tenure_tlog::cosignature::{Timestamp, timestamp};
use tenure_tlog::merkle::prove_consistency;
use tenure_tlog::note::{KeyId, MAX_SIGNATURES, NoteSignature};
use tenure_tlog::tile::{Resource, Tile, TileHashReader, TileReader};
use tenure_tlog::witness::{AddCheckpoint, parse_cosignatures};

use crate::fixture::{Keys, MemoryLog, ORIGIN, Server, ask, post, silent};

pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) fn open(folder: &Path) -> Result<Witness, WitnessError> {
    open_for(folder, vec![MemoryLog::new().known()])
}

fn open_for(folder: &Path, logs: Vec<KnownLog>) -> Result<Witness, WitnessError> {
    let mut next = 40;
    let mut entropy = |seed: &mut [u8; 32]| -> io::Result<()> {
        next += 1;
        seed.fill(next);
        Ok(())
    };
    Witness::open(folder, "witness.example/w".parse().unwrap(), logs, &mut entropy)
}

pub(crate) fn serve(witness: Arc<Witness>) -> Server {
    let clock = Clock::new(|| Timestamp::from_seconds(NOW).unwrap());
    Server::start(witness_router(witness, clock, silent()))
}

struct Tiles<'l>(&'l MemoryLog);

impl TileReader for Tiles<'_> {
    type Error = tenure_server::SourceError;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Self::Error> {
        use tenure_server::LogSource as _;
        tiles.iter().map(|tile| Ok(self.0.resource(Resource::Tile(*tile))?.unwrap_or_default())).collect()
    }
}

fn request(old_size: u64, log: &MemoryLog) -> AddCheckpoint {
    let size = log.checkpoint().size();
    let tiles = Tiles(log);
    let proof = prove_consistency(old_size.min(size), size, &TileHashReader::new(size, &tiles)).unwrap();
    AddCheckpoint { old_size, proof, checkpoint: log.signed() }
}

fn submit(server: &Server, request: &AddCheckpoint) -> String {
    post(server.address, "/add-checkpoint", &request.to_string())
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// A witness that has cosigned a log of this size.
fn started(size: u64) -> (tempfile::TempDir, Arc<Witness>, Server) {
    let folder = tempfile::tempdir().unwrap();
    let witness = Arc::new(open(folder.path()).unwrap());
    let server = serve(witness.clone());
    assert_eq!(status(&submit(&server, &request(0, &MemoryLog::with(size)))), 200);
    (folder, witness, server)
}

#[test]
fn a_log_that_only_grows_is_cosigned_with_both_keys() {
    let folder = tempfile::tempdir().unwrap();
    let witness = Arc::new(open(folder.path()).unwrap());
    let server = serve(witness.clone());
    let mut old = 0;
    for size in [0, 3, 3, 256, 700] {
        let log = MemoryLog::with(size);
        let answer = submit(&server, &request(old, &log));
        assert_eq!(status(&answer), 200, "{answer}");
        let cosignatures = parse_cosignatures(body(&answer).as_bytes()).unwrap();
        assert_eq!(cosignatures.len(), 2);
        for (key, cosignature) in witness.keys().iter().zip(&cosignatures) {
            assert_eq!(timestamp(key, cosignature), Timestamp::from_seconds(NOW));
        }
        let mut signed = log.signed();
        signed.add(cosignatures).unwrap();
        let known = KnownWitnesses::new(witness.keys()).unwrap();
        assert_eq!(known.of(&signed).unwrap(), ["witness.example/w"]);
        let kept =
            ask(server.address, "GET", &format!("/{}/checkpoint", place(&ORIGIN.parse().unwrap())), "");
        assert_eq!(body(&kept), signed.to_string());
        old = size;
    }
}

#[test]
fn a_request_from_another_size_is_told_the_right_one() {
    let (_folder, _witness, server) = started(300);
    for (old, size) in [(0, 400), (299, 400), (301, 400), (0, 300), (0, 200)] {
        let answer = submit(&server, &request(old, &MemoryLog::with(size)));
        assert!(answer.starts_with("HTTP/1.1 409 Conflict\r\n"), "{answer}");
        assert!(answer.contains("content-type: text/x.tlog.size\r\n"), "{answer}");
        assert_eq!(body(&answer), "300\n");
    }
}

#[test]
fn each_refusal_has_its_status() {
    let (folder, witness, server) = started(300);
    let mut fork = MemoryLog::with(299);
    fork.grow(9, 300);
    let mut other_past = MemoryLog::with(10);
    other_past.grow(9, 500);
    let mut stranger = MemoryLog::with(400);
    stranger.keys = Keys::new(ORIGIN, 8);
    let empty = AddCheckpoint { proof: Vec::new(), ..request(300, &MemoryLog::with(400)) };
    for (what, request, expected, code) in [
        ("fork", request(300, &fork), 409, "fork"),
        ("other past", request(300, &other_past), 422, "inconsistent"),
        ("no proof", empty, 422, "inconsistent"),
        ("unknown log", request(0, &MemoryLog::of("other.example")), 404, "unknown_log"),
        ("unknown key", request(300, &stranger), 403, "untrusted"),
        ("smaller", request(300, &MemoryLog::with(200)), 400, "old_size_too_large"),
    ] {
        let answer = submit(&server, &request);
        assert_eq!(status(&answer), expected, "{what}: {answer}");
        assert!(answer.contains("content-type: application/problem+json\r\n"), "{what}: {answer}");
        assert!(body(&answer).contains(&format!("\"code\":\"{code}\"")), "{what}: {answer}");
        assert_eq!(witness.latest(&ORIGIN.parse().unwrap()).unwrap().checkpoint().size(), 300, "{what}");
    }
    let evidence = folder.path().join("logs").join(format!("{}.fork", place(&ORIGIN.parse().unwrap())));
    assert_eq!(fs::read_to_string(evidence).unwrap(), fork.signed().to_string());
    for malformed in ["", "old 0\n", "old 00\n\nx", "new 1\n\n"] {
        let answer = post(server.address, "/add-checkpoint", malformed);
        assert_eq!(status(&answer), 400, "{answer}");
        assert!(body(&answer).contains("\"code\":\"malformed\""));
    }
    assert_eq!(status(&ask(server.address, "GET", "/add-checkpoint", "")), 405);
    assert_eq!(status(&ask(server.address, "GET", "/0000/checkpoint", "")), 404);
}

#[test]
fn the_page_of_a_witness_says_what_it_has_cosigned() {
    let (_folder, witness, server) = started(300);
    let page = ask(server.address, "GET", "/", "");
    assert!(page.contains("<h1>witness.example/w</h1>") && page.contains(ORIGIN), "{page}");
    assert!(page.contains("Cosigned at size 300"), "{page}");
    let text = page.replace("&#43;", "+").replace("&#61;", "=");
    assert!(witness.keys().iter().all(|key| text.contains(&key.to_string())), "{page}");
}

#[test]
fn a_body_that_is_too_long_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(Arc::new(open(folder.path()).unwrap()));
    let head = "POST /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: 2000000\r\n\r\nold 0";
    assert_eq!(status(&crate::fixture::exchange(server.address, head)), 413);
}

#[test]
fn of_two_different_trees_of_one_size_exactly_one_is_cosigned() {
    for round in 0..8 {
        let (_folder, witness, server) = started(300);
        let logs = [1, 2, 3, 4].map(|tale| {
            let mut log = MemoryLog::with(300);
            log.grow(tale, 310);
            log
        });
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                logs.iter().map(|log| scope.spawn(|| status(&submit(&server, &request(300, log))))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "round {round}: {answers:?}");
        assert_eq!(answers.iter().filter(|status| **status == 409).count(), 3, "round {round}: {answers:?}");
        let winner = answers.iter().position(|status| *status == 200).unwrap();
        let latest = witness.latest(&ORIGIN.parse().unwrap()).unwrap();
        assert_eq!(*latest.checkpoint(), logs[winner].checkpoint());
    }
}

#[test]
fn a_restart_forgets_nothing_and_keeps_the_keys() {
    let (folder, witness, server) = started(300);
    let keys = witness.keys().to_vec();
    drop(server);
    assert!(matches!(open(folder.path()), Err(WitnessError::Folder(_))), "one process at a time");
    drop(witness);
    let witness = Arc::new(open(folder.path()).unwrap());
    assert_eq!(witness.keys(), keys);
    let server = serve(witness);
    let mut fork = MemoryLog::with(299);
    fork.grow(9, 300);
    assert_eq!(status(&submit(&server, &request(300, &fork))), 409);
    assert_eq!(status(&submit(&server, &request(0, &MemoryLog::with(200)))), 409);
    assert_eq!(status(&submit(&server, &request(300, &MemoryLog::with(400)))), 200);
}

/// Goal: killed after the state was written and before the answer left, the witness stands by what it wrote,
/// and the log that got no answer gets its cosignature by asking again.
#[test]
fn killed_between_the_state_and_the_answer_a_witness_stands_by_the_state() {
    let (folder, witness, server) = started(300);
    let mut log = MemoryLog::with(300);
    log.grow(1, 310);
    let now = Timestamp::from_seconds(NOW).unwrap();
    // The answer is thrown away, as a kill would do.
    drop(witness.add_checkpoint(&request(300, &log), now).unwrap());
    drop((server, witness));
    // A temporary file that a kill leaves in the middle of a write is not taken for a state.
    let file = folder.path().join("logs").join(format!("{}.checkpoint.tmp", place(&ORIGIN.parse().unwrap())));
    fs::write(file, "half a check").unwrap();
    let server = serve(Arc::new(open(folder.path()).unwrap()));
    let mut other = MemoryLog::with(300);
    other.grow(2, 310);
    let told = submit(&server, &request(300, &other));
    assert_eq!((status(&told), body(&told)), (409, "310\n"));
    assert_eq!(status(&submit(&server, &request(310, &other))), 409);
    let told = submit(&server, &request(300, &log));
    assert_eq!((status(&told), body(&told)), (409, "310\n"));
    assert_eq!(status(&submit(&server, &request(310, &log))), 200);
}

#[test]
fn a_state_that_was_tampered_with_stops_the_start() {
    let (folder, witness, server) = started(300);
    drop((server, witness));
    let file = folder.path().join("logs").join(format!("{}.checkpoint", place(&ORIGIN.parse().unwrap())));
    // An older checkpoint of the log, which this witness has not cosigned.
    for wrong in [MemoryLog::with(200).signed().to_string(), "nothing".to_owned()] {
        fs::write(&file, wrong).unwrap();
        assert!(matches!(open(folder.path()), Err(WitnessError::Damaged { .. })));
    }
    let twice = vec![MemoryLog::new().known(), MemoryLog::new().known()];
    fs::remove_file(&file).unwrap();
    assert!(matches!(open_for(folder.path(), twice), Err(WitnessError::Twice { .. })));
}

#[test]
fn a_witness_that_fetches_judges_as_one_that_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let witness = open(folder.path()).unwrap();
    let now = Timestamp::from_seconds(NOW).unwrap();
    let cosigned = |signed: Option<SignedCheckpoint>| signed.map(|signed| signed.checkpoint().size());
    assert_eq!(cosigned(witness.fetch(&MemoryLog::with(300), now).unwrap()), Some(300));
    assert_eq!(cosigned(witness.fetch(&MemoryLog::with(300), now).unwrap()), None);
    assert_eq!(cosigned(witness.fetch(&MemoryLog::with(700), now).unwrap()), Some(700));
    let mut fork = MemoryLog::with(699);
    fork.grow(9, 700);
    assert!(witness.fetch(&fork, now).is_err());
    assert!(witness.fetch(&MemoryLog::with(300), now).is_err());
    assert_eq!(witness.latest(&ORIGIN.parse().unwrap()).unwrap().checkpoint().size(), 700);
}

fn junk(count: usize) -> Vec<NoteSignature> {
    let ids = 0..u32::try_from(count).unwrap();
    let name = || "junk.example".parse().unwrap();
    ids.map(|id| NoteSignature::new(name(), KeyId::from_bytes(id.to_be_bytes()), vec![1; 8]).unwrap())
        .collect()
}

/// Goal: whoever submits the log's own public checkpoint with junk beside its signatures stops nobody.
#[test]
fn signatures_of_strangers_are_not_kept_with_a_checkpoint() {
    let (folder, witness, server) = started(300);
    let origin = ORIGIN.parse().unwrap();
    let log = MemoryLog::with(300);
    let mut padded = request(300, &log);
    padded.checkpoint.add(junk(MAX_SIGNATURES - 2)).unwrap();
    let answer = submit(&server, &padded);
    assert_eq!(status(&answer), 200, "{answer}");
    let mut kept = log.signed();
    kept.add(parse_cosignatures(body(&answer).as_bytes()).unwrap()).unwrap();
    assert_eq!(witness.latest(&origin), Some(kept.clone()));
    let shown = ask(server.address, "GET", &format!("/{}/checkpoint", place(&origin)), "");
    assert_eq!(SignedCheckpoint::parse(body(&shown).as_bytes()).unwrap(), kept);
    drop((server, witness));
    assert_eq!(open(folder.path()).unwrap().latest(&origin), Some(kept));
}

/// Goal: ML-DSA-44 signs no extension lines, so lines that only such a signature stands under are anyone's.
#[test]
fn extension_lines_that_the_log_has_not_signed_are_not_cosigned() {
    let (_folder, witness, server) = started(300);
    let log = MemoryLog::with(400);
    let signed = log.signed();
    let stretched: Checkpoint = format!("{}anything\n", log.checkpoint()).parse().unwrap();
    let ml_dsa_44 = signed.note().signatures()[1].clone();
    let checkpoint = SignedCheckpoint::new(stretched, vec![ml_dsa_44]).unwrap();
    let answer = submit(&server, &AddCheckpoint { checkpoint, ..request(300, &log) });
    assert_eq!(status(&answer), 403, "{answer}");
    assert_eq!(witness.latest(&ORIGIN.parse().unwrap()).unwrap().checkpoint().size(), 300);
    assert_eq!(status(&submit(&server, &request(300, &log))), 200);
}

#[test]
fn without_a_clock_nothing_is_cosigned() {
    let folder = tempfile::tempdir().unwrap();
    let witness = Arc::new(open(folder.path()).unwrap());
    let clock = Clock::new(|| Timestamp::NONE);
    let server = Server::start(witness_router(witness.clone(), clock, silent()));
    let answer = submit(&server, &request(0, &MemoryLog::with(300)));
    assert_eq!(status(&answer), 503, "{answer}");
    assert!(body(&answer).contains("\"code\":\"no_time\""), "{answer}");
    assert!(witness.fetch(&MemoryLog::with(300), Timestamp::NONE).is_err());
    assert_eq!(witness.latest(&ORIGIN.parse().unwrap()), None);
}

#[test]
fn a_witness_that_fetches_keeps_what_contradicts_it() {
    let folder = tempfile::tempdir().unwrap();
    let witness = open(folder.path()).unwrap();
    let now = Timestamp::from_seconds(NOW).unwrap();
    let cosigned = witness.fetch(&MemoryLog::with(300), now).unwrap().unwrap().to_string();
    let mut fork = MemoryLog::with(299);
    fork.grow(9, 300);
    let mut rewritten = MemoryLog::with(10);
    rewritten.grow(9, 500);
    for (log, expected) in [
        (MemoryLog::with(200), Contradiction::RolledBack),
        (fork, Contradiction::Fork),
        (rewritten, Contradiction::Inconsistent),
    ] {
        let error = witness.fetch(&log, now).unwrap_err();
        assert!(
            error.to_string().ends_with("both checkpoints are kept in the folder of the witness"),
            "{error}"
        );
        let FollowError::Contradiction { contradiction, evidence } = error else { panic!("{error}") };
        assert_eq!(contradiction, expected);
        let kept: Vec<String> = evidence.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        assert_eq!(kept, [cosigned.clone(), log.signed().to_string()]);
    }
    let mut stranger = MemoryLog::with(200);
    stranger.keys = Keys::new(ORIGIN, 8);
    stranger.commit();
    assert!(matches!(witness.fetch(&stranger, now), Err(FollowError::Add(_))), "anyone can make such a one");
    // A log that goes on contradicting does not fill the disk.
    for size in 20..50 {
        assert!(witness.fetch(&MemoryLog::with(size), now).is_err());
    }
    let kept = fs::read_dir(folder.path().join("logs")).unwrap().count();
    assert_eq!(kept, 1 + 2 * 16);
    drop(witness);
    assert_eq!(open(folder.path()).unwrap().latest(&ORIGIN.parse().unwrap()).unwrap().to_string(), cosigned);
}
