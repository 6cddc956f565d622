//! What people are told, acknowledge and decide.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tenure_model::{Choice, Instant};
use tenure_policy::language::{Purpose, Version};
use tenure_policy::{Lineage, VersionIx};
use tenure_receipts::{Commitment, Digest, Receipt, Statement};
use tenure_store::{AccountRow, NewStatement, ReadTx, Seq, StoreError, StoreExt as _, Tx};

use crate::accounts::account_of;
use crate::ledger::Draft;
use crate::{Error, Tenure};

/// A person's answer for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The purpose.
    pub purpose: String,
    /// The answer.
    pub reply: Reply,
    /// The version that the person saw, as `version` or `policy@version`; the newest announced one that
    /// asks, where `None`.
    pub version: Option<String>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// On, given by someone who knew all that the account had stated.
    On {
        /// The head of the account's chain that they knew. Another one since, and this answer comes too late:
        /// a delayed or replayed `on` must not undo an `off`.
        follows: Commitment,
    },
    /// Off, which is always taken.
    Off,
}

impl Reply {
    /// The answer alone.
    pub const fn choice(self) -> Choice {
        match self {
            Self::On { .. } => Choice::On,
            Self::Off => Choice::Off,
        }
    }
}

/// Which accounts may make a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Open,
    Any,
}

/// How often a statement is prepared beside other writers before it is prepared inside the transaction.
const TRIES_BESIDE: usize = 3;

impl Tenure {
    /// Records a decision, and gives a receipt for it: several where an `off` goes to several policies.
    ///
    /// It answers once the decision is in the log and the log is signed. The account's copies are filed anew
    /// before the next sweep.
    ///
    /// # Errors
    /// [`Error::ChainMoved`] if an `on` follows another head than the account's, [`Error::AccountClosed`] if
    /// an account that is closed says `on`.
    #[expect(clippy::needless_pass_by_value, reason = "an answer is given once")]
    pub fn decide(&self, account: &str, answer: Answer, now: Instant) -> Result<Vec<Receipt>, Error> {
        self.decide_by(account, &answer, None, now)
    }

    /// Records a decision that somebody else passes on, as [`Self::decide`] does. The statement names the SHA-256 of
    /// what shows how the person said it, so that it can be asked for; a no that came without names that of nothing,
    /// and is as long as one with.
    #[expect(clippy::needless_pass_by_value, reason = "an answer is given once")]
    pub fn decide_on_behalf(
        &self,
        account: &str,
        answer: Answer,
        evidence: Option<[u8; 32]>,
        now: Instant,
    ) -> Result<Vec<Receipt>, Error> {
        let evidence = evidence.unwrap_or_else(|| Sha256::digest([]).into());
        self.decide_by(account, &answer, Some(evidence.into()), now)
    }

    fn decide_by(
        &self,
        account: &str,
        answer: &Answer,
        evidence: Option<Digest>,
        now: Instant,
    ) -> Result<Vec<Receipt>, Error> {
        let policies = self.policies()?;
        let (policy, version) = answer.version.as_deref().map_or((None, None), |named| {
            named
                .split_once('@')
                .map_or((None, Some(named)), |(policy, version)| (Some(policy), Some(version)))
        });
        let choice = answer.reply.choice();
        let mut statements = Vec::new();
        for lineage in asking(policies.lineages(), (policy, version), answer, now)? {
            let version = match version {
                Some(name) => announced(lineage, name, choice == Choice::Off, now)?,
                None => newest_asking(lineage, answer, now)?,
            };
            statements.push(Statement::Decision {
                policy: lineage.name().to_owned(),
                version: lineage.tree(version).name.clone(),
                purpose: answer.purpose.clone(),
                choice,
                evidence,
            });
        }
        match answer.reply {
            Reply::On { follows } => {
                self.state_choices(account, statements, (Whose::Open, Some(follows)), now)
            }
            Reply::Off => self.state_choices(account, statements, (Whose::Any, None), now),
        }
    }

    /// The answer of someone who has just read the account.
    pub fn answer(
        &self,
        account: &str,
        purpose: &str,
        choice: Choice,
        version: Option<&str>,
    ) -> Result<Answer, Error> {
        let reply = match choice {
            Choice::On => Reply::On { follows: self.account(account)?.chain.head },
            Choice::Off => Reply::Off,
        };
        Ok(Answer { purpose: purpose.to_owned(), reply, version: version.map(str::to_owned) })
    }

