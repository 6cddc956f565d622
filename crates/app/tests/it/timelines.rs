//! Real people's timelines: what is left, and what a run holds, is exactly what the reference says.
//!
//! The data are those of the `PyPI` package `chitchat-dataset` (MIT), which the test fetches into the
//! target folder; `scripts/chitchat.py` converts them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tenure_app::{Defaults, Rows};
use tenure_model::Instant;
use tenure_policy::case::Case;
use tenure_policy::language;
use tenure_store::{CopyStage, ReadTx, StoreExt as _};

use crate::world::{World, at};

const PACKAGE: &str = "chitchat-dataset==0.9.0";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} can't be started: {error}"));
    assert!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
}

/// The converted data, fetched and converted once.
fn converted() -> PathBuf {
    let folder = root().join("target/corpora/chitchat");
    if !folder.join("decisions.jsonl").exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let package = folder.join("package");
        let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target"];
        run(Command::new("python3").args(pip).arg(&package).arg(PACKAGE));
        let data = package.join("chitchat_dataset/dataset.json");
        run(Command::new("python3").arg(root().join("scripts/chitchat.py")).args([&data, &folder]));
    }
    folder
}

fn policies() -> Vec<(String, String)> {
    let names = ["2018-01.toml", "2018-07.toml"];
    names
        .map(|name| {
            (name.to_owned(), std::fs::read_to_string(root().join("corpora/chitchat").join(name)).unwrap())
        })
        .into()
}

fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each record of a conversation as a case writes it: split where the surface changes, which is all
/// that changes within these conversations.
fn records(conversation: &Value) -> Vec<Value> {
    let surface_of = |message: &Value| message.get("surface").unwrap_or(&conversation["surface"]).clone();
    let mut records: Vec<(Value, Vec<Value>)> = Vec::new();
    for message in conversation["messages"].as_array().unwrap() {
        let surface = surface_of(message);
        let kept = json!({"id": message["id"], "at": message["at"]});
        match records.last_mut() {
            Some((last, messages)) if *last == surface => messages.push(kept),
            _ => records.push((surface, vec![kept])),
        }
    }
    let time = |message: &Value| message["at"].as_str().unwrap().parse::<Instant>().unwrap();
    let last = |messages: &[Value]| messages.iter().map(time).max().unwrap();
    let work = |surface: &Value| surface == "team";
    records
        .iter()
        .map(|(surface, messages)| {
            let same_regime = records.iter().filter(|(other, _)| work(other) == work(surface));
            json!({
                "id": messages[0]["id"], "surface": surface, "kind": "chat", "mode": conversation["mode"],
                "country": conversation["country"], "scanned": conversation["scanned"],
                "created_at": messages.iter().map(time).min().unwrap(), "last_activity_at": last(messages),
                "conversation_last_activity_at": same_regime.map(|(_, messages)| last(messages)).max().unwrap(),
                "messages": messages,
            })
        })
        .collect()
}

/// What the reference says is left, by class, and what a run may hold.
struct Expected {
    copies: BTreeSet<(String, String)>,
    rows: BTreeSet<String>,
}

