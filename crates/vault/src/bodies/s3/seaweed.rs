//! A real server of the S3 protocol, for tests: `cargo xtask servers` installs it, and each test starts
//! and stops its own.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Runtime;
use ureq::http::Method;

use super::requests::Ask;
use super::{Bucket, S3Address, S3Credentials, Transport, client};
use crate::files;
use crate::ids::PackId;

/// The version that `cargo xtask servers` installs, into the user's cache.
const INSTALLED: &str = "tenure/seaweedfs-4.48/bin/weed";

/// A bucket's manner with old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// What is deleted or written over is gone.
    Nothing,
    /// It stays as an old version.
    Versions,
    /// It stays, and may be locked.
    Locks,
}

/// The server, with what it holds in a folder that goes with it.
#[derive(Debug)]
pub struct Seaweed {
    folder: PathBuf,
    program: PathBuf,
    ports: Vec<u16>,
    child: Option<Child>,
    pub(super) runtime: Runtime,
}

impl Seaweed {
    /// Who may do everything.
    pub const KEY_ID: &'static str = "test-key";
    /// That one's secret.
    pub const SECRET: &'static str = "test-secret-7f3a";

    /// Starts the server; none where tests are told to do without.
    pub fn start() -> Option<Self> {
        if env::var_os("TENURE_WITHOUT_SERVERS").is_some() {
            return None;
        }
        let program = program();
        assert!(
            program.exists(),
            "SeaweedFS is not installed: run `cargo xtask servers`, or set TENURE_WITHOUT_SERVERS=1 to do without"
        );
        let folder = env::temp_dir().join(format!("tenure-seaweedfs-{}", PackId::random().unwrap()));
        files::make_private_folder(&folder).unwrap();
        let (id, secret) = (Self::KEY_ID, Self::SECRET);
        let keys = format!(
            r#"{{"identities": [{{"name": "test", "actions": ["Admin"],
                "credentials": [{{"accessKey": "{id}", "secretKey": "{secret}"}}]}}]}}"#
        );
        fs::write(folder.join("keys.json"), keys).unwrap();
        let listeners: Vec<_> = (0..8).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports = listeners.iter().map(|one| one.local_addr().unwrap().port()).collect();
        drop(listeners);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut server = Self { folder, program, ports, child: None, runtime };
        server.go_on();
        Some(server)
    }

    /// Starts the server where it was stopped, and waits until it answers.
    pub fn go_on(&mut self) {
        let names = ["s3", "master", "volume", "filer"];
        let ports = names.iter().zip(self.ports.chunks(2)).flat_map(|(name, ports)| {
            [format!("-{name}.port={}", ports[0]), format!("-{name}.port.grpc={}", ports[1])]
        });
        let data = self.folder.join("data");
        fs::create_dir_all(&data).unwrap();
        let child = Command::new(&self.program)
            .arg("server")
            .arg(format!("-dir={}", data.display()))
            .arg(format!("-s3.config={}", self.folder.join("keys.json").display()))
            .args(["-s3", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"])
            .args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"])
            .args(["-master.volumeSizeLimitMB=64", "-volume.max=64"])
            .args(ports)
            .env("WEED_MASTER_VOLUME_GROWTH_COPY_1", "1")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        for _ in 0..600 {
            thread::sleep(Duration::from_millis(100));
            if self.is_ready() {
                return;
            }
        }
        panic!("the server did not start within a minute");
    }

    /// Whether it takes an object and gives it back, which it does long after it begins to answer.
    fn is_ready(&self) -> bool {
        let put = |name| Ask { method: Method::PUT, name, ..Ask::default() };
        let does = |ask: &Ask<'_>, also: u16| {
            self.ask("ready", ask).is_some_and(|(status, _)| status == 200 || status == also)
        };
        does(&put(None), 409)
            && does(&Ask { body: "ready".into(), ..put(Some("ready")) }, 200)
            && does(&Ask { name: Some("ready"), ..Ask::default() }, 200)
    }

    /// Ends the server as a loss of power would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Where the server is.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// A place in one of its buckets.
    pub fn address(&self, bucket: &str, prefix: &str) -> S3Address {
        S3Address::parse(&format!("s3://{bucket}/{prefix}"), Some(&self.endpoint()), None).unwrap()
    }

    /// Makes a bucket.
    pub fn make_bucket(&self, name: &str, keeps: Keeps) {
        let lock = [("x-amz-bucket-object-lock-enabled", "true")];
        let headers = if keeps == Keeps::Locks { &lock[..] } else { &[] };
        self.must(name, &Ask { method: Method::PUT, headers, ..Ask::default() });
        if keeps == Keeps::Versions {
            self.set_versioning(name, "Enabled");
        }
    }

    pub(super) fn set_versioning(&self, bucket: &str, status: &str) {
        let body = format!(
            r#"<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>{status}</Status></VersioningConfiguration>"#
        );
        let query = [("versioning", "")];
        self.must(bucket, &Ask { method: Method::PUT, query: &query, body: body.into(), ..Ask::default() });
    }

    /// All that a bucket holds, old versions too: names, and versions where it keeps some. Marks of deletions are
    /// named as well.
    pub fn everything_in(&self, bucket: &str) -> Vec<(String, String)> {
        let query = [("versions", "")];
        let answer = self.must(bucket, &Ask { query: &query, ..Ask::default() });
        let answer = String::from_utf8(answer.to_vec()).unwrap();
        assert!(answer.contains("<IsTruncated>false</IsTruncated>"), "more than one page: {answer}");
        let within = |text: &str, tag: &str| {
            let (_, rest) = text.split_once(&format!("<{tag}>"))?;
            Some(rest.split_once(&format!("</{tag}>"))?.0.to_owned())
        };
        let entries = ["Version", "DeleteMarker"].map(|tag| format!("<{tag}>"));
        let entries = entries.iter().flat_map(|tag| answer.split(tag.as_str()).skip(1));
        entries.map(|entry| (within(entry, "Key").unwrap(), within(entry, "VersionId").unwrap())).collect()
    }

    /// What lies under a name now, or in one version of it.
    pub fn object(&self, bucket: &str, name: &str, version: Option<&str>) -> Bytes {
        let query = version.map(|id| ("versionId", id));
        self.must(bucket, &Ask { name: Some(name), query: query.as_slice(), ..Ask::default() })
    }

    /// Puts something under a name, whatever lies there.
    pub fn put_object(&self, bucket: &str, name: &str, content: Vec<u8>) {
        let put = Ask { method: Method::PUT, name: Some(name), body: content.into(), ..Ask::default() };
        self.must(bucket, &put);
    }

    /// Asks what must succeed. A server that was just started again may need a while.
    pub(super) fn must(&self, bucket: &str, ask: &Ask<'_>) -> Bytes {
        let mut tries = 0..100;
        loop {
            let (status, body) = self.ask(bucket, ask).unwrap();
            if status < 500 || tries.next().is_none() {
                assert!((200..300).contains(&status), "{status}: {}", String::from_utf8_lossy(&body));
                return body;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The answer to a signed request, without a second try.
    fn ask(&self, bucket: &str, ask: &Ask<'_>) -> Option<(u16, Bytes)> {
        let address = self.address(bucket, "");
        let transport = Transport::new(address.endpoint()).unwrap();
        let s3 = client(&address, &credentials(), &transport).unwrap();
        let bucket = Bucket::new(&address, transport.clone(), s3.into());
        let request = bucket.signed("ask", &self.runtime, ask).unwrap();
        transport.send(request).ok().map(|answer| (answer.status().as_u16(), answer.into_body()))
    }
}

impl Drop for Seaweed {
    fn drop(&mut self) {
        self.kill();
        // What is left over lies among the temporary files.
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// The rights of whoever may do everything.
pub fn credentials() -> S3Credentials {
    signing_with(Seaweed::SECRET)
}

pub(super) fn signing_with(secret: &str) -> S3Credentials {
    let variables = [("AWS_ACCESS_KEY_ID", Seaweed::KEY_ID), ("AWS_SECRET_ACCESS_KEY", secret)];
    S3Credentials::from_variables(
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())),
    )
}

/// Where the server is: where it was installed, unless a variable names another place.
fn program() -> PathBuf {
    if let Some(program) = env::var_os("TENURE_SEAWEEDFS") {
        return program.into();
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|cache| cache.is_absolute());
    let cache = cache.or_else(|| env::home_dir().map(|home| home.join(".cache")));
    cache.unwrap_or_default().join(INSTALLED)
}
