//! An arrow may only point inward: pure rules in the middle, storage at the rim, faces outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::metadata::{Kind, Metadata, Package};
use crate::purity;

/// The crates that are pure rules: no I/O, no clock, no randomness of their own.
pub(crate) const PURE: &[&str] =
    &["tenure-model", "tenure-policy", "tenure-tlog", "tenure-receipts", "tenure-access"];

/// The slow, obvious evaluator: what it is compared with must not need it, so only tests may.
const REFERENCE: &str = "tenure-reference";

/// Which of our crates each of our crates may use.
const TABLE: &[(&str, &[&str])] = &[
    ("tenure-model", &[]),
    ("tenure-policy", &["tenure-model"]),
    ("tenure-tlog", &[]),
    ("tenure-receipts", &["tenure-model", "tenure-tlog"]),
    ("tenure-access", &["tenure-model"]),
    (REFERENCE, &["tenure-model", "tenure-policy"]),
    ("tenure-gate", &["tenure-model", "tenure-policy", "tenure-tlog", "tenure-receipts"]),
    ("tenure-verifier", &["tenure-model", "tenure-tlog", "tenure-receipts"]),
    (EXPORTS, &["tenure-verifier", "tenure-model", "tenure-tlog", "tenure-receipts"]),
    ("tenure-store", &["tenure-model", "tenure-tlog", "tenure-receipts"]),
    ("tenure-vault", &["tenure-model", "tenure-tlog"]),
    ("tenure-formats", &["tenure-model"]),
    ("tenure-app", &[RULES_AND_RIM]),
    ("tenure-demo", &[RULES_AND_RIM, "tenure-app", "tenure-verifier"]),
    ("tenure-server", &["tenure-model", "tenure-tlog", "tenure-receipts", "tenure-access", "tenure-app"]),
    ("tenure-cli", &[RULES_AND_RIM, "tenure-app", "tenure-demo", "tenure-server", "tenure-verifier"]),
    ("tenure-benches", &[RULES_AND_RIM, "tenure-app", "tenure-demo", REFERENCE]),
    ("xtask", &[]),
];

/// What only the tests of a crate may use beside that: those of the server need a log that is stored and signed.
const FOR_TESTS: &[(&str, &[&str])] = &[("tenure-server", &["tenure-store", "tenure-vault"])];

/// The crate with functions that a page can call. The attribute that names an export counts as unsafe code, and
/// what is forbidden can't be expected, so it has lints of its own.
const EXPORTS: &str = "tenure-verifier-page";

/// In [`TABLE`], stands for every crate of [`INNER`].
const RULES_AND_RIM: &str = "the rules and the rim";
const INNER: &[&str] = &[
    "tenure-model",
    "tenure-policy",
    "tenure-tlog",
    "tenure-receipts",
    "tenure-access",
    "tenure-gate",
    "tenure-store",
    "tenure-vault",
    "tenure-formats",
];

/// Crates that do I/O, read a clock or make random bytes: no pure crate may reach one, however far away.
const IMPURE: &[&str] = &[
    "async-std",
    "aws-lc-rs",
    "aws-lc-sys",
    "chrono",
    "getrandom",
    "hyper",
    "jiff",
    "libsqlite3-sys",
    "mio",
    "object_store",
    "openssl",
    "rand",
    "reqwest",
    "ring",
    "rusqlite",
    "socket2",
    "sqlx",
    "tempfile",
    "tokio",
    "uuid",
];

/// Everything that is wrong with how the crates depend on each other.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let metadata = Metadata::read(root)?;
    let lints = lints(root).context("can't read the lints of Cargo.toml")?;
    let mut findings = Vec::new();
    let ours: BTreeSet<&str> = metadata.members().map(|member| member.name.as_str()).collect();
    for member in metadata.members() {
        let manifest = member.manifest_path.strip_prefix(root).unwrap_or(&member.manifest_path);
        let at = |finding: String| format!("{}: {finding}", manifest.display());
        findings.extend(outward(member, &ours).into_iter().map(at));
        let text = fs::read_to_string(&member.manifest_path)
            .with_context(|| format!("can't read {}", member.manifest_path.display()))?;
        let unlike =
            unlike(member, &text, &lints).with_context(|| format!("can't read {}", manifest.display()))?;
        findings.extend(unlike.map(at));
        if PURE.contains(&member.name.as_str()) {
            findings.extend(impure(&metadata, member).into_iter().map(at));
        }
    }
    findings.extend(purity::check(root)?);
    Ok(findings)
}

