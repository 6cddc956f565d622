//! What a version says, as a tree.

use std::fmt;

use tenure_model::{Instant, Kind, Mode, MonthLength, Regime, Span, Term, vocabulary};

use super::Position;

/// One version of a lineage: everything that one policy file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The file that it was read from, as the caller named it.
    pub file: String,
    /// The name of the lineage.
    pub policy: String,
    /// The name of the version.
    pub name: String,
    /// A title for people.
    pub title: String,
    /// When the version was made known. Versions are ordered by this, then by name.
    pub announced: Instant,
    /// From when it binds those whom it asks for nothing wider.
    pub effective: Instant,
    /// By when an account must have decided, where a purpose asks for consent.
    pub decide_by: Option<Instant>,
    /// What happens to those who have not decided by then.
    pub undecided: Undecided,
    /// What is left to copies that lose their basis otherwise than by time or deletion.
    pub grace: Span,
    /// How long the evidence of a closed account's decisions is kept.
    pub proof: Span,
    /// How long a month is.
    pub months: MonthLength,
    /// The classes of copies that have a body.
    pub bodies: Vec<String>,
    /// The classes of facts, which have none.
    pub facts: Vec<String>,
    /// Groups of countries; a country in none of them is in `other`.
    pub regions: Vec<Region>,
    /// The surfaces that the version knows.
    pub surfaces: Vec<Surface>,
    /// What records may be used for.
    pub purposes: Vec<Purpose>,
    /// What may be kept, in file order.
    pub keeps: Vec<Keep>,
    /// What may be used, in file order.
    pub uses: Vec<Use>,
    /// What must be impossible.
    pub nevers: Vec<Never>,
}

impl Version {
    /// Every class, bodies first, in file order.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.bodies.iter().chain(&self.facts).map(String::as_str)
    }

    /// The purpose of that name.
    pub fn purpose(&self, name: &str) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| purpose.name == name)
    }

    /// The region that a country lies in; `None` is `other`.
    pub fn region_of(&self, country: &str) -> Option<&Region> {
        self.regions.iter().find(|region| region.countries.iter().any(|known| known == country))
    }
}

/// What happens after `decide_by` to an account that has not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecided {
    /// It must choose before going on.
    Block,
    /// It is reminded.
    Remind,
}

/// A group of countries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The name that rules use.
    pub name: String,
    /// ISO 3166-1 alpha-2 codes.
    pub countries: Vec<String>,
    /// Where it is written.
    pub at: Position,
}

/// A product or plan through which messages are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surface {
    /// The name that records use.
    pub name: String,
    /// Its regime, which never changes in a lineage.
    pub regime: Regime,
    /// The name that it had before.
    pub was: Option<String>,
    /// Where it is written.
    pub at: Position,
}

/// On what ground a purpose may use a record. Ordered from strict to loose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Needs an `on`.
    Consent,
    /// Until an `off`, and only after the account was informed and this span has passed.
    Objection {
        /// The waiting time.
        wait: Span,
    },
    /// Not a matter of choice.
    None,
}

impl Ground {
    /// How loose the ground is: consent 0, objection 1, none 2.
    pub const fn looseness(self) -> u8 {
        match self {
            Self::Consent => 0,
            Self::Objection { .. } => 1,
            Self::None => 2,
        }
    }

    /// The word in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Objection { .. } => "objection",
            Self::None => "none",
        }
    }
}

/// What a choice takes in when a conversation goes on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Each message is judged by its own time.
    Message,
    /// The whole conversation is judged by its last activity.
    Conversation,
}

/// What a record may be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// The name that rules and decisions use.
    pub name: String,
    /// A title for people.
    pub title: String,
    /// On what ground.
    pub ground: Ground,
    /// In which regimes; `None` only where the ground is none, and then everywhere.
    pub regimes: Option<Vec<Regime>>,
    /// What a choice takes in.
    pub reach: Reach,
    /// Where it is written.
    pub at: Position,
}

impl Purpose {
    /// Whether the purpose is a matter of choice at all.
    pub const fn is_chosen(&self) -> bool {
        !matches!(self.ground, Ground::None)
    }

