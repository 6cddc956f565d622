//! Which changes that need two people a publication is.

use std::collections::BTreeSet;

use tenure_access::Change;
use tenure_model::{Instant, Regime};
use tenure_policy::language::Version;
use tenure_policy::{Lineage, VersionIx, Widening};
use tenure_store::PolicyRow;

use crate::{Error, Policies};

/// What publishing versions now would change, each against its neighbours in its lineage.
///
/// A version that comes first of its lineage changes nothing that was before it. Two versions are compared on the
/// surfaces that both have, so that one which was left out for a while is compared with the version that knew it last.
/// One that is announced before others is compared with them too: whoever is bound by them may be bound by it then.
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
        for neighbour in neighbours(lineage, place, now) {
            changes.extend(between(lineage, neighbour, place));
        }
    }
    Ok(changes)
}

/// The living versions next to one, before and after it, and for each of its surfaces those next to it that know it.
fn neighbours(lineage: &Lineage, place: VersionIx, now: Instant) -> Vec<VersionIx> {
    let living: Vec<VersionIx> = lineage.living(now).map(|(version, _)| version).collect();
    let at = living.iter().position(|version| *version == place).unwrap_or(living.len());
    let (before, rest) = living.split_at(at);
    let after = rest.get(1..).unwrap_or_default();
    let mut found: Vec<VersionIx> = before.last().into_iter().chain(after.first()).copied().collect();
    for named in &lineage.tree(place).surfaces {
        let Some(surface) = lineage.surface(&named.name) else { continue };
        let knows = |version: &&VersionIx| lineage.surface_name(surface, **version).is_some();
        found.extend(before.iter().rfind(knows).into_iter().chain(after.iter().find(knows)));
    }
    found.sort_unstable();
    found.dedup();
    found
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