    /// The answer of a line in a file, which may be old or come twice: an `on` is none once the account has said
    /// `off`, unless it names the head that it follows.
    ///
    /// # Errors
    /// [`Error::SaysOff`] for such an `on`.
    pub fn answer_of_file(
        &self,
        account: &str,
        purpose: &str,
        choice: Choice,
        version: Option<&str>,
    ) -> Result<Answer, Error> {
        let says = |tx: &mut dyn ReadTx| {
            let row = account_of(tx, account)?;
            Ok::<_, Error>((row.chain.head, self.person(tx, row)?.says(purpose)))
        };
        let reply = match choice {
            Choice::Off => Reply::Off,
            Choice::On => match self.store.read(says)? {
                (_, Some(Choice::Off)) => return Err(Error::SaysOff),
                (follows, _) => Reply::On { follows },
            },
        };
        Ok(Answer { purpose: purpose.to_owned(), reply, version: version.map(str::to_owned) })
    }

    /// Records that an account acknowledged a version without deciding.
    pub fn acknowledge(&self, account: &str, version: &str, now: Instant) -> Result<Receipt, Error> {
        self.acknowledge_by(account, version, None, now)
    }

    /// Records an acknowledgement that somebody else passes on, with the SHA-256 of what shows how it was given.
    pub fn acknowledge_on_behalf(
        &self,
        account: &str,
        version: &str,
        evidence: [u8; 32],
        now: Instant,
    ) -> Result<Receipt, Error> {
        self.acknowledge_by(account, version, Some(evidence.into()), now)
    }

    fn acknowledge_by(
        &self,
        account: &str,
        version: &str,
        evidence: Option<Digest>,
        now: Instant,
    ) -> Result<Receipt, Error> {
        self.about_version(account, version, now, |policy, version| Statement::Acknowledged {
            policy,
            version,
            evidence,
        })
    }

    /// Records that an account was told of a version.
    pub fn inform(&self, account: &str, version: &str, now: Instant) -> Result<Receipt, Error> {
        self.about_version(account, version, now, |policy, version| Statement::Informed { policy, version })
    }

    /// A version is named by its name, or as `policy@version` where two lineages have one of that name.
    fn about_version(
        &self,
        account: &str,
        version: &str,
        now: Instant,
        statement: impl FnOnce(String, String) -> Statement,
    ) -> Result<Receipt, Error> {
        let policies = self.policies()?;
        let (policy, name) =
            version.split_once('@').map_or((None, version), |(policy, name)| (Some(policy), name));
        let mut having = policies.lineages().iter().filter(|lineage| {
            policy.is_none_or(|policy| lineage.name() == policy) && lineage.version(name).is_some()
        });
        let lineage = having.next().ok_or_else(|| Error::UnknownVersion(name.to_owned()))?;
        if having.next().is_some() {
            return Err(Error::SeveralVersions(name.to_owned()));
        }
        announced(lineage, name, false, now)?;
        let statement = statement(lineage.name().to_owned(), name.to_owned());
        let receipts = self.state_choices(account, vec![statement], (Whose::Open, None), now)?;
        receipts.into_iter().next().ok_or(Error::NotIntegrated)
    }

    /// Appends statements about what a person chose, and gives their receipts.
    ///
    /// They are encrypted before the writer is asked, so that nobody waits for that. If the account's chain
    /// moves meanwhile, the version in the chain is taken, and they are written anew. So they are if its proof
    /// key moves to another page and the page that was read of is destroyed: an `off` must not fail for that.
    fn state_choices(
        &self,
        account: &str,
        statements: Vec<Statement>,
        (whose, follows): (Whose, Option<Commitment>),
        now: Instant,
    ) -> Result<Vec<Receipt>, Error> {
        for _ in 0..TRIES_BESIDE {
            let row = self.store.read(|tx| account_of(tx, account))?;
            let drafts = match self.draft_choices(&row, &statements, (whose, follows), now) {
                Err(Error::Open(_) | Error::Keys(_)) => continue,
                drafts => drafts?,
            };
            let new: Vec<NewStatement> = drafts.iter().map(|draft| draft.new.clone()).collect();
            match self.store.write_of(row.key, move |tx| append(tx, &new)) {
                Err(Error::Store(StoreError::Conflict { .. })) => {}
                appended => return self.receipts_of_drafts(&row, drafts, appended?, now),
            }
        }
        let (tenure, account) = (self.clone(), account.to_owned());
        let (row, drafts, seqs) = self.store.write(move |tx| {
            let row = account_of(tx, &account)?;
            let drafts = tenure.draft_choices(&row, &statements, (whose, follows), now)?;
            let new: Vec<NewStatement> = drafts.iter().map(|draft| draft.new.clone()).collect();
            let seqs = append(tx, &new)?;
            Ok::<_, Error>((row, drafts, seqs))
        })?;
        self.receipts_of_drafts(&row, drafts, seqs, now)
    }

    fn draft_choices(
        &self,
        row: &AccountRow,
        statements: &[Statement],
        (whose, follows): (Whose, Option<Commitment>),
        now: Instant,
    ) -> Result<Vec<Draft>, Error> {
        if whose == Whose::Open && row.facts.closed_at.is_some() {
            return Err(Error::AccountClosed);
        }
        if follows.is_some_and(|follows| follows != row.chain.head) {
            return Err(Error::ChainMoved);
        }
        let (proof, mut chain) = (self.proof_key(row)?, row.chain);
        let draft = |statement: &Statement| self.draft(row, &proof, &mut chain, statement.clone(), now);
        statements.iter().map(draft).collect()
    }

