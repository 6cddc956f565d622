//! What a version says of one class or purpose, cell by cell, reduced to what counts.

use std::collections::BTreeSet;
use std::fmt;

use tenure_model::{MonthLength, Term, Unit};

use crate::cells::{Cells, Space, joined};
use crate::language::{Anchor, Flag, Keep, Version};
use crate::widening::half_hours;

/// A column of a matrix: what its rows speak about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// How long copies of a class are kept.
    Class(String),
    /// How long copies of a class are kept in addition, because of what was flagged or given as feedback.
    ///
    /// Where a matrix has this column for a class, its other column leaves those rules out, and a copy is
    /// kept until the later of the two.
    Also(String),
    /// Whether a purpose may use the record.
    Purpose(String),
}

/// One term that counts: no other rule that matches keeps at least as long.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeptTerm {
    /// For how long.
    pub term: Term,
    /// From when: the latest of these.
    pub from: Vec<Anchor>,
    /// What ends a term without an end: that the record is deleted, or the account closed.
    pub ends: Vec<Flag>,
    /// The keep rule, by its place in the file.
    pub rule: usize,
}

/// What a row says in one column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Entry {
    /// The terms of a class; it is kept until the latest of them. None means that it is not kept.
    Kept(Vec<KeptTerm>),
    /// The classes that a purpose may use. None means that it may use nothing.
    Used(Vec<String>),
}

/// How far apart the same span can be, by the calendar, from its nominal length: three days.
const CALENDAR_SLACK: u64 = 3 * 48;

impl KeptTerm {
    /// Whether this term ends no earlier than the other, whatever the dates.
    fn covers(&self, other: &Self, own_months: MonthLength, other_months: MonthLength) -> bool {
        let anchored = |anchor: &Anchor| {
            self.from.contains(anchor)
                || *anchor == Anchor::Created && self.from.contains(&Anchor::LastActivity)
        };
        match (self.term, other.term) {
            (Term::Indefinite, Term::Indefinite) => self.ends.iter().all(|end| other.ends.contains(end)),
            (Term::Indefinite, Term::For(_)) => true,
            (Term::For(_), Term::Indefinite) => false,
            (Term::For(own), Term::For(their)) => {
                let by_calendar = |unit: Unit, months| match unit {
                    Unit::Years => true,
                    Unit::Months => months == MonthLength::Calendar,
                    Unit::Hours | Unit::Days | Unit::Weeks => false,
                };
                let alike = by_calendar(own.unit, own_months) == by_calendar(their.unit, other_months);
                let slack = if alike { 0 } else { CALENDAR_SLACK };
                other.from.iter().all(anchored)
                    && half_hours(self.term, own_months) >= half_hours(other.term, other_months) + slack
            }
        }
    }
}

/// The words for an anchor.
fn anchor_words(anchor: &Anchor) -> String {
    match anchor {
        Anchor::Created => "creation".to_owned(),
        Anchor::LastActivity => "last activity".to_owned(),
        Anchor::Deleted => "deletion".to_owned(),
        Anchor::Flagged => "the flag".to_owned(),
        Anchor::Feedback => "the feedback".to_owned(),
        Anchor::Closed => "the account's closing".to_owned(),
        Anchor::Decided(purpose) => format!("the choice about {purpose}"),
    }
}

impl fmt::Display for KeptTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.term {
            Term::Indefinite => match self.ends.as_slice() {
                [] => f.write_str("without an end"),
                [Flag::Deleted] => f.write_str("until deleted"),
                [Flag::Closed] => f.write_str("until the account is closed"),
                _ => f.write_str("until deleted or the account is closed"),
            },
            Term::For(span) => {
                let anchors: Vec<_> = self.from.iter().map(anchor_words).collect();
                let latest = if anchors.len() > 1 { "the later of " } else { "" };
                write!(f, "{span} from {latest}{}", joined(&anchors, "and"))
            }
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(terms) if terms.is_empty() => f.write_str("not kept"),
            Self::Kept(terms) => {
                let terms: Vec<_> = terms.iter().map(ToString::to_string).collect();
                f.write_str(&terms.join(" or, if later, "))
            }
            Self::Used(classes) if classes.is_empty() => f.write_str("no"),
            Self::Used(classes) => write!(f, "yes: {}", classes.join(", ")),
        }
    }
}

