//! Requests to a Transit engine.
//!
//! No error holds the address, the token, or what the server wrote: it may quote what was sent.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use zeroize::Zeroizing;

use super::secret_base64;
use crate::error::TransitError;

const TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// A Vault or `OpenBao` server, and the right to use it.
#[derive(Clone)]
pub struct TransitServer {
    agent: Agent,
    address: String,
    token: Arc<Zeroizing<String>>,
    namespace: Option<String>,
}

/// The address may tell who runs the server, and the token opens it.
impl fmt::Debug for TransitServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransitServer").finish_non_exhaustive()
    }
}

/// What a server says of a key.
#[derive(Debug, Deserialize)]
pub(super) struct KeyState {
    pub(super) latest_version: u64,
    min_decryption_version: u64,
    min_available_version: u64,
    pub(super) exportable: bool,
    pub(super) allow_plaintext_backup: bool,
    pub(super) derived: bool,
    /// By version.
    keys: BTreeMap<String, Value>,
}

impl KeyState {
    /// Whether the server holds a version before this one, as far as it says.
    pub(super) fn holds_before(&self, version: u64) -> bool {
        let earlier = |key: &String| key.parse::<u64>().map_or(true, |key| key < version);
        let trimmed = version <= 1 || self.min_available_version >= version;
        self.min_decryption_version < version || !trimmed || self.keys.keys().any(earlier)
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted<'a> {
    #[serde(borrow)]
    plaintext: &'a str,
}

#[derive(Deserialize)]
struct DecryptedAnswer<'a> {
    #[serde(borrow)]
    data: Decrypted<'a>,
}

