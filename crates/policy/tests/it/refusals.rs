//! Replays `corpora/refused` and `corpora/accepted`: what the compiler must say no and yes to.

use std::fs;
use std::path::{Path, PathBuf};

use tenure_policy::language::{self, Diagnostics, Version};
use tenure_policy::{Lineage, diff};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn parse(file: &Path) -> Result<Version, Diagnostics> {
    let name = file.file_name().unwrap().to_string_lossy();
    language::parse(&name, &fs::read_to_string(file).unwrap())
}

/// Checks a file, or a folder with `old.toml` and `new.toml`, as `tenure policy check` does.
fn check(path: &Path) -> Result<Lineage, Diagnostics> {
    if path.is_dir() {
        Lineage::compile(vec![parse(&path.join("old.toml"))?, parse(&path.join("new.toml"))?])
    } else {
        Lineage::compile(vec![parse(path)?])
    }
}

/// The lines that a refusal must name, if the file says so.
fn lines(path: &Path) -> Option<std::ops::RangeInclusive<u32>> {
    let file = if path.is_dir() { path.join("new.toml") } else { path.to_owned() };
    let text = fs::read_to_string(file).unwrap();
    let second = text.lines().nth(1)?;
    if let Some(line) = second.strip_prefix("# line: ") {
        let line = line.trim().parse().unwrap();
        return Some(line..=line);
    }
    let (from, to) = second.strip_prefix("# lines: ")?.split_once('-')?;
    Some(from.trim().parse().unwrap()..=to.trim().parse().unwrap())
}

