//! One pass over the input: where items, counts and progress go, and how each kind of file is opened.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use serde_json::value::RawValue;
use tenure_model::Instant;

use crate::error::Halt;
use crate::fields::{Fields, text};
use crate::stream::{Line, Lines, Metered, elements};
use crate::{
    Format, Item, Place, ReadError, Report, archive, chatgpt, claude, claude_code, native, openai, sharegpt,
    sniff,
};

/// How far a pass is, in bytes of the input as it lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub done: u64,
    /// Bytes there are.
    pub total: u64,
}

/// Why a line of [`crate::stream::LONGEST_LINE`] bytes and more is passed over.
pub(crate) const LINE_TOO_LONG: &str = "a line of more than 64 MiB";

type Sink<'a> = &'a mut dyn FnMut(Item) -> Result<(), Halt>;

/// A pass; without a sink it only inspects.
pub(crate) struct Pass<'a> {
    pub(crate) format: Format,
    pub(crate) report: Report,
    sink: Option<Sink<'a>>,
    progress: &'a mut dyn FnMut(Progress),
    done: Rc<Cell<u64>>,
    total: u64,
    understood: bool,
    first_trouble: Option<(Place, &'static str)>,
    /// What the file is by its first bytes, if they are the mark of something that is not JSON.
    found: Option<&'static str>,
}

impl<'a> Pass<'a> {
    pub(crate) fn inspecting(format: Format, progress: &'a mut dyn FnMut(Progress)) -> Self {
        Self::new(format, progress, None)
    }

    pub(crate) fn reading(format: Format, progress: &'a mut dyn FnMut(Progress), sink: Sink<'a>) -> Self {
        Self::new(format, progress, Some(sink))
    }

    fn new(format: Format, progress: &'a mut dyn FnMut(Progress), sink: Option<Sink<'a>>) -> Self {
        Self {
            format,
            report: Report::default(),
            sink,
            progress,
            done: Rc::default(),
            total: 0,
            understood: false,
            first_trouble: None,
            found: None,
        }
    }

    pub(crate) fn into_report(self) -> Report {
        self.report
    }

    pub(crate) const fn is_inspection(&self) -> bool {
        self.sink.is_none()
    }

    /// Reads whatever `path` is.
    pub(crate) fn run(&mut self, path: &Path) -> Result<(), Halt> {
        if self.format == Format::ClaudeCode {
            return claude_code::run(self, path);
        }
        let mut file = self.open(path)?;
        self.total = file.metadata().map_or(0, |metadata| metadata.len());
        let mut head = Vec::new();
        let io = |source| ReadError::Io { place: Place::default(), source };
        (&mut file).take(512).read_to_end(&mut head).map_err(io)?;
        io::Seek::rewind(&mut file).map_err(io)?;
        let first =
            head.strip_prefix(b"\xEF\xBB\xBF".as_slice()).unwrap_or(&head).trim_ascii().first().copied();
        if head.is_empty() {
            return Err(ReadError::Empty(self.format).into());
        }
        self.found = sniff::kind(&head);
        match self.format {
            Format::Claude | Format::ChatGpt if sniff::is_zip(&head) => archive::read(self, file)?,
            Format::Claude | Format::ChatGpt => self.read_array(file, None)?,
            Format::OpenAi | Format::ShareGpt if first == Some(b'[') => self.read_array(file, None)?,
            _ => self.read_lines(file)?,
        }
        self.check_understood()
    }

    /// Reads lines from wherever they come.
    pub(crate) fn run_stream(&mut self, stream: impl Read) -> Result<(), Halt> {
        self.read_lines(stream)?;
        self.check_understood()
    }

    /// Opens a regular file; anything else could block or never end.
    pub(crate) fn open(&self, path: &Path) -> Result<File, ReadError> {
        let io = |source| ReadError::Io { place: Place::default(), source };
        if !std::fs::metadata(path).map_err(io)?.is_file() {
            return Err(ReadError::NotAFile(self.format));
        }
        File::open(path).map_err(io)
    }

    pub(crate) fn metered<R>(&self, inner: R) -> Metered<R> {
        Metered::new(inner, Rc::clone(&self.done))
    }

    pub(crate) const fn expect_bytes(&mut self, total: u64) {
        self.total = total;
    }

    /// Tells how far the pass is.
    pub(crate) fn tick(&mut self) {
        (self.progress)(Progress { done: self.done.get().min(self.total), total: self.total });
    }

    fn read_array(&mut self, file: File, number: Option<u64>) -> Result<(), Halt> {
        let reader = self.metered(file);
        self.report.files.seen += 1;
        self.read_document(reader, number)?;
        self.report.files.read += 1;
        Ok(())
    }

    /// Reads a JSON document of many conversations, or of one.
    pub(crate) fn read_document(&mut self, reader: impl Read, number: Option<u64>) -> Result<(), Halt> {
        elements(self.format, number, reader, &mut |place, element| {
            // Once it is clear that the file is of the format, an inspection only follows its structure.
            if self.is_inspection() && self.understood {
                self.tick();
                return Ok(());
            }
            self.report.records.seen += 1;
            let item = Fields::of(element)
                .ok_or("not a JSON object")
                .and_then(|record| self.convert(&record, place));
            self.settle(item, place)
        })
    }

