//! The examples of the specifications, and notes of other implementations.

use tenure_tlog::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint, UntrustedCheckpoint};
use tenure_tlog::cosignature::{CosignatureVerifier, Timestamp, timestamp};
use tenure_tlog::crypto::{Ed25519PublicKey, Ed25519SecretKey, MlDsa44PublicKey, verifier};
use tenure_tlog::merkle::prove_inclusion;
use tenure_tlog::note::{
    Ed25519Signer, Note, NoteError, RawSigner as _, SignatureType, Verifier, VerifierKey, VerifyError,
};
use tenure_tlog::proof::{ProofError, TlogProof, Unproven};
use tenure_tlog::root;
use tenure_tlog::witness::AddCheckpoint;

use crate::keys::{ORIGIN, borrowed, log_cosigner, log_key, signed, verifiers, witness};
use crate::reference::{Leaves, leaves};

const NOTE: &str = include_str!("golden/note.txt");
const CHECKPOINT: &str = include_str!("golden/checkpoint.txt");
const COSIGNED: &str = include_str!("golden/cosigned.txt");
const REQUEST: &str = include_str!("golden/add-checkpoint.txt");
const PETER: &str = include_str!("golden/peter-neumann.txt");
const PETER_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

#[test]
fn the_note_of_signed_note_is_read_and_written_back() {
    let note = Note::parse(NOTE.as_bytes()).unwrap();
    assert!(note.text().starts_with("Ognuno sta solo") && note.text().ends_with("\n\ned è subito sera.\n"));
    let (name, id) = note.signatures()[0].key();
    assert_eq!((name.as_str(), id.to_string().as_str()), ("quasimodo.example/salvatore", "367ba04b"));
    assert_eq!(note.signatures()[0].bytes().len(), 64);
    assert_eq!(note.to_string(), NOTE);
}

#[test]
fn the_checkpoint_of_tlog_checkpoint_is_read_and_written_back() {
    let signed = SignedCheckpoint::parse(CHECKPOINT.as_bytes()).unwrap();
    assert_eq!(signed.checkpoint().origin().as_str(), "example.com/behind-the-sofa");
    assert_eq!(signed.checkpoint().size(), 20_852_163);
    assert_eq!(signed.checkpoint().extensions(), &[] as &[String]);
    assert_eq!(signed.to_string(), CHECKPOINT);
}

/// The specification does not give the witness's key, so only the form can be checked.
#[test]
fn the_cosigned_checkpoint_of_tlog_cosignature_is_read_and_written_back() {
    let signed = SignedCheckpoint::parse(COSIGNED.as_bytes()).unwrap();
    assert_eq!(signed.note().signatures().len(), 2);
    // 8 bytes of time, 64 of signature.
    assert_eq!(signed.note().signatures()[1].bytes().len(), 72);
    assert_eq!(signed.note().signatures()[1].bytes()[..8], 1_679_315_147_u64.to_be_bytes());
    assert_eq!(signed.to_string(), COSIGNED);
}

#[test]
fn the_request_of_tlog_witness_is_read_and_written_back() {
    let request = AddCheckpoint::parse(REQUEST.as_bytes()).unwrap();
    assert_eq!((request.old_size, request.proof.len()), (20_852_014, 4));
    assert_eq!(request.checkpoint.note().signatures().len(), 2);
    assert_eq!(request.to_string(), REQUEST);
}

/// From the documentation and tests of Go's `sumdb/note`, which made the signature.
#[test]
fn the_note_of_go_is_verified_and_made_again() {
    let key: VerifierKey = PETER_KEY.parse().unwrap();
    let peter = verifier(&key).unwrap();
    let note = Note::parse(PETER.as_bytes()).unwrap();
    assert_eq!(note.verify(&[&*peter]).unwrap().len(), 1);

    let seed = [
        0x81, 0x0a, 0x14, 0x02, 0xd5, 0x14, 0x6c, 0x8d, 0x84, 0xf2, 0x44, 0x33, 0x30, 0xf5, 0x40, 0x80, 0xeb,
        0xf9, 0x8e, 0xe1, 0x7d, 0x9c, 0x74, 0xf6, 0x25, 0x2f, 0xc5, 0xd5, 0xc7, 0x28, 0x31, 0x73,
    ];
    let signer = Ed25519Signer::new(key.name().clone(), Ed25519SecretKey::from_seed(&seed)).unwrap();
    assert_eq!(signer.key(), &key);
    let again = Note::new(note.text().to_owned(), vec![signer.sign(note.text()).unwrap()]).unwrap();
    assert_eq!(again.to_string(), PETER);
}

