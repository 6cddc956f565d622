//! `tenure keys`, and a root key that lies on a server.

use std::process::{Command, Output};

use serde_json::Value;
use tenure_vault::openbao::OpenBao;

use super::{code, stderr, stdout};

struct Folder {
    place: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Folder {
    fn new(variables: Vec<(&'static str, String)>) -> Self {
        Self { place: tempfile::tempdir().unwrap(), variables }
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
        for name in ["VAULT_ADDR", "VAULT_TOKEN", "BAO_ADDR", "BAO_TOKEN"] {
            command.env_remove(name);
        }
        command.envs(self.variables.clone()).arg("--data").arg(self.place.path().join("data"));
        command.args(args).output().unwrap()
    }

    fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(code(&output), 0, "{args:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn shown(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.done(args)).unwrap()
    }
}

#[test]
fn the_root_key_is_shown_and_replaced_and_everything_opens_as_before() {
    let folder = Folder::new(Vec::new());
    folder.done(&["init"]);
    folder.done(&["account", "ann", "--country", "US"]);
    let shown = folder.shown(&["keys", "show", "--json"]);
    assert_eq!((&shown["root"], &shown["home"]), (&1.into(), &"in the key folder".into()));
    let replaced = folder.shown(&["keys", "rotate", "--json"]);
    assert_eq!((&replaced["root"], &replaced["pages"]), (&2.into(), &shown["pages"]));
    assert_eq!(replaced["ageing_out"], Value::Array(Vec::new()));
    folder.done(&["doctor", "--full"]);
    folder.done(&["ledger", "verify"]);
    assert!(folder.done(&["keys", "show"]).starts_with("Root    2, in the key folder\n"));
}

#[test]
fn a_root_key_on_a_server_needs_it_on_every_command_and_the_token_is_kept_nowhere() {
    let server = OpenBao::start().unwrap();
    let token = || ("VAULT_TOKEN", OpenBao::TOKEN.to_owned());
    let mut folder = Folder::new(vec![("VAULT_ADDR", server.url()), token()]);
    folder.done(&["init", "--key-store", "transit:ours"]);
    folder.done(&["account", "ann", "--country", "US"]);
    assert_eq!(folder.shown(&["keys", "show", "--json"])["home"], "wrapped by the Transit key transit/ours");
    assert_eq!(folder.shown(&["keys", "rotate", "--json"])["root"], 2);
    folder.done(&["doctor", "--full"]);
    for (variables, told) in [
        (vec![], "VAULT_ADDR"),
        (vec![("BAO_ADDR", server.url())], "VAULT_TOKEN"),
        (vec![("VAULT_ADDR", "http://127.0.0.1:1".to_owned()), token()], "up and unsealed"),
        (vec![("VAULT_ADDR", server.url()), ("VAULT_TOKEN", "wrong".to_owned())], "its policy"),
    ] {
        folder.variables = variables;
        let refused = folder.run(&["account", "ann"]);
        assert_eq!(code(&refused), 2);
        assert!(stderr(&refused).contains(told), "{}", stderr(&refused));
        assert!(!stderr(&refused).contains("wrong"));
    }
    let found = Command::new("grep").args(["-r", OpenBao::TOKEN]).arg(folder.place.path()).output().unwrap();
    assert_eq!(found.status.code(), Some(1));
}

#[test]
fn a_place_that_is_none_is_refused_before_anything_is_made() {
    let folder = Folder::new(Vec::new());
    for place in ["elsewhere", "transit:", "transit:/a", "transit:a/"] {
        assert_eq!(code(&folder.run(&["init", "--key-store", place])), 2);
    }
    assert_eq!(std::fs::read_dir(folder.place.path()).unwrap().count(), 0);
}
