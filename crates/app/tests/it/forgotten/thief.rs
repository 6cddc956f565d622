//! A thief who has folders and knows the formats. Nothing here goes through the vault or the app: what is
//! sealed is opened with the cryptographic library alone, so that no check of ours is in the way.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::{aead, hkdf};
use rusqlite::{Connection, Row};
use tenure_model::{Choice, Instant};
use tenure_receipts::{Commitment, Evidence, Link, Opening, Stated, Statement, Subject, commit};

pub(crate) type Secret = [u8; 32];

/// AES-256-GCM-SIV, whose id is the first byte of what it sealed.
const GCM_SIV: u8 = 2;
const PROOF_TREE: u8 = 6;

/// The page keys of a key folder, and everything else there that could be one.
pub(crate) struct Keys {
    /// By page: the tree that it hangs in, and its key.
    pub(crate) pages: HashMap<Vec<u8>, (u8, Secret)>,
    /// `root.key` and `identity.key`.
    pub(crate) others: Vec<Secret>,
}

impl Keys {
    pub(crate) fn read(folder: &Path) -> Self {
        let secret = |name: &str| Secret::try_from(fs::read(folder.join(name)).unwrap()).unwrap();
        let root = secret("root.key");
        let mut pages = HashMap::new();
        for file in files(folder).iter().filter(|file| file.extension().is_some_and(|it| it == "bundle")) {
            let number = u64::from_str_radix(file.file_stem().unwrap().to_str().unwrap(), 16).unwrap();
            let bytes = fs::read(file).unwrap();
            let (header, sealed) = bytes.split_at(13);
            let names = bound("tenure/bundle/v1", &[header, &number.to_be_bytes()]);
            let entries = open(&ready(&derive(&root, "tenure/bundle/v1")), &names, sealed).unwrap();
            for entry in entries.chunks(48) {
                pages.insert(entry[..16].to_vec(), (header[12], entry[16..].try_into().unwrap()));
            }
        }
        Self { pages, others: vec![root, secret("identity.key")] }
    }

    /// The keys of pages of proof keys.
    pub(crate) fn of_proofs(&self) -> impl Iterator<Item = (&Vec<u8>, &Secret)> {
        self.pages.iter().filter(|(_, (tree, _))| *tree == PROOF_TREE).map(|(page, (_, key))| (page, key))
    }

    /// Everything of 32 bytes that can be had from the folder.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        self.pages.values().map(|(_, key)| *key).chain(self.others.clone()).collect()
    }
}

/// Page keys made ready to be tried on wraps of proof keys.
pub(crate) struct Picks(Vec<(Vec<u8>, aead::LessSafeKey)>);

impl Picks {
    pub(crate) fn new(keys: &Keys) -> Self {
        let pick = |page: &Vec<u8>, key: &Secret| (page.clone(), ready(&derive(key, "tenure/proof/v1")));
        let mut picks: Vec<_> = keys.pages.iter().map(|(page, (_, key))| pick(page, key)).collect();
        picks.extend(keys.others.iter().map(|key| pick(&vec![0; 16], key)));
        Self(picks)
    }

    /// The proof key in a wrap, if any key opens it, bound to the page that the wrap names or to its own.
    pub(crate) fn pick(&self, id: &str, named: &[u8], wrap: &[u8]) -> Option<Secret> {
        self.0.iter().find_map(|(page, key)| {
            [named, page].into_iter().find_map(|page| {
                let names = bound("tenure/proof/v1", &[&[0], id.as_bytes(), page]);
                open(key, &names, wrap)?.try_into().ok()
            })
        })
    }
}

/// What a data folder says of one account that decided.
pub(crate) struct Stolen {
    pub(crate) id: String,
    /// The page that its proof key is wrapped under, and the wrap.
    pub(crate) wrap: Option<(Vec<u8>, Vec<u8>)>,
    at: Instant,
    link: Link,
    commitment: Commitment,
    sealed: Vec<u8>,
}

impl Stolen {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let page: Option<Vec<u8>> = row.get("proof_page")?;
        Ok(Self {
            id: row.get("id")?,
            wrap: page.map(|page| Ok::<_, rusqlite::Error>((page, row.get("proof_wrap")?))).transpose()?,
            at: Instant::from_micros(row.get("at")?).unwrap(),
            link: Link {
                version: row.get::<_, i64>("version")?.try_into().unwrap(),
                previous: row.get("previous")?,
            },
            commitment: row.get("commitment")?,
            sealed: row.get("sealed")?,
        })
    }

    /// What a proof key shows: the opening and the answer.
    pub(crate) fn open(&self, proof: &Secret) -> Option<(Opening, Choice)> {
        let version = self.link.version.to_be_bytes();
        let fields: [&[u8]; 4] = [b"tenure/statement/v2", b"", self.id.as_bytes(), &version];
        let bytes = open(&ready(proof), &bound("tenure/proof-blob/v1", &fields), &self.sealed)?;
        let evidence = Evidence::from_bytes(&bytes).unwrap();
        match Stated::read(&evidence.statement).unwrap().statement {
            Statement::Decision { choice, .. } => Some((evidence.opening, choice)),
            other => panic!("{}", other.kind()),
        }
    }

    /// The answers that the leaf is a commitment to, if one of these openings is its own.
    pub(crate) fn guess(&self, openings: &[Opening]) -> Vec<Choice> {
        let subject = Subject { organisation: None, account: &self.id };
        let fits = |choice: &Choice| {
            let statement = decision(self.at, *choice);
            openings.iter().any(|opening| commit(opening, subject, &self.link, &statement) == self.commitment)
        };
        [Choice::On, Choice::Off].into_iter().filter(fits).collect()
    }

    /// Every 32 bytes of the account's own rows that could be what opens its leaf.
    pub(crate) fn own(&self) -> Vec<Opening> {
        let wrap = self.wrap.as_ref().map_or(&[][..], |(_, wrap)| wrap);
        let ends = |bytes: &[u8]| {
            let (first, last) = (bytes.first_chunk::<32>(), bytes.last_chunk::<32>());
            first.into_iter().chain(last).copied().collect::<Vec<_>>()
        };
        let fixed = [[0; 32], self.commitment, self.link.previous];
        fixed.into_iter().chain(ends(&self.sealed)).chain(ends(wrap)).map(Opening).collect()
    }
}

