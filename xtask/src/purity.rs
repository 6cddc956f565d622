//! What pure crates must not name, and what the reference evaluator may share with the table.

use std::path::Path;

use crate::deps::PURE;
use crate::sources::{self, Source, compiled, names_after, without_comments};

/// The modules of `std` through which the world is reached.
const WORLD: &[&str] = &["env", "fs", "net", "os", "process", "thread"];
/// The clocks of `std`.
const CLOCKS: &[&str] = &["SystemTime", "Instant::now"];
/// What the reference may take from the policy crate: the language and its tree, and the form of a case.
const SHARED: &[&str] = &["case", "language"];

/// What the sources of the pure crates and of the reference name and must not.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    for name in PURE {
        let folder = format!("crates/{}/src", name.trim_start_matches("tenure-"));
        findings.extend(sources::read(root, &folder, &["rs"])?.iter().flat_map(world));
    }
    findings.extend(sources::read(root, "crates/reference/src", &["rs"])?.iter().flat_map(shared));
    Ok(findings)
}

/// Where a pure source reaches for the world or a clock.
fn world(source: &Source) -> Vec<String> {
    let code = compiled(&source.text);
    let modules = names_after(&code, "std").into_iter().filter(|(_, name)| WORLD.contains(&name.as_str()));
    let modules = modules.map(|(line, name)| (line, format!("std::{name}")));
    let clocks = code.lines().enumerate().flat_map(|(line, text)| {
        CLOCKS.iter().filter(|clock| text.contains(**clock)).map(move |clock| (line + 1, (*clock).to_owned()))
    });
    modules
        .chain(clocks)
        .map(|(line, what)| {
            format!("{}:{line}: a pure crate names `{what}`: take it as an argument", source.path.display())
        })
        .collect()
}

/// Where the reference takes more from the policy crate than both may share.
fn shared(source: &Source) -> Vec<String> {
    names_after(&without_comments(&source.text), "tenure_policy")
        .into_iter()
        .filter(|(_, name)| !SHARED.contains(&name.as_str()))
        .map(|(line, name)| {
            format!(
                "{}:{line}: the reference names `tenure_policy::{name}`: it may share only `{}`",
                source.path.display(),
                SHARED.join("` and `")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { path: "crates/policy/src/a.rs".into(), text: text.to_owned() }
    }

    #[test]
    fn a_pure_crate_may_not_read_files_or_clocks() {
        let findings = world(&source("use std::fmt;\nuse std::{fs, io};\nlet now = SystemTime::now();\n"));
        assert_eq!(
            findings,
            [
                "crates/policy/src/a.rs:2: a pure crate names `std::fs`: take it as an argument",
                "crates/policy/src/a.rs:3: a pure crate names `SystemTime`: take it as an argument",
            ]
        );
    }

    #[test]
    fn its_tests_may() {
        let text = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert!(world(&source(text)).is_empty());
    }

    #[test]
    fn the_reference_shares_the_parser_and_the_cases_only() {
        let text = "use tenure_policy::{case::Case, language::Version};\nuse tenure_policy::Lineage;\n";
        assert_eq!(
            shared(&source(text)),
            ["crates/policy/src/a.rs:2: the reference names `tenure_policy::Lineage`: \
              it may share only `case` and `language`"]
        );
    }
}
