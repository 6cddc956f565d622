//! Receipts of small logs, whole and altered.

use tenure_model::{Choice, Instant};
use tenure_receipts::{
    Commitment, Digest, Evidence, Item, ItemProof, Link, Opening, Proven, Receipt, ReceiptError, Stated,
    Statement, Subject, Unproven, commit, leaf, path_of, root_of,
};
use tenure_tlog::Hash;
use tenure_tlog::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use tenure_tlog::cosignature::{Cosigner, Timestamp};
use tenure_tlog::crypto::{Ed25519SecretKey, MlDsa44SecretKey, verifier};
use tenure_tlog::merkle::{HashReader, Node, prove_inclusion, tree_root};
use tenure_tlog::note::{Ed25519Signer, NoteSignature, Verifier};
use tenure_tlog::proof::TlogProof;

const ORIGIN: &str = "log.example/tenure";
const ALICE: Subject<'static> = Subject { organisation: Some("acme"), account: "alice" };

type BoxedVerifier = Box<dyn Verifier + Send + Sync>;

fn origin() -> Origin {
    ORIGIN.parse().unwrap()
}

fn classic(seed: u8) -> Ed25519Signer<Ed25519SecretKey> {
    Ed25519Signer::new(ORIGIN.parse().unwrap(), Ed25519SecretKey::from_seed(&[seed; 32])).unwrap()
}

fn quantum() -> Cosigner<MlDsa44SecretKey> {
    Cosigner::ml_dsa_44(ORIGIN.parse().unwrap(), MlDsa44SecretKey::from_seed(&[2; 32])).unwrap()
}

fn classic_key(seed: u8) -> BoxedVerifier {
    verifier(classic(seed).key()).unwrap()
}

fn verify<'r>(receipt: &'r Receipt, keys: &[&BoxedVerifier]) -> Result<Proven<'r>, Unproven> {
    let keys: Vec<&dyn Verifier> = keys.iter().map(|key| -> &dyn Verifier { &***key }).collect();
    receipt.verify(&origin(), &keys)
}

/// A log of leaves that are all at hand.
struct Leaves(Vec<Hash>);

impl HashReader for Leaves {
    type Error = std::convert::Infallible;

    fn read_hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Self::Error> {
        let hash = |node: &Node| {
            let size = 1 << node.level;
            let start = usize::try_from(node.index).unwrap() * size;
            tenure_tlog::root(&self.0[start..start + size])
        };
        Ok(nodes.iter().map(hash).collect())
    }
}

/// A log of one chain.
struct Log {
    chain: Vec<(Link, Evidence)>,
    leaves: Leaves,
}

impl Log {
    fn of(subject: Subject<'_>, statements: impl IntoIterator<Item = Statement>) -> Self {
        let mut log = Self { chain: Vec::new(), leaves: Leaves(Vec::new()) };
        let mut previous: Commitment = [0; 32];
        for (statement, version) in statements.into_iter().zip(1_u8..) {
            let at = Instant::from_micros(1_756_803_600_000_000 + i64::from(version)).unwrap();
            let statement = Stated::new(at, statement).canonical().unwrap();
            let evidence = Evidence { opening: Opening([version; 32]), statement };
            let link = Link { version: version.into(), previous };
            previous = commit(&evidence.opening, subject, &link, &evidence.statement);
            log.leaves.0.push(leaf(&previous));
            log.chain.push((link, evidence));
        }
        log
    }

    fn proof(&self, index: u64, sign: impl Fn(&Checkpoint) -> Vec<NoteSignature>) -> TlogProof {
        let size = self.leaves.0.len() as u64;
        let checkpoint = Checkpoint::new(origin(), size, tree_root(size, &self.leaves).unwrap());
        TlogProof {
            extra: b"something else".to_vec(),
            index,
            path: prove_inclusion(index, size, &self.leaves).unwrap(),
            checkpoint: SignedCheckpoint::new(checkpoint.clone(), sign(&checkpoint)).unwrap(),
        }
    }

    fn receipt(&self, subject: Subject<'_>, index: u64) -> Receipt {
        let (link, evidence) = self.chain[usize::try_from(index).unwrap()].clone();
        Receipt::new(subject, link, evidence, None, self.proof(index, signed)).unwrap()
    }
}

