//! Policy files from disk, and what the compiler has to say about them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;
use tenure_policy::Lineage;
use tenure_policy::language::{self, Diagnostic, Diagnostics, Version};

use crate::output::{paint, printable, width, wrapped};

/// The largest file that is taken for a policy.
const BYTES_MAX: u64 = 8 << 20;

/// One file, with its text for showing the lines that complaints are about.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    text: String,
}

/// The files of one lineage.
#[derive(Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

/// What came of compiling them.
pub(crate) type Loaded<T> = Result<T, Diagnostics>;

impl Sources {
    /// Reads files, and folders of files; a file that is named twice is read once.
    pub(crate) fn read(paths: &[&Path]) -> anyhow::Result<Self> {
        let mut sources = Self::default();
        let mut seen = Vec::new();
        for path in paths {
            for file in files(path)? {
                let real = fs::canonicalize(&file)
                    .with_context(|| format!("`{}` can't be read: check that it exists", file.display()))?;
                if !seen.contains(&real) {
                    sources.0.push(Source { text: text(&file)?, path: file });
                    seen.push(real);
                }
            }
        }
        Ok(sources)
    }

    /// Each file's name and text, for publishing.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        self.0.iter().map(|source| (source.path.display().to_string(), source.text.clone())).collect()
    }

    /// The names, as complaints give them, of the files that lie under a path.
    pub(crate) fn under(&self, path: &Path) -> anyhow::Result<Vec<String>> {
        let real: Vec<PathBuf> = files(path)?.iter().filter_map(|file| fs::canonicalize(file).ok()).collect();
        let lies_there =
            |source: &&Source| fs::canonicalize(&source.path).is_ok_and(|file| real.contains(&file));
        Ok(self.0.iter().filter(lies_there).map(|source| source.path.display().to_string()).collect())
    }

    /// Reads the words of every file.
    pub(crate) fn parse(&self) -> Loaded<Vec<Version>> {
        let mut versions = Vec::new();
        let mut complaints = Vec::new();
        for source in &self.0 {
            match language::parse(&source.path.display().to_string(), &source.text) {
                Ok(version) => versions.push(version),
                Err(Diagnostics(found)) => complaints.extend(found),
            }
        }
        if complaints.is_empty() { Ok(versions) } else { Err(Diagnostics(complaints)) }
    }

    /// Compiles the lineage.
    pub(crate) fn compile(&self) -> Loaded<Lineage> {
        Lineage::compile(self.parse()?)
    }

    /// Compiles the files, each lineage by itself.
    pub(crate) fn compile_each(&self) -> Loaded<()> {
        let mut lineages: Vec<Vec<Version>> = Vec::new();
        for version in self.parse()? {
            match lineages.iter_mut().find(|of| of.iter().any(|other| other.policy == version.policy)) {
                Some(of) => of.push(version),
                None => lineages.push(vec![version]),
            }
        }
        lineages.into_iter().try_for_each(|versions| Lineage::compile(versions).map(drop))
    }

    /// The line that a complaint is about.
    fn line(&self, complaint: &Diagnostic) -> Option<&str> {
        let source = self.0.iter().find(|source| source.path.display().to_string() == complaint.file)?;
        let line = usize::try_from(complaint.at.line).ok()?.checked_sub(1)?;
        source.text.lines().nth(line)
    }

    /// A complaint with its line, and a caret under the place.
    pub(crate) fn show(&self, kind: &str, complaint: &Diagnostic) -> String {
        let Diagnostic { file, at, message } = complaint;
        let colour = if kind == "warning" { "33" } else { "31" };
        let said = wrapped(&format!("{kind}: {message}"), 0, width());
        let said = said.strip_prefix(kind).unwrap_or(&said);
        let mut shown = format!("{}{said}\n", paint(colour, kind));
        let number = at.line.to_string();
        let gutter = " ".repeat(number.len());
        shown.push_str(&format_args!("{gutter}--> {file}:{}:{}\n", at.line, at.column).to_string());
        if let Some(line) = self.line(complaint) {
            // A tab would put the caret in the wrong place, and an endless line would drown it.
            let line: String = printable(line).chars().take(200).collect();
            let indent = usize::try_from(at.column).unwrap_or(1).saturating_sub(1).min(200);
            let caret = format!("{}{}", " ".repeat(indent), paint(colour, "^"));
            let line = line.trim_end();
            shown.push_str(&format_args!("{gutter} |\n{number} | {line}\n{gutter} | {caret}\n").to_string());
        }
        shown
    }
}

/// A complaint, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Complaint<'d> {
    pub(super) file: &'d str,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) message: &'d str,
}

impl<'d> From<&'d Diagnostic> for Complaint<'d> {
    fn from(complaint: &'d Diagnostic) -> Self {
        Complaint {
            file: &complaint.file,
            line: complaint.at.line,
            column: complaint.at.column,
            message: &complaint.message,
        }
    }
}

/// Complaints, for programs.
pub(crate) fn complaints(found: &[Diagnostic]) -> Vec<Complaint<'_>> {
    found.iter().map(Complaint::from).collect()
}

/// Says why a policy is refused.
pub(crate) fn print_refusals(
    sources: &Sources,
    refusals: &Diagnostics,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    if json {
        let value = serde_json::json!({
            "accepted": false, "versions": [], "refusals": complaints(&refusals.0), "warnings": [],
        });
        writeln!(out, "{value}")?;
        return Ok(());
    }
    for refusal in &refusals.0 {
        writeln!(out, "{}", sources.show("refused", refusal))?;
    }
    let complaints = if refusals.0.len() == 1 { "complaint" } else { "complaints" };
    writeln!(out, "Refused, with {} {complaints}. Nothing was changed.", refusals.0.len())?;
    Ok(())
}

fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = || format!("folder `{}` can't be read: check its permissions", path.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(unreadable)? {
        let file = entry.with_context(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "toml") && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        bail!("folder `{}` has no `.toml` file: name a policy file, or a folder of them", path.display());
    }
    files.sort();
    Ok(files)
}

fn text(file: &Path) -> anyhow::Result<String> {
    let unreadable = || format!("`{}` can't be read: check that it exists", file.display());
    let size = fs::metadata(file).with_context(unreadable)?.len();
    if size > BYTES_MAX {
        bail!("`{}` is larger than 8 MiB, so it is no policy file", file.display());
    }
    let bytes = fs::read(file).with_context(unreadable)?;
    String::from_utf8(bytes)
        .map_err(|_| anyhow::anyhow!("`{}` is not UTF-8 text: save it as UTF-8", file.display()))
}
