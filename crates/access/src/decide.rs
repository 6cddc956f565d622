//! The one question: may this caller do this to that?

use std::collections::BTreeSet;

use crate::{
    Bearer, Change, KeyHolder, KeyId, Operation, OrganisationId, Principal, Refusal, Role, Said, Scope,
    Subject, Target, TokenId, allows,
};

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// Somebody without a credential.
    Anyone,
    /// Somebody with an API key.
    Key(&'a KeyHolder),
    /// Somebody who logged in to the console.
    User(&'a ConsoleUser),
    /// A person with a subject token.
    Person(&'a Bearer),
}

/// Somebody who logged in to the console. Whoever builds one has checked the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleUser {
    /// Who.
    pub principal: Principal,
    /// What they are.
    pub roles: BTreeSet<Role>,
}

/// Who was permitted, for the records of what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// Anybody, to what is public.
    Anyone,
    /// The holder of a key.
    Key {
        /// Which key.
        key: KeyId,
        /// Who answers for it.
        owner: Principal,
    },
    /// A user of the console.
    User(Principal),
    /// The person themselves, by a token.
    Person(TokenId),
}

/// How much of what is known about an account its reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// What the person may be told: a hold that must be kept from them does not show, nor what only it keeps.
    Told,
    /// Everything.
    Whole,
}

/// That somebody may do something. Only [`decide`] makes one, so what asks for a permit can't be reached without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    operation: Operation,
    by: By,
    subject: Option<Subject>,
    organisation: Option<OrganisationId>,
    change: Option<Change>,
    view: View,
}

impl Permit {
    /// What may be done.
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// Who may.
    pub const fn by(&self) -> &By {
        &self.by
    }

    /// The member of staff who answers for it; `None` for a person and the public.
    pub const fn principal(&self) -> Option<&Principal> {
        match &self.by {
            By::Key { owner: principal, .. } | By::User(principal) => Some(principal),
            By::Anyone | By::Person(_) => None,
        }
    }

    /// The account to which it may be done. A handler acts on this one, whatever the request names.
    pub const fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// The one organisation that it stays within; nothing where it is for all of the store. Whatever asks for a permit
    /// that is not about one account reaches nothing beyond it.
    pub const fn organisation(&self) -> Option<&OrganisationId> {
        self.organisation.as_ref()
    }

    /// The change that may be proposed, approved or rejected.
    pub const fn change(&self) -> Option<Change> {
        self.change
    }

    /// How much the answer may show.
    pub const fn view(&self) -> View {
        self.view
    }
}

/// Whether this caller may do this to that. What no rule allows is refused.
pub fn decide(caller: &Caller<'_>, operation: Operation, target: &Target<'_>) -> Result<Permit, Refusal> {
    ensure(target.about() == operation.about(), Refusal::TargetMismatch)?;
    let (by, view) = match caller {
        _ if operation.is_public() => (By::Anyone, View::Told),
        Caller::Anyone => return Err(Refusal::CredentialMissing),
        Caller::Person(bearer) => (person(bearer, operation, target)?, View::Told),
        Caller::Key(holder) => {
            let roles = BTreeSet::from([holder.role()]);
            let staff = Staff { principal: holder.owner(), roles: &roles, scope: Some(holder.scope()) };
            let by = By::Key { key: holder.key(), owner: holder.owner().clone() };
            (by, staff.may(operation, target)?)
        }
        Caller::User(user) => {
            let staff = Staff { principal: &user.principal, roles: &user.roles, scope: None };
            (By::User(user.principal.clone()), staff.may(operation, target)?)
        }
    };
    Ok(Permit {
        operation,
        by,
        subject: target.subject().cloned(),
        organisation: target.organisation().cloned(),
        change: target.change(),
        view,
    })
}

/// Whether the bearer of a token may: what it is for, and to its own account.
fn person(bearer: &Bearer, operation: Operation, target: &Target<'_>) -> Result<By, Refusal> {
    let token = bearer.token();
    let purpose = operation.purpose().ok_or(Refusal::StaffOnly)?;
    ensure(purpose == token.purpose(), Refusal::PurposeOther)?;
    ensure(target.subject() == Some(token.subject()), Refusal::AccountOther)?;
    Ok(By::Person(token.id()))
}

/// A member of staff, by a key or a log-in.
struct Staff<'a> {
    principal: &'a Principal,
    roles: &'a BTreeSet<Role>,
    scope: Option<&'a Scope>,
}

impl Staff<'_> {
    /// Whether they may, and how much they may see of it.
    fn may(&self, operation: Operation, target: &Target<'_>) -> Result<View, Refusal> {
        self.ask(operation)?;
        ensure(self.scope.is_none_or(|scope| scope.reaches(target)), Refusal::OrganisationOther)?;
        self.meets(operation, target)?;
        // Whoever may not see holds sees what the person concerned may be told.
        let whole = self.ask(Operation::ListHolds).is_ok();
        Ok(if whole { View::Whole } else { View::Told })
    }

    /// Whether a role and the scope have the operation at all.
    fn ask(&self, operation: Operation) -> Result<(), Refusal> {
        ensure(!operation.roles().is_empty(), Refusal::PersonOnly)?;
        ensure(self.is_allowed(operation), Refusal::RoleInsufficient)?;
        ensure(self.scope.is_none_or(|scope| scope.has(operation)), Refusal::ScopeInsufficient)
    }

    fn is_allowed(&self, operation: Operation) -> bool {
        self.roles.iter().any(|role| allows(*role, operation))
    }

    /// Whether the target lets them, beyond what the role allows.
    fn meets(&self, operation: Operation, target: &Target<'_>) -> Result<(), Refusal> {
        match target {
            Target::House | Target::Organisation(_) | Target::Account(_) => Ok(()),
            // A no is always taken; what takes a right from a person is not taken on somebody's word.
            Target::OnBehalf { said, evidence, .. } => {
                ensure(*said == Said::Off || evidence.is_some(), Refusal::EvidenceMissing)
            }
            Target::Held { readers } => ensure(readers.contains(self.principal), Refusal::ReaderOnly),
            Target::Reader(reader) => ensure(*reader != self.principal, Refusal::ReaderSelf),
            // What nobody in these roles may do, they may not set going.
            Target::Change(change) => {
                let mut makes = change.operations().iter();
                let proposes = operation == Operation::ProposeChange;
                ensure(!proposes || makes.any(|makes| self.is_allowed(*makes)), Refusal::RoleInsufficient)
            }
        }
    }
}

fn ensure(holds: bool, otherwise: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(otherwise) }
}