fn signed(checkpoint: &Checkpoint) -> Vec<NoteSignature> {
    vec![classic(1).sign(&checkpoint.to_string()).unwrap()]
}

fn signed_twice(checkpoint: &Checkpoint) -> Vec<NoteSignature> {
    let time = Timestamp::from_seconds(1_795_000_000).unwrap();
    vec![signed(checkpoint).remove(0), quantum().cosign(checkpoint, time).unwrap()]
}

fn decisions(count: usize) -> impl Iterator<Item = Statement> {
    let decision = |choice: &Choice| Statement::Decision {
        policy: "consumer".to_owned(),
        version: "2025-10-08".to_owned(),
        purpose: "train".to_owned(),
        choice: *choice,
        evidence: None,
    };
    Choice::ALL.iter().cycle().take(count).map(decision)
}

#[test]
fn a_receipt_of_every_leaf_of_a_small_log_verifies_and_reads_back() {
    let key = classic_key(1);
    for size in 1..12 {
        let log = Log::of(ALICE, decisions(size));
        for index in 0..size {
            let receipt = log.receipt(ALICE, index as u64);
            let text = receipt.to_string();
            let read = Receipt::parse(text.as_bytes()).unwrap();
            assert_eq!(read, receipt);
            assert_eq!(read.to_string(), text);
            let proven = verify(&read, &[&key]).unwrap();
            assert_eq!((proven.subject, proven.link.version), (ALICE, index as u64 + 1));
            assert_eq!((proven.index, proven.size), (index as u64, size as u64));
            assert_eq!(proven.stated.canonical().unwrap(), log.chain[index].1.statement);
            assert_eq!((proven.item, proven.signatures.len()), (None, 1));
        }
    }
}

#[test]
fn what_a_receipt_adds_is_canonical_json() {
    let log = Log::of(ALICE, decisions(3));
    let awkward = Subject { organisation: None, account: "a\"\\\u{8}\u{c}\n\r\t\u{1}\u{7f}/ü\u{2028}😀" };
    let item = Item { opening: Opening([9; 32]), record: "r\u{0}".to_owned(), class: "content".to_owned() };
    for item in [None, Some(ItemProof { item, index: 5, path: vec![[1; 32]] })] {
        let (link, evidence) = log.chain[1].clone();
        let receipt = Receipt::new(awkward, link, evidence, item, log.proof(1, signed)).unwrap();
        let extra = &receipt.proof().extra;
        let value: serde_json::Value = serde_json::from_slice(extra).unwrap();
        assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), *extra);
        assert_eq!(Receipt::parse(receipt.to_string().as_bytes()).unwrap(), receipt);
    }
}

#[test]
fn no_byte_of_a_receipt_can_be_altered() {
    let key = classic_key(1);
    let text = Log::of(ALICE, decisions(5)).receipt(ALICE, 2).to_string().into_bytes();
    let mut refused = 0;
    for place in 0..text.len() {
        for other in [text[place] ^ 1, text[place] ^ 0x20, b'A', b'0', b'\n', b' ', b'=', 0xff] {
            let mut altered = text.clone();
            altered[place] = other;
            if altered == text {
                continue;
            }
            let Ok(receipt) = Receipt::parse(&altered) else { continue };
            assert_eq!(receipt.to_string().into_bytes(), altered, "{place}");
            assert!(verify(&receipt, &[&key]).is_err(), "{place}");
            refused += 1;
        }
        let mut shorter = text.clone();
        shorter.remove(place);
        assert!(Receipt::parse(&shorter).ok().is_none_or(|receipt| verify(&receipt, &[&key]).is_err()));
    }
    assert!(refused > 0, "some alterations can be read, and only verifying finds them");
}

