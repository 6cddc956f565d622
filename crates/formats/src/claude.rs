//! Exports of Claude.ai, and single conversations as the web client has them.

use serde_json::value::RawValue;
use tenure_model::Kind;

use crate::fields::{Fields, text};
use crate::pass::{instant, time};
use crate::tree::Tree;
use crate::{Conversation, Message, Place, Report, Role};

/// The fields of a message that are no part of what was said, besides `content` where it is only text.
const ABOUT: &[&str] = &[
    "content",
    "uuid",
    "sender",
    "text",
    "created_at",
    "updated_at",
    "parent_message_uuid",
    "index",
    "truncated",
    "stop_reason",
    "input_mode",
];
/// The fields of a message that are known to hold more than its text.
const KNOWN: &[&str] = &["attachments", "files", "files_v2", "sync_sources"];

/// Reads one conversation.
pub(crate) fn conversation(
    report: &mut Report,
    record: &Fields<'_>,
    place: Place,
) -> Result<Conversation, &'static str> {
    let listed = record.list("chat_messages").ok_or("no `chat_messages`")?;
    let mut messages = Vec::with_capacity(listed.len());
    let mut parents = Vec::with_capacity(listed.len());
    for (index, value) in listed.into_iter().enumerate() {
        let place = place.message(index);
        report.messages.seen += 1;
        match Fields::of(value).ok_or("not a JSON object").and_then(|fields| {
            message(report, &fields, place).map(|message| (message, fields.text("parent_message_uuid")))
        }) {
            Ok((message, parent)) => {
                messages.push(message);
                parents.push(parent);
            }
            Err(why) => report.messages.fail(why, place),
        }
    }
    mark_dead_branches(report, record.text("current_leaf_message_uuid"), &mut messages, &parents, place);
    Ok(Conversation {
        external_id: record.text("uuid"),
        account: record.object("account").and_then(|account| account.text("uuid")),
        title: record.text("name").filter(|name| !name.is_empty()),
        kind: Kind::Chat,
        created_at: record.get("created_at").and_then(instant),
        surface: None,
        mode: None,
        country: None,
        scanned: None,
        messages,
    })
}

