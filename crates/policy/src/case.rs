//! A case as it is written: the JSON that `tenure verdict` reads, one object a line.
//!
//! Reading a case checks its form: instants exist, and words are of their vocabulary. Whether it
//! makes sense under a lineage is checked when it is judged.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::value::RawValue;
use tenure_model::{Choice, Instant, Kind, Mode, Regime};

/// A string that borrows from the input where it can.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// `null` and absence both mean none of it.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Something that is written as a JSON object. Plain `serde` would read a list of its fields' values
/// too, and so give a meaning to lines that have none.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Visitor(PhantomData)).map(Object)
    }
}

fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(inner)| inner)
}

/// As [`null_is_empty`], for a list of objects.
fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let objects: Vec<Object<T>> = null_is_empty(deserializer)?;
    Ok(objects.into_iter().map(|Object(inner)| inner).collect())
}

impl<'a> Case<'a> {
    /// Reads one line.
    pub fn from_json(line: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(line).map(|Object(case)| case)
    }
}

/// One case: everything that a verdict depends on.
#[derive(Debug, Clone, Deserialize)]
pub struct Case<'a> {
    /// The caller's name for the case, given back as it was written.
    #[serde(borrow, default)]
    pub case: Option<&'a RawValue>,
    /// The instant of the verdict.
    pub at: Instant,
    /// Whose record it is.
    #[serde(borrow, deserialize_with = "object")]
    pub account: Account<'a>,
    /// When the account was told of versions.
    #[serde(borrow, default, deserialize_with = "objects")]
    pub informed: Vec<Event<'a>>,
    /// When the account acknowledged versions without deciding.
    #[serde(borrow, default, deserialize_with = "objects")]
    pub acknowledged: Vec<Event<'a>>,
    /// The account's decisions, in any order.
    #[serde(borrow, default, deserialize_with = "objects")]
    pub decisions: Vec<Decision<'a>>,
    /// The record.
    #[serde(borrow, deserialize_with = "object")]
    pub record: Record<'a>,
    /// Holds, whether or not they cover the record.
    #[serde(borrow, default, deserialize_with = "objects")]
    pub holds: Vec<Hold<'a>>,
}

/// The account of a case.
#[derive(Debug, Clone, Deserialize)]
pub struct Account<'a> {
    /// The operator's pseudonym for it.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// Its present country; unknown where missing.
    #[serde(borrow, default)]
    pub country: Option<Text<'a>>,
    /// Whether the person is a minor; unknown where missing.
    #[serde(default)]
    pub minor: Option<bool>,
    /// When it was opened; before every version where missing.
    #[serde(default)]
    pub opened_at: Option<Instant>,
    /// When it was closed, if it was.
    #[serde(default)]
    pub closed_at: Option<Instant>,
}

/// Something that happened to an account under a version.
#[derive(Debug, Clone, Deserialize)]
pub struct Event<'a> {
    /// The version.
    #[serde(borrow)]
    pub version: Text<'a>,
    /// When.
    pub at: Instant,
}

/// A decision.
#[derive(Debug, Clone, Deserialize)]
pub struct Decision<'a> {
    /// The purpose.
    #[serde(borrow)]
    pub purpose: Text<'a>,
    /// The answer.
    pub choice: Choice,
    /// When.
    pub at: Instant,
    /// The version that the person saw.
    #[serde(borrow)]
    pub version: Text<'a>,
}

/// The record of a case.
#[derive(Debug, Clone, Deserialize)]
pub struct Record<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// The surface through which it was sent.
    #[serde(borrow)]
    pub surface: Text<'a>,
    /// Chat or code.
    pub kind: Kind,
    /// Normal or incognito.
    pub mode: Mode,
    /// The country in which it was sent; unknown where missing.
    #[serde(borrow, default)]
    pub country: Option<Text<'a>>,
    /// Whether a classifier has looked at it.
    #[serde(default)]
    pub scanned: Option<bool>,
    /// When it was created.
    pub created_at: Instant,
    /// Its own last activity.
    pub last_activity_at: Instant,
    /// The conversation's last activity in the same regime; the record's own where missing.
    #[serde(default)]
    pub conversation_last_activity_at: Option<Instant>,
    /// When the person deleted it, if they did.
    #[serde(default)]
    pub deleted_at: Option<Instant>,
    /// When it was flagged, if it was.
    #[serde(default)]
    pub flagged_at: Option<Instant>,
    /// When feedback was given on it, if it was.
    #[serde(default)]
    pub feedback_at: Option<Instant>,
    /// Its messages, in order; none where the record is judged as a whole.
    #[serde(borrow, default, deserialize_with = "objects")]
    pub messages: Vec<Message<'a>>,
}

/// A message of a record.
#[derive(Debug, Clone, Deserialize)]
pub struct Message<'a> {
    /// Its id, of which a record has no two.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// When it was sent.
    pub at: Instant,
    /// The messages that its text was made from.
    #[serde(borrow, default, deserialize_with = "null_is_empty")]
    pub derived_from: Vec<Text<'a>>,
}

/// An order to preserve, with the scope that it has.
#[derive(Debug, Clone, Deserialize)]
pub struct Hold<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// When it was placed.
    pub placed_at: Instant,
    /// When it was released, if it was.
    #[serde(default)]
    pub released_at: Option<Instant>,
    /// The classes whose destruction it suspends; null means any, as in all that follow.
    #[serde(borrow, default)]
    pub classes: Option<Vec<Text<'a>>>,
    /// Regimes.
    #[serde(default)]
    pub regimes: Option<Vec<Regime>>,
    /// Surfaces, by the name that the record has.
    #[serde(borrow, default)]
    pub surfaces: Option<Vec<Text<'a>>>,
    /// Accounts.
    #[serde(borrow, default)]
    pub accounts: Option<Vec<Text<'a>>>,
    /// Countries to include.
    #[serde(borrow, default)]
    pub countries: Option<Vec<Text<'a>>>,
    /// Countries to leave out.
    #[serde(borrow, default)]
    pub not_countries: Option<Vec<Text<'a>>>,
    /// Kinds.
    #[serde(default)]
    pub kinds: Option<Vec<Kind>>,
    /// Records created at this instant or later.
    #[serde(default)]
    pub created_from: Option<Instant>,
    /// Records created before this instant.
    #[serde(default)]
    pub created_to: Option<Instant>,
    /// Only records that the person deleted.
    #[serde(default)]
    pub deleted_only: Option<bool>,
}

impl Hold<'_> {
    /// Whether it suspends the destruction of a class.
    pub(crate) fn suspends(&self, class: &str) -> bool {
        self.classes.as_ref().is_none_or(|classes| classes.iter().any(|named| **named == *class))
    }
}