#[test]
fn one_of_two_signatures_may_be_lost_but_what_is_proved_stays_the_same() {
    let (classic, quantum) = (classic_key(1), verifier(quantum().key()).unwrap());
    let log = Log::of(ALICE, decisions(5));
    let (link, evidence) = log.chain[3].clone();
    let receipt = Receipt::new(ALICE, link, evidence, None, log.proof(3, signed_twice)).unwrap();
    let whole = verify(&receipt, &[&classic, &quantum]).unwrap();
    assert_eq!(whole.signatures.len(), 2);
    assert_eq!(verify(&receipt, &[&quantum]).unwrap().stated, whole.stated);
    let text = receipt.to_string().into_bytes();
    // A step that is coprime to the length of base64 groups, since each check of ML-DSA takes its time.
    for place in (0..text.len()).step_by(29) {
        let mut altered = text.clone();
        altered[place] ^= 1;
        let Ok(receipt) = Receipt::parse(&altered) else { continue };
        if let Ok(proven) = verify(&receipt, &[&classic, &quantum]) {
            assert!(proven.signatures.len() < whole.signatures.len());
            let same = |proven: &Proven<'_>| (proven.stated.clone(), proven.link, proven.index, proven.size);
            assert_eq!((proven.subject, same(&proven)), (whole.subject, same(&whole)));
        }
    }
}

#[test]
fn a_receipt_of_another_key_or_another_log_is_refused() {
    let receipt = Log::of(ALICE, decisions(5)).receipt(ALICE, 2);
    assert!(matches!(verify(&receipt, &[&classic_key(3)]), Err(Unproven::WrongKey)));
    assert!(matches!(verify(&receipt, &[]), Err(Unproven::WrongKey)));
    let (key, other): (_, Origin) = (classic_key(1), "other.example".parse().unwrap());
    assert!(matches!(receipt.verify(&other, &[&*key]), Err(Unproven::OtherLog)));
}

#[test]
fn nothing_that_a_receipt_says_can_be_changed() {
    let (key, log) = (classic_key(1), Log::of(ALICE, decisions(5)));
    let (link, evidence) = log.chain[2].clone();
    let switched = String::from_utf8(evidence.statement.clone()).unwrap().replace("on", "off").into_bytes();
    let cases = [
        (Subject { organisation: Some("acme"), account: "bob" }, link, evidence.clone()),
        (Subject { organisation: Some("evil"), account: "alice" }, link, evidence.clone()),
        (Subject { organisation: None, account: "alice" }, link, evidence.clone()),
        (ALICE, Link { version: 4, ..link }, evidence.clone()),
        (ALICE, Link { previous: [0; 32], ..link }, evidence.clone()),
        (ALICE, link, Evidence { opening: Opening([0; 32]), ..evidence.clone() }),
        (ALICE, link, Evidence { statement: switched, ..evidence.clone() }),
    ];
    for (case, (subject, link, evidence)) in cases.into_iter().enumerate() {
        let receipt = Receipt::new(subject, link, evidence, None, log.proof(2, signed)).unwrap();
        assert!(matches!(verify(&receipt, &[&key]), Err(Unproven::Altered)), "{case}");
    }
    let mut longer = log.proof(2, signed);
    longer.path.push([0; 32]);
    let receipt = Receipt::new(ALICE, link, evidence.clone(), None, longer).unwrap();
    assert!(matches!(verify(&receipt, &[&key]), Err(Unproven::Path { found: 4 })));
    let mut elsewhere = log.proof(2, signed);
    elsewhere.index = 5;
    let receipt = Receipt::new(ALICE, link, evidence, None, elsewhere).unwrap();
    assert!(matches!(verify(&receipt, &[&key]), Err(Unproven::Path { found: 3 })));
}

#[test]
fn a_statement_of_a_later_version_is_not_guessed_at() {
    let mut log = Log::of(ALICE, decisions(1));
    let (link, mut evidence) = log.chain.remove(0);
    evidence.statement = br#"{"at":"2030-01-01T00:00:00Z","kind":"decision","v":2}"#.to_vec();
    log.leaves.0 = vec![leaf(&commit(&evidence.opening, ALICE, &link, &evidence.statement))];
    let receipt = Receipt::new(ALICE, link, evidence, None, log.proof(0, signed)).unwrap();
    assert!(matches!(verify(&receipt, &[&classic_key(1)]), Err(Unproven::Statement(_))));
}

