//! Withdrawing a version that was a mistake: one person asks, another confirms, and from then on it counts as
//! never published.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tenure_access::{Refusal, TwoPeople};
use tenure_model::{Instant, MonthLength, Span};
use tenure_policy::{Lineage, Situation, SurfaceId, VersionIx};
use tenure_receipts::Statement;
use tenure_store::{PolicyRow, ReadTx, StoreExt as _, Tx};

use crate::filing::SHARD;
use crate::{Error, Policies, Tenure};

/// For how long a request to withdraw a version stands.
const STANDS: Span = Span::days(7);
/// The longest name of someone who asks or confirms.
const NAME_MAX: usize = 64;

/// A request to withdraw a version, which somebody else has yet to confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedWithdrawal {
    /// Who asks: a role or a pseudonym.
    pub by: String,
    /// When.
    pub at: Instant,
    /// Until when it can be confirmed.
    pub lapses: Instant,
}

/// What came of asking to withdraw a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Withdrawal {
    /// It is asked for, and somebody else must confirm it. Nothing has changed yet.
    Asked(AskedWithdrawal),
    /// It is withdrawn.
    Withdrawn {
        /// Since when.
        at: Instant,
        /// Who asked.
        asked: String,
        /// Who confirmed.
        confirmed: String,
    },
}

/// What the store keeps of a request and of its confirmation.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    by: String,
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirmed: Option<String>,
}

fn key(row: &PolicyRow) -> String {
    format!("policy/withdrawal/{}@{}", row.lineage, row.version)
}

fn kept(tx: &mut dyn ReadTx, row: &PolicyRow) -> Result<Option<Kept>, Error> {
    Ok(tx.meta(&key(row))?.as_deref().map(serde_json::from_str).transpose()?)
}

fn keep(tx: &mut dyn Tx, row: &PolicyRow, kept: &Kept) -> Result<(), Error> {
    Ok(tx.set_meta(&key(row), &serde_json::to_string(kept)?)?)
}

/// The request to withdraw a version that stands at an instant.
pub(crate) fn asked(
    tx: &mut dyn ReadTx,
    row: &PolicyRow,
    now: Instant,
) -> Result<Option<AskedWithdrawal>, Error> {
    let Some(kept) = kept(tx, row)? else { return Ok(None) };
    let at = Instant::saturating_from_micros(kept.at);
    let lapses = at.plus(STANDS, MonthLength::Calendar);
    Ok((at <= now && now < lapses).then_some(AskedWithdrawal { by: kept.by, at, lapses }))
}

impl Tenure {
    /// Asks to withdraw a version, named as `policy@version`, or confirms what somebody else has asked for.
    ///
    /// Only the confirmation changes anything: in one transaction the version is withdrawn, the ledger says so, and
    /// every account is marked to be filed anew. Whoever asks again, or about a version that is withdrawn already,
    /// is told how it stands.
    ///
    /// # Errors
    /// [`Error::Refused`], with what to do instead, for the only version that a lineage has left or that knows a
    /// surface of stored records; [`Error::Policy`] where what would be left could not stand.
    pub fn withdraw(&self, version: &str, name: &str, now: Instant) -> Result<Withdrawal, Error> {
        check_name(name)?;
        let ((policy, version), name) = (named(version)?, name.to_owned());
        let tenure = self.clone();
        let withdrawal = self.store.write(move |tx| {
            let row = tx.policy(&policy, &version)?.ok_or(Error::UnknownVersion(version))?;
            if let Some(withdrawn) = withdrawn(tx, &row)? {
                return Ok(withdrawn);
            }
            refuse_what_is_needed(tx, &row, now)?;
            match asked(tx, &row, now)? {
                Some(asked) if asked.by != name => tenure.withdraw_now(tx, &row, asked, name, now),
                Some(asked) => Ok(Withdrawal::Asked(asked)),
                None => {
                    keep(tx, &row, &Kept { by: name.clone(), at: now.micros(), confirmed: None })?;
                    let lapses = now.plus(STANDS, MonthLength::Calendar);
                    Ok(Withdrawal::Asked(AskedWithdrawal { by: name, at: now, lapses }))
                }
            }
        });
        // A commit that was reported as failed may have happened.
        self.forget_policies();
        withdrawal
    }

    /// Withdraws a version that two people want to be withdrawn, as the transaction that does it finds.
    pub(crate) fn withdraw_agreed(
        &self,
        version: &str,
        now: Instant,
        agree: impl FnOnce(&mut dyn Tx) -> Result<Vec<TwoPeople>, Error> + Clone + Send + 'static,
    ) -> Result<Withdrawal, Error> {
        let ((policy, version), tenure) = (named(version)?, self.clone());
        let withdrawal = self.store.write(move |tx| {
            let row = tx.policy(&policy, &version)?.ok_or(Error::UnknownVersion(version))?;
            if let Some(withdrawn) = withdrawn(tx, &row)? {
                return Ok(withdrawn);
            }
            refuse_what_is_needed(tx, &row, now)?;
            let two = agree(tx)?.pop().ok_or(Refusal::ApprovalMissing)?;
            let by = two.proposed_by().as_str().to_owned();
            let asked = AskedWithdrawal { by, at: now, lapses: now.plus(STANDS, MonthLength::Calendar) };
            tenure.withdraw_now(tx, &row, asked, two.approved_by().as_str().to_owned(), now)
        });
        self.forget_policies();
        withdrawal
    }

