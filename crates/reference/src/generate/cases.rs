//! Random cases for a lineage.

use serde_json::{Map, Value, json};
use tenure_model::{Choice, Instant, Kind, Mode, Regime};

use super::draft::COUNTRIES;
use super::mistakes::spoil;
use super::moments::Moments;
use super::rng::Rng;
use crate::lineage::Lineage;

/// A random case, as one line of JSON; a few of a hundred have a mistake that must be answered with an
/// error, or are not JSON at all.
pub fn case(seed: u64, lineage: &Lineage) -> String {
    let mut rng = Rng::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0xca5e);
    let mut moments = Moments::new(&mut rng, lineage);
    let at = moments.at;
    let mut case = Map::new();
    if rng.percent(95) {
        case.insert("case".to_owned(), json!(format!("g{seed}")));
    }
    case.insert("at".to_owned(), time(at));
    case.insert("account".to_owned(), account(&mut rng, &mut moments));
    let record = record(&mut rng, &mut moments, lineage);
    case.insert("record".to_owned(), record);
    // Some accounts never say anything, so that only time moves them.
    let silent = rng.percent(25);
    for (name, most) in [("informed", 2), ("acknowledged", usize::from(!silent))] {
        let events = events(&mut rng, &mut moments, lineage, most);
        optional_list(&mut rng, &mut case, name, events);
    }
    let decisions = if silent { Vec::new() } else { decisions(&mut rng, &mut moments, lineage) };
    optional_list(&mut rng, &mut case, "decisions", decisions);
    let holds = holds(&mut rng, &mut moments, lineage);
    optional_list(&mut rng, &mut case, "holds", holds);
    let case = Value::Object(case);
    if rng.percent(7) { spoil(&mut rng, case, at) } else { case.to_string() }
}

pub(super) fn time(at: Instant) -> Value {
    json!(at.to_string())
}

/// An empty list may be written, null or missing.
fn optional_list(rng: &mut Rng, case: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    let value = match rng.below(3) {
        0 if list.is_empty() => return,
        1 if list.is_empty() => Value::Null,
        _ => Value::Array(list),
    };
    case.insert(name.to_owned(), value);
}

/// Inserts a value, or for unknown writes null or nothing.
fn optional(rng: &mut Rng, object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(object.insert(name.to_owned(), value)),
        None if rng.percent(50) => drop(object.insert(name.to_owned(), Value::Null)),
        None => {}
    }
}

fn country(rng: &mut Rng) -> Option<Value> {
    if rng.percent(12) {
        return None;
    }
    let elsewhere = ["BR", "de"];
    let country = if rng.percent(85) { rng.pick(COUNTRIES) } else { rng.pick(&elsewhere) };
    country.map(|country| json!(country))
}

fn account(rng: &mut Rng, moments: &mut Moments) -> Value {
    let mut account = Map::new();
    account.insert("id".to_owned(), json!(if rng.percent(70) { "a1" } else { "a2" }));
    let country = country(rng);
    optional(rng, &mut account, "country", country);
    let minor = rng.percent(85).then(|| json!(rng.percent(15)));
    optional(rng, &mut account, "minor", minor);
    // Many accounts are older than all terms.
    let opened = rng
        .percent(80)
        .then(|| time(if rng.percent(35) { moments.earliest().min(moments.at) } else { moments.past(rng) }));
    optional(rng, &mut account, "opened_at", opened);
    let closed = moments.perhaps(rng, 10).map(time);
    optional(rng, &mut account, "closed_at", closed);
    Value::Object(account)
}

/// Every name that some version has for a surface, and those that only `was` tells.
fn surface(rng: &mut Rng, lineage: &Lineage) -> String {
    let surfaces = lineage.versions().iter().flat_map(|version| &version.surfaces);
    let names: Vec<&String> =
        surfaces.flat_map(|surface| [Some(&surface.name), surface.was.as_ref()]).flatten().collect();
    rng.pick(&names).map(|name| (*name).clone()).unwrap_or_default()
}

fn record(rng: &mut Rng, moments: &mut Moments, lineage: &Lineage) -> Value {
    let at = moments.at;
    let created = moments.past(rng);
    let short = rng.percent(40);
    let active = if short { created } else { moments.within(rng, created, at) };
    let conversation = if short { active } else { moments.within(rng, active, at) };
    let mut record = Map::new();
    record.insert("id".to_owned(), json!("r1"));
    record.insert("surface".to_owned(), json!(surface(rng, lineage)));
    record.insert("kind".to_owned(), json!(rng.pick_or(Kind::ALL, Kind::Chat).word()));
    let mode = if rng.percent(80) { Mode::Normal } else { Mode::Incognito };
    record.insert("mode".to_owned(), json!(mode.word()));
    let country = country(rng);
    optional(rng, &mut record, "country", country);
    let scanned = rng.percent(80).then(|| json!(rng.percent(85)));
    optional(rng, &mut record, "scanned", scanned);
    record.insert("created_at".to_owned(), time(created));
    record.insert("last_activity_at".to_owned(), time(active));
    let conversation = rng.percent(60).then(|| time(conversation));
    optional(rng, &mut record, "conversation_last_activity_at", conversation);
    for (name, percent) in [("deleted_at", 25), ("flagged_at", 20), ("feedback_at", 15)] {
        let happened = moments.perhaps(rng, percent).map(time);
        optional(rng, &mut record, name, happened);
    }
    if rng.percent(75) {
        let messages = messages(rng, moments, created, active);
        record.insert("messages".to_owned(), Value::Array(messages));
    }
    Value::Object(record)
}

