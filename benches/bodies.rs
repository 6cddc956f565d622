//! Storing bodies durably: in the vault, beside plain AES-256-GCM with a durable write, and beside PostgreSQL.
//!
//! `cargo bench -p tenure-benches --bench bodies`. PostgreSQL is compared with where its programs are installed
//! (`apt-get install postgresql`, or `POSTGRES_BIN` names their folder).

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant as Clock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use postgres::{Client, Config, NoTls, Transaction};
use tenure_benches::{Outcome, Scatter, conversation, import, median, number, say, tenure};
use tenure_model::Instant;
use tenure_vault::{PackId, SegmentName, Vault};

/// How much is stored of each length in one round.
const ROUND_BYTES: usize = 48 << 20;
/// How much is made durable at once; ingestion commits as much.
const BATCH_BYTES: usize = 12 << 20;
const ROUNDS: usize = 5;
const POLICY: &str = include_str!("../policies/example.toml");

fn main() -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = Vault::create(&folder.path().join("data"), &folder.path().join("keys"))?;
    let mut server = Server::start()?;
    if server.is_none() {
        say("PostgreSQL is not installed here: it is not compared with")?;
    }
    for length in [1 << 10, 4 << 10, 16 << 10, 256 << 10] {
        let bodies = Bodies::new(length);
        let (mut plain, mut vaulted, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        let (mut inserted, mut copied) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let files = tempfile::tempdir_in(folder.path())?;
            settle()?;
            plain.push(
                bodies.rate(|batch, number| store_plain(&files.path().join(number.to_string()), batch))?,
            );
            let mut packs = Vec::new();
            settle()?;
            vaulted.push(bodies.rate(|batch, _| {
                packs.push(store_in_vault(&vault, batch)?);
                Ok(())
            })?);
            // What is stored is removed between two measurements, so that none is slowed by what came before.
            vault.remove_packs(&packs)?;
            drop(files);
            settle()?;
            whole.push(ingest(&bodies)?);
            if let Some(server) = &mut server {
                settle()?;
                inserted.push(server.rate(&bodies, insert)?);
                settle()?;
                copied.push(server.rate(&bodies, copy)?);
            }
        }
        report(length, [plain, vaulted, whole, inserted, copied].map(median))?;
    }
    Ok(())
}

/// Has the system write what it still owes the disk, so that nobody pays for what another left behind.
fn settle() -> Outcome {
    if Command::new("sync").status()?.success() { Ok(()) } else { Err("`sync` failed".into()) }
}

/// Megabytes a second, of each way to store bodies of one length.
fn report(length: usize, [plain, vaulted, whole, inserted, copied]: [f64; 5]) -> Outcome {
    say(format_args!("bodies of {} KiB, {} MiB committed at once", length >> 10, BATCH_BYTES >> 20))?;
    say(format_args!("    in the vault                             {vaulted:7.0} MB/s"))?;
    say(format_args!(
        "    plain AES-256-GCM and a durable write    {plain:7.0} MB/s   the vault does {:.2} of it (goal: at least 0.5)",
        vaulted / plain
    ))?;
    if inserted > 0.0 {
        say(format_args!(
            "    PostgreSQL, `bytea` by INSERT            {inserted:7.0} MB/s   the vault does {:.2} of it (goal: at least 3)",
            vaulted / inserted
        ))?;
        say(format_args!(
            "    PostgreSQL, `bytea` by binary COPY       {copied:7.0} MB/s   the vault does {:.2} of it",
            vaulted / copied
        ))?;
    }
    say(format_args!("    the whole of ingestion                   {whole:7.0} MB/s"))
}

/// Bodies of one length, and how many make a batch.
struct Bodies {
    length: usize,
    /// Enough different ones for a batch; they are stored again and again.
    texts: Vec<Vec<u8>>,
    batches: usize,
}

impl Bodies {
    fn new(length: usize) -> Self {
        let mut scatter = Scatter::new(length as u64);
        let texts = (0..BATCH_BYTES / length).map(|_| scatter.bytes(length)).collect();
        Self { length, texts, batches: ROUND_BYTES / BATCH_BYTES }
    }

    fn megabytes(&self) -> f64 {
        number(self.texts.len() * self.length * self.batches) / 1e6
    }

    /// Stores every batch, and says how many megabytes a second were durable.
    fn rate(&self, mut store: impl FnMut(&[Vec<u8>], usize) -> Outcome) -> Outcome<f64> {
        let begun = Clock::now();
        for batch in 0..self.batches {
            store(&self.texts, batch)?;
        }
        Ok(self.megabytes() / begun.elapsed().as_secs_f64())
    }
}

/// Each body under a key of its own, all of a batch in one file.
fn store_plain(place: &Path, bodies: &[Vec<u8>]) -> Outcome {
    let mut sealed = Vec::with_capacity(BATCH_BYTES + 32 * bodies.len());
    for body in bodies {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &secret)?;
        let at = sealed.len();
        sealed.extend_from_slice(body);
        let text = sealed.get_mut(at..).ok_or("nothing to seal")?;
        let (nonce, tag) = key.seal_in_place_separate_tag(Aad::empty(), text)?;
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
    }
    let mut file = File::create_new(place)?;
    file.write_all(&sealed)?;
    file.sync_all()?;
    // Its name too, as a pack's is.
    File::open(place.parent().ok_or("the file lies nowhere")?)?.sync_all()?;
    Ok(())
}

