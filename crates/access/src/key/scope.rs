//! What a key may do less than its role.

use std::collections::BTreeSet;

use crate::{Operation, OrganisationId, Refusal, Role, Target, allows};

/// Narrows the role of a key. It never widens it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The only operations that the key is for; `None` for all of its role.
    pub operations: Option<BTreeSet<Operation>>,
    /// The only organisation that the key reaches; `None` for all, and for accounts without any.
    pub organisation: Option<OrganisationId>,
}

impl Scope {
    /// Refuses a scope that names what the role may not do: it was meant for another role.
    pub(super) fn fits(&self, role: Role) -> Result<(), Refusal> {
        let mut named = self.operations.iter().flatten();
        if named.all(|operation| allows(role, *operation)) { Ok(()) } else { Err(Refusal::ScopeBeyondRole) }
    }

    /// Whether the operation is within it.
    pub fn has(&self, operation: Operation) -> bool {
        self.operations.as_ref().is_none_or(|operations| operations.contains(&operation))
    }

    /// Whether the target is within it. What names no organisation is beyond a key for one.
    pub fn reaches(&self, target: &Target<'_>) -> bool {
        self.organisation.as_ref().is_none_or(|only| target.organisation() == Some(only))
    }
}