/// Whether one of our crates may use another for itself; `None` where the table does not know it.
fn may_use(from: &str, to: &str) -> Option<bool> {
    let (_, allowed) = TABLE.iter().find(|(name, _)| *name == from)?;
    let inner = allowed.contains(&RULES_AND_RIM) && INNER.contains(&to);
    Some(inner || allowed.contains(&to))
}

/// Whether the tests of one of our crates may use another that the crate itself may not.
fn may_test_with(from: &str, to: &str) -> bool {
    let allowed = FOR_TESTS.iter().filter(|(name, _)| *name == from).flat_map(|(_, allowed)| *allowed);
    to == REFERENCE || to == from || allowed.copied().any(|allowed| allowed == to)
}

/// The arrows of a member that point outward.
fn outward(member: &Package, ours: &BTreeSet<&str>) -> Vec<String> {
    let mut findings = Vec::new();
    let name = member.name.as_str();
    for dependency in member.dependencies.iter().filter(|dependency| ours.contains(dependency.name.as_str()))
    {
        let to = dependency.name.as_str();
        let for_tests = dependency.kind == Kind::Dev && may_test_with(name, to);
        match may_use(name, to) {
            None => {
                findings.push(format!(
                    "`{name}` is not in the table of xtask/src/deps.rs: say there what it may use"
                ));
                break;
            }
            Some(true) => {}
            Some(false) if for_tests => {}
            Some(false) if to == REFERENCE => {
                findings.push(format!("`{name}` may use `{to}` as a dev-dependency only"));
            }
            Some(false) => findings.push(format!(
                "`{name}` may not use `{to}`{}: an arrow only points inward",
                if dependency.kind == Kind::Dev { ", not even in tests" } else { "" }
            )),
        }
    }
    findings
}

/// The lints of the workspace.
fn lints(root: &Path) -> anyhow::Result<toml::Table> {
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml"))?.parse()?;
    let lints = manifest.get("workspace").and_then(|workspace| workspace.get("lints")?.as_table());
    lints.cloned().context("there are none")
}

/// How the lints of a member differ from those of the workspace, if they do.
fn unlike(member: &Package, manifest: &str, workspace: &toml::Table) -> anyhow::Result<Option<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let lints = manifest.get("lints").and_then(toml::Value::as_table);
    let takes = lints.and_then(|lints| lints.get("workspace")?.as_bool()) == Some(true);
    if takes {
        return Ok(None);
    }
    if member.name != EXPORTS {
        return Ok(Some("add `[lints]` with `workspace = true`".to_owned()));
    }
    let mut expected = workspace.clone();
    if let Some(rust) = expected.get_mut("rust").and_then(toml::Value::as_table_mut) {
        rust.insert("unsafe_code".to_owned(), "deny".into());
    }
    let differs =
        || "write the lints of the workspace into `[lints]`, but `unsafe_code = \"deny\"`".to_owned();
    Ok((lints != Some(&expected)).then(differs))
}

