//! The published policies: which lineage judges which surface, and how a version is published.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tenure_model::Instant;
use tenure_policy::language::{self, Version};
use tenure_policy::{Life, Lineage, SurfaceId};
use tenure_receipts::Statement;
use tenure_store::{PolicyRow, ReadTx, StoreExt as _, Tx};

use crate::plan::Planned;
use crate::withdraw::{AskedWithdrawal, asked};
use crate::{Allowance, Error, Tenure};

/// Every lineage that is published, compiled.
#[derive(Debug, Default)]
pub struct Policies {
    lineages: Vec<Arc<Lineage>>,
    by_surface: HashMap<String, (usize, SurfaceId)>,
    /// Advances with each publication and each withdrawal.
    epoch: u64,
}

const EPOCH: &str = "policies/epoch";

impl Policies {
    pub(crate) fn load(tx: &mut dyn ReadTx) -> Result<Self, Error> {
        let loaded = Self::with(&tx.policies()?, &[], Instant::MIN)?;
        Ok(Self { epoch: epoch(tx)?, ..loaded })
    }

    /// What is published as a transaction sees it: what is known already, unless it has changed since.
    pub(crate) fn current(tx: &mut dyn ReadTx, known: &Arc<Self>) -> Result<Arc<Self>, Error> {
        if epoch(tx)? == known.epoch {
            return Ok(Arc::clone(known));
        }
        Self::load(tx).map(Arc::new)
    }

    /// Lets everyone know that what is published has changed.
    pub(crate) fn advance(tx: &mut dyn Tx) -> Result<(), Error> {
        let next = epoch(tx)? + 1;
        Ok(tx.set_meta(EPOCH, &next.to_string())?)
    }

    /// What is published together with versions that would be published now.
    pub(crate) fn with(rows: &[PolicyRow], fresh: &[Version], now: Instant) -> Result<Self, Error> {
        let mut lineages: Vec<(String, Vec<(Version, Life)>)> = Vec::new();
        let published = rows.iter().map(|row| Ok::<_, Error>((parse(row)?, life(row))));
        let fresh =
            fresh.iter().map(|version| Ok((version.clone(), Life { published: now, withdrawn: None })));
        for lived in published.chain(fresh) {
            let (version, life) = lived?;
            match lineages.iter_mut().find(|(name, _)| *name == version.policy) {
                Some((_, versions)) => versions.push((version, life)),
                None => lineages.push((version.policy.clone(), vec![(version, life)])),
            }
        }
        Self::compile(lineages.into_iter().map(|(_, versions)| versions))
    }

    fn compile(lineages: impl Iterator<Item = Vec<(Version, Life)>>) -> Result<Self, Error> {
        let mut policies = Self::default();
        for versions in lineages {
            let names: Vec<String> = versions
                .iter()
                .flat_map(|(version, _)| &version.surfaces)
                .flat_map(|surface| [Some(surface.name.clone()), surface.was.clone()])
                .flatten()
                .collect();
            let lineage = Lineage::compile_lived(versions).map_err(Error::Policy)?;
            for surface in names {
                let Some(id) = lineage.surface(&surface) else { continue };
                let place = (policies.lineages.len(), id);
                if let Some((other, _)) = policies.by_surface.insert(surface.clone(), place)
                    && other != place.0
                {
                    let lineage = policies
                        .lineages
                        .get(other)
                        .map_or_else(String::new, |other| other.name().to_owned());
                    return Err(Error::SurfaceTaken { surface, lineage });
                }
            }
            policies.lineages.push(Arc::new(lineage));
        }
        Ok(policies)
    }

    /// Every lineage.
    pub fn lineages(&self) -> &[Arc<Lineage>] {
        &self.lineages
    }

    /// The lineage that knows a surface.
    pub fn of_surface(&self, surface: &str) -> Option<(&Arc<Lineage>, SurfaceId)> {
        let (place, id) = self.by_surface.get(surface)?;
        Some((self.lineages.get(*place)?, *id))
    }