#[test]
fn a_note_is_believed_only_if_a_known_key_signed_it() {
    let peter = verifier(&PETER_KEY.parse().unwrap()).unwrap();
    let stranger = verifier(log_key(1).key()).unwrap();
    let note = Note::parse(PETER.as_bytes()).unwrap();
    assert_eq!(note.verify(&[]), Err(VerifyError::NoKnownKey));
    assert_eq!(note.verify(&[&*stranger]), Err(VerifyError::NoKnownKey));
    assert!(note.verify(&[&*stranger, &*peter]).is_ok());
    assert!(matches!(note.verify(&[&*peter, &*peter]), Err(VerifyError::AmbiguousKey { .. })));
    let altered = PETER.replace("cryptography", "biology");
    let altered = Note::parse(altered.as_bytes()).unwrap();
    assert!(matches!(altered.verify(&[&*peter]), Err(VerifyError::BadSignature { .. })));
}

#[test]
fn a_wrong_signature_of_a_known_key_fails_the_note_whoever_else_signed() {
    let text = "some text\n";
    let good = log_key(1).sign(text).unwrap();
    let bad = log_key(3).sign("another text\n").unwrap();
    let note = Note::new(text.to_owned(), vec![good, bad]).unwrap();
    let (one, three) = (log_key(1), log_key(3));
    let keys = verifiers(&[one.key(), three.key()]);
    assert!(note.verify(&borrowed(&keys[..1])).is_ok());
    assert!(matches!(note.verify(&borrowed(&keys)), Err(VerifyError::BadSignature { .. })));
}

#[test]
fn notes_of_another_form_are_refused() {
    let cases: [(&str, NoteError); 7] = [
        ("", NoteError::Unsigned),
        ("text\n", NoteError::Unsigned),
        ("text\n\n", NoteError::Unsigned),
        ("te\txt\n\n\u{2014} a AAAAAAA=\n", NoteError::NotText),
        ("te\rxt\n\n\u{2014} a AAAAAAA=\n", NoteError::NotText),
        ("text\n\n\u{2014} a AAAAAAA=", NoteError::UnendedSignature),
        (&"x".repeat(1_000_001), NoteError::TooLong { bytes: 1_000_001 }),
    ];
    for (text, error) in cases {
        assert_eq!(Note::parse(text.as_bytes()), Err(error), "{text:.20}");
    }
    assert!(Note::parse("text\n\n\u{2014} a AAAAAAA=\n".as_bytes()).is_ok());
    for line in [
        "- a AAAAAAA=",
        "\u{2014}  AAAAAAA=",
        "\u{2014} a  AAAAAAA=",
        "\u{2014} a AAAAAAA",
        "\u{2014} a AAAAAA==",
        "\u{2014} a AAAAAAB=",
        "\u{2014} a+b AAAAAAA=",
        "\u{2014} a\u{a0}b AAAAAAA=",
        "\u{2014} a AAAAAAA= ",
        "\u{2014} a",
        "",
    ] {
        let text = format!("text\n\n\u{2014} a AAAAAAA=\n{line}\n");
        let refused = Note::parse(text.as_bytes());
        assert!(
            matches!(refused, Err(NoteError::Signature { .. } | NoteError::Unsigned)),
            "{line}: {refused:?}"
        );
    }
    let many = format!("text\n\n{}", "\u{2014} a AAAAAAA=\n".repeat(101));
    assert_eq!(Note::parse(many.as_bytes()), Err(NoteError::TooManySignatures { count: 101 }));
    assert_eq!(Note::parse(b"te\xffxt\n\n"), Err(NoteError::NotText));
}

#[test]
fn checkpoints_of_another_form_are_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for (text, error) in [
        (String::new(), CheckpointError::Unended),
        (format!("\n1\n{root}\n"), CheckpointError::Origin),
        (format!("o\n01\n{root}\n"), CheckpointError::Size),
        (format!("o\n+1\n{root}\n"), CheckpointError::Size),
        (format!("o\n18446744073709551616\n{root}\n"), CheckpointError::Size),
        ("o\n1\n".to_owned(), CheckpointError::Root),
        (format!("o\n1\n{}\n", root.trim_end_matches('=')), CheckpointError::Root),
        ("o\n1\nAAAA\n".to_owned(), CheckpointError::Root),
        (format!("o\n1\n{}\n", root.replace("2I=", "2J=")), CheckpointError::Root),
        (format!("o\n1\n{root}"), CheckpointError::Unended),
        (format!("o\n1\n{root}\nextension\n\n"), CheckpointError::Extension { line: 5 }),
    ] {
        assert_eq!(text.parse::<Checkpoint>(), Err(error), "{text}");
    }
    let extended = format!("an origin with spaces\n0\n{root}\none\ntwo\n");
    let checkpoint: Checkpoint = extended.parse().unwrap();
    assert_eq!(checkpoint.extensions(), ["one", "two"]);
    assert_eq!(checkpoint.to_string(), extended);
}

