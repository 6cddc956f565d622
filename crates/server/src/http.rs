//! A client for small resources: with limits, time-outs, and a few more tries where that may help.

use std::fmt;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often a request is made before it is given up, if what failed may pass.
    pub attempts: u32,
    /// How long to wait before the second attempt; each further wait is twice as long.
    pub pause: Duration,
    /// How long one attempt may take, from the look-up of the name to the last byte.
    pub timeout: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 4, pause: Duration::from_millis(250), timeout: Duration::from_secs(30) }
    }
}

/// A request failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// It does not start with `http://` or `https://`.
    #[error("the address does not begin with `http://` or `https://`")]
    Address,
    /// The system has no certificates to check servers with.
    #[error("the system has no certificates to check an `https://` server with; install its CA certificates")]
    NoCertificates,
    /// No answer came.
    #[error("no answer from the server")]
    Transport(#[source] Box<ureq::Error>),
    /// The answer broke off.
    #[error("the answer of the server broke off")]
    Body(#[source] io::Error),
    /// The answer has a status that means nothing here.
    #[error("the server answered with status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// The answer is longer than what was asked for can be.
    #[error("the answer of the server is longer than {limit} bytes")]
    TooLong {
        /// How long it may be.
        limit: u64,
    },
}

impl HttpError {
    /// Whether the same request may go well in a moment.
    fn may_pass(&self) -> bool {
        match self {
            Self::Transport(error) => matches!(
                **error,
                ureq::Error::Io(_)
                    | ureq::Error::Timeout(_)
                    | ureq::Error::ConnectionFailed
                    | ureq::Error::HostNotFound
            ),
            Self::Body(_) => true,
            Self::Status { status } => matches!(status, 429 | 500 | 502 | 503 | 504),
            Self::Address | Self::NoCertificates | Self::TooLong { .. } => false,
        }
    }
}

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// Makes requests below one prefix.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    prefix: String,
    patience: Patience,
}

impl Client {
    pub(crate) fn new(prefix: &str, patience: Patience) -> Result<Self, HttpError> {
        let agent = agent(prefix, patience.timeout)?;
        let prefix = prefix.trim_end_matches('/').to_owned();
        Ok(Self { agent, prefix, patience })
    }

    /// What lies at a path; none if nothing does.
    pub(crate) fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, HttpError> {
        let url = self.url(path);
        let answer = self.patiently(|| read(self.agent.get(&url).call(), limit))?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 | 410 => Ok(None),
            status => Err(HttpError::Status { status }),
        }
    }

    /// The answer to something sent, whatever its status.
    pub(crate) fn post(&self, path: &str, body: &str, limit: u64) -> Result<Answer, HttpError> {
        let url = self.url(path);
        self.patiently(|| {
            let request = self.agent.post(&url).header("content-type", "text/plain; charset=utf-8");
            read(request.send(body), limit)
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.prefix)
    }

    fn patiently(&self, attempt: impl Fn() -> Result<Answer, HttpError>) -> Result<Answer, HttpError> {
        let mut pause = self.patience.pause;
        for _ in 1..self.patience.attempts {
            match attempt() {
                Err(error) if error.may_pass() => std::thread::sleep(pause),
                ended => return ended,
            }
            pause = pause.saturating_mul(2);
        }
        attempt()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// What makes requests to an address.
pub(crate) fn agent(address: &str, timeout: Duration) -> Result<Agent, HttpError> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(3)
        .timeout_global(Some(timeout))
        .user_agent(concat!("tenure/", env!("CARGO_PKG_VERSION")));
    let config = if address.starts_with("https://") {
        config.tls_config(tls()?)
    } else if address.starts_with("http://") {
        config
    } else {
        return Err(HttpError::Address);
    };
    Ok(config.build().into())
}

/// Checks servers with the system's certificates, by the one cryptographic library of this house.
fn tls() -> Result<TlsConfig, HttpError> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(HttpError::NoCertificates);
    }
    let certificates: Vec<Certificate<'static>> =
        found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build())
}

fn read(answer: Result<Response<ureq::Body>, ureq::Error>, limit: u64) -> Result<Answer, HttpError> {
    let answer = answer.map_err(|error| HttpError::Transport(Box::new(error)))?;
    let status = answer.status().as_u16();
    if matches!(status, 429 | 500..) {
        return Err(HttpError::Status { status });
    }
    let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let mut body = Vec::new();
    // One byte more shows that there is more. It is counted after decompression.
    let mut reader = answer.into_body().into_reader().take(limit.saturating_add(1));
    reader.read_to_end(&mut body).map_err(HttpError::Body)?;
    if u64::try_from(body.len()).is_ok_and(|length| length > limit) {
        return Err(HttpError::TooLong { limit });
    }
    Ok(Answer { status, content_type, body })
}
