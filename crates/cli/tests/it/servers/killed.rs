//! The object store is killed while a command works with it.
//!
//! The command then fails and says so, or has no need of it any more. Whatever it recorded by then is true, and once
//! the server is back the same command finishes the work.

use std::process::Output;
use std::time::{Duration, Instant};

use tenure_vault::seaweed::Keeps;

use super::world::{ERASED, SWEEP, Servers, World};
use crate::{code, stderr};

/// Kills the store at a moment of a command's life, if it lives that long.
fn killed_during(servers: &mut Servers, world: &World, args: &[&str], moment: Duration) -> Output {
    let command = world.begun(args);
    std::thread::sleep(moment);
    servers.seaweed.kill();
    command.wait_with_output().unwrap()
}

/// Fails unless the command says what could not be reached, and what to do, without saying where that is.
fn says_so(servers: &Servers, output: &Output) {
    let said = stderr(output);
    assert_eq!(code(output), 2, "{said}");
    assert!(said.contains("check that the place of the packs can be reached"), "{said}");
    assert!(!said.contains(&servers.seaweed.endpoint()), "{said}");
}

/// Fails if anything is recorded to be gone that is there, or to be there that is gone and was not let go of.
fn nothing_untrue_is_recorded(servers: &Servers, world: &World) {
    let there = world.packs_there(servers);
    let untrue: Vec<_> = world.packs_said_to_be_gone().intersection(&there).cloned().collect();
    assert!(untrue.is_empty(), "{untrue:?} are recorded as gone and are there");
    let living = world.rows("SELECT DISTINCT lower(hex(pack)) FROM segments", |row| row.get::<_, String>(0));
    assert!(living.iter().all(|pack| there.contains(pack)), "a pack is gone in which something lives");
}

/// Kills the store at some moments of a sweep, and lets it go on.
fn hit(keeps: Keeps, parts: &[u32]) {
    let Some(mut servers) = Servers::start(keeps) else { return };
    let origin = World::erased(&servers);
    let whole = origin.twin(&servers, "whole");
    let clock = Instant::now();
    let swept = whole.json(&SWEEP);
    let time = clock.elapsed();
    assert!(swept["sweep"]["packs"].as_u64() > Some(4), "{swept}");
    for part in parts {
        let mut moment = time * *part / 10;
        let mut tries = 0;
        let world = loop {
            let world = origin.twin(&servers, &format!("{part}-{tries}"));
            let output = killed_during(&mut servers, &world, &SWEEP, moment);
            let ended = output.status.success();
            if !ended {
                says_so(&servers, &output);
            }
            servers.seaweed.go_on();
            nothing_untrue_is_recorded(&servers, &world);
            if !ended {
                break world;
            }
            assert_eq!(world.standing(), whole.standing());
            (moment, tries) = (moment * 2 / 3, tries + 1);
        };
        world.is_sound();
        world.done(&SWEEP);
        world.is_sound();
        assert_eq!(world.standing(), whole.standing());
        assert_eq!(world.packs_there(&servers), world.packs_known());
        assert_eq!(
            world.json(&[&SWEEP[..], &["--dry-run"]].concat())["sweep"]["destroyed"],
            serde_json::json!({})
        );
    }
}

#[test]
fn a_store_that_is_killed_in_a_sweep_loses_and_leaks_nothing() {
    hit(Keeps::Nothing, &[4, 8]);
}

#[test]
fn a_store_of_versions_that_is_killed_in_a_sweep_loses_and_leaks_nothing() {
    hit(Keeps::Versions, &[6]);
}

#[test]
fn a_store_that_is_killed_during_an_erasure_or_an_import_keeps_what_was_acknowledged_and_nothing_else() {
    let Some(mut servers) = Servers::start(Keeps::Nothing) else { return };
    let origin = World::imported(&servers);
    let whole = origin.twin(&servers, "whole");
    let erase = ["erase", "--account", "a1", "--yes", "--at", ERASED];
    let clock = Instant::now();
    whole.done(&erase);
    let time = clock.elapsed();
    whole.done(&SWEEP);
    for part in [1, 2] {
        let world = origin.twin(&servers, &format!("erase-{part}"));
        let output = killed_during(&mut servers, &world, &erase, time * part / 3);
        let before = world.standing();
        servers.seaweed.go_on();
        if !output.status.success() {
            says_so(&servers, &output);
            assert_eq!(before, origin.standing());
        }
        world.done(&erase);
        world.done(&SWEEP);
        world.is_sound();
        assert_eq!(world.standing(), whole.standing());
    }
    import_is_hit(&mut servers, &origin);
}

/// Kills the store while it is to be given a pack.
fn import_is_hit(servers: &mut Servers, origin: &World) {
    let world = origin.twin(servers, "import");
    let conversations: Vec<_> = (0..16)
        .map(|id| {
            let text = format!("{id} ").repeat(150_000);
            serde_json::json!({"type": "conversation", "id": format!("large-{id}"), "account": "a2", "surface": "pro",
                "country": "US", "scanned": true,
                "messages": [{"id": "0", "at": "2025-10-12T10:00:00Z", "role": "human", "text": text}]})
        })
        .collect();
    let export = world.file("large.jsonl", &crate::folder::jsonl(&conversations));
    let import = ["import", "tenure", export.as_str(), "--at", ERASED];
    let output = killed_during(servers, &world, &import, Duration::from_millis(500));
    if !output.status.success() {
        says_so(servers, &output);
    }
    servers.seaweed.go_on();
    nothing_untrue_is_recorded(servers, &world);
    world.is_sound();
    world.done(&import);
    world.done(&["doctor", "--full", "--repair"]);
    assert_eq!(world.packs_there(servers), world.packs_known());
    let conversations = world.rows("SELECT count(*) FROM conversations", |row| row.get::<_, i64>(0));
    assert_eq!(conversations, [60 + 16]);
}
