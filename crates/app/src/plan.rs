//! What publishing versions would do, before anyone does it; and the guard that stops a publication that would
//! take the basis of more copies than it should.

mod judge;
mod survey;

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::{Instant, Regime};
use tenure_policy::Lineage;
use tenure_policy::language::{Ground, Undecided, Version};
use tenure_store::{AccountKey, PolicyRow, ReadTx, StoreExt as _};

use crate::ledger::HOUSE;
use crate::policies::fresh;
use crate::{Allowance, Error, Policies, Tenure};

use survey::{Depth, Survey};

/// Below so many copies the guard does not ask: in a small store every share is large.
const FLOOR: u64 = 100;
/// How many copies a plan judges one by one; where more would change, the index is asked how many there are at
/// most.
const JUDGED_MAX: u64 = 100_000;

/// What publishing versions would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// When it was made.
    pub at: Instant,
    /// The versions that would be published.
    pub versions: Vec<PlannedVersion>,
    /// How many live copies there are.
    pub live: u64,
    /// How many of those would lose their basis when the versions take effect.
    pub lost: u64,
    /// How many would if the versions took effect today. Where they do so only after the present copies are gone
    /// by time, this says what they will do to the copies of then.
    pub today: u64,
    /// Whether copies were judged one by one; otherwise the counts are those of the index: `lost` and `today` are at
    /// most so many.
    pub exact: bool,
    /// By class and surface.
    pub classes: Vec<PlannedClass>,
}

/// What publishing would do to the copies of one class on one surface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedClass {
    /// The class.
    pub class: String,
    /// The surface, by the name that the records have.
    pub surface: String,
    /// What would become of them.
    #[serde(flatten)]
    pub tally: Tally,
}

/// Copies by what would become of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many live copies there are.
    pub live: u64,
    /// How many would lose their basis when the versions take effect: they are hidden at once, and go into
    /// quarantine.
    pub lost: u64,
    /// How many of those a hold keeps.
    pub held: u64,
    /// How many would lose their basis if the versions took effect today.
    pub today: u64,
    /// How many would keep their basis and end sooner than without the versions.
    pub sooner: u64,
    /// How many would be kept longer.
    pub longer: u64,
    /// When the first of those that lose their basis is destroyed, at the earliest.
    pub first: Option<Instant>,
    /// When the last of them is.
    pub last: Option<Instant>,
}

/// A version that would be published, whom it asks and whom it binds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedVersion {
    /// The lineage.
    pub policy: String,
    /// The version.
    pub version: String,
    /// A title for people.
    pub title: String,
    /// When it is made known.
    pub announced: Instant,
    /// When it takes effect.
    pub effective: Instant,
    /// Whether it is about a time that has passed, so that it takes effect at once.
    pub reaches_back: bool,
    /// The version that comes before it.
    pub before: Option<String>,
    /// In what it widens against that one.
    pub widens: Vec<Wider>,
    /// The purposes that it asks about.
    pub asks: Vec<String>,
    /// How many accounts would have to decide.
    pub undecided: u64,
    /// By when.
    pub decide_by: Option<Instant>,
    /// Whether they can't go on after that without an answer.
    pub blocks: bool,
}

/// A regime in which a version widens: there it binds an account only once that acknowledges it or decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wider {
    /// The regime.
    pub regime: Regime,
    /// In what, in words.
    pub what: Vec<String>,
}

impl Plan {
    /// How many copies would lose their basis, when the versions take effect or if they did so today, whichever is
    /// more. Whoever publishes them all the same says that they expect so many.
    pub fn loss(&self) -> u64 {
        self.lost.max(self.today)
    }
}

/// What is published, and what would be.
pub(crate) struct Setup {
    /// The policies without the versions.
    before: Policies,
    /// The policies with them.
    after: Policies,
    /// The policies as if the versions took effect today, where they do so later.
    today: Option<Policies>,
    versions: Vec<Version>,
    now: Instant,
    /// Every instant at which one of the versions may take a basis, in order.
    moments: Vec<Instant>,
}

impl Setup {
    fn new(rows: &[PolicyRow], files: &[(String, String)], now: Instant) -> Result<Self, Error> {
        let versions: Vec<Version> = fresh(rows, files)?.into_iter().map(|(version, _)| version).collect();
        let at_once = |version: &Version| Version {
            announced: version.announced.min(now),
            effective: version.effective.min(now),
            ..version.clone()
        };
        let waits = versions.iter().any(|version| version.effective > now);
        let hastened: Vec<Version> = versions.iter().map(at_once).collect();
        // Versions that could not follow each other at other dates say nothing about today.
        let today = if waits { Policies::with(rows, &hastened, now).ok() } else { None };
        let mut moments: Vec<Instant> = versions.iter().map(|version| version.effective.max(now)).collect();
        moments.push(now);
        moments.sort_unstable();
        moments.dedup();
        let (before, after) = (Policies::with(rows, &[], now)?, Policies::with(rows, &versions, now)?);
        Ok(Self { before, after, today, versions, now, moments })
    }
}

