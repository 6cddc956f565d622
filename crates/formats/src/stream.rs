//! Reading without holding: lines of bounded length, and JSON arrays element by element.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Halt, Violation};
use crate::nesting::Nesting;
use crate::{Format, Place, ReadError};

/// The longest line that is read; a longer one is passed over.
pub(crate) const LONGEST_LINE: usize = 64 << 20;
/// The largest element of an array that is read; it has to fit in memory.
const LARGEST_ELEMENT: u64 = 256 << 20;
const CHUNK: usize = 64 << 10;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Counts the bytes that are read, for a progress bar.
#[derive(Debug)]
pub(crate) struct Metered<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R> Metered<R> {
    pub(crate) const fn new(inner: R, count: Rc<Cell<u64>>) -> Self {
        Self { inner, count }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get().saturating_add(u64::try_from(read).unwrap_or(0)));
        Ok(read)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// One line, without its end.
pub(crate) enum Line<'a> {
    /// The bytes of a line that isn't blank.
    Text(&'a [u8]),
    /// A line that was passed over.
    TooLong,
}

/// Lines of bounded length; blank ones, a byte order mark and carriage returns are passed over.
pub(crate) struct Lines<R> {
    inner: R,
    buffer: Vec<u8>,
    number: u64,
    longest: usize,
}

impl<R: Read> Lines<BufReader<R>> {
    pub(crate) fn new(inner: R) -> Self {
        Self::with_longest(inner, LONGEST_LINE)
    }

    fn with_longest(inner: R, longest: usize) -> Self {
        Self { inner: BufReader::with_capacity(CHUNK, inner), buffer: Vec::new(), number: 0, longest }
    }

    /// The next line that isn't blank, and its number from one.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        loop {
            self.buffer.clear();
            let most = u64::try_from(self.longest).unwrap_or(u64::MAX).saturating_add(1);
            if (&mut self.inner).take(most).read_until(b'\n', &mut self.buffer)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.buffer.len() > self.longest && self.buffer.last() != Some(&b'\n') {
                self.inner.skip_until(b'\n')?;
                return Ok(Some((self.number, Line::TooLong)));
            }
            let text = self.buffer.strip_prefix(BOM).filter(|_| self.number == 1).unwrap_or(&self.buffer);
            if !text.trim_ascii().is_empty() {
                break;
            }
        }
        let text = self.buffer.strip_prefix(BOM).filter(|_| self.number == 1).unwrap_or(&self.buffer);
        Ok(Some((self.number, Line::Text(text.trim_ascii()))))
    }
}

/// Watches the JSON that passes: how deep it is nested and how large an element grows. The parser's
/// own limit does not hold for values that are passed through unread, so it is held here.
struct Guard<R> {
    inner: R,
    nesting: Nesting,
    element: u64,
    largest: u64,
    line: u64,
    column: u64,
    first: Option<u8>,
}

impl<R> Guard<R> {
    const fn new(inner: R, largest: u64) -> Self {
        Self { inner, nesting: Nesting::new(), element: 0, largest, line: 1, column: 0, first: None }
    }

