//! Exports of ChatGPT: each conversation is a tree of nodes, most of which carry a message.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tenure_model::Kind;

use crate::fields::{Fields, text};
use crate::pass::{instant, time};
use crate::tree::Tree;
use crate::{Conversation, Message, Place, Report, Role};

/// The fields of a message that are no part of what was said, besides `content` where it is only text.
const ABOUT: &[&str] = &[
    "content",
    "id",
    "author",
    "create_time",
    "update_time",
    "status",
    "end_turn",
    "weight",
    "metadata",
    "recipient",
    "channel",
];

struct Node<'a> {
    id: String,
    parent: Option<String>,
    children: Vec<String>,
    message: Option<Fields<'a>>,
}

/// Reads one conversation, the whole tree.
pub(crate) fn conversation(
    report: &mut Report,
    record: &Fields<'_>,
    place: Place,
) -> Result<Conversation, &'static str> {
    let mapping = record.get("mapping").ok_or("no `mapping`")?;
    let Mapping(entries) = serde_json::from_str(mapping.get()).map_err(|_| "`mapping` is not an object")?;
    let nodes: Vec<Node<'_>> = entries
        .into_iter()
        .enumerate()
        .map(|(index, (id, value))| node(report, id, value, place.message(index)))
        .collect();
    let (order, live) = arrange(report, record.text("current_node"), &nodes, place);
    let mut messages = Vec::new();
    for number in order {
        let Some(fields) = nodes.get(number).and_then(|node| node.message.as_ref()) else { continue };
        let place = place.message(number);
        report.messages.seen += 1;
        match message(report, fields, place) {
            Ok(message) => messages.push(Message { dead_branch: !live.contains(&number), ..message }),
            Err(why) => report.messages.fail(why, place),
        }
    }
    Ok(Conversation {
        external_id: record.text("conversation_id").or_else(|| record.text("id")),
        account: record.text("user_id"),
        title: record.text("title").filter(|title| !title.is_empty()),
        kind: Kind::Chat,
        created_at: record.get("create_time").and_then(instant),
        surface: None,
        mode: None,
        country: None,
        scanned: None,
        messages,
    })
}

fn node<'a>(report: &mut Report, id: String, value: &'a RawValue, place: Place) -> Node<'a> {
    let Some(fields) = Fields::of(value) else {
        report.messages.seen += 1;
        report.messages.fail("a node that is not an object", place);
        return Node { id, parent: None, children: Vec::new(), message: None };
    };
    let children = fields.list("children").unwrap_or_default().into_iter().filter_map(text).collect();
    let message = fields.get("message").and_then(|value| {
        let message = Fields::of(value);
        if message.is_none() {
            report.messages.seen += 1;
            report.messages.fail("a message that is not an object", place);
        }
        message
    });
    Node { id, parent: fields.text("parent"), children, message }
}