#[test]
fn a_key_signs_a_checkpoint_once() {
    let signed = signed(3, root(&leaves(3)));
    let mut signatures = signed.note().signatures().to_vec();
    signatures.push(signatures[0].clone());
    let twice = SignedCheckpoint::new(signed.checkpoint().clone(), signatures);
    assert_eq!(twice, Err(CheckpointError::SignedTwice { position: 3 }));
}

#[test]
fn a_checkpoint_signed_with_both_keys_verifies_with_either() {
    let signed = signed(3, root(&leaves(3)));
    assert_eq!(SignedCheckpoint::parse(signed.to_string().as_bytes()).as_ref(), Ok(&signed));
    let origin = ORIGIN.parse().unwrap();
    let (classic, quantum) = (log_key(1), log_cosigner(2));
    let keys = verifiers(&[classic.key(), quantum.key()]);
    assert_eq!(signed.verify(&origin, &borrowed(&keys)).unwrap().len(), 2);
    assert_eq!(signed.verify(&origin, &borrowed(&keys[..1])).unwrap().len(), 1);
    assert_eq!(signed.verify(&origin, &borrowed(&keys[1..])).unwrap().len(), 1);
    let other = "other.example".parse().unwrap();
    assert_eq!(signed.verify(&other, &borrowed(&keys)), Err(UntrustedCheckpoint::OtherOrigin));
    let quantum_signature = &signed.note().signatures()[1];
    assert_eq!(timestamp(quantum.key(), quantum_signature), Timestamp::from_seconds(1_795_000_000));
    assert_eq!(timestamp(classic.key(), &signed.note().signatures()[0]), None);
}

#[test]
fn a_cosignature_holds_for_its_checkpoint_time_and_name_alone() {
    let mut signed = signed(3, root(&leaves(3)));
    let witness = witness("witness.example/w1", 9);
    let time = Timestamp::from_seconds(1_795_000_001).unwrap();
    signed.add([witness.cosign(signed.checkpoint(), time).unwrap()]).unwrap();
    let keys = verifiers(&[witness.key()]);
    let known = borrowed(&keys);
    assert_eq!(signed.cosignatures(&known).unwrap().len(), 1);
    assert_eq!(signed.cosignatures(&[]).unwrap().len(), 0);

    let quantum = log_cosigner(2);
    for (key, signature) in [(witness.key(), 2), (quantum.key(), 1)] {
        let bytes = signed.note().signatures()[signature].bytes();
        let verifier = verifier(key).unwrap();
        let text = signed.note().text();
        assert!(verifier.verify(text, bytes));
        assert!(!verifier.verify(&text.replace("\n3\n", "\n4\n"), bytes));
        assert!(!verifier.verify(&text.replace("tenure", "tonure"), bytes));
        assert!(!verifier.verify("not a checkpoint\n", bytes));
        let mut later = bytes.to_vec();
        later[7] ^= 1;
        assert!(!verifier.verify(text, &later));
        assert!(!verifier.verify(text, &bytes[..bytes.len() - 1]));
        assert!(!verifier.verify(text, &bytes[..7]));
    }
    let bytes = signed.note().signatures()[1].bytes();
    let raw = MlDsa44PublicKey::from_bytes(quantum.key().public_key()).unwrap();
    let renamed = CosignatureVerifier::ml_dsa_44("other.example".parse().unwrap(), raw).unwrap();
    assert!(!renamed.verify(signed.note().text(), bytes), "the name is part of what ML-DSA-44 signs");
}

#[test]
fn extension_lines_are_part_of_what_ed25519_cosigners_sign_and_not_of_ml_dsa_44() {
    let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), 0, root(&[]));
    let extended = format!("{checkpoint}extension\n");
    let (ed25519, ml_dsa) = (witness("w", 9), log_cosigner(2));
    let by = |signature: &tenure_tlog::note::NoteSignature, key: &VerifierKey| {
        verifier(key).unwrap().verify(&extended, signature.bytes())
    };
    assert!(!by(&ed25519.cosign(&checkpoint, Timestamp::NONE).unwrap(), ed25519.key()));
    assert!(by(&ml_dsa.cosign(&checkpoint, Timestamp::NONE).unwrap(), ml_dsa.key()));
}

