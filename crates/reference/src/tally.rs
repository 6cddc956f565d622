//! A count of how often each clause of the design decided something, so that a comparison can show
//! that it reached all of them.

use std::fmt;

macro_rules! clauses {
    ($($(#[$doc:meta])* $variant:ident = $words:literal),+ $(,)?) => {
        /// A clause of the design that can decide something.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Clause { $(#[doc = $words] $variant),+ }

        impl Clause {
            /// Every clause.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The clause in words.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words),+ }
            }
        }
    };
}

clauses! {
    StandingUndecided = "standing: undecided",
    StandingOff = "standing: off",
    StandingWithdrawn = "standing: withdrawn",
    StandingOn = "standing: on",
    StandingUnopposed = "standing: unopposed",
    StandingUnreachedThen = "standing: unreached, not on or unopposed then",
    StandingUnreachedBetween = "standing: unreached, off between then and now",
    BindingFromOpened = "binding: starts from the newest announced when opened",
    BindingFromOldest = "binding: starts from the oldest, none was announced",
    BindingFromOldestUnknownOpening = "binding: starts from the oldest, the opening is not given",
    BindingByDecision = "binding: moved by a decision",
    BindingByAcknowledgement = "binding: moved by a plain acknowledgement",
    BindingByEffective = "binding: moved by effective, not wider",
    BindingNotWider = "binding: not moved, it is effective but widens",
    BindingNotEffective = "binding: not moved, not yet effective",
    JudgingEqual = "judging: bound then and now by the same version",
    JudgingMoved = "judging: moved to a version that does not widen",
    JudgingNotMoved = "judging: not moved, it widens",
    JudgingBack = "judging: bound now by an older version than then",
    ChoiceOff = "choice: off",
    ChoiceOnSame = "choice: on under the same version",
    ChoiceOnLater = "choice: on under a later version",
    ChoiceOnCarried = "choice: on carried from an older version",
    ChoiceOnNotCarried = "choice: on not carried, a step widens",
    ChoiceUnopposedSame = "choice: unopposed, told of that version",
    ChoiceUnopposedOther = "choice: unopposed, told of another version",
    ChoiceWaiting = "choice: none, told but still waiting",
    ChoiceNone = "choice: none",
    ChoiceTie = "choice: several decisions at one instant",
    WideningUse = "widening: a use newly allowed",
    WideningKeep = "widening: a keep rule not covered",
    WideningReach = "widening: reach from message to conversation",
    WideningGround = "widening: a ground loosens",
    WideningNot = "widening: does not widen",
    AnchorDecided = "keep: runs from a decision",
    AnchorMissing = "keep: matches but has none of its anchors",
    AnchorLatest = "keep: the later of several anchors",
    KeepLive = "keep: a live basis",
    KeepEnded = "keep: ended",
    KeepEndsNow = "keep: ends exactly now",
    KeepUnknown = "keep: matched by an unknown",
    UseUnknown = "use: not matched because of an unknown",
    UseAllowed = "use: allowed",
    UseNoBasis = "use: a rule matches but its class has no basis",
    UseAccountCountry = "use: the account's country denies",
    UseRecordCountry = "use: the record's country denies",
    UseWhole = "use: a record without messages allowed",
    DerivedAllowed = "use: a derived message allowed",
    DerivedMissing = "use: a derived message denied, a parent is missing",
    DerivedCircle = "use: a derived message denied, a circle",
    DerivedDenied = "use: a derived message denied, a parent is denied",
    MessagesDiffer = "use: messages of one record differ by their time",
    MustDecide = "must decide: yes",
    MustDecideAnswered = "must decide: no, all answered",
    MustDecideNotYet = "must decide: no, its time has not come",
    MustDecideRemind = "must decide: no, only reminded",
    HoldHeld = "hold: held",
    HoldOutside = "hold: the scope leaves the record out",
    HoldOver = "hold: released",
    HoldUnknownCountry = "hold: an unknown country decides",
    DestroyGrace = "destroy: release plus grace",
    DestroyGraceOver = "destroy: release plus grace has passed",
    DestroyNoGrace = "destroy: the natural end came after the release",
    DestroyAtUntil = "destroy: at until",
    DestroyNow = "destroy: now",
    DestroyNever = "destroy: never, indefinite",
    FutureEvent = "case: an event that does not exist yet",
    Mistake = "case: answered with an error",
}

/// The count of each [`Clause`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    counts: Vec<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: vec![0; Clause::ALL.len()] }
    }
}

impl Tally {
    /// A tally of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a clause once.
    pub fn add(&mut self, clause: Clause) {
        if let Some(count) = self.counts.get_mut(clause as usize) {
            *count += 1;
        }
    }

    /// How often the clause decided.
    pub fn count(&self, clause: Clause) -> u64 {
        self.counts.get(clause as usize).copied().unwrap_or(0)
    }

    /// Every clause with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Clause, u64)> + '_ {
        Clause::ALL.iter().map(|clause| (*clause, self.count(*clause)))
    }

    /// Adds what another tally has counted.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (clause, count) in self.iter() {
            writeln!(f, "{count:>10}  {}", clause.words())?;
        }
        Ok(())
    }
}
