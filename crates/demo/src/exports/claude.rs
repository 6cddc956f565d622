//! Exports of Claude.ai.

use serde_json::{Value, json};

use super::Export;
use crate::world::{Talk, Turn};

/// `conversations.json` of the zip.
pub(super) fn conversations(export: Export<'_>) -> Value {
    export.talks.iter().map(|talk| conversation(export, talk)).collect()
}

/// `users.json` of the zip.
pub(super) fn users(export: Export<'_>) -> Value {
    let mut ids: Vec<&str> = export
        .talks
        .iter()
        .filter_map(|talk| export.world.owner(talk))
        .map(|person| person.id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.iter().map(|id| json!({"uuid": id, "full_name": "", "email_address": ""})).collect()
}

/// One conversation, which is also what the web client has.
pub(super) fn conversation(export: Export<'_>, talk: &Talk) -> Value {
    let turns: Vec<&Turn> = talk.turns_by(export.by).collect();
    let account = export.world.owner(talk).map_or("", |person| person.id.as_str());
    let updated = turns.last().map_or(talk.began(), |turn| turn.at);
    let mut parent = "00000000-0000-4000-8000-000000000000";
    let mut messages = Vec::with_capacity(turns.len());
    for (index, turn) in turns.iter().enumerate() {
        messages.push(message(turn, index, parent));
        // An answer that was left has the same parent as the one that the person went on from.
        if !turn.left {
            parent = &turn.id;
        }
    }
    json!({
        "uuid": talk.id,
        "name": talk.title,
        "summary": "",
        "created_at": talk.began(),
        "updated_at": updated,
        "account": {"uuid": account},
        "current_leaf_message_uuid": parent,
        "chat_messages": messages,
    })
}

fn message(turn: &Turn, index: usize, parent: &str) -> Value {
    let mut content = Vec::new();
    if !turn.human && index % 4 == 1 {
        content.push(json!({"type": "thinking", "thinking": "What matters most here?", "summaries": [], "cut_off": false}));
    }
    content.push(json!({"type": "text", "text": turn.text, "citations": [], "start_timestamp": turn.at, "stop_timestamp": turn.at}));
    let attachments = if turn.human && index == 2 {
        json!([{"file_name": "notes.txt", "file_size": 21, "file_type": "txt", "extracted_content": "what I know so far"}])
    } else {
        json!([])
    };
    json!({
        "uuid": turn.id,
        "sender": if turn.human { "human" } else { "assistant" },
        "text": turn.text,
        "content": content,
        "created_at": turn.at,
        "updated_at": turn.at,
        "attachments": attachments,
        "files": [],
        "parent_message_uuid": parent,
        "index": index,
        "truncated": false,
    })
}