    fn watch(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        for &byte in bytes {
            if byte == b'\n' {
                self.line += 1;
                self.column = 0;
            } else {
                self.column += 1;
            }
            if self.first.is_none() && !byte.is_ascii_whitespace() && !BOM.contains(&byte) {
                self.first = Some(byte);
            }
            let depth = self.nesting.step(byte);
            if depth > Nesting::LIMIT {
                return Err(Violation::TooDeep {
                    line: self.line,
                    column: self.column,
                    limit: Nesting::LIMIT,
                });
            }
            // Between the elements of the outermost array the count starts again.
            self.element = if depth <= 1 && byte == b',' { 0 } else { self.element + 1 };
            if self.element > self.largest {
                return Err(Violation::TooLarge { line: self.line, limit: self.largest });
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.watch(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}

/// Hands out the elements of a JSON array one at a time, or the one object that the document is.
pub(crate) fn elements(
    format: Format,
    file: Option<u64>,
    reader: impl Read,
    each: &mut dyn FnMut(Place, &RawValue) -> Result<(), Halt>,
) -> Result<(), Halt> {
    elements_up_to(LARGEST_ELEMENT, format, file, reader, each)
}

fn elements_up_to(
    largest: u64,
    format: Format,
    file: Option<u64>,
    reader: impl Read,
    each: &mut dyn FnMut(Place, &RawValue) -> Result<(), Halt>,
) -> Result<(), Halt> {
    let mut reader = BufReader::with_capacity(CHUNK, Guard::new(reader, largest));
    let head = reader.fill_buf().map_err(|error| ReadError::from_io(error, file))?;
    if head.is_empty() {
        return Err(ReadError::Empty(format).into());
    }
    let found = crate::sniff::kind(head).unwrap_or("something other than JSON");
    if head.starts_with(BOM) {
        reader.consume(BOM.len());
    }
    let first = reader.get_ref().first;
    let mut parser = serde_json::Deserializer::from_reader(&mut reader);
    let mut halt = None;
    let done = match first {
        Some(b'[') => (&mut parser).deserialize_seq(Outermost { file, each, halt: &mut halt }),
        Some(b'{') => Box::<RawValue>::deserialize(&mut parser).map(|object| {
            halt = each(Place::file(file).element(1), &object).err();
        }),
        _ => return Err(ReadError::WrongFile { format, found }.into()),
    };
    if let Some(halt) = halt {
        return Err(halt);
    }
    done.and_then(|()| parser.end()).map_err(|error| ReadError::from_json(error, file).into())
}

/// The visitor of the outermost array.
struct Outermost<'a> {
    file: Option<u64>,
    each: &'a mut dyn FnMut(Place, &RawValue) -> Result<(), Halt>,
    halt: &'a mut Option<Halt>,
}

impl<'de> Visitor<'de> for Outermost<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of conversations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(element) = elements.next_element_seed(Raw)? {
            number += 1;
            if let Err(halt) = (self.each)(Place::file(self.file).element(number), &element) {
                *self.halt = Some(halt);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

struct Raw;

impl<'de> DeserializeSeed<'de> for Raw {
    type Value = Box<RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Box::<RawValue>::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(largest: u64, text: &[u8]) -> Result<Vec<String>, ReadError> {
        let mut seen = Vec::new();
        elements_up_to(largest, Format::Claude, None, text, &mut |_, element| {
            seen.push(element.get().to_owned());
            Ok(())
        })
        .map(|()| seen)
        .map_err(|halt| match halt {
            Halt::Read(error) => error,
            Halt::Stopped => panic!("nobody stopped"),
        })
    }

    #[test]
    fn an_array_is_handed_out_element_by_element() {
        assert_eq!(
            read(99, b"\xEF\xBB\xBF \r\n[1, {\"a\":[2]} ,\"x\"]\n").unwrap(),
            ["1", "{\"a\":[2]}", "\"x\""]
        );
        assert_eq!(read(99, b" {\"a\":1} ").unwrap(), ["{\"a\":1}"]);
        assert!(read(99, b"[]").unwrap().is_empty());
    }

    #[test]
    fn an_element_that_would_not_fit_is_refused_and_many_small_ones_are_not() {
        assert!(matches!(read(8, b"[\"123456789\"]"), Err(ReadError::TooLarge { .. })));
        assert_eq!(read(8, b"[1,2,3,4,5,6,7,8,9,10,11,12]").unwrap().len(), 12);
    }

    #[test]
    fn a_document_that_ends_in_the_middle_or_goes_on_after_its_end_is_refused() {
        assert!(matches!(read(99, b"[1, 2"), Err(ReadError::CutShort { .. })));
        assert!(matches!(read(99, b"[1, 2] 3"), Err(ReadError::Syntax { .. })));
        assert!(matches!(read(99, b"[1 2]"), Err(ReadError::Syntax { .. })));
        assert!(matches!(read(99, b""), Err(ReadError::Empty(_))));
        assert!(matches!(
            read(99, b"\x89PNG\r\n\x1a\n"),
            Err(ReadError::WrongFile { found: "a PNG image", .. })
        ));
    }

    #[test]
    fn nesting_is_refused_even_where_values_are_passed_through_unread() {
        let bomb = "[".repeat(100_000);
        assert!(matches!(read(1 << 20, bomb.as_bytes()), Err(ReadError::TooDeep { .. })));
        let hidden = format!("[{{\"x\":{}1{}}}]", "[".repeat(200), "]".repeat(200));
        assert!(matches!(read(1 << 20, hidden.as_bytes()), Err(ReadError::TooDeep { .. })));
        let text = format!("[\"{}\"]", "[\\\"".repeat(500));
        assert!(read(1 << 20, text.as_bytes()).is_ok());
    }

    #[test]
    fn lines_are_bounded_and_blank_ones_pass() {
        let text = b"\xEF\xBB\xBFone\r\n\n  \nfar too long\ntwo\nthree";
        let mut lines = Lines::with_longest(&text[..], 8);
        let mut seen = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            seen.push(match line {
                Line::Text(text) => format!("{number}:{}", String::from_utf8_lossy(text)),
                Line::TooLong => format!("{number}!"),
            });
        }
        assert_eq!(seen, ["1:one", "4!", "5:two", "6:three"]);
    }
}
