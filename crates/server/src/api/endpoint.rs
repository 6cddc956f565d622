//! An endpoint: an operation at a path, with a handler that gets to see a request only once it was permitted.
//!
//! There is no other way into the router than [`operation`] and [`streamed`], and both take an
//! [`Operation`]: what nobody was asked about can't be reached.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use tenure_access::{About, Operation, Refusal};
use tokio::sync::oneshot;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::admission::{Admitted, admit, once};
use super::answer::{Answer, Encoded, Output, Text};
use super::ask::{Ask, Raw, Trouble};
use super::describe::{Shapes, Takes};
use super::fault::{Code, Fault};
use super::input::{BodyKind, Input};
use super::state::Api;
use super::stream::{Outgoing, outgoing};

/// What an endpoint is asked about, which is found before anybody is asked whether it may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// The house, or what is public.
    House,
    /// The account of the token: the request has nowhere to name another.
    Mine,
    /// The account that the path names.
    Account,
    /// The account of the record that the path names.
    Record,
    /// What the hold keeps that the path names.
    Held,
    /// Whoever is to be a reader, whom the path names.
    Reader,
    /// The change that the body proposes, or that the path names.
    Change,
}

/// What is known of an endpoint beside its handler.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    /// What it does.
    pub(crate) operation: Operation,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) aim: Aim,
    /// Its id in the document, where one operation has several endpoints.
    pub(crate) id: String,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    pub(crate) fails: Vec<Code>,
    pub(crate) refuses: Vec<Refusal>,
    pub(crate) succeeds: Vec<StatusCode>,
    pub(crate) body: BodyKind,
    /// Whether it changes something, so that a repeated request is to be done once.
    pub(crate) writes: bool,
    /// Whether it may take long, as what takes or gives a stream.
    pub(crate) streams: bool,
    /// Whether another router serves it, and it is only described here.
    pub(crate) elsewhere: bool,
}

