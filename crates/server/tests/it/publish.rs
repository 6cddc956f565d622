//! Publication, and every way in which a destination can fail.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::{fs, io};

use tenure_server::publish::PublishError;
use tenure_server::{
    Auditor, Destination, Folder, KnownWitnesses, LogSource, Published, RemoteLog, SourceError,
    WitnessClient, Witnesses, publish, publish_witnessed,
};
use tenure_tlog::checkpoint::SignedCheckpoint;
use tenure_tlog::tile::Resource;

use crate::fixture::{Keys, MemoryLog, Server, hasty};
use crate::witness::{open, serve};

fn plainly(log: &MemoryLog, destination: &dyn Destination) -> Result<Published, PublishError> {
    publish(log, &log.known(), destination, &mut |_| {})
}

/// Everything that lies there, checked from nothing.
fn verify(source: &dyn LogSource) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let auditor = Auditor::new(MemoryLog::new().known(), folder.path().join("state"));
    auditor.look(source).unwrap().checkpoint.size()
}

#[test]
fn a_published_folder_is_a_log_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("public");
    let mut from = 0;
    for size in [0, 3, 3, 255, 256, 257, 1000, 1001, 66_000] {
        let published = plainly(&MemoryLog::with(size), &Folder::open(&path).unwrap()).unwrap();
        assert_eq!((published.from, published.to), (from, size));
        assert_eq!(verify(&RemoteLog::open(path.to_str().unwrap()).unwrap()), size);
        from = size;
    }
}

#[test]
fn the_cost_is_that_of_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Folder::open(folder.path()).unwrap();
    let mut log = MemoryLog::with(66_000);
    // 257 full bundles and tiles, one of each that is partial, one tile above that is full and two partial.
    assert_eq!(plainly(&log, &destination).unwrap().written, 2 * 257 + 2 + 1 + 2);
    assert_eq!(plainly(&log, &destination).unwrap().written, 0);
    log.grow(0, 66_010);
    assert_eq!(plainly(&log, &destination).unwrap().written, 2);
}

#[test]
fn a_fork_is_never_published_over_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Folder::open(folder.path()).unwrap();
    let first = MemoryLog::with(300);
    plainly(&first, &destination).unwrap();
    let mut same_size = MemoryLog::with(299);
    same_size.grow(9, 300);
    let mut larger = MemoryLog::with(10);
    larger.grow(9, 700);
    for other in [&same_size, &larger, &MemoryLog::with(299)] {
        let error = plainly(other, &destination).unwrap_err();
        assert!(matches!(error, PublishError::Fork { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&first.checkpoint().to_string()), "both are shown: {text}");
        assert!(text.contains(&other.checkpoint().to_string()), "both are shown: {text}");
        assert_eq!(verify(&RemoteLog::open(folder.path().to_str().unwrap()).unwrap()), 300);
    }
}

#[test]
fn what_is_damaged_or_of_another_log_is_not_published() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Folder::open(folder.path()).unwrap();
    let damaged = MemoryLog::with(300);
    damaged.alter("tile/entries/001.p/44", 20);
    assert!(matches!(plainly(&damaged, &destination), Err(PublishError::Damaged { .. })));
    assert_eq!(destination.get(Resource::Checkpoint).unwrap(), None);
    let log = MemoryLog::with(3);
    let stranger = tenure_server::KnownLog::named_by(Keys::new("log.example/tenure", 8).public()).unwrap();
    let refused = publish(&log, &stranger, &destination, &mut |_| {});
    assert!(matches!(refused, Err(PublishError::Checkpoint(_))));
    plainly(&log, &destination).unwrap();
    assert!(fs::read_dir(folder.path()).unwrap().all(|entry| entry.unwrap().path().extension().is_none()));
}

#[test]
fn cosignatures_are_kept_while_the_checkpoint_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Folder::open(folder.path()).unwrap();
    let log = MemoryLog::with(3);
    let witness = Keys::new("witness.example", 1);
    let cosignature = witness.sign(log.checkpoint()).note().signatures()[1].clone();
    publish(&log, &log.known(), &destination, &mut |signed| {
        signed.add([cosignature.clone()]).unwrap();
    })
    .unwrap();
    plainly(&log, &destination).unwrap();
    let bytes = destination.get(Resource::Checkpoint).unwrap().unwrap();
    assert!(SignedCheckpoint::parse(&bytes).unwrap().note().signatures().contains(&cosignature));
}

