//! An auditor outside, and logs that lie.

use std::fs;
use std::sync::Arc;

use tenure_server::{
    Alarm, AlarmKind, Auditor, KnownLog, KnownWitnesses, LogSource as _, LookError, RemoteLog, tiles_router,
};
use tenure_tlog::checkpoint::Checkpoint;
use tenure_tlog::tile::Resource;

use crate::fixture::{Keys, MemoryLog, ORIGIN, Server, hasty, silent};

fn auditor(folder: &tempfile::TempDir) -> Auditor {
    Auditor::new(MemoryLog::new().known(), folder.path().join("state"))
}

/// An auditor that has seen a log of this size.
fn seen(size: u64) -> (tempfile::TempDir, Auditor) {
    let folder = tempfile::tempdir().unwrap();
    let auditor = auditor(&folder);
    auditor.look(&MemoryLog::with(size)).unwrap();
    (folder, auditor)
}

fn alarm(auditor: &Auditor, log: &MemoryLog) -> Alarm {
    let before = fs::read(auditor.state()).ok();
    match auditor.look(log) {
        Err(LookError::Alarm(alarm)) => {
            assert_eq!(fs::read(auditor.state()).ok(), before, "what was verified stays");
            *alarm
        }
        other => panic!("no alarm: {other:?}"),
    }
}

#[test]
fn a_log_that_only_grows_is_followed_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let auditor = auditor(&folder);
    let mut from = None;
    for size in [0, 1, 200, 200, 256, 300, 513, 1000, 66_000] {
        let log = Arc::new(MemoryLog::with(size));
        let server = Server::start(tiles_router(log.clone(), log.known(), silent()));
        let look = auditor.look(&RemoteLog::open_patiently(&server.url(), hasty()).unwrap()).unwrap();
        assert_eq!((look.from, &look.checkpoint), (from, &log.checkpoint()));
        assert_eq!(fs::read_to_string(auditor.state()).unwrap(), log.signed().to_string());
        from = Some(size);
    }
}

#[test]
fn only_what_is_new_is_read() {
    let mut log = MemoryLog::with(1000);
    let (_folder, auditor) = seen(1000);
    log.grow(0, 1030);
    log.take_asked();
    auditor.look(&log).unwrap();
    let asked = log.take_asked();
    assert!(asked.iter().all(|path| !path.starts_with("tile/entries/000")), "{asked:?}");
    assert!(asked.len() < 25, "{asked:?}");
}

#[test]
fn a_partial_tile_that_is_gone_is_cut_from_the_full_one() {
    let mut log = MemoryLog::with(100);
    let (_folder, auditor) = seen(100);
    let old = log.signed().to_string();
    log.grow(0, 130);
    let at_130 = log.signed().to_string();
    log.grow(0, 600);
    log.put(Resource::Checkpoint, at_130.into_bytes());
    log.remove("tile/0/000.p/130");
    log.remove("tile/entries/000.p/130");
    let look = auditor.look(&log).unwrap();
    assert_eq!((look.from, look.checkpoint.size()), (Some(100), 130));
    assert_ne!(old, fs::read_to_string(auditor.state()).unwrap());
}

#[test]
fn two_trees_of_one_size_are_a_fork_and_both_are_kept() {
    let (_folder, auditor) = seen(300);
    let mut other = MemoryLog::with(299);
    other.grow(9, 300);
    let alarm = alarm(&auditor, &other);
    assert_eq!(alarm.kind, AlarmKind::Fork);
    let kept: Vec<String> = alarm.evidence.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(kept, [MemoryLog::with(300).signed().to_string(), other.signed().to_string()]);
    assert!(alarm.evidence.iter().all(|path| path.parent() == auditor.state().parent()));
}

#[test]
fn a_smaller_tree_than_before_is_an_alarm() {
    let (_folder, auditor) = seen(300);
    assert_eq!(alarm(&auditor, &MemoryLog::with(299)).kind, AlarmKind::RolledBack);
}

#[test]
fn a_larger_tree_with_another_past_is_a_fork() {
    for (common, old) in [(0, 300), (299, 300), (10, 256), (255, 256)] {
        let (_folder, auditor) = seen(old);
        let mut other = MemoryLog::with(common);
        other.grow(9, 700);
        assert_eq!(alarm(&auditor, &other).kind, AlarmKind::Rewritten, "{common} of {old}");
    }
}