fn expected(items: &[Value], decisions: &[Value], now: Instant) -> Expected {
    let versions = policies().into_iter().map(|(file, text)| language::parse(&file, &text).unwrap());
    let reference = tenure_reference::Lineage::new(versions.collect()).unwrap();
    let mut tally = tenure_reference::Tally::new();
    let accounts: BTreeMap<&str, &Value> = items
        .iter()
        .filter(|item| item["type"] == "account")
        .map(|item| (item["id"].as_str().unwrap(), item))
        .collect();
    let mut by_account: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for decision in decisions {
        let version = if decision["at"].as_str().unwrap() < "2018-07-01" { "2018-01" } else { "2018-07" };
        let made = json!({"purpose": "train", "choice": decision["choice"], "at": decision["at"], "version": version});
        by_account.entry(decision["account"].as_str().unwrap()).or_default().push(made);
    }
    let (mut copies, mut rows) = (BTreeSet::new(), BTreeSet::new());
    for conversation in items.iter().filter(|item| item["type"] == "conversation") {
        let account = conversation["account"].as_str().unwrap();
        let facts = accounts[account];
        for record in records(conversation) {
            let case = json!({
                "case": "c", "at": now, "record": record, "decisions": by_account.get(account),
                "account": {"id": account, "country": facts["country"], "minor": facts.get("minor")},
            })
            .to_string();
            let case: Case<'_> = serde_json::from_str(&case).unwrap();
            let verdict = reference.verdict(&case, &mut tally).unwrap();
            let first = record["id"].as_str().unwrap();
            let classes = ["history", "content"].map(str::to_owned);
            let before = tenure_reference::Before::default();
            let fates = reference.fates(&case, &before, &classes, now).unwrap();
            for (class, fate) in classes.into_iter().zip(fates) {
                if fate.due.is_none() {
                    copies.insert((class, first.to_owned()));
                }
            }
            let used = verdict["uses"]["train"]["messages"].as_array().unwrap();
            rows.extend(used.iter().map(|id| id.as_str().unwrap().to_owned()));
        }
    }
    Expected { copies, rows }
}

fn copies_left(world: &World) -> BTreeSet<(String, String)> {
    let read = |tx: &mut dyn ReadTx| {
        let classes: BTreeMap<_, _> = tx.classes()?.into_iter().collect();
        let mut left = BTreeSet::new();
        let mut after = None;
        loop {
            let accounts = tx.accounts(after, 500)?;
            let Some(last) = accounts.last() else { return Ok::<_, tenure_store::StoreError>(left) };
            after = Some(last.key);
            for account in &accounts {
                for copy in tx.copies_of(account.key, None, usize::MAX >> 1)? {
                    if copy.state.stage() == CopyStage::Live && classes[&copy.key.class] != "training_copy" {
                        let first = tx.messages(account.key, copy.key.record)?[0].id.clone();
                        left.insert((classes[&copy.key.class].clone(), first));
                    }
                }
            }
        }
    };
    world.store.read(read).unwrap()
}

#[test]
fn on_real_timelines_copies_and_rows_are_exactly_those_of_the_reference() {
    let folder = converted();
    let items = lines(&folder.join("conversations.jsonl"));
    let decisions = lines(&folder.join("decisions.jsonl"));
    let world = World::with(&policies(), at("2018-01-01T00:00:00Z"));
    let now = at("2018-11-20T00:00:00Z");

    let mut ingester =
        world.tenure.ingester("tenure", Defaults::default(), at("2018-11-15T00:00:00Z")).unwrap();
    let report = tenure_formats::read(
        tenure_formats::Format::Tenure,
        &folder.join("conversations.jsonl"),
        &mut |item| ingester.push(item),
    )
    .unwrap();
    let ingested = ingester.finish().unwrap();
    assert!(report.adds_up());
    let messages: u64 =
        items.iter().filter_map(|item| item["messages"].as_array()).map(|all| all.len() as u64).sum();
    assert_eq!(ingested.messages, messages);
    assert_eq!(messages, 258_145);

    for decision in &decisions {
        let choice = decision["choice"].as_str().unwrap().parse().unwrap();
        world.decide(decision["account"].as_str().unwrap(), choice, at(decision["at"].as_str().unwrap()));
    }

    let swept = world.sweep(now);
    let out = world.folder.path().join("run");
    world.tenure.open_run("train", &out, Rows::Jsonl, now, &mut |_| {}).unwrap();
    let rows: BTreeSet<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .flat_map(|path| lines(&path))
        .map(|row| row["message"].as_str().unwrap().to_owned())
        .collect();

    let expected = expected(&items, &decisions, now);
    let copies = copies_left(&world);
    println!("{} copies destroyed, {} left, {} rows in the run", swept.total(), copies.len(), rows.len());
    assert!(swept.total() > 0 && !copies.is_empty() && !rows.is_empty());
    assert_eq!(copies.symmetric_difference(&expected.copies).count(), 0);
    assert_eq!(rows.symmetric_difference(&expected.rows).count(), 0);
    world.integrity();
}
