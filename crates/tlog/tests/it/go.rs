//! Go's reference packages `golang.org/x/mod/sumdb/note` and `tlog`, both ways: they take what is made here, and
//! what they make is taken here.
//!
//! Debian has them as `golang-go` and `golang-golang-x-mod-dev`, which `cargo xtask test` installs. The program
//! in `tests/go` is built and started once, and answers until the test ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tenure_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tenure_tlog::cosignature::Timestamp;
use tenure_tlog::crypto::verifier;
use tenure_tlog::incremental::{Frontier, TileEdge};
use tenure_tlog::merkle::{prove_consistency, prove_inclusion, tree_root};
use tenure_tlog::note::{Note, VerifierKey};
use tenure_tlog::tile::{Tile, TileHashReader, new_tiles};
use tenure_tlog::{Hash, leaf_hash, verify_consistency, verify_inclusion};

use crate::keys::{log_cosigner, log_key, signed, witness};
use crate::reference::{Nodes, Tiles, leaves};

/// How large the tree is: three levels of tiles, with a partial one on each.
const SIZE: u64 = 70_000;
/// Up to this size, every proof of every tree is checked.
const EVERY: u64 = 40;
/// How many proofs are checked beyond it.
const SOME: u64 = 400;

/// Where cargo lets tests write.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Go's packages, behind the program in `tests/go`.
struct Go {
    program: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What Go says: nothing in `refused` if it agrees, and the fields that the question asks for.
#[derive(Deserialize)]
struct Answer {
    refused: String,
    text: String,
    keys: Option<Vec<String>>,
    unknown: usize,
    size: u64,
    hashes: Option<Vec<String>>,
    tiles: Option<BTreeMap<String, String>>,
}

impl Answer {
    fn agreed(self) -> Self {
        assert_eq!(self.refused, "", "Go does not agree");
        self
    }

    fn keys(&self) -> &[String] {
        self.keys.as_deref().unwrap_or_default()
    }

    fn hashes(&self) -> Vec<Hash> {
        let hash = |text: &String| STANDARD.decode(text).unwrap().try_into().unwrap();
        self.hashes.iter().flatten().map(hash).collect()
    }