/// One version of a space, ready to be asked about its cells.
pub(crate) struct Reading<'v> {
    version: &'v Version,
    /// The cells of each keep rule, then of each use rule, then those that have each anchor.
    predicates: Vec<Cells>,
    anchors: Vec<&'v Anchor>,
    /// The keep rules that have a column of their own.
    apart: BTreeSet<usize>,
}

/// The keep rules of a class that add to the others wherever a flag is set, and on which nothing else of
/// the class depends. Told apart from the others, they need no row for each combination.
pub(crate) fn additions(version: &Version, class: &str) -> BTreeSet<usize> {
    let rules: Vec<(usize, &Keep)> =
        version.keeps.iter().enumerate().filter(|(_, rule)| rule.class == class).collect();
    let mut apart = BTreeSet::new();
    for (flag, anchor) in [(Flag::Flagged, Anchor::Flagged), (Flag::Feedback, Anchor::Feedback)] {
        let asks = |rule: &Keep| rule.when.flags.iter().any(|(known, _)| *known == flag);
        let adds = |rule: &Keep| {
            rule.when.flags.iter().any(|(known, values)| *known == flag && values.as_slice() == [true])
        };
        let depends =
            |rule: &Keep| (asks(rule) && !adds(rule)) || (!adds(rule) && rule.from.contains(&anchor));
        if !rules.iter().any(|(_, rule)| depends(rule)) {
            apart.extend(rules.iter().filter(|(_, rule)| adds(rule)).map(|(index, _)| *index));
        }
    }
    if apart.len() == rules.len() { BTreeSet::new() } else { apart }
}

impl<'v> Reading<'v> {
    /// Reads the version at `place` in the space, within some cells.
    pub(crate) fn new(space: &Space<'v>, place: usize, version: &'v Version, within: &Cells) -> Self {
        let mut anchors: Vec<&Anchor> = version.keeps.iter().flat_map(|rule| &rule.from).collect();
        anchors.sort();
        anchors.dedup();
        let rules =
            version.keeps.iter().map(|rule| &rule.when).chain(version.uses.iter().map(|rule| &rule.when));
        let mut predicates: Vec<_> = rules.map(|when| space.matching(place, when, within)).collect();
        predicates.extend(anchors.iter().map(|anchor| space.having(anchor, within)));
        Self { version, predicates, anchors, apart: BTreeSet::new() }
    }

    /// Gives the rules that only add to others a column of their own, in some classes.
    #[must_use]
    pub(crate) fn with_additions_apart(mut self, classes: impl Fn(&str) -> bool) -> Self {
        let classes = self.version.classes().filter(|class| classes(class));
        self.apart = classes.flat_map(|class| additions(self.version, class)).collect();
        self
    }