#[test]
fn what_a_witness_contradicts_is_not_published() {
    let state = tempfile::tempdir().unwrap();
    let witness = Arc::new(open(state.path()).unwrap());
    let server: Server = serve(witness.clone());
    let asking = |addresses: &[&str]| {
        let clients = addresses.iter().map(|address| WitnessClient::open(address, hasty()).unwrap());
        Witnesses::new(clients.collect(), KnownWitnesses::new(witness.keys()).unwrap())
    };
    let url = server.url();
    let witnesses = asking(&["http://127.0.0.1:1", &url]);
    let folder = tempfile::tempdir().unwrap();
    let publish = |log: &MemoryLog, folder: &std::path::Path| {
        publish_witnessed(log, &log.known(), &Folder::open(folder).unwrap(), &witnesses)
    };
    let (published, asked) = publish(&MemoryLog::with(300), folder.path()).unwrap();
    assert_eq!(published.to, 300);
    assert_eq!(asked.iter().map(|asked| asked.answer.is_ok()).collect::<Vec<_>>(), [false, true]);
    let mut fork = MemoryLog::with(299);
    fork.grow(9, 300);
    let mut larger = MemoryLog::with(299);
    larger.grow(9, 400);
    for other in [&MemoryLog::with(200), &fork, &larger] {
        // Elsewhere, where nothing says that it is a fork but the witness.
        let empty = tempfile::tempdir().unwrap();
        let error = publish(other, empty.path()).unwrap_err();
        let PublishError::Contradicted(contradicted) = error else { panic!("{error}") };
        assert_eq!(contradicted.witness, url);
        assert!(contradicted.saw.to_string().starts_with("the witness has cosigned"), "{}", contradicted.saw);
        let left: Vec<_> =
            fs::read_dir(empty.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [".lock"], "neither the checkpoint nor the tiles");
    }
}

#[test]
fn one_process_publishes_to_a_folder_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let held = Folder::open(folder.path()).unwrap();
    assert_eq!(Folder::open(folder.path()).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    drop(held);
}

/// What a failing call has done nevertheless.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Lost,
    DoneButReportedFailed,
}

/// A destination of which one call fails. What was not settled is lost in a crash.
#[derive(Default)]
struct Faulty {
    there: Mutex<HashMap<Resource, Vec<u8>>>,
    unsettled: Mutex<HashMap<Resource, Vec<u8>>>,
    calls: Cell<usize>,
    fault: Cell<Option<(usize, Fault)>>,
}

impl Faulty {
    fn call(&self, act: impl FnOnce()) -> io::Result<()> {
        let call = self.calls.get();
        self.calls.set(call + 1);
        match self.fault.get() {
            Some((at, fault)) if at == call => {
                if fault == Fault::DoneButReportedFailed {
                    act();
                }
                Err(io::Error::other("a fault"))
            }
            _ => {
                act();
                Ok(())
            }
        }
    }

    /// The machine goes down: some of what was not settled is there, and some is not.
    fn crash(&self, kept: impl Fn(Resource) -> bool) {
        let unsettled = self.unsettled.lock().unwrap().drain().collect::<Vec<_>>();
        self.there.lock().unwrap().extend(unsettled.into_iter().filter(|(resource, _)| kept(*resource)));
    }
}

impl Destination for Faulty {
    fn get(&self, resource: Resource) -> io::Result<Option<Vec<u8>>> {
        let unsettled = self.unsettled.lock().unwrap().get(&resource).cloned();
        Ok(unsettled.or_else(|| self.there.lock().unwrap().get(&resource).cloned()))
    }

    fn put(&self, resource: Resource, bytes: &[u8]) -> io::Result<()> {
        self.call(|| drop(self.unsettled.lock().unwrap().insert(resource, bytes.to_vec())))
    }

    fn settle(&self) -> io::Result<()> {
        self.call(|| self.crash(|_| true))
    }
}

/// What a reader sees.
struct Seen<'d>(&'d Faulty);

// The cells count calls, which only the publisher makes.
struct Snapshot(HashMap<Resource, Vec<u8>>);

impl Seen<'_> {
    fn snapshot(&self) -> Snapshot {
        let mut all = self.0.there.lock().unwrap().clone();
        all.extend(self.0.unsettled.lock().unwrap().clone());
        Snapshot(all)
    }
}

impl LogSource for Snapshot {
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.get(&resource).cloned())
    }
}

/// Goal: whichever single call fails, in whichever way, and whether or not the machine goes down with it, what
/// the checkpoint promises is there, and publishing again completes it.
#[test]
fn after_any_single_fault_the_checkpoint_promises_only_what_is_there() {
    for (old, new) in [(0, 300), (250, 530), (300, 301), (255, 256)] {
        let calls = {
            let whole = Faulty::default();
            plainly(&MemoryLog::with(old), &whole).unwrap();
            whole.calls.set(0);
            plainly(&MemoryLog::with(new), &whole).unwrap();
            whole.calls.get()
        };
        for at in 0..calls {
            for fault in [Fault::Lost, Fault::DoneButReportedFailed] {
                for crash in [None, Some(true), Some(false)] {
                    one_fault((old, new), (at, fault), crash);
                }
            }
        }
    }
}

fn one_fault((old, new): (u64, u64), fault: (usize, Fault), crash: Option<bool>) {
    let what = format!("{old} to {new}, {fault:?}, crash {crash:?}");
    let destination = Faulty::default();
    plainly(&MemoryLog::with(old), &destination).unwrap();
    destination.calls.set(0);
    destination.fault.set(Some(fault));
    assert!(
        matches!(plainly(&MemoryLog::with(new), &destination), Err(PublishError::Write { .. })),
        "{what}"
    );
    destination.fault.set(None);
    if let Some(checkpoint_survives) = crash {
        // The worst order: the checkpoint alone, or all else alone.
        destination.crash(|resource| (resource == Resource::Checkpoint) == checkpoint_survives);
    }
    let seen = verify(&Seen(&destination).snapshot());
    assert!(seen == old || seen == new, "{what}");
    plainly(&MemoryLog::with(new), &destination).unwrap();
    assert_eq!(verify(&Seen(&destination).snapshot()), new, "{what}");
}
