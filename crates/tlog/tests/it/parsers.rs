//! Parsers are fed by strangers: nothing makes them panic, and what they take has one spelling.

use proptest::prelude::*;
use tenure_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tenure_tlog::merkle::prove_inclusion;
use tenure_tlog::note::{KeyName, Note, NoteSignature, VerifierKey};
use tenure_tlog::proof::TlogProof;
use tenure_tlog::root;
use tenure_tlog::tile::{Bundle, Resource, Tile, push_entry};
use tenure_tlog::witness::{AddCheckpoint, parse_cosignatures, parse_size, write_cosignatures, write_size};

use crate::keys::{log_key, signed};
use crate::reference::{Leaves, leaves};

/// Reads the bytes as everything there is. Whatever is taken must be written back as it was.
fn read_as_everything(bytes: &[u8]) {
    let back = |written: Option<String>| {
        if let Some(written) = written {
            assert_eq!(written.as_bytes(), bytes);
        }
    };
    back(Note::parse(bytes).ok().map(|note| note.to_string()));
    back(SignedCheckpoint::parse(bytes).ok().map(|checkpoint| checkpoint.to_string()));
    back(TlogProof::parse(bytes).ok().map(|proof| proof.to_string()));
    back(AddCheckpoint::parse(bytes).ok().map(|request| request.to_string()));
    back(parse_cosignatures(bytes).ok().map(|cosignatures| write_cosignatures(&cosignatures)));
    back(parse_size(bytes).map(write_size));
    if let Ok(text) = str::from_utf8(bytes) {
        back(text.parse().ok().map(|resource: Resource| resource.to_string()));
        back(text.parse().ok().map(|checkpoint: Checkpoint| checkpoint.to_string()));
        back(text.parse().ok().map(|signature: NoteSignature| signature.to_string()));
        back(text.parse().ok().map(|key: VerifierKey| key.to_string()));
        back(text.parse().ok().map(|name: KeyName| name.to_string()));
    }
    for width in [1, 2, 256] {
        let bundle = Bundle::new(0, width).unwrap();
        if let Ok(entries) = bundle.entries(bytes) {
            let mut written = Vec::new();
            for entry in entries {
                push_entry(&mut written, entry).unwrap();
            }
            assert_eq!(written, bytes);
        }
    }
}

/// One of each text form, all valid.
fn valid_forms() -> Vec<String> {
    let all = leaves(11);
    let checkpoint = signed(11, root(&all));
    let path = prove_inclusion(4, 11, &Leaves(all)).unwrap();
    let request = AddCheckpoint { old_size: 4, proof: path.clone(), checkpoint: checkpoint.clone() };
    let proof = TlogProof { extra: b"something".to_vec(), index: 4, path, checkpoint: checkpoint.clone() };
    vec![
        checkpoint.to_string(),
        request.to_string(),
        proof.to_string(),
        write_cosignatures(&checkpoint.note().signatures()[..1]),
        log_key(1).key().to_string(),
        "tile/2/x001/x234/067.p/89".to_owned(),
        "tile/entries/x999/000".to_owned(),
        write_size(1234),
    ]
}

#[test]
fn valid_forms_are_taken() {
    for form in valid_forms() {
        read_as_everything(form.as_bytes());
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_a_parser(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn arbitrary_lines_never_panic_a_parser(
        text in "(tile/|old |index |extra |c2sp.org/tlog-proof@v1\n|— |[a-z0-9+/=.x\n ]){0,30}"
    ) {
        read_as_everything(text.as_bytes());
    }

    #[test]
    fn damaged_forms_never_panic_a_parser(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(&b"\n =+0A/.\r\t"[..])],
        remove in 0..3_usize,
        insert in any::<bool>(),
    ) {
        let forms = valid_forms();
        let mut bytes = which.get(&forms).clone().into_bytes();
        let place = place.index(bytes.len());
        let end = bytes.len().min(place + remove);
        bytes.splice(place..end, insert.then_some(byte));
        read_as_everything(&bytes);
    }

    #[test]
    fn every_tile_has_a_path_of_its_own(level in 0..64_u8, index in any::<u64>(), width in 1..257_u16) {
        let tile = Tile::new(level, index, width).unwrap();
        prop_assert_eq!(tile.to_string().parse(), Ok(tile));
        let bundle = Bundle::new(index, width).unwrap();
        prop_assert_eq!(bundle.to_string().parse(), Ok(bundle));
    }

    #[test]
    fn notes_of_any_text_are_read_back(text in "[^\\x00-\\x1f]*(\n[^\\x00-\\x1f]*)*\n") {
        let signature = log_key(1).sign(&text).unwrap();
        let note = Note::new(text.clone(), vec![signature]).unwrap();
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        prop_assert_eq!(read.text(), &text);
        prop_assert_eq!(read, note);
    }
}
