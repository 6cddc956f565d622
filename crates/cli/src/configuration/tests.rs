//! What is read, and what is said of what can't be.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use super::document::document;
use super::sources::{flag, variable};
use super::table::KEYS;
use super::*;

fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::of(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

/// What is complained of a file, without the folder that it lies in.
fn complaints(text: &str, variables: &[(&str, &str)], flags: &[(&'static str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tenure.toml");
    fs::write(&file, text).unwrap();
    let read = Configuration::read(Some(&file), &Flags::of(flags), &environment(variables));
    let told: Vec<String> = read.unwrap_err().iter().map(ToString::to_string).collect();
    told.join("\n").replace(folder.path().to_str().unwrap(), "")
}

#[test]
fn a_flag_is_stronger_than_the_environment_and_that_than_the_file_and_that_than_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tenure.toml");
    fs::write(&file, "threads = 3\nlisten = \"127.0.0.1:1\"\n[limits]\nhead = \"1s\"\nidle = \"20s\"\n")
        .unwrap();
    let variables = [("TENURE_THREADS", "4"), ("TENURE_LISTEN", "127.0.0.1:2")];
    let flags = Flags::of(&[("threads", "5")]);
    let (read, in_force) = Configuration::read(Some(&file), &flags, &environment(&variables)).unwrap();
    assert_eq!(read.threads, 5);
    assert_eq!(read.listen.port(), 2);
    assert_eq!(read.idle, Duration::from_secs(20));
    assert_eq!(read.request, Duration::from_secs(10));
    let origin = |name: &str| in_force.iter().find(|one| one.name == name).unwrap().origin.clone();
    assert_eq!(origin("threads"), Origin::Flag("--threads".to_owned()));
    assert_eq!(origin("listen"), Origin::Variable("TENURE_LISTEN".to_owned()));
    assert_eq!(origin("limits.idle"), Origin::File { path: file, line: 5 });
    assert_eq!(origin("data"), Origin::Default);
}

#[test]
fn every_complaint_names_its_place_and_what_to_do_and_no_value() {
    let file = "lisen = \"a-secret\"\nthreads = \"many\"\n\n[sweep]\nevry = \"1h\"\nlead = \"1 hour\"\n\n[limit]\nconnections = 5\n";
    let variables = [("TENURE_SWEEP_RAT", "5"), ("TENURE_LOG_FORM", "a-secret")];
    let told = complaints(file, &variables, &[("listen", "8080")]);
    assert_eq!(
        told,
        "/tenure.toml, line 1: there is no setting `lisen`; did you mean `listen`?\n\
         /tenure.toml, line 5: there is no setting `sweep.evry`; did you mean `sweep.every`?\n\
         /tenure.toml, line 8: there is no setting `limit`\n\
         the variable `TENURE_SWEEP_RAT`: there is no setting `TENURE_SWEEP_RAT`; did you mean `TENURE_SWEEP_RATE`?\n\
         the flag `--listen`: `listen`: write an address with a port, such as `127.0.0.1:8080` or `[::]:8080`\n\
         /tenure.toml, line 2: `threads`: write a whole number from 1 on\n\
         the variable `TENURE_LOG_FORM`: `log.form`: write `json` or `text`"
    );
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let file = "[sweep]\nevery = \"3h\"\nshare = 101\n[limits]\nidle = \"5s\"\n[publish]\nwitnesses = [\"https://w.example\"]\n";
    let told = complaints(file, &[], &[]);
    for part in [
        "line 5: `limits.idle`: let it be longer than `limits.request`",
        "line 3: `sweep.share`: write per cent",
        "the default: `publish.witness-keys`: name witnesses and their keys",
        "the default: `sweep.lead`: let it be no shorter than `sweep.every`",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[test]
fn a_lead_of_years_is_refused() {
    assert!(complaints("", &[("TENURE_SWEEP_LEAD", "10 years")], &[]).contains("seven days at most"));
}

#[test]
fn a_file_that_is_no_toml_is_told_of_with_the_line() {
    let told = complaints("listen = \"127.0.0.1:80\"\nthreads = = 2\n", &[], &[]);
    assert!(told.starts_with("/tenure.toml, line 2: this is not TOML"), "{told}");
}

#[test]
fn variables_that_a_cluster_makes_for_a_service_of_this_name_are_left_alone() {
    let variables = [
        ("TENURE_SERVICE_HOST", "10.0.0.1"),
        ("TENURE_PORT", "tcp://10.0.0.1:80"),
        ("TENURE_PORT_80_TCP", "x"),
    ];
    assert!(Configuration::read(None, &Flags::default(), &environment(&variables)).is_ok());
}

#[test]
fn the_defaults_go_together_and_every_row_shows_its_default() {
    let (_, in_force) = Configuration::read(None, &Flags::default(), &Environment::default()).unwrap();
    for (key, shown) in KEYS.iter().zip(&in_force) {
        assert_eq!(key.default, shown.value, "{}", key.name);
    }
}

#[test]
fn no_two_settings_share_a_flag_or_a_variable() {
    let flags: BTreeSet<_> = KEYS.iter().map(|key| flag(key.name)).collect();
    let variables: BTreeSet<_> = KEYS.iter().map(|key| variable(key.name)).collect();
    assert_eq!((flags.len(), variables.len()), (KEYS.len(), KEYS.len()));
}

#[test]
fn a_secret_is_read_from_its_file_and_a_bad_file_is_told_of_without_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "s.abc\n").unwrap();
    let read = |path: &Path| {
        let flags = Flags::of(&[("transit.token-file", path.to_str().unwrap())]);
        let (read, in_force) = Configuration::read(None, &flags, &Environment::default()).unwrap();
        read.secrets(&in_force)
    };
    assert_eq!(read(&file).unwrap().variable("VAULT_TOKEN").unwrap(), "s.abc");
    let told = read(&folder.path().join("hvs.secret")).unwrap_err();
    assert_eq!(
        told[0].to_string(),
        "the flag `--transit-token-file`: `transit.token-file`: the file can't be read: entity not found"
    );
}

#[test]
fn the_document_says_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let wanted = document();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/configuration.md is not what the table says: set UPDATE=1 and test again");
}
