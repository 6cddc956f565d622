//! Packs in a bucket of a real server: the rules of every store, old versions, locks, and a server
//! that goes away.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use ureq::http::Method;

use super::requests::Ask;
use super::seaweed::{Keeps, Seaweed, credentials, signing_with};
use super::{History, S3Address, S3Bodies, versions};
use crate::bodies::{BodyPlace, BodyStore, PackFound, S3Credentials, absent, suite};
use crate::error::{BodyError, VaultError};
use crate::ids::PackId;
use crate::keys::{IdentityKey, Secret};
use crate::keystore::{KeyAccess, NewRoot};
use crate::names::SegmentName;
use crate::vault::Vault;

fn identity(byte: u8) -> IdentityKey {
    IdentityKey::new(&Secret::from_slice(&[byte; 32]).unwrap())
}

fn create(address: &S3Address) -> S3Bodies {
    S3Bodies::create(address, &credentials(), &identity(5)).unwrap()
}

fn put(store: &S3Bodies, content: &'static [u8]) -> PackId {
    let pack = PackId::random().unwrap();
    store.put(pack, Bytes::from_static(content)).unwrap();
    pack
}

fn read(store: &S3Bodies, pack: PackId, range: Range<u64>) -> Result<Bytes, BodyError> {
    store.read(pack, std::slice::from_ref(&range)).map(|mut parts| parts.remove(0))
}

/// Asks until the server has found itself again after it was killed. Only what can't be reached is asked
/// for again: an answer stands.
fn patiently<T>(ask: impl Fn() -> Result<T, BodyError>) -> Result<T, BodyError> {
    for _ in 0..10 {
        match ask() {
            Err(BodyError::Unreachable { .. }) => thread::sleep(Duration::from_secs(1)),
            answer => return answer,
        }
    }
    ask()
}

fn versions_of(store: &S3Bodies, pack: PackId) -> usize {
    let name = pack.to_string();
    let found = versions::list(&store.bucket, &store.objects.runtime, &name).unwrap();
    found.versions_of(&name).count()
}

/// Deletes as somebody would who knows nothing of versions.
fn delete_plainly(server: &Seaweed, address: &S3Address, pack: PackId) {
    let name = format!("{}/{pack}", address.prefix());
    let ask = Ask { method: Method::DELETE, name: Some(&name), ..Ask::default() };
    server.must(address.bucket(), &ask);
}

#[test]
fn a_bucket_keeps_the_rules_of_every_store_whether_it_keeps_old_versions_or_not() {
    let Some(server) = Seaweed::start() else { return };
    server.make_bucket("plain", Keeps::Nothing);
    server.make_bucket("versioned", Keeps::Versions);
    server.make_bucket("lockable", Keeps::Locks);
    let count = AtomicUsize::new(0);
    for (bucket, history) in
        [("plain", History::None), ("versioned", History::Kept), ("lockable", History::Kept)]
    {
        suite::run(|| {
            let prefix = format!("vaults/{}", count.fetch_add(1, Ordering::Relaxed));
            let store = create(&server.address(bucket, &prefix));
            assert_eq!(store.history(), Ok(history));
            (Box::new(store), ())
        });
    }
    suite_of_opening(&server);
    a_vault_lives_in_a_bucket(&server);
}

/// What is refused, and with which words.
fn suite_of_opening(server: &Seaweed) {
    let address = server.address("plain", "mine");
    let open = |address: &S3Address, byte| S3Bodies::open(address, &credentials(), &identity(byte));
    assert_eq!(open(&address, 5).unwrap_err(), BodyError::Unmarked);
    let store = create(&address);
    drop(create(&address));
    let other = S3Bodies::create(&address, &credentials(), &identity(6)).unwrap_err();
    assert_eq!(other, BodyError::Taken);
    let pack = put(&store, b"a");
    assert_eq!(read(&open(&address, 5).unwrap(), pack, 0..1).unwrap(), &b"a"[..]);
    assert_eq!(open(&address, 6).unwrap_err(), BodyError::Foreign);
    let again = S3Bodies::create(&address, &credentials(), &identity(6)).unwrap_err();
    assert_eq!(again, BodyError::NotEmpty);
    assert_eq!(open(&server.address("plain", "min"), 5).unwrap_err(), BodyError::Unmarked);
    assert_eq!(open(&server.address("nowhere", "mine"), 5).unwrap_err(), BodyError::NoBucket);

    let wrong = S3Bodies::open(&address, &signing_with("wrong-secret-55"), &identity(5)).unwrap_err();
    assert!(matches!(wrong, BodyError::Denied { .. }), "{wrong}");
    for said in [wrong.to_string(), format!("{wrong:?}")] {
        assert!(!said.contains("wrong-secret") && !said.contains("Signature") && !said.contains("http"));
    }

    let nobody = S3Bodies::open(&address, &S3Credentials::default(), &identity(5)).unwrap_err();
    assert_eq!(nobody, BodyError::NoCredentials);

    // A write whose answer was lost is repeated, and finds itself.
    store.put(pack, Bytes::from_static(b"a")).unwrap();
    assert_eq!(store.put(pack, Bytes::from_static(b"b")), Err(BodyError::AlreadyThere(pack)));

    // A stranger's object is counted, and the mark's absence is noticed.
    let stranger =
        Ask { method: Method::PUT, name: Some("mine/notes.txt"), body: "x".into(), ..Ask::default() };
    server.must("plain", &stranger);
    let deeper = Ask { method: Method::PUT, name: Some("mine/a/b"), body: "x".into(), ..Ask::default() };
    server.must("plain", &deeper);
    assert_eq!(store.list().unwrap().strangers, 2);
    let unmarking = Ask { method: Method::DELETE, name: Some("mine/vault-mark"), ..Ask::default() };
    server.must("plain", &unmarking);
    assert_eq!(absent(&store, &[PackId::random().unwrap()]), Err(BodyError::Unmarked));
}

