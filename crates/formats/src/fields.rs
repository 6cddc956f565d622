//! Lenient access to a JSON object of which only some fields are known and none can be trusted.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The fields of one object, in order, each unread until it is asked for.
#[derive(Debug)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The fields, if the value is an object.
    pub(crate) fn of(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok()
    }

    /// The fields of a line, if it is valid JSON, an object, and not nested absurdly.
    pub(crate) fn of_line(line: &'a [u8]) -> Result<Self, &'static str> {
        let value: &RawValue = serde_json::from_slice(line).map_err(|_| "not valid JSON")?;
        if crate::nesting::is_too_deep(line) {
            return Err("nested too deeply");
        }
        Self::of(value).ok_or("not a JSON object")
    }

    /// A field that is there and not null. Of several with one name the last one counts.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().rev().find(|(name, _)| name == key)?;
        (found.1.get() != "null").then_some(found.1)
    }

    /// A field that is a text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        text(self.get(key)?)
    }

    /// A field that is `true`.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.get() == "true")
    }

    /// A field that is an array.
    pub(crate) fn list(&self, key: &str) -> Option<Vec<&'a RawValue>> {
        serde_json::from_str(self.get(key)?.get()).ok()
    }

    /// A field that is an object.
    pub(crate) fn object(&self, key: &str) -> Option<Self> {
        Self::of(self.get(key)?)
    }

    /// Every field, in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// An object of every field that holds something, but for those named; none if nothing is left.
    pub(crate) fn beyond(&self, named: &[&str]) -> Option<Box<RawValue>> {
        object(self.iter().filter(|(key, value)| !named.contains(key) && holds(value)))
    }
}

/// Whether a value is more than null or an empty array, object or text.
fn holds(value: &RawValue) -> bool {
    !matches!(value.get(), "null" | "[]" | "{}" | "\"\"")
}

/// A value that is a text. Half a surrogate pair, which real exports contain, is replaced.
pub(crate) fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get())
        .or_else(|_| serde_json::from_str(value.get()).map(|Lossy(text)| text))
        .ok()
}

/// An object made of fields, or none if there are none.
pub(crate) fn object<'a>(fields: impl Iterator<Item = (&'a str, &'a RawValue)>) -> Option<Box<RawValue>> {
    let members: Vec<String> = fields
        .filter_map(|(key, value)| Some(format!("{}:{value}", serde_json::to_string(key).ok()?)))
        .collect();
    if members.is_empty() { None } else { RawValue::from_string(format!("{{{}}}", members.join(","))).ok() }
}

/// A text that need not be Unicode.
struct Lossy(String);

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Lossy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Lossy, E> {
                Ok(Lossy(String::from_utf8_lossy(bytes).into_owned()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    fields.push((key, value));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Collect).map(Fields)
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn half_a_surrogate_pair_costs_a_character_and_not_the_text() {
        let read = text(&raw(r#""a\ud83db""#)).unwrap();
        assert!(read.starts_with('a') && read.ends_with('b') && read.contains('\u{fffd}'), "{read}");
        assert_eq!(text(&raw(r#""\ud83d\ude00""#)).unwrap(), "\u{1f600}");
        assert_eq!(text(&raw("[1]")), None);
        assert_eq!(text(&raw("7")), None);
    }

    #[test]
    fn what_is_beyond_the_known_fields_is_kept_verbatim() {
        let value = raw(r#"{"id":1,"x\"y":{"a": 2},"empty":[],"none":null}"#);
        let fields = Fields::of(&value).unwrap();
        assert_eq!(fields.beyond(&["id"]).unwrap().get(), r#"{"x\"y":{"a": 2}}"#);
        assert!(fields.beyond(&["id", "x\"y"]).is_none());
    }
}