    fn withdraw_now(
        &self,
        tx: &mut dyn Tx,
        row: &PolicyRow,
        asked: AskedWithdrawal,
        confirmed: String,
        now: Instant,
    ) -> Result<Withdrawal, Error> {
        Policies::advance(tx)?;
        tx.withdraw_policy(&row.lineage, &row.version, now)?;
        let by = asked.by.clone();
        keep(tx, row, &Kept { by, at: asked.at.micros(), confirmed: Some(confirmed.clone()) })?;
        crate::ledger::mark_everyone(tx)?;
        let statement =
            Statement::PolicyWithdrawn { policy: row.lineage.clone(), version: row.version.clone() };
        self.state_by_house(tx, statement, now)?;
        Ok(Withdrawal::Withdrawn { at: now, asked: asked.by, confirmed })
    }
}

/// The lineage and the version that `policy@version` names.
fn named(version: &str) -> Result<(String, String), Error> {
    let (policy, version) = version.split_once('@').ok_or_else(|| {
        Error::Refused(
            "name the version to withdraw as `policy@version`: see `tenure policy show`".to_owned(),
        )
    })?;
    Ok((policy.to_owned(), version.to_owned()))
}

/// How a version stands that is withdrawn already.
fn withdrawn(tx: &mut dyn ReadTx, row: &PolicyRow) -> Result<Option<Withdrawal>, Error> {
    let Some(at) = row.withdrawn_at else { return Ok(None) };
    let kept = kept(tx, row)?;
    let (asked, confirmed) = kept.map(|kept| (kept.by, kept.confirmed)).unwrap_or_default();
    Ok(Some(Withdrawal::Withdrawn { at, asked, confirmed: confirmed.unwrap_or_default() }))
}

/// The name of someone who asks or confirms: a role or a pseudonym, which goes into no statement about a person.
fn check_name(name: &str) -> Result<(), Error> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if begins && name.len() <= NAME_MAX && name.bytes().all(letter) {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "say who you are by a role or a pseudonym of at most {NAME_MAX} small letters, digits, `-`, `_` and `.` that \
         begins with a letter, such as `privacy-lead`"
    )))
}

/// Refuses to withdraw a version without which nothing would say how something stored is judged, and one without
/// which the versions around it could not follow each other.
fn refuse_what_is_needed(tx: &mut dyn ReadTx, row: &PolicyRow, now: Instant) -> Result<(), Error> {
    let mut rows = tx.policies()?;
    let policies = Policies::with(&rows, &[], now)?;
    let unknown = || Error::UnknownVersion(row.version.clone());
    let lineage = policies.named(&row.lineage).ok_or_else(unknown)?;
    let version = lineage.version(&row.version).ok_or_else(unknown)?;
    if lineage.living(now).all(|(other, _)| other == version) {
        return Err(Error::Refused(format!(
            "version `{}` is the only one of policy `{}`: publish the terms that hold instead first, then withdraw it",
            row.version, row.lineage
        )));
    }
    if let Some(surface) = surface_only_it_knows(tx, lineage, version, now)? {
        return Err(Error::Refused(format!(
            "only version `{}` knows surface `{surface}`, and records on it are stored: publish another version that \
             knows it first, then withdraw this one",
            row.version
        )));
    }
    let same = |other: &&mut PolicyRow| other.lineage == row.lineage && other.version == row.version;
    if let Some(withdrawn) = rows.iter_mut().find(same) {
        withdrawn.withdrawn_at = Some(now);
    }
    Policies::with(&rows, &[], now).map(drop)
}

/// A surface of live copies that no other living version knows. It costs by groups, not by copies.
fn surface_only_it_knows(
    tx: &mut dyn ReadTx,
    lineage: &Lineage,
    version: VersionIx,
    now: Instant,
) -> Result<Option<String>, Error> {
    let known_otherwise = |surface: SurfaceId| {
        let mut others = lineage.living(now).filter(|(other, _)| *other != version);
        others.any(|(other, _)| lineage.surface_name(surface, other).is_some())
    };
    let mut seen = BTreeSet::new();
    for group in tx.groups(SHARD)? {
        if !seen.insert(group.situation.0) {
            continue;
        }
        let body = tx.situation(group.situation)?;
        let situation = body.and_then(|body| serde_json::from_slice::<Situation>(&body).ok());
        let Some(situation) = situation else { continue };
        let Some(surface) = lineage.surface(situation.surface()) else { continue };
        if lineage.surface_name(surface, version).is_some() && !known_otherwise(surface) {
            return Ok(Some(situation.surface().to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_role_or_a_pseudonym() {
        for name in ["ops", "privacy-lead", "a.b_c-9"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "Ops", "jane doe", "-x", "9", "ä", "a/b", &"a".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