    fn receipts_of_drafts(
        &self,
        row: &AccountRow,
        drafts: Vec<Draft>,
        seqs: Vec<Option<Seq>>,
        now: Instant,
    ) -> Result<Vec<Receipt>, Error> {
        let receipt = |(draft, seq): (Draft, Option<Seq>)| {
            let seq = seq.map_or_else(|| self.store.place_of(row.key, draft.new.version), Ok)?;
            self.receipt_of_draft(row, draft, seq, now)
        };
        drafts.into_iter().zip(seqs).map(receipt).collect()
    }
}

/// Appends what was prepared for one account, and marks its copies as those that must be filed anew. It touches the
/// rows of that account only, so that those of others are written at the same time.
fn append(tx: &mut dyn Tx, statements: &[NewStatement]) -> Result<Vec<Option<Seq>>, Error> {
    if let Some(account) = statements.first().and_then(|statement| statement.account) {
        // They were sealed beside the writer, and the key that opens them may have been destroyed since.
        if tx.account(account)?.is_none_or(|row| row.keys.proof.is_none()) {
            return Err(Error::ProofDestroyed);
        }
        tx.mark_refile(account)?;
    }
    Ok(statements.iter().map(|statement| tx.append_unplaced(statement)).collect::<Result<_, _>>()?)
}

/// The lineages that an answer is about. A yes is to the terms that a person saw, so it needs to be clear
/// which; a no that names none is a no to all that ask, or that once asked.
fn asking<'l>(
    lineages: &'l [Arc<Lineage>],
    (policy, version): (Option<&str>, Option<&str>),
    answer: &Answer,
    now: Instant,
) -> Result<Vec<&'l Arc<Lineage>>, Error> {
    let is_off = answer.reply.choice() == Choice::Off;
    let asks = |lineage: &&Arc<Lineage>| {
        policy.is_none_or(|policy| lineage.name() == policy)
            && lineage.versions().any(|(place, tree)| {
                // A version that is named, and was withdrawn, is refused for that.
                let counts = is_off || version == Some(&*tree.name) || !is_withdrawn(lineage, place, now);
                counts && tree.purpose(&answer.purpose).is_some_and(Purpose::is_chosen)
            })
    };
    let asked: Vec<_> = lineages.iter().filter(asks).collect();
    let knows = |lineage: &&&Arc<Lineage>| version.is_none_or(|version| lineage.version(version).is_some());
    let asking: Vec<_> = asked.iter().filter(knows).copied().collect();
    match asking.len() {
        0 if !asked.is_empty() => Err(Error::UnknownVersion(version.unwrap_or_default().to_owned())),
        0 => Err(Error::UnknownPurpose(answer.purpose.clone())),
        1 => Ok(asking),
        _ if is_off => Ok(asking),
        _ => Err(Error::SeveralPolicies(answer.purpose.clone())),
    }
}

fn is_withdrawn(lineage: &Lineage, version: VersionIx, now: Instant) -> bool {
    lineage.life(version).withdrawn.is_some_and(|withdrawn| withdrawn <= now)
}

/// The version of that name, if people can have seen it. One that was withdrawn counts as never published, but for
/// an `off`, which is always taken.
fn announced(lineage: &Lineage, name: &str, is_off: bool, now: Instant) -> Result<VersionIx, Error> {
    let version = lineage.version(name).ok_or_else(|| Error::UnknownVersion(name.to_owned()))?;
    if is_withdrawn(lineage, version, now) && !is_off {
        return Err(Error::Withdrawn(name.to_owned()));
    }
    if lineage.tree(version).announced > now {
        return Err(Error::NotAnnounced(name.to_owned()));
    }
    Ok(version)
}

/// The newest announced version that asks about the purpose, of those that were not withdrawn. A no is taken
/// before anyone asks, under the newest version that there is.
fn newest_asking(lineage: &Lineage, answer: &Answer, now: Instant) -> Result<VersionIx, Error> {
    let standing = || lineage.versions().filter(|(place, _)| !is_withdrawn(lineage, *place, now));
    let announced = || standing().filter(|(_, version)| version.announced <= now);
    let asks = |version: &Version| version.purpose(&answer.purpose).is_some_and(Purpose::is_chosen);
    let asking = announced().filter(|(_, version)| asks(version)).last();
    let any = || standing().next().or_else(|| lineage.versions().next());
    let found = match answer.reply.choice() {
        Choice::On => asking,
        Choice::Off => asking.or_else(|| announced().last()).or_else(any),
    };
    found.map(|(version, _)| version).ok_or_else(|| Error::NotAnnounced(answer.purpose.clone()))
}
