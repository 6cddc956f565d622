//! A log in memory, honest or not, and a server for it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use tenure_server::{KnownLog, Limits, LogSource, Patience, Reporter, SourceError};
use tenure_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tenure_tlog::cosignature::{Cosigner, Timestamp};
use tenure_tlog::crypto::{Ed25519SecretKey, MlDsa44SecretKey};
use tenure_tlog::incremental::TileEdge;
use tenure_tlog::leaf_hash;
use tenure_tlog::note::{Ed25519Signer, VerifierKey};
use tenure_tlog::tile::{Bundle, Resource, push_entry};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) const ORIGIN: &str = "log.example/tenure";

/// The keys of a log.
pub(crate) struct Keys {
    ed25519: Ed25519Signer<Ed25519SecretKey>,
    ml_dsa_44: Cosigner<MlDsa44SecretKey>,
}

impl Keys {
    pub(crate) fn new(origin: &str, seed: u8) -> Self {
        let name: tenure_tlog::note::KeyName = origin.parse().unwrap();
        let ed25519 = Ed25519SecretKey::from_seed(&[seed; 32]);
        let ml_dsa_44 = MlDsa44SecretKey::from_seed(&[seed; 32]);
        Self {
            ed25519: Ed25519Signer::new(name.clone(), ed25519).unwrap(),
            ml_dsa_44: Cosigner::ml_dsa_44(name, ml_dsa_44).unwrap(),
        }
    }

    pub(crate) fn public(&self) -> Vec<VerifierKey> {
        vec![self.ed25519.key().clone(), self.ml_dsa_44.key().clone()]
    }

    pub(crate) fn sign(&self, checkpoint: Checkpoint) -> SignedCheckpoint {
        let signatures = vec![
            self.ed25519.sign(&checkpoint.to_string()).unwrap(),
            self.ml_dsa_44.cosign(&checkpoint, Timestamp::NONE).unwrap(),
        ];
        SignedCheckpoint::new(checkpoint, signatures).unwrap()
    }
}

/// Entries that differ by their index and by what they tell.
pub(crate) fn entry(tale: u8, index: u64) -> Vec<u8> {
    let mut entry = vec![1, tale];
    entry.resize(25, 0);
    entry.extend_from_slice(&index.to_be_bytes());
    entry
}

/// A log in memory. Whatever it serves can be altered.
pub(crate) struct MemoryLog {
    pub(crate) keys: Keys,
    origin: String,
    edge: TileEdge,
    entries: Vec<Vec<u8>>,
    served: Mutex<HashMap<Resource, Vec<u8>>>,
    asked: Mutex<Vec<Resource>>,
}

impl MemoryLog {
    pub(crate) fn new() -> Self {
        Self::of(ORIGIN)
    }

    pub(crate) fn of(origin: &str) -> Self {
        let log = Self {
            keys: Keys::new(origin, 7),
            origin: origin.to_owned(),
            edge: TileEdge::new(),
            entries: Vec::new(),
            served: Mutex::default(),
            asked: Mutex::default(),
        };
        log.sign();
        log
    }

    /// A log of `size` entries.
    pub(crate) fn with(size: u64) -> Self {
        let mut log = Self::new();
        log.grow(0, size);
        log
    }

    /// Grows to `size` entries that tell this tale.
    pub(crate) fn grow(&mut self, tale: u8, size: u64) {
        for index in self.edge.size()..size {
            self.push(entry(tale, index));
        }
        self.commit();
    }

    pub(crate) fn push(&mut self, entry: Vec<u8>) {
        for (tile, bytes) in self.edge.append(leaf_hash(&entry)) {
            self.served.lock().unwrap().insert(Resource::Tile(tile), bytes);
        }
        self.entries.push(entry);
        if self.entries.len().is_multiple_of(256) {
            self.put_bundle(u64::try_from(self.entries.len()).unwrap() / 256 - 1);
        }
    }

    pub(crate) fn commit(&mut self) {
        let partial: Vec<_> =
            self.edge.partial_tiles().map(|(tile, bytes)| (Resource::Tile(tile), bytes.to_vec())).collect();
        self.served.lock().unwrap().extend(partial);
        if !self.entries.len().is_multiple_of(256) {
            self.put_bundle(self.edge.size() / 256);
        }
        self.sign();
    }

    fn put_bundle(&self, index: u64) {
        let bundle = Bundle::in_log(index, self.edge.size()).unwrap();
        let start = usize::try_from(index * 256).unwrap();
        let mut bytes = Vec::new();
        for entry in &self.entries[start..start + usize::from(bundle.width())] {
            push_entry(&mut bytes, entry).unwrap();
        }
        self.served.lock().unwrap().insert(Resource::Entries(bundle), bytes);
    }

    fn sign(&self) {
        let signed = self.keys.sign(self.checkpoint());
        self.put(Resource::Checkpoint, signed.to_string().into_bytes());
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new(self.origin.parse().unwrap(), self.edge.size(), self.edge.root())
    }

    pub(crate) fn signed(&self) -> SignedCheckpoint {
        self.keys.sign(self.checkpoint())
    }

    pub(crate) fn known(&self) -> KnownLog {
        KnownLog::named_by(self.keys.public()).unwrap()
    }

    pub(crate) fn put(&self, resource: Resource, bytes: Vec<u8>) {
        self.served.lock().unwrap().insert(resource, bytes);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.served.lock().unwrap().remove(&path.parse().unwrap()).unwrap();
    }

    /// Changes one byte of what is served at a path.
    pub(crate) fn alter(&self, path: &str, place: usize) {
        let mut served = self.served.lock().unwrap();
        served.get_mut(&path.parse().unwrap()).unwrap()[place] ^= 0x40;
    }

    /// What was asked for since the last time this was asked.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().drain(..).map(|resource| resource.to_string()).collect()
    }
}

impl LogSource for MemoryLog {
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        self.asked.lock().unwrap().push(resource);
        Ok(self.served.lock().unwrap().get(&resource).cloned())
    }
}

/// A router on a loopback address, until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(router: Router) -> Self {
        let quick = Limits {
            keep_alive: Duration::from_secs(1),
            connections: 4,
            head: Duration::from_millis(500),
            idle: Duration::from_secs(8),
            request: Duration::from_secs(5),
            connection: Duration::from_secs(20),
            farewell: Duration::from_secs(1),
        };
        Self::start_with(router, quick)
    }

    pub(crate) fn start_with(router: Router, limits: Limits) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                let stopped = async { drop(stopped.await) };
                tenure_server::serve(listener, router, limits, stopped).await.unwrap();
            });
        });
        Self { address: address.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

pub(crate) fn silent() -> Reporter {
    Reporter::new(|_| {})
}

/// Few tries, and short waits between them.
pub(crate) fn hasty() -> Patience {
    Patience { attempts: 2, pause: Duration::from_millis(10), timeout: Duration::from_secs(5) }
}

/// What a server answers, byte for byte, to one request on a connection of its own.
pub(crate) fn exchange(address: SocketAddr, request: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The answer to a request without a body.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> String {
    exchange(address, &format!("{method} {path} HTTP/1.1\r\nhost: log\r\nconnection: close\r\n{headers}\r\n"))
}

/// The answer to a request with a body.
pub(crate) fn post(address: SocketAddr, path: &str, body: &str) -> String {
    let length = body.len();
    exchange(
        address,
        &format!(
            "POST {path} HTTP/1.1\r\nhost: log\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
    )
}
