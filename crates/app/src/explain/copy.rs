//! What is told about a copy: why it is kept, how long, and how far its destruction has come.

use serde::Serialize;
use tenure_model::Instant;
use tenure_policy::explain::Ending;
use tenure_policy::{Facts, Lineage, Verdict};
use tenure_store::{ClassId, CopyRow, CopyState};

use crate::filing::class_name;
use crate::holds::Covering;

/// A copy, and what its verdict says.
#[derive(Debug, Clone, Serialize)]
pub struct CopyView {
    /// The class.
    pub class: String,
    /// When it was made.
    pub made_at: Instant,
    /// How far its destruction has come.
    #[serde(flatten)]
    pub stage: StageView,
    /// How long it is kept.
    pub kept: Ending,
    /// Its quarantine, if it lost its basis otherwise than by time or deletion: it is hidden and not used, and comes
    /// back with its basis until that ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<QuarantineView>,
    /// Why: the live bases, the one that lasts longest first.
    pub bases: Vec<BasisView>,
    /// The holds that cover it now.
    pub holds: Vec<HoldOn>,
}

/// How far the destruction of a copy has come, with its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StageView {
    /// The stage's word.
    pub stage: &'static str,
    /// When its end was written into the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_at: Option<Instant>,
    /// When its key was destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shredded_at: Option<Instant>,
    /// When its bytes were removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Instant>,
    /// When it was looked for and not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Instant>,
}

/// Since when a copy is in quarantine, and until when at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct QuarantineView {
    /// Since when it has no basis.
    pub since: Instant,
    /// Until when it rests.
    pub until: Instant,
}

/// A keep rule that holds now.
#[derive(Debug, Clone, Serialize)]
pub struct BasisView {
    /// The rule's place in the version's file.
    pub rule: usize,
    /// The rule's reason.
    pub why: String,
    /// From what its term counts.
    pub from: String,
    /// The instant from which it counts.
    pub since: Instant,
    /// How long it lasts.
    pub until: Ending,
}

/// A hold that covers a copy.
#[derive(Debug, Clone, Serialize)]
pub struct HoldOn {
    /// Its id.
    pub id: String,
    /// When it was placed, in whatever scope.
    pub placed_at: Instant,
    /// Since when it covers the copy without a gap, whatever versions it has had.
    pub since: Instant,
    /// Whether the person may be told.
    pub may_tell: bool,
}

pub(super) fn copy(
    lineage: &Lineage,
    facts: &Facts<'_>,
    verdict: &Verdict,
    classes: &[(ClassId, String)],
    (row, covering): (&CopyRow, Vec<Covering>),
) -> CopyView {
    let class = class_name(classes, row.key.class).to_owned();
    let place = lineage.tree(verdict.judged).classes().position(|known| known == class);
    let bases = place.map_or_else(Vec::new, |place| lineage.bases(facts, verdict, place));
    let judged = lineage.class(facts, verdict, &class);
    let hold = |Covering { hold: id, placed_at, since, may_tell }| HoldOn { id, placed_at, since, may_tell };
    CopyView {
        made_at: row.created_at,
        stage: stage(&row.state),
        kept: Ending::from(&judged),
        quarantine: judged.quarantine.map(|rest| QuarantineView { since: rest.since, until: rest.until }),
        bases: bases
            .into_iter()
            .map(|basis| BasisView {
                rule: basis.rule,
                why: basis.why.to_owned(),
                from: basis.from.to_string(),
                since: basis.since,
                until: match basis.until {
                    tenure_model::Anchored::Indefinite => Ending::Indefinite,
                    tenure_model::Anchored::Until(until) => Ending::Until(until),
                },
            })
            .collect(),
        holds: covering.into_iter().map(hold).collect(),
        class,
    }
}

fn stage(state: &CopyState) -> StageView {
    let sealed_at = state.sealing().map(|sealing| sealing.sealed_at);
    let (shredded_at, removed_at, verified_at) = match *state {
        CopyState::Live { .. } | CopyState::Sealed { .. } | CopyState::Shredding { .. } => (None, None, None),
        CopyState::Shredded { shredded_at, .. } => (Some(shredded_at), None, None),
        CopyState::Removed { shredded_at, removed_at, .. } => (Some(shredded_at), Some(removed_at), None),
        CopyState::Verified { shredded_at, removed_at, verified_at, .. } => {
            (Some(shredded_at), Some(removed_at), Some(verified_at))
        }
    };
    StageView { stage: state.stage().word(), sealed_at, shredded_at, removed_at, verified_at }
}
