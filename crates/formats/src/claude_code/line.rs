//! One line of a session.

use serde_json::value::RawValue;
use tenure_model::Instant;

use crate::fields::{Fields, text};
use crate::pass::time;
use crate::{Place, Report, Role};

/// What a line says, and how it hangs together with others.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) uuid: Option<String>,
    /// The line before it, and across a compaction the last line before that.
    pub(super) parents: Vec<String>,
    pub(super) session: Option<String>,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    /// A message, or a part of one.
    Said(Box<Said>),
    /// A line that is no message; some of these name the session.
    Aside { reason: &'static str, title: Option<Title> },
    /// A type that nobody has described.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Title {
    pub(super) text: String,
    /// The line whose session is meant, where the title itself names none.
    pub(super) leaf: Option<String>,
}

#[derive(Debug)]
pub(super) struct Said {
    /// Shared by the lines that make up one answer.
    pub(super) message_id: Option<String>,
    pub(super) at: Option<Instant>,
    pub(super) role: Role,
    pub(super) text: String,
    pub(super) blocks: Vec<Box<RawValue>>,
    /// Whether the blocks hold nothing but the text.
    pub(super) only_text: bool,
    pub(super) result: Option<Box<RawValue>>,
    /// The subagent whose result this is.
    pub(super) result_of: Option<String>,
    pub(super) sidechain: bool,
    pub(super) agent: Option<String>,
    pub(super) is_summary: bool,
    pub(super) forked_from: Option<Fork>,
}

/// Where a copied line was copied from.
#[derive(Debug)]
pub(super) struct Fork {
    pub(super) session: Option<String>,
    pub(super) uuid: Option<String>,
}

/// Reads a line.
pub(super) fn parse(report: &mut Report, line: &[u8], place: Place) -> Result<Parsed, &'static str> {
    let fields = Fields::of_line(line)?;
    let kind = fields.text("type").ok_or("no `type`")?;
    let content = match kind.as_str() {
        "user" | "assistant" => Content::Said(Box::new(said(report, &fields, &kind, place)?)),
        "summary" => aside("a title, kept as the session's", title(&fields, &["summary"])),
        "ai-title" => aside("a title, kept as the session's", title(&fields, &["aiTitle", "title"])),
        "custom-title" => aside("a title, kept as the session's", title(&fields, &["customTitle", "title"])),
        "system" => aside("a note of the program (`system`)", None),
        "progress" => aside("a note of progress", None),
        "queue-operation" => aside("an operation on the queue of prompts", None),
        "file-history-snapshot" => aside("a snapshot of the history of files", None),
        "attachment" => aside("an attachment of the program", None),
        "last-prompt" | "agent-name" | "permission-mode" | "tag" | "pr-link" => {
            aside("a note about the session", None)
        }
        _ => Content::Unknown,
    };
    let uuid = fields.text("uuid");
    let session = fields.text("sessionId");
    if matches!(content, Content::Said(_)) {
        // Without an id nothing can be derived from it, and without a session it belongs nowhere.
        uuid.as_ref().ok_or("no `uuid`")?;
        session.as_ref().ok_or("no `sessionId`")?;
    }
    let parents = ["parentUuid", "logicalParentUuid"].iter().filter_map(|key| fields.text(key)).collect();
    Ok(Parsed { uuid, parents, session, content })
}

const fn aside(reason: &'static str, title: Option<Title>) -> Content {
    Content::Aside { reason, title }
}

fn title(fields: &Fields<'_>, keys: &[&str]) -> Option<Title> {
    let text = keys.iter().find_map(|key| fields.text(key)).filter(|text| !text.is_empty())?;
    Some(Title { text, leaf: fields.text("leafUuid") })
}

fn said(report: &mut Report, fields: &Fields<'_>, kind: &str, place: Place) -> Result<Said, &'static str> {
    let message = fields.object("message").ok_or("no `message`, or one that is not an object")?;
    let content = message.get("content").ok_or("a message without `content`")?;
    let body = match text(content) {
        Some(text) => Body { text, ..Body::default() },
        None => {
            Body::of(report, &message.list("content").ok_or("`content` is neither a text nor a list")?, place)
        }
    };
    let is_summary = fields.flag("isCompactSummary");
    let role = match kind {
        "assistant" => Role::Assistant,
        // Neither a summary of the model nor a notice of the program was typed by the person.
        _ if is_summary || fields.flag("isMeta") => Role::System,
        _ if body.only_results => Role::Tool,
        _ => Role::Human,
    };
    let result = fields.get("toolUseResult");
    Ok(Said {
        message_id: (role == Role::Assistant).then(|| message.text("id")).flatten(),
        at: time(report, fields, "timestamp", place),
        role,
        text: body.text,
        blocks: body.blocks,
        only_text: body.only_text,
        result: result.map(ToOwned::to_owned),
        result_of: result.and_then(Fields::of).and_then(|result| result.text("agentId")),
        sidechain: fields.flag("isSidechain"),
        agent: fields.text("agentId"),
        is_summary,
        forked_from: fields.get("forkedFrom").map(fork),
    })
}

fn fork(value: &RawValue) -> Fork {
    let fields = Fields::of(value);
    let field =
        |keys: [&str; 2]| fields.as_ref().and_then(|fields| keys.iter().find_map(|key| fields.text(key)));
    Fork { session: field(["sessionId", "session"]), uuid: field(["messageUuid", "uuid"]) }
}

/// The blocks of a message and what they say.
struct Body {
    text: String,
    blocks: Vec<Box<RawValue>>,
    only_text: bool,
    only_results: bool,
}

impl Default for Body {
    fn default() -> Self {
        Self { text: String::new(), blocks: Vec::new(), only_text: true, only_results: false }
    }
}

impl Body {
    fn of(report: &mut Report, blocks: &[&RawValue], place: Place) -> Self {
        let mut body = Self { only_results: !blocks.is_empty(), ..Self::default() };
        let mut parts = Vec::new();
        for block in blocks {
            let fields = Fields::of(block);
            let kind = fields.as_ref().and_then(|fields| fields.text("type"));
            body.only_results &= kind.as_deref() == Some("tool_result");
            match kind.as_deref() {
                Some("text") => {
                    let said = fields.and_then(|fields| fields.text("text"));
                    body.only_text &= said.is_some();
                    parts.extend(said);
                }
                Some(
                    "thinking" | "redacted_thinking" | "tool_use" | "tool_result" | "image" | "document",
                ) => {
                    body.only_text = false;
                }
                _ => {
                    body.only_text = false;
                    report.remark("content block of an unknown type, kept as it is", place);
                    parts.extend(text(block));
                }
            }
            body.blocks.push((*block).to_owned());
        }
        parts.retain(|part| !part.is_empty());
        body.text = parts.join("\n\n");
        body
    }
}
