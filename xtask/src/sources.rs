//! Source files, and the paths that they name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the root of the workspace.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// The files with one of these extensions under a folder, in the order of their paths.
pub(crate) fn read(root: &Path, folder: &str, extensions: &[&str]) -> anyhow::Result<Vec<Source>> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("can't read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let wanted = path.extension().is_some_and(|of| extensions.iter().any(|known| of == *known));
            if path.is_dir() {
                folders.push(path);
            } else if wanted {
                let text =
                    fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
                found.push(Source { path: path.strip_prefix(root)?.to_owned(), text });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// What of a file is compiled into the crate: without comments, and without the tests at its end.
pub(crate) fn compiled(text: &str) -> String {
    let tests = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    let (code, _) = text.split_at(tests);
    without_comments(code)
}

/// A file without its line comments; every line stays where it is.
pub(crate) fn without_comments(text: &str) -> String {
    let code = |line: &str| line.split_once("//").map_or(line, |(code, _)| code).to_owned();
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// Each name that follows `root::`, also in braces, with its line.
pub(crate) fn names_after(text: &str, root: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (place, _) in text.match_indices(root) {
        let (before, from) = text.split_at(place);
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let Some(rest) = from.strip_prefix(root).and_then(|rest| rest.strip_prefix("::")) else { continue };
        if before.ends_with(is_part) {
            continue;
        }
        let line = before.matches('\n').count() + 1;
        let first = |path: &str| path.trim_start().split(|letter| !is_part(letter)).next().map(str::to_owned);
        match rest.strip_prefix('{') {
            Some(group) => {
                names.extend(in_group(group).iter().filter_map(|path| first(path)).map(|name| (line, name)));
            }
            None => names.extend(first(rest).map(|name| (line, name))),
        }
    }
    names.retain(|(_, name)| !name.is_empty());
    names
}

/// The paths of a group, up to the brace that closes it.
fn in_group(group: &str) -> Vec<String> {
    let (mut paths, mut depth) = (vec![String::new()], 0_usize);
    for letter in group.chars() {
        match letter {
            '}' if depth == 0 => break,
            ',' if depth == 0 => paths.push(String::new()),
            _ => {
                depth = match letter {
                    '{' => depth + 1,
                    '}' => depth - 1,
                    _ => depth,
                };
                if let Some(path) = paths.last_mut() {
                    path.push(letter);
                }
            }
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, root: &str) -> Vec<(usize, String)> {
        names_after(text, root)
    }

    #[test]
    fn a_path_is_found_with_its_line() {
        assert_eq!(after("use a;\nlet x = std::fs::read(p);", "std"), [(2, "fs".to_owned())]);
    }

    #[test]
    fn a_group_gives_each_of_its_paths() {
        let found = after("use std::{\n    fs::{self, File},\n    io,\n};", "std");
        assert_eq!(found, [(1, "fs".to_owned()), (1, "io".to_owned())]);
    }

    #[test]
    fn another_crate_that_ends_alike_is_another_crate() {
        assert!(after("use my_std::fs;", "std").is_empty());
    }

    #[test]
    fn comments_and_tests_are_not_compiled() {
        let text = "// std::fs\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert!(after(&compiled(text), "std").is_empty());
    }

    #[test]
    fn a_function_for_tests_only_does_not_end_the_file() {
        let text = "#[cfg(test)]\nfn f() {}\n\nuse std::fs;\n";
        assert_eq!(after(&compiled(text), "std"), [(4, "fs".to_owned())]);
    }
}
