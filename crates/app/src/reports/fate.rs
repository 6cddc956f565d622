//! What a person is told of one copy: that it is kept and why, that it waits, or how it went.

use tenure_model::{Anchored, Instant};
use tenure_policy::case::Hold;
use tenure_store::{CopyRow, CopyState, ReadTx, Sealing};

use super::certificate::{Fated, StageTold};
use crate::Error;
use crate::holds::Versions;
use crate::person::Person;
use crate::record::Loaded;

/// The holds of which people may be told, released ones too. Of any other nothing shows: what only it keeps looks
/// like what waits to be destroyed.
pub(super) struct Orders(Vec<Versions>);

impl Orders {
    pub(super) fn load(tx: &mut dyn ReadTx) -> Result<Self, Error> {
        let mut holds = Versions::load(tx)?;
        holds.retain(Versions::may_tell);
        Ok(Self(holds))
    }
}

/// What becomes of a copy, before anything that proves it.
pub(super) fn fate(
    person: &Person,
    loaded: &Loaded,
    orders: &Orders,
    copy: &CopyRow,
    class: &str,
    now: Instant,
) -> Fated {
    let (sealing, stages) = match &copy.state {
        CopyState::Live { .. } => return alive(person, loaded, orders, class, now),
        CopyState::Sealed { sealing, .. } | CopyState::Shredding { sealing, .. } => {
            return Fated::UnderWay {
                why: sealing.cause.clone(),
                due_at: sealing.due_at,
                sealed_at: sealing.sealed_at,
            };
        }
        CopyState::Shredded { sealing, shredded_at } => (sealing, vec![("shredded", *shredded_at)]),
        CopyState::Removed { sealing, shredded_at, removed_at } => {
            (sealing, vec![("shredded", *shredded_at), ("removed", *removed_at)])
        }
        CopyState::Verified { sealing, shredded_at, removed_at, verified_at } => {
            (sealing, vec![("shredded", *shredded_at), ("removed", *removed_at), ("verified", *verified_at)])
        }
    };
    gone(sealing, stages)
}

fn gone(sealing: &Sealing, stages: Vec<(&str, Instant)>) -> Fated {
    let told = |(stage, at): (&str, Instant)| StageTold { stage: stage.to_owned(), at, leaf: None };
    let sealed = told(("sealed", sealing.sealed_at));
    Fated::Destroyed {
        why: sealing.cause.clone(),
        due_at: sealing.due_at,
        stages: std::iter::once(sealed).chain(stages.into_iter().map(told)).collect(),
        item: None,
    }
}

fn alive(person: &Person, loaded: &Loaded, orders: &Orders, class: &str, now: Instant) -> Fated {
    let holds: Vec<Hold<'_>> = orders.0.iter().flat_map(Versions::as_facts).collect();
    let (facts, lineage) = (loaded.facts(person, &[], &holds, now), &loaded.lineage);
    let verdict = lineage.judge(&facts);
    let judged = lineage.class(&facts, &verdict, class);
    let covering = orders.0.iter().filter_map(|order| order.covers_now(person, loaded, class, now));
    let ordered = covering.map(|covering| covering.since).min();
    if let Some(until) = judged.until {
        let place = lineage.tree(verdict.judged).classes().position(|known| known == class);
        let bases = place.map_or_else(Vec::new, |place| lineage.bases(&facts, &verdict, place));
        return Fated::Kept {
            because: bases.into_iter().map(|basis| basis.why.to_owned()).collect(),
            until: match until {
                Anchored::Until(until) => Some(until),
                Anchored::Indefinite => None,
            },
            under_order_since: ordered,
        };
    }
    match (ordered, judged.quarantine, judged.destroy) {
        (Some(since), ..) => Fated::UnderOrder { since },
        (None, Some(quarantine), _) => Fated::Quarantined { until: quarantine.until },
        (None, None, Some(by)) if by > now => Fated::Waits { until: by },
        _ => Fated::Due,
    }
}
