//! Runs over HTTP: written below one folder and nowhere else.

use serde_json::json;
use tenure_access::{Role, TokenPurpose};

use super::world::{NOW, World};

#[test]
fn a_run_is_opened_verified_and_asked_what_was_revoked() {
    let world = World::new();
    world.set_now("2025-09-01T10:00:00Z");
    world.open("ada");
    let decide = |choice: &str| {
        let mut body = json!({"purpose": "train", "choice": choice});
        if choice == "on" {
            body["follows"] = json!(world.head("ada"));
        }
        world.post("/v1/me/decisions", &world.token("ada", TokenPurpose::Decide), &body).expect(201)
    };
    decide("on");
    world.set_now(NOW);
    world.converse("ada", "c1");
    let ml = world.key(Role::Ml);
    let open = |folder: &str| world.post("/v1/runs", &ml, &json!({"purpose": "train", "folder": folder}));
    let opened = open("first").expect(201).json();
    assert!(world.runs().join("first").join("manifest.json").is_file());
    open("first").refused(409, "refused");
    let run = opened["run"].as_str().unwrap();
    let read = world.get(&format!("/v1/runs/{run}"), &ml).expect(200).json();
    assert_eq!((&read["stage"], &read["digest"]), (&json!("sealed"), &opened["digest"]));
    let verify = |run: &str, folder: &str| {
        world.post(&format!("/v1/runs/{run}/verify"), &ml, &json!({"folder": folder})).expect(200).json()
    };
    assert_eq!(verify(run, "first")["sound"], true);
    let second = open("second").expect(201).json();
    let other = verify(second["run"].as_str().unwrap(), "first");
    assert_eq!(
        (&other["sound"], &other["verified"]["problems"][0]["problem"]),
        (&json!(false), &json!("other_run"))
    );
    assert_eq!(verify(run, "nowhere")["sound"], false);
    decide("off");
    let revoked = world.get(&format!("/v1/runs/{run}/revocations"), &ml).expect(200).json();
    assert_eq!(revoked["revocations"]["records"], 1, "{opened}");
    assert_eq!(revoked["revocations"]["revoked"][0]["why"], "withdrawn");
    let page = world.get("/v1/runs?limit=1", &ml).expect(200).json();
    let rest = world.get(&format!("/v1/runs?limit=1&cursor={}", page["next"].as_str().unwrap()), &ml);
    let rest = rest.expect(200).json();
    assert_ne!(page["items"][0]["run"], rest["items"][0]["run"]);
    assert!(rest["next"].is_null());
    world.get(&format!("/v1/runs/run-{}", "0".repeat(32)), &ml).refused(404, "run-unknown");
}

#[test]
fn no_name_of_a_folder_leads_out_of_the_one_for_runs() {
    let world = World::new();
    let ml = world.key(Role::Ml);
    for folder in ["", ".", "..", "../x", "/tmp/x", "a/b", "a\\b", ".hidden", "A", "ä", &"a".repeat(65)] {
        let body = json!({"purpose": "train", "folder": folder});
        world.post("/v1/runs", &ml, &body).refused(422, "body-invalid");
    }
    let body = json!({"purpose": "nothing", "folder": "x"});
    world.post("/v1/runs", &ml, &body).refused(404, "purpose-unknown");
    assert!(!world.runs().join("x").exists());
}
