//! Settings, shown.

use serde_json::{Map, Value, json};

use crate::Exit;
use crate::configuration::{Complaint, InForce, Origin};
use crate::output::{complain, say, say_json, table};

/// Everything that is wrong with the settings.
pub(super) fn complaints(complaints: &[Complaint], json: bool) -> anyhow::Result<Exit> {
    if json {
        let told: Vec<Value> = complaints
            .iter()
            .map(|complaint| json!({"at": complaint.origin.to_string(), "message": complaint.message}))
            .collect();
        say_json(&json!({"settings": null, "complaints": told}))?;
    }
    for complaint in complaints {
        complain(&anyhow::anyhow!("{complaint}"));
    }
    Ok(Exit::BadInput)
}

/// What is in force, and who said so. No setting is a secret; those that name files of secrets show the names.
pub(super) fn in_force(settings: &[InForce], json: bool) -> anyhow::Result<Exit> {
    if json {
        let shown: Map<String, Value> = settings
            .iter()
            .map(|one| {
                let from = match &one.origin {
                    Origin::Default => "default",
                    Origin::File { .. } => "file",
                    Origin::Variable(_) => "environment",
                    Origin::Flag(_) => "flag",
                };
                (one.name.to_owned(), json!({"value": one.value, "from": from, "at": one.origin.to_string()}))
            })
            .collect();
        say_json(&json!({"settings": shown, "complaints": []}))?;
        return Ok(Exit::Done);
    }
    let mut rows = table(["Setting", "Value", "Said by"]);
    for one in settings {
        rows.add_row([one.name.to_owned(), one.value.clone(), one.origin.to_string()]);
    }
    say(rows)?;
    Ok(Exit::Done)
}