    /// Every column of the version, in the order of its file.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let version = self.version;
        let mut columns: Vec<_> = version.classes().map(|class| Column::Class(class.to_owned())).collect();
        let has_additions = |class: &&str| {
            version
                .keeps
                .iter()
                .enumerate()
                .any(|(index, rule)| rule.class == **class && self.apart.contains(&index))
        };
        columns.extend(version.classes().filter(has_additions).map(|class| Column::Also(class.to_owned())));
        columns.extend(version.purposes.iter().map(|purpose| Column::Purpose(purpose.name.clone())));
        columns
    }

    /// The predicates, whose truth in a cell decides what the version says there.
    pub(crate) fn predicates(&self) -> &[Cells] {
        &self.predicates
    }

    /// Which predicates a column depends on.
    pub(crate) fn relevant(&self, column: &Column) -> BTreeSet<usize> {
        match column {
            Column::Class(class) => self.relevant_to_class(class, |index| !self.apart.contains(&index)),
            Column::Also(class) => self.relevant_to_class(class, |index| self.apart.contains(&index)),
            Column::Purpose(purpose) => {
                let mut relevant = BTreeSet::new();
                for (index, rule) in self.version.uses.iter().enumerate() {
                    if rule.purpose == *purpose {
                        relevant.insert(self.version.keeps.len() + index);
                        relevant.extend(self.relevant_to_class(&rule.class, |_| true));
                    }
                }
                relevant
            }
        }
    }

    fn relevant_to_class(&self, class: &str, counts: impl Fn(usize) -> bool) -> BTreeSet<usize> {
        let mut relevant = BTreeSet::new();
        let rules = self.version.keeps.iter().enumerate();
        for (index, rule) in rules.filter(|(index, rule)| rule.class == class && counts(*index)) {
            relevant.insert(index);
            relevant.extend(rule.from.iter().filter_map(|anchor| self.anchor_predicate(anchor)));
        }
        relevant
    }

    fn anchor_predicate(&self, anchor: &Anchor) -> Option<usize> {
        let place = self.anchors.iter().position(|known| *known == anchor)?;
        Some(self.version.keeps.len() + self.version.uses.len() + place)
    }

    /// What the version says in a column, given which predicates hold.
    pub(crate) fn entry(&self, column: &Column, holds: &dyn Fn(usize) -> bool) -> Entry {
        match column {
            Column::Class(class) => {
                Entry::Kept(self.kept(class, &|index| !self.apart.contains(&index) && holds(index)))
            }
            Column::Also(class) => Entry::Kept(self.kept(class, &|index| {
                // Anchors come after the rules, and are nobody's own.
                (index >= self.version.keeps.len() || self.apart.contains(&index)) && holds(index)
            })),
            Column::Purpose(purpose) => {
                let mut classes: Vec<String> = Vec::new();
                for (index, rule) in self.version.uses.iter().enumerate() {
                    if rule.purpose == *purpose
                        && holds(self.version.keeps.len() + index)
                        && !classes.contains(&rule.class)
                        && !self.kept(&rule.class, holds).is_empty()
                    {
                        classes.push(rule.class.clone());
                    }
                }
                Entry::Used(classes)
            }
        }
    }

    /// The terms of a class that no other term outlasts, whatever the dates.
    fn kept(&self, class: &str, holds: &dyn Fn(usize) -> bool) -> Vec<KeptTerm> {
        let months = self.version.months;
        let rules = self.version.keeps.iter().enumerate();
        let terms: Vec<KeptTerm> = rules
            .filter(|(index, rule)| rule.class == class && holds(*index))
            .filter_map(|(index, rule)| self.term(index, rule, holds))
            .collect();
        let outlasted = |place: usize, term: &KeptTerm| {
            terms.iter().enumerate().any(|(other_place, other)| {
                other_place != place
                    && other.covers(term, months, months)
                    // Of two that cover each other, the first stays.
                    && (other_place < place || !term.covers(other, months, months))
            })
        };
        let lasting = terms.iter().enumerate().filter(|(place, term)| !outlasted(*place, term));
        lasting.map(|(_, term)| term.clone()).collect()
    }

    /// The term of a rule that matches; none where the record has none of its anchors.
    fn term(&self, index: usize, rule: &Keep, holds: &dyn Fn(usize) -> bool) -> Option<KeptTerm> {
        let present = |anchor: &&Anchor| self.anchor_predicate(anchor).is_some_and(holds);
        let mut from: Vec<Anchor> = rule.from.iter().filter(present).cloned().collect();
        if from.is_empty() {
            return None;
        }
        from.sort();
        from.dedup();
        if from.contains(&Anchor::LastActivity) {
            from.retain(|anchor| *anchor != Anchor::Created);
        }
        let ended = |flag: &Flag| {
            rule.when.flags.iter().any(|(known, values)| known == flag && values.as_slice() == [false])
        };
        let ends = match rule.term {
            Term::Indefinite => [Flag::Deleted, Flag::Closed].into_iter().filter(ended).collect(),
            Term::For(_) => Vec::new(),
        };
        Some(KeptTerm { term: rule.term, from, ends, rule: index })
    }
}

/// Whether everything that `other` keeps is kept at least as long by `own`.
pub(crate) fn covers_all(
    own: &[KeptTerm],
    own_months: MonthLength,
    other: &[KeptTerm],
    other_months: MonthLength,
) -> bool {
    other.iter().all(|other| own.iter().any(|own| own.covers(other, own_months, other_months)))
}
