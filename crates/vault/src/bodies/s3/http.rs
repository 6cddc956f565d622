//! Requests over HTTP, by the one client and the one cryptographic library of this house.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use ureq::http::{Method, Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Timeout};

use crate::error::BodyError;

/// How long to wait for a server that does not answer, and for a pack on a slow line.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
const TRANSFER_TIME_MAX: Duration = Duration::from_mins(10);

/// The longest answer that is read. What is asked for is checked against the size of a pack before.
const ANSWER_BYTES_MAX: u64 = 5 << 30;

/// Why no answer came, and whether asking again may help.
#[derive(Debug)]
pub(super) struct NoAnswer {
    kind: HttpErrorKind,
    error: io::Error,
}

impl NoAnswer {
    pub(super) fn io_kind(&self) -> ErrorKind {
        self.error.kind()
    }

    pub(super) const fn may_pass(&self) -> bool {
        matches!(
            self.kind,
            HttpErrorKind::Connect
                | HttpErrorKind::Request
                | HttpErrorKind::Timeout
                | HttpErrorKind::Interrupted
        )
    }
}

/// The client, for `object_store` and for what it does not offer.
#[derive(Debug, Clone)]
pub(super) struct Transport(Agent);

impl Transport {
    pub(super) fn new(endpoint: &str) -> Result<Self, BodyError> {
        // A compressed answer would be longer than it says, and a redirection would lose the signature.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept_encoding("identity")
            .user_agent(concat!("tenure/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT_TIME_MAX))
            .timeout_connect(Some(CONNECT_TIME_MAX))
            .timeout_recv_response(Some(ANSWER_TIME_MAX))
            .timeout_send_body(Some(TRANSFER_TIME_MAX))
            .timeout_recv_body(Some(TRANSFER_TIME_MAX));
        let config = match tls() {
            Ok(tls) => config.tls_config(tls),
            Err(error) if endpoint.starts_with("https://") => return Err(error),
            // Who asks may be told elsewhere than at the store, but not without certificates.
            Err(_) => config,
        };
        Ok(Self(config.build().into()))
    }

    /// Sends a request and reads the whole answer, whatever its status.
    pub(super) fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, NoAnswer> {
        let (parts, body) = request.into_parts();
        let sends_body = matches!(parts.method, Method::PUT | Method::POST);
        let answer = if sends_body {
            self.0.run(Request::from_parts(parts, body.as_ref()))
        } else {
            self.0.run(Request::from_parts(parts, ()))
        };
        let (parts, body) = answer.map_err(|error| no_answer(&error))?.into_parts();
        let read = body.into_with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        Ok(Response::from_parts(parts, Bytes::from(read.map_err(|error| no_answer(&error))?)))
    }
}

/// A thread of its own lets several ranges of a pack be read at once.
#[async_trait]
impl HttpService for Transport {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, body.collect().await?.to_bytes());
        let transport = self.clone();
        let answer = tokio::task::spawn_blocking(move || transport.send(request)).await;
        let answer = answer.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let answer = answer.map_err(|none| HttpError::new(none.kind, none.error))?;
        let (parts, body) = answer.into_parts();
        Ok(HttpResponse::from_parts(parts, body.into()))
    }
}

impl HttpConnector for Transport {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

/// Keeps the kind alone: the texts of the client name addresses.
fn no_answer(error: &ureq::Error) -> NoAnswer {
    let (kind, io_kind) = match error {
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            (HttpErrorKind::Connect, ErrorKind::TimedOut)
        }
        ureq::Error::Timeout(_) => (HttpErrorKind::Timeout, ErrorKind::TimedOut),
        ureq::Error::HostNotFound => (HttpErrorKind::Connect, ErrorKind::HostUnreachable),
        ureq::Error::ConnectionFailed => (HttpErrorKind::Connect, ErrorKind::NotConnected),
        ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
            (HttpErrorKind::Connect, ErrorKind::ConnectionRefused)
        }
        ureq::Error::Io(error) => (HttpErrorKind::Interrupted, error.kind()),
        ureq::Error::Protocol(_) => (HttpErrorKind::Interrupted, ErrorKind::UnexpectedEof),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => (HttpErrorKind::Unknown, ErrorKind::InvalidData),
        _ => (HttpErrorKind::Unknown, ErrorKind::Other),
    };
    NoAnswer { kind, error: io_kind.into() }
}

/// Checks servers with the system's certificates.
fn tls() -> Result<TlsConfig, BodyError> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(BodyError::NoCertificates);
    }
    let certificates: Vec<Certificate<'static>> =
        found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build())
}