fn messages(rng: &mut Rng, moments: &mut Moments, created: Instant, active: Instant) -> Vec<Value> {
    let count = rng.between(0, 5);
    (0..count)
        .map(|index| {
            let sent = if rng.percent(5) { moments.any(rng) } else { moments.within(rng, created, active) };
            let mut message = Map::new();
            message.insert("id".to_owned(), json!(format!("m{index}")));
            message.insert("at".to_owned(), time(sent));
            if index > 0 && rng.percent(45) {
                // Mostly earlier messages, but also later ones, itself (a circle) and missing ones.
                let parents = (0..rng.pick_or(&[0, 1, 1, 2], 1)).map(|_| {
                    let parent = if rng.percent(80) { rng.below(index) } else { rng.below(count + 1) };
                    json!(format!("m{parent}"))
                });
                message.insert("derived_from".to_owned(), parents.collect());
            }
            Value::Object(message)
        })
        .collect()
}

fn version(rng: &mut Rng, lineage: &Lineage) -> String {
    rng.pick(lineage.versions()).map(|version| version.name.clone()).unwrap_or_default()
}

/// A version of the lineage, or for what does not exist yet, at times one that nobody knows.
fn version_at(rng: &mut Rng, moments: &Moments, lineage: &Lineage, happened: Instant) -> String {
    if happened > moments.at && rng.percent(30) { "unheard".to_owned() } else { version(rng, lineage) }
}

fn events(rng: &mut Rng, moments: &mut Moments, lineage: &Lineage, most: usize) -> Vec<Value> {
    (0..rng.between(0, most))
        .map(|_| {
            let happened = moments.any(rng);
            json!({ "version": version_at(rng, moments, lineage, happened), "at": time(happened) })
        })
        .collect()
}

fn decisions(rng: &mut Rng, moments: &mut Moments, lineage: &Lineage) -> Vec<Value> {
    let count = rng.pick_or(&[1, 1, 2, 3, 5], 1);
    let purposes: Vec<String> = lineage
        .versions()
        .iter()
        .flat_map(|version| version.purposes.iter().map(|purpose| purpose.name.clone()))
        .collect();
    if purposes.is_empty() {
        return Vec::new();
    }
    let favourite = rng.pick_or(&purposes, String::new());
    (0..count)
        .map(|_| {
            let happened = moments.any(rng);
            let purpose =
                if rng.percent(75) { favourite.clone() } else { rng.pick_or(&purposes, String::new()) };
            let choice = if rng.percent(60) { Choice::On } else { Choice::Off };
            json!({
                "purpose": purpose, "choice": choice.word(), "at": time(happened),
                "version": version_at(rng, moments, lineage, happened),
            })
        })
        .collect()
}

fn holds(rng: &mut Rng, moments: &mut Moments, lineage: &Lineage) -> Vec<Value> {
    let count = rng.pick_or(&[0, 0, 1, 1, 2, 3], 0);
    (0..count).map(|_| hold(rng, moments, lineage)).collect()
}

fn hold(rng: &mut Rng, moments: &mut Moments, lineage: &Lineage) -> Value {
    let classes: Vec<String> = lineage
        .versions()
        .iter()
        .flat_map(|version| version.classes().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut classes = rng.some(&classes);
    if rng.percent(60) {
        classes.push("content".to_owned());
    }
    if rng.percent(3) {
        classes.clear();
    }
    let placed = moments.any(rng);
    let released = rng.percent(50).then(|| moments.any(rng).max(placed));
    let mut hold = Map::new();
    hold.insert("id".to_owned(), json!(rng.pick_or(&["h1", "h2", "h3", "h10"], "h1")));
    hold.insert("placed_at".to_owned(), time(placed));
    optional(rng, &mut hold, "released_at", released.map(time));
    let classes = if rng.percent(4) { Value::Null } else { json!(classes) };
    hold.insert("classes".to_owned(), classes);
    let regimes: Vec<&str> = rng.some(Regime::ALL).into_iter().map(Regime::word).collect();
    let surfaces = [surface(rng, lineage), surface(rng, lineage)];
    let kinds: Vec<&str> = rng.some(Kind::ALL).into_iter().map(Kind::word).collect();
    for (name, percent, list) in [
        ("regimes", 25, json!(regimes)),
        ("surfaces", 20, json!(surfaces)),
        ("accounts", 20, json!(["a1"])),
        ("countries", 20, json!(rng.some(COUNTRIES))),
        ("not_countries", 20, json!(rng.some(COUNTRIES))),
        ("kinds", 15, json!(kinds)),
    ] {
        let list = rng.percent(percent).then(|| if rng.percent(5) { json!([]) } else { list });
        optional(rng, &mut hold, name, list);
    }
    for name in ["created_from", "created_to"] {
        let edge = moments.perhaps(rng, 15).map(time);
        optional(rng, &mut hold, name, edge);
    }
    let deleted_only = rng.percent(60).then(|| json!(rng.percent(40)));
    optional(rng, &mut hold, "deleted_only", deleted_only);
    Value::Object(hold)
}
