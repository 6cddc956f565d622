//! Tells the tests whether what this project did not write is there: data that lie beside the repository, and
//! Go with its packages of logs. Tests that need what is missing are counted as skipped, never as passed.

use std::path::Path;
use std::process::Command;

/// Where Debian puts Go's packages of notes and logs.
const X_MOD: &str = "/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog";

fn main() {
    let data = "../../../shared/data";
    tell("shared_data", data, Path::new(data).is_dir());
    let go = || Command::new("go").arg("version").output().is_ok_and(|output| output.status.success());
    tell("go_x_mod", X_MOD, Path::new(X_MOD).is_dir() && go());
}

/// Sets a condition if it holds, and asks again when what it depends on comes or goes.
fn tell(condition: &str, depends_on: &str, holds: bool) {
    println!("cargo::rustc-check-cfg=cfg({condition})");
    println!("cargo::rerun-if-changed={depends_on}");
    if holds {
        println!("cargo::rustc-cfg={condition}");
    }
}
