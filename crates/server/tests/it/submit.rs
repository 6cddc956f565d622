//! A log that gathers cosignatures.

use std::sync::{Arc, Mutex};

use tenure_server::submit::{RefreshError, SubmitError};
use tenure_server::{
    Auditor, Cosigned, KnownWitnesses, LogSource, SourceError, Witness, WitnessClient, Witnesses,
};
use tenure_tlog::tile::Resource;

use crate::fixture::{Keys, MemoryLog, Server, hasty};
use crate::witness::{open, serve};

fn witness(folder: &tempfile::TempDir) -> (Arc<Witness>, Server) {
    let witness = Arc::new(open(folder.path()).unwrap());
    let server = serve(witness.clone());
    (witness, server)
}

#[test]
fn a_log_finds_out_where_its_witness_stands() {
    let folder = tempfile::tempdir().unwrap();
    let (witness, server) = witness(&folder);
    let known = KnownWitnesses::new(witness.keys()).unwrap();
    for size in [3, 300, 300] {
        // A client that knows nothing yet is told; it asks twice at most.
        let client = WitnessClient::open(&server.url(), hasty()).unwrap();
        let log = MemoryLog::with(size);
        let mut signed = log.signed();
        assert_eq!(client.submit(&mut signed, &log, &known).unwrap(), 2);
        assert_eq!(known.of(&signed).unwrap(), ["witness.example/w"]);
        assert_eq!(client.submit(&mut signed, &log, &known).unwrap(), 2);
        assert_eq!(signed.note().signatures().len(), 4, "each key signs once");
    }
}

#[test]
fn a_log_learns_that_it_has_forked_or_lost_something() {
    let folder = tempfile::tempdir().unwrap();
    let (witness, server) = witness(&folder);
    let known = KnownWitnesses::new(witness.keys()).unwrap();
    let client = WitnessClient::open(&server.url(), hasty()).unwrap();
    let submit = |log: &MemoryLog| client.submit(&mut log.signed(), log, &known);
    submit(&MemoryLog::with(300)).unwrap();
    let mut fork = MemoryLog::with(299);
    fork.grow(9, 300);
    assert!(matches!(submit(&fork), Err(SubmitError::Fork)));
    assert!(matches!(submit(&MemoryLog::with(200)), Err(SubmitError::Ahead { size: 300 })));
    fork.grow(9, 400);
    assert!(matches!(submit(&fork), Err(SubmitError::Rewritten)));
    assert!(matches!(submit(&MemoryLog::of("other.example")), Err(SubmitError::Refused { status: 404 })));
}

#[test]
fn only_cosignatures_of_known_witnesses_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (_witness, server) = witness(&folder);
    let known = KnownWitnesses::new(&Keys::new("witness.example/other", 1).public()).unwrap();
    let client = WitnessClient::open(&server.url(), hasty()).unwrap();
    let log = MemoryLog::with(300);
    let mut signed = log.signed();
    assert!(matches!(client.submit(&mut signed, &log, &known), Err(SubmitError::Cosignature(_))));
    assert_eq!(signed, log.signed());
}

#[test]
fn a_log_is_served_with_the_cosignatures_that_came() {
    let folder = tempfile::tempdir().unwrap();
    let (witness, server) = witness(&folder);
    let log = Arc::new(MemoryLog::with(300));
    let known = || KnownWitnesses::new(witness.keys()).unwrap();
    let clients = vec![
        WitnessClient::open("http://127.0.0.1:1", hasty()).unwrap(),
        WitnessClient::open(&server.url(), hasty()).unwrap(),
    ];
    let cosigned = Cosigned::new(log.clone(), Witnesses::new(clients, known()));
    assert_eq!(
        cosigned.resource(Resource::Checkpoint).unwrap(),
        None,
        "nothing before the witnesses were asked"
    );
    let asked = cosigned.refresh().unwrap();
    let answers: Vec<bool> = asked.iter().map(|asked| asked.answer.is_ok()).collect();
    assert_eq!(answers, [false, true], "one that is away does not keep the other from cosigning");
    let state = tempfile::tempdir().unwrap();
    let auditor = Auditor::new(log.known(), state.path().join("state")).with_witnesses(known(), 1);
    assert_eq!(auditor.look(&cosigned).unwrap().witnesses, ["witness.example/w"]);
    // The one that was away is asked again.
    assert_eq!(cosigned.refresh().unwrap().len(), 2);
}

/// A log that becomes another one.
struct Changing(Mutex<MemoryLog>);

impl LogSource for Changing {
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.lock().unwrap().resource(resource)
    }
}

#[test]
fn a_checkpoint_that_a_witness_contradicts_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let (witness, server) = witness(&folder);
    let log = Arc::new(Changing(Mutex::new(MemoryLog::with(300))));
    let serve = || {
        let clients = vec![WitnessClient::open(&server.url(), hasty()).unwrap()];
        let witnesses = Witnesses::new(clients, KnownWitnesses::new(witness.keys()).unwrap());
        Cosigned::new(log.clone(), witnesses)
    };
    let cosigned = serve();
    cosigned.refresh().unwrap();
    let before = cosigned.resource(Resource::Checkpoint).unwrap();
    let mut fork = MemoryLog::with(299);
    fork.grow(9, 300);
    let mut larger = MemoryLog::with(299);
    larger.grow(9, 400);
    for other in [MemoryLog::with(200), fork, larger] {
        *log.0.lock().unwrap() = other;
        for _ in 0..2 {
            let error = cosigned.refresh().unwrap_err();
            let RefreshError::Contradicted(contradicted) = error else { panic!("{error}") };
            assert!(contradicted.to_string().contains(&server.url()), "{contradicted}");
            assert!(contradicted.saw.is_contradiction());
            assert_eq!(cosigned.resource(Resource::Checkpoint).unwrap(), before);
        }
        let restarted = serve();
        assert!(restarted.refresh().is_err());
        assert_eq!(restarted.resource(Resource::Checkpoint).unwrap(), None);
    }
    *log.0.lock().unwrap() = MemoryLog::with(310);
    cosigned.refresh().unwrap();
    assert_ne!(cosigned.resource(Resource::Checkpoint).unwrap(), before);
}

#[test]
fn a_log_that_has_grown_while_a_witness_was_asked_is_not_contradicted() {
    let folder = tempfile::tempdir().unwrap();
    let (witness, server) = witness(&folder);
    let known = KnownWitnesses::new(witness.keys()).unwrap();
    let client = WitnessClient::open(&server.url(), hasty()).unwrap();
    let now = MemoryLog::with(300);
    client.submit(&mut now.signed(), &now, &known).unwrap();
    let error = client.submit(&mut MemoryLog::with(200).signed(), &now, &known).unwrap_err();
    assert!(matches!(error, SubmitError::Overtaken { size: 300 }) && !error.is_contradiction());
}