/// The statement that a decision of the world is, with either answer.
pub(crate) fn decision(at: Instant, choice: Choice) -> Vec<u8> {
    let statement = Statement::Decision {
        policy: "consumer".to_owned(),
        version: "2025-10-08".to_owned(),
        purpose: "train".to_owned(),
        choice,
        evidence: None,
    };
    Stated::new(at, statement).canonical().unwrap()
}

/// The decisions in a data folder, with its write-ahead log.
pub(crate) fn decisions(data: &Path) -> Vec<Stolen> {
    let sql = "SELECT a.id, a.proof_page, a.proof_wrap, d.at, d.version, d.commitment, d.sealed,
            p.commitment AS previous
        FROM accounts a
        JOIN statements d ON d.account = a.key AND d.kind = 'decision'
        JOIN statements p ON p.account = a.key AND p.version = d.version - 1
        ORDER BY a.key";
    with_database(data, |database| {
        let mut query = database.prepare(sql).unwrap();
        query.query_map([], Stolen::read).unwrap().map(Result::unwrap).collect()
    })
}

/// Opens a copy of the database, since SQLite would change the write-ahead log of the one that lies there.
pub(crate) fn with_database<T>(data: &Path, look: impl FnOnce(&Connection) -> T) -> T {
    let scratch = tempfile::tempdir().unwrap();
    copy(data, scratch.path());
    look(&Connection::open(scratch.path().join("tenure.db")).unwrap())
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for file in files(from) {
        let place = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(&file, place).unwrap();
    }
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Secrets that are looked for, as they are and in hexadecimal.
pub(crate) struct Wanted {
    /// Whether any of them begins with these three bytes: this keeps the search of every place quick.
    begins: Vec<bool>,
    by_head: HashMap<[u8; 8], Vec<Vec<u8>>>,
}

impl Wanted {
    pub(crate) fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut wanted = Self { begins: vec![false; 1 << 24], by_head: HashMap::new() };
        for secret in secrets {
            let mut hex = String::new();
            for byte in secret {
                write!(hex, "{byte:02x}").unwrap();
            }
            for needle in [secret.to_vec(), hex.into_bytes()] {
                wanted.begins[begin(&needle)] = true;
                wanted.by_head.entry(*needle.first_chunk().unwrap()).or_default().push(needle);
            }
        }
        wanted
    }

    /// How often one of them occurs in any of these bytes.
    pub(crate) fn count(&self, bytes: &[u8]) -> usize {
        let mut found = 0;
        let mut last = 0_usize;
        for (place, byte) in bytes.iter().enumerate() {
            last = (last << 8 | usize::from(*byte)) & 0xff_ffff;
            if self.begins[last] && place >= 2 {
                let rest = &bytes[place - 2..];
                let here = rest.first_chunk().and_then(|head| self.by_head.get(head));
                found += here.map_or(0, |these| these.iter().filter(|it| rest.starts_with(it)).count());
            }
        }
        found
    }

    /// How often one of them occurs in any file of a folder.
    pub(crate) fn count_in(&self, folder: &Path) -> usize {
        files(folder).iter().map(|file| self.count(&fs::read(file).unwrap())).sum()
    }
}

fn begin(bytes: &[u8]) -> usize {
    bytes.iter().take(3).fold(0, |all, byte| all << 8 | usize::from(*byte))
}

fn derive(input: &[u8], info: &str) -> Secret {
    struct Length;
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            32
        }
    }
    let mut secret = [0; 32];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(input);
    extracted.expand(&[info.as_bytes()], Length).unwrap().fill(&mut secret).unwrap();
    secret
}

fn ready(key: &Secret) -> aead::LessSafeKey {
    aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM_SIV, key).unwrap())
}

/// What something sealed is bound to: label, algorithm and fields, each with its length before it.
fn bound(label: &str, fields: &[&[u8]]) -> Vec<u8> {
    let all = [label.as_bytes(), &[GCM_SIV]].into_iter().chain(fields.iter().copied());
    all.flat_map(|field| [&(field.len() as u64).to_be_bytes(), field].concat()).collect()
}

fn open(key: &aead::LessSafeKey, names: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.strip_prefix(&[GCM_SIV])?.split_first_chunk::<12>()?;
    let mut text = text.to_vec();
    let nonce = aead::Nonce::assume_unique_for_key(*nonce);
    key.open_in_place(nonce, aead::Aad::from(names), &mut text).ok().map(|opened| opened.to_vec())
}
