//! Sessions of Claude Code: one file, or a folder of projects with everything below it.
//!
//! A session can be spread over several files (subagents, resumed sessions), so the files are first
//! surveyed for the sessions they hold and then read in groups that share one. One group is in memory
//! at a time.

mod line;
mod lineage;
mod session;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Halt;
use crate::pass::{LINE_TOO_LONG, Pass};
use crate::stream::{Line, Lines};
use crate::{Item, Place, ReadError, Report};

use line::{Content, Parsed};
use session::Group;

const UNKNOWN_TYPE: &str = "unknown `type`";

struct Source {
    path: PathBuf,
    /// None where there is but one file.
    number: Option<u64>,
    group: usize,
}

/// Reads a session file or a folder of them.
pub(crate) fn run(pass: &mut Pass<'_>, path: &Path) -> Result<(), Halt> {
    let io = |source| ReadError::Io { place: Place::default(), source };
    let mut sources = if fs::metadata(path).map_err(io)?.is_dir() {
        find(&mut pass.report, path).map_err(io)?
    } else {
        pass.report.files.seen += 1;
        drop(pass.open(path)?);
        vec![Source { path: path.to_owned(), number: None, group: 0 }]
    };
    if sources.is_empty() {
        return Err(ReadError::NoSessions.into());
    }
    let sizes = sources.iter().filter_map(|source| fs::metadata(&source.path).ok());
    let total: u64 = sizes.map(|metadata| metadata.len()).sum();
    // The survey reads every file, and so does the reading.
    pass.expect_bytes(if pass.is_inspection() { total } else { total.saturating_mul(2) });
    survey(pass, &mut sources)?;
    if pass.is_inspection() {
        return Ok(());
    }
    let mut groups: Vec<Vec<Source>> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    for source in sources {
        let place = *places.entry(source.group).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(source),
            None => groups.push(vec![source]),
        }
    }
    groups.iter().try_for_each(|group| read_group(pass, group))
}

/// All `.jsonl` files below a folder, sorted by path. Symbolic links are not followed: they could lead
/// out of the folder, or round in a circle.
fn find(report: &mut Report, folder: &Path) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
                continue;
            }
            report.files.seen += 1;
            if kind.is_symlink() {
                report.files.skip("symbolic link, not followed");
            } else if kind.is_file() && entry.path().extension().is_some_and(|extension| extension == "jsonl")
            {
                found.push(entry.path());
            } else {
                report.files.skip("not a `.jsonl` file");
            }
        }
    }
    found.sort();
    let numbered = found.into_iter().zip(1..);
    Ok(numbered.map(|(path, number)| Source { path, number: Some(number), group: 0 }).collect())
}

/// Finds out which files share a session, and that there is anything to be understood at all.
fn survey(pass: &mut Pass<'_>, sources: &mut [Source]) -> Result<(), Halt> {
    let mut group_of: HashMap<String, usize> = HashMap::new();
    let mut merged: Vec<usize> = (0..sources.len()).collect();
    let mut trouble = None;
    let (mut seen, mut understood) = (0_u64, false);
    for (number, source) in sources.iter().enumerate() {
        let mut ignored = Report::default();
        each_line(pass, source, &mut |_, place, line| {
            seen += 1;
            match line.and_then(|line| line::parse(&mut ignored, line, place)) {
                Ok(Parsed { content: Content::Unknown, .. }) => {
                    trouble.get_or_insert((place, UNKNOWN_TYPE));
                }
                Ok(parsed) => {
                    understood = true;
                    let Some(session) = parsed.session else { return };
                    let mine = merged.get(number).copied().unwrap_or(number);
                    let theirs = *group_of.entry(session).or_insert(mine);
                    let theirs = merged.get(theirs).copied().unwrap_or(theirs);
                    if mine != theirs {
                        merged.iter_mut().filter(|group| **group == mine).for_each(|group| *group = theirs);
                    }
                }
                Err(why) => {
                    trouble.get_or_insert((place, why));
                }
            }
        })?;
    }
    for (source, group) in sources.iter_mut().zip(merged) {
        source.group = group;
    }
    match trouble {
        Some((place, why)) if !understood => {
            Err(ReadError::NothingUnderstood { format: pass.format, seen, place, why }.into())
        }
        None if seen == 0 => Err(ReadError::Empty(pass.format).into()),
        _ => Ok(()),
    }
}

type LineSink<'a> = &'a mut dyn FnMut(&mut Pass<'_>, Place, Result<&[u8], &'static str>);

fn each_line(pass: &mut Pass<'_>, source: &Source, each: LineSink<'_>) -> Result<(), ReadError> {
    let place = Place::file(source.number);
    let failed = |source| ReadError::Io { place, source };
    let mut lines = Lines::new(pass.metered(pass.open(&source.path)?));
    while let Some((number, line)) = lines.next().map_err(failed)? {
        let line = match line {
            Line::Text(text) => Ok(text),
            Line::TooLong => Err(LINE_TOO_LONG),
        };
        each(pass, place.line(number), line);
        pass.tick();
    }
    Ok(())
}

fn read_group(pass: &mut Pass<'_>, sources: &[Source]) -> Result<(), Halt> {
    let mut group = Group::default();
    for source in sources {
        group.begin_file();
        each_line(pass, source, &mut |pass, place, line| {
            pass.report.records.seen += 1;
            match line.and_then(|line| line::parse(&mut pass.report, line, place)) {
                Ok(parsed) => keep(pass, &mut group, parsed, place),
                Err(why) => pass.not_understood(why, place),
            }
        })?;
        pass.report.files.read += 1;
    }
    for conversation in group.conversations(&mut pass.report) {
        pass.hand_out(Item::Conversation(conversation))?;
    }
    Ok(())
}

/// Counts a line and puts it with its session.
fn keep(pass: &mut Pass<'_>, group: &mut Group, parsed: Parsed, place: Place) {
    match &parsed.content {
        Content::Said(_) if group.is_known(&parsed) => {
            pass.report.records.skip("a line whose `uuid` an earlier line has");
            return;
        }
        Content::Said(_) => pass.report.records.read += 1,
        Content::Aside { reason, .. } => pass.report.records.skip(reason),
        Content::Unknown => pass.not_understood(UNKNOWN_TYPE, place),
    }
    group.add(parsed);
}
