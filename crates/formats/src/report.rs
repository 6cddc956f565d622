//! What was read, what was left out, and why.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// How many places are kept as examples of one kind of trouble.
const EXAMPLES: usize = 3;
/// How many different words from a file (field names) are told apart before the rest are lumped together.
const DISTINCT_WORDS: usize = 64;
/// The longest word from a file that is repeated in a report.
const LONGEST_WORD: usize = 40;

/// Where in the input something is. Names of files and archive entries can be personal, so they are
/// given by their number, in the order in which they are read, from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Place {
    /// The number of the file within a folder, or of the entry within an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<u64>,
    /// The line, from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column, from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// The number of the element within a JSON array, from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<u64>,
    /// The number of the message within its conversation, from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<u64>,
}

impl Place {
    /// A file of a folder or an entry of an archive, or the only file.
    pub(crate) fn file(file: Option<u64>) -> Self {
        Self { file, ..Self::default() }
    }

    pub(crate) const fn line(self, line: u64) -> Self {
        Self { line: Some(line), ..self }
    }

    pub(crate) const fn column(self, column: u64) -> Self {
        Self { column: Some(column), ..self }
    }

    pub(crate) const fn element(self, element: u64) -> Self {
        Self { element: Some(element), ..self }
    }

    pub(crate) fn message(self, index: usize) -> Self {
        Self { message: u64::try_from(index).ok().map(|index| index.saturating_add(1)), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("file", self.file),
            ("line", self.line),
            ("column", self.column),
            ("element", self.element),
            ("message", self.message),
        ];
        let mut first = true;
        for (name, number) in parts {
            let Some(number) = number else { continue };
            write!(f, "{}{name} {number}", if first { "" } else { ", " })?;
            first = false;
        }
        if first { f.write_str("the file") } else { Ok(()) }
    }
}

/// How often something happened, and where it did first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Trouble {
    /// How often.
    pub count: u64,
    /// The first few places.
    pub examples: Vec<Place>,
}

impl Trouble {
    fn add(&mut self, place: Place) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(place);
        }
    }
}

/// The account of one kind of thing: everything seen was read, skipped or not understood.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// How many there were.
    pub seen: u64,
    /// How many were read.
    pub read: u64,
    /// How many were left out on purpose, by reason.
    pub skipped: BTreeMap<Cow<'static, str>, u64>,
    /// How many could not be read, by reason.
    pub not_understood: BTreeMap<Cow<'static, str>, Trouble>,
}

impl Tally {
    /// How many were left out on purpose.
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// How many could not be read.
    pub fn not_understood_total(&self) -> u64 {
        self.not_understood.values().map(|trouble| trouble.count).sum()
    }

    /// Whether everything seen is accounted for.
    pub fn adds_up(&self) -> bool {
        self.seen == self.read + self.skipped_total() + self.not_understood_total()
    }

    pub(crate) fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(Cow::Borrowed(reason)).or_default() += 1;
    }

    pub(crate) fn fail(&mut self, reason: &'static str, place: Place) {
        self.not_understood.entry(Cow::Borrowed(reason)).or_default().add(place);
    }
}

/// What became of a file, a folder or an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Files of a folder or entries of an archive; one for a single file.
    pub files: Tally,
    /// Lines of a line format, elements of an array; one for a single conversation.
    pub records: Tally,
    /// Messages of the records that were understood. Several lines that make up one message count once.
    pub messages: Tally,
    /// Conversations handed out.
    pub conversations: u64,
    /// Accounts handed out.
    pub accounts: u64,
    /// What was noticed in things that were read all the same, such as a missing time.
    pub remarks: BTreeMap<Cow<'static, str>, Trouble>,
}

impl Report {
    /// Whether every file, record and message seen is accounted for.
    pub fn adds_up(&self) -> bool {
        self.files.adds_up() && self.records.adds_up() && self.messages.adds_up()
    }

    pub(crate) fn remark(&mut self, what: &'static str, place: Place) {
        self.remarks.entry(Cow::Borrowed(what)).or_default().add(place);
    }

    /// A remark that repeats a word of the file, such as the name of a field.
    pub(crate) fn remark_word(&mut self, what: &'static str, word: &str, place: Place) {
        let word: String = word.chars().filter(|c| !c.is_control()).take(LONGEST_WORD).collect();
        let remark = format!("{what} `{word}`");
        let known = self.remarks.contains_key(remark.as_str());
        if known || self.remarks.len() < DISTINCT_WORDS {
            self.remarks.entry(Cow::Owned(remark)).or_default().add(place);
        } else {
            self.remark(what, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_from_the_outside_in() {
        let place = Place::file(Some(2)).line(7).message(0);
        assert_eq!(place.to_string(), "file 2, line 7, message 1");
        assert_eq!(Place::default().to_string(), "the file");
    }

    #[test]
    fn a_report_stays_small_whatever_the_file_calls_its_fields() {
        let mut report = Report::default();
        for number in 0..10_000 {
            report.remark_word("unknown field", &format!("f{number}"), Place::default());
        }
        assert!(report.remarks.len() <= DISTINCT_WORDS + 1);
        assert_eq!(report.remarks.values().map(|trouble| trouble.count).sum::<u64>(), 10_000);
        assert!(report.remarks.values().all(|trouble| trouble.examples.len() <= EXAMPLES));
    }
}
