//! Which changes that need two people a publication is.

use std::collections::BTreeSet;

use tenure_access::Change;
use tenure_model::{Instant, Regime};
use tenure_policy::language::Version;
use tenure_policy::{Lineage, VersionIx, Widening};
use tenure_store::PolicyRow;

use crate::{Error, Policies};

/// What publishing versions now would change, each against the version that comes before it in its lineage.
///
/// A version that comes first of its lineage changes nothing that was before it. Two versions are compared on the
/// surfaces that both have; what only one has is under other terms, or under those of before.
pub(super) fn changes_of(
    rows: &[PolicyRow],
    fresh: &[Version],
    now: Instant,
) -> Result<BTreeSet<Change>, Error> {
    let after = Policies::with(rows, fresh, now)?;
    let mut changes = BTreeSet::new();
    for version in fresh {
        let unknown = || Error::UnknownVersion(version.name.clone());
        let lineage = after.named(&version.policy).ok_or_else(unknown)?;
        let place = lineage.version(&version.name).ok_or_else(unknown)?;
        let before = lineage.living(now).map(|(other, _)| other).take_while(|other| *other != place).last();
        if let Some(before) = before {
            changes.extend(between(lineage, before, place));
        }
    }
    Ok(changes)
}

fn between(lineage: &Lineage, before: VersionIx, after: VersionIx) -> Vec<Change> {
    let widens = |from, to, counts: fn(&Widening) -> bool| {
        Regime::ALL.iter().any(|regime| lineage.widenings(from, to, *regime).iter().any(counts))
    };
    let (older, newer) = (lineage.tree(before), lineage.tree(after));
    // Where the older version keeps what the newer one does not, or not as long, copies end earlier.
    let ends_earlier = widens(after, before, |widening| matches!(widening, Widening::Keep { .. }));
    let ends_at_once = newer.grace.nominal_half_hours(newer.months)
        < older.grace.nominal_half_hours(older.months)
        || newer.proof.nominal_half_hours(newer.months) < older.proof.nominal_half_hours(older.months);
    let mut changes = Vec::new();
    if ends_earlier || ends_at_once {
        changes.push(Change::ShortensRetention);
    }
    if widens(before, after, |_| true) {
        changes.push(Change::WidensUse);
    }
    changes
}