/// As ingestion stores them: a new key for each body, packs that are durable before any row speaks of them.
fn store_in_vault(vault: &Vault, bodies: &[Vec<u8>]) -> Outcome<PackId> {
    let name = SegmentName { organisation: None, account: "account", record: "record", number: 0 };
    let mut pack = vault.pack_writer()?;
    let id = pack.id();
    for body in bodies {
        pack.add(&vault.body_key()?, &name, body)?;
    }
    vault.finish(pack)?;
    Ok(id)
}

/// A message for each body through the whole of ingestion: judged, wrapped and filed as two copies, with its rows.
fn ingest(bodies: &Bodies) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let now: Instant = "2025-09-01T00:00:00Z".parse()?;
    let (tenure, _store) = tenure(folder.path(), POLICY, now)?;
    let count = bodies.texts.len() * bodies.batches;
    let conversations: Vec<_> = (0..count as u64)
        .map(|id| conversation(&format!("account-{}", id % 100), id, now, 1, bodies.length))
        .collect();
    let begun = Clock::now();
    import(&tenure, conversations.into_iter(), now)?;
    Ok(bodies.megabytes() / begun.elapsed().as_secs_f64())
}

/// A PostgreSQL server of its own, which is stopped and forgotten at the end.
struct Server {
    programs: PathBuf,
    folder: PathBuf,
    client: Option<Client>,
}

impl Server {
    /// Starts a server, if there is one to start.
    fn start() -> Outcome<Option<Self>> {
        let Some(programs) = programs()? else { return Ok(None) };
        let made = as_server("mktemp").args(["-d", "/tmp/tenure-bench-XXXXXX"]).output()?;
        let folder = PathBuf::from(String::from_utf8(made.stdout)?.trim());
        let mut server = Self { programs, folder, client: None };
        let data = server.folder.join("data");
        server.run("initdb", &["--auth=trust", "--username=bench", "--pgdata"], &data)?;
        // Durable as it is by default; with memory and room for its log, so that it is not held up by checkpoints.
        let settings = format!(
            "-c listen_addresses='' -c unix_socket_directories={} -c shared_buffers=1GB -c max_wal_size=8GB -c \
             fsync=on -c synchronous_commit=on",
            server.folder.display()
        );
        server.run("pg_ctl", &["start", "--wait", "--silent", "--options", &settings, "--pgdata"], &data)?;
        let folder = server.folder.to_str().ok_or("the folder's name is not text")?.to_owned();
        server.client = Some(Config::new().host(&folder).user("bench").dbname("postgres").connect(NoTls)?);
        Ok(Some(server))
    }

    fn run(&self, program: &str, arguments: &[&str], data: &Path) -> Outcome {
        let mut command = as_server(&self.programs.join(program).display().to_string());
        let status = command.args(arguments).arg(data).stdout(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(format!("`{program}` failed").into()) }
    }

    /// The same bodies in the same batches, each batch a transaction. They can't be compressed, and the table says
    /// so, which spares the server from trying.
    fn rate(&mut self, bodies: &Bodies, store: Storing) -> Outcome<f64> {
        let client = self.client.as_mut().ok_or("there is no connection")?;
        client.batch_execute(
            "DROP TABLE IF EXISTS bodies; CREATE TABLE bodies (id bigint PRIMARY KEY, body bytea NOT NULL); ALTER \
             TABLE bodies ALTER body SET STORAGE EXTERNAL; CHECKPOINT",
        )?;
        let mut id = 0_i64;
        bodies.rate(|batch, _| {
            let mut transaction = client.transaction()?;
            store(&mut transaction, batch, &mut id)?;
            transaction.commit()?;
            Ok(())
        })
    }
}

type Storing = fn(&mut Transaction<'_>, &[Vec<u8>], &mut i64) -> Outcome;

/// As services store what they are sent: a prepared statement for each.
fn insert(transaction: &mut Transaction<'_>, batch: &[Vec<u8>], id: &mut i64) -> Outcome {
    let statement = transaction.prepare("INSERT INTO bodies (id, body) VALUES ($1, $2)")?;
    for body in batch {
        *id += 1;
        transaction.execute(&statement, &[id, body])?;
    }
    Ok(())
}

/// As a bulk loader does.
fn copy(transaction: &mut Transaction<'_>, batch: &[Vec<u8>], id: &mut i64) -> Outcome {
    let mut copy = transaction.copy_in("COPY bodies FROM STDIN (FORMAT binary)")?;
    copy.write_all(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0")?;
    for body in batch {
        *id += 1;
        copy.write_all(&2_i16.to_be_bytes())?;
        copy.write_all(&8_i32.to_be_bytes())?;
        copy.write_all(&id.to_be_bytes())?;
        copy.write_all(&i32::try_from(body.len())?.to_be_bytes())?;
        copy.write_all(body)?;
    }
    copy.write_all(&(-1_i16).to_be_bytes())?;
    copy.finish()?;
    Ok(())
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.client.take());
        let data = self.folder.join("data");
        // What can't be stopped or removed any more is left; the benchmark has its figures.
        drop(self.run("pg_ctl", &["stop", "--mode=immediate", "--silent", "--pgdata"], &data));
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Where the server's programs are.
fn programs() -> Outcome<Option<PathBuf>> {
    if let Some(folder) = std::env::var_os("POSTGRES_BIN") {
        return Ok(Some(folder.into()));
    }
    let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") else { return Ok(None) };
    let mut found = Vec::new();
    for version in versions {
        let programs = version?.path().join("bin");
        if programs.join("initdb").exists() {
            found.push(programs);
        }
    }
    found.sort();
    Ok(found.pop())
}

/// A command as a user that the server agrees to run as: it refuses the superuser.
fn as_server(program: &str) -> Command {
    let is_superuser =
        Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !is_superuser {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", program]);
    command
}
