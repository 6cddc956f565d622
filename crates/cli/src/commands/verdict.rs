//! `tenure verdict`: cases in, verdicts out, one JSON object a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use tenure_policy::{Answered, Answerer, refuse};

use super::policy::{Sources, print_refusals};
use crate::Exit;

/// The longest line that is read as a case.
const LINE_MAX: usize = 16 << 20;
const BUFFER: usize = 1 << 20;

/// Answer cases with verdicts, one JSON object a line
///
/// Every line of the input is answered by itself. Exit code 2 if any of them was answered with an error.
#[derive(Debug, Args)]
pub(crate) struct Verdict {
    /// A policy file, or a folder of versions of one lineage
    #[arg(long, value_name = "PATH")]
    policy: PathBuf,
    /// The cases, one JSON object a line; `-` reads standard input
    cases: PathBuf,
}

/// How many lines were answered, and how many of them with an error.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    answered: u64,
    errors: u64,
}

impl Verdict {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let sources = Sources::read(&[&self.policy])?;
        let lineage = match sources.compile() {
            Ok(lineage) => lineage,
            Err(refusals) => {
                print_refusals(&sources, &refusals, false, &mut io::stderr().lock())?;
                return Ok(Exit::Refused);
            }
        };
        let input = open(&self.cases)?;
        let output = BufWriter::with_capacity(BUFFER, io::stdout().lock());
        let tally = answer(input, output, &mut Answerer::new(&lineage))?;
        if tally.errors == 0 {
            return Ok(Exit::Done);
        }
        anyhow::bail!(
            "{} of {} cases could not be judged: each is answered with its reason",
            tally.errors,
            tally.answered
        )
    }
}

fn open(path: &Path) -> anyhow::Result<BufReader<Box<dyn Read>>> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let unreadable = || format!("`{}` can't be read: check that it exists", path.display());
        let file = File::open(path).with_context(unreadable)?;
        if file.metadata().with_context(unreadable)?.is_dir() {
            anyhow::bail!("`{}` is a folder: name a file of cases, one JSON object a line", path.display());
        }
        Box::new(file)
    };
    Ok(BufReader::with_capacity(BUFFER, input))
}

/// Answers line by line, in the order of the input; nothing of a line is kept after its answer.
fn answer(
    mut input: impl BufRead,
    mut output: impl Write,
    answerer: &mut Answerer<'_>,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut line = Vec::new();
    let mut out = Vec::new();
    loop {
        line.clear();
        let whole = read_line(&mut input, &mut line).context("the cases can't be read further")?;
        let Some(whole) = whole else { break };
        out.clear();
        let answer = match whole {
            Line::Whole if line.trim_ascii().is_empty() => continue,
            Line::Whole => {
                let case = line.trim_ascii_end();
                // Some editors begin a file with a mark of its byte order, which is no part of any case.
                let unmarked = if tally.answered == 0 { case.strip_prefix(b"\xef\xbb\xbf") } else { None };
                answerer.answer(unmarked.unwrap_or(case), &mut out)
            }
            Line::TooLong => refuse(None, "the line is longer than 16 MiB", &mut out),
        };
        tally.answered += 1;
        tally.errors += u64::from(answer == Answered::Error);
        output.write_all(&out)?;
        // One huge case must not cost its memory for the rest of the input.
        shrink(&mut line);
        shrink(&mut out);
    }
    output.flush()?;
    Ok(tally)
}

fn shrink(buffer: &mut Vec<u8>) {
    if buffer.capacity() > BUFFER {
        *buffer = Vec::new();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Whole,
    TooLong,
}

/// Reads up to the next line end or the end of the input; what goes beyond the limit is skipped.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<Line>> {
    let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX) + 1;
    if input.by_ref().take(limit).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') || line.len() <= LINE_MAX {
        return Ok(Some(Line::Whole));
    }
    input.skip_until(b'\n')?;
    Ok(Some(Line::TooLong))
}
