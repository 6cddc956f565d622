//! A log with one statement of a person in it, signed, and cosigned by two witnesses.

use tenure_model::{Choice, Instant};
use tenure_receipts::{
    Evidence, Item, ItemProof, Link, Opening, Receipt, Stated, Statement, Subject, commit, leaf, path_of,
    root_of,
};
use tenure_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tenure_tlog::cosignature::{Cosigner, Timestamp};
use tenure_tlog::crypto::{Ed25519SecretKey, MlDsa44SecretKey};
use tenure_tlog::note::{Ed25519Signer, KeyName, NoteSignature};
use tenure_tlog::proof::TlogProof;
use tenure_tlog::{Hash, leaf_hash, root};

pub(crate) const ORIGIN: &str = "log.example/tenure";
pub(crate) const SIZE: usize = 1_234;
pub(crate) const INDEX: usize = 1_001;
pub(crate) const PERSON: Subject<'static> = Subject { organisation: None, account: "a-7f3" };

pub(crate) fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

pub(crate) fn ed25519(origin: &str, seed: u8) -> Ed25519Signer<Ed25519SecretKey> {
    Ed25519Signer::new(name(origin), Ed25519SecretKey::from_seed(&[seed; 32])).unwrap()
}

pub(crate) fn ml_dsa_44(origin: &str, seed: u8) -> Cosigner<MlDsa44SecretKey> {
    Cosigner::ml_dsa_44(name(origin), MlDsa44SecretKey::from_seed(&[seed; 32])).unwrap()
}

pub(crate) fn witness(seed: u8) -> Cosigner<Ed25519SecretKey> {
    Cosigner::ed25519(name("witness.example/w1"), Ed25519SecretKey::from_seed(&[seed; 32])).unwrap()
}

/// The two keys of the log, one a line.
pub(crate) fn keys() -> String {
    format!("{}\n{}\n", ed25519(ORIGIN, 1).key(), ml_dsa_44(ORIGIN, 2).key())
}

/// The keys of both witnesses, one a line.
pub(crate) fn witnesses() -> String {
    format!("{}\n{}\n", witness(3).key(), ml_dsa_44("watch.example", 4).key())
}

pub(crate) fn decision() -> Stated {
    let statement = Statement::Decision {
        policy: "consumer".to_owned(),
        version: "2025-10-08".to_owned(),
        purpose: "train".to_owned(),
        choice: Choice::Off,
        evidence: None,
    };
    Stated::new(Instant::parse("2025-09-02T09:00:00Z").unwrap(), statement)
}

/// A statement about three copies, and what proves that the second is one of them.
pub(crate) fn destroyed() -> (Stated, ItemProof) {
    let item = |seed: u8| Item {
        opening: Opening([seed; 32]),
        record: format!("r-{seed}"),
        class: "history".to_owned(),
    };
    let blinded: Vec<Hash> = (0..3).map(|seed| item(seed).blind()).collect();
    let statement = Statement::CopiesShredded { count: 3, root: tenure_receipts::Digest(root_of(&blinded)) };
    let stated = Stated::new(Instant::parse("2025-12-01T00:00:00Z").unwrap(), statement);
    (stated, ItemProof { item: item(1), index: 1, path: path_of(&blinded, 1).unwrap() })
}

/// The receipt of a statement, signed with both keys of the log and cosigned by both witnesses.
pub(crate) fn receipt(subject: Subject<'_>, stated: &Stated, item: Option<ItemProof>) -> String {
    raw_receipt(subject, &stated.canonical().unwrap(), item)
}

/// The same for any bytes.
pub(crate) fn raw_receipt(subject: Subject<'_>, statement: &[u8], item: Option<ItemProof>) -> String {
    let link = Link { version: 2, previous: [9; 32] };
    let opening = Opening([5; 32]);
    let own = leaf(&commit(&opening, subject, &link, statement));
    let leaves: Vec<Hash> =
        (0..SIZE).map(|at| if at == INDEX { own } else { leaf_hash(&at.to_be_bytes()) }).collect();
    let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), u64::try_from(SIZE).unwrap(), root(&leaves));
    let proof = TlogProof {
        extra: Vec::new(),
        index: u64::try_from(INDEX).unwrap(),
        path: path(&leaves, INDEX),
        checkpoint: SignedCheckpoint::new(checkpoint.clone(), signatures(&checkpoint)).unwrap(),
    };
    let evidence = Evidence { opening, statement: statement.to_vec() };
    Receipt::new(subject, link, evidence, item, proof).unwrap().to_string()
}

fn signatures(checkpoint: &Checkpoint) -> Vec<NoteSignature> {
    let at = |seconds| Timestamp::from_seconds(seconds).unwrap();
    vec![
        ed25519(ORIGIN, 1).sign(&checkpoint.to_string()).unwrap(),
        ml_dsa_44(ORIGIN, 2).cosign(checkpoint, Timestamp::NONE).unwrap(),
        witness(3).cosign(checkpoint, at(1_756_893_600)).unwrap(),
        ml_dsa_44("watch.example", 4).cosign(checkpoint, at(1_756_893_605)).unwrap(),
    ]
}

fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, sibling) =
        if index < left.len() { (path(left, index), right) } else { (path(right, index - left.len()), left) };
    path.push(root(sibling));
    path
}
