//! The document, the page and the table of problems say what the code does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use tenure_access::Refusal;
use tenure_server::api::{Code, openapi_document, routes};

use super::world::World;

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// Holds a file to what the code says; `UPDATE=1` writes it anew.
fn hold(name: &str, now: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(docs(name), now).unwrap();
    }
    let stored = std::fs::read_to_string(docs(name)).unwrap_or_default();
    assert!(stored == now, "docs/{name} is not what the code says: write it anew with UPDATE=1");
}

#[test]
fn the_document_is_what_the_code_serves() {
    hold("openapi.json", &openapi_document());
}

#[test]
fn the_table_of_problems_is_what_the_code_has() {
    let mut table = String::from("| Code | HTTP | What it says |\n|---|---|---|\n");
    for code in Code::ALL {
        writeln!(table, "| `{}` | {} | {} |", code.word(), code.status().as_u16(), code.says()).unwrap();
    }
    let page = std::fs::read_to_string(docs("api.md")).unwrap();
    let (begin, end) = ("<!-- problems -->\n", "<!-- end of problems -->");
    let (before, rest) = page.split_once(begin).expect("docs/api.md marks where its table begins");
    let (_, after) = rest.split_once(end).expect("docs/api.md marks where its table ends");
    hold("api.md", &format!("{before}{begin}{table}{end}{after}"));
}

#[test]
fn no_code_of_ours_is_a_refusals() {
    let refusals: Vec<&str> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
    assert!(Code::ALL.iter().all(|code| !refusals.contains(&code.word())));
}

#[test]
fn the_document_has_every_endpoint_and_each_says_what_it_does() {
    let document: Value = serde_json::from_str(&openapi_document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = (method.to_uppercase(), path.clone());
            found.insert(place, operation["operationId"].as_str().unwrap().to_owned());
            for text in ["summary", "description", "x-tenure-operation"] {
                assert!(
                    operation[text].as_str().is_some_and(|text| !text.is_empty()),
                    "{method} {path}: {text}"
                );
            }
        }
    }
    let served: BTreeMap<_, _> = routes()
        .into_iter()
        .map(|route| ((route.method.to_string(), route.path.to_owned()), route.id))
        .collect();
    assert_eq!(found, served);
}

#[test]
fn the_page_explains_every_problem_and_runs_no_scripts() {
    let world = World::new();
    let page = world.get("/docs", "").expect(200).text();
    let problem = world.get("/v1/me", "").refused(401, "credential-missing").json();
    let place = problem["type"].as_str().unwrap().strip_prefix("/docs#").unwrap().to_owned();
    assert!(page.contains(&format!("id=\"{place}\"")));
    assert!(!page.contains("<script") && page.contains("lang=\"en\""));
    assert_eq!(world.get("/openapi.json", "").expect(200).text(), openapi_document());
}