/// What a publication takes at most, and what was said to be meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned {
    pub(crate) at_most: u64,
    pub(crate) expected: Option<u64>,
}

/// What a publication would take the basis of, and was not allowed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The versions.
    pub versions: Vec<String>,
    /// How many copies would lose their basis.
    pub copies: u64,
    /// How many may.
    pub allowed: u64,
    /// How many live copies there are.
    pub live: u64,
    /// The copies by class.
    pub classes: BTreeMap<String, u64>,
    /// When that happens; nothing where it is what would happen if the versions took effect today.
    pub effective: Option<Instant>,
    /// When the first of them would be destroyed, at the earliest.
    pub first: Option<Instant>,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let classes: Vec<_> = self.classes.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let Self { copies, live, allowed, .. } = self;
        let tenths = copies.saturating_mul(1_000) / (*live).max(1);
        let (share, classes) = (format!("{}.{}%", tenths / 10, tenths % 10), classes.join(", "));
        let (versions, versions_take) =
            (self.versions.join(", "), if self.versions.len() == 1 { "takes" } else { "take" });
        match self.effective {
            Some(at) => write!(f, "{versions} {versions_take} effect on {at}, and then ")?,
            None => write!(f, "if {versions} took effect today, ")?,
        }
        write!(f, "{copies} of {live} live copies, {share}, would lose what they are kept by ({classes})")?;
        if let Some(first) = self.first {
            write!(f, ": hidden at once, and destroyed from {first} on")?;
        }
        write!(
            f,
            "; {allowed} is the most that may without being told, so nothing was published: if a term is mistyped, \
             correct it; if this is meant, publish with `--expect {copies}`"
        )
    }
}

impl Tenure {
    /// What publishing versions would do: each file's name and text. Nothing is changed.
    ///
    /// It costs groups of the index and what the versions change. Up to 100,000 copies that may lose their basis are
    /// judged one by one; where more may, the index says how many do at most. What it can't tell, as when a version
    /// reaches back, is always judged.
    ///
    /// # Errors
    /// As [`Self::publish`], but for the guard.
    pub fn plan(&self, files: &[(String, String)], now: Instant) -> Result<Plan, Error> {
        self.plan_with(files, now, Depth::Judged(JUDGED_MAX))
    }

    /// What publishing versions would do at most, as the index knows: to the day, and by the term that each copy is
    /// filed under.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn plan_by_index(&self, files: &[(String, String)], now: Instant) -> Result<Plan, Error> {
        self.plan_with(files, now, Depth::Judged(0))
    }

    fn plan_with(&self, files: &[(String, String)], now: Instant, depth: Depth) -> Result<Plan, Error> {
        self.store.read(|tx| {
            let setup = Setup::new(&tx.policies()?, files, now)?;
            let survey = self.survey(tx, &setup, depth)?;
            let mut versions = Vec::new();
            for version in &setup.versions {
                let mut planned = planned(&setup, version)?;
                if !planned.asks.is_empty() {
                    planned.undecided = self.undecided(tx, &setup, version)?;
                }
                versions.push(planned);
            }
            Ok(plan_of(now, versions, survey))
        })
    }

    /// Refuses a publication that would take the basis of more copies than are allowed, and says how many it takes
    /// at most.
    ///
    /// The index says cheaply how many can lose it at most; only if that is too much is every such copy judged.
    pub(crate) fn guard_publication(
        &self,
        files: &[(String, String)],
        allow: Allowance,
        now: Instant,
    ) -> Result<Option<Planned>, Error> {
        self.store.read(|tx| {
            let setup = Setup::new(&tx.policies()?, files, now)?;
            if allow == Allowance::Anything || setup.versions.is_empty() {
                return Ok(None);
            }
            let at_most = self.survey(tx, &setup, Depth::Bound)?.loss();
            let expected = if let Allowance::Copies(copies) = allow { Some(copies) } else { None };
            let planned = |at_most| Ok(Some(Planned { at_most, expected }));
            if at_most <= allowed(tx, allow, at_most)?.0 {
                return planned(at_most);
            }
            let survey = self.survey(tx, &setup, Depth::Judged(u64::MAX))?;
            let copies = survey.loss();
            let (allowed, live) = allowed(tx, allow, copies)?;
            if copies <= allowed {
                return planned(copies);
            }
            Err(Error::LosesTooMuch(Box::new(loss_of(&setup, &survey, allowed, live))))
        })
    }

    /// How many accounts have not answered what a version asks about, once it is announced.
    fn undecided(&self, tx: &mut dyn ReadTx, setup: &Setup, version: &Version) -> Result<u64, Error> {
        let Some(lineage) = setup.after.named(&version.policy) else { return Ok(0) };
        let at = setup.now.max(version.announced);
        let (mut count, mut after) = (0, None::<AccountKey>);
        loop {
            let slice = tx.accounts(after, 500)?;
            let Some(last) = slice.last() else { return Ok(count) };
            after = Some(last.key);
            for account in slice {
                if account.id == HOUSE || account.facts.closed_at.is_some() {
                    continue;
                }
                let person = self.person(tx, account)?;
                let (history, opened) = (person.history(lineage), person.row.facts.opened_at);
                let asked_on = |surface: &str| {
                    let Some(surface) = lineage.surface(surface) else { return false };
                    let asked = lineage.account_view(&history, opened, surface, at).asked;
                    asked.is_some_and(|asked| lineage.tree(asked.version).name == version.name)
                };
                if is_asked(tx, person.row.key, version, asked_on)? {
                    count += 1;
                }
            }
        }
    }
}

