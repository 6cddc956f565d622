//! The schema that is published and the reader know the same fields.

use serde_json::Value;
use tenure_formats::Format;

use crate::read_bytes;

const SCHEMA: &str = include_str!("../../schema/tenure-jsonl.schema.json");

fn definition(name: &str) -> Value {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    schema["$defs"][name].clone()
}

fn names(value: &Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}

#[test]
fn the_examples_of_the_schema_use_every_field_and_the_reader_knows_them_all() {
    for name in ["account", "conversation"] {
        let definition = definition(name);
        let example = &definition["examples"][0];
        assert_eq!(names(example), names(&definition["properties"]), "{name}");
        let outcome = read_bytes(Format::Tenure, example.to_string()).unwrap();
        assert!(outcome.report.remarks.is_empty(), "{:?}", outcome.report);
    }
    let message = &definition("conversation")["examples"][0]["messages"][1];
    assert_eq!(names(message), names(&definition("message")["properties"]));
}

#[test]
fn what_the_schema_requires_the_reader_requires() {
    for name in ["account", "conversation"] {
        let definition = definition(name);
        let required: Vec<&str> =
            definition["required"].as_array().unwrap().iter().map(|field| field.as_str().unwrap()).collect();
        for field in names(&definition["properties"]) {
            let mut line = definition["examples"][0].clone();
            line[field.as_str()] = Value::Null;
            let read = read_bytes(Format::Tenure, line.to_string());
            assert_eq!(read.is_err(), required.contains(&field.as_str()), "{name} without {field}");
        }
    }
    for (field, required) in
        [("role", true), ("text", false), ("id", false), ("at", false), ("surface", false)]
    {
        let mut line = definition("conversation")["examples"][0].clone();
        line["messages"][1][field] = Value::Null;
        assert_eq!(read_bytes(Format::Tenure, line.to_string()).is_err(), required, "{field}");
    }
}
