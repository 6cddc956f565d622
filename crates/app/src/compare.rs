//! Two versions of a policy beside each other: what changes for whom, in words.

use serde::Serialize;
use tenure_model::{Instant, Regime};
use tenure_policy::Lineage;
use tenure_policy::diff::{self, Diff, RegionChange, Setting, SurfaceChange, TermChange, Value};
use tenure_policy::language::{self, Diagnostics, Position, Version};
use tenure_policy::matrix::Column;
use tenure_store::StoreExt as _;

use crate::{Error, Tenure};

/// One of the two that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// A version that was published, as `policy@version`.
    Published(String),
    /// The text of a file.
    Text(String),
}

/// What changes from one version to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The policy.
    pub policy: String,
    /// The older version.
    pub from: String,
    /// The newer version.
    pub to: String,
    /// What the compiler refuses, if it does, each with its place; what is refused can bind nobody.
    pub refusals: Vec<String>,
    /// Who must be asked, by regime.
    pub asked: Vec<Asked>,
    /// What changes for records, from the most ordinary situation to the most special.
    pub terms: Vec<ChangedTerm>,
    /// What a file says once: dates, titles, grace.
    pub settings: Vec<ChangedSetting>,
    /// Purposes that are added, removed or changed.
    pub purposes: Vec<String>,
    /// Surfaces that are added, removed or renamed.
    pub surfaces: Vec<String>,
    /// Countries whose region changes.
    pub regions: Vec<String>,
    /// What can never happen any more.
    pub nevers_added: Vec<String>,
    /// What could never happen before, and is no longer ruled out.
    pub nevers_removed: Vec<String>,
}

/// Whether the people of a regime must be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The regime.
    pub regime: Regime,
    /// The surfaces that both versions know.
    pub surfaces: Vec<String>,
    /// Whether the newer version is wider there, so that nobody is bound by it before they were asked.
    pub wider: bool,
    /// Whether the newer version has anything to ask them. Where it is wider and has not, it is refused.
    pub has_question: bool,
    /// In what it is wider, each with the line of the newer file.
    pub widenings: Vec<String>,
}

/// What changes for the records in some situations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedTerm {
    /// `class` for how long copies are kept, `purpose` for what they may be used for.
    pub kind: &'static str,
    /// The class or the purpose.
    pub name: String,
    /// Whether it is about what is kept in addition, because of a flag or feedback.
    pub also: bool,
    /// `longer`, `shorter`, `different`, `allowed` or `stopped`.
    pub direction: &'static str,
    /// The regimes.
    pub regimes: Vec<Regime>,
    /// The situations, in words.
    pub situations: Vec<String>,
    /// What the older version says, in words.
    pub before: String,
    /// What the newer version says, in words.
    pub after: String,
}

/// A setting that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedSetting {
    /// The key in the file.
    pub name: &'static str,
    /// The older value; nothing where there is none.
    pub before: Option<String>,
    /// The newer value.
    pub after: Option<String>,
}

impl Tenure {
    /// Compares two versions, each published or not. What is not published is read beside what is.
    ///
    /// # Errors
    /// Refused for two of different policies, or of the same name; [`Error::Policy`] for a text that can't be read.
    pub fn compare_versions(&self, from: &Compared, to: &Compared) -> Result<Comparison, Error> {
        let rows = self.store.read(|tx| Ok::<_, Error>(tx.policies()?))?;
        let mut versions = Vec::new();
        for row in rows {
            let file = format!("{}@{}", row.lineage, row.version);
            versions.push(language::parse(&file, &row.source).map_err(Error::Policy)?);
        }
        let (older, newer) = (find(&versions, from, "from")?, find(&versions, to, "to")?);
        if older.policy != newer.policy {
            return Err(Error::Refused(
                "these are versions of two policies: compare two of one policy".to_owned(),
            ));
        }
        if older.name == newer.name {
            return Err(Error::Refused(format!(
                "both are version `{}`: give the newer one a name of its own",
                newer.name
            )));
        }
        // A text stands in for what was published under its name.
        versions.retain(|known| {
            known.policy == newer.policy && ![&older.name, &newer.name].contains(&&known.name)
        });
        versions.extend([older.clone(), newer.clone()]);
        versions.sort_by(|a, b| (a.announced, &a.name).cmp(&(b.announced, &b.name)));
        let refusals = Lineage::compile(versions.clone()).err().unwrap_or(Diagnostics(Vec::new()));
        let Some(found) = diff::between(&versions, &older.name, &newer.name) else {
            return Err(Error::Policy(refusals));
        };
        Ok(told(found, &refusals, (&older, &newer)))
    }
}

fn find(versions: &[Version], which: &Compared, name: &str) -> Result<Version, Error> {
    match which {
        Compared::Text(text) => language::parse(name, text).map_err(Error::Policy),
        Compared::Published(named) => {
            let is_meant =
                |version: &&Version| named.split_once('@') == Some((&version.policy, &version.name));
            versions.iter().find(is_meant).cloned().ok_or_else(|| Error::UnknownVersion(named.clone()))
        }
    }
}

fn told(found: Diff, refusals: &Diagnostics, (older, newer): (&Version, &Version)) -> Comparison {
    Comparison {
        policy: newer.policy.clone(),
        from: older.name.clone(),
        to: newer.name.clone(),
        refusals: refusals.0.iter().map(ToString::to_string).collect(),
        asked: found.regimes.into_iter().map(asked).collect(),
        terms: found.terms.iter().map(term).collect(),
        settings: found.settings.into_iter().map(setting).collect(),
        purposes: found.purposes.into_iter().map(|(name, words)| format!("{name}: {words}")).collect(),
        surfaces: found.surfaces.iter().map(surface).collect(),
        regions: found.regions.iter().map(region).collect(),
        nevers_added: found.nevers_added,
        nevers_removed: found.nevers_removed,
    }
}

fn asked(found: diff::Asked) -> Asked {
    let line = |(at, words): &(Position, String)| format!("line {}: {words}", at.line);
    let mut widenings: Vec<String> = found.widenings.iter().map(line).collect();
    widenings.dedup();
    Asked {
        regime: found.regime,
        surfaces: found.surfaces,
        wider: !widenings.is_empty(),
        has_question: found.has_question,
        widenings,
    }
}

fn term(change: &TermChange) -> ChangedTerm {
    let (kind, name, also) = match &change.column {
        Column::Class(name) => ("class", name, false),
        Column::Also(name) => ("class", name, true),
        Column::Purpose(name) => ("purpose", name, false),
    };
    ChangedTerm {
        kind,
        name: name.clone(),
        also,
        direction: change.direction.word(),
        regimes: change.regimes.clone(),
        situations: change.situations.iter().map(ToString::to_string).collect(),
        before: change.before.to_string(),
        after: change.after.to_string(),
    }
}

fn setting(setting: Setting) -> ChangedSetting {
    let value = |value: Value| match value {
        Value::Absent => None,
        Value::Words(words) => Some(words),
        Value::Instant(instant) => Some(Instant::to_string(&instant)),
    };
    ChangedSetting { name: setting.name, before: value(setting.before), after: value(setting.after) }
}

fn surface(change: &SurfaceChange) -> String {
    match change {
        SurfaceChange::Added(name, regime) => format!("{name} ({regime}) is new"),
        SurfaceChange::Removed(name, regime) => format!("{name} ({regime}) is no longer a surface"),
        SurfaceChange::Renamed { from, to, regime } => format!("{from} ({regime}) is now called {to}"),
    }
}

fn region(change: &RegionChange) -> String {
    format!("from {} to {}: {}", change.from, change.to, change.countries.join(", "))
}
