//! `tenure policy check`: whether a policy is sound, and whom each version must ask.

use std::path::Path;

use serde::Serialize;
use tenure_model::{Instant, Regime};
use tenure_policy::language::Ground;
use tenure_policy::{Lineage, VersionIx};

use super::load::{Complaint, Loaded, Sources, complaints, print_refusals};
use crate::output::{heading, width, wrapped};
use crate::speech::{date, grouped, some};
use crate::{Exit, output};

#[derive(Debug, Serialize)]
struct Report<'l> {
    accepted: bool,
    policy: &'l str,
    versions: Vec<Checked<'l>>,
    refusals: [Complaint<'l>; 0],
    warnings: Vec<Complaint<'l>>,
}

#[derive(Debug, Serialize)]
struct Checked<'l> {
    name: &'l str,
    title: &'l str,
    file: &'l str,
    announced: Instant,
    effective: Instant,
    #[serde(skip)]
    effective_words: String,
    cases: usize,
    /// The version before.
    against: Option<&'l str>,
    /// The regimes that both have.
    regimes: Vec<Compared>,
}

#[derive(Debug, Serialize)]
struct Compared {
    regime: Regime,
    widens: bool,
    /// Whether people there are asked before the version binds them.
    asks: bool,
    widenings: Vec<Wider>,
}

#[derive(Debug, Serialize)]
struct Wider {
    line: u32,
    column: u32,
    message: String,
}

pub(super) fn run(path: &Path, against: Option<&Path>, json: bool) -> anyhow::Result<Exit> {
    let paths: Vec<&Path> = against.into_iter().chain([path]).collect();
    let sources = Sources::read(&paths)?;
    let lineage = match compiled(&sources, path, against)? {
        Ok(lineage) => lineage,
        Err(refusals) => {
            print_refusals(&sources, &refusals, json, &mut std::io::stdout().lock())?;
            return Ok(Exit::Refused);
        }
    };
    let report = Report {
        accepted: true,
        policy: lineage.name(),
        versions: checked(&lineage),
        refusals: [],
        warnings: complaints(lineage.warnings()),
    };
    if json {
        output::say_json(&report)?;
    } else {
        print(&report, &sources, &lineage)?;
    }
    Ok(Exit::Done)
}

/// Compiles what lies under a path, as what follows the version or versions that it is checked against.
/// A path within the very folder that it is checked against has its place there.
fn compiled(sources: &Sources, path: &Path, against: Option<&Path>) -> anyhow::Result<Loaded<Lineage>> {
    let Some(against) = against else { return Ok(sources.compile()) };
    let (own, against) = (sources.under(path)?, sources.under(against)?);
    if own.iter().all(|file| against.contains(file)) {
        return Ok(sources.compile());
    }
    Ok(sources.parse().and_then(|versions| {
        let (before, following) = versions.into_iter().partition(|version| against.contains(&version.file));
        Lineage::compile_following(before, following)
    }))
}

fn checked(lineage: &Lineage) -> Vec<Checked<'_>> {
    let mut before: Option<VersionIx> = None;
    let each = lineage.versions().map(|(version, tree)| {
        let older = before.replace(version);
        Checked {
            name: &tree.name,
            title: &tree.title,
            file: &tree.file,
            announced: tree.announced,
            effective: tree.effective,
            effective_words: date(tree.effective),
            cases: lineage.cases(version),
            against: older.map(|older| lineage.tree(older).name.as_str()),
            regimes: older.map(|older| compared(lineage, older, version)).unwrap_or_default(),
        }
    });
    each.collect()
}

fn compared(lineage: &Lineage, older: VersionIx, newer: VersionIx) -> Vec<Compared> {
    let tree = lineage.tree(newer);
    let known = |regime: Regime| tree.surfaces.iter().any(|surface| surface.regime == regime);
    let of_regime = |regime: Regime| {
        let widenings = lineage.widenings(older, newer, regime);
        let asks =
            tree.purposes.iter().any(|purpose| purpose.ground == Ground::Consent && purpose.lists(regime));
        Compared {
            regime,
            widens: !widenings.is_empty(),
            asks: asks && !widenings.is_empty(),
            widenings: widenings
                .iter()
                .map(|widening| lineage.describe(newer, widening))
                .map(|(at, message)| Wider { line: at.line, column: at.column, message })
                .collect(),
        }
    };
    Regime::ALL.iter().copied().filter(|regime| known(*regime)).map(of_regime).collect()
}

fn print(report: &Report<'_>, sources: &Sources, lineage: &Lineage) -> anyhow::Result<()> {
    let width = width();
    for version in &report.versions {
        output::say(heading(&format!("{} {}", report.policy, version.name)))?;
        output::say(wrapped(version.title, 2, width))?;
        output::say(format_args!("  sound in all {} cases that it tells apart", grouped(version.cases)))?;
        let Some(against) = version.against else {
            output::say("  the first version given, so nothing is compared with it\n")?;
            continue;
        };
        for regime in &version.regimes {
            let name = regime.regime;
            let said = if regime.widens {
                format!(
                    "{name}: wider than {against} in {} {}, so each person is asked and stays under {against} until they answer",
                    regime.widenings.len(),
                    if regime.widenings.len() == 1 { "way" } else { "ways" },
                )
            } else {
                format!(
                    "{name}: no wider than {against}, so it binds on {} without asking",
                    version.effective_words
                )
            };
            output::say(wrapped(&said, 2, width))?;
            for wider in &regime.widenings {
                output::say(wrapped(&format!("line {}: {}", wider.line, wider.message), 6, width))?;
            }
        }
        output::say("")?;
    }
    for warning in lineage.warnings() {
        output::say(sources.show("warning", warning))?;
    }
    output::say(format_args!(
        "Accepted: {}, {}.",
        some(report.versions.len(), "version"),
        some(report.warnings.len(), "warning")
    ))
}
