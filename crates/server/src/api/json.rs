//! JSON as strangers send it: not too deep, without fields that nobody asked for, and never repeated in an answer.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::fault::{Code, Fault};

/// How deeply a body may be nested.
const DEPTH_MAX: usize = 64;

/// Reads a body.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    refuse_deep(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| fault(&error))
}

/// Counts brackets beside strings. The parser has a limit too, but not for values that are passed on unread.
fn refuse_deep(bytes: &[u8]) -> Result<(), Fault> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(Fault::with(Code::JsonTooDeep, format!("it may be {DEPTH_MAX} levels deep")));
        }
    }
    Ok(())
}

fn fault(error: &serde_json::Error) -> Fault {
    let (line, column) = (as_u64(error.line()), as_u64(error.column()));
    let fault = match error.classify() {
        Category::Data => Fault::body(expectation(&error.to_string())),
        Category::Io | Category::Syntax | Category::Eof => Code::JsonMalformed.into(),
    };
    // Where the parser had to read ahead it does not know the place.
    if line == 0 { fault } else { fault.at(line, column) }
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What was expected, in our own words: the parser's message begins with what was sent, and that may be anything.
fn expectation(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    if message.starts_with("missing field `") {
        return message.to_owned();
    }
    match message.rsplit_once("expected ") {
        Some((sent, expected)) if sent.starts_with("unknown field") => {
            format!("a field is unknown: expected {expected}")
        }
        Some((_, expected)) => format!("a value is of the wrong kind: expected {expected}"),
        None if message.starts_with("duplicate field") => "a field is given twice".to_owned(),
        None => "a value is wrong".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Answer {
        #[expect(dead_code, reason = "only read")]
        purpose: String,
        #[expect(dead_code, reason = "only read")]
        choice: Option<tenure_model::Choice>,
    }

    fn told(body: &str) -> serde_json::Value {
        let fault = read::<Answer>(body.as_bytes()).unwrap_err();
        serde_json::from_slice(&fault.to_json()).unwrap()
    }

    #[test]
    fn a_problem_names_the_place_and_what_was_expected_and_never_what_was_sent() {
        for (body, code, detail) in [
            (r#"{"purpose":"secret""#, "json-malformed", ""),
            (r#"{"secret":1}"#, "body-invalid", "a field is unknown: expected `purpose` or `choice`"),
            (r#"{"choice":"on"}"#, "body-invalid", "missing field `purpose`"),
            (r#"{"purpose":["secret"]}"#, "body-invalid", "a value is of the wrong kind: expected a string"),
            (
                r#"{"purpose":"a","choice":"secret, expected gold"}"#,
                "body-invalid",
                "a value is of the wrong kind: expected `on` or `off`",
            ),
            (r#"{"purpose":"a","purpose":"secret"}"#, "body-invalid", "a field is given twice"),
            ("secret", "json-malformed", ""),
            ("", "json-malformed", ""),
        ] {
            let told = told(body);
            assert_eq!(
                (told["code"].as_str().unwrap(), told["detail"].as_str().unwrap_or("")),
                (code, detail)
            );
            assert!(told["line"].is_u64() && told["column"].is_u64());
            assert!(!told.to_string().contains("secret"), "{told}");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused_before_it_is_parsed() {
        let deep = format!("{{\"purpose\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(told(&deep)["code"], "json-too-deep");
        let text = format!("{{\"purpose\":\"{}\"}}", "[\\\"".repeat(500));
        assert!(read::<Answer>(text.as_bytes()).is_ok());
    }
}
