//! One copy: what the verdict on its record says of it, and whether it must go.

use tenure_model::Instant;

use crate::ending::{Cause, Ended, Quarantine};
use crate::facts::Facts;
use crate::lineage::Lineage;
use crate::verdict::{ClassVerdict, Verdict};

/// That the terms let one copy go: only a verdict can say so, and what destroys asks for it.
///
/// Its fields are private and nothing but [`Lineage::due`] makes one. It names its copy by the record's id and the
/// class, so that it can't be spent on another.
///
/// ```compile_fail,E0451
/// let forged = tenure_policy::Due {
///     record: "r1".to_owned(),
///     class: "content".to_owned(),
///     by: tenure_model::Instant::MIN,
///     since: tenure_model::Instant::MIN,
///     cause: tenure_policy::Cause::Time,
/// };
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a copy that is due is destroyed through this token"]
pub struct Due {
    record: String,
    class: String,
    by: Instant,
    since: Instant,
    cause: Cause,
}

impl Due {
    /// By when the copy must be gone: now, or where the sweep works ahead, when its term ends.
    pub const fn by(&self) -> Instant {
        self.by
    }

    /// Whether it is about the copy of a class of a record.
    pub fn is_for(&self, record: &str, class: &str) -> bool {
        self.record == record && self.class == class
    }

    /// Since when the copy must be gone: the end of its term, of its quarantine or of a release's grace, or when
    /// its person deleted it.
    pub const fn since(&self) -> Instant {
        self.since
    }

    /// Why it must go.
    pub const fn cause(&self) -> Cause {
        self.cause
    }
}

impl Lineage {
    /// What the verdict on a record says of a class by its name, with its quarantine. One that the judging version
    /// does not have has no basis there, yet a hold that names it keeps it all the same.
    ///
    /// In quarantine a copy need not be gone before that ends.
    pub fn class(&self, facts: &Facts<'_>, verdict: &Verdict, class: &str) -> ClassVerdict {
        let mut of_class = self.without_quarantine(facts, verdict, class);
        if of_class.until.is_none()
            && let Some(Ended::Otherwise { at, until, .. }) = self.ended(facts, verdict, class, facts.at)
            && until > facts.at
        {
            of_class.quarantine = Some(Quarantine { since: at, until });
            of_class.destroy = of_class.destroy.map(|destroy| destroy.max(until));
        }
        of_class
    }

    /// Whether the copy of a class must be gone by an instant: that of the verdict, or that with a lead. It need
    /// not while it is held, has a basis, or at that instant rests in quarantine or in the grace of a release.
    pub fn due(&self, facts: &Facts<'_>, verdict: &Verdict, class: &str, by: Instant) -> Option<Due> {
        let destroy =
            self.without_quarantine(facts, verdict, class).destroy.filter(|destroy| *destroy <= by)?;
        let (ended, why) = self.ended(facts, verdict, class, by)?.since();
        if ended > by {
            return None;
        }
        let (since, cause) = match self.grace_of_release(facts, verdict, class) {
            Some(grace) if grace > ended => (grace, Cause::Release),
            _ => (ended, why),
        };
        let (record, class) = (facts.record.to_owned(), class.to_owned());
        Some(Due { record, class, by: destroy.max(since), since, cause })
    }

    fn without_quarantine(&self, facts: &Facts<'_>, verdict: &Verdict, class: &str) -> ClassVerdict {
        let place = self.tree(verdict.judged).classes().position(|known| known == class);
        let known = place.and_then(|place| verdict.classes.get(place)).copied();
        known.unwrap_or_else(|| self.beyond(facts, verdict, class))
    }
}
