//! The suite that every store must pass, so that all engines mean the same.
//!
//! In an engine's tests: implement [`Engine`] and write `tenure_store::conformance_tests!(my_engine);`, where
//! `my_engine` is a function that gives it. Every case gets an empty store of its own.

mod access;
mod apart;
mod basics;
mod conversations;
mod copies;
mod due;
mod jobs;
mod leases;
mod ledger;
mod life;
mod log;
mod pages;
mod readers;
mod sample;
mod soundness;

use crate::{Store, StoreError};
use std::sync::Arc;

/// How an engine makes stores for the suite.
pub trait Engine {
    /// An empty store.
    fn fresh(&self) -> Instance;
}

/// A store under test.
#[expect(missing_debug_implementations, reason = "it holds closures and lives for one test")]
pub struct Instance {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Opens what is durable now, as if the power had failed at this moment; the store goes on meanwhile.
    pub after_power_loss: Box<dyn Fn() -> Arc<dyn Store>>,
}

/// What a case answers with: a failed check panics, a failed call is an error.
pub type Outcome = Result<(), StoreError>;

/// A case: its name, and what it does with a store.
pub type Case = (&'static str, fn(&Instance) -> Outcome);

macro_rules! suite {
    ($($module:ident { $($case:ident),+ $(,)? })+) => {
        /// Every case of the suite.
        pub const CASES: &[Case] = &[$($((stringify!($case), $module::$case)),+),+];

        /// One `#[test]` for each case of the suite, on stores of the [`Engine`] that a function gives.
        #[macro_export]
        macro_rules! conformance_tests {
            ($engine:path) => {
                $($(
                    #[test]
                    fn $case() -> $crate::conformance::Outcome {
                        $crate::conformance::run(&$engine(), stringify!($case))
                    }
                )+)+
            };
        }
    };
}

suite! {
    access {
        an_api_key_comes_back_as_it_was_minted,
        a_revoked_key_stays_revoked,
        a_change_goes_on_until_it_is_closed,
        changes_are_listed_from_the_newest,
        a_token_is_claimed_once,
        of_two_claims_at_once_one_is_the_first,
        a_request_is_done_once_and_answered_again,
        a_request_whose_doer_is_gone_is_taken_over,
        requests_that_expired_are_forgotten_in_slices,
    }
    jobs {
        what_was_answered_survives_a_power_loss,
        a_job_that_fails_takes_nothing_else_along,
        a_job_that_panics_is_rolled_back_and_the_writer_lives,
        a_job_reads_what_it_wrote_and_gives_its_value,
        a_snapshot_does_not_move,
        no_reader_sees_half_of_a_job,
        sixteen_threads_write_and_nothing_is_lost,
        jobs_are_applied_in_the_order_in_which_one_thread_submits_them,
        a_snapshot_may_be_taken_within_a_snapshot,
    }
    apart {
        jobs_of_an_account_come_in_the_order_in_which_they_are_handed_in,
        a_statement_gets_its_place_after_its_commit,
        a_job_that_may_write_anything_sees_the_whole_chain_in_its_places,
        a_job_of_an_account_that_fails_leaves_nothing,
        many_accounts_state_at_once_beside_the_house,
    }
    basics {
        settings_are_kept_and_replaced,
        policies_are_listed_by_lineage_and_announcement,
        a_version_is_published_once,
        an_account_id_is_unique_within_its_organisation,
        an_accounts_facts_and_keys_are_replaced,
        accounts_are_listed_in_slices,
    }
    conversations {
        a_conversation_comes_back_as_it_was_stored,
        a_conversation_is_recognised_by_its_mac_within_its_account,
        a_record_is_found_by_its_id_alone,
        a_records_facts_change_and_the_rest_stays,
        records_of_an_account_are_deleted_once,
        packs_count_the_segments_that_refer_to_them,
        packs_that_are_mostly_dead_are_found_and_emptied,
        messages_can_be_forgotten,
        lists_go_on_after_their_cursor,
    }
    copies {
        a_copy_comes_back_in_every_state,
        a_copy_moves_only_from_the_stage_that_was_expected,
        a_wrap_that_goes_gives_its_slot_back,
        names_are_interned_once,
        a_batch_lists_its_copies_in_slices,
        reports_count_copies_by_stage_and_day,
        copies_are_ended_together_and_give_their_slots_back,
        a_body_that_something_opens_is_not_released,
        the_copies_of_a_batch_are_removed_and_verified_with_it,
    }
    due {
        groups_are_listed_once_each,
        due_copies_come_by_day_and_go_on_after_the_cursor,
        only_live_copies_are_due,
        re_filing_moves_a_copy_in_the_index,
        counts_are_given_by_day,
        listing_groups_costs_by_groups_and_not_by_copies,
        a_mark_that_comes_during_re_filing_is_not_lost,
    }
    life {
        a_long_random_life_agrees_with_a_plain_model,
    }
    ledger {
        statements_come_in_one_order_and_in_their_chains,
        a_statement_that_is_not_the_chains_next_is_refused,
        statements_are_found_by_kind,
        holds_are_versioned_and_every_change_advances_the_epoch,
        a_released_hold_stays_released,
        batches_keep_their_stage_and_their_pages,
        what_a_batch_destroyed_stays_stated_when_a_copy_returns,
        a_batch_states_once_what_it_destroyed,
        a_run_is_sealed_once_and_lists_its_records,
        a_run_that_was_not_sealed_can_be_dropped,
    }
    leases {
        one_holder_at_a_time_has_a_lease,
        a_lease_that_lapsed_or_was_ended_goes_to_the_next_with_a_new_token,
    }
    log {
        a_log_without_statements_has_the_root_of_no_leaves,
        the_head_is_that_of_the_statements_whatever_a_group_appends,
        tiles_and_proofs_are_those_of_the_tree_also_after_a_power_loss,
        a_log_of_three_levels_of_tiles_has_the_tree_of_its_statements,
        a_job_that_is_rolled_back_leaves_no_leaf,
        what_is_not_in_the_tree_has_no_proof,
        sixteen_threads_append_and_each_answer_is_in_the_head,
    }
    pages {
        slots_fill_a_page_before_the_next_is_opened,
        a_full_or_destroyed_page_gives_no_slots,
        shelves_do_not_share_pages,
        a_page_lists_what_lies_on_it,
    }
    readers {
        the_right_to_read_is_given_taken_and_given_again,
        an_access_names_once_what_it_reads,
    }
    soundness {
        a_store_in_use_is_sound,
        a_record_that_miscounts_is_found,
        slots_without_wraps_are_found,
        wraps_on_a_destroyed_page_are_found,
        a_row_that_refers_to_nothing_is_refused,
        scrubbing_succeeds_when_nobody_reads,
    }
}

/// Runs one case on a fresh store.
///
/// # Panics
/// If a check of the case fails, or if there is no such case.
pub fn run(engine: &dyn Engine, name: &str) -> Outcome {
    let case = CASES.iter().find(|(known, _)| *known == name);
    assert!(case.is_some(), "no case `{name}` in the suite");
    case.map_or(Ok(()), |(_, case)| case(&engine.fresh()))
}