fn a_vault_lives_in_a_bucket(server: &Seaweed) {
    let folder = tempfile::tempdir().unwrap();
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    std::fs::create_dir(&data).unwrap();
    let place = BodyPlace::S3(server.address("versioned", "vault"));
    let vault = Vault::create_at(&data, &keys, &NewRoot::InFolder, &place, &credentials()).unwrap();
    let key = vault.body_key().unwrap();
    let name = SegmentName { organisation: None, account: "a", record: "r", number: 0 };
    let mut writer = vault.pack_writer().unwrap();
    let text = vec![7; 100_000];
    let at = writer.add(&key, &name, &text).unwrap();
    vault.finish(writer).unwrap();
    drop(vault);
    assert_eq!(Vault::open(&data, &keys).unwrap_err(), VaultError::Bodies(BodyError::Unmarked));
    let vault = Vault::open_at(&data, &keys, &KeyAccess::default(), &credentials()).unwrap();
    assert!(vault.read(&at, &key, &name).unwrap() == text);
    assert!(vault.read_range(&at, &key, &name, 50_000..50_010).unwrap() == [7; 10]);
    vault.remove_packs(&[at.pack]).unwrap();
    assert_eq!(vault.verify_packs_absent(&[at.pack]), Ok(vec![true]));
}

#[test]
fn an_old_version_is_no_absence_and_removing_ends_every_version() {
    let Some(server) = Seaweed::start() else { return };
    server.make_bucket("versioned", Keeps::Versions);
    let address = server.address("versioned", "a/b");
    let store = create(&address);
    let (hidden, kept) = (put(&store, b"hidden"), put(&store, b"kept"));
    delete_plainly(&server, &address, hidden);
    assert_eq!(read(&store, hidden, 0..1), Err(BodyError::NotFound(hidden)));
    assert_eq!(versions_of(&store, hidden), 2, "the version and the mark of its deletion");
    assert_eq!(absent(&store, &[hidden]), Ok(vec![false]), "an old version can still be read");
    let listed = store.list().unwrap().packs;
    assert!(listed.contains(&PackFound { pack: hidden, size: 0 }), "there, and nothing to read");
    assert!(listed.contains(&PackFound { pack: kept, size: 4 }));
    store.remove(&[hidden]).unwrap();
    assert_eq!(versions_of(&store, hidden), 0);
    assert_eq!(absent(&store, &[hidden, kept]), Ok(vec![true, false]));

    // What is written while versions are suspended, or before they were kept, has no version of its own.
    // A plain deletion comes first: this server never lets go of a mark that one leaves while suspended.
    delete_plainly(&server, &address, kept);
    server.set_versioning("versioned", "Suspended");
    let during = put(&store, b"during");
    assert_eq!(absent(&store, &[kept, during]), Ok(vec![false, false]));
    store.remove(&[kept, during]).unwrap();
    assert_eq!(absent(&store, &[kept, during]), Ok(vec![true, true]));

    server.make_bucket("later", Keeps::Nothing);
    let address = server.address("later", "a");
    let store = create(&address);
    let early = put(&store, b"early");
    server.set_versioning("later", "Enabled");
    delete_plainly(&server, &address, early);
    assert_eq!(absent(&store, &[early]), Ok(vec![false]), "the store was opened before");
    store.remove(&[early]).unwrap();
    assert_eq!(absent(&store, &[early]), Ok(vec![true]));
}

