//! The key server is killed while a command works with it.

use std::time::{Duration, Instant};

use tenure_vault::seaweed::Keeps;

use super::world::{SWEEP, Servers, World};
use crate::{code, stderr};

#[test]
fn a_sweep_goes_on_without_the_key_server_and_none_begins_without_it() {
    let Some(mut servers) = Servers::start(Keeps::Nothing) else { return };
    let origin = World::erased(&servers);
    let whole = origin.twin(&servers, "whole");
    let clock = Instant::now();
    whole.done(&SWEEP);
    let time = clock.elapsed();
    let mut refused = 0;
    for part in [0, 2, 5, 8] {
        let world = origin.twin(&servers, &part.to_string());
        let sweep = world.begun(&SWEEP);
        std::thread::sleep(time * part / 10);
        servers.openbao.kill().unwrap();
        let output = sweep.wait_with_output().unwrap();
        if !output.status.success() {
            // It had not opened the keys yet.
            let said = stderr(&output);
            assert_eq!(code(&output), 2, "{said}");
            assert!(said.contains("up and unsealed"), "{said}");
            assert_eq!(world.standing(), origin.standing());
            refused += 1;
        }
        servers.openbao.go_on().unwrap();
        world.is_sound();
        world.done(&SWEEP);
        world.is_sound();
        assert_eq!(world.standing(), whole.standing());
        assert_eq!(world.packs_there(&servers), world.packs_known());
    }
    assert!((1..4).contains(&refused), "{refused} of 4 sweeps were refused");
}

#[test]
fn a_root_key_whose_server_is_killed_while_it_is_replaced_is_the_one_before_or_the_next() {
    let Some(mut servers) = Servers::start(Keeps::Nothing) else { return };
    let world = World::erased(&servers);
    let version = |world: &World| world.json(&["keys", "show"])["root"].as_u64().unwrap();
    let clock = Instant::now();
    world.done(&["keys", "rotate"]);
    let time = clock.elapsed();
    let mut hit = 0;
    for part in [1_u32, 3, 5, 6, 7, 8, 9] {
        let before = version(&world);
        let rotation = world.begun(&["keys", "rotate"]);
        std::thread::sleep(time.max(Duration::from_millis(20)) * part / 10);
        servers.openbao.kill().unwrap();
        let output = rotation.wait_with_output().unwrap();
        if !output.status.success() {
            assert_eq!(code(&output), 2);
            assert!(stderr(&output).contains("up and unsealed"), "{}", stderr(&output));
            hit += 1;
        }
        servers.openbao.go_on().unwrap();
        // Opening finishes what was begun.
        let after = version(&world);
        assert!(after == before + 1 || !output.status.success() && after == before, "{before}, then {after}");
        assert_eq!(world.json(&["keys", "show"])["ageing_out"], serde_json::json!([]));
    }
    assert!(hit > 1, "the server was killed too late each time");
    world.is_sound();
    world.done(&SWEEP);
    world.done(&["keys", "rotate"]);
    world.is_sound();
}
