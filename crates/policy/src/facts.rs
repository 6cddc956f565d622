//! What a verdict depends on, resolved against a lineage: names have become indices, and everything
//! that could not be judged has been refused.

use std::collections::HashSet;

use tenure_model::{Choice, Instant, Kind, Mode, Regime};

use crate::case::{Case, Hold, Text};
use crate::lineage::{Lineage, PurposeIx, VersionIx};
use crate::past::{FormerFacts, Unflagged};
use crate::surfaces::SurfaceId;

/// A decision of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The purpose.
    pub purpose: PurposeIx,
    /// The answer.
    pub choice: Choice,
    /// When it was given.
    pub at: Instant,
    /// The version that the person saw.
    pub version: VersionIx,
}

/// What an account was told, acknowledged and decided, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// When the account was told of a version.
    pub informed: Vec<(VersionIx, Instant)>,
    /// When it acknowledged one without deciding. A decision acknowledges its version by itself.
    pub acknowledged: Vec<(VersionIx, Instant)>,
    /// Its decisions.
    pub decisions: Vec<Decision>,
}

/// A message of a record.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Its id, of which a record has no two.
    pub id: &'a str,
    /// When it was sent; a message without a time is never used.
    pub at: Option<Instant>,
    /// The messages that its text was made from.
    pub derived_from: &'a [Text<'a>],
}

/// Everything that the verdict on one record at one instant depends on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The instant of the verdict.
    pub at: Instant,
    /// The record's id, by which a copy that is due is named.
    pub record: &'a str,
    /// The account's id, for the scope of holds.
    pub account: &'a str,
    /// The account's present country.
    pub account_country: Option<&'a str>,
    /// Whether the person is a minor.
    pub minor: Option<bool>,
    /// What was known of the account before corrections, oldest first.
    pub former: Vec<FormerFacts<'a>>,
    /// When the account was opened; before every version where unknown.
    pub opened_at: Option<Instant>,
    /// When it was closed, if by now.
    pub closed_at: Option<Instant>,
    /// What it was told, acknowledged and decided.
    pub history: &'a History,
    /// The surface.
    pub surface: SurfaceId,
    /// The name of the surface as the record has it, for the scope of holds.
    pub surface_name: &'a str,
    /// Chat or code.
    pub kind: Kind,
    /// Normal or incognito.
    pub mode: Mode,
    /// The record's country.
    pub country: Option<&'a str>,
    /// Whether a classifier has looked at the record.
    pub scanned: bool,
    /// When the record was created.
    pub created_at: Instant,
    /// The record's own last activity.
    pub last_activity_at: Instant,
    /// The conversation's last activity in the same regime.
    pub conversation_last_activity_at: Instant,
    /// When the person deleted it, if by now.
    pub deleted_at: Option<Instant>,
    /// When it was flagged, if by now.
    pub flagged_at: Option<Instant>,
    /// The flag that was cleared last, if one was; while another is set, that one counts.
    pub unflagged: Option<Unflagged>,
    /// When feedback was given, if by now.
    pub feedback_at: Option<Instant>,
    /// Its messages, in order; none where the record is judged as a whole.
    pub messages: &'a [Message<'a>],
    /// Holds, whether or not they cover the record.
    pub holds: &'a [Hold<'a>],
}

/// Why a case can't be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// No version of the lineage knows the surface.
    #[error("unknown surface `{0}`: no version of this policy knows it")]
    UnknownSurface(String),
    /// No version of the lineage knows the purpose.
    #[error("unknown purpose `{0}`: no version of this policy knows it")]
    UnknownPurpose(String),
    /// Something happened under a version that the lineage lacks.
    #[error("unknown version `{0}`: an event up to `at` names it, but this policy has no such version")]
    UnknownVersion(String),
    /// Two messages have one id.
    #[error("two messages have the id `{0}`")]
    RepeatedMessage(String),
    /// The instants contradict each other.
    #[error("{0}")]
    Impossible(&'static str),
}

/// What a case owns once its names are resolved; [`Facts`] borrow from it.
#[derive(Debug)]
pub struct Resolved<'a> {
    history: History,
    messages: Vec<Message<'a>>,
    surface: SurfaceId,
}

impl<'a> Resolved<'a> {
    /// Resolves a case against a lineage, and refuses what makes no sense.
    pub fn new(lineage: &Lineage, case: &'a Case<'a>) -> Result<Self, CaseError> {
        let surface = lineage
            .surface(&case.record.surface)
            .ok_or_else(|| CaseError::UnknownSurface(case.record.surface.to_string()))?;
        instants_agree(case)?;
        let history = resolve_history(lineage, case)?;
        messages_are_distinct(case)?;
        let messages = case.record.messages.iter().map(|message| Message {
            id: &message.id,
            at: Some(message.at),
            derived_from: &message.derived_from,
        });
        Ok(Self { history, messages: messages.collect(), surface })
    }

