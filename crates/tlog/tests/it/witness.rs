//! A witness that follows a log, honest or not.

use tenure_tlog::checkpoint::{Checkpoint, CosignatureError, SignedCheckpoint};
use tenure_tlog::cosignature::{Timestamp, timestamp};
use tenure_tlog::merkle::prove_consistency;
use tenure_tlog::note::{NoteError, VerifyError};
use tenure_tlog::witness::{
    AddCheckpoint, Latest, Refusal, RequestError, judge, parse_cosignatures, parse_size, write_cosignatures,
    write_size,
};
use tenure_tlog::{Hash, leaf_hash, root};

use crate::keys::{ORIGIN, borrowed, log_key, signed, verifiers, witness};
use crate::reference::{Leaves, leaves};

fn request(old: usize, all: &[Hash]) -> AddCheckpoint {
    let size = u64::try_from(all.len()).unwrap();
    let old_size = u64::try_from(old).unwrap();
    let proof = prove_consistency(old_size, size, &Leaves(all.to_vec())).unwrap();
    AddCheckpoint { old_size, proof, checkpoint: signed(size, root(all)) }
}

fn decide(request: &AddCheckpoint, latest: &Latest) -> Result<Latest, Refusal> {
    let key = log_key(1);
    let keys = verifiers(&[key.key()]);
    let sent = AddCheckpoint::parse(request.to_string().as_bytes()).unwrap();
    assert_eq!(&sent, request);
    judge(&sent, Some(&borrowed(&keys)), latest)
        .map(|checkpoint| Latest { size: checkpoint.size(), root: *checkpoint.root() })
}

#[test]
fn a_witness_follows_a_log_that_only_grows() {
    let all = leaves(40);
    let mut latest = Latest::none();
    for (old, new) in [(0, 0), (0, 3), (3, 3), (3, 4), (4, 23), (23, 40)] {
        latest = decide(&request(old, &all[..new]), &latest).unwrap();
        assert_eq!(latest, Latest { size: u64::try_from(new).unwrap(), root: root(&all[..new]) });
    }
}

#[test]
fn a_fork_is_never_cosigned() {
    let all = leaves(20);
    let latest = Latest { size: 10, root: root(&all[..10]) };
    let mut other = all.clone();
    other[4] = leaf_hash(b"another past");
    assert_eq!(decide(&request(10, &other[..10]), &latest), Err(Refusal::Fork));
    assert_eq!(decide(&request(10, &other), &latest), Err(Refusal::Inconsistent));
    // Not even with the proof of the true past.
    let proof = request(10, &all).proof;
    assert_eq!(decide(&AddCheckpoint { proof, ..request(10, &other) }, &latest), Err(Refusal::Inconsistent));
    let empty = AddCheckpoint { old_size: 0, proof: Vec::new(), checkpoint: signed(0, all[0]) };
    assert_eq!(decide(&empty, &Latest::none()), Err(Refusal::Fork));
}

#[test]
fn a_request_must_start_where_the_witness_stands() {
    let all = leaves(20);
    let latest = Latest { size: 10, root: root(&all[..10]) };
    assert_eq!(decide(&request(0, &all), &latest), Err(Refusal::Stale { latest: 10 }));
    assert_eq!(decide(&request(9, &all), &latest), Err(Refusal::Stale { latest: 10 }));
    // An older tree, honest as it may be, would roll the witness back.
    assert_eq!(decide(&request(5, &all[..9]), &latest), Err(Refusal::Stale { latest: 10 }));
    let larger = AddCheckpoint { old_size: 10, ..request(5, &all[..9]) };
    assert_eq!(decide(&larger, &latest), Err(Refusal::OldSizeTooLarge));
}

#[test]
fn a_proof_where_none_belongs_is_refused() {
    let all = leaves(20);
    let proof = vec![all[0]];
    let from_nothing = AddCheckpoint { proof: proof.clone(), ..request(0, &all) };
    assert_eq!(decide(&from_nothing, &Latest::none()), Err(Refusal::Inconsistent));
    let latest = Latest { size: 20, root: root(&all) };
    assert_eq!(decide(&AddCheckpoint { proof, ..request(20, &all) }, &latest), Err(Refusal::Inconsistent));
}