/// What comes of a request.
pub(crate) enum Outcome {
    /// An answer that is whole.
    Whole(Encoded),
    /// An answer that is written while it is sent.
    Streamed(&'static str, Body),
}

/// Whom the thread that works on a request answers.
pub(crate) type Reply = oneshot::Sender<Result<Outcome, Fault>>;
type Job = Arc<dyn Fn(&Api, &mut Raw, Reply) + Send + Sync>;
/// The type of an answer, and what is in it, if anything is.
type Gives = (&'static str, fn(&mut Shapes) -> Option<RefOr<Schema>>);

/// An endpoint.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) meta: Arc<Meta>,
    pub(crate) takes: fn(&mut Takes, &mut Shapes),
    pub(crate) gives: Gives,
    /// The same for people, where it is given so too.
    pub(crate) gives_page: bool,
    pub(crate) job: Job,
}

/// An operation at a path, with what does it.
pub(crate) fn operation<I: Input, O: Output>(
    operation: Operation,
    method: Method,
    path: &'static str,
    handler: fn(&Ask<'_>, I) -> Result<Answer<O>, Trouble>,
) -> Endpoint {
    let succeeds = if O::TYPE.is_empty() { StatusCode::NO_CONTENT } else { StatusCode::OK };
    let meta = Arc::new(meta::<I>(operation, method, path, succeeds));
    let asked = Arc::clone(&meta);
    let job: Job = Arc::new(move |api, raw, reply| {
        let outcome = whole(api, &asked, raw, handler);
        // A client that is gone hears nothing, and what was done is done.
        drop(reply.send(outcome.map_err(|trouble| trouble.into_fault(&api.reporter))));
    });
    Endpoint { meta, takes: I::describe, gives: (O::TYPE, O::describe), gives_page: false, job }
}

fn whole<I: Input, O: Output>(
    api: &Api,
    meta: &Meta,
    raw: &mut Raw,
    handler: fn(&Ask<'_>, I) -> Result<Answer<O>, Trouble>,
) -> Result<Outcome, Trouble> {
    let Admitted { who, permit, input, attempt, now } = admit::<I>(api, meta, raw)?;
    let ask = Ask { api, raw, who, permit, now };
    let encoded = once(&ask, attempt, || Ok(Encoded::of(handler(&ask, input)?)?))?;
    Ok(Outcome::Whole(encoded))
}

/// Where a handler writes an answer whose head is sent when its first byte is.
pub(crate) struct Outlet {
    kind: &'static str,
    reply: Option<Reply>,
    outgoing: Option<Outgoing>,
}

impl Outlet {
    /// Sends another type than the one that is documented first.
    pub(crate) const fn of_kind(&mut self, kind: &'static str) {
        self.kind = kind;
    }

    /// Begins the answer. From here on nothing but cutting it off says that something went wrong.
    pub(crate) fn begin(&mut self) -> Result<&mut Outgoing, Trouble> {
        if let Some(reply) = self.reply.take() {
            let (outgoing, body) = outgoing();
            drop(reply.send(Ok(Outcome::Streamed(self.kind, body))));
            self.outgoing = Some(outgoing);
        }
        self.outgoing.as_mut().ok_or_else(|| Code::Internal.into())
    }

    fn end(self, api: &Api, result: Result<(), Trouble>) {
        match (result, self.reply, self.outgoing) {
            (Ok(()), _, Some(outgoing)) => outgoing.finish(),
            (Err(trouble), None, Some(outgoing)) => {
                drop(trouble.into_fault(&api.reporter));
                // It is not finished, and so it is cut off.
                drop(outgoing);
            }
            (Err(trouble), Some(reply), _) => drop(reply.send(Err(trouble.into_fault(&api.reporter)))),
            (Ok(()) | Err(_), _, None) => {}
        }
    }
}

/// An operation at a path, with what writes its answer piece by piece.
pub(crate) fn streamed<I: Input>(
    operation: Operation,
    method: Method,
    path: &'static str,
    kind: &'static str,
    handler: fn(&Ask<'_>, I, &mut Outlet) -> Result<(), Trouble>,
) -> Endpoint {
    let meta = Meta { writes: false, streams: true, ..meta::<I>(operation, method, path, StatusCode::OK) };
    let meta = Arc::new(meta);
    let asked = Arc::clone(&meta);
    let job: Job = Arc::new(move |api, raw, reply| {
        let mut outlet = Outlet { kind, reply: Some(reply), outgoing: None };
        let result = admit::<I>(api, &asked, raw).and_then(|Admitted { who, permit, input, now, .. }| {
            handler(&Ask { api, raw, who, permit, now }, input, &mut outlet)
        });
        outlet.end(api, result);
    });
    Endpoint { meta, takes: I::describe, gives: (kind, Text::describe), gives_page: false, job }
}

fn meta<I: Input>(operation: Operation, method: Method, path: &'static str, succeeds: StatusCode) -> Meta {
    let aim = match operation.about() {
        About::House => Aim::House,
        About::Held => Aim::Held,
        About::Reader => Aim::Reader,
        About::Change => Aim::Change,
        About::Account | About::OnBehalf if path.starts_with("/v1/me") => Aim::Mine,
        About::Account | About::OnBehalf if path.contains("{record}") => Aim::Record,
        About::Account | About::OnBehalf => Aim::Account,
    };
    Meta {
        operation,
        writes: method != Method::GET,
        method,
        path,
        aim,
        id: if aim == Aim::Mine { format!("my-{operation}") } else { operation.to_string() },
        summary: "",
        description: "",
        fails: Vec::new(),
        refuses: Vec::new(),
        succeeds: vec![succeeds],
        body: I::BODY,
        streams: I::BODY == BodyKind::Lines,
        elsewhere: false,
    }
}

impl Endpoint {
    fn change(mut self, change: impl FnOnce(&mut Meta)) -> Self {
        // The job knows it by another pointer, and asks only for what is fixed by then.
        change(Arc::make_mut(&mut self.meta));
        self
    }

    /// Says what it does, in a line and in a paragraph.
    pub(crate) fn says(self, summary: &'static str, description: &'static str) -> Self {
        self.change(|meta| (meta.summary, meta.description) = (summary, description))
    }

    /// Names the problems that are its own, beside those that its form can have.
    pub(crate) fn fails(self, codes: &[Code]) -> Self {
        self.change(|meta| meta.fails.extend_from_slice(codes))
    }

    /// Names the refusals that are its own, beside those that anybody can meet.
    pub(crate) fn refuses(self, refusals: &[Refusal]) -> Self {
        self.change(|meta| meta.refuses.extend_from_slice(refusals))
    }

    /// Gives it an id of its own, where the operation has another endpoint of this kind.
    pub(crate) fn named(self, id: &str) -> Self {
        self.change(|meta| id.clone_into(&mut meta.id))
    }

    /// Says with which other status it may succeed.
    pub(crate) fn or(self, status: StatusCode) -> Self {
        self.change(|meta| meta.succeeds.push(status))
    }

    /// Says that it succeeds with `201 Created` only.
    pub(crate) fn creates(self) -> Self {
        self.change(|meta| meta.succeeds = vec![StatusCode::CREATED])
    }

    /// Says that it may take long, so that it waits with the streams and has their time.
    pub(crate) fn long(self) -> Self {
        self.change(|meta| meta.streams = true)
    }

    /// Says that it gives one JSON object, or a page.
    pub(crate) fn object_or_page(self) -> Self {
        let object = |_: &mut Shapes| Some(ObjectBuilder::new().schema_type(Type::Object).into());
        Self { gives: (self.gives.0, object), gives_page: true, ..self }
    }

    /// Says that another router serves it.
    pub(crate) fn elsewhere(self) -> Self {
        self.change(|meta| meta.elsewhere = true)
    }
}
