//! The same meetings with threads that go at their own pace.

use super::explore::Race;
use super::*;

const ROUNDS: u64 = 20;

#[test]
fn threads_that_run_into_a_sweep_break_no_rule() {
    let ground = held::ground();
    Race { ground: &ground, acts: &held::places, check: &held::held_or_gone }.run_into(ROUNDS);
    Race { ground: &ground, acts: &held::amends, check: &held::held_or_gone }.run_into(ROUNDS);
    Race { ground: &ground, acts: &sweepers::pauses, check: &sweepers::paused_or_done }.run_into(ROUNDS);
}

#[test]
fn threads_that_sweep_erase_and_take_in_at_once_break_no_rule() {
    let ground = held::ground();
    Race { ground: &ground, acts: &sweepers::both_sweep, check: &sweepers::one_sweeps }.run_into(ROUNDS);
    let ground = pages::ground();
    Race { ground: &ground, acts: &pages::sweeps_and_imports, check: &pages::all_there }.run_into(ROUNDS);
    let ground = erased::ground();
    Race { ground: &ground, acts: &erased::erases_and_sweeps, check: &erased::left_is_gone }.run_into(ROUNDS);
}