/// The impure crates that a member reaches, each with the way to it.
fn impure(metadata: &Metadata, member: &Package) -> Vec<String> {
    let names: BTreeMap<&str, &str> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
    let arrows: BTreeMap<&str, Vec<&str>> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| {
            let built = node.deps.iter().filter(|to| to.dep_kinds.iter().any(|of| of.kind != Kind::Dev));
            (node.id.as_str(), built.map(|to| to.pkg.as_str()).collect())
        })
        .collect();
    let name = |id: &str| names.get(id).copied().unwrap_or_default();
    let mut findings = Vec::new();
    let mut seen = BTreeSet::from([member.id.as_str()]);
    let mut ways = vec![vec![member.id.as_str()]];
    while let Some(way) = ways.pop() {
        let Some(last) = way.last() else { continue };
        for next in arrows.get(last).into_iter().flatten() {
            if !seen.insert(next) {
                continue;
            }
            let longer: Vec<&str> = way.iter().chain([next]).copied().collect();
            if IMPURE.contains(&name(next)) {
                let words: Vec<_> = longer.iter().map(|id| name(id)).collect();
                findings.push(format!("a pure crate reaches `{}`: {}", name(next), words.join(" -> ")));
            } else {
                ways.push(longer);
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Arrow, ArrowKind, Dependency, Node, Resolve};

    fn package(name: &str, dependencies: &[(&str, Kind)]) -> Package {
        let dependency = |(name, kind): &(&str, Kind)| Dependency { name: (*name).to_owned(), kind: *kind };
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            manifest_path: format!("crates/{name}/Cargo.toml").into(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    fn found(name: &str, dependencies: &[(&str, Kind)]) -> Vec<String> {
        let ours = TABLE.iter().map(|(name, _)| *name).chain(["tenure-new"]).collect();
        outward(&package(name, dependencies), &ours)
    }

    #[test]
    fn an_arrow_inward_is_fine() {
        assert!(found("tenure-policy", &[("tenure-model", Kind::Normal)]).is_empty());
        assert!(
            found("tenure-cli", &[("tenure-app", Kind::Normal), ("tenure-vault", Kind::Normal)]).is_empty()
        );
    }

    #[test]
    fn an_arrow_outward_is_refused_in_tests_and_build_scripts_too() {
        for kind in [Kind::Normal, Kind::Build, Kind::Dev] {
            assert_eq!(found("tenure-store", &[("tenure-app", kind)]).len(), 1, "{kind:?}");
        }
    }

    #[test]
    fn only_tests_and_benchmarks_use_the_reference() {
        assert!(found("tenure-policy", &[(REFERENCE, Kind::Dev)]).is_empty());
        assert!(found("tenure-benches", &[(REFERENCE, Kind::Normal)]).is_empty());
        assert_eq!(
            found("tenure-app", &[(REFERENCE, Kind::Normal)]),
            ["`tenure-app` may use `tenure-reference` as a dev-dependency only"]
        );
    }

    #[test]
    fn what_is_for_tests_is_for_tests_alone() {
        assert!(found("tenure-server", &[("tenure-store", Kind::Dev)]).is_empty());
        assert_eq!(found("tenure-server", &[("tenure-store", Kind::Normal)]).len(), 1);
    }

    #[test]
    fn a_crate_may_use_itself_with_other_features_in_its_tests() {
        assert!(found("tenure-store", &[("tenure-store", Kind::Dev)]).is_empty());
    }

    #[test]
    fn other_peoples_crates_are_not_in_the_table() {
        assert!(found("tenure-store", &[("rusqlite", Kind::Normal)]).is_empty());
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_a_finding() {
        let findings = found("tenure-new", &[("tenure-model", Kind::Normal)]);
        assert!(findings.iter().any(|finding| finding.contains("not in the table")), "{findings:?}");
    }

    #[test]
    fn every_crate_of_the_table_is_used_by_a_name_that_the_table_has() {
        let known: BTreeSet<_> = TABLE.iter().map(|(name, _)| *name).chain([RULES_AND_RIM]).collect();
        for (name, allowed) in TABLE {
            assert!(allowed.iter().all(|to| known.contains(to) && to != name), "{name}");
        }
    }

    #[test]
    fn a_pure_crate_is_told_the_way_to_what_is_impure() {
        let node = |id: &str, to: &[(&str, Kind)]| Node {
            id: id.to_owned(),
            deps: to
                .iter()
                .map(|(pkg, kind)| Arrow {
                    pkg: (*pkg).to_owned(),
                    dep_kinds: vec![ArrowKind { kind: *kind }],
                })
                .collect(),
        };
        let names = ["tenure-tlog", "sha2", "getrandom", "tokio"];
        let metadata = Metadata {
            packages: names.iter().map(|name| package(name, &[])).collect(),
            workspace_members: vec!["tenure-tlog".to_owned()],
            resolve: Resolve {
                nodes: vec![
                    node("tenure-tlog", &[("sha2", Kind::Normal), ("tokio", Kind::Dev)]),
                    node("sha2", &[("getrandom", Kind::Normal)]),
                ],
            },
        };
        assert_eq!(
            impure(&metadata, &package("tenure-tlog", &[])),
            ["a pure crate reaches `getrandom`: tenure-tlog -> sha2 -> getrandom"]
        );
    }

    #[test]
    fn a_manifest_takes_the_lints_or_does_not() {
        let lints = "[rust]\nunsafe_code = \"forbid\"\nmissing_docs = \"warn\"\n".parse().unwrap();
        let takes =
            |name: &str, manifest: &str| unlike(&package(name, &[]), manifest, &lints).unwrap().is_none();
        assert!(takes("tenure-store", "[lints]\nworkspace = true\n"));
        assert!(!takes("tenure-store", "[package]\nname = \"a\"\n"));
        assert!(!takes("tenure-store", "[lints.rust]\nunsafe_code = \"deny\"\nmissing_docs = \"warn\"\n"));
        assert!(takes(EXPORTS, "[lints.rust]\nmissing_docs = \"warn\"\nunsafe_code = \"deny\"\n"));
        assert!(!takes(EXPORTS, "[lints.rust]\nmissing_docs = \"warn\"\nunsafe_code = \"allow\"\n"));
        assert!(!takes(EXPORTS, "[lints.rust]\nunsafe_code = \"deny\"\n"));
    }
}