#[test]
fn any_altered_tile_is_an_alarm() {
    for path in ["tile/0/000", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2"] {
        let first = tempfile::tempdir().unwrap();
        let log = MemoryLog::with(700);
        log.alter(path, 35);
        let kind = alarm(&auditor(&first), &log).kind;
        assert_eq!(kind, AlarmKind::Tile { tile: path.parse().unwrap(), place: 1 }, "{path}");
    }
    // One that the step from the known tree rests on.
    let (_folder, auditor) = seen(300);
    let log = MemoryLog::with(700);
    log.alter("tile/0/001", 0);
    let kind = AlarmKind::Tile { tile: "tile/0/001".parse().unwrap(), place: 0 };
    assert_eq!(alarm(&auditor, &log).kind, kind);
}

#[test]
fn any_altered_entry_is_an_alarm() {
    for (path, place) in [("tile/entries/000", 34), ("tile/entries/001", 60), ("tile/entries/002.p/188", 100)]
    {
        let folder = tempfile::tempdir().unwrap();
        let log = MemoryLog::with(700);
        log.alter(path, place);
        let kind = alarm(&auditor(&folder), &log).kind;
        assert!(matches!(kind, AlarmKind::Tile { .. }), "{path}: {kind:?}");
    }
    // An entry that was seen before, in a bundle that has grown since.
    let (_folder, auditor) = seen(100);
    let log = MemoryLog::with(120);
    log.alter("tile/entries/000.p/120", 10);
    assert_eq!(alarm(&auditor, &log).kind, AlarmKind::Entry { index: 0 });
}

#[test]
fn entries_that_are_no_commitments_are_an_alarm() {
    for wrong in [vec![2; 33], vec![1; 32], vec![1; 34], Vec::new()] {
        let folder = tempfile::tempdir().unwrap();
        let mut log = MemoryLog::with(260);
        log.push(wrong);
        log.commit();
        assert_eq!(alarm(&auditor(&folder), &log).kind, AlarmKind::Entry { index: 260 });
    }
}

#[test]
fn a_root_that_is_signed_but_not_that_of_the_entries_is_an_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let log = MemoryLog::with(300);
    let lie = Checkpoint::new(ORIGIN.parse().unwrap(), 300, [5; 32]);
    log.put(Resource::Checkpoint, log.keys.sign(lie).to_string().into_bytes());
    assert_eq!(alarm(&auditor(&folder), &log).kind, AlarmKind::Entries);
}

#[test]
fn another_key_or_another_origin_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let stranger = KnownLog::named_by(Keys::new(ORIGIN, 8).public()).unwrap();
    let auditor = Auditor::new(stranger, folder.path().join("state"));
    assert!(matches!(auditor.look(&MemoryLog::with(3)), Err(LookError::Unbelievable(_))));
    let elsewhere = MemoryLog::of("other.example/log");
    let auditor = self::auditor(&folder);
    assert!(matches!(auditor.look(&elsewhere), Err(LookError::Unbelievable(_))));
    assert!(!auditor.state().exists());
}

#[test]
fn what_is_not_served_is_no_alarm_but_nothing_is_verified_either() {
    let (_folder, auditor) = seen(100);
    let log = MemoryLog::with(700);
    log.remove("tile/entries/001");
    assert!(matches!(auditor.look(&log), Err(LookError::Read(_))));
    assert_eq!(fs::read_to_string(auditor.state()).unwrap(), MemoryLog::with(100).signed().to_string());
}

#[test]
fn a_state_file_of_something_else_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let auditor = auditor(&folder);
    fs::write(auditor.state(), "my notes\n").unwrap();
    assert!(matches!(auditor.look(&MemoryLog::with(3)), Err(LookError::Foreign)));
    assert_eq!(fs::read_to_string(auditor.state()).unwrap(), "my notes\n");
}

#[test]
fn witnesses_that_are_required_must_have_cosigned() {
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<_> = [1, 2].map(|seed| Keys::new(&format!("witness.example/{seed}"), seed)).into();
    let public: Vec<_> = keys.iter().map(|keys| keys.public()[1].clone()).collect();
    let auditor = || auditor(&folder).with_witnesses(KnownWitnesses::new(&public).unwrap(), 2);
    let log = MemoryLog::with(30);
    let mut signed = log.signed();
    for (keys, enough) in keys.iter().zip([false, true]) {
        signed.add([keys.sign(log.checkpoint()).note().signatures()[1].clone()]).unwrap();
        log.put(Resource::Checkpoint, signed.to_string().into_bytes());
        match auditor().look(&log) {
            Ok(look) => {
                assert!(enough);
                assert_eq!(look.witnesses, ["witness.example/1", "witness.example/2"]);
            }
            Err(error) => {
                assert!(matches!(error, LookError::TooFewWitnesses { found: 1, required: 2 }));
                assert!(!enough);
            }
        }
    }
}

