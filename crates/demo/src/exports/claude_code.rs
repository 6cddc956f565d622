//! Folders of Claude Code projects: one line for each block of an answer, summaries after a compaction,
//! subagents in files of their own, sessions that were forked from others.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use tenure_model::Instant;

use super::Export;
use crate::chance::Chance;
use crate::world::{Talk, Turn};

/// Writes a `projects` folder.
pub(super) fn projects(export: Export<'_>, folder: &Path) -> io::Result<()> {
    for talk in export.talks {
        let project = folder.join("-home-dev-project");
        fs::create_dir_all(&project)?;
        let session = Session { talk, turns: talk.turns_by(export.by).collect() };
        write(&project.join(format!("{}.jsonl", talk.id)), &session.lines())?;
        if let Some(agent) = session.subagent() {
            let folder = project.join(&talk.id).join("subagents");
            fs::create_dir_all(&folder)?;
            write(&folder.join("agent-a1.jsonl"), &agent)?;
        }
    }
    Ok(())
}

fn write(path: &Path, lines: &[Value]) -> io::Result<()> {
    let mut out = io::BufWriter::new(fs::File::create(path)?);
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    out.flush()
}

/// An id for a line that belongs to a turn, the same in every export.
fn beside(id: &str, number: u64) -> String {
    let seed = id.bytes().fold(number, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Chance::new(seed).uuid()
}

/// The one subagent of a session.
const AGENT: &str = "a1";

struct Session<'a> {
    talk: &'a Talk,
    turns: Vec<&'a Turn>,
}

impl Session<'_> {
    fn lines(&self) -> Vec<Value> {
        let mut lines = Vec::new();
        let mut parent: Option<String> = None;
        let mut sitting = 0;
        for (number, turn) in self.turns.iter().enumerate() {
            if turn.sitting > sitting {
                sitting = turn.sitting;
                parent = Some(self.compaction(&mut lines, turn, parent.as_deref()));
            }
            if !turn.human {
                parent = Some(self.answer(&mut lines, turn, parent.as_deref(), number == 1));
                continue;
            }
            let message = json!({"role": "user", "content": turn.text});
            let line = self.line("user", (&turn.id, parent.as_deref(), turn.at), &message);
            lines.push(match &self.talk.forked_from {
                Some((session, line_id)) if number == 0 => {
                    with(line, "forkedFrom", json!({"sessionId": session, "messageUuid": line_id}))
                }
                _ => line,
            });
            parent = Some(turn.id.clone());
        }
        if let Some(last) = self.turns.last() {
            lines.push(json!({"type": "summary", "summary": self.talk.title, "leafUuid": last.id}));
        }
        lines
    }

    /// The program makes room: what was said before comes back as a summary.
    fn compaction(&self, lines: &mut Vec<Value>, turn: &Turn, parent: Option<&str>) -> String {
        let (boundary, summary) = (beside(&turn.id, 1), beside(&turn.id, 2));
        lines.push(json!({
            "type": "system", "subtype": "compact_boundary", "uuid": boundary, "parentUuid": null,
            "logicalParentUuid": parent, "sessionId": self.talk.id, "timestamp": turn.at,
            "compactMetadata": {"trigger": "auto"},
        }));
        let text = format!("This session continues an earlier one about {}.", self.talk.title);
        let message = json!({"role": "user", "content": text});
        let line = self.line("user", (&summary, Some(&boundary), turn.at), &message);
        lines.push(with(line, "isCompactSummary", json!(true)));
        summary
    }

    /// An answer is a line for each of its blocks; a tool's result comes after.
    fn answer(&self, lines: &mut Vec<Value>, turn: &Turn, parent: Option<&str>, asks_agent: bool) -> String {
        let (called, result) = (beside(&turn.id, 3), beside(&turn.id, 4));
        let text = says(&turn.id, &json!({"type": "text", "text": turn.text}));
        lines.push(self.line("assistant", (&turn.id, parent, turn.at), &text));
        let call = json!({"type": "tool_use", "id": "toolu_1", "name": "Task", "input": {"prompt": "look"}});
        let call = says(&turn.id, &call);
        lines.push(self.line("assistant", (&called, Some(&turn.id), turn.at), &call));
        let done = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"});
        let done = json!({"role": "user", "content": [done]});
        let line = self.line("user", (&result, Some(&called), turn.at), &done);
        let returned = if asks_agent { json!({"agentId": AGENT}) } else { json!({"stdout": "ok"}) };
        lines.push(with(line, "toolUseResult", returned));
        result
    }

    /// What a subagent was told and found, of about every third session.
    fn subagent(&self) -> Option<Vec<Value>> {
        let [_, second, ..] = self.turns.as_slice() else { return None };
        if !self.talk.id.ends_with(['0', '3', '6', '9', 'c']) {
            return None;
        }
        let (told, found) = (beside(&second.id, 5), beside(&second.id, 6));
        let order = json!({"role": "user", "content": "look at the tests"});
        let answer = says(&found, &json!({"type": "text", "text": "Two of them fail."}));
        let lines = [
            self.line("user", (&told, None, second.at), &order),
            self.line("assistant", (&found, Some(&told), second.at), &answer),
        ];
        let aside = |line| with(with(line, "isSidechain", json!(true)), "agentId", json!(AGENT));
        Some(lines.into_iter().map(aside).collect())
    }

    fn line(&self, kind: &str, (uuid, parent, at): (&str, Option<&str>, Instant), message: &Value) -> Value {
        json!({
            "type": kind, "uuid": uuid, "parentUuid": parent, "sessionId": self.talk.id, "timestamp": at,
            "isSidechain": false, "userType": "external", "cwd": "/home/dev/project", "gitBranch": "main",
            "version": "2.0.0", "message": message,
        })
    }
}

/// A block of an answer. The blocks of one answer share an id.
fn says(answer: &str, block: &Value) -> Value {
    json!({
        "id": format!("msg_{answer}"), "role": "assistant", "model": "claude", "content": [block],
        "usage": {"input_tokens": 12, "output_tokens": 40},
    })
}

/// A line with one more field.
fn with(mut line: Value, field: &str, value: Value) -> Value {
    if let Some(fields) = line.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
    line
}