    /// Whether the purpose lists the regime (one that lists none is open in all).
    pub fn lists(&self, regime: Regime) -> bool {
        self.regimes.as_ref().is_none_or(|regimes| regimes.contains(&regime))
    }
}

vocabulary!(
    /// Where a record stands toward a purpose.
    Standing, "standing", {
        /// No choice now.
        Undecided = "undecided",
        /// Off now, and not on or unopposed then.
        Off = "off",
        /// Off now, on or unopposed then.
        Withdrawn = "withdrawn",
        /// On now and then, and no off between.
        On = "on",
        /// Unopposed now, on or unopposed then, and no off between.
        Unopposed = "unopposed",
        /// On or unopposed now, but not for what was said then.
        Unreached = "unreached",
    }
);

vocabulary!(
    /// The attributes that are true or false.
    Flag, "attribute", {
        /// The person deleted the record.
        Deleted = "deleted",
        /// The record violates the usage policy.
        Flagged = "flagged",
        /// Somebody gave feedback on the record.
        Feedback = "feedback",
        /// The person is a minor.
        Minor = "minor",
        /// The account is closed.
        Closed = "closed",
    }
);

/// An attribute of a condition, for messages about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// `regime`.
    Regime,
    /// `surface`.
    Surface,
    /// `kind`.
    Kind,
    /// `mode`.
    Mode,
    /// `region`.
    Region,
    /// `standing.PURPOSE`.
    Standing(String),
    /// One of the booleans.
    Flag(Flag),
}

/// What a rule asks of a record. Each attribute is a list of the values that are allowed;
/// `None`, or absence from the list of pairs, means any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// Allowed regimes.
    pub regime: Option<Vec<Regime>>,
    /// Allowed surfaces, by a name that this version knows.
    pub surface: Option<Vec<String>>,
    /// Allowed kinds.
    pub kind: Option<Vec<Kind>>,
    /// Allowed modes.
    pub mode: Option<Vec<Mode>>,
    /// Allowed regions, by name, or `other`.
    pub region: Option<Vec<String>>,
    /// Allowed standings toward purposes of this version, in file order.
    pub standing: Vec<(String, Vec<Standing>)>,
    /// Allowed values of the booleans, in file order.
    pub flags: Vec<(Flag, Vec<bool>)>,
}

/// The instant from which a term runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anchor {
    /// The record was created.
    Created,
    /// The conversation's last activity in the same regime.
    LastActivity,
    /// The person deleted the record.
    Deleted,
    /// The record was flagged.
    Flagged,
    /// Feedback was given.
    Feedback,
    /// The account was closed.
    Closed,
    /// The first of the present unbroken run of equal decisions for the purpose.
    Decided(String),
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::LastActivity => "last_activity",
            Self::Deleted => "deleted",
            Self::Flagged => "flagged",
            Self::Feedback => "feedback",
            Self::Closed => "closed",
            Self::Decided(purpose) => return write!(f, "decided.{purpose}"),
        })
    }
}

/// A basis for keeping copies of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// The class.
    pub class: String,
    /// Which records.
    pub when: Condition,
    /// For how long.
    pub term: Term,
    /// From when: the latest of those that the record has.
    pub from: Vec<Anchor>,
    /// The reason, for people.
    pub why: String,
    /// Where it is written.
    pub at: Position,
}

/// A permission to use copies of a class for a purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The purpose.
    pub purpose: String,
    /// The class.
    pub class: String,
    /// Which records.
    pub when: Condition,
    /// Where it is written.
    pub at: Position,
}

/// What must be impossible in every case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Never {
    /// What is forbidden.
    pub what: Forbidden,
    /// In which cases.
    pub when: Condition,
    /// Where it is written.
    pub at: Position,
}

/// The two things that a [`Never`] can forbid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forbidden {
    /// That any rule lets the purpose use anything.
    Use {
        /// The purpose.
        purpose: String,
    },
    /// That any rule keeps the class, or keeps it longer than a term.
    Keep {
        /// The class.
        class: String,
        /// The longest term that is still allowed.
        longer_than: Option<Span>,
    },
}
