//! Tenure's own JSONL: one account or one conversation a line, described in `docs/formats.md`.
//!
//! This is the path that large imports take, so a line is parsed once, into borrowed fields, and only
//! what is kept is copied. It is also stricter than the readers of other people's formats: a value that
//! is wrong makes the line wrong, because whoever wrote it can mend it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tenure_model::{Instant, Kind, Mode, is_iso_3166};

use crate::nesting::is_too_deep;
use crate::pass::Pass;
use crate::{Account, Conversation, Item, Message, Place, Report, Role};

/// A text that is borrowed from the line unless it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    fn word<T: FromStr>(&self, why: &'static str) -> Result<T, &'static str> {
        self.0.parse().map_err(|_| why)
    }
}

/// Declares an object whose known fields are optional and whose unknown ones are remembered by name.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($field:ident = $key:literal: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $name<'a> { $($field: Option<$type>,)+ unknown: Vec<Cow<'a, str>> }

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields<'a>(std::marker::PhantomData<&'a ()>);
                impl<'de: 'a, 'a> Visitor<'de> for Fields<'a> {
                    type Value = $name<'a>;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut object = $name::default();
                        while let Some(Text(key)) = map.next_key()? {
                            match key.as_ref() {
                                $($key if object.$field.is_some() => return Err(A::Error::duplicate_field($key)),
                                $key => object.$field = map.next_value()?,)+
                                _ => {
                                    object.unknown.push(key);
                                    map.next_value::<IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(object)
                    }
                }
                deserializer.deserialize_map(Fields(std::marker::PhantomData))
            }
        }
    };
}

object!(
    /// A line, of either type.
    Record {
        what = "type": Text<'a>,
        id = "id": Text<'a>,
        account = "account": Text<'a>,
        country = "country": Text<'a>,
        minor = "minor": bool,
        opened_at = "opened_at": Text<'a>,
        kind = "kind": Text<'a>,
        title = "title": Text<'a>,
        surface = "surface": Text<'a>,
        mode = "mode": Text<'a>,
        scanned = "scanned": bool,
        messages = "messages": Vec<Said<'a>>,
    }
);

object!(
    /// A message of a conversation.
    Said {
        id = "id": Text<'a>,
        at = "at": Text<'a>,
        role = "role": Text<'a>,
        text = "text": Text<'a>,
        content = "content": Box<RawValue>,
        derived_from = "derived_from": Vec<Text<'a>>,
        surface = "surface": Text<'a>,
        mode = "mode": Text<'a>,
        country = "country": Text<'a>,
    }
);

/// Reads one line. A refusal carries the column where the parser knows it.
pub(crate) fn item(pass: &mut Pass<'_>, line: &[u8], place: Place) -> Result<Item, (&'static str, Place)> {
    let record: Record<'_> = serde_json::from_slice(line).map_err(|error| {
        let why = match error.classify() {
            serde_json::error::Category::Data => "a value of the wrong type, or a field given twice",
            _ => "not valid JSON",
        };
        (why, place.column(u64::try_from(error.column()).unwrap_or(u64::MAX)))
    })?;
    let report = &mut pass.report;
    for name in &record.unknown {
        report.remark_word("unknown field, left out:", name, place);
    }
    for name in record.misplaced() {
        report.remark_word("field of another type of line, left out:", name, place);
    }
    match record.what.as_ref().map(|what| what.0.as_ref()) {
        Some("account") => account(record).map(Item::Account),
        Some("conversation") => conversation(report, record, place).map(Item::Conversation),
        Some(_) => Err("`type` is neither `account` nor `conversation`"),
        None => Err("no `type`"),
    }
    .map_err(|why| (why, place))
}

impl Record<'_> {
    /// Fields that are known, but not on a line of this type.
    fn misplaced(&self) -> impl Iterator<Item = &'static str> + use<> {
        let is_account = self.what.as_ref().is_some_and(|what| what.0 == "account");
        [
            ("account", is_account && self.account.is_some()),
            ("kind", is_account && self.kind.is_some()),
            ("title", is_account && self.title.is_some()),
            ("surface", is_account && self.surface.is_some()),
            ("mode", is_account && self.mode.is_some()),
            ("scanned", is_account && self.scanned.is_some()),
            ("messages", is_account && self.messages.is_some()),
            ("minor", !is_account && self.minor.is_some()),
            ("opened_at", !is_account && self.opened_at.is_some()),
        ]
        .into_iter()
        .filter(|(_, there)| *there)
        .map(|(name, _)| name)
    }
}

