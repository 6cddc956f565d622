//! Walks a TOML table field by field, keeping the place of each, and collects every complaint
//! instead of stopping at the first.

use std::cell::RefCell;
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Diagnostic, Position};

/// The file that is being read, and what was found wrong with it so far.
pub(super) struct Source<'t> {
    file: &'t str,
    text: &'t str,
    complaints: RefCell<Vec<Diagnostic>>,
}

impl<'t> Source<'t> {
    pub(super) const fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, complaints: RefCell::new(Vec::new()) }
    }

    pub(super) const fn file(&self) -> &'t str {
        self.file
    }

    /// The position of a byte offset.
    pub(super) fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        // A byte order mark is in the file, but nobody sees it.
        let line = before.get(line_start..).unwrap_or_default().trim_start_matches('\u{feff}');
        let count = |text: usize| u32::try_from(text + 1).unwrap_or(u32::MAX);
        Position {
            line: count(before.bytes().filter(|byte| *byte == b'\n').count()),
            column: count(line.chars().count()),
        }
    }

    pub(super) fn complain(&self, span: Range<usize>, message: impl Into<String>) {
        self.complain_at(self.position(span.start), message);
    }

    pub(super) fn complain_at(&self, at: Position, message: impl Into<String>) {
        self.complaints.borrow_mut().push(Diagnostic {
            file: self.file.to_owned(),
            at,
            message: message.into(),
        });
    }

    /// All complaints, in the order of their places.
    pub(super) fn into_complaints(self) -> Vec<Diagnostic> {
        let mut complaints = self.complaints.into_inner();
        complaints.sort_by_key(|complaint| complaint.at);
        complaints.dedup();
        complaints
    }
}

/// A value with its place and its source.
#[derive(Clone, Copy)]
pub(super) struct Value<'s, 't> {
    pub(super) source: &'s Source<'t>,
    pub(super) value: &'s Spanned<DeValue<'t>>,
}

impl<'s, 't> Value<'s, 't> {
    pub(super) fn complain(self, message: impl Into<String>) {
        self.source.complain(self.value.span(), message);
    }

    fn wrong_type<T>(self, wanted: &str) -> Option<T> {
        self.complain(format!("expected {wanted}, found {}", self.value.get_ref().type_str()));
        None
    }

    /// A string that is not empty.
    pub(super) fn text(self) -> Option<&'s str> {
        match self.value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => {
                self.complain("this must not be empty");
                None
            }
            DeValue::String(text) => Some(text),
            _ => self.wrong_type("a string"),
        }
    }

    /// A string that can serve as a name: no white space, no control characters.
    pub(super) fn name(self) -> Option<String> {
        let text = self.text()?;
        if !is_name(text) {
            self.complain(format!("`{}` can't be a name: leave out spaces", text.escape_debug()));
            return None;
        }
        Some(text.to_owned())
    }

    /// A word of a closed vocabulary, or a duration.
    pub(super) fn word<T: FromStr<Err: std::fmt::Display>>(self) -> Option<T> {
        self.text()?.parse().map_err(|error: T::Err| self.complain(error.to_string())).ok()
    }

    pub(super) fn boolean(self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type("true or false"),
        }
    }

    pub(super) fn instant(self) -> Option<tenure_model::Instant> {
        match self.value.get_ref() {
            DeValue::Datetime(datetime) => {
                let text = datetime.to_string();
                tenure_model::Instant::parse(&text)
                    .map_err(|_| {
                        self.complain(format!("`{text}` is not an instant: write a date, a time and `Z`, such as 2025-10-08T00:00:00Z"));
                    })
                    .ok()
            }
            _ => self.wrong_type("an instant such as 2025-10-08T00:00:00Z, without quotes"),
        }
    }

    pub(super) fn table(self) -> Option<Fields<'s, 't>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Fields::new(self.source, table, self.value.span())),
            _ => self.wrong_type("a table"),
        }
    }

    /// A list, which must be one.
    pub(super) fn list(self) -> Option<Vec<Self>> {
        match self.value.get_ref() {
            DeValue::Array(values) => {
                Some(values.iter().map(|value| Self { source: self.source, value }).collect())
            }
            _ => self.wrong_type("a list"),
        }
    }

    /// A single value or a list of at least one.
    pub(super) fn one_or_more(self) -> Option<Vec<Self>> {
        let DeValue::Array(_) = self.value.get_ref() else { return Some(vec![self]) };
        let values = self.list()?;
        if values.is_empty() {
            self.complain("an empty list matches nothing: name at least one value");
            return None;
        }
        Some(values)
    }
}

/// Whether a text can name a policy, version, surface, region, class or purpose.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| !char.is_whitespace() && !char.is_control())
}

/// The fields of one table; what is not taken by the end is unknown.
pub(super) struct Fields<'s, 't> {
    source: &'s Source<'t>,
    span: Range<usize>,
    rest: Vec<(&'s str, Range<usize>, &'s Spanned<DeValue<'t>>)>,
    known: Vec<&'static str>,
}

impl<'s, 't> Fields<'s, 't> {
    pub(super) fn new(source: &'s Source<'t>, table: &'s DeTable<'t>, span: Range<usize>) -> Self {
        let rest = table.iter().map(|(key, value)| (&**key.get_ref(), key.span(), value)).collect();
        Self { source, span, rest, known: Vec::new() }
    }

    pub(super) fn at(&self) -> Position {
        self.source.position(self.span.start)
    }

    /// The file that is being read.
    pub(super) const fn file(&self) -> &'t str {
        self.source.file()
    }

    /// Takes a field that may be missing.
    pub(super) fn optional(&mut self, name: &'static str) -> Option<Value<'s, 't>> {
        self.known.push(name);
        let index = self.rest.iter().position(|(key, ..)| *key == name)?;
        let (_, _, value) = self.rest.remove(index);
        Some(Value { source: self.source, value })
    }

    /// Takes a field that must be there.
    pub(super) fn required(&mut self, name: &'static str) -> Option<Value<'s, 't>> {
        let value = self.optional(name);
        if value.is_none() {
            self.complain(format!("`{name}` is missing"));
        }
        value
    }

    pub(super) fn complain(&self, message: impl Into<String>) {
        self.source.complain(self.span.clone(), message);
    }

    /// Every field, where the keys are names that the file itself chooses.
    pub(super) fn entries(self) -> Vec<(&'s str, Position, Value<'s, 't>)> {
        let source = self.source;
        self.rest
            .into_iter()
            .filter(|(key, span, _)| {
                let good = is_name(key);
                if !good {
                    source.complain(
                        span.clone(),
                        format!("`{}` can't be a name: leave out spaces", key.escape_debug()),
                    );
                }
                good
            })
            .map(|(key, span, value)| (key, source.position(span.start), Value { source, value }))
            .collect()
    }

    /// Complains about every field that nobody took.
    pub(super) fn finish(self) {
        for (key, span, _) in self.rest {
            let known = self.known.join(", ");
            self.source.complain(
                span,
                format!("unknown word `{}`: here only {known} are known", key.escape_debug()),
            );
        }
    }
}