    fn tiles(&self) -> impl Iterator<Item = (Tile, Vec<u8>)> {
        let tiles = self.tiles.iter().flatten();
        tiles.map(|(path, bytes)| (path.parse().unwrap(), STANDARD.decode(bytes).unwrap()))
    }
}

impl Go {
    fn start() -> Self {
        let program = folder("go-answers");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go");
        // Nothing is fetched: the packages are Debian's, and Go's modules are off.
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(source)
            .envs([("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", "")])
            .envs([("CGO_ENABLED", "0"), ("GOPROXY", "off"), ("GOTOOLCHAIN", "local")])
            .env("GOCACHE", folder("go-cache"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let mut program = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (questions, answers) = (program.stdin.take().unwrap(), program.stdout.take().unwrap());
        Self { program, questions, answers: BufReader::new(answers) }
    }

    fn ask(&mut self, question: &Value) -> Answer {
        self.questions.write_all(format!("{question}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error} in {answer:?} to {question}"))
    }

    fn end(mut self) {
        drop(self.questions);
        assert!(self.program.wait().unwrap().success());
    }
}

fn base64(hash: &Hash) -> String {
    STANDARD.encode(hash)
}

fn all_base64(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(base64).collect()
}

/// Numbers that look random and are the same each time (`SplitMix64`).
fn scattered(step: u64) -> u64 {
    let mut number = step.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Pairs of a place and a size with `place < size`: all of the small ones, and some of the large ones.
fn places() -> impl Iterator<Item = (u64, u64)> {
    let small = (1..=EVERY).flat_map(|size| (0..size).map(move |place| (place, size)));
    let large = (0..SOME).map(|step| {
        let size = EVERY + 1 + scattered(2 * step) % (SIZE - EVERY);
        (scattered(2 * step + 1) % size, size)
    });
    small.chain(large)
}

/// The same tree twice: every node, and its tiles as a log serves them.
struct Ours {
    leaves: Vec<Hash>,
    nodes: Nodes,
    tiles: Tiles,
}

impl Ours {
    fn grown() -> Self {
        let leaves = leaves(SIZE);
        let (mut nodes, mut tiles) = (Nodes::default(), Tiles::default());
        let (mut frontier, mut edge) = (Frontier::new(), TileEdge::new());
        for leaf in &leaves {
            frontier.append(*leaf, |node, hash| assert!(nodes.0.insert(node, *hash).is_none()));
            tiles.0.extend(edge.append(*leaf));
        }
        tiles.0.extend(edge.partial_tiles().map(|(tile, bytes)| (tile, bytes.to_vec())));
        Self { leaves, nodes, tiles }
    }

    fn leaf(&self, index: u64) -> &Hash {
        &self.leaves[usize::try_from(index).unwrap()]
    }

    fn root(&self, size: u64) -> Hash {
        tree_root(size, &self.nodes).unwrap()
    }
}

#[test]
#[cfg_attr(not(go_x_mod), ignore = "golang-go or golang-golang-x-mod-dev is missing")]
fn go_and_we_take_what_the_other_makes() {
    let mut go = Go::start();
    go_opens_our_notes(&mut go);
    go_refuses_what_was_altered_in_our_notes(&mut go);
    we_open_notes_of_go(&mut go);
    checkpoints_are_read_both_ways(&mut go);
    tiles_have_the_same_paths(&mut go);

    let ours = Ours::grown();
    go.ask(&json!({"ask": "grow", "size": SIZE})).agreed();
    inclusion_is_proved_both_ways(&mut go, &ours);
    consistency_is_proved_both_ways(&mut go, &ours);
    go_reads_our_tiles(&mut go, &ours);
    we_read_tiles_of_go(&mut go, &ours);
    go.end();
}

/// The log's own ML-DSA-44 line, and a witness's, are of kinds that Go does not know and must pass over.
fn go_opens_our_notes(go: &mut Go) {
    let key = log_key(1).key().to_string();
    let mut checkpoint = signed(3, [7; 32]);
    let now = Timestamp::from_seconds(1_795_000_000).unwrap();
    let cosigned = witness("witness.example/w", 5).cosign(checkpoint.checkpoint(), now).unwrap();
    checkpoint.add([cosigned]).unwrap();
    for (note, unknown) in [(signed(3, [7; 32]).to_string(), 1), (checkpoint.to_string(), 2)] {
        let opened = go.ask(&json!({"ask": "open note", "text": note, "keys": [key]})).agreed();
        assert_eq!(opened.text, checkpoint.note().text());
        assert_eq!((opened.keys(), opened.unknown), (&["log.example/tenure".to_owned()][..], unknown));
    }
    for text in ["\n", "one line\n", "two\n\nparts\n\n", "ö\n", "\n\n\n"] {
        let note = Note::new(text.to_owned(), vec![log_key(1).sign(text).unwrap()]).unwrap();
        let opened = go.ask(&json!({"ask": "open note", "text": note.to_string(), "keys": [key]})).agreed();
        assert_eq!((opened.text.as_str(), opened.keys().len(), opened.unknown), (text, 1, 0));
    }
}

fn go_refuses_what_was_altered_in_our_notes(go: &mut Go) {
    let (key, another) = (log_key(1).key().to_string(), log_key(2).key().to_string());
    let note = signed(3, [7; 32]).to_string();
    let mut refused = |note: &str, key: &str| {
        let opened = go.ask(&json!({"ask": "open note", "text": note, "keys": [key]}));
        assert_ne!(opened.refused, "", "{note:.60}");
        opened.refused
    };
    refused(&note.replacen("\n3\n", "\n4\n", 1), &key);
    refused(&note, &another);
    refused(note.trim_end(), &key);
    // A key of a kind that Go does not know is no key to it; the note's other signatures are another matter.
    assert!(refused(&note, &log_cosigner(2).key().to_string()).contains("algorithm"));
    let (name, rest) = key.split_once('+').unwrap();
    refused(&note, &format!("another.{name}+{rest}"));
}

fn we_open_notes_of_go(go: &mut Go) {
    let mut make = |name: &str, seed: u8| -> (String, VerifierKey) {
        let made = go.ask(&json!({"ask": "make key", "name": name, "seed": STANDARD.encode([seed; 64])}));
        let made = made.agreed();
        (made.keys()[0].clone(), made.keys()[1].parse().unwrap())
    };
    let (first, first_key) = make("go.example/first", 1);
    let (second, second_key) = make("go.example/zwölf", 2);
    let (known, other) = (verifier(&first_key).unwrap(), verifier(&second_key).unwrap());
    for text in ["\n", "one line\n", "two\n\nparts\n\n", "ö\n"] {
        let made = go.ask(&json!({"ask": "sign note", "text": text, "keys": [first, second]})).agreed().text;
        let note = Note::parse(made.as_bytes()).unwrap();
        assert_eq!((note.text(), note.to_string()), (text, made.clone()));
        assert_eq!(note.verify(&[&*known]).unwrap().len(), 1);
        assert_eq!(note.verify(&[&*known, &*other]).unwrap().len(), 2);
        let altered = Note::new(format!("{text}more\n"), note.signatures().to_vec()).unwrap();
        assert!(altered.verify(&[&*known]).is_err());
    }
}

/// Go's one origin is that of its own log; everything after it is what C2SP's checkpoints took over.
fn checkpoints_are_read_both_ways(go: &mut Go) {
    let origin = "go.sum database tree";
    for (size, root) in [(0, [0; 32]), (1, [255; 32]), (u64::MAX >> 1, [7; 32])] {
        let checkpoint = Checkpoint::new(origin.parse().unwrap(), size, root);
        let read = go.ask(&json!({"ask": "read tree", "text": checkpoint.to_string()})).agreed();
        assert_eq!((read.size, read.hashes()), (size, vec![root]));
        let written = go.ask(&json!({"ask": "write tree", "size": size, "root": base64(&root)})).agreed();
        assert_eq!(written.text.parse(), Ok(checkpoint));
    }
    let made = go.ask(&json!({"ask": "make key", "name": "go.example", "seed": STANDARD.encode([3; 64])}));
    let made = made.agreed();
    let text = go.ask(&json!({"ask": "write tree", "size": 5, "root": base64(&[1; 32])})).agreed().text;
    let note = go.ask(&json!({"ask": "sign note", "text": text, "keys": [made.keys()[0]]})).agreed().text;
    let checkpoint = SignedCheckpoint::parse(note.as_bytes()).unwrap();
    let key = verifier(&made.keys()[1].parse().unwrap()).unwrap();
    assert!(checkpoint.verify(&origin.parse().unwrap(), &[&*key]).is_ok());
    assert_eq!((checkpoint.checkpoint().size(), checkpoint.checkpoint().root()), (5, &[1; 32]));
}

fn tiles_have_the_same_paths(go: &mut Go) {
    let large = (0..100).map(|step| scattered(step) >> (1 + step % 63));
    for (step, index) in (0_u16..).zip([0, 999, 1000, 1_234_067, u64::MAX >> 1].into_iter().chain(large)) {
        let (level, width) = (u8::try_from(step % 64).unwrap(), 256 - step * 37 % 256);
        let tile = Tile::new(level, index, width).unwrap();
        let path = go.ask(&json!({"ask": "tile path", "level": level, "index": index, "width": width}));
        assert_eq!(path.agreed().text, tile.to_string());
    }
}

fn inclusion_is_proved_both_ways(go: &mut Go, ours: &Ours) {
    for (index, size) in places() {
        let (leaf, root) = (ours.leaf(index), ours.root(size));
        let proof = prove_inclusion(index, size, &ours.nodes).unwrap();
        let mut check = |index: u64, leaf: &Hash, proof: &[Hash]| {
            let question = json!({
                "ask": "check record", "hashes": all_base64(proof), "size": size, "root": base64(&root),
                "index": index, "hash": base64(leaf),
            });
            go.ask(&question).refused
        };
        assert_eq!(check(index, leaf, &proof), "", "{index} of {size}");
        for (index, leaf, proof) in altered(index, size, leaf, &proof) {
            assert_ne!(check(index, &leaf, &proof), "", "{index} of {size}");
            assert!(!verify_inclusion(index, size, &leaf, &proof, &root), "{index} of {size}");
        }
        let theirs = go.ask(&json!({"ask": "prove record", "size": size, "index": index})).agreed().hashes();
        assert!(verify_inclusion(index, size, leaf, &theirs, &root), "{index} of {size}");
        assert_eq!(theirs, proof);
    }
}

fn consistency_is_proved_both_ways(go: &mut Go, ours: &Ours) {
    for (place, size) in places() {
        let old = place + 1;
        let (old_root, root) = (ours.root(old), ours.root(size));
        let proof = prove_consistency(old, size, &ours.nodes).unwrap();
        let mut check = |old: u64, old_root: &Hash, proof: &[Hash]| {
            let question = json!({
                "ask": "check tree", "hashes": all_base64(proof), "size": size, "root": base64(&root),
                "old": old, "hash": base64(old_root),
            });
            go.ask(&question).refused
        };
        assert_eq!(check(old, &old_root, &proof), "", "{old} to {size}");
        for (place, old_root, proof) in altered(place, size, &old_root, &proof) {
            let old = place + 1;
            assert_ne!(check(old, &old_root, &proof), "", "{old} to {size}");
            assert!(!verify_consistency(old, size, &proof, &old_root, &root), "{old} to {size}");
        }
        let theirs = go.ask(&json!({"ask": "prove tree", "size": size, "old": old})).agreed().hashes();
        assert!(verify_consistency(old, size, &theirs, &old_root, &root), "{old} to {size}");
        assert_eq!(theirs, proof);
        let theirs = go.ask(&json!({"ask": "root", "size": old})).agreed().hashes();
        assert_eq!(theirs, [old_root]);
    }
}

/// A proof with one thing about it changed: its place, what it starts from, a hash, and how long it is.
fn altered(place: u64, size: u64, from: &Hash, proof: &[Hash]) -> Vec<(u64, Hash, Vec<Hash>)> {
    let mut all =
        vec![(place, leaf_hash(from), proof.to_vec()), (place, *from, [proof, &[leaf_hash(from)]].concat())];
    if size > 1 {
        all.push(((place + 1) % size, *from, proof.to_vec()));
    }
    if let Some((last, rest)) = proof.split_last() {
        all.push((place, *from, rest.to_vec()));
        all.push((place, *from, [rest, &[leaf_hash(last)]].concat()));
        all.push((place, *from, [proof, &[*last]].concat()));
    }
    all
}

/// Go reads files, as of a log that is served from a folder, and checks what they hold against the root.
fn go_reads_our_tiles(go: &mut Go, ours: &Ours) {
    let served = folder("go-tiles");
    drop(fs::remove_dir_all(&served));
    let path = |tile: &Tile| served.join(tile.to_string());
    for (tile, bytes) in &ours.tiles.0 {
        fs::create_dir_all(path(tile).parent().unwrap()).unwrap();
        fs::write(path(tile), bytes).unwrap();
    }
    let root = ours.root(SIZE);
    let mut read = |index: u64| {
        let (folder, root) = (served.to_str().unwrap(), base64(&root));
        go.ask(&json!({
            "ask": "read from tiles", "folder": folder, "size": SIZE, "root": root, "index": index
        }))
    };
    for index in (0..100).map(|step| scattered(step) % SIZE).chain([0, 255, 256, 65_535, 65_536, SIZE - 1]) {
        let read = read(index).agreed().hashes();
        let (leaf, proof) = read.split_first().unwrap();
        assert_eq!(leaf, ours.leaf(index));
        assert!(verify_inclusion(index, SIZE, leaf, proof, &root), "{index}");
    }
    for tile in [(0, 0, 256), (0, 273, 112), (1, 0, 256), (1, 1, 17), (2, 0, 1)] {
        let tile = Tile::new(tile.0, tile.1, tile.2).unwrap();
        let bytes = &ours.tiles.0[&tile];
        // The second hash, where there is one: the sibling on the way up from the leaf that is read.
        let mut wrong = bytes.clone();
        wrong[bytes.len().min(64) - 1] ^= 1;
        fs::write(path(&tile), wrong).unwrap();
        let index = if tile.index() == 0 { 0 } else { SIZE - 1 };
        assert_ne!(read(index).refused, "", "{tile} is altered");
        fs::write(path(&tile), bytes).unwrap();
    }
    read(0).agreed();
}

/// Go lists a partial tile at every width that it passes through, and again if nothing about it changed.
fn we_read_tiles_of_go(go: &mut Go, ours: &Ours) {
    for (old, size) in [(0, 1), (254, 257), (0, 256), (1000, 1000), (1000, 1001), (65_000, SIZE)] {
        let theirs = go.ask(&json!({"ask": "tiles", "old": old, "size": size})).agreed();
        let has = |tile: &Tile, size: u64| Tile::in_tree(tile.level(), tile.index(), size) == Some(*tile);
        let theirs = theirs.tiles().map(|(tile, _)| tile);
        let theirs: BTreeSet<Tile> = theirs.filter(|tile| has(tile, size) && !has(tile, old)).collect();
        assert_eq!(theirs, new_tiles(old, size).collect(), "{old} to {size}");
    }
    let theirs = go.ask(&json!({"ask": "tiles", "old": 0, "size": SIZE})).agreed();
    let theirs = Tiles(theirs.tiles().collect());
    for (tile, bytes) in &ours.tiles.0 {
        assert!(theirs.0.get(tile) == Some(bytes), "{tile}");
    }
    let reader = TileHashReader::new(SIZE, &theirs);
    assert_eq!(tree_root(SIZE, &reader).unwrap(), ours.root(SIZE));
    for index in (0..100).map(|step| scattered(step) % SIZE) {
        let proof = prove_inclusion(index, SIZE, &reader).unwrap();
        assert!(verify_inclusion(index, SIZE, ours.leaf(index), &proof, &ours.root(SIZE)));
    }
    assert_eq!(TileEdge::load(SIZE, &theirs).unwrap().root(), ours.root(SIZE));
}