fn account(record: Record<'_>) -> Result<Account, &'static str> {
    Ok(Account {
        id: required(record.id, "an account without an `id`").and_then(|id| {
            if id.len() > 512 { Err("an account's `id` has more than 512 bytes") } else { Ok(id) }
        })?,
        country: country(record.country)?,
        minor: record.minor,
        opened_at: record
            .opened_at
            .map(|at| at.word("`opened_at` is not an RFC 3339 instant"))
            .transpose()?,
    })
}

fn conversation(report: &mut Report, record: Record<'_>, place: Place) -> Result<Conversation, &'static str> {
    let said = record.messages.ok_or("a conversation without `messages`")?;
    let mut conversation = Conversation {
        external_id: Some(required(record.id, "a conversation without an `id`")?),
        account: Some(required(record.account, "a conversation without an `account`")?),
        title: owned(record.title),
        kind: record.kind.map_or(Ok(Kind::Chat), |kind| kind.word("`kind` is neither `chat` nor `code`"))?,
        created_at: None,
        surface: owned(record.surface),
        mode: mode(record.mode)?,
        country: country(record.country)?,
        scanned: record.scanned,
        messages: Vec::with_capacity(said.len()),
    };
    for (index, said) in said.into_iter().enumerate() {
        let place = place.message(index);
        for name in &said.unknown {
            report.remark_word("unknown field of a message, left out:", name, place);
        }
        if said.at.is_none() {
            report.remark("message without a time: it is unknown, so never trainable", place);
        }
        conversation.messages.push(message(said)?);
    }
    report.messages.seen += u64::try_from(conversation.messages.len()).unwrap_or(u64::MAX);
    Ok(conversation)
}

fn message(said: Said<'_>) -> Result<Message, &'static str> {
    let role = match said.role.as_ref().map(|role| role.0.as_ref()) {
        Some("human") => Role::Human,
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        Some("tool") => Role::Tool,
        Some(_) => return Err("`role` is none of human, assistant, system, tool"),
        None => return Err("a message without a `role`"),
    };
    if said.text.is_none() && said.content.is_none() {
        return Err("a message with neither `text` nor `content`");
    }
    if said.content.as_ref().is_some_and(|content| is_too_deep(content.get().as_bytes())) {
        return Err("`content` is nested too deeply");
    }
    Ok(Message {
        id: said.id.map(|id| required(Some(id), "a message with an empty `id`")).transpose()?,
        at: said.at.map(|at| at.word::<Instant>("`at` is not an RFC 3339 instant")).transpose()?,
        role,
        text: owned(said.text).unwrap_or_default(),
        content: said.content,
        derived_from: said.derived_from.into_iter().flatten().map(|id| id.0.into_owned()).collect(),
        dead_branch: false,
        surface: owned(said.surface),
        mode: mode(said.mode)?,
        country: country(said.country)?,
    })
}

fn owned(text: Option<Text<'_>>) -> Option<String> {
    text.map(|text| text.0.into_owned())
}

fn required(text: Option<Text<'_>>, why: &'static str) -> Result<String, &'static str> {
    owned(text).filter(|text| !text.is_empty()).ok_or(why)
}

fn mode(word: Option<Text<'_>>) -> Result<Option<Mode>, &'static str> {
    word.map(|word| word.word("`mode` is neither `normal` nor `incognito`")).transpose()
}

fn country(code: Option<Text<'_>>) -> Result<Option<String>, &'static str> {
    match owned(code) {
        Some(code) if !is_iso_3166(&code) => Err("`country` is not an ISO 3166-1 code of two capitals"),
        code => Ok(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn read(line: &str) -> (Result<Item, (&'static str, Place)>, Report) {
        let mut progress = |_| ();
        let mut pass = Pass::inspecting(Format::Tenure, &mut progress);
        let item = item(&mut pass, line.as_bytes(), Place::default().line(1));
        (item, pass.into_report())
    }

    #[test]
    fn a_full_line_of_each_type_is_read() {
        let (item, report) = read(
            r#"{"type":"account","id":"a1","country":"DE","minor":false,"opened_at":"2024-05-01T00:00:00Z"}"#,
        );
        let Ok(Item::Account(account)) = item else { panic!("an account") };
        assert_eq!(
            (account.id.as_str(), account.country.as_deref(), account.minor),
            ("a1", Some("DE"), Some(false))
        );
        assert!(report.remarks.is_empty());
        let (item, report) = read(
            r#"{"type":"conversation","id":"c1","account":"a1","kind":"code","title":"T","surface":"pro","mode":"normal","country":"US","scanned":true,
            "messages":[{"id":"m1","at":"2025-01-01T00:00:00Z","role":"human","text":"say \"hi\""},
            {"role":"assistant","content":[{"x":1}],"derived_from":["m1"],"surface":"team","mode":"incognito","country":"GB"}]}"#,
        );
        let Ok(Item::Conversation(conversation)) = item else { panic!("a conversation") };
        assert_eq!(
            (conversation.kind, conversation.mode, conversation.scanned),
            (Kind::Code, Some(Mode::Normal), Some(true))
        );
        assert_eq!(conversation.messages[0].text, "say \"hi\"");
        let second = &conversation.messages[1];
        assert_eq!(second.content.as_ref().unwrap().get(), r#"[{"x":1}]"#);
        assert_eq!(
            (second.derived_from.as_slice(), second.mode),
            (&["m1".to_owned()][..], Some(Mode::Incognito))
        );
        assert_eq!((report.messages.seen, report.remarks.len()), (2, 1));
    }

    #[test]
    fn unknown_and_misplaced_fields_are_left_out_and_counted_by_name() {
        let (item, report) =
            read(r#"{"type":"account","id":"a","consent":"on","surface":"pro","deep":{"a":[1,2]}}"#);
        assert!(item.is_ok());
        let names: Vec<&str> = report.remarks.keys().map(AsRef::as_ref).collect();
        let expected = [
            "field of another type of line, left out: `surface`",
            "unknown field, left out: `consent`",
            "unknown field, left out: `deep`",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_wrong_value_makes_the_line_wrong_and_the_reason_quotes_nothing() {
        for (line, why) in [
            (r#"{"type":"account"}"#, "without an `id`"),
            (r#"{"type":"account","id":""}"#, "without an `id`"),
            (r#"{"type":"account","id":"a","country":"UK"}"#, "ISO 3166"),
            (r#"{"type":"account","id":"a","minor":"yes"}"#, "wrong type"),
            (r#"{"type":"account","id":"a","id":"b"}"#, "given twice"),
            (r#"{"type":"account","id":"a","opened_at":"2025-02-30T00:00:00Z"}"#, "RFC 3339"),
            (r#"{"type":"person","id":"a"}"#, "`type`"),
            (r#"{"id":"a"}"#, "no `type`"),
            (r#"{"type":"conversation","id":"c","messages":[]}"#, "without an `account`"),
            (r#"{"type":"conversation","id":"c","account":"a"}"#, "without `messages`"),
            (r#"{"type":"conversation","id":"c","account":"a","kind":"talk","messages":[]}"#, "`kind`"),
            (r#"{"type":"conversation","id":"c","account":"a","mode":"x","messages":[]}"#, "`mode`"),
            (
                r#"{"type":"conversation","id":"c","account":"a","messages":[{"text":"t"}]}"#,
                "without a `role`",
            ),
            (
                r#"{"type":"conversation","id":"c","account":"a","messages":[{"role":"user","text":"t"}]}"#,
                "`role` is",
            ),
            (
                r#"{"type":"conversation","id":"c","account":"a","messages":[{"role":"human"}]}"#,
                "neither `text`",
            ),
            (
                r#"{"type":"conversation","id":"c","account":"a","messages":[{"role":"human","text":"t","at":"noon"}]}"#,
                "`at`",
            ),
            ("[1]", "wrong type"),
            ("{", "not valid JSON"),
        ] {
            let (item, _) = read(line);
            let (found, _) = item.expect_err(line);
            assert!(found.contains(why), "{line}: {found}");
        }
        let deep = format!(
            r#"{{"type":"conversation","id":"c","account":"a","messages":[{{"role":"human","content":{}{}}}]}}"#,
            "[".repeat(500),
            "]".repeat(500)
        );
        assert!(read(&deep).0.is_err_and(|(why, _)| why.contains("nested")));
    }
}