#[test]
fn every_page_of_a_long_listing_is_read() {
    let Some(server) = Seaweed::start() else { return };
    for (bucket, keeps) in [("plain", Keeps::Nothing), ("versioned", Keeps::Versions)] {
        server.make_bucket(bucket, keeps);
        let store = create(&server.address(bucket, "a"));
        let mut made: Vec<PackId> = (0..1_050).map(|_| put(&store, b"a")).collect();
        made.sort_unstable();
        let listed: Vec<PackId> = store.list().unwrap().packs.iter().map(|found| found.pack).collect();
        assert!(listed == made, "{} of {}", listed.len(), made.len());
    }
}

#[test]
fn a_legal_hold_or_a_retention_period_keeps_a_pack_and_says_so() {
    let Some(server) = Seaweed::start() else { return };
    server.make_bucket("lockable", Keeps::Locks);
    let address = server.address("lockable", "a");
    let store = create(&address);
    let (held, free) = (put(&store, b"held"), put(&store, b"free"));
    let name = format!("a/{held}");
    let hold = |status: &str| {
        let body = format!("<LegalHold><Status>{status}</Status></LegalHold>");
        let query = [("legal-hold", "")];
        let ask = Ask {
            method: Method::PUT,
            name: Some(&name),
            query: &query,
            body: body.into(),
            ..Ask::default()
        };
        server.must("lockable", &ask);
    };
    hold("ON");
    assert_eq!(store.remove(&[held, free]), Err(BodyError::Locked(held)));
    assert_eq!(absent(&store, &[held, free]), Ok(vec![false, true]), "a lock keeps nothing else");
    assert_eq!(read(&store, held, 0..4).unwrap(), &b"held"[..], "the refusal left it as it was");
    hold("OFF");
    store.remove(&[held, free]).unwrap();
    assert_eq!(absent(&store, &[held, free]), Ok(vec![true, true]));

    let retained = PackId::random().unwrap();
    let name = format!("a/{retained}");
    let headers = [
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("x-amz-object-lock-retain-until-date", "2099-01-01T00:00:00Z"),
    ];
    let ask = Ask {
        method: Method::PUT,
        name: Some(&name),
        headers: &headers,
        body: "kept".into(),
        ..Ask::default()
    };
    server.must("lockable", &ask);
    let refused = store.remove(&[retained]).unwrap_err();
    assert_eq!(refused, BodyError::Locked(retained));
    assert!(refused.to_string().contains("retention"), "{refused}");
}

#[test]
fn a_server_that_is_killed_loses_nothing_that_was_acknowledged_and_is_never_taken_for_absence() {
    let Some(mut server) = Seaweed::start() else { return };
    server.make_bucket("versioned", Keeps::Versions);
    let address = server.address("versioned", "a");
    let store = Arc::new(create(&address));
    let going: Vec<PackId> = (0..40).map(|_| put(&store, b"going")).collect();

    let writing = thread::spawn({
        let store = Arc::clone(&store);
        move || {
            let mut written = Vec::new();
            loop {
                let pack = PackId::random().unwrap();
                match store.put(pack, Bytes::from(vec![1; 300_000])) {
                    Ok(()) => written.push(pack),
                    Err(error) => return (written, error),
                }
            }
        }
    });
    let removing = thread::spawn({
        let (store, going) = (Arc::clone(&store), going.clone());
        move || loop {
            store.remove(&going)?;
        }
    });
    let listing = thread::spawn({
        let store = Arc::clone(&store);
        move || loop {
            store.list()?;
        }
    });
    thread::sleep(Duration::from_millis(700));
    server.kill();
    let (written, refused) = writing.join().unwrap();
    let removal: Result<(), BodyError> = removing.join().unwrap();
    let listed: Result<(), BodyError> = listing.join().unwrap();
    for error in [refused, removal.unwrap_err(), listed.unwrap_err()] {
        assert!(matches!(error, BodyError::Unreachable { .. }), "{error:?}");
    }
    let unknown = store.exists(going[0]).unwrap_err();
    assert!(matches!(unknown, BodyError::Unreachable { .. }));
    assert!(matches!(read(&store, going[0], 0..1), Err(BodyError::Unreachable { .. })));

    server.go_on();
    assert!(!written.is_empty());
    for pack in &written {
        assert_eq!(patiently(|| read(&store, *pack, 0..300_000)).unwrap(), vec![1; 300_000]);
    }
    patiently(|| store.remove(&going)).unwrap();
    assert!(absent(store.as_ref(), &going).unwrap().into_iter().all(|gone| gone));
    assert!(absent(store.as_ref(), &written).unwrap().into_iter().all(|gone| !gone));
    let reopened = S3Bodies::open(&address, &credentials(), &identity(5)).unwrap();
    assert!(reopened.list().unwrap().packs.len() >= written.len());
}
