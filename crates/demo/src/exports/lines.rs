//! Formats of one conversation a line: OpenAI's messages, ShareGPT and Tenure's own.

use serde_json::{Value, json};
use tenure_model::Instant;

use super::Export;
use crate::world::{Talk, Turn, World};

pub(super) fn openai(export: Export<'_>) -> impl Iterator<Item = Value> {
    export.talks.iter().map(move |talk| {
        let turn = |turn: &Turn| {
            json!({"role": if turn.human { "user" } else { "assistant" }, "content": turn.text})
        };
        let turns = talk.turns_by(export.by).filter(|turn| !turn.left).map(turn);
        let system = json!({"role": "system", "content": "Be brief."});
        json!({"messages": std::iter::once(system).chain(turns).collect::<Value>()})
    })
}

pub(super) fn sharegpt(export: Export<'_>) -> impl Iterator<Item = Value> {
    export.talks.iter().map(move |talk| {
        let turn =
            |turn: &Turn| json!({"from": if turn.human { "human" } else { "gpt" }, "value": turn.text});
        let turns = talk.turns_by(export.by).filter(|turn| !turn.left).map(turn);
        json!({"id": talk.id, "conversations": turns.collect::<Value>()})
    })
}

pub(super) fn conversations(export: Export<'_>) -> impl Iterator<Item = Value> {
    export.talks.iter().map(move |talk| conversation(export, talk))
}

fn conversation(export: Export<'_>, talk: &Talk) -> Value {
    let Some(person) = export.world.owner(talk) else { return Value::Null };
    let turn = |turn: &Turn| {
        let role = if turn.human { "human" } else { "assistant" };
        json!({"id": turn.id, "at": turn.at, "role": role, "text": turn.text})
    };
    json!({
        "type": "conversation",
        "id": talk.id,
        "account": person.id,
        "kind": "chat",
        "title": talk.title,
        "surface": talk.surface,
        "mode": talk.mode,
        "country": person.country,
        "scanned": true,
        "messages": talk.turns_by(export.by).map(turn).collect::<Value>(),
    })
}

/// Who everyone is that has an account by then.
pub(super) fn accounts(world: &World, by: Instant) -> impl Iterator<Item = Value> {
    world.people.iter().filter(move |person| person.opened <= by).map(|person| {
        json!({
            "type": "account",
            "id": person.id,
            "country": person.country,
            "minor": person.minor,
            "opened_at": person.opened,
        })
    })
}
