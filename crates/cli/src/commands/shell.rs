//! Who types: whoever has the data folder and its keys may do everything, and says under which name.

use std::collections::BTreeSet;

use clap::Args;
use tenure_access::{Caller, ConsoleUser, Operation, Permit, Principal, Refusal, Role, Target, decide};

/// Who answers for what a command does.
#[derive(Debug, Clone, Args)]
pub(super) struct Who {
    /// Who answers for this: a role or a pseudonym, never a person's name
    #[arg(long = "as", value_name = "NAME", default_value = "operator")]
    name: Principal,
}

impl Who {
    /// The permit of somebody who has every role. The rules are asked all the same: they keep two people apart.
    pub(super) fn may(&self, operation: Operation, target: &Target<'_>) -> Result<Permit, Refusal> {
        let roles: BTreeSet<Role> = Role::ALL.iter().copied().collect();
        let user = ConsoleUser { principal: self.name.clone(), roles };
        decide(&Caller::User(&user), operation, target)
    }
}
