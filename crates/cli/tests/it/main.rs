//! The real binary, run as people and programs run it.

#![cfg(test)]

mod backup;
mod change;
mod crash;
mod doctor;
mod erase;
mod explain;
mod folder;
mod hold;
mod import;
mod key;
mod keys;
mod ledger;
mod policy;
mod policy_change;
mod serve;
#[cfg(all(feature = "s3", feature = "transit"))]
mod servers;
#[cfg(target_os = "linux")]
mod undumpable;
mod verdict;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs `tenure` in the repository's folder.
fn tenure(args: &[&str]) -> Output {
    tenure_fed(args, b"")
}

/// Runs `tenure` with something on its standard input.
fn tenure_fed(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tenure"))
        .args(args)
        .current_dir(root())
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A command that refuses its input early closes the pipe.
        drop(stdin.write_all(&input));
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}