#[test]
fn a_receipt_for_one_of_many_copies_proves_that_copy() {
    let key = classic_key(1);
    let items: Vec<Item> = (0..7)
        .map(|number| Item {
            opening: Opening([number; 32]),
            record: format!("c{number}"),
            class: "content".to_owned(),
        })
        .collect();
    let blinded: Vec<Hash> = items.iter().map(Item::blind).collect();
    let shredded = Statement::CopiesShredded { count: 7, root: Digest(root_of(&blinded)) };
    let log = Log::of(Subject::HOUSE, [Statement::AccountOpened, shredded]);
    let receipt = |leaf: u64, item: ItemProof| {
        let (link, evidence) = log.chain[usize::try_from(leaf).unwrap()].clone();
        Receipt::new(Subject::HOUSE, link, evidence, Some(item), log.proof(leaf, signed)).unwrap()
    };
    for (index, item) in items.iter().enumerate() {
        let path = path_of(&blinded, index).unwrap();
        let proof = ItemProof { item: item.clone(), index: index as u64, path };
        let receipt_of_item = receipt(1, proof.clone());
        let read = Receipt::parse(receipt_of_item.to_string().as_bytes()).unwrap();
        assert_eq!(read, receipt_of_item);
        let proven = verify(&read, &[&key]).unwrap();
        assert!(proven.subject.is_house());
        assert_eq!(proven.item.unwrap(), &proof);

        let another = Item { record: "c9".to_owned(), ..item.clone() };
        let another = receipt(1, ItemProof { item: another, ..proof.clone() });
        assert!(matches!(verify(&another, &[&key]), Err(Unproven::ItemNotUnderRoot)));
        let elsewhere = receipt(1, ItemProof { index: (index as u64 + 1) % 7, ..proof.clone() });
        assert!(matches!(verify(&elsewhere, &[&key]), Err(Unproven::ItemNotUnderRoot)));
        assert!(matches!(verify(&receipt(0, proof), &[&key]), Err(Unproven::NoItems)));
    }
}

#[test]
fn what_is_not_a_receipt_is_refused() {
    let log = Log::of(ALICE, decisions(3));
    let (link, evidence) = log.chain[1].clone();
    let receipt = log.receipt(ALICE, 1);
    let extra = String::from_utf8(receipt.proof().extra.clone()).unwrap();
    let spellings = [
        String::new(),
        "{}".to_owned(),
        extra.replacen('{', "{ ", 1),
        extra.replace(r#""organisation":"acme""#, r#""organisation":"""#),
        extra.replace(r#","organisation":"acme""#, ""),
        extra.replace(r#""v":1"#, r#""v":2"#),
        extra.replace(r#","v":1"#, r#","unknown":1,"v":1"#),
        extra.replace(r#""account":"alice""#, r#""account":"alice","item":null"#),
        extra.replace("alice", r"\u0061lice"),
        extra.replace(r#""opening":"02"#, r#""opening":"2"#),
    ];
    for spelling in spellings {
        let proof = TlogProof { extra: spelling.clone().into_bytes(), ..receipt.proof().clone() };
        assert_eq!(Receipt::parse(proof.to_string().as_bytes()), Err(ReceiptError::Extra), "{spelling}");
    }
    assert!(matches!(Receipt::parse(b"hello"), Err(ReceiptError::Proof(_))));
    let long = vec![b' '; 9_000_000];
    assert_eq!(Receipt::parse(&long), Err(ReceiptError::TooLong { bytes: 9_000_000 }));
    let no_text = Evidence { statement: vec![0xff], ..evidence };
    let refused = Receipt::new(ALICE, link, no_text, None, log.proof(1, signed));
    assert_eq!(refused, Err(ReceiptError::NotText));
}

#[test]
fn no_message_names_the_person() {
    let (key, log) = (classic_key(1), Log::of(ALICE, decisions(2)));
    let receipt = log.receipt(Subject { account: "mallory", ..ALICE }, 1);
    let why = verify(&receipt, &[&key]).unwrap_err();
    for text in [why.to_string(), format!("{why:?}"), format!("{receipt:?}")] {
        assert!(!text.contains("mallory") && !text.contains("acme"), "{text}");
    }
}
