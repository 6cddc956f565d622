//! Who may do what, over a real store.

mod changes;
mod keys;
mod once;
mod tokens;

use std::collections::BTreeSet;

use tenure_access::{Caller, ConsoleUser, Operation, Permit, Role, Subject, Target, decide};

/// A user of the console with every role.
fn user(name: &str) -> ConsoleUser {
    let roles: BTreeSet<Role> = Role::ALL.iter().copied().collect();
    ConsoleUser { principal: name.parse().unwrap(), roles }
}

/// A permit of a user with every role.
fn may(name: &str, operation: Operation, target: &Target<'_>) -> Permit {
    decide(&Caller::User(&user(name)), operation, target).unwrap()
}

fn house(operation: Operation) -> Permit {
    may("admin", operation, &Target::House)
}

fn subject(account: &str) -> Subject {
    Subject { organisation: None, account: account.parse().unwrap() }
}
