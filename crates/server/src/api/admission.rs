//! From a credential to a permit: who calls, about what, whether they may, and whether it was done before.

use std::str::FromStr as _;

use axum::http::{HeaderMap, HeaderName, header};
use tenure_access::{
    About, ApiKey, Bearer, Caller, Change, Evidence, KeyHolder, Operation, OrganisationId, Permit, Principal,
    Refusal, Said, Subject, SubjectToken, Target, decide,
};
use tenure_app::{Error, Once, OnceAnswer, RecordId};
use tenure_model::Instant;

use super::answer::Encoded;
use super::ask::{Ask, Raw, Trouble};
use super::endpoint::{Aim, Meta};
use super::fault::{Code, Fault};
use super::input::{BodyKind, Input};
use super::state::Api;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_KEY_MAX: usize = 255;

/// Who calls, as far as the credential says.
enum Credential {
    Nobody,
    Key(KeyHolder),
    Token(SubjectToken),
}

/// Who calls, once they may use what they came with.
pub(crate) enum Who {
    Nobody,
    Key(KeyHolder),
    Person(Bearer),
}

impl Who {
    pub(crate) const fn caller(&self) -> Caller<'_> {
        match self {
            Self::Nobody => Caller::Anyone,
            Self::Key(holder) => Caller::Key(holder),
            Self::Person(bearer) => Caller::Person(bearer),
        }
    }
}

/// A request that may be done.
pub(crate) struct Admitted<I> {
    pub(crate) who: Who,
    pub(crate) permit: Permit,
    pub(crate) input: I,
    /// The attempt that it is one of, where it may come again.
    pub(crate) attempt: Option<Attempt>,
    pub(crate) now: Instant,
}

/// The text of the credential, if there is one.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (first, more) = (values.next(), values.next());
    let Some(first) = first else { return Ok(None) };
    let text = first.to_str().ok().filter(|_| more.is_none()).ok_or(Refusal::KeyMalformed)?;
    let (scheme, text) = text.split_once(' ').ok_or(Refusal::KeyMalformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(text)) } else { Err(Refusal::CredentialMissing) }
}

fn open(api: &Api, raw: &Raw, now: Instant) -> Result<Credential, Trouble> {
    match bearer(&raw.headers)? {
        None => Ok(Credential::Nobody),
        Some(text) if text.starts_with("tns_") => {
            Ok(Credential::Token(api.tenure.open_token(text, &api.audience, now)?))
        }
        Some(text) => Ok(Credential::Key(api.tenure.open_key(&ApiKey::from_str(text)?, now)?)),
    }
}

/// Finds out who calls and about what, asks whether they may, and uses up a token that is good for one request.
pub(crate) fn admit<I: Input>(api: &Api, meta: &Meta, raw: &mut Raw) -> Result<Admitted<I>, Trouble> {
    let now = api.now();
    let operation = meta.operation;
    let credential = if operation.is_public() { Credential::Nobody } else { open(api, raw, now)? };
    if matches!(credential, Credential::Nobody) && !operation.is_public() {
        return Err(Refusal::CredentialMissing.into());
    }
    let input = I::read(raw)?;
    let found = found(api, meta, raw, (&credential, input.proposes()))?;
    let said = input.said();
    let target = found.target(operation.about(), said.as_ref());
    let attempt = attempt(meta, raw, &credential)?;
    let who = present(api, meta, raw, (credential, &target))?;
    let permit = decide(&who.caller(), meta.operation, &target)?;
    Ok(Admitted { who, permit, input, attempt, now })
}

/// What a request is about, as the store knows it.
enum Found {
    House,
    Organisation(OrganisationId),
    Account(Subject),
    Held(Vec<Principal>),
    Reader(Principal),
    Change(Change),
}

impl Found {
    /// The same as the rules ask for it.
    fn target<'a>(&'a self, about: About, said: Option<&'a (Said, Option<Evidence>)>) -> Target<'a> {
        match (self, about, said) {
            (Self::Account(subject), About::OnBehalf, Some((said, evidence))) => {
                Target::OnBehalf { subject, said: *said, evidence: evidence.as_ref() }
            }
            (Self::Account(subject), _, _) => Target::Account(subject),
            (Self::House, _, _) => Target::House,
            (Self::Organisation(organisation), _, _) => Target::Organisation(organisation),
            (Self::Held(readers), _, _) => Target::Held { readers },
            (Self::Reader(reader), _, _) => Target::Reader(reader),
            (Self::Change(change), _, _) => Target::Change(*change),
        }
    }
}

/// What it is about.
fn found(
    api: &Api,
    meta: &Meta,
    raw: &Raw,
    (credential, proposed): (&Credential, Option<Change>),
) -> Result<Found, Trouble> {
    match meta.aim {
        Aim::House => Ok(house(meta.operation, credential)),
        Aim::Mine | Aim::Account | Aim::Record => {
            Ok(Found::Account(subject(api, meta.aim, raw, credential)?))
        }
        Aim::Held => match api.tenure.readers_now(raw.param("hold")?) {
            Ok(readers) => Ok(Found::Held(readers)),
            // Whoever may not know of holds is not told that there is none of that name.
            Err(Error::UnknownHold) => Ok(Found::Held(Vec::new())),
            Err(error) => Err(error.into()),
        },
        Aim::Reader => Ok(Found::Reader(raw.param("reader")?.parse().map_err(|_| Code::PathInvalid)?)),
        Aim::Change => match proposed {
            Some(change) => Ok(Found::Change(change)),
            None => {
                let id = raw.param("change")?.parse().map_err(|_| Code::PathInvalid)?;
                Ok(Found::Change(api.tenure.change_kind(id)?))
            }
        },
    }
}

