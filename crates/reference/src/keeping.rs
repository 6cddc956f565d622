//! What may still be held, and until when.

use tenure_model::{Anchored, Instant};
use tenure_policy::language::{Anchor, Keep, Version};

use crate::binding::Considered;
use crate::cell::{Cell, Unknown, matches};
use crate::tally::{Clause, Tally};

/// What the keep rules say of one class.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) class: String,
    /// The indices of the live rules, in file order.
    pub(crate) bases: Vec<usize>,
    /// The latest end of the live rules.
    pub(crate) until: Option<Anchored>,
    /// "The latest end of its matching rules, past or not."
    pub(crate) natural_end: Option<Anchored>,
}

impl Kept {
    pub(crate) fn has_basis(&self) -> bool {
        !self.bases.is_empty()
    }
}

impl Considered<'_> {
    /// "The matching keep rules with `until > t` are the bases; `until` is the latest of them."
    pub(crate) fn kept(&self, judging: usize, class: &str, cell: &Cell<'_>, tally: &mut Tally) -> Kept {
        let mut kept = Kept { class: class.to_owned(), bases: Vec::new(), until: None, natural_end: None };
        let Some(version) = self.lineage.versions().get(judging) else { return kept };
        let now = self.checked.case.at;
        for (index, rule) in version.keeps.iter().enumerate() {
            if rule.class != class || !matches(self.lineage, version, &rule.when, cell, Unknown::Matches) {
                continue;
            }
            if !matches(self.lineage, version, &rule.when, cell, Unknown::DoesNotMatch) {
                tally.add(Clause::KeepUnknown);
            }
            let Some(end) = self.end(judging, version, rule, tally) else {
                // "A rule none of whose anchors exist gives no basis."
                tally.add(Clause::AnchorMissing);
                continue;
            };
            kept.natural_end = kept.natural_end.max(Some(end));
            if end.is_live(now) {
                tally.add(Clause::KeepLive);
                kept.bases.push(index);
                kept.until = kept.until.max(Some(end));
            } else {
                tally.add(if end == Anchored::Until(now) { Clause::KeepEndsNow } else { Clause::KeepEnded });
            }
        }
        kept
    }

    /// When a rule's term ends: "a list means the latest of those that the record has".
    fn end(&self, judging: usize, version: &Version, rule: &Keep, tally: &mut Tally) -> Option<Anchored> {
        let anchors: Vec<(&Anchor, Instant)> = rule
            .from
            .iter()
            .filter_map(|anchor| Some((anchor, self.anchor(judging, version, anchor, tally)?)))
            .collect();
        let latest = anchors.iter().map(|(_, at)| *at).max()?;
        if anchors.iter().any(|(_, at)| *at < latest) {
            tally.add(Clause::AnchorLatest);
        }
        if anchors.iter().any(|(anchor, at)| *at == latest && matches!(anchor, Anchor::Decided(_))) {
            tally.add(Clause::AnchorDecided);
        }
        Some(Anchored::end(latest, rule.term, version.months))
    }

    fn anchor(
        &self,
        judging: usize,
        version: &Version,
        anchor: &Anchor,
        tally: &mut Tally,
    ) -> Option<Instant> {
        let case = self.checked.case;
        match anchor {
            Anchor::Created => Some(case.record.created_at),
            // "Of the conversation, in the same regime."
            Anchor::LastActivity => Some(self.checked.conversation_last_activity),
            Anchor::Deleted => self.checked.deleted,
            Anchor::Flagged => self.checked.has_happened(case.record.flagged_at),
            Anchor::Feedback => self.checked.has_happened(case.record.feedback_at),
            Anchor::Closed => self.checked.has_happened(case.account.closed_at),
            Anchor::Decided(name) => self.decided(version.purpose(name)?, judging, tally),
        }
    }

    /// "`destroy` is the instant by which that copy must be gone: null while held or indefinite, else
    /// `until`, or `at` where there is no basis", and then a released hold may give grace.
    pub(crate) fn destroy(
        &self,
        version: &Version,
        kept: &Kept,
        held: bool,
        tally: &mut Tally,
    ) -> Option<Instant> {
        let at = self.checked.case.at;
        if held {
            return None;
        }
        match kept.until {
            Some(Anchored::Indefinite) => {
                tally.add(Clause::DestroyNever);
                return None;
            }
            Some(Anchored::Until(until)) => {
                tally.add(Clause::DestroyAtUntil);
                return Some(until);
            }
            None => {}
        }
        let Some(release) = self.latest_release(&kept.class, tally) else {
            tally.add(Clause::DestroyNow);
            return Some(at);
        };
        // "The copy's natural end (…; none matching counts as long past) was not after the release."
        if kept.natural_end.is_some_and(|end| end > Anchored::Until(release)) {
            tally.add(Clause::DestroyNoGrace);
            return Some(at);
        }
        let end_of_grace = release.plus(version.grace, version.months);
        tally.add(if end_of_grace > at { Clause::DestroyGrace } else { Clause::DestroyGraceOver });
        Some(at.max(end_of_grace))
    }
}
