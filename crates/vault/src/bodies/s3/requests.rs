//! Signed requests for what `object_store` does not offer: versions, and what forbids their deletion.

use std::io::ErrorKind;
use std::sync::Arc;

use bytes::Bytes;
use object_store::aws::{AmazonS3, AwsAuthorizer};
use object_store::client::HttpRequest;
use tokio::runtime::Runtime;
use ureq::http::{Method, Request, Response};

use super::http::Transport;
use super::{RETRIES, RETRY_PAUSE, RETRY_PAUSE_MAX};
use crate::bodies::{S3Address, failure};
use crate::error::BodyError;

/// What is asked of a bucket.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// The object within the vault's place; none asks the bucket itself.
    pub(super) name: Option<&'a str>,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: &'a [(&'static str, &'a str)],
    pub(super) body: Bytes,
}

/// A bucket, and who asks it.
#[derive(Debug)]
pub(super) struct Bucket {
    address: S3Address,
    transport: Transport,
    s3: Arc<AmazonS3>,
}

impl Bucket {
    pub(super) fn new(address: &S3Address, transport: Transport, s3: Arc<AmazonS3>) -> Self {
        Self { address: address.clone(), transport, s3 }
    }

    /// The whole name of an object within the vault's place.
    pub(super) fn key(&self, name: &str) -> String {
        match self.address.prefix() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    /// Asks, and again where that may help. All of these requests may be repeated.
    pub(super) fn ask(
        &self,
        operation: &'static str,
        runtime: &Runtime,
        ask: &Ask<'_>,
    ) -> Result<Response<Bytes>, BodyError> {
        let mut pause = RETRY_PAUSE;
        for attempt in 0..=RETRIES {
            let answer = self.transport.send(self.signed(operation, runtime, ask)?);
            let last = attempt == RETRIES;
            match answer {
                Ok(answer) if last || !matches!(answer.status().as_u16(), 429 | 500 | 502 | 503 | 504) => {
                    return Ok(answer);
                }
                Err(none) if last || !none.may_pass() => {
                    return Err(BodyError::Unreachable { operation, kind: none.io_kind() });
                }
                Ok(_) | Err(_) => std::thread::sleep(pause),
            }
            pause = pause.saturating_mul(2).min(RETRY_PAUSE_MAX);
        }
        Err(BodyError::Unreachable { operation, kind: ErrorKind::TimedOut })
    }

    pub(super) fn signed(
        &self,
        operation: &'static str,
        runtime: &Runtime,
        ask: &Ask<'_>,
    ) -> Result<Request<Bytes>, BodyError> {
        let credential = runtime
            .block_on(self.s3.credentials().get_credential())
            .map_err(|error| failure(operation, &error))?;
        let mut request = Request::builder().method(ask.method.clone()).uri(self.url(ask));
        for (name, value) in ask.headers {
            request = request.header(*name, *value);
        }
        let mut request: HttpRequest = request
            .body(ask.body.clone().into())
            .map_err(|_| BodyError::Unreachable { operation, kind: ErrorKind::InvalidInput })?;
        AwsAuthorizer::new(&credential, "s3", self.address.region())
            .try_authorize(&mut request, None)
            .map_err(|error| failure(operation, &error))?;
        Ok(request.map(|_| ask.body.clone()))
    }

    fn url(&self, ask: &Ask<'_>) -> String {
        let mut url = format!("{}/{}", self.address.endpoint(), self.address.bucket());
        if let Some(name) = ask.name {
            url.push('/');
            url.push_str(&self.key(name));
        }
        for (place, (name, value)) in ask.query.iter().enumerate() {
            url.push(if place == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            encode(value, &mut url);
        }
        url
    }
}

/// Writes what is not plain as `%XX`, as the signature demands.
fn encode(text: &str, out: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |four: u8| DIGITS.get(usize::from(four)).copied().unwrap_or_default();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}
