//! Ids. Those of sixteen bytes are drawn at random by the caller, the others are given by the store.

use std::fmt;
use std::str::FromStr;

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub i64);
    };
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// What every id of this kind begins with when it is shown.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                write!(f, "{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hex($prefix, text).map(Self)
            }
        }
    };
}

number_id!(
    /// An account inside this store. It leads every key; the account's own id is [`crate::AccountRow::id`].
    AccountKey
);
number_id!(
    /// An interned situation: the facts, as opaque bytes, by which copies are judged alike.
    SituationId
);
number_id!(
    /// An interned class of copies.
    ClassId
);
number_id!(
    /// A batch of copies that are destroyed together.
    BatchId
);
number_id!(
    /// A backup that was taken.
    BackupId
);
number_id!(
    /// The place of a statement in the one order of all statements; the first is 0.
    Seq
);
random_id!(
    /// A conversation.
    ConversationId, "c-"
);
random_id!(
    /// A record, shown as `r-` and 32 hexadecimal digits.
    RecordId, "r-"
);
random_id!(
    /// A page of wrapped keys.
    PageId, "p-"
);
random_id!(
    /// A pack of bodies.
    PackId, "k-"
);
random_id!(
    /// A training run.
    RunId, "run-"
);
random_id!(
    /// A proposed change that needs two people.
    ChangeId, "change-"
);

/// A text that is no id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected `{prefix}` and 32 hexadecimal digits in small letters")]
pub struct IdError {
    /// What the id should have begun with.
    pub prefix: &'static str,
}

fn parse_hex(prefix: &'static str, text: &str) -> Result<[u8; 16], IdError> {
    let digits = text.strip_prefix(prefix).filter(|hex| hex.len() == 32).ok_or(IdError { prefix })?;
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = pair
            .iter()
            .try_fold(0_u8, |so_far, digit| Some(so_far << 4 | nibble(*digit)?))
            .ok_or(IdError { prefix })?;
    }
    Ok(bytes)
}

/// Capitals are refused, so that an id has one spelling.
const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_as_it_was_shown() {
        let id = RecordId([0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xf0]);
        assert_eq!(id.to_string(), "r-0f0102030405060708090a0b0c0d0ef0");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn an_id_has_one_spelling_only() {
        for text in [
            "",
            "r-",
            "0f0102030405060708090a0b0c0d0ef0",
            "r-0F0102030405060708090a0b0c0d0ef0",
            "r-0f01",
            "c-0f0102030405060708090a0b0c0d0ef0",
        ] {
            assert_eq!(text.parse::<RecordId>(), Err(IdError { prefix: "r-" }), "{text}");
        }
    }
}
