//! Exports of ChatGPT: each conversation a tree, with the branches that were left.

use serde_json::{Map, Value, json};
use tenure_model::Instant;

use super::Export;
use crate::world::{Talk, Turn};

/// `conversations.json` of the zip.
pub(super) fn conversations(export: Export<'_>) -> Value {
    export.talks.iter().map(|talk| conversation(export, talk)).collect()
}

/// Seconds since the epoch with a fraction, as these exports count.
fn seconds(at: Instant) -> Value {
    let micros = at.micros();
    serde_json::from_str(&format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000)))
        .unwrap_or_default()
}

fn conversation(export: Export<'_>, talk: &Talk) -> Value {
    let turns: Vec<&Turn> = talk.turns_by(export.by).collect();
    let account = export.world.owner(talk).map_or("", |person| person.id.as_str());
    let root = format!("{}-root", talk.id);
    let mut nodes = vec![(root.clone(), None, Value::Null)];
    let mut parent = root;
    for turn in &turns {
        nodes.push((turn.id.clone(), Some(parent.clone()), message(turn)));
        if !turn.left {
            parent.clone_from(&turn.id);
        }
    }
    let children = |id: &str| -> Value {
        nodes.iter().filter(|(_, of, _)| of.as_deref() == Some(id)).map(|(id, ..)| id.clone()).collect()
    };
    let mapping: Map<String, Value> = nodes
        .iter()
        .map(|(id, parent, message)| {
            (id.clone(), json!({"id": id, "parent": parent, "children": children(id), "message": message}))
        })
        .collect();
    json!({
        "id": talk.id,
        "conversation_id": talk.id,
        "user_id": account,
        "title": talk.title,
        "create_time": seconds(talk.began()),
        "update_time": seconds(turns.last().map_or(talk.began(), |turn| turn.at)),
        "mapping": mapping,
        "current_node": parent,
        "is_archived": false,
        "moderation_results": [],
    })
}

fn message(turn: &Turn) -> Value {
    json!({
        "id": turn.id,
        "author": {"role": if turn.human { "user" } else { "assistant" }, "name": null, "metadata": {}},
        "create_time": seconds(turn.at),
        "update_time": null,
        "content": {"content_type": "text", "parts": [turn.text]},
        "status": "finished_successfully",
        "end_turn": true,
        "weight": 1.0,
        "metadata": {},
        "recipient": "all",
        "channel": null,
    })
}
