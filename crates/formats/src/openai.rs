//! Messages as OpenAI's fine-tuning takes them. There are no ids, no times and no accounts.

use tenure_model::Kind;

use crate::fields::{Fields, text};
use crate::{Conversation, Message, Place, Report, Role};

/// The fields of a message; all but the first two hold more than its text.
const KNOWN: &[&str] =
    &["role", "content", "tool_calls", "tool_call_id", "function_call", "refusal", "audio", "name"];

/// Reads one conversation.
pub(crate) fn conversation(
    report: &mut Report,
    record: &Fields<'_>,
    place: Place,
) -> Result<Conversation, &'static str> {
    let messages = listed(report, record, "messages", place, message).ok_or("no `messages`")?;
    for (name, _) in record.iter().filter(|(name, _)| *name != "messages") {
        report.remark_word("field of a conversation, left out:", name, place);
    }
    Ok(untimed(report, None, messages, place))
}

/// The messages that a field of a conversation lists; `None` if there is no such list.
pub(crate) fn listed(
    report: &mut Report,
    record: &Fields<'_>,
    name: &str,
    place: Place,
    read: impl Fn(&mut Report, &Fields<'_>, Place) -> Result<Message, &'static str>,
) -> Option<Vec<Message>> {
    let values = record.list(name)?;
    let mut messages = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        report.messages.seen += 1;
        let place = place.message(index);
        match Fields::of(value).ok_or("not a JSON object").and_then(|fields| read(report, &fields, place)) {
            Ok(message) => messages.push(message),
            Err(why) => report.messages.fail(why, place),
        }
    }
    Some(messages)
}

/// A conversation of a format that has neither accounts nor times.
pub(crate) fn untimed(
    report: &mut Report,
    external_id: Option<String>,
    messages: Vec<Message>,
    place: Place,
) -> Conversation {
    if !messages.is_empty() {
        report.remark("conversation without times: they are unknown, so never trainable", place);
    }
    Conversation {
        external_id,
        account: None,
        title: None,
        kind: Kind::Chat,
        created_at: None,
        surface: None,
        mode: None,
        country: None,
        scanned: None,
        messages,
    }
}

fn message(report: &mut Report, fields: &Fields<'_>, place: Place) -> Result<Message, &'static str> {
    let role = match fields.text("role").as_deref() {
        Some("user") => Role::Human,
        Some("assistant") => Role::Assistant,
        Some("system" | "developer") => Role::System,
        Some("tool" | "function") => Role::Tool,
        Some(_) => return Err("unknown `role`"),
        None => return Err("no `role`"),
    };
    for (name, _) in fields.iter().filter(|(name, _)| !KNOWN.contains(name)) {
        report.remark_word("unknown field of a message, kept:", name, place);
    }
    if let Some(said) = fields.text("content") {
        return Ok(Message { content: fields.beyond(&["role", "content"]), ..Message::new(role, said) });
    }
    let parts = fields.list("content").unwrap_or_default();
    let said: Vec<String> =
        parts.iter().filter_map(|part| text(part).or_else(|| Fields::of(part)?.text("text"))).collect();
    Ok(Message { content: fields.beyond(&["role"]), ..Message::new(role, said.join("\n\n")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_tools_are_kept_beside_the_text() {
        let line = br#"{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"u"}}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"t"}]},{"role":"tool","tool_call_id":"t","content":"42"},{"role":"ghost","content":"boo"}]}"#;
        let mut report = Report::default();
        let conversation =
            conversation(&mut report, &Fields::of_line(line).unwrap(), Place::default()).unwrap();
        let roles: Vec<Role> = conversation.messages.iter().map(|message| message.role).collect();
        assert_eq!(roles, [Role::System, Role::Human, Role::Assistant, Role::Tool]);
        let contents: Vec<Option<&str>> = conversation
            .messages
            .iter()
            .map(|message| message.content.as_ref().map(|raw| raw.get()))
            .collect();
        assert_eq!(contents[0], None);
        assert!(contents[1].unwrap().contains("image_url"));
        assert_eq!(contents[2], Some(r#"{"tool_calls":[{"id":"t"}]}"#));
        assert_eq!(contents[3], Some(r#"{"tool_call_id":"t"}"#));
        assert!(conversation.messages.iter().all(|message| message.id.is_none() && message.at.is_none()));
        assert_eq!((report.messages.seen, report.messages.not_understood_total()), (5, 1));
    }
}
