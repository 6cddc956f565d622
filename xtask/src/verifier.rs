//! The verifier for the browser: the crate `tenure-verifier-page` as WebAssembly, and a page with it inside.
//!
//! Its tests compare what the WebAssembly answers with what the library answers, so a build that is older than
//! the source is worse than none: where it can't be built, what was built before is removed, and those tests
//! count as skipped.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::say;
use crate::steps::{Shows, execute, step};
use crate::wasm::{self, Found};

const PAGE: &str = "crates/verifier-page/page/index.html";
/// Around the word that stands for the WebAssembly in the page.
const PLACE: (&str, &str) = (r#"<script type="text/plain" id="wasm">"#, "</script>");
/// How it is built: small rather than fast.
const PROFILE: &str = "crates/verifier-page/profile.toml";
/// Where it is built. Its flags are its own, so its folder is too.
const TARGET: &str = "target/wasm";
/// Where it lies when it is done.
const DONE: &str = "target/verifier";

/// Builds the verifier; where that can't be done here, says why and answers `false`.
pub(crate) fn run(root: &Path) -> anyhow::Result<bool> {
    let mut build = match wasm::cargo(root)? {
        Found::Cargo(cargo) => cargo,
        Found::Nothing(reason) => {
            remove(&root.join(DONE))?;
            say(format_args!("skipped  the verifier for the browser: {reason}"))?;
            return Ok(false);
        }
    };
    build.args(["rustc", "--package", "tenure-verifier-page", "--lib", "--crate-type", "cdylib", "--locked"]);
    build.args([
        "--target",
        wasm::TARGET,
        "--target-dir",
        TARGET,
        "--config",
        PROFILE,
        "--profile",
        "verifier",
    ]);
    // Flags in this variable are not split at spaces, which a path may have.
    build.env("CARGO_ENCODED_RUSTFLAGS", nameless()?);
    step("verifier for the browser, to be built", || {
        execute(root, Shows::Failure, &mut build)?;
        put(root)
    })?;
    Ok(true)
}

/// The flag that keeps out of the file where this machine has its crates, which is nobody's business.
fn nameless() -> anyhow::Result<OsString> {
    let home = || env::home_dir().map(|home| home.join(".cargo").into_os_string());
    let crates = env::var_os("CARGO_HOME").or_else(home).context("there is no home folder")?;
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(crates);
    flag.push("=/cargo");
    Ok(flag)
}

/// Puts what was built where the tests and people look for it.
fn put(root: &Path) -> anyhow::Result<()> {
    let built = format!("{TARGET}/{}/verifier/tenure_verifier_page.wasm", wasm::TARGET);
    let wasm = fs::read(root.join(&built)).with_context(|| format!("can't read {built}"))?;
    let page = fs::read_to_string(root.join(PAGE)).with_context(|| format!("can't read {PAGE}"))?;
    let page = filled(&page, &wasm).with_context(|| format!("{PAGE} has no place for the verifier"))?;
    fs::create_dir_all(root.join(DONE)).with_context(|| format!("can't make {DONE}"))?;
    write(&root.join(DONE).join("verifier.wasm"), &wasm)?;
    write(&root.join(DONE).join("index.html"), page.as_bytes())
}

/// The page with the WebAssembly inside; `None` where it has no place for it.
fn filled(page: &str, wasm: &[u8]) -> Option<String> {
    let (start, end) = PLACE;
    let (before, after) = page.split_once(&format!("{start}WASM{end}"))?;
    Some(format!("{before}{start}{}{end}{after}", STANDARD.encode(wasm)))
}

/// Writes a file, and leaves one alone that says the same: what is newer makes cargo build the tests again.
fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| format!("can't write {}", path.display()))
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_one_place_for_the_wasm() {
        let page = fs::read_to_string(crate::root().unwrap().join(PAGE)).unwrap();
        let filled = filled(&page, b"\0asm").unwrap();
        assert_eq!(filled.matches("AGFzbQ==").count(), 1);
        assert!(!filled.contains(">WASM<"));
        assert_eq!(filled.lines().count(), page.lines().count());
    }

    #[test]
    fn a_page_without_a_place_is_refused() {
        assert!(filled("<script>WASM</script>", b"\0asm").is_none());
    }
}