/// Whether an account is asked on a surface that one of its records is on; whoever has none may come on any.
fn is_asked(
    tx: &mut dyn ReadTx,
    account: AccountKey,
    version: &Version,
    asked_on: impl Fn(&str) -> bool,
) -> Result<bool, Error> {
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    let mut after = None;
    loop {
        let slice = tx.records_of(account, after, 500)?;
        let Some(last) = slice.last() else { break };
        after = Some(last.id);
        for record in slice {
            if *known.entry(record.surface.clone()).or_insert_with(|| asked_on(&record.surface)) {
                return Ok(true);
            }
        }
    }
    Ok(known.is_empty() && version.surfaces.iter().any(|surface| asked_on(&surface.name)))
}

/// How many copies may lose their basis, and how many live. No more is counted than is needed to know that a share
/// is not exceeded.
fn allowed(tx: &mut dyn ReadTx, allow: Allowance, copies: u64) -> Result<(u64, u64), Error> {
    let share = match allow {
        Allowance::Copies(allowed) => return Ok((allowed, tx.count_live(u64::MAX)?)),
        Allowance::Anything => return Ok((u64::MAX, 0)),
        Allowance::Share(share) => u64::from(share.max(1)),
    };
    if copies <= FLOOR {
        return Ok((FLOOR, copies));
    }
    let live = tx.count_live(copies.saturating_mul(1_000).div_ceil(share))?;
    Ok(((live.saturating_mul(share) / 1_000).max(FLOOR), live))
}

fn plan_of(at: Instant, versions: Vec<PlannedVersion>, survey: Survey) -> Plan {
    let total = |count: fn(&Tally) -> u64| survey.tallies.values().map(count).sum();
    let (live, lost, today) =
        (total(|tally| tally.live), total(|tally| tally.lost), total(|tally| tally.today));
    let class = |((class, surface), tally)| PlannedClass { class, surface, tally };
    let exact = survey.exact;
    Plan { at, versions, live, lost, today, exact, classes: survey.tallies.into_iter().map(class).collect() }
}

fn loss_of(setup: &Setup, survey: &Survey, allowed: u64, live: u64) -> Loss {
    let by_today = survey.today() > survey.lost();
    let mut classes: BTreeMap<String, u64> = BTreeMap::new();
    for ((class, _), tally) in &survey.tallies {
        let copies = if by_today { tally.today } else { tally.lost };
        if copies > 0 {
            *classes.entry(class.clone()).or_default() += copies;
        }
    }
    let effective = setup.versions.iter().map(|version| version.effective.max(setup.now)).min();
    Loss {
        versions: setup
            .versions
            .iter()
            .map(|version| format!("{}@{}", version.policy, version.name))
            .collect(),
        copies: survey.loss(),
        allowed,
        live: live.max(survey.loss()),
        classes,
        effective: effective.filter(|_| !by_today),
        first: survey.tallies.values().filter_map(|tally| tally.first).min().filter(|_| !by_today),
    }
}

fn planned(setup: &Setup, version: &Version) -> Result<PlannedVersion, Error> {
    let unknown = || Error::UnknownVersion(version.name.clone());
    let lineage: &Lineage = setup.after.named(&version.policy).ok_or_else(unknown)?;
    let place = lineage.version(&version.name).ok_or_else(unknown)?;
    let before = lineage.living(setup.now).take_while(|(other, _)| *other != place).last();
    let widens = |(before, _)| {
        let each = Regime::ALL.iter().map(|regime| {
            let found = lineage.widenings(before, place, *regime);
            let what = found.iter().map(|widening| lineage.describe(place, widening).1);
            Wider { regime: *regime, what: what.collect() }
        });
        each.filter(|wider| !wider.what.is_empty()).collect()
    };
    let asks = version.purposes.iter().filter(|purpose| purpose.ground == Ground::Consent);
    Ok(PlannedVersion {
        policy: version.policy.clone(),
        version: version.name.clone(),
        title: version.title.clone(),
        announced: version.announced,
        effective: version.effective,
        reaches_back: version.announced.min(version.effective) < setup.now,
        before: before.map(|(_, before)| before.name.clone()),
        widens: before.map_or_else(Vec::new, widens),
        asks: asks.map(|purpose| purpose.name.clone()).collect(),
        undecided: 0,
        decide_by: version.decide_by,
        blocks: version.undecided == Undecided::Block,
    })
}