/// The order of the nodes, and those that are on the current path.
fn arrange(
    report: &mut Report,
    current: Option<String>,
    nodes: &[Node<'_>],
    place: Place,
) -> (Vec<usize>, std::collections::HashSet<usize>) {
    let links: Vec<(&str, Option<&str>)> =
        nodes.iter().map(|node| (node.id.as_str(), node.parent.as_deref())).collect();
    let numbers: std::collections::HashMap<&str, usize> =
        links.iter().enumerate().map(|(number, (id, _))| (*id, number)).collect();
    let mut tree = Tree::new(&links);
    for (number, node) in nodes.iter().enumerate() {
        let order: Vec<usize> =
            node.children.iter().filter_map(|child| numbers.get(child.as_str()).copied()).collect();
        tree.order_children(number, &order);
    }
    let (order, lost) = tree.walk();
    if lost > 0 {
        report.remark("parents that form a cycle: their messages come last", place);
    }
    let leaf = current.and_then(|current| numbers.get(current.as_str()).copied());
    let live = tree.live(leaf);
    if leaf.is_none() && live.len() < nodes.len() {
        report.remark("branches, and no current leaf: everything after the first fork counts as left", place);
    }
    (order, live)
}

fn message(report: &mut Report, fields: &Fields<'_>, place: Place) -> Result<Message, &'static str> {
    let author = fields.object("author").ok_or("no `author`")?;
    let content = fields.object("content").ok_or("no `content`")?;
    let kind = content.text("content_type").unwrap_or_default();
    let role = match author.text("role").as_deref() {
        // What a person wrote about themselves once is put before every conversation.
        _ if kind == "user_editable_context" => {
            report.remark("hidden profile of the user (`user_editable_context`), read as system", place);
            Role::System
        }
        Some("user") => Role::Human,
        Some("assistant") => Role::Assistant,
        Some("system" | "developer") => Role::System,
        Some("tool" | "function") => Role::Tool,
        Some(_) => return Err("unknown `role`"),
        None => return Err("no `role`"),
    };
    let parts = content.list("parts");
    let only_text = kind == "text"
        && parts.as_ref().is_some_and(|parts| parts.iter().all(|part| part.get().starts_with('"')));
    let about = if only_text { ABOUT } else { ABOUT.get(1..).unwrap_or_default() };
    for (name, _) in fields.iter().filter(|(name, _)| !ABOUT.contains(name)) {
        report.remark_word("unknown field of a message, kept:", name, place);
    }
    Ok(Message {
        id: fields.text("id"),
        at: time(report, fields, "create_time", place),
        content: fields.beyond(about),
        ..Message::new(role, collect(&content, parts.as_deref().unwrap_or_default()))
    })
}

/// The text of a message, wherever its type of content keeps it.
fn collect(content: &Fields<'_>, parts: &[&RawValue]) -> String {
    let mut found: Vec<String> = parts
        .iter()
        .filter_map(|part| text(part).or_else(|| Fields::of(part).and_then(|part| part.text("text"))))
        .collect();
    if found.is_empty() {
        // Code and its output, quotes, and the profile of the user.
        let keys = ["text", "result", "user_profile", "user_instructions"];
        found.extend(keys.iter().filter_map(|key| content.text(key)));
    }
    found.retain(|part| !part.is_empty());
    found.join("\n\n")
}

/// The nodes in the order of the file, which a hash map would lose.
struct Mapping<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Mapping<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of nodes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut nodes = Vec::new();
                while let Some(node) = map.next_entry()? {
                    nodes.push(node);
                }
                Ok(nodes)
            }
        }
        deserializer.deserialize_map(Collect).map(Mapping)
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

    fn node(id: &str, parent: &str, message: &str) -> String {
        let parent = if parent.is_empty() { "null".to_owned() } else { format!("\"{parent}\"") };
        format!(r#""{id}":{{"id":"{id}","parent":{parent},"children":[],"message":{message}}}"#)
    }

    fn said(id: &str, role: &str, time: &str) -> String {
        format!(
            r#"{{"id":"{id}","author":{{"role":"{role}"}},"create_time":{time},"content":{{"content_type":"text","parts":["text of {id}"]}}}}"#
        )
    }

    #[test]
    fn the_whole_tree_is_read_and_branches_off_the_current_path_are_marked() {
        let nodes = [
            node("root", "", "null"),
            node("a", "root", &said("a", "user", "1700000000.5")),
            node("b", "a", &said("b", "assistant", "null")),
            node("c", "a", &said("c", "assistant", "1700000002")),
        ];
        let json =
            format!(r#"{{"id":"x","title":"T","current_node":"c","mapping":{{{}}}}}"#, nodes.join(","));
        let (conversation, report) = read(&json);
        let seen: Vec<(&str, bool, bool)> = conversation
            .messages
            .iter()
            .map(|m| (m.id.as_deref().unwrap(), m.dead_branch, m.at.is_some()))
            .collect();
        assert_eq!(seen, [("a", false, true), ("b", true, false), ("c", false, true)]);
        assert_eq!(report.remarks.values().map(|trouble| trouble.count).sum::<u64>(), 1);
    }

    #[test]
    fn a_cycle_of_parents_ends_and_is_reported() {
        let nodes = [
            node("a", "b", &said("a", "user", "1")),
            node("b", "a", &said("b", "assistant", "2")),
            node("c", "c", &said("c", "assistant", "3")),
        ];
        let (conversation, report) =
            read(&format!(r#"{{"id":"x","current_node":"a","mapping":{{{}}}}}"#, nodes.join(",")));
        assert_eq!(conversation.messages.len(), 3);
        assert_eq!(conversation.messages.iter().filter(|m| m.dead_branch).count(), 1);
        assert!(report.remarks.keys().any(|remark| remark.contains("cycle")));
    }

    #[test]
    fn the_hidden_profile_of_the_user_is_not_the_person_speaking() {
        let profile = r#"{"id":"p","author":{"role":"user"},"create_time":1,"content":{"content_type":"user_editable_context","user_profile":"likes tea","user_instructions":"be brief"}}"#;
        let (conversation, report) = read(&format!(r#"{{"mapping":{{{}}}}}"#, node("p", "", profile)));
        let message = &conversation.messages[0];
        assert_eq!((message.role, message.text.as_str()), (Role::System, "likes tea\n\nbe brief"));
        assert!(message.content.is_some());
        assert!(report.remarks.keys().any(|remark| remark.contains("user_editable_context")));
    }

    #[test]
    fn nodes_that_are_not_understood_are_counted_and_the_rest_is_read() {
        let nodes = [
            "\"n\":5".to_owned(),
            node("m", "", "\"text\""),
            node("r", "", &said("r", "oracle", "1")),
            node("a", "", &said("a", "user", "1")),
        ];
        let (conversation, report) =
            read(&format!(r#"{{"current_node":"a","mapping":{{{}}}}}"#, nodes.join(",")));
        assert_eq!(conversation.messages.len(), 1);
        assert_eq!((report.messages.seen, report.messages.not_understood_total()), (4, 3));
    }
}
