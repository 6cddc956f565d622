//! What a hold covers: as arguments, and in words.

use clap::Args;
use tenure_app::HoldScope;
use tenure_model::{Instant, Kind, Regime};

use crate::speech::{and, some};

/// How many accounts are named; more are counted.
const NAMED: usize = 3;

#[derive(Debug, Args)]
pub(super) struct Scope {
    /// A class to preserve; may be repeated
    #[arg(long = "class", required = true)]
    classes: Vec<String>,
    /// Only this regime; may be repeated, as may all that follow
    #[arg(long = "regime")]
    regimes: Vec<Regime>,
    /// Only this surface
    #[arg(long = "surface")]
    surfaces: Vec<String>,
    /// Only this account
    #[arg(long = "account")]
    accounts: Vec<String>,
    /// Only this country
    #[arg(long = "country")]
    countries: Vec<String>,
    /// Not this country
    #[arg(long = "not-country")]
    not_countries: Vec<String>,
    /// Only this kind
    #[arg(long = "kind")]
    kinds: Vec<Kind>,
    /// Only records created at this instant or later
    #[arg(long, value_name = "INSTANT")]
    created_from: Option<Instant>,
    /// Only records created before this instant
    #[arg(long, value_name = "INSTANT")]
    created_to: Option<Instant>,
    /// Only what people deleted
    #[arg(long)]
    deleted_only: bool,
}

impl From<Scope> for HoldScope {
    fn from(scope: Scope) -> Self {
        fn any<T>(list: Vec<T>) -> Option<Vec<T>> {
            (!list.is_empty()).then_some(list)
        }
        Self {
            classes: scope.classes,
            regimes: any(scope.regimes),
            surfaces: any(scope.surfaces),
            accounts: any(scope.accounts),
            countries: any(scope.countries),
            not_countries: any(scope.not_countries),
            kinds: any(scope.kinds),
            created_from: scope.created_from,
            created_to: scope.created_to,
            deleted_only: scope.deleted_only,
        }
    }
}

/// What a scope narrows, in words; its classes are shown apart.
pub(super) fn in_words(scope: &HoldScope) -> String {
    let words = |before: &str, list: Option<Vec<String>>| list.map(|list| format!("{before} {}", and(&list)));
    let regimes = scope.regimes.as_ref().map(|all| all.iter().map(|one| one.word().to_owned()).collect());
    let kinds = scope.kinds.as_ref().map(|all| all.iter().map(|one| one.word().to_owned()).collect());
    let accounts = scope.accounts.as_ref().map(|all| match all.len() {
        0..=NAMED => format!("of {}", and(all)),
        more => format!("of {}", some(more as u64, "account")),
    });
    let parts = [
        words("regime", regimes),
        words("on", scope.surfaces.clone()),
        words("kind", kinds),
        accounts,
        words("in", scope.countries.clone()),
        words("not in", scope.not_countries.clone()),
        scope.created_from.map(|from| format!("created since {from}")),
        scope.created_to.map(|to| format!("created before {to}")),
        scope.deleted_only.then(|| "only what was deleted".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "everything but zero retention".to_owned() } else { parts.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_says_what_it_narrows_and_counts_a_long_list_of_accounts() {
        assert_eq!(in_words(&HoldScope::default()), "everything but zero retention");
        let scope = HoldScope {
            regimes: Some(vec![Regime::Consumer, Regime::Commercial]),
            accounts: Some((0..5).map(|number| format!("a{number}")).collect()),
            not_countries: Some(vec!["DE".to_owned()]),
            deleted_only: true,
            ..HoldScope::default()
        };
        assert_eq!(
            in_words(&scope),
            "regime consumer and commercial; of 5 accounts; not in DE; only what was deleted"
        );
    }
}
