//! Mistakes in cases: each kind that must be answered with an error, and what only looks like one.

use serde_json::{Value, json};
use tenure_model::Instant;

use super::cases::time;
use super::rng::Rng;

/// The case as text, with one mistake in it.
pub(super) fn spoil(rng: &mut Rng, mut case: Value, at: Instant) -> String {
    let later = time(Instant::saturating_from_micros(at.micros() + 1));
    let earlier = time(Instant::saturating_from_micros(at.micros() - 86_400_000_000));
    let impossible = json!("2025-02-30T00:00:00Z");
    match rng.below(22) {
        0 => {
            let text = case.to_string();
            let half = text.len() / 2;
            return text.chars().take(half).collect();
        }
        1 => remove(&mut case, "", "at"),
        2 => set(&mut case, "", "at", impossible),
        3 => remove(&mut case, "/record", "created_at"),
        4 => set(&mut case, "/record", "last_activity_at", json!("yesterday")),
        5 => set(&mut case, "/record", "surface", json!("nowhere")),
        6 => set(&mut case, "/record", "kind", json!("letter")),
        7 => set(&mut case, "/record", "mode", json!("secret")),
        8 => set(&mut case, "", "decisions", json!([decision("perhaps", "train", "v0", &earlier)])),
        9 => set(&mut case, "", "decisions", json!([decision("on", "fame", "v0", &earlier)])),
        10 => set(&mut case, "", "decisions", json!([decision("on", "fame", "v0", &later)])),
        11 => set(&mut case, "", "informed", json!([{ "version": "unheard", "at": time(at) }])),
        // No mistake: an unknown version of an event that does not exist yet.
        12 => set(&mut case, "", "acknowledged", json!([{ "version": "unheard", "at": later }])),
        13 => {
            let message = json!({ "id": "m0", "at": time(at) });
            set(&mut case, "/record", "messages", json!([message, message]));
        }
        14 => set(&mut case, "/account", "opened_at", later),
        15 => set(&mut case, "/record", "created_at", later),
        16 => set(&mut case, "/record", "last_activity_at", later),
        17 => {
            set(&mut case, "/record", "created_at", time(at));
            set(&mut case, "/record", "last_activity_at", earlier);
        }
        18 => {
            set(&mut case, "/record", "last_activity_at", time(at));
            set(&mut case, "/record", "conversation_last_activity_at", earlier);
        }
        19 => set(&mut case, "/record", "conversation_last_activity_at", later),
        20 => {
            let hold = json!({ "id": "h1", "placed_at": time(at), "released_at": earlier, "classes": [] });
            set(&mut case, "", "holds", json!([hold]));
        }
        _ => set(&mut case, "/record", "messages", json!([{ "id": "m0", "at": impossible }])),
    }
    case.to_string()
}

fn decision(choice: &str, purpose: &str, version: &str, at: &Value) -> Value {
    json!({ "purpose": purpose, "choice": choice, "version": version, "at": at })
}

fn set(case: &mut Value, place: &str, name: &str, value: Value) {
    if let Some(Value::Object(object)) = case.pointer_mut(place) {
        object.insert(name.to_owned(), value);
    }
}

fn remove(case: &mut Value, place: &str, name: &str) {
    if let Some(Value::Object(object)) = case.pointer_mut(place) {
        object.remove(name);
    }
}
