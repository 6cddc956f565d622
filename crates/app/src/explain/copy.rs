//! What is told about a copy: why it is kept, how long, and how far its destruction has come.

use serde::Serialize;
use tenure_model::Instant;
use tenure_policy::explain::Ending;
use tenure_policy::{Facts, Lineage, Verdict};
use tenure_store::{ClassId, CopyRow, CopyState};

use crate::filing::class_name;

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
    /// When it was placed.
    pub placed_at: Instant,
}

pub(super) fn copy(
    lineage: &Lineage,
    facts: &Facts<'_>,
    verdict: &Verdict,
    classes: &[(ClassId, String)],
    row: &CopyRow,
) -> CopyView {
    let class = class_name(classes, row.key.class).to_owned();
    let place = lineage.tree(verdict.judged).classes().position(|known| known == class);
    let judged = place.and_then(|place| verdict.classes.get(place));
    let bases = place.map_or_else(Vec::new, |place| lineage.bases(facts, verdict, place));
    let holds = verdict.holds.iter().filter(|(of, _)| Some(*of) == place);
    let holds = holds.filter_map(|(_, hold)| facts.holds.get(*hold));
    CopyView {
        class,
        made_at: row.created_at,
        stage: stage(&row.state),
        // A class that the judging version does not know has nothing to be kept on.
        kept: judged.map_or(Ending::Due(facts.at), Ending::from),
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
        holds: holds.map(|hold| HoldOn { id: hold.id.to_string(), placed_at: hold.placed_at }).collect(),
    }
}

fn stage(state: &CopyState) -> StageView {
    let (sealed_at, shredded_at, removed_at, verified_at) = match *state {
        CopyState::Live { .. } => (None, None, None, None),
        CopyState::Sealed { sealed_at, .. } | CopyState::Shredding { sealed_at, .. } => {
            (Some(sealed_at), None, None, None)
        }
        CopyState::Shredded { sealed_at, shredded_at, .. } => {
            (Some(sealed_at), Some(shredded_at), None, None)
        }
        CopyState::Removed { sealed_at, shredded_at, removed_at, .. } => {
            (Some(sealed_at), Some(shredded_at), Some(removed_at), None)
        }
        CopyState::Verified { sealed_at, shredded_at, removed_at, verified_at, .. } => {
            (Some(sealed_at), Some(shredded_at), Some(removed_at), Some(verified_at))
        }
    };
    StageView { stage: state.stage().word(), sealed_at, shredded_at, removed_at, verified_at }
}
