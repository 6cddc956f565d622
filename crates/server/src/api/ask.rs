//! A request on its way: as it came, and as its handler sees it, which is never before it was permitted.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tenure_access::{Operation, Permit, Refusal, Target, View, decide};
use tenure_app::explain::Sight;
use tenure_app::{Condition, Error, StreamError, Tenure, parse_head};
use tenure_model::Instant;

use super::admission::Who;
use super::errors::{code_of, fault_of, fault_of_stream};
use super::fault::{Code, Fault};
use super::state::Api;
use super::stream::Incoming;
use crate::tiles::Reporter;

/// A request as it came.
pub(crate) struct Raw {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) params: Vec<(Arc<str>, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body of a request that is read while it is worked on.
    pub(crate) stream: Option<Incoming>,
}

impl Raw {
    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> Result<&str, Fault> {
        let found = self.params.iter().find(|(known, _)| **known == *name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| Code::PathInvalid.into())
    }

    /// A header that is given once at most, as text.
    pub(crate) fn header(&self, name: &HeaderName) -> Result<Option<&str>, Fault> {
        let mut values = self.headers.get_all(name).iter();
        let (first, more) = (values.next(), values.next());
        let wrong = || Fault::with(Code::HeaderInvalid, format!("`{name}` is given once, as text"));
        if more.is_some() {
            return Err(wrong());
        }
        first.map(|value| value.to_str().map_err(|_| wrong())).transpose()
    }

    /// What the request is, so that the same one is known again.
    pub(crate) fn digest(&self, operation: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        // What is asked by the head alone is the same request.
        let method = if self.method == Method::HEAD { &Method::GET } else { &self.method };
        let header = |name| self.headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
        let parts: [&[u8]; 7] = [
            operation.as_bytes(),
            method.as_str().as_bytes(),
            // On what it is to be done only if that is as it was.
            header(header::IF_MATCH),
            header(header::IF_NONE_MATCH),
            self.uri.path().as_bytes(),
            self.uri.query().unwrap_or_default().as_bytes(),
            &self.body,
        ];
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

/// A permitted request. Only the pipeline makes one, from a permit that `tenure_access::decide` gave.
pub(crate) struct Ask<'a> {
    pub(crate) api: &'a Api,
    pub(crate) raw: &'a Raw,
    pub(crate) who: Who,
    pub(crate) permit: Permit,
    pub(crate) now: Instant,
}

impl Ask<'_> {
    pub(crate) fn tenure(&self) -> &Tenure {
        &self.api.tenure
    }

    /// The account that was permitted, whatever the request names.
    ///
    /// # Errors
    /// No account of an organisation is stored yet, so a token for one opens none.
    pub(crate) fn account(&self) -> Result<&str, Fault> {
        let subject = self.permit.subject().filter(|subject| subject.organisation.is_none());
        subject.map(|subject| subject.account.as_str()).ok_or_else(|| Code::AccountUnknown.into())
    }

    /// Asks whether the caller may do something else to the same account, which a request turned out to need.
    pub(crate) fn also(&self, operation: Operation) -> Result<(), Refusal> {
        let target = self.permit.subject().map_or(Target::House, Target::Account);
        decide(&self.who.caller(), operation, &target).map(drop)
    }

    /// How much the answer may show.
    pub(crate) const fn sight(&self) -> Sight {
        match self.permit.view() {
            View::Told => Sight::Told,
            View::Whole => Sight::Whole,
        }
    }

    /// What `If-Match` and `If-None-Match` say of the account that is to be changed.
    pub(crate) fn condition(&self, otherwise: Condition) -> Result<Condition, Fault> {
        let known = self.raw.header(&header::IF_MATCH)?;
        let none = self.raw.header(&header::IF_NONE_MATCH)?;
        match (known, none) {
            (None, None) => Ok(otherwise),
            (None, Some("*")) if otherwise == Condition::Any => Ok(Condition::Absent),
            (Some("*"), None) => Ok(Condition::There),
            (Some(tag), None) => {
                let head = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(parse_head);
                let wrong =
                    || Fault::with(Code::HeaderInvalid, "`if-match` is `*`, or one tag as it was given");
                head.map(Condition::At).ok_or_else(wrong)
            }
            _ => {
                let form = "`if-none-match` is `*`, alone, and only where something can be made";
                Err(Fault::with(Code::HeaderInvalid, form))
            }
        }
    }
}

/// What stops a request: a fault, or an error that becomes one when it is answered.
#[derive(Debug)]
pub(crate) enum Trouble {
    Fault(Fault),
    App(Error),
    Stream(StreamError),
}

impl Trouble {
    /// Whether it is certain that nothing was done. What a store or a vault failed at may stand.
    pub(crate) fn did_nothing(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.did_nothing(),
            Self::App(error) => code_of(error).did_nothing(),
            Self::Stream(_) => false,
        }
    }

    pub(crate) fn into_fault(self, reporter: &Reporter) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::App(error) => fault_of(&error, reporter),
            Self::Stream(error) => fault_of_stream(&error, reporter),
        }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Code> for Trouble {
    fn from(code: Code) -> Self {
        Self::Fault(code.into())
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Fault(refusal.into())
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::App(error)
    }
}

impl From<StreamError> for Trouble {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}

/// What stops an answer whose client is gone. Nobody hears of it.
pub(crate) fn gone(_: std::io::Error) -> Trouble {
    Code::BodyCutShort.into()
}
