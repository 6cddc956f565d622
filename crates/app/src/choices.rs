//! What people are told, acknowledge and decide.

use std::sync::Arc;

use tenure_model::{Choice, Instant};
use tenure_policy::language::{Purpose, Version};
use tenure_policy::{Lineage, VersionIx};
use tenure_receipts::Statement;
use tenure_store::{AccountRow, Seq, StoreExt as _, Tx};

use crate::accounts::account_of;
use crate::{Error, Tenure};

/// A person's answer for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The purpose.
    pub purpose: String,
    /// The answer.
    pub choice: Choice,
    /// The version that the person saw, as `version` or `policy@version`; the newest announced one that
    /// asks, where `None`.
    pub version: Option<String>,
    /// The head of the account's chain that an `on` follows; not checked where `None`, as on the command
    /// line, where whoever decides has just read the account. An `off` is always taken.
    pub follows: Option<[u8; 32]>,
}

impl Tenure {
    /// Records a decision, and gives its place in the ledger. An `off` is always taken, of a closed account too.
    ///
    /// The account's copies are filed anew before the next sweep.
    ///
    /// # Errors
    /// [`Error::ChainMoved`] if an `on` follows another head than the account's.
    pub fn decide(&self, account: &str, answer: Answer, now: Instant) -> Result<Seq, Error> {
        let (policies, tenure, account) = (self.policies()?, self.clone(), account.to_owned());
        let (policy, version) = answer.version.as_deref().map_or((None, None), |named| {
            named
                .split_once('@')
                .map_or((None, Some(named)), |(policy, version)| (Some(policy), Some(version)))
        });
        let mut statements = Vec::new();
        for lineage in asking(policies.lineages(), (policy, version), &answer)? {
            let version = match version {
                Some(name) => announced(lineage, name, now)?,
                None => newest_asking(lineage, &answer, now)?,
            };
            statements.push(Statement::Decision {
                policy: lineage.name().to_owned(),
                version: lineage.tree(version).name.clone(),
                purpose: answer.purpose.clone(),
                choice: answer.choice,
            });
        }
        self.store.write(move |tx| {
            let row = account_of(tx, &account)?;
            if answer.choice == Choice::On {
                if row.facts.closed_at.is_some() {
                    return Err(Error::AccountClosed);
                }
                if answer.follows.is_some_and(|follows| follows != row.chain.head) {
                    return Err(Error::ChainMoved);
                }
            }
            let mut last = Err(Error::UnknownPurpose(answer.purpose));
            for statement in statements {
                last = Ok(tenure.state_choice(tx, &row, statement, now)?);
            }
            last
        })
    }

    /// Records that an account acknowledged a version without deciding.
    pub fn acknowledge(&self, account: &str, version: &str, now: Instant) -> Result<Seq, Error> {
        self.about_version(account, version, now, |policy, version| Statement::Acknowledged {
            policy,
            version,
        })
    }

    /// Records that an account was told of a version.
    pub fn inform(&self, account: &str, version: &str, now: Instant) -> Result<Seq, Error> {
        self.about_version(account, version, now, |policy, version| Statement::Informed { policy, version })
    }

    /// A version is named by its name, or as `policy@version` where two lineages have one of that name.
    fn about_version(
        &self,
        account: &str,
        version: &str,
        now: Instant,
        statement: impl FnOnce(String, String) -> Statement,
    ) -> Result<Seq, Error> {
        let (policies, tenure, account) = (self.policies()?, self.clone(), account.to_owned());
        let (policy, name) =
            version.split_once('@').map_or((None, version), |(policy, name)| (Some(policy), name));
        let mut having = policies.lineages().iter().filter(|lineage| {
            policy.is_none_or(|policy| lineage.name() == policy) && lineage.version(name).is_some()
        });
        let lineage = having.next().ok_or_else(|| Error::UnknownVersion(name.to_owned()))?;
        if having.next().is_some() {
            return Err(Error::SeveralVersions(name.to_owned()));
        }
        announced(lineage, name, now)?;
        let statement = statement(lineage.name().to_owned(), name.to_owned());
        self.store.write(move |tx| {
            let row = open_for_choice(tx, &account)?;
            tenure.state_choice(tx, &row, statement, now)
        })
    }

    fn state_choice(
        &self,
        tx: &mut dyn Tx,
        row: &AccountRow,
        statement: Statement,
        now: Instant,
    ) -> Result<Seq, Error> {
        let proof = self.proof_key(row)?;
        let seq = self.state(tx, row, &proof, statement, now)?;
        tx.mark_refile(row.key)?;
        Ok(seq)
    }
}

/// The lineages that an answer is about. A yes is to the terms that a person saw, so it needs to be clear
/// which; a no that names none is a no to all that ask.
fn asking<'l>(
    lineages: &'l [Arc<Lineage>],
    (policy, version): (Option<&str>, Option<&str>),
    answer: &Answer,
) -> Result<Vec<&'l Arc<Lineage>>, Error> {
    let asks = |lineage: &&Arc<Lineage>| {
        policy.is_none_or(|policy| lineage.name() == policy)
            && lineage
                .versions()
                .any(|(_, version)| version.purpose(&answer.purpose).is_some_and(Purpose::is_chosen))
    };
    let asked: Vec<_> = lineages.iter().filter(asks).collect();
    let knows = |lineage: &&&Arc<Lineage>| version.is_none_or(|version| lineage.version(version).is_some());
    let asking: Vec<_> = asked.iter().filter(knows).copied().collect();
    match (asking.len(), answer.choice) {
        (0, _) if !asked.is_empty() => Err(Error::UnknownVersion(version.unwrap_or_default().to_owned())),
        (0, _) => Err(Error::UnknownPurpose(answer.purpose.clone())),
        (1, _) | (_, Choice::Off) => Ok(asking),
        (_, Choice::On) => Err(Error::SeveralPolicies(answer.purpose.clone())),
    }
}

fn open_for_choice(tx: &mut dyn Tx, id: &str) -> Result<AccountRow, Error> {
    let row = account_of(tx, id)?;
    if row.facts.closed_at.is_some() { Err(Error::AccountClosed) } else { Ok(row) }
}

/// The version of that name, if people can have seen it.
fn announced(lineage: &Lineage, name: &str, now: Instant) -> Result<VersionIx, Error> {
    let version = lineage.version(name).ok_or_else(|| Error::UnknownVersion(name.to_owned()))?;
    if lineage.tree(version).announced > now {
        return Err(Error::NotAnnounced(name.to_owned()));
    }
    Ok(version)
}

/// The newest announced version that asks about the purpose. A no is taken before anyone asks, under the
/// newest version that there is.
fn newest_asking(lineage: &Lineage, answer: &Answer, now: Instant) -> Result<VersionIx, Error> {
    let announced = || lineage.versions().filter(|(_, version)| version.announced <= now);
    let asks = |version: &Version| version.purpose(&answer.purpose).is_some_and(Purpose::is_chosen);
    let asking = announced().filter(|(_, version)| asks(version)).last();
    let found = match answer.choice {
        Choice::On => asking,
        Choice::Off => asking.or_else(|| announced().last()).or_else(|| lineage.versions().next()),
    };
    found.map(|(version, _)| version).ok_or_else(|| Error::NotAnnounced(answer.purpose.clone()))
}
