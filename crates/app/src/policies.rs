//! The published policies: which lineage judges which surface, and how a version is published.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tenure_model::Instant;
use tenure_policy::language::{self, Version};
use tenure_policy::{Lineage, SurfaceId};
use tenure_receipts::Statement;
use tenure_store::{PolicyRow, ReadTx, StoreExt as _};

use crate::{Error, Tenure};

/// Every lineage that is published, compiled.
#[derive(Debug, Default)]
pub struct Policies {
    lineages: Vec<Arc<Lineage>>,
    by_surface: HashMap<String, (usize, SurfaceId)>,
}

impl Policies {
    pub(crate) fn load(tx: &mut dyn ReadTx) -> Result<Self, Error> {
        let mut lineages: Vec<(String, Vec<Version>)> = Vec::new();
        for row in tx.policies()?.into_iter().filter(|row| row.withdrawn_at.is_none()) {
            let version = parse(&row)?;
            match lineages.iter_mut().find(|(name, _)| *name == row.lineage) {
                Some((_, versions)) => versions.push(version),
                None => lineages.push((row.lineage, vec![version])),
            }
        }
        Self::compile(lineages.into_iter().map(|(_, versions)| versions))
    }

    fn compile(lineages: impl Iterator<Item = Vec<Version>>) -> Result<Self, Error> {
        let mut policies = Self::default();
        for versions in lineages {
            let names: Vec<String> = versions
                .iter()
                .flat_map(|version| &version.surfaces)
                .flat_map(|surface| [Some(surface.name.clone()), surface.was.clone()])
                .flatten()
                .collect();
            let lineage = Lineage::compile(versions).map_err(Error::Policy)?;
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

/// Reads a version back from its row; it was refused or accepted when it was published.
fn parse(row: &PolicyRow) -> Result<Version, Error> {
    language::parse(&format!("{}@{}", row.lineage, row.version), &row.source).map_err(Error::Policy)
}

impl Tenure {
    /// Publishes versions of policies: each file's name and text. All are published, or none is.
    ///
    /// A version that is published already with the same text is left as it is; published text never
    /// changes. Nothing that is filed is rewritten, unless a version reaches back before what is stored,
    /// as when old terms are published after old conversations came in; then every account is filed anew.
    ///
    /// # Errors
    /// [`Error::Policy`] with everything that the compiler refuses.
    pub fn publish(&self, files: &[(String, String)], now: Instant) -> Result<Vec<String>, Error> {
        let mut parsed = Vec::new();
        for (file, text) in files {
            let version = language::parse(file, text).map_err(Error::Policy)?;
            parsed.push((version, text.clone()));
        }
        let tenure = self.clone();
        let published = self.store.write(move |tx| {
            let rows = tx.policies()?;
            let mut fresh = Vec::new();
            for (version, text) in parsed {
                match rows.iter().find(|row| row.lineage == version.policy && row.version == version.name) {
                    Some(row) if row.source == text => {}
                    Some(_) => return Err(Error::PublishedOtherwise(version.name)),
                    None => fresh.push((version, text)),
                }
            }
            compile_with(&rows, &fresh)?;
            fresh.sort_by(|(a, _), (b, _)| (a.announced, &a.name).cmp(&(b.announced, &b.name)));
            let mut names = Vec::new();
            for (version, source) in fresh {
                names.push(format!("{}@{}", version.policy, version.name));
                tenure.publish_one(tx, &version, source, now)?;
            }
            Ok::<_, Error>(names)
        })?;
        self.forget_policies();
        Ok(published)
    }

    fn publish_one(
        &self,
        tx: &mut dyn tenure_store::Tx,
        version: &Version,
        source: String,
        now: Instant,
    ) -> Result<(), Error> {
        let digest: [u8; 32] = Sha256::digest(source.as_bytes()).into();
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
}

/// Compiles what is published together with what would be.
fn compile_with(rows: &[PolicyRow], fresh: &[(Version, String)]) -> Result<(), Error> {
    let mut versions: HashMap<String, Vec<Version>> = HashMap::new();
    for row in rows.iter().filter(|row| row.withdrawn_at.is_none()) {
        versions.entry(row.lineage.clone()).or_default().push(parse(row)?);
    }
    for (version, _) in fresh {
        versions.entry(version.policy.clone()).or_default().push(version.clone());
    }
    Policies::compile(versions.into_values()).map(drop)
}
