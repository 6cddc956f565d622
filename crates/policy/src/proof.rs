//! How long the evidence of a closed account's decisions is kept.

use tenure_model::Instant;

use crate::lineage::Lineage;

/// That the evidence of an account's decisions is to go: only the terms can say so, and what destroys it asks
/// for it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "evidence that is due is destroyed through this token"]
pub struct ProofDue {
    by: Instant,
}

impl ProofDue {
    /// Since when it should be gone.
    pub const fn by(&self) -> Instant {
        self.by
    }
}

impl Lineage {
    /// Until when the evidence of an account that was closed at an instant is kept.
    ///
    /// Any of the versions announced by then may have bound the account, so the longest of their terms counts;
    /// of a lineage that had announced none, its first.
    pub fn proof_ends(&self, closed_at: Instant) -> Option<Instant> {
        let announced = |version: &&crate::language::Version| version.announced <= closed_at;
        let versions = || self.versions().map(|(_, version)| version);
        let end = |version: &crate::language::Version| closed_at.plus(version.proof, version.months);
        versions().filter(announced).map(end).max().or_else(|| versions().next().map(end))
    }
}

/// Whether the evidence of a closed account is due: the term of every lineage has passed. Where there is no
/// lineage, nobody said how long, and it stays.
pub fn proof_due<'l>(
    lineages: impl IntoIterator<Item = &'l Lineage>,
    closed_at: Instant,
    now: Instant,
) -> Option<ProofDue> {
    let ends = lineages.into_iter().map(|lineage| lineage.proof_ends(closed_at));
    let by = ends.collect::<Option<Vec<_>>>()?.into_iter().max()?;
    (by <= now).then_some(ProofDue { by })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::parse;

    fn lineage(name: &str, versions: &[(&str, &str)]) -> Lineage {
        let text = |(announced, proof): &(&str, &str)| {
            format!(
                "policy = \"{name}\"\nversion = \"{announced}\"\ntitle = \"T\"\nannounced = {announced}T00:00:00Z\n\
                 effective = {announced}T00:00:00Z\ngrace = \"30 days\"\nproof = \"{proof}\"\nfacts = [\"scores\"]\n\
                 [surfaces]\n{name} = {{ regime = \"consumer\" }}\n[[keep]]\nclass = \"scores\"\nfor = \"1 year\"\n\
                 from = \"created\"\nwhy = \"W\"\n"
            )
        };
        let versions = versions.iter().map(|version| parse("v.toml", &text(version)).unwrap()).collect();
        Lineage::compile(versions).unwrap()
    }

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn the_longest_term_that_may_have_bound_the_account_counts() {
        let one = lineage(
            "one",
            &[("2024-01-01", "6 years"), ("2025-01-01", "2 years"), ("2027-01-01", "9 years")],
        );
        let closed = at("2026-03-01T00:00:00Z");
        assert_eq!(one.proof_ends(closed), Some(at("2032-03-01T00:00:00Z")));
        assert_eq!(one.proof_ends(at("2023-03-01T00:00:00Z")), Some(at("2029-03-01T00:00:00Z")));
        let two = lineage("two", &[("2024-01-01", "7 years")]);
        let both = || [&one, &two];
        assert_eq!(proof_due(both(), closed, at("2033-02-28T23:59:59Z")), None);
        let due = proof_due(both(), closed, at("2033-03-01T00:00:00Z"));
        assert_eq!(due.map(|due| due.by()), Some(at("2033-03-01T00:00:00Z")));
    }

    #[test]
    fn without_terms_nothing_is_due() {
        let none: [&Lineage; 0] = [];
        assert_eq!(proof_due(none, at("1990-01-01T00:00:00Z"), at("2033-01-01T00:00:00Z")), None);
    }
}