    /// The lineage of that name.
    pub fn named(&self, name: &str) -> Option<&Arc<Lineage>> {
        self.lineages.iter().find(|lineage| lineage.name() == name)
    }
}

fn epoch(tx: &mut dyn ReadTx) -> Result<u64, Error> {
    let epoch = tx.meta(EPOCH)?;
    // One that can't be read differs from every one that is known, so that all is loaded anew.
    Ok(epoch.map_or(0, |epoch| epoch.parse().unwrap_or(u64::MAX - 1)))
}

/// When a version lives: before it was published and once it is withdrawn nobody is judged by it.
const fn life(row: &PolicyRow) -> Life {
    Life { published: row.published_at, withdrawn: row.withdrawn_at }
}

/// Reads a version back from its row; it was refused or accepted when it was published.
fn parse(row: &PolicyRow) -> Result<Version, Error> {
    language::parse(&format!("{}@{}", row.lineage, row.version), &row.source).map_err(Error::Policy)
}

/// The versions of files that are not published yet, in the order in which they are, with their texts.
pub(crate) fn fresh(rows: &[PolicyRow], files: &[(String, String)]) -> Result<Vec<(Version, String)>, Error> {
    let mut fresh = Vec::new();
    for (file, text) in files {
        let version = language::parse(file, text).map_err(Error::Policy)?;
        match rows.iter().find(|row| row.lineage == version.policy && row.version == version.name) {
            Some(row) if row.withdrawn_at.is_some() => return Err(Error::Withdrawn(version.name)),
            Some(row) if row.source == *text => {}
            Some(_) => return Err(Error::PublishedOtherwise(version.name)),
            None => fresh.push((version, text.clone())),
        }
    }
    fresh.sort_by(|(a, _), (b, _)| (a.announced, &a.name).cmp(&(b.announced, &b.name)));
    Ok(fresh)
}

/// A version as it was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedVersion {
    /// The lineage.
    pub policy: String,
    /// The version.
    pub version: String,
    /// A title for people.
    pub title: String,
    /// When it was made known.
    pub announced: Instant,
    /// When it takes effect.
    pub effective: Instant,
    /// When it was published here.
    pub published: Instant,
    /// When it was withdrawn; from then on it counts as never published.
    pub withdrawn: Option<Instant>,
    /// What its plan said that it takes the basis of, and what was expected.
    pub expected: Option<Expected>,
    /// Who asks to withdraw it, until that lapses.
    pub asked: Option<AskedWithdrawal>,
}

/// What was known of a publication when it was made, for reports to compare with what came of it. It is that of
/// all the versions that were published together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// How many copies would lose their basis at most, as it was planned.
    pub planned: u64,
    /// How many were said to be meant, if anyone said so.
    pub expected: Option<u64>,
}

fn expected_key(policy: &str, version: &str) -> String {
    format!("policy/expected/{policy}@{version}")
}

impl Tenure {
    /// Publishes versions of policies: each file's name and text. All are published, or none is.
    ///
    /// A version that is published already with the same text is left as it is; published text never
    /// changes. Nothing that is filed is rewritten, unless a version reaches back before what is stored,
    /// as when old terms are published after old conversations came in; then every account is filed anew.
    ///
    /// # Errors
    /// [`Error::Policy`] with everything that the compiler refuses, and [`Error::LosesTooMuch`] where more than a
    /// fifth of all live copies, and more than a hundred, would lose their basis by it.
    pub fn publish(&self, files: &[(String, String)], now: Instant) -> Result<Vec<String>, Error> {
        self.publish_allowing(files, Allowance::default(), now)
    }

    /// Publishes versions that may take the basis of as many copies as is said.
    ///
    /// # Errors
    /// As [`Self::publish`], with [`Error::LosesTooMuch`] for more than is allowed.
    pub fn publish_allowing(
        &self,
        files: &[(String, String)],
        allow: Allowance,
        now: Instant,
    ) -> Result<Vec<String>, Error> {
        self.publish_agreed(files, allow, now, |_| Ok(()))
    }

