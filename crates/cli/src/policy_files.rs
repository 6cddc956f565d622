//! Reads policy files, or folders of versions, from disk.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Each file's name and text. A folder stands for every `.toml` file in it, in the order of their names.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let files = if path.is_dir() { toml_files(path)? } else { vec![path.to_owned()] };
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).with_context(|| format!("can't read {}", file.display()))?;
            Ok((file.display().to_string(), text))
        })
        .collect()
}

/// The files of several paths.
pub(crate) fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(read(path)?);
    }
    Ok(files)
}

fn toml_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("no policy file (*.toml) is in {}", folder.display());
    }
    files.sort();
    Ok(files)
}
