//! What an operation is asked about.

use crate::{About, Change, Operation, OrganisationId, Principal, Subject};

/// What an operation is asked about, as far as it matters to who may ask.
///
/// Whoever builds one takes it from the store, not from the caller: the organisation of an account in particular.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// All of the store.
    House,
    /// All of one organisation.
    Organisation(&'a OrganisationId),
    /// One account, and what is its own.
    Account(&'a Subject),
    /// One account, in whose name somebody says something.
    OnBehalf {
        /// The account.
        subject: &'a Subject,
        /// What its person said.
        said: Said,
        /// What shows that they said it.
        evidence: Option<&'a Evidence>,
    },
    /// What one hold keeps.
    Held {
        /// Who may read it now.
        readers: &'a [Principal],
    },
    /// Who is to be given the right to read what a hold keeps.
    Reader(&'a Principal),
    /// A change that needs two people.
    Change(Change),
}

/// What a person said elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Yes to a purpose.
    On,
    /// No to a purpose.
    Off,
    /// That they have read a version.
    Acknowledged,
}

/// The SHA-256 of what shows how a person said it: the text shown, the answer, when and where. The operator
/// keeps that itself, and the statement in the ledger names the digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence(pub [u8; 32]);

impl<'a> Target<'a> {
    /// What sort it is.
    pub const fn about(&self) -> About {
        match self {
            Self::House | Self::Organisation(_) => About::House,
            Self::Account(_) => About::Account,
            Self::OnBehalf { .. } => About::OnBehalf,
            Self::Held { .. } => About::Held,
            Self::Reader(_) => About::Reader,
            Self::Change(_) => About::Change,
        }
    }

    /// The one account that it is about.
    pub const fn subject(&self) -> Option<&'a Subject> {
        match self {
            Self::Account(subject) | Self::OnBehalf { subject, .. } => Some(subject),
            _ => None,
        }
    }

    /// The one organisation that it stays within.
    pub fn organisation(&self) -> Option<&'a OrganisationId> {
        match self {
            Self::Organisation(organisation) => Some(organisation),
            _ => self.subject()?.organisation.as_ref(),
        }
    }

    /// The change that it is about, of an operation that proposes, approves or rejects one.
    pub(crate) const fn change(&self) -> Option<Change> {
        match self {
            Self::Change(change) => Some(*change),
            _ => None,
        }
    }
}

impl Operation {
    /// The changes for which this operation needs two people, if what it does is such a change.
    pub fn changes(self) -> impl Iterator<Item = Change> {
        Change::ALL.iter().copied().filter(move |change| change.operations().contains(&self))
    }
}
