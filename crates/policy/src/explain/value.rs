//! A verdict as a JSON value: the object of `docs/verdict.md`, for those who hold facts and no case.

use serde_json::{Map, Value, json};
use tenure_model::{Anchored, Instant};

use crate::facts::Facts;
use crate::lineage::Lineage;
use crate::verdict::Verdict;

/// The verdict on a record, as `tenure verdict` writes it, for a case without a name.
pub fn verdict_value(lineage: &Lineage, record: &str, facts: &Facts<'_>, verdict: &Verdict) -> Value {
    let tree = lineage.tree(verdict.judged);
    let standings = tree.purposes.iter().zip(&verdict.standings);
    let standing: Map<String, Value> = standings
        .filter_map(|(purpose, standing)| Some((purpose.name.clone(), json!((*standing)?.word()))))
        .collect();
    let (mut keep, mut held, mut destroy) = (Map::new(), Map::new(), Map::new());
    for ((index, name), class) in tree.classes().enumerate().zip(&verdict.classes) {
        let bases: Vec<usize> =
            verdict.bases.iter().filter(|(of, _)| *of == index).map(|(_, rule)| *rule).collect();
        let until = match class.until {
            Some(Anchored::Indefinite) => json!("indefinite"),
            Some(Anchored::Until(until)) => instant(until),
            None => Value::Null,
        };
        keep.insert(name.to_owned(), json!({"until": until, "bases": bases}));
        destroy.insert(name.to_owned(), class.destroy.map_or(Value::Null, instant));
        if class.held {
            held.insert(name.to_owned(), json!(holds_of(facts, verdict, index)));
        }
    }
    let uses: Map<String, Value> = tree
        .purposes
        .iter()
        .zip(&verdict.allowed)
        .enumerate()
        .map(|(index, (purpose, allowed))| {
            let used = verdict.messages.iter().filter(|(of, _)| *of == index);
            let messages: Vec<&str> =
                used.filter_map(|(_, message)| Some(facts.messages.get(*message)?.id)).collect();
            (purpose.name.clone(), json!({"allowed": allowed, "messages": messages}))
        })
        .collect();
    json!({
        "case": null, "record": record, "at": instant(verdict.at),
        "policy": format!("{}@{}", tree.policy, tree.name),
        "bound": lineage.tree(verdict.bound).name, "must_decide": verdict.must_decide,
        "standing": standing, "keep": keep, "held": held, "destroy": destroy, "uses": uses,
    })
}

/// The ids of the holds that cover a class, sorted.
fn holds_of<'a>(facts: &'a Facts<'_>, verdict: &Verdict, class: usize) -> Vec<&'a str> {
    let holds = verdict.holds.iter().filter(|(of, _)| *of == class);
    let mut ids: Vec<&str> = holds.filter_map(|(_, hold)| Some(&*facts.holds.get(*hold)?.id)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn instant(instant: Instant) -> Value {
    Value::String(instant.to_string())
}