#[test]
fn a_proof_has_the_form_of_tlog_proof() {
    let all = leaves(3);
    let path = prove_inclusion(1, 3, &Leaves(all.clone())).unwrap();
    let checkpoint = signed(3, root(&all));
    let proof = TlogProof { extra: b"extra".to_vec(), index: 1, path, checkpoint: checkpoint.clone() };
    let text = proof.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 1\n"), "{text:.60}");
    assert!(text.ends_with(&format!("=\n\n{checkpoint}")));
    assert_eq!(TlogProof::parse(text.as_bytes()).as_ref(), Ok(&proof));
    let without = TlogProof { extra: Vec::new(), ..proof.clone() };
    assert!(without.to_string().starts_with("c2sp.org/tlog-proof@v1\nindex 1\n"));
    assert_eq!(TlogProof::parse(without.to_string().as_bytes()), Ok(without));

    let key = log_key(1);
    let keys = verifiers(&[key.key()]);
    let origin = ORIGIN.parse().unwrap();
    assert!(proof.verify(&all[1], &origin, &borrowed(&keys)).is_ok());
    assert_eq!(proof.verify(&all[2], &origin, &borrowed(&keys)), Err(Unproven::Inclusion));
    let moved = TlogProof { index: 2, ..proof.clone() };
    assert_eq!(moved.verify(&all[1], &origin, &borrowed(&keys)), Err(Unproven::Inclusion));
    assert!(matches!(proof.verify(&all[1], &origin, &[]), Err(Unproven::Checkpoint(_))));
}

#[test]
fn a_tree_of_one_leaf_is_proved_without_a_path() {
    let all = leaves(1);
    let proof =
        TlogProof { extra: Vec::new(), index: 0, path: Vec::new(), checkpoint: signed(1, root(&all)) };
    let text = proof.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example/tenure\n1\n"));
    let read = TlogProof::parse(text.as_bytes()).unwrap();
    let key = log_key(1);
    assert!(read.verify(&all[0], &ORIGIN.parse().unwrap(), &borrowed(&verifiers(&[key.key()]))).is_ok());
}

#[test]
fn proofs_of_another_form_are_refused() {
    let checkpoint = CHECKPOINT;
    let hash = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=";
    for (head, error) in [
        ("", ProofError::Header),
        ("c2sp.org/tlog-proof@v2\nindex 0\n", ProofError::Header),
        ("c2sp.org/tlog-proof@v1\n", ProofError::Index),
        ("c2sp.org/tlog-proof@v1\nindex 00\n", ProofError::Index),
        ("c2sp.org/tlog-proof@v1\nindex -1\n", ProofError::Index),
        ("c2sp.org/tlog-proof@v1\nindex 0\nextra AA==\n", ProofError::Hash { position: 1 }),
        ("c2sp.org/tlog-proof@v1\nextra \nindex 0\n", ProofError::Extra),
        ("c2sp.org/tlog-proof@v1\nextra A\nindex 0\n", ProofError::Extra),
        ("c2sp.org/tlog-proof@v1\nextra AA==\nextra AA==\nindex 0\n", ProofError::Index),
        (
            &format!("c2sp.org/tlog-proof@v1\nindex 0\n{hash}\n{}\n", hash.trim_end_matches('=')),
            ProofError::Hash { position: 2 },
        ),
        (
            &format!("c2sp.org/tlog-proof@v1\nindex 0\n{}", format!("{hash}\n").repeat(65)),
            ProofError::TooManyHashes,
        ),
    ] {
        let proof = format!("{head}\n{checkpoint}");
        assert_eq!(TlogProof::parse(proof.as_bytes()), Err(error), "{head:.60}");
    }
    let cut = TlogProof::parse(b"c2sp.org/tlog-proof@v1\nindex 0\n");
    assert_eq!(cut, Err(ProofError::NoCheckpoint));
    assert_eq!(TlogProof::parse(b"\xff"), Err(ProofError::NotText));
}

#[test]
fn the_same_key_has_another_id_for_each_signature_type() {
    let raw = Ed25519SecretKey::from_seed(&[1; 32]);
    let key = |kind| VerifierKey::new("a.example".parse().unwrap(), kind, raw.public_key()).unwrap();
    let (log, witness) = (key(SignatureType::Ed25519), key(SignatureType::Ed25519Cosignature));
    assert_ne!(log.id(), witness.id());
    assert!(Ed25519PublicKey::from_bytes(log.public_key()).is_ok());
    assert!(Ed25519PublicKey::from_bytes(&[0; 32]).is_err(), "a key of small order verifies too much");
}
