//! The proof vectors of the transparency-dev project, right ones and wrong ones.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tenure_tlog::{Hash, verify_consistency, verify_inclusion};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

/// All vectors below a folder.
fn vectors<T: DeserializeOwned>(kind: &str) -> Vec<(PathBuf, T)> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/merkle/testdata").join(kind);
    let mut files = Vec::new();
    collect(&folder, &mut files);
    assert_eq!(files.len(), 98, "vectors of {kind}");
    let parse = |path: &PathBuf| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    files.iter().map(|path| (path.clone(), parse(path))).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// A hash of a vector; none where it is empty, which is no hash and so refused before anything is computed.
///
/// Some are words instead of hashes, and compared only for being equal; zeros behind them keep that.
fn hash(text: Option<&String>) -> Option<Hash> {
    let mut bytes = text.map(|text| STANDARD.decode(text).unwrap()).unwrap_or_default();
    assert!(bytes.len() <= 32, "no vector has a longer hash");
    if bytes.is_empty() {
        return None;
    }
    bytes.resize(32, 0);
    bytes.try_into().ok()
}

fn proof(hashes: Option<&Vec<String>>) -> Option<Vec<Hash>> {
    hashes.into_iter().flatten().map(|text| hash(Some(text))).collect()
}

fn verified(vector: &Inclusion) -> Option<bool> {
    let (root, leaf) = (hash(vector.root.as_ref())?, hash(vector.leaf_hash.as_ref())?);
    let proof = proof(vector.proof.as_ref())?;
    Some(verify_inclusion(vector.leaf_idx, vector.tree_size, &leaf, &proof, &root))
}

fn consistent(vector: &Consistency) -> Option<bool> {
    let (old, new) = (hash(vector.root1.as_ref())?, hash(vector.root2.as_ref())?);
    let proof = proof(vector.proof.as_ref())?;
    Some(verify_consistency(vector.size1, vector.size2, &proof, &old, &new))
}

#[test]
#[cfg_attr(not(shared_data), ignore = "../shared/data is missing")]
fn all_shared_data_inclusion_vectors_agree() {
    for (path, vector) in vectors::<Inclusion>("inclusion") {
        assert_eq!(verified(&vector).unwrap_or(false), !vector.want_err, "{}", path.display());
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "../shared/data is missing")]
fn all_shared_data_consistency_vectors_agree() {
    for (path, vector) in vectors::<Consistency>("consistency") {
        assert_eq!(consistent(&vector).unwrap_or(false), !vector.want_err, "{}", path.display());
    }
}
