//! What a hold covers of a record, version by version, and since when without a gap.

use tenure_model::Instant;
use tenure_policy::case::Hold;
use tenure_store::{CopyRow, HoldRow, ReadTx};

use super::lost::gone_at;
use super::scope::HoldScope;
use crate::Error;
use crate::person::Person;
use crate::record::Loaded;

/// A hold with all of its versions.
#[derive(Debug)]
pub(crate) struct Versions(Vec<(HoldRow, HoldScope)>);

/// That a hold covers a copy now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Covering {
    /// The hold.
    pub(crate) hold: String,
    /// When it was placed, in whatever scope.
    pub(crate) placed_at: Instant,
    /// Since when it covers the copy without a gap.
    pub(crate) since: Instant,
    /// Whether the person may be told.
    pub(crate) may_tell: bool,
}

impl Versions {
    /// Every hold, released ones too.
    pub(crate) fn load(tx: &mut dyn ReadTx) -> Result<Vec<Self>, Error> {
        let rows = tx.holds()?;
        rows.chunk_by(|one, next| one.id == next.id).map(Self::of).collect()
    }

    /// The versions of one hold, in their order.
    pub(super) fn of(rows: &[HoldRow]) -> Result<Self, Error> {
        let scoped = |row: &HoldRow| Ok((row.clone(), serde_json::from_str(&row.scope)?));
        Ok(Self(rows.iter().map(scoped).collect::<Result<_, Error>>()?))
    }

    pub(super) fn scopes(&self) -> impl Iterator<Item = &HoldScope> {
        self.0.iter().map(|(_, scope)| scope)
    }

    /// Whether people may be told of it, as its newest version says.
    pub(crate) fn may_tell(&self) -> bool {
        self.0.last().is_some_and(|(row, _)| row.may_tell)
    }

    /// Whether a version of it is in force.
    pub(crate) fn is_in_force(&self, at: Instant) -> bool {
        self.in_force(at).is_some()
    }

    /// The place of the version that is in force.
    fn in_force(&self, at: Instant) -> Option<usize> {
        self.0.iter().rposition(|(row, _)| row.placed_at <= at && row.released_at.is_none_or(|end| end > at))
    }

    /// Its versions as a verdict takes them.
    pub(crate) fn as_facts(&self) -> impl Iterator<Item = Hold<'_>> {
        self.0.iter().map(|(row, scope)| scope.hold(row))
    }

    /// The versions that cover a copy, by number: those that ended as of their last moment, and of a copy that is
    /// gone those that had begun when it went.
    pub(super) fn covering(
        &self,
        person: &Person,
        loaded: &Loaded,
        class: &str,
        (copy, at): (&CopyRow, Instant),
    ) -> Vec<u32> {
        let gone_at = gone_at(&copy.state);
        let begun = |(row, _): &&(HoldRow, HoldScope)| gone_at.is_none_or(|gone_at| row.placed_at < gone_at);
        let covers = |place: &usize| self.covers(*place, person, loaded, class, at);
        let versions = (0..self.0.len()).filter(covers).filter_map(|place| self.0.get(place));
        versions.filter(begun).map(|(row, _)| row.version).collect()
    }

    /// How the hold covers a copy at an instant; nothing if it does not.
    pub(crate) fn covers_now(
        &self,
        person: &Person,
        loaded: &Loaded,
        class: &str,
        at: Instant,
    ) -> Option<Covering> {
        let newest = self.in_force(at)?;
        if !self.covers(newest, person, loaded, class, at) {
            return None;
        }
        // A version that was amended at its own instant never held, and makes no gap.
        let held =
            |place: &usize| self.0.get(*place).is_some_and(|(row, _)| row.released_at != Some(row.placed_at));
        let earlier = (0..newest).rev().filter(held);
        let earlier = earlier.take_while(|place| self.covers(*place, person, loaded, class, at));
        let (row, scope) = self.0.get(earlier.last().unwrap_or(newest))?;
        // It is kept under the hold no earlier than there was something to keep.
        let deleted = scope.deleted_only.then_some(loaded.row.facts.deleted_at).flatten();
        let since =
            [Some(loaded.row.created_at), deleted].into_iter().flatten().fold(row.placed_at, Ord::max);
        Some(Covering {
            hold: row.id.clone(),
            placed_at: self.0.first()?.0.placed_at,
            since,
            may_tell: self.may_tell(),
        })
    }

    /// Whether a version alone covers a copy at an instant, or did at its last moment before that.
    fn covers(&self, place: usize, person: &Person, loaded: &Loaded, class: &str, at: Instant) -> bool {
        let Some((row, scope)) = self.0.get(place) else { return false };
        let last = |end: Instant| Instant::saturating_from_micros(end.micros().saturating_sub(1));
        let at = row.released_at.filter(|end| *end <= at).map_or(at, last);
        if at < row.placed_at || loaded.row.created_at > at {
            return false;
        }
        let hold = [scope.hold(row)];
        let facts = loaded.facts(person, &[], &hold, at);
        let verdict = loaded.lineage.judge(&facts);
        loaded.lineage.class(&facts, &verdict, class).held
    }
}