    /// The facts of the case.
    pub fn facts(&'a self, case: &'a Case<'a>) -> Facts<'a> {
        let by_now = |instant: Option<Instant>| instant.filter(|instant| *instant <= case.at);
        let record = &case.record;
        Facts {
            at: case.at,
            record: &record.id,
            account: &case.account.id,
            account_country: case.account.country.as_deref(),
            minor: case.account.minor,
            former: Vec::new(),
            opened_at: case.account.opened_at,
            closed_at: by_now(case.account.closed_at),
            history: &self.history,
            surface: self.surface,
            surface_name: &record.surface,
            kind: record.kind,
            mode: record.mode,
            country: record.country.as_deref(),
            scanned: record.scanned == Some(true),
            created_at: record.created_at,
            last_activity_at: record.last_activity_at,
            conversation_last_activity_at: record
                .conversation_last_activity_at
                .unwrap_or(record.last_activity_at),
            deleted_at: by_now(record.deleted_at),
            flagged_at: by_now(record.flagged_at),
            unflagged: None,
            feedback_at: by_now(record.feedback_at),
            messages: &self.messages,
            holds: &case.holds,
        }
    }
}

fn resolve_history(lineage: &Lineage, case: &Case<'_>) -> Result<History, CaseError> {
    // An unknown version is forgiven in what has not happened yet; what has not happened is dropped.
    let version = |name: &str, at: Instant| match lineage.version(name) {
        Some(version) => Ok((at <= case.at).then_some(version)),
        None if at > case.at => Ok(None),
        None => Err(CaseError::UnknownVersion(name.to_owned())),
    };
    let mut history = History::default();
    for event in &case.informed {
        history.informed.extend(version(&event.version, event.at)?.map(|version| (version, event.at)));
    }
    for event in &case.acknowledged {
        history.acknowledged.extend(version(&event.version, event.at)?.map(|version| (version, event.at)));
    }
    for decision in &case.decisions {
        let purpose = lineage
            .purpose(&decision.purpose)
            .ok_or_else(|| CaseError::UnknownPurpose(decision.purpose.to_string()))?;
        if let Some(version) = version(&decision.version, decision.at)? {
            history.decisions.push(Decision { purpose, choice: decision.choice, at: decision.at, version });
        }
    }
    Ok(history)
}

fn instants_agree(case: &Case<'_>) -> Result<(), CaseError> {
    let record = &case.record;
    let conversation = record.conversation_last_activity_at.unwrap_or(record.last_activity_at);
    let rules = [
        (case.account.opened_at.is_none_or(|opened| opened <= case.at), "the account was opened after `at`"),
        (record.created_at <= case.at, "the record was created after `at`"),
        (record.last_activity_at <= case.at, "the record was active after `at`"),
        (record.created_at <= record.last_activity_at, "the record was active before it was created"),
        (
            conversation >= record.last_activity_at,
            "the conversation's last activity lies before its record's",
        ),
        (conversation <= case.at, "the conversation was active after `at`"),
        (
            case.holds.iter().all(|hold| hold.released_at.is_none_or(|released| released >= hold.placed_at)),
            "a hold was released before it was placed",
        ),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, broken)) => Err(CaseError::Impossible(broken)),
        None => Ok(()),
    }
}

fn messages_are_distinct(case: &Case<'_>) -> Result<(), CaseError> {
    let messages = &case.record.messages;
    // A few are compared in place; many are hashed, so that a long record costs no square.
    let repeated = if messages.len() <= 16 {
        messages
            .iter()
            .enumerate()
            .find(|(index, message)| messages.iter().take(*index).any(|earlier| earlier.id == message.id))
    } else {
        let mut seen = HashSet::with_capacity(messages.len());
        messages.iter().enumerate().find(|(_, message)| !seen.insert(&*message.id))
    };
    match repeated {
        Some((_, message)) => Err(CaseError::RepeatedMessage(message.id.to_string())),
        None => Ok(()),
    }
}

/// How a hold's scope meets the record, whatever its times.
pub(crate) fn in_scope(hold: &Hold<'_>, facts: &Facts<'_>, regime: Regime) -> bool {
    fn lists<T: PartialEq<U>, U: ?Sized>(list: Option<&Vec<T>>, value: &U) -> bool {
        list.is_none_or(|list| list.iter().any(|item| item == value))
    }
    // An unknown country is in every list of countries that is not empty, and in none left out.
    let country_included = hold.countries.as_ref().is_none_or(|list| match facts.country {
        Some(country) => list.iter().any(|listed| **listed == *country),
        None => !list.is_empty(),
    });
    let country_left_out = hold.not_countries.as_ref().is_some_and(|list| {
        facts.country.is_some_and(|country| list.iter().any(|listed| **listed == *country))
    });
    regime != Regime::Zero
        && lists(hold.regimes.as_ref(), &regime)
        && lists(hold.kinds.as_ref(), &facts.kind)
        && hold.surfaces.as_ref().is_none_or(|list| list.iter().any(|listed| **listed == *facts.surface_name))
        && hold.accounts.as_ref().is_none_or(|list| list.iter().any(|listed| **listed == *facts.account))
        && country_included
        && !country_left_out
        && hold.created_from.is_none_or(|from| facts.created_at >= from)
        && hold.created_to.is_none_or(|to| facts.created_at < to)
}
