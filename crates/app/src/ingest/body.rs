//! What a segment of a body says, before it is encrypted: one JSON object after another.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Error;

/// A message as it lies in a body.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BodyMessage<'a> {
    /// Its id in the conversation.
    pub(crate) id: std::borrow::Cow<'a, str>,
    /// Who spoke.
    pub(crate) role: std::borrow::Cow<'a, str>,
    /// What was said.
    pub(crate) text: std::borrow::Cow<'a, str>,
    /// The original content, where it holds more than the text.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<&'a RawValue>,
}

/// A title lies in the body too, since people write what is theirs into titles.
#[derive(Serialize)]
struct BodyTitle<'a> {
    title: &'a str,
}

/// Begins a segment.
pub(crate) fn write_title(title: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    serde_json::to_writer(&mut *out, &BodyTitle { title })?;
    out.push(b'\n');
    Ok(())
}

/// Adds a message to a segment.
pub(crate) fn write_message(message: &BodyMessage<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    serde_json::to_writer(&mut *out, message)?;
    out.push(b'\n');
    Ok(())
}

/// The messages of a segment, in order.
///
/// They are read as one JSON value after another, not line by line: content that was kept as it came may
/// have line ends of its own.
pub(crate) fn read_segment(plaintext: &[u8]) -> Result<Vec<BodyMessage<'_>>, Error> {
    let after_title = plaintext.strip_prefix(b"{\"title\":").and_then(|rest| {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        rest.get(end..)
    });
    let messages = serde_json::Deserializer::from_slice(after_title.unwrap_or(plaintext));
    messages.into_iter().map(|message| Ok(message?)).collect()
}

/// The title that a segment begins with, if it begins with one.
pub(crate) fn read_title(plaintext: &[u8]) -> Result<Option<String>, Error> {
    #[derive(Deserialize)]
    struct Title {
        title: String,
    }
    if !plaintext.starts_with(b"{\"title\":") {
        return Ok(None);
    }
    let mut first = serde_json::Deserializer::from_slice(plaintext).into_iter::<Title>();
    Ok(first.next().transpose()?.map(|Title { title }| title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_reads_back_without_its_title() {
        let mut out = Vec::new();
        write_title("my title", &mut out).unwrap();
        let content = RawValue::from_string("{\n  \"a\": 1\n}".to_owned()).unwrap();
        let message = BodyMessage {
            id: "m1".into(),
            role: "human".into(),
            text: "line\nbreak".into(),
            content: Some(&content),
        };
        write_message(&message, &mut out).unwrap();
        assert_eq!(read_title(&out).unwrap().as_deref(), Some("my title"));
        let read = read_segment(&out).unwrap();
        assert_eq!(
            (read.len(), &*read[0].text, read[0].content.unwrap().get()),
            (1, "line\nbreak", "{\n  \"a\": 1\n}")
        );
    }
}