    /// Publishes versions if whoever must agree does so, in the transaction that publishes them.
    pub(crate) fn publish_agreed(
        &self,
        files: &[(String, String)],
        allow: Allowance,
        now: Instant,
        agree: impl FnOnce(&mut dyn Tx) -> Result<(), Error> + Clone + Send + 'static,
    ) -> Result<Vec<String>, Error> {
        let known = self.store.read(epoch)?;
        let planned = self.guard_publication(files, allow, now)?;
        let expected = planned.map(|Planned { at_most, expected }| Expected { planned: at_most, expected });
        let (tenure, files) = (self.clone(), files.to_vec());
        let published = self.store.write(move |tx| {
            if allow != Allowance::Anything && epoch(tx)? != known {
                return Err(Error::Refused(
                    "another version was published or withdrawn while this one was looked at: ask again"
                        .to_owned(),
                ));
            }
            agree(tx)?;
            let rows = tx.policies()?;
            let fresh = fresh(&rows, &files)?;
            let versions: Vec<Version> = fresh.iter().map(|(version, _)| version.clone()).collect();
            Policies::with(&rows, &versions, now)?;
            let mut names = Vec::new();
            for (version, source) in fresh {
                names.push(format!("{}@{}", version.policy, version.name));
                tenure.publish_one(tx, &version, source, now)?;
                if let Some(expected) = expected {
                    let key = expected_key(&version.policy, &version.name);
                    tx.set_meta(&key, &serde_json::to_string(&expected)?)?;
                }
            }
            Ok::<_, Error>(names)
        });
        // A commit that was reported as failed may have happened.
        self.forget_policies();
        published
    }

    fn publish_one(
        &self,
        tx: &mut dyn Tx,
        version: &Version,
        source: String,
        now: Instant,
    ) -> Result<(), Error> {
        let digest: [u8; 32] = Sha256::digest(source.as_bytes()).into();
        Policies::advance(tx)?;
        tx.insert_policy(&PolicyRow {
            lineage: version.policy.clone(),
            version: version.name.clone(),
            announced: version.announced,
            effective: version.effective,
            source,
            digest,
            published_at: now,
            withdrawn_at: None,
        })?;
        let reaches_back = version.announced < now || version.effective < now;
        if reaches_back {
            crate::ledger::mark_everyone(tx)?;
        }
        let statement = Statement::PolicyPublished {
            policy: version.policy.clone(),
            version: version.name.clone(),
            digest: digest.into(),
        };
        self.state_by_house(tx, statement, now).map(drop)
    }

    /// The text of a version exactly as it was published, and its SHA-256. Withdrawn ones are still there to read.
    pub fn published_text(&self, policy: &str, version: &str) -> Result<(String, [u8; 32]), Error> {
        let row = self.store.read(|tx| Ok::<_, Error>(tx.policy(policy, version)?))?;
        let row = row.ok_or_else(|| Error::UnknownVersion(format!("{policy}@{version}")))?;
        Ok((row.source, row.digest))
    }

    /// Every version that was published, withdrawn ones too, by lineage and in order.
    pub fn published(&self, now: Instant) -> Result<Vec<PublishedVersion>, Error> {
        self.store.read(|tx| {
            let mut versions = Vec::new();
            for row in tx.policies()? {
                let title = parse(&row)?.title;
                let expected = tx.meta(&expected_key(&row.lineage, &row.version))?;
                let asked = if row.withdrawn_at.is_some() { None } else { asked(tx, &row, now)? };
                versions.push(PublishedVersion {
                    title,
                    announced: row.announced,
                    effective: row.effective,
                    published: row.published_at,
                    withdrawn: row.withdrawn_at,
                    expected: expected.as_deref().map(serde_json::from_str).transpose()?,
                    asked,
                    policy: row.lineage,
                    version: row.version,
                });
            }
            Ok(versions)
        })
    }
}