fn message(report: &mut Report, fields: &Fields<'_>, place: Place) -> Result<Message, &'static str> {
    let role = match fields.text("sender").as_deref() {
        Some("human") => Role::Human,
        Some("assistant") => Role::Assistant,
        Some(_) => return Err("unknown `sender`"),
        None => return Err("no `sender`"),
    };
    let blocks = fields.list("content");
    let collected = collect(report, blocks.as_deref().unwrap_or_default(), place);
    // Old exports have only `text`; new ones may leave it empty.
    let text =
        if collected.text.is_empty() { fields.text("text").unwrap_or_default() } else { collected.text };
    let only_text = collected.only_text && (blocks.is_some() || fields.get("content").is_none());
    let about = if only_text { ABOUT } else { ABOUT.get(1..).unwrap_or_default() };
    for (name, _) in fields.iter().filter(|(name, _)| !ABOUT.contains(name) && !KNOWN.contains(name)) {
        report.remark_word("unknown field of a message, kept:", name, place);
    }
    Ok(Message {
        id: fields.text("uuid"),
        at: time(report, fields, "created_at", place),
        content: fields.beyond(about),
        ..Message::new(role, text)
    })
}

struct Collected {
    text: String,
    /// Whether the blocks hold nothing but the text.
    only_text: bool,
}

/// The text of the blocks; every block of another type is kept as it is.
fn collect(report: &mut Report, blocks: &[&RawValue], place: Place) -> Collected {
    let mut parts = Vec::new();
    let mut only_text = true;
    for block in blocks {
        let fields = Fields::of(block);
        let kind = fields.as_ref().and_then(|fields| fields.text("type"));
        match (kind.as_deref(), &fields) {
            (Some("text"), Some(fields)) => {
                let said = fields.text("text");
                let cited = fields.list("citations").is_some_and(|citations| !citations.is_empty());
                only_text &= said.is_some() && !cited;
                parts.extend(said);
            }
            (Some("voice_note"), Some(fields)) => {
                only_text = false;
                parts.extend(fields.text("text"));
            }
            (Some("thinking" | "tool_use" | "tool_result"), _) => only_text = false,
            _ => {
                only_text = false;
                report.remark("content block of an unknown type, kept as it is", place);
                parts.extend(text(block));
            }
        }
    }
    parts.retain(|part| !part.is_empty());
    Collected { text: parts.join("\n\n"), only_text }
}

/// Only messages that name their parents can form branches.
fn mark_dead_branches(
    report: &mut Report,
    leaf: Option<String>,
    messages: &mut [Message],
    parents: &[Option<String>],
    place: Place,
) {
    if parents.iter().all(Option::is_none) {
        return;
    }
    let nodes: Vec<(&str, Option<&str>)> = messages
        .iter()
        .zip(parents)
        .map(|(message, parent)| (message.id.as_deref().unwrap_or_default(), parent.as_deref()))
        .collect();
    let leaf = leaf.and_then(|leaf| nodes.iter().position(|(id, _)| *id == leaf));
    let live = Tree::new(&nodes).live(leaf);
    if leaf.is_none() && live.len() < messages.len() {
        report.remark("branches, and no current leaf: everything after the first fork counts as left", place);
    }
    for (number, message) in messages.iter_mut().enumerate() {
        message.dead_branch = !live.contains(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> (Conversation, Report) {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        let mut report = Report::default();
        let conversation = conversation(&mut report, &Fields::of(&raw).unwrap(), Place::default()).unwrap();
        (conversation, report)
    }

    #[test]
    fn old_exports_have_only_text_and_new_ones_only_blocks() {
        let (conversation, report) = read(
            r#"{"uuid":"c","name":"","account":{"uuid":"a"},"created_at":"2025-01-01T00:00:00Z","chat_messages":[
            {"uuid":"m1","sender":"human","text":"old","created_at":"2025-01-01T00:00:00.123456Z"},
            {"uuid":"m2","sender":"assistant","text":"","created_at":null,"content":[
              {"type":"thinking","thinking":"hm"},{"type":"text","text":"one","citations":[]},
              {"type":"tool_use","name":"t","input":{}},{"type":"hologram","x":1},{"type":"text","text":"two"}]},
            {"uuid":"m3","sender":"human","text":"t","created_at":"never","attachments":[{"extracted_content":"file"}]},
            {"uuid":"m4","sender":"robot","text":"t"}, 7]}"#,
        );
        assert_eq!(conversation.account.as_deref(), Some("a"));
        assert_eq!(conversation.title, None);
        let [old, new, attached] = &conversation.messages[..] else { panic!("three messages") };
        assert_eq!((old.text.as_str(), old.content.is_none()), ("old", true));
        assert_eq!(old.at.unwrap().to_string(), "2025-01-01T00:00:00.123456Z");
        assert_eq!((new.text.as_str(), new.at), ("one\n\ntwo", None));
        assert!(new.content.as_ref().unwrap().get().contains("hologram"));
        assert_eq!(
            attached.content.as_ref().unwrap().get(),
            r#"{"attachments":[{"extracted_content":"file"}]}"#
        );
        assert_eq!((report.messages.seen, report.messages.not_understood_total()), (5, 2));
        assert_eq!(report.remarks.len(), 3);
    }

    #[test]
    fn messages_that_name_parents_can_lie_on_dead_branches() {
        let text = r#"{"uuid":"c",LEAF"chat_messages":[
            {"uuid":"m1","sender":"human","text":"a","parent_message_uuid":"00000000-0000-4000-8000-000000000000"},
            {"uuid":"m2","sender":"assistant","text":"b","parent_message_uuid":"m1"},
            {"uuid":"m3","sender":"assistant","text":"c","parent_message_uuid":"m1"}]}"#;
        let dead =
            |json: &str| -> Vec<bool> { read(json).0.messages.iter().map(|m| m.dead_branch).collect() };
        assert_eq!(dead(&text.replace("LEAF", r#""current_leaf_message_uuid":"m3","#)), [false, true, false]);
        assert_eq!(dead(&text.replace("LEAF", "")), [false, true, true]);
    }
}