/// A log that has grown, whose checkpoint comes out of a cache.
fn cached(size: u64, grown: u64) -> MemoryLog {
    let mut log = MemoryLog::with(size);
    let old = log.signed().to_string();
    log.grow(0, grown);
    log.put(Resource::Checkpoint, old.into_bytes());
    log
}

#[test]
fn an_old_copy_is_an_alarm_only_if_it_stays() {
    let (_folder, auditor) = seen(700);
    let auditor = auditor.with_looks(3);
    let old = || auditor.look(&cached(300, 700));
    for _ in 0..2 {
        assert!(matches!(old(), Err(LookError::Older { shown: 300, known: 700 })));
    }
    auditor.look(&MemoryLog::with(700)).unwrap();
    assert!(matches!(old(), Err(LookError::Older { .. })), "a look that shows the whole begins anew");
    assert!(matches!(old(), Err(LookError::Older { .. })));
    assert_eq!(alarm(&auditor, &cached(300, 700)).kind, AlarmKind::RolledBack);
}

#[test]
fn a_checkpoint_that_was_verified_before_is_known_again_without_the_tiles_of_now() {
    let folder = tempfile::tempdir().unwrap();
    let auditor = auditor(&folder).with_looks(3);
    auditor.look(&MemoryLog::with(300)).unwrap();
    auditor.look(&MemoryLog::with(700)).unwrap();
    assert!(matches!(auditor.look(&MemoryLog::with(300)), Err(LookError::Older { .. })));
    // One that was never seen, of a log that has lost what it had signed, is not.
    assert_eq!(alarm(&auditor, &MemoryLog::with(299)).kind, AlarmKind::RolledBack);
}

#[test]
fn a_smaller_tree_that_was_never_a_part_is_an_alarm_at_once() {
    let (_folder, auditor) = seen(700);
    let auditor = auditor.with_looks(3);
    let mut fork = MemoryLog::with(299);
    fork.grow(9, 300);
    let log = MemoryLog::with(700);
    log.put(Resource::Checkpoint, fork.signed().to_string().into_bytes());
    assert_eq!(alarm(&auditor, &log).kind, AlarmKind::RolledBack);
}

#[test]
fn an_answer_of_something_in_between_is_a_failed_look() {
    let (_folder, auditor) = seen(300);
    let portal = b"<html>Please sign in to the network</html>".to_vec();
    let log = MemoryLog::with(700);
    log.put(Resource::Checkpoint, portal.clone());
    assert!(matches!(auditor.look(&log), Err(LookError::Malformed(_))));
    for path in ["tile/0/001", "tile/0/002.p/188", "tile/entries/001"] {
        let log = MemoryLog::with(700);
        log.put(path.parse().unwrap(), portal.clone());
        assert!(matches!(auditor.look(&log), Err(LookError::Read(_))), "{path}");
    }
    auditor.look(&MemoryLog::with(700)).unwrap();
}

/// Goal: a log that serves as much as it can does not fill the memory of those who follow it.
#[test]
fn no_more_is_read_of_a_bundle_than_the_entries_of_a_log_of_tenure_take() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tile/entries");
    fs::create_dir_all(&path).unwrap();
    let log = RemoteLog::open(folder.path().to_str().unwrap()).unwrap();
    let source = Arc::new(MemoryLog::new());
    let server = Server::start(tiles_router(source.clone(), source.known(), silent()));
    let web = RemoteLog::open_patiently(&server.url(), hasty()).unwrap();
    for (name, width) in [("000", 256), ("000.p/3", 3)] {
        let resource = format!("tile/entries/{name}").parse().unwrap();
        for (more, taken) in [(0, true), (1, false)] {
            let bytes = vec![0; width * 35 + more];
            fs::create_dir_all(path.join("000.p")).unwrap();
            fs::write(path.join(name), &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            source.put(resource, bytes);
            assert_eq!(log.resource(resource).is_ok(), taken, "{name}");
            assert_eq!(web.resource(resource).is_ok(), taken, "{name}");
        }
    }
}