/// The house, or what of it a key for one organisation reaches: the keys of that organisation.
fn house(operation: Operation, credential: &Credential) -> Found {
    use Operation as O;
    let of_keys = matches!(operation, O::MintKey | O::RotateKey | O::RevokeKey | O::ListKeys);
    match credential {
        Credential::Key(holder) if of_keys => {
            holder.scope().organisation.clone().map_or(Found::House, Found::Organisation)
        }
        _ => Found::House,
    }
}

/// Whose account it is about.
fn subject(api: &Api, aim: Aim, raw: &Raw, credential: &Credential) -> Result<Subject, Trouble> {
    match (aim, credential) {
        (Aim::Mine, Credential::Token(token)) => Ok(token.subject().clone()),
        (Aim::Mine, _) => Err(Refusal::PersonOnly.into()),
        (Aim::Record, _) => {
            let record: RecordId = raw.param("record")?.parse().map_err(|_| Code::PathInvalid)?;
            let owner = api.tenure.owner_of(record)?;
            let organisation = owner.organisation.as_deref().map(str::parse).transpose();
            let named = organisation.ok().zip(owner.id.parse().ok());
            let (organisation, account) = named.ok_or(Error::UnknownRecord)?;
            let subject = Subject { organisation, account };
            match credential {
                // A person is not told that others have such a record.
                Credential::Token(token) if *token.subject() != subject => Err(Code::RecordUnknown.into()),
                _ => Ok(subject),
            }
        }
        // No account of an organisation is stored yet.
        _ => {
            let account = raw.param("account")?.parse().map_err(|_| Code::PathInvalid)?;
            Ok(Subject { organisation: None, account })
        }
    }
}

/// Uses up a token that is good for one request, if it may be used for this one: a request that is refused spends
/// none.
fn present(
    api: &Api,
    meta: &Meta,
    raw: &Raw,
    (credential, target): (Credential, &Target<'_>),
) -> Result<Who, Trouble> {
    let token = match credential {
        Credential::Nobody => return Ok(Who::Nobody),
        Credential::Key(holder) => return Ok(Who::Key(holder)),
        Credential::Token(token) => token,
    };
    let digest = raw.digest(meta.operation.word());
    let unspent = token.clone().present(digest, None)?;
    if !token.purpose().is_once() {
        return Ok(Who::Person(unspent));
    }
    decide(&Caller::Person(&unspent), meta.operation, target)?;
    Ok(Who::Person(api.tenure.claim_token(token, digest)?))
}

/// A request that may come more than once and is to be done once.
pub(crate) struct Attempt {
    /// What the caller calls it.
    key: String,
    /// The SHA-256 of the request.
    request: [u8; 32],
    /// Whether it may take long.
    is_long: bool,
}

/// The attempt that a request is one of: of its `Idempotency-Key`, or of a token that is good for one request.
fn attempt(meta: &Meta, raw: &Raw, credential: &Credential) -> Result<Option<Attempt>, Fault> {
    let named = raw.header(&IDEMPOTENCY_KEY)?;
    let is_key = |key: &str| {
        (1..=IDEMPOTENCY_KEY_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if named.is_some_and(|key| !is_key(key)) {
        let form = format!("`{IDEMPOTENCY_KEY}` is 1 to {IDEMPOTENCY_KEY_MAX} visible ASCII characters");
        return Err(Fault::with(Code::HeaderInvalid, form));
    }
    // A stream is never whole here, and takes nothing twice by itself.
    if !meta.writes || meta.body == BodyKind::Lines {
        return Ok(None);
    }
    let key = match (credential, named) {
        // It is done once, however its sender calls it. No header can have a space.
        (Credential::Token(token), _) if token.purpose().is_once() => format!("token {}", token.id()),
        (_, Some(named)) => named.to_owned(),
        (_, None) => return Ok(None),
    };
    Ok(Some(Attempt { key, request: raw.digest(meta.operation.word()), is_long: meta.streams }))
}

/// Does what is to be done once: what was done before is answered as it was then.
pub(crate) fn once(
    ask: &Ask<'_>,
    attempt: Option<Attempt>,
    work: impl FnOnce() -> Result<Encoded, Trouble>,
) -> Result<Encoded, Trouble> {
    let Some(Attempt { key, request, is_long }) = attempt else { return work() };
    let ticket = match ask.tenure().begin_once(&ask.permit, (&key, request, is_long), ask.now)? {
        Once::First(ticket) => ticket,
        Once::UnderWay => return Err(Code::IdempotencyUnderWay.into()),
        Once::Other => return Err(Code::IdempotencyKeyReused.into()),
        Once::Again(answer) => return Ok(Encoded::from_bytes(&answer.body)?),
    };
    match work() {
        Ok(encoded) => {
            let answer = OnceAnswer { status: encoded.status(), body: encoded.to_bytes()? };
            if let Err(error) = ask.tenure().finish_once(ticket, ask.permit.subject(), &answer) {
                // It is done, so it is answered; the operator is told that a repeated request may do it again.
                drop(Trouble::from(error).into_fault(&ask.api.reporter));
            }
            Ok(encoded)
        }
        Err(trouble) => {
            // Where it may have been done all the same, it counts as under way until it is taken to be given up.
            if trouble.did_nothing() {
                ask.tenure().abandon_once(ticket)?;
            }
            Err(trouble)
        }
    }
}
