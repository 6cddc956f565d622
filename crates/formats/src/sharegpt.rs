//! ShareGPT files. There are no ids of messages, no times and no accounts.

use crate::fields::{Fields, text};
use crate::openai::{listed, untimed};
use crate::{Conversation, Message, Place, Report, Role};

/// Reads one conversation.
pub(crate) fn conversation(
    report: &mut Report,
    record: &Fields<'_>,
    place: Place,
) -> Result<Conversation, &'static str> {
    let messages = listed(report, record, "conversations", place, message).ok_or("no `conversations`")?;
    for (name, _) in record.iter().filter(|(name, _)| !matches!(*name, "id" | "conversations")) {
        report.remark_word("field of a conversation, left out:", name, place);
    }
    let id = record.get("id").map(|id| text(id).unwrap_or_else(|| id.get().to_owned()));
    Ok(untimed(report, id, messages, place))
}

fn message(report: &mut Report, fields: &Fields<'_>, place: Place) -> Result<Message, &'static str> {
    let role = match fields.text("from").as_deref() {
        Some("human" | "user") => Role::Human,
        Some("gpt" | "assistant" | "chatgpt" | "bing" | "bard" | "function_call") => Role::Assistant,
        Some("system") => Role::System,
        Some("tool" | "function" | "observation" | "function_response") => Role::Tool,
        Some(_) => return Err("unknown `from`"),
        None => return Err("no `from`"),
    };
    let said = fields.text("value").ok_or("no `value`")?;
    for (name, _) in fields.iter().filter(|(name, _)| !matches!(*name, "from" | "value")) {
        report.remark_word("unknown field of a message, kept:", name, place);
    }
    Ok(Message { content: fields.beyond(&["from", "value"]), ..Message::new(role, said) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speakers_go_by_several_names() {
        let line = br#"{"id":"x_0","conversations":[{"from":"human","value":"hi"},{"from":"gpt","value":"ho","markdown":null},{"from":"martian","value":"x"},{"from":"user"}]}"#;
        let mut report = Report::default();
        let conversation =
            conversation(&mut report, &Fields::of_line(line).unwrap(), Place::default()).unwrap();
        assert_eq!(conversation.external_id.as_deref(), Some("x_0"));
        let roles: Vec<Role> = conversation.messages.iter().map(|message| message.role).collect();
        assert_eq!(roles, [Role::Human, Role::Assistant]);
        assert_eq!((report.messages.seen, report.messages.not_understood_total()), (4, 2));
        assert!(report.remarks.keys().any(|remark| remark.contains("`markdown`")));
    }
}
