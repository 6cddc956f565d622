//! Where an account stands: which terms bind it, what it is asked, and whether it may go on.

use std::sync::Arc;

use serde::Serialize;
use tenure_model::Instant;
use tenure_policy::Lineage;
use tenure_store::StoreExt as _;

use crate::accounts::account_of;
use crate::explain::{TermsView, terms_of};
use crate::person::Person;
use crate::{Error, Tenure};

/// Where an account stands at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The account.
    pub account: String,
    /// The instant.
    pub at: Instant,
    /// When the account was closed.
    pub closed_at: Option<Instant>,
    /// Whether it must decide before it goes on, under any of the terms.
    pub must_decide: bool,
    /// Whether the product may let it go on.
    pub may_continue: bool,
    /// By when an answer is asked for, of several the first.
    pub decide_by: Option<Instant>,
    /// The head of its chain, in hexadecimal: what an `on` must follow.
    pub head: String,
    /// The terms, for each group of surfaces on which they say the same.
    pub terms: Vec<StandingTerms>,
}

/// Where an account stands on surfaces of one policy and regime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StandingTerms {
    /// The surfaces.
    pub surfaces: Vec<String>,
    /// What binds there, what was chosen, and what is asked.
    #[serde(flatten)]
    pub view: TermsView,
}

impl Tenure {
    /// Where an account stands at an instant: on one surface, or on all that the newest versions offer.
    ///
    /// It reads the account and what it was told and has said, and none of its conversations, so it takes as long
    /// for an account with a million records as for a new one.
    pub fn standing(&self, account: &str, surface: Option<&str>, at: Instant) -> Result<Standing, Error> {
        let policies = self.policies()?;
        if let Some(surface) = surface
            && policies.of_surface(surface).is_none()
        {
            return Err(Error::UnknownSurface(surface.to_owned()));
        }
        let person = self.store.read(|tx| {
            let row = account_of(tx, account)?;
            self.person(tx, row)
        })?;
        let mut terms: Vec<StandingTerms> = Vec::new();
        for lineage in policies.lineages() {
            for name in surfaces(lineage, surface, at) {
                let Some(view) = terms_of(lineage, &person, &name, at) else { continue };
                match terms.iter_mut().find(|known| known.view == view) {
                    Some(known) => known.surfaces.push(name),
                    None => terms.push(StandingTerms { surfaces: vec![name], view }),
                }
            }
        }
        Ok(stand(person, terms, at))
    }
}

fn stand(person: Person, terms: Vec<StandingTerms>, at: Instant) -> Standing {
    let must_decide = terms.iter().any(|terms| terms.view.must_decide);
    let closed_at = person.row.facts.closed_at.filter(|closed| *closed <= at);
    Standing {
        at,
        closed_at,
        must_decide,
        may_continue: !must_decide && closed_at.is_none(),
        decide_by: terms.iter().filter_map(|terms| terms.view.asked.as_ref()?.by).min(),
        head: crate::ledger::hex(&person.row.chain.head),
        account: person.row.id,
        terms,
    }
}

/// The surfaces of a lineage that are asked about: the one that was named, or all of the newest living version.
fn surfaces(lineage: &Arc<Lineage>, named: Option<&str>, at: Instant) -> Vec<String> {
    if let Some(named) = named {
        return Vec::from_iter(lineage.surface(named).map(|_| named.to_owned()));
    }
    let newest = lineage.living(at).last().or_else(|| lineage.versions().last());
    let offered = newest.into_iter().flat_map(|(_, version)| &version.surfaces);
    offered.map(|surface| surface.name.clone()).collect()
}
