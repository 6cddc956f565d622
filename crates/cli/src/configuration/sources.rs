//! Where settings are said: a file, variables, flags. What is wrong is told with the place.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::flags::Flags;
use super::table::KEYS;

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody.
    Default,
    /// A line of a file.
    File {
        /// Which file.
        path: PathBuf,
        /// Which line of it, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("the default"),
            Self::File { path, line } => write!(out, "{}, line {line}", path.display()),
            Self::Variable(name) => write!(out, "the variable `{name}`"),
            Self::Flag(name) => write!(out, "the flag `{name}`"),
        }
    }
}

/// What is wrong, and where. It never repeats a value: that could be a secret in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) origin: Origin,
    pub(crate) message: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.origin, self.message)
    }
}

/// Something that was said of a setting.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// The variables of the environment that are Tenure's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    file: Option<PathBuf>,
    variables: Vec<(String, OsString)>,
}

/// What variables of settings begin with.
const PREFIX: &str = "TENURE_";
const FILE: &str = "TENURE_CONFIG";

/// Whether a variable is somebody else's: a cluster names services so that could be called `tenure`, and the tests
/// of Tenure have some.
fn is_foreign(rest: &str) -> bool {
    ["SERVICE_", "PORT_", "WITHOUT_", "SEAWEEDFS", "OPENBAO"].iter().any(|start| rest.starts_with(start))
        || rest == "PORT"
}

impl Environment {
    /// Keeps those of the variables that are Tenure's.
    pub(crate) fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut environment = Self::default();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            match name.strip_prefix(PREFIX) {
                Some(_) if name == FILE => environment.file = Some(value.into()),
                Some(rest) if !is_foreign(rest) => environment.variables.push((name.to_owned(), value)),
                _ => {}
            }
        }
        environment
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

/// The variable of a setting.
pub(super) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace(['.', '-'], "_").to_ascii_uppercase())
}

/// The flag of a setting, without its dashes.
pub(super) fn flag(name: &str) -> String {
    name.replace('.', "-")
}

/// All that was said, the strongest of each setting, and all that is wrong.
#[derive(Debug, Default)]
pub(super) struct Sources {
    said: BTreeMap<&'static str, Said>,
    pub(super) complaints: Vec<Complaint>,
}

impl Sources {
    /// What was said of a setting, or its default.
    pub(super) fn strongest(&self, name: &str, default: &str) -> Said {
        let default = || Said { text: default.to_owned(), origin: Origin::Default };
        self.said.get(name).cloned().unwrap_or_else(default)
    }

    /// Complains of what was said of a setting.
    pub(super) fn complain(&mut self, name: &str, message: &str) {
        let origin = self.said.get(name).map_or(Origin::Default, |said| said.origin.clone());
        self.complaints.push(Complaint { origin, message: format!("`{name}`: {message}") });
    }

    pub(super) fn add_file(&mut self, path: &Path) {
        let at = |line| Origin::File { path: path.to_owned(), line };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("the file of settings can't be read: {error}");
                self.complaints.push(Complaint { origin: at(0), message });
                return;
            }
        };
        let lines = Lines(&text);
        match DeTable::parse(&text) {
            Ok(table) => self.add_table("", table.get_ref(), &lines, &at),
            Err(error) => {
                let line = error.span().map_or(0, |span| lines.line(span.start));
                let message = format!("this is not TOML: {}", error.message());
                self.complaints.push(Complaint { origin: at(line), message });
            }
        }
    }

    fn add_table(
        &mut self,
        above: &str,
        table: &DeTable<'_>,
        lines: &Lines<'_>,
        at: &dyn Fn(usize) -> Origin,
    ) {
        for (key, value) in table {
            let origin = at(lines.line(key.span().start));
            let name = if above.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{above}.{}", key.get_ref())
            };
            match (known(&name), value.get_ref()) {
                (Some(name), value) => match text_of(value) {
                    Some(text) => drop(self.said.insert(name, Said { text, origin })),
                    None => {
                        let message = format!("`{name}`: write text, a number, or a list of texts");
                        self.complaints.push(Complaint { origin, message });
                    }
                },
                (None, DeValue::Table(below)) if is_table(&name) => self.add_table(&name, below, lines, at),
                (None, _) => self.unknown(&name, origin, KEYS.iter().map(|key| key.name.to_owned())),
            }
        }
    }

    pub(super) fn add_environment(&mut self, environment: &Environment) {
        for (name, value) in &environment.variables {
            let origin = Origin::Variable(name.clone());
            match (KEYS.iter().find(|key| variable(key.name) == *name), value.to_str()) {
                (None, _) => {
                    let known = KEYS.iter().map(|key| variable(key.name)).chain([FILE.to_owned()]);
                    self.unknown(name, origin, known);
                }
                (Some(key), Some(text)) => {
                    drop(self.said.insert(key.name, Said { text: text.to_owned(), origin }));
                }
                (Some(_), None) => {
                    let message = "this is not text in UTF-8".to_owned();
                    self.complaints.push(Complaint { origin, message });
                }
            }
        }
    }

    pub(super) fn add_flags(&mut self, flags: &Flags) {
        for (name, text) in flags.given() {
            let origin = Origin::Flag(format!("--{}", flag(name)));
            self.said.insert(name, Said { text: text.clone(), origin });
        }
    }

    fn unknown(&mut self, name: &str, origin: Origin, known: impl Iterator<Item = String>) {
        let hint = closest(name, known).map(|close| format!("; did you mean `{close}`?")).unwrap_or_default();
        self.complaints.push(Complaint { origin, message: format!("there is no setting `{name}`{hint}") });
    }
}

fn known(name: &str) -> Option<&'static str> {
    KEYS.iter().map(|key| key.name).find(|known| *known == name)
}

/// Whether settings lie below a name.
fn is_table(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Array(values) => {
            let each = values.iter().map(Spanned::get_ref).map(|value| match value {
                DeValue::String(text) if !text.contains(',') => Some(text.to_string()),
                _ => None,
            });
            Some(each.collect::<Option<Vec<_>>>()?.join(","))
        }
        _ => None,
    }
}

/// The lines of a text.
struct Lines<'t>(&'t str);

impl Lines<'_> {
    /// The line in which a byte lies, from 1.
    fn line(&self, byte: usize) -> usize {
        self.0.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
    }
}

/// The name that is most like one, if any is like it at all.
fn closest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let far = |known: &String| {
        let whole = distance(name, known);
        // Somebody may have left out the table, or written it in another one.
        if last(name) == last(known) { whole.min(2) } else { whole }
    };
    let best = known.map(|known| (far(&known), known)).min()?;
    (best.0 <= 2.max(name.chars().count() / 4)).then_some(best.1)
}

/// How many letters must be changed, added or left out to make one word of another (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.chars().enumerate() {
        let mut above_left = place;
        let mut left = place + 1;
        let mut next = vec![left];
        for (other, above) in other.iter().zip(row.iter().skip(1)) {
            left = (above_left + usize::from(letter != *other)).min(left + 1).min(above + 1);
            above_left = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_far_apart_as_letters_must_be_changed() {
        for (one, other, far) in
            [("", "abc", 3), ("sweep", "sweep", 0), ("swep", "sweep", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(one, other), far, "{one} {other}");
            assert_eq!(distance(other, one), far, "{other} {one}");
        }
    }
}