#[test]
fn only_known_keys_of_known_logs_count() {
    let all = leaves(3);
    let request = request(0, &all);
    assert_eq!(judge(&request, None, &Latest::none()), Err(Refusal::UnknownLog));
    assert_eq!(judge(&request, Some(&[]), &Latest::none()), Err(Refusal::Untrusted));
    let (stranger, key) = (log_key(77), log_key(1));
    let keys = verifiers(&[stranger.key(), key.key()]);
    assert_eq!(judge(&request, Some(&borrowed(&keys[..1])), &Latest::none()), Err(Refusal::Untrusted));
    assert!(judge(&request, Some(&borrowed(&keys)), &Latest::none()).is_ok());
    // A signature that is not of this checkpoint.
    let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), 3, all[0]);
    let borrowed_signature = request.checkpoint.note().signatures()[0].clone();
    let forged = AddCheckpoint {
        checkpoint: SignedCheckpoint::new(checkpoint, vec![borrowed_signature]).unwrap(),
        ..request
    };
    assert_eq!(judge(&forged, Some(&borrowed(&keys)), &Latest::none()), Err(Refusal::Untrusted));
}

#[test]
fn refusals_have_the_statuses_of_the_specification() {
    for (refusal, status) in [
        (Refusal::OldSizeTooLarge, 400),
        (Refusal::Untrusted, 403),
        (Refusal::UnknownLog, 404),
        (Refusal::Stale { latest: 1 }, 409),
        (Refusal::Fork, 409),
        (Refusal::Inconsistent, 422),
    ] {
        assert_eq!(refusal.status(), status);
    }
}

#[test]
fn cosignatures_come_back_as_lines_and_join_the_checkpoint() {
    let mut checkpoint = signed(3, root(&leaves(3)));
    let witnesses = [witness("witness.example/w1", 8), witness("witness.example/w2", 9)];
    let time = Timestamp::from_seconds(1_795_000_001).unwrap();
    let cosignatures: Vec<_> =
        witnesses.iter().map(|witness| witness.cosign(checkpoint.checkpoint(), time).unwrap()).collect();
    let body = write_cosignatures(&cosignatures);
    assert_eq!(body.lines().count(), 2);
    let keys = verifiers(&[witnesses[0].key(), witnesses[1].key()]);
    let known = borrowed(&keys);
    let answer = || parse_cosignatures(body.as_bytes()).unwrap();
    assert_eq!(checkpoint.clone().add_cosignatures(answer(), &known[1..]), Ok(1), "of the one that is known");
    let none = checkpoint.clone().add_cosignatures(answer(), &[]);
    assert_eq!(none, Err(CosignatureError::Signatures(VerifyError::NoKnownKey)));
    let wrong = signed(3, root(&[])).add_cosignatures(answer(), &known);
    assert!(matches!(wrong, Err(CosignatureError::Signatures(VerifyError::BadSignature { .. }))));
    assert_eq!(checkpoint.add_cosignatures(answer(), &known), Ok(2));
    assert_eq!(checkpoint.add_cosignatures(answer(), &known), Ok(2));
    assert_eq!(checkpoint.note().signatures().len(), 4, "added once");
    let verified = checkpoint.cosignatures(&known).unwrap();
    assert_eq!(verified, cosignatures.iter().collect::<Vec<_>>());
    assert_eq!(timestamp(witnesses[0].key(), verified[0]), Some(time));
    assert_eq!(timestamp(witnesses[1].key(), verified[0]), None);
    assert_eq!(parse_cosignatures(b""), Err(NoteError::Unsigned));
    assert_eq!(parse_cosignatures(body.trim_end().as_bytes()), Err(NoteError::UnendedSignature));
}

#[test]
fn the_size_in_a_conflict_has_one_spelling() {
    assert_eq!(write_size(50), "50\n");
    assert_eq!(parse_size(b"50\n"), Some(50));
    assert_eq!(parse_size(b"0\n"), Some(0));
    for wrong in [&b""[..], b"50", b"050\n", b"50\n\n", b" 50\n", b"\xff\n"] {
        assert_eq!(parse_size(wrong), None);
    }
}

#[test]
fn requests_of_another_form_are_refused() {
    let valid = request(2, &leaves(3)).to_string();
    let body = |head: &str| valid.replace(valid.split_once("\n\n").unwrap().0, head);
    let hash = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=";
    for (head, error) in [
        ("", RequestError::OldSize),
        ("old", RequestError::OldSize),
        ("old 01", RequestError::OldSize),
        ("old  1", RequestError::OldSize),
        ("OLD 1", RequestError::OldSize),
        ("old 1\nAAAA", RequestError::Hash { position: 1 }),
        (&format!("old 1\n{}", [hash; 64].join("\n")), RequestError::TooManyHashes),
    ] {
        assert_eq!(AddCheckpoint::parse(body(head).as_bytes()), Err(error), "{head:.20}");
    }
    assert!(AddCheckpoint::parse(body(&format!("old 1\n{}", [hash; 63].join("\n"))).as_bytes()).is_ok());
    assert_eq!(AddCheckpoint::parse(b"old 1\n"), Err(RequestError::NoCheckpoint));
    assert_eq!(AddCheckpoint::parse(b"\xff"), Err(RequestError::NotText));
}
