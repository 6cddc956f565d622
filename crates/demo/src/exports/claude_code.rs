//! Folders of Claude Code projects: one line for each block of an answer, summaries after a compaction,
//! subagents in files of their own, sessions that were forked from others.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use tenure_model::Instant;

use super::Export;
use crate::chance::Chance;
use crate::dates::minutes_after;
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
                parent = Some(self.compaction(&mut lines, turn, parent));
            }
            let mut fork = json!(null);
            if number == 0
                && let Some((session, line)) = &self.talk.forked_from
            {
                fork = json!({"sessionId": session, "messageUuid": line});
            }
            if turn.human {
                let message = json!({"role": "user", "content": turn.text});
                lines.push(self.line("user", (&turn.id, parent.as_deref(), turn.at), message, &fork));
                parent = Some(turn.id.clone());
            } else {
                parent = Some(self.answer(&mut lines, turn, parent, number == 1));
            }
        }
        if let Some(last) = self.turns.last() {
            lines.push(json!({"type": "summary", "summary": self.talk.title, "leafUuid": last.id}));
        }
        lines
    }

    /// The program makes room: what was said before comes back as a summary.
    fn compaction(&self, lines: &mut Vec<Value>, turn: &Turn, parent: Option<String>) -> String {
        let (boundary, summary) = (beside(&turn.id, 1), beside(&turn.id, 2));
        lines.push(json!({
            "type": "system", "subtype": "compact_boundary", "uuid": boundary, "parentUuid": null,
            "logicalParentUuid": parent, "sessionId": self.talk.id, "timestamp": turn.at,
            "compactMetadata": {"trigger": "auto"},
        }));
        let text = format!("This session continues an earlier one about {}.", self.talk.title);
        let message = json!({"role": "user", "content": text});
        let mut line = self.line("user", (&summary, Some(&boundary), turn.at), message, &Value::Null);
        if let Some(fields) = line.as_object_mut() {
            fields.insert("isCompactSummary".to_owned(), json!(true));
        }
        lines.push(line);
        summary
    }

    /// An answer is a line for each of its blocks; a tool's result comes between.
    fn answer(
        &self,
        lines: &mut Vec<Value>,
        turn: &Turn,
        parent: Option<String>,
        asks_agent: bool,
    ) -> String {
        let message = |block: Value| {
            json!({"id": format!("msg_{}", turn.id), "role": "assistant", "model": "claude", "content": [block],
                "usage": {"input_tokens": 12, "output_tokens": 40}})
        };
        let text = json!({"type": "text", "text": turn.text});
        lines.push(self.line(
            "assistant",
            (&turn.id, parent.as_deref(), turn.at),
            message(text),
            &Value::Null,
        ));
        let call = json!({"type": "tool_use", "id": "toolu_1", "name": "Task", "input": {"prompt": "look"}});
        let called = beside(&turn.id, 3);
        lines.push(self.line("assistant", (&called, Some(&turn.id), turn.at), message(call), &Value::Null));
        let result = beside(&turn.id, 4);
        let said = json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"}]});
        let mut line = self.line("user", (&result, Some(&called), turn.at), said, &Value::Null);
        if let Some(fields) = line.as_object_mut() {
            let agent = if asks_agent { json!({"agentId": "a1"}) } else { json!({"stdout": "ok"}) };
            fields.insert("toolUseResult".to_owned(), agent);
        }
        lines.push(line);
        result
    }

    /// What a subagent was told and found, of every third session.
    fn subagent(&self) -> Option<Vec<Value>> {
        let [_, second, ..] = self.turns.as_slice() else { return None };
        if !self.talk.id.ends_with(['0', '3', '6', '9', 'c']) {
            return None;
        }
        let (told, found) = (beside(&second.id, 5), beside(&second.id, 6));
        let at = minutes_after(second.at, 0);
        let mut lines = vec![
            self.line("user", (&told, None, at), json!({"role": "user", "content": "look at the tests"}), &Value::Null),
            self.line(
                "assistant",
                (&found, Some(&told), at),
                json!({"id": format!("msg_{found}"), "role": "assistant", "content": [{"type": "text", "text": "Two of them fail."}]}),
                &Value::Null,
            ),
        ];
        for fields in lines.iter_mut().filter_map(Value::as_object_mut) {
            fields.insert("isSidechain".to_owned(), json!(true));
            fields.insert("agentId".to_owned(), json!("a1"));
        }
        Some(lines)
    }

    fn line(
        &self,
        kind: &str,
        (uuid, parent, at): (&str, Option<&str>, Instant),
        message: Value,
        forked_from: &Value,
    ) -> Value {
        let mut line = json!({
            "type": kind, "uuid": uuid, "parentUuid": parent, "sessionId": self.talk.id, "timestamp": at,
            "isSidechain": false, "userType": "external", "cwd": "/home/dev/project", "gitBranch": "main",
            "version": "2.0.0", "message": message,
        });
        if let (Some(fields), false) = (line.as_object_mut(), forked_from.is_null()) {
            fields.insert("forkedFrom".to_owned(), forked_from.clone());
        }
        line
    }
}
