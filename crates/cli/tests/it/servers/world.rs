//! A data folder whose bodies lie in a bucket and whose root key a server wraps.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rusqlite::{Connection, OpenFlags, Row};
use serde_json::{Value, json};
use tenure_vault::openbao::OpenBao;
use tenure_vault::seaweed::{Keeps, Seaweed};

use crate::folder::jsonl;
use crate::{code, root, stderr, stdout};

pub(super) const IMPORTED: &str = "2025-10-20T00:00:00Z";
pub(super) const ERASED: &str = "2025-10-21T00:00:00Z";
/// By now what was erased is due, and so is what those left who never allowed training.
pub(super) const SWEPT: &str = "2026-06-01T00:00:00Z";
pub(super) const SWEEP: [&str; 6] = ["sweep", "--yes", "--expect", "1000000", "--at", SWEPT];

/// Conversations come in so many imports, so that they lie in at least so many packs.
const IMPORTS: usize = 5;
const CONVERSATIONS: usize = 12;
/// People who have a conversation in each import.
pub(super) const PEOPLE: usize = 8;

const BUCKET: &str = "bodies";

/// What is said in a conversation: words that nobody else would say.
pub(super) fn marker(account: usize) -> String {
    format!("a sentence that only person {account} says 7f3a")
}

/// Both servers.
pub(super) struct Servers {
    pub(super) seaweed: Seaweed,
    pub(super) openbao: OpenBao,
}

impl Servers {
    /// Starts them; none where tests are told to do without.
    pub(super) fn start(keeps: Keeps) -> Option<Self> {
        let seaweed = Seaweed::start()?;
        seaweed.make_bucket(BUCKET, keeps);
        Some(Self { seaweed, openbao: OpenBao::start_lasting().unwrap() })
    }
}

/// A row of the database that tells how copies stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    class: String,
    stage: i64,
    copies: i64,
}

/// A data folder, the key folder beside it, and a place in the bucket.
pub(super) struct World {
    folder: tempfile::TempDir,
    prefix: String,
    variables: [(&'static str, String); 4],
}

impl World {
    /// A folder that is set up.
    pub(super) fn new(servers: &Servers) -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            prefix: "vaults/first".to_owned(),
            variables: [
                ("AWS_ACCESS_KEY_ID", Seaweed::KEY_ID.to_owned()),
                ("AWS_SECRET_ACCESS_KEY", Seaweed::SECRET.to_owned()),
                ("VAULT_ADDR", servers.openbao.url()),
                ("VAULT_TOKEN", OpenBao::TOKEN.to_owned()),
            ],
        };
        let place = format!("s3://{BUCKET}/{}", world.prefix);
        let key = format!("{}/first", OpenBao::MOUNT);
        world.done(&[
            "init",
            "--simulated",
            "--at",
            "2025-05-02T00:00:00Z",
            "--bodies",
            &place,
            "--s3-endpoint",
            &servers.seaweed.endpoint(),
            "--key-store",
            &format!("transit:{key}"),
        ]);
        world.done(&["policy", "publish", "policies/claude-consumer", "--at", "2025-09-27T00:00:00Z"]);
        world
    }

    /// A folder with everything imported, in which half of the people allow training, and two were erased: one of
    /// those who do, and one of those who don't.
    pub(super) fn erased(servers: &Servers) -> Self {
        let world = Self::imported(servers);
        for account in ["a0", "a1"] {
            world.done(&["erase", "--account", account, "--yes", "--at", ERASED]);
        }
        world
    }

    /// The same, before anybody was erased.
    pub(super) fn imported(servers: &Servers) -> Self {
        let world = Self::new(servers);
        for number in 0..IMPORTS {
            let export = world.file("export.jsonl", &jsonl(&export(number)));
            world.done(&["import", "tenure", &export, "--at", IMPORTED]);
        }
        let yes = (0..PEOPLE)
            .step_by(2)
            .map(|id| json!({"account": format!("a{id}"), "purpose": "train", "choice": "on"}));
        let file = world.file("decisions.jsonl", &jsonl(&yes.collect::<Vec<_>>()));
        world.done(&["decide", "--from", &file, "--at", IMPORTED]);
        world
    }