impl TransitServer {
    /// A server at an address such as `https://vault.example:8200`, used with a token.
    pub fn new(address: &str, token: &str) -> Result<Self, TransitError> {
        // A redirect could lead what is secret elsewhere.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("tenure/", env!("CARGO_PKG_VERSION")));
        let config = if address.starts_with("https://") {
            config.tls_config(tls()?)
        } else if is_loopback(address) {
            config
        } else {
            return Err(TransitError::Address);
        };
        // A header takes no other characters, and an error of the client might show them.
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TransitError::Token);
        }
        Ok(Self {
            agent: config.build().into(),
            address: address.trim_end_matches('/').to_owned(),
            token: Arc::new(Zeroizing::new(token.to_owned())),
            namespace: None,
        })
    }

    /// The server that `VAULT_ADDR` and `VAULT_TOKEN` name, or `BAO_ADDR` and `BAO_TOKEN`, within the
    /// namespace of `VAULT_NAMESPACE` or `BAO_NAMESPACE`.
    pub fn from_environment() -> Result<Self, TransitError> {
        Self::from_variables(|name| env::var(name).ok())
    }

    /// The same, with the values of these variables from elsewhere.
    pub fn from_variables(value: impl Fn(&str) -> Option<String>) -> Result<Self, TransitError> {
        let one_of = |names: [&str; 2]| names.into_iter().find_map(&value);
        let address = one_of(["VAULT_ADDR", "BAO_ADDR"]).ok_or(TransitError::NoAddress)?;
        let token = one_of(["VAULT_TOKEN", "BAO_TOKEN"]).map(Zeroizing::new).ok_or(TransitError::NoToken)?;
        let mut server = Self::new(&address, &token)?;
        server.namespace = one_of(["VAULT_NAMESPACE", "BAO_NAMESPACE"]);
        Ok(server)
    }

    /// Mounts a Transit engine, for tests. One that is there is left.
    #[cfg(any(test, feature = "faults"))]
    pub(crate) fn mount_transit(&self, mount: &str) -> Result<(), TransitError> {
        let engine = serde_json::json!({"type": "transit"});
        match self.post("mount an engine", &format!("sys/mounts/{mount}"), &engine) {
            Err(TransitError::Refused { status: 400, .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    #[cfg(test)]
    pub(crate) fn delete_for_test(&self, path: &str) -> Result<(), TransitError> {
        let answer = self.agent.delete(self.url(path)).header("x-vault-token", self.token.as_str()).call();
        read("delete", answer).map(drop)
    }

    /// What the server says of a key; none if it says that there is none.
    pub(super) fn key_state(&self, path: &str) -> Result<Option<KeyState>, TransitError> {
        const OPERATION: &str = "read the wrapping key";
        let request = self.agent.get(self.url(path)).header("x-vault-token", self.token.as_str());
        let answer = match &self.namespace {
            Some(namespace) => request.header("x-vault-namespace", namespace).call(),
            None => request.call(),
        };
        match read(OPERATION, answer) {
            Ok(body) => Ok(Some(parsed::<Answer<KeyState>>(OPERATION, &body)?.data)),
            Err(TransitError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn post(
        &self,
        operation: &'static str,
        path: &str,
        body: &Value,
    ) -> Result<Zeroizing<Vec<u8>>, TransitError> {
        self.send(operation, path, body.to_string().as_bytes())
    }

    pub(super) fn encrypt(&self, path: &str, plaintext: &[u8], bound: &str) -> Result<String, TransitError> {
        const OPERATION: &str = "wrap the root key";
        let plaintext = secret_base64(plaintext).map_err(|_| TransitError::Unexpected(OPERATION))?;
        let mut body = Zeroizing::new(Vec::with_capacity(plaintext.len() + bound.len() + 64));
        body.extend_from_slice(br#"{"associated_data":""#);
        body.extend_from_slice(bound.as_bytes());
        body.extend_from_slice(br#"","plaintext":""#);
        body.extend_from_slice(&plaintext);
        body.extend_from_slice(br#""}"#);
        let answer = self.send(OPERATION, path, &body)?;
        Ok(parsed::<Answer<Encrypted>>(OPERATION, &answer)?.data.ciphertext)
    }

    pub(super) fn decrypt(
        &self,
        path: &str,
        ciphertext: &str,
        bound: &str,
    ) -> Result<Zeroizing<Vec<u8>>, TransitError> {
        const OPERATION: &str = "unwrap the root key";
        let unexpected = || TransitError::Unexpected(OPERATION);
        let body = serde_json::json!({"associated_data": bound, "ciphertext": ciphertext});
        let answer = self.post(OPERATION, path, &body)?;
        // Borrowed, so that the plaintext has no copy that nobody wipes.
        let answer: DecryptedAnswer<'_> = serde_json::from_slice(&answer).map_err(|_| unexpected())?;
        let text = answer.data.plaintext.as_bytes();
        let mut plaintext = Zeroizing::new(vec![0; text.len()]);
        let length = STANDARD.decode_slice(text, plaintext.as_mut_slice()).map_err(|_| unexpected())?;
        plaintext.truncate(length);
        Ok(plaintext)
    }

    fn send(
        &self,
        operation: &'static str,
        path: &str,
        body: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, TransitError> {
        crate::files::step().map_err(|error| TransitError::Unreachable { operation, kind: error.kind() })?;
        let request = self.agent.post(self.url(path)).header("x-vault-token", self.token.as_str());
        let request = match &self.namespace {
            Some(namespace) => request.header("x-vault-namespace", namespace),
            None => request,
        };
        let answer = read(operation, request.content_type("application/json").send(body))?;
        crate::files::step().map_err(|error| TransitError::Unreachable { operation, kind: error.kind() })?;
        Ok(answer)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.address)
    }
}

/// The version of the key that a ciphertext says it was made with.
pub(super) fn wrapped_version(ciphertext: &str) -> Option<u64> {
    let (version, _) = ciphertext.strip_prefix("vault:v")?.split_once(':')?;
    version.parse().ok()
}

/// Keys go over the wire in the clear only where there is no wire.
fn is_loopback(address: &str) -> bool {
    let host =
        address.strip_prefix("http://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let Some(host) = host.filter(|host| !host.contains('@')) else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

fn tls() -> Result<TlsConfig, TransitError> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(TransitError::NoCertificates);
    }
    let certificates: Vec<Certificate<'static>> =
        found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build())
}

/// The body of an answer that says yes.
fn read(
    operation: &'static str,
    answer: Result<Response<ureq::Body>, ureq::Error>,
) -> Result<Zeroizing<Vec<u8>>, TransitError> {
    let unreachable = |kind| TransitError::Unreachable { operation, kind };
    let answer = answer.map_err(|error| unreachable(kind_of(&error)))?;
    match answer.status().as_u16() {
        200..300 => {}
        401 | 403 => return Err(TransitError::Denied(operation)),
        // 412 is a standby that is not up to date yet, 472 and 473 are standbys, 503 a sealed server.
        412 | 429 | 472 | 473 | 500.. => return Err(unreachable(io::ErrorKind::NotConnected)),
        status => return Err(TransitError::Refused { operation, status }),
    }
    // All room is made first: growing would leave a key behind in the old allocation.
    let mut body = Zeroizing::new(Vec::with_capacity(16 << 10));
    let mut reader = answer.into_body().into_reader().take(ANSWER_BYTES_MAX);
    reader.read_to_end(&mut body).map_err(|error| unreachable(error.kind()))?;
    Ok(body)
}

fn kind_of(error: &ureq::Error) -> io::ErrorKind {
    match error {
        ureq::Error::Io(error) => error.kind(),
        ureq::Error::Timeout(_) => io::ErrorKind::TimedOut,
        ureq::Error::HostNotFound => io::ErrorKind::HostUnreachable,
        ureq::Error::ConnectionFailed => io::ErrorKind::ConnectionRefused,
        _ => io::ErrorKind::Other,
    }
}

fn parsed<T: DeserializeOwned>(operation: &'static str, body: &[u8]) -> Result<T, TransitError> {
    serde_json::from_slice(body).map_err(|_| TransitError::Unexpected(operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_unencrypted_only_to_this_machine() {
        for near in ["http://127.0.0.1:8200", "http://localhost", "http://[::1]:8200/"] {
            assert!(is_loopback(near), "{near}");
        }
        for far in [
            "http://10.0.0.1:8200",
            "http://localhost.example",
            "http://localhost@example.com",
            "http://example.com/127.0.0.1",
            "http://127.0.0.1.example",
            "https://localhost",
        ] {
            assert!(!is_loopback(far), "{far}");
        }
    }

    #[test]
    fn a_token_that_no_header_takes_is_refused_and_none_is_ever_printed() {
        for token in ["", "a b", "a\nb", "ä"] {
            let refused = TransitServer::new("http://127.0.0.1:1", token).unwrap_err();
            assert_eq!(refused, TransitError::Token);
        }
        let server = TransitServer::new("http://127.0.0.1:1", "hvs.secret").unwrap();
        let error = server.key_state("transit/keys/a").unwrap_err();
        let printed = format!("{server:?} {error:?} {error}");
        assert!(!printed.contains("hvs.secret") && !printed.contains("127.0.0.1"), "{printed}");
        assert!(matches!(error, TransitError::Unreachable { .. }));
    }
}