    fn read_lines(&mut self, file: impl Read) -> Result<(), Halt> {
        let mut lines = Lines::new(self.metered(file));
        self.report.files.seen += 1;
        while let Some((number, line)) = lines.next().map_err(|error| ReadError::from_io(error, None))? {
            let mut place = Place::default().line(number);
            self.report.records.seen += 1;
            let item = match line {
                Line::TooLong => Err(LINE_TOO_LONG),
                Line::Text(text) if self.format == Format::Tenure => {
                    native::item(self, text, place).map_err(|(why, exact)| {
                        place = exact;
                        why
                    })
                }
                Line::Text(text) => Fields::of_line(text).and_then(|record| self.convert(&record, place)),
            };
            self.settle(item, place)?;
            if self.is_inspection() && self.understood {
                return Err(Halt::Stopped);
            }
        }
        if self.report.records.seen == 0 {
            return Err(ReadError::Empty(self.format).into());
        }
        self.report.files.read += 1;
        Ok(())
    }

    fn convert(&mut self, record: &Fields<'_>, place: Place) -> Result<Item, &'static str> {
        let conversation = match self.format {
            Format::Claude => claude::conversation(&mut self.report, record, place),
            Format::ChatGpt => chatgpt::conversation(&mut self.report, record, place),
            Format::OpenAi => openai::conversation(&mut self.report, record, place),
            Format::ShareGpt => sharegpt::conversation(&mut self.report, record, place),
            // These two have readers of their own.
            Format::ClaudeCode | Format::Tenure => Err("not a record of this format"),
        };
        conversation.map(Item::Conversation)
    }

    /// Counts a record and hands out what it became.
    fn settle(&mut self, item: Result<Item, &'static str>, place: Place) -> Result<(), Halt> {
        match item {
            Ok(item) => {
                self.report.records.read += 1;
                self.hand_out(item)
            }
            Err(why) => {
                self.not_understood(why, place);
                Ok(())
            }
        }
    }

    /// Counts a record that can't be read.
    pub(crate) fn not_understood(&mut self, why: &'static str, place: Place) {
        self.first_trouble.get_or_insert((place, why));
        self.report.records.fail(why, place);
        self.tick();
    }

    /// Counts an item and gives it to the sink.
    pub(crate) fn hand_out(&mut self, item: Item) -> Result<(), Halt> {
        self.understood = true;
        match &item {
            Item::Account(_) => self.report.accounts += 1,
            Item::Conversation(conversation) => {
                self.report.conversations += 1;
                self.report.messages.read += u64::try_from(conversation.messages.len()).unwrap_or(u64::MAX);
            }
        }
        self.tick();
        match &mut self.sink {
            Some(sink) => sink(item),
            None => Ok(()),
        }
    }

    /// A file of which no record is of the format is of another format, unless it has no records.
    fn check_understood(&self) -> Result<(), Halt> {
        let Some((place, why)) = self.first_trouble.filter(|_| !self.understood) else { return Ok(()) };
        let (format, seen) = (self.format, self.report.records.seen);
        Err(Halt::Read(match self.found {
            Some(found) => ReadError::WrongFile { format, found },
            None => ReadError::NothingUnderstood { format, seen, place, why },
        }))
    }
}

/// The time in a field, in words or in seconds since 1970. One that is missing or unreadable is
/// unknown, and the report says so.
pub(crate) fn time(report: &mut Report, fields: &Fields<'_>, key: &str, place: Place) -> Option<Instant> {
    let Some(value) = fields.get(key) else {
        report.remark("message without a time: it is unknown, so never trainable", place);
        return None;
    };
    let instant = instant(value);
    if instant.is_none() {
        report.remark("unreadable time: it is unknown, so never trainable", place);
    }
    instant
}

/// An instant in words or in seconds since 1970.
pub(crate) fn instant(value: &RawValue) -> Option<Instant> {
    if let Some(words) = text(value) {
        return Instant::parse(&words).ok();
    }
    let micros = (serde_json::from_str::<f64>(value.get()).ok()? * 1_000_000.0).round();
    // Beyond this a float no longer counts in ones; no calendar date is there.
    if !micros.is_finite() || micros.abs() > 9.0e17 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number within the range of i64")]
    Instant::from_micros(micros as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(json: &str) -> Option<String> {
        instant(&RawValue::from_string(json.to_owned()).unwrap()).map(|instant| instant.to_string())
    }

    #[test]
    fn float_seconds_are_rounded_to_microseconds() {
        assert_eq!(seconds("1724751946.6504972").unwrap(), "2024-08-27T09:45:46.650497Z");
        assert_eq!(seconds("-0.0000015").unwrap(), "1969-12-31T23:59:59.999998Z");
        assert_eq!(seconds("0").unwrap(), "1970-01-01T00:00:00Z");
        assert_eq!(seconds("\"2025-10-08T00:00:00Z\"").unwrap(), "2025-10-08T00:00:00Z");
        for unknown in ["1e300", "null", "true", "\"yesterday\"", "1e17"] {
            assert_eq!(seconds(unknown), None, "{unknown}");
        }
    }
}
