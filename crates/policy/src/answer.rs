//! The verdict as JSON: the contract of `docs/verdict.md`, one object a line.

use tenure_model::Anchored;

use crate::case::Case;
use crate::facts::Resolved;
use crate::lineage::Lineage;
use crate::verdict::Verdict;

/// Answers cases one after another, with buffers that are used again.
#[derive(Debug)]
pub struct Answerer<'l> {
    lineage: &'l Lineage,
    verdict: Verdict,
}

/// Whether a case could be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// A verdict was written.
    Verdict,
    /// An error was written.
    Error,
}

impl<'l> Answerer<'l> {
    /// An answerer for one lineage.
    pub fn new(lineage: &'l Lineage) -> Self {
        Self { lineage, verdict: Verdict::default() }
    }

    /// Writes the answer to one line of input, with its line end.
    pub fn answer(&mut self, line: &[u8], out: &mut Vec<u8>) -> Answered {
        let case = match Case::from_json(line) {
            Ok(case) => case,
            Err(error) => return refuse(name_of(line).as_deref(), &reason(&error), out),
        };
        let name = case.case.map(serde_json::value::RawValue::get);
        match Resolved::new(self.lineage, &case) {
            Err(error) => refuse(name, &error.to_string(), out),
            Ok(resolved) => {
                self.lineage.judge_into(&resolved.facts(&case), &mut self.verdict);
                write(self.lineage, &case, &self.verdict, out);
                Answered::Verdict
            }
        }
    }
}

/// The name of a case that is JSON, though not a case.
fn name_of(line: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        case: Option<&'a serde_json::value::RawValue>,
    }
    // Only an object has a name; `serde` would take the first item of a list for it.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let named: Named<'_> = serde_json::from_slice(line).ok()?;
    named.case.map(|name| name.get().to_owned())
}

/// What is wrong with a line, and at which column; every case is one line, so the line says nothing.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = text.strip_suffix(&place).unwrap_or(&text);
    format!("column {}: {what}", error.column().max(1))
}

/// Writes an error for a line that can't be judged.
pub fn refuse(name: Option<&str>, reason: &str, out: &mut Vec<u8>) -> Answered {
    out.extend_from_slice(b"{\"case\":");
    out.extend_from_slice(name.unwrap_or("null").as_bytes());
    out.extend_from_slice(b",\"error\":");
    string(reason, out);
    out.extend_from_slice(b"}\n");
    Answered::Error
}

fn string(text: &str, out: &mut Vec<u8>) {
    // Writing to memory can't fail.
    drop(serde_json::to_writer(&mut *out, text));
}

/// Writes members of an object, separated by commas.
fn object<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, mut member: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'{');
    list(out, items, |out, item| member(out, item));
    out.push(b'}');
}

fn list<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, mut item: impl FnMut(&mut Vec<u8>, T)) {
    for (index, each) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        item(out, each);
    }
}

fn key(name: &str, out: &mut Vec<u8>) {
    string(name, out);
    out.push(b':');
}

fn instant(instant: Option<tenure_model::Instant>, out: &mut Vec<u8>) {
    match instant {
        None => out.extend_from_slice(b"null"),
        Some(instant) => {
            out.push(b'"');
            instant.write_rfc3339(out);
            out.push(b'"');
        }
    }
}

fn until(until: Option<Anchored>, out: &mut Vec<u8>) {
    match until {
        Some(Anchored::Indefinite) => out.extend_from_slice(b"\"indefinite\""),
        Some(Anchored::Until(end)) => instant(Some(end), out),
        None => out.extend_from_slice(b"null"),
    }
}

fn write(lineage: &Lineage, case: &Case<'_>, verdict: &Verdict, out: &mut Vec<u8>) {
    let tree = lineage.tree(verdict.judged);
    out.extend_from_slice(b"{\"case\":");
    out.extend_from_slice(case.case.map_or("null", |name| name.get()).as_bytes());
    out.extend_from_slice(b",\"record\":");
    string(&case.record.id, out);
    out.extend_from_slice(b",\"at\":");
    instant(Some(verdict.at), out);
    out.extend_from_slice(b",\"policy\":");
    string(&format!("{}@{}", tree.policy, tree.name), out);
    out.extend_from_slice(b",\"bound\":");
    string(&lineage.tree(verdict.bound).name, out);
    out.extend_from_slice(b",\"must_decide\":");
    out.extend_from_slice(if verdict.must_decide { b"true" } else { b"false" });
    out.extend_from_slice(b",\"standing\":");
    let chosen = tree.purposes.iter().zip(&verdict.standings);
    object(
        out,
        chosen.filter_map(|(purpose, standing)| Some((purpose, (*standing)?))),
        |out, (purpose, standing)| {
            key(&purpose.name, out);
            string(standing.word(), out);
        },
    );
    out.extend_from_slice(b",\"keep\":");
    object(out, tree.classes().zip(&verdict.classes).enumerate(), |out, (index, (name, class))| {
        key(name, out);
        out.extend_from_slice(b"{\"until\":");
        until(class.until, out);
        out.extend_from_slice(b",\"bases\":[");
        let bases = verdict.bases.iter().filter(|(of, _)| *of == index);
        list(out, bases, |out, (_, rule)| out.extend_from_slice(rule.to_string().as_bytes()));
        out.extend_from_slice(b"]}");
    });
    write_held(case, verdict, tree, out);
    out.extend_from_slice(b",\"destroy\":");
    object(out, tree.classes().zip(&verdict.classes), |out, (name, class)| {
        key(name, out);
        instant(class.destroy, out);
    });
    write_uses(case, verdict, tree, out);
    out.extend_from_slice(b"}\n");
}

fn write_held(case: &Case<'_>, verdict: &Verdict, tree: &crate::language::Version, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"held\":");
    let held = tree.classes().enumerate().zip(&verdict.classes).filter(|(_, class)| class.held);
    object(out, held, |out, ((index, name), _)| {
        key(name, out);
        let holds = verdict.holds.iter().filter(|(of, _)| *of == index);
        let mut ids: Vec<&str> = holds.filter_map(|(_, hold)| Some(&*case.holds.get(*hold)?.id)).collect();
        ids.sort_unstable();
        ids.dedup();
        out.push(b'[');
        list(out, ids.into_iter(), |out, id| string(id, out));
        out.push(b']');
    });
}

fn write_uses(case: &Case<'_>, verdict: &Verdict, tree: &crate::language::Version, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"uses\":");
    object(
        out,
        tree.purposes.iter().zip(&verdict.allowed).enumerate(),
        |out, (index, (purpose, allowed))| {
            key(&purpose.name, out);
            out.extend_from_slice(if *allowed {
                b"{\"allowed\":true,\"messages\":["
            } else {
                b"{\"allowed\":false,\"messages\":["
            });
            let messages = verdict.messages.iter().filter(|(of, _)| *of == index);
            list(
                out,
                messages.filter_map(|(_, message)| case.record.messages.get(*message)),
                |out, message| string(&message.id, out),
            );
            out.extend_from_slice(b"]}");
        },
    );
}