fn corpus(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("corpora").join(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_policy_that_must_be_refused_is_refused_at_its_line() {
    let paths = corpus("refused");
    let mut wrong = Vec::new();
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy();
        match check(path) {
            Ok(_) => wrong.push(format!("{name}: accepted")),
            Err(Diagnostics(found)) => {
                let file = if path.is_dir() { "new.toml" } else { &*name };
                let Some(lines) = lines(path) else { continue };
                if !found.iter().any(|one| one.file == file && lines.contains(&one.at.line)) {
                    wrong.push(format!("{name}: nothing at {lines:?}, but {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), paths.len(), wrong.join("\n"));
    assert!(paths.len() >= 20, "only {} policies", paths.len());
}

#[test]
fn each_version_of_a_refused_pair_is_sound_by_itself() {
    for folder in corpus("refused").iter().filter(|path| path.is_dir()) {
        for file in ["old.toml", "new.toml"] {
            if let Err(error) = check(&folder.join(file)) {
                panic!("{}: {error}", folder.display());
            }
        }
    }
}

#[test]
fn every_policy_that_only_looks_wrong_is_accepted() {
    let wrong: Vec<String> = corpus("accepted")
        .iter()
        .filter_map(|path| check(path).err().map(|error| format!("{}: {error}", path.display())))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_refused_change_can_still_be_compared() {
    for folder in corpus("refused").iter().filter(|path| path.is_dir()) {
        let versions: Vec<_> =
            ["old.toml", "new.toml"].iter().map(|file| parse(&folder.join(file)).unwrap()).collect();
        let found = diff::between(&versions, &versions[0].name, &versions[1].name);
        assert!(found.is_some(), "{}", folder.display());
    }
}

fn complaints(text: &str) -> String {
    let version = language::parse("bad.toml", text);
    let found = version.and_then(|version| Lineage::compile(vec![version])).unwrap_err();
    found.to_string()
}

/// A small policy with a few lines of its own at the end.
fn with(rules: &str) -> String {
    format!(
        r#"policy = "p"
version = "1"
title = "P"
announced = 2025-01-01T00:00:00Z
effective = 2025-02-01T00:00:00Z
grace = "30 days"
bodies = ["content"]
[surfaces]
pro = {{ regime = "consumer" }}
api = {{ regime = "commercial" }}
zdr = {{ regime = "zero" }}
[purposes.train]
title = "Train"
ground = "consent"
regimes = ["consumer"]
{rules}"#
    )
}

#[test]
fn a_use_that_silence_allows_is_refused_with_the_case() {
    let text = with("[[use]]\npurpose = \"train\"\nwhen = { regime = \"consumer\" }\n");
    insta::assert_snapshot!(complaints(&text), @r#"bad.toml:16:1: this rule lets `train`, a purpose of ground consent, through without an answer that allows it, for example: surface pro (consumer), standing toward train undecided; add standing.train = "on""#);
}

#[test]
fn a_use_in_another_regime_is_refused_with_the_case() {
    let text = with("[[use]]\npurpose = \"train\"\nwhen = { standing.train = \"on\" }\n");
    insta::assert_snapshot!(complaints(&text), @"bad.toml:16:1: this rule allows `train` in a regime that the purpose does not list, for example: surface api (commercial), standing toward train on; narrow its `regime`");
}

#[test]
fn a_body_under_zero_retention_is_refused_with_the_case() {
    let text = with(
        "[[keep]]\nclass = \"content\"\nfor = \"1 hours\"\nfrom = \"created\"\nwhy = \"w\"\nwhen = { deleted = false }\n",
    );
    insta::assert_snapshot!(complaints(&text), @"bad.toml:16:1: this rule keeps the body `content` under zero retention, for example: surface zdr (zero), not deleted; add a `regime` that leaves zero out");
}

#[test]
fn a_never_that_fails_is_refused_with_the_rule_and_the_case() {
    let text = with(
        "[[keep]]\nclass = \"content\"\nfor = \"40 days\"\nfrom = \"created\"\nwhy = \"w\"\nwhen = { regime = \"consumer\" }\n\
         [[never]]\nkeep = \"content\"\nlonger_than = \"30 days\"\nwhen = { deleted = true }\n",
    );
    insta::assert_snapshot!(complaints(&text), @"bad.toml:22:1: this `never` does not hold: the keep rule for `content` (40 days) at line 16 does, for example: surface pro (consumer), deleted, standing toward train undecided");
}

#[test]
fn an_unknown_word_is_refused_with_the_words_that_exist() {
    let text = with("[[use]]\npurpose = \"train\"\nwhen = { standing.train = \"on\", colour = \"red\" }\n");
    insta::assert_snapshot!(complaints(&text), @"bad.toml:18:33: unknown word `colour`: here only regime, surface, kind, mode, region, standing, deleted, flagged, feedback, minor, closed are known");
}

/// The comparison in words and the one that decides who is asked can't contradict each other.
/// `with`, where each of twelve regions takes twelve of 144 countries.
fn with_regions(name: &str, region_of: impl Fn(usize) -> usize) -> Version {
    let letters = || 'A'..='Z';
    let codes: Vec<String> = letters()
        .flat_map(|first| letters().map(move |second| format!("{first}{second}")))
        .filter(|code| tenure_model::is_iso_3166(code))
        .take(144)
        .collect();
    let regions = (0..12).map(|region| {
        let countries: Vec<_> = codes.iter().enumerate().filter(|(at, _)| region_of(*at) == region).collect();
        let countries: Vec<_> = countries.into_iter().map(|(_, code)| code).collect();
        format!("r{region} = {countries:?}\n")
    });
    let rule = "[[keep]]\nclass = \"content\"\nfor = \"1 days\"\nfrom = \"created\"\nwhy = \"w\"\n\
                when = { regime = \"commercial\", region = \"r11\" }\n[regions]\n";
    let text = with(&(rule.to_owned() + &regions.collect::<String>()));
    language::parse(name, &text.replacen("version = \"1\"", &format!("version = \"{name}\""), 1)).unwrap()
}

#[test]
fn a_widening_shows_however_many_countries_two_versions_tell_apart_together() {
    let by_dozens = |name| with_regions(name, |at| at / 12);
    let across = |name| with_regions(name, |at| at % 12);
    assert!(Lineage::compile(vec![by_dozens("1"), by_dozens("2")]).is_ok());
    let refused = Lineage::compile(vec![by_dozens("1"), across("2")]).unwrap_err().to_string();
    assert!(refused.contains("now r11)"), "{refused}");
}

#[test]
fn what_is_wrong_in_a_purpose_or_a_surface_is_not_blamed_on_the_rules_that_name_it() {
    let text = "\u{feff}title = 1\n".to_owned()
        + r#"policy = "p"
version = "v"
announced = 2025-01-01T00:00:00Z
effective = 2025-02-01T00:00:00Z
grace = "30 days"
bodies = ["content"]
surfaces = { pro = { regime = "private" } }
purposes = { train = { ground = "consent", regimes = ["consumer"], title = "" } }
use = [{ purpose = "train", when = { surface = "pro", standing.train = "on" } }]
"#;
    insta::assert_snapshot!(complaints(&text), @r"
    bad.toml:1:9: expected a string, found integer
    bad.toml:8:31: unknown regime `private`: use one of consumer, commercial, zero
    bad.toml:9:76: this must not be empty
    ");
}

#[test]
fn whatever_is_kept_longer_or_newly_allowed_is_a_widening() {
    let pairs = corpus("refused").into_iter().chain(corpus("accepted")).filter(|path| path.is_dir());
    let mut seen = 0;
    for folder in pairs {
        let versions: Vec<_> =
            ["old.toml", "new.toml"].iter().map(|file| parse(&folder.join(file)).unwrap()).collect();
        let found = diff::between(&versions, &versions[0].name, &versions[1].name).unwrap();
        for change in &found.terms {
            if !matches!(change.direction, diff::Direction::Longer | diff::Direction::Allowed) {
                continue;
            }
            seen += 1;
            for regime in &change.regimes {
                let asked = found.regimes.iter().find(|asked| asked.regime == *regime).unwrap();
                assert!(!asked.widenings.is_empty(), "{}: {change:?}", folder.display());
            }
        }
    }
    assert!(seen >= 5, "only {seen} changes");
}
