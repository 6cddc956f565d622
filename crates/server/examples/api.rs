//! The API on an address of its own, over a Tenure in a temporary folder, to be tried and measured.
//!
//! `cargo run --release -p tenure-server --example api` serves until its input ends, and prints where, with a key for
//! each role. With `load SECONDS` it also decides on 64 connections that stay open, each for an account of its own,
//! and prints how many decisions a second were durable and had their receipts.

#![expect(clippy::print_stdout, reason = "it tells whoever runs it where it is")]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant as Watch, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tenure_access::{Caller, ConsoleUser, Environment, KeyTerms, Operation, Role, Scope, Target, decide};
use tenure_app::{AccountFacts, Entropy, Error, PublicLog, Tenure, TimeKeeping};
use tenure_model::Instant;
use tenure_server::{Api, KnownLog, Limits, LogSource, Reporter, SourceError, api_router, tiles_router};
use tenure_store::{SqliteStore, Store};
use tenure_tlog::tile::Resource;
use tenure_vault::{LogKeys, Vault};

const POLICY: &str = include_str!("../../../policies/example.toml");
const CONNECTIONS: usize = 64;
const AUDIENCE: &str = "http://tenure.example";

struct System;

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        Ok(File::open("/dev/urandom")?.read_exact(bytes)?)
    }
}

struct Shown(PublicLog);

impl LogSource for Shown {
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.resource(resource).map_err(SourceError::new)
    }
}

type Failure = Box<dyn std::error::Error>;

#[expect(clippy::disallowed_methods, reason = "there is no command line here that would read the clock")]
fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::saturating_from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn open(folder: &Path) -> Result<(Tenure, Arc<dyn Store>), Failure> {
    let (data, keys) = (folder.join("data"), folder.join("keys"));
    std::fs::create_dir(&data)?;
    let vault = Arc::new(Vault::create(&data, &keys)?);
    let log = LogKeys::create(&keys, &"tenure.example/tried".parse()?, now())?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.join("tenure.db"))?);
    let tenure = Tenure::new(Arc::clone(&store), vault, log, Arc::new(System));
    tenure.init(TimeKeeping::Real, now())?;
    tenure.publish(&[("example.toml".to_owned(), POLICY.to_owned())], now())?;
    tenure.publish_checkpoint(now())?;
    Ok((tenure, store))
}

fn key(tenure: &Tenure, role: Role) -> Result<String, Failure> {
    let user = ConsoleUser { principal: "admin-1".parse()?, roles: [Role::Admin].into() };
    let permit = decide(&Caller::User(&user), Operation::MintKey, &Target::House)?;
    let expires = Instant::saturating_from_micros(now().micros().saturating_add(86_400_000_000));
    let owner = format!("{role}-1").parse()?;
    let terms = KeyTerms { environment: Environment::Test, owner, role, scope: Scope::default(), expires };
    Ok(tenure.mint_key(&permit, terms, now())?.text().to_string())
}

fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (tenure, store) = open(folder.path())?;
    for number in 0..CONNECTIONS {
        tenure.set_account(&format!("a{number}"), AccountFacts::default(), now())?;
    }
    let public = PublicLog::of(store)?;
    let known = KnownLog::named_by(public.keys()?)?;
    let reporter = Reporter::new(|error| println!("{error}: {:?}", error.source()));
    let api = Api::new(tenure.clone(), now, AUDIENCE, reporter.clone());
    let router = api_router(api, Some(tiles_router(Arc::new(Shown(public)), known, reporter)));
    let hour = Duration::from_hours(1);
    let limits = Limits { request: hour, connection: hour, connections: 1_024, ..Limits::default() };
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let ready = move |address| told.send(address).unwrap_or_default();
        drop(tenure_server::run(SocketAddr::from(([127, 0, 0, 1], 0)), router, limits, ready));
    });
    let address = heard.recv()?;
    let keys: Result<serde_json::Map<_, _>, Failure> =
        Role::ALL.iter().map(|role| Ok((role.to_string(), json!(key(&tenure, *role)?)))).collect();
    println!("{}", json!({"url": format!("http://{address}"), "keys": keys?}));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, seconds] = arguments.as_slice()
        && word == "load"
    {
        let rate = load(address, &key(&tenure, Role::App)?, Duration::from_secs(seconds.parse()?))?;
        println!("{rate} decisions a second on {CONNECTIONS} connections");
        return Ok(());
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Decides for a while, and gives the rate.
fn load(address: SocketAddr, key: &str, length: Duration) -> Result<u64, Failure> {
    let begun = Watch::now();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let (key, until) = (key.to_owned(), begun + length);
            std::thread::spawn(move || {
                client(address, &key, number, until).map_err(|error| error.to_string())
            })
        })
        .collect();
    let mut count = 0;
    for client in clients {
        count += client.join().map_err(|_| "a client panicked")??;
    }
    Ok(count * 1_000 / u64::try_from(begun.elapsed().as_millis().max(1))?)
}

fn client(address: SocketAddr, key: &str, number: usize, until: Watch) -> Result<u64, Failure> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let body = json!({"purpose": "train", "choice": "off"}).to_string();
    let request = format!(
        "POST /v1/accounts/a{number}/decisions HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut count = 0;
    while Watch::now() < until {
        stream.write_all(request.as_bytes())?;
        let (mut line, mut length) = (String::new(), 0);
        reader.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 201 ") {
            return Err(format!("answered {line}").into());
        }
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line)?;
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        count += 1;
    }
    Ok(count)
}
