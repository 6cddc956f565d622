//! Tells the tests whether the verifier was built for the browser, so that they are counted as skipped where
//! it was not.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The build for the browser itself has no tests.
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        return;
    }
    let built = Path::new("../../target/verifier/index.html");
    println!("cargo::rerun-if-changed={}", built.display());
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rustc-check-cfg=cfg(verifier_built)");
    println!("cargo::rustc-check-cfg=cfg(node)");
    println!("cargo::rustc-check-cfg=cfg(chromium)");
    if built.is_file() {
        println!("cargo::rustc-cfg=verifier_built");
    }
    let path = env::var_os("PATH").unwrap_or_default();
    for program in ["node", "chromium"] {
        if env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
            println!("cargo::rustc-cfg={program}");
        }
    }
}
