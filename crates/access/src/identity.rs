//! Who is meant: accounts and organisations as the operator names them, and the staff.

use std::fmt;
use std::str::FromStr;

/// A text that names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The id of an account or an organisation is empty, too long, or has control characters.
    #[error(
        "an id has 1 to {} bytes and no control characters: send the pseudonym that you gave",
        ID_BYTES_MAX
    )]
    Id,
    /// A member of staff is not named by a role or a pseudonym.
    #[error(
        "say who by a role or a pseudonym of at most {} small letters, digits, `-`, `_` and `.`: the ledger \
         keeps it for good, so no name and no address",
        PRINCIPAL_BYTES_MAX
    )]
    Principal,
}

/// So that its length fits one byte of a token.
const ID_BYTES_MAX: usize = 255;
const PRINCIPAL_BYTES_MAX: usize = 64;

macro_rules! pseudonym {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The pseudonym itself. It goes into no log and no message.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let fits = (1..=ID_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
                if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Id) }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

pseudonym!(
    /// An account, by the operator's pseudonym for it. Not shown by `Debug`: it stands for a person.
    AccountId
);
pseudonym!(
    /// An organisation, by the operator's name for it. Not shown by `Debug`: small ones stand for a person.
    OrganisationId
);

/// One account, with the organisation that it belongs to, if any.
///
/// The same pseudonym in two organisations is two accounts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The organisation that the account belongs to.
    pub organisation: Option<OrganisationId>,
    /// The account.
    pub account: AccountId,
}

/// Somebody of the operator's staff who answers for what is done: a role or a pseudonym.
///
/// A key has one too, so that two keys of one person are one person where two are needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(String);

impl Principal {
    /// The pseudonym itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Principal {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        let fits = (1..=PRINCIPAL_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain);
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Principal) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_the_operator_gave_and_is_not_shown() {
        let id: AccountId = "Ümläut 42".parse().unwrap();
        assert_eq!((id.as_str(), format!("{id:?}")), ("Ümläut 42", "AccountId".to_owned()));
        for text in ["", "a\nb", &"a".repeat(256)] {
            assert_eq!(text.parse::<AccountId>(), Err(NameError::Id));
        }
        assert!("a".repeat(255).parse::<OrganisationId>().is_ok());
    }

    #[test]
    fn staff_are_named_by_a_role_or_a_pseudonym() {
        assert!("privacy-2".parse::<Principal>().is_ok());
        for text in ["", "Ada Lovelace", "ada@example.org", &"a".repeat(65)] {
            assert_eq!(text.parse::<Principal>(), Err(NameError::Principal));
        }
    }
}