    /// The same vault once more: the same folders, and all its objects under another prefix. Only one of the two may
    /// replace the root key.
    pub(super) fn twin(&self, servers: &Servers, name: &str) -> Self {
        let (folder, prefix) = (tempfile::tempdir().unwrap(), format!("vaults/{name}"));
        let twin = Self { folder, prefix, variables: self.variables.clone() };
        copy(&self.data(), &twin.data());
        copy(&self.keys(), &twin.keys());
        let place = twin.data().join("packs-place");
        let said = fs::read_to_string(&place).unwrap();
        assert!(said.contains(&self.prefix));
        fs::write(&place, said.replace(&self.prefix, &twin.prefix)).unwrap();
        for (name, _) in self.objects(servers) {
            let content = servers.seaweed.object(BUCKET, &format!("{}/{name}", self.prefix), None);
            servers.seaweed.put_object(BUCKET, &format!("{}/{name}", twin.prefix), content.to_vec());
        }
        twin
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn keys(&self) -> PathBuf {
        self.folder.path().join("data-keys")
    }

    /// Saves the key folder as a thief would.
    pub(super) fn saved_keys(&self) -> PathBuf {
        let saved = self.folder.path().join("saved-keys");
        copy(&self.keys(), &saved);
        saved
    }

    /// A file beside the data folder.
    pub(super) fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Begins a command.
    pub(super) fn begun(&self, args: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
        for (name, _) in std::env::vars_os() {
            let name = name.into_string().unwrap_or_default();
            if ["AWS_", "VAULT_", "BAO_"].iter().any(|beginning| name.starts_with(beginning)) {
                command.env_remove(name);
            }
        }
        command.envs(self.variables.clone()).arg("--data").arg(self.data()).args(args);
        command.current_dir(root()).env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(super) fn run(&self, args: &[&str]) -> Output {
        self.begun(args).wait_with_output().unwrap()
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub(super) fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(code(&output), 0, "{args:?}: {}{}", stdout(&output), stderr(&output));
        stdout(&output)
    }

    pub(super) fn json(&self, args: &[&str]) -> Value {
        let printed = self.done(&[&["--json"], args].concat());
        serde_json::from_str(&printed).unwrap()
    }

    /// Fails unless everything opens and can be read, nothing is left over, and the log verifies.
    pub(super) fn is_sound(&self) {
        let diagnosis = self.json(&["doctor", "--full"]);
        assert_eq!(diagnosis["sound"], true, "{diagnosis}");
        self.done(&["ledger", "verify"]);
    }

    /// What the place in the bucket holds, by the names within it: old versions and marks of deletions too.
    pub(super) fn objects(&self, servers: &Servers) -> Vec<(String, String)> {
        let place = format!("{}/", self.prefix);
        let all = servers.seaweed.everything_in(BUCKET).into_iter();
        all.filter_map(|(name, version)| Some((name.strip_prefix(&place)?.to_owned(), version))).collect()
    }

    /// The packs of them.
    pub(super) fn packs_there(&self, servers: &Servers) -> BTreeSet<String> {
        let names = self.objects(servers).into_iter().map(|(name, _)| name);
        names.filter(|name| name != "vault-mark").collect()
    }

    /// The content of one version of an object.
    pub(super) fn object(&self, servers: &Servers, (name, version): &(String, String)) -> Vec<u8> {
        let version = Some(version.as_str()).filter(|version| *version != "null");
        servers.seaweed.object(BUCKET, &format!("{}/{name}", self.prefix), version).to_vec()
    }

    /// Rows of the database, which is only read.
    pub(super) fn rows<T>(&self, sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(self.data().join("tenure.db"), flags).unwrap();
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| read(row)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    fn names(&self, sql: &str) -> BTreeSet<String> {
        self.rows(sql, |row| row.get(0)).into_iter().collect()
    }

    /// Packs that the database says are there.
    pub(super) fn packs_known(&self) -> BTreeSet<String> {
        self.names("SELECT lower(hex(id)) FROM packs WHERE removed_at IS NULL")
    }

    /// Packs of which the database says that they are gone, by themselves or because something in them is said to be.
    pub(super) fn packs_said_to_be_gone(&self) -> BTreeSet<String> {
        self.names(
            "SELECT lower(hex(id)) FROM packs WHERE removed_at IS NOT NULL
             UNION SELECT lower(hex(pack)) FROM batch_packs JOIN batches ON batches.id = batch WHERE stage >= 4",
        )
    }

    /// How copies stand, by class and stage.
    pub(super) fn standing(&self) -> Vec<Standing> {
        self.rows(
            "SELECT name, state, count(*) FROM copies JOIN classes ON classes.id = class
             GROUP BY name, state ORDER BY name, state",
            |row| Ok(Standing { class: row.get(0)?, stage: row.get(1)?, copies: row.get(2)? }),
        )
    }
}

/// What one import brings: a few conversations of each person.
fn export(number: usize) -> Vec<Value> {
    let accounts = (0..PEOPLE)
        .map(|id| json!({"type": "account", "id": format!("a{id}"), "country": "US", "minor": false}));
    let conversations = (0..CONVERSATIONS).map(|id| {
        let account = id % PEOPLE;
        let messages: Vec<Value> = (0..4)
            .map(|place| {
                let text = format!("{} for the {place}. time in {number}-{id}", marker(account));
                json!({"id": format!("{number}-{id}-{place}"), "at": format!("2025-10-1{}T10:00:0{place}Z", id % 9),
                    "role": "human", "text": text})
            })
            .collect();
        json!({"type": "conversation", "id": format!("{number}-{id}"), "account": format!("a{account}"),
            "surface": "pro", "country": "US", "scanned": true, "messages": messages})
    });
    accounts.chain(conversations).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
