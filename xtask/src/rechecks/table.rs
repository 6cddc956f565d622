//! The checks, each with the text that makes it, and the test that fails without it.

use super::{Change, Recheck};

const DESTROY: &str = "crates/app/src/destroy.rs";
const ACCOUNT: &str = "crates/app/src/destroy/account.rs";
const BYTES: &str = "crates/app/src/destroy/bytes.rs";
const SWEEP: &str = "crates/app/src/sweep.rs";
const SETTINGS: &str = "crates/app/src/settings.rs";
const PROOFS: &str = "crates/app/src/proofs.rs";
const CHOICES: &str = "crates/app/src/choices.rs";
const BODIES: &str = "crates/app/src/run/bodies.rs";
const APP: &str = "tenure-app";
const STORE: &str = "tenure-store";

const fn change(file: &'static str, text: &'static str, instead: &'static str) -> Change {
    Change { file, text, instead }
}

const fn check(name: &'static str, without: Change, package: &'static str, test: &'static str) -> Recheck {
    Recheck { name, without, mistake: None, package, test }
}

const fn last_line(name: &'static str, mistake: Change, without: Change, test: &'static str) -> Recheck {
    Recheck { name, without, mistake: Some(mistake), package: APP, test }
}

/// That nothing new may come onto a page of proof keys whose key is about to go.
const FULL_PROOFS: Change = change(PROOFS, "            tx.set_page_state(*page, PageState::Full)?;\n", "");

pub(super) const RECHECKS: &[Recheck] = &[
    check(
        "second judgement before the point of no return",
        change(
            DESTROY,
            "                let CopyState::Sealed { wrap, .. } = &copy.state else { continue };\n",
            "                let CopyState::Sealed { wrap, sealing: earlier } = &copy.state else { continue };\n                \
             if wrap.is_some() {\n                    ended.push((copy.key, earlier.clone()));\n                    \
             continue;\n                }\n",
        ),
        APP,
        "races::choices::a_flag_at_any_step_of_a_sweep_keeps_what_can_still_be_kept",
    ),
    check(
        "holds read again before the point of no return",
        change(
            DESTROY,
            "            let holds = Holds::load(tx)?;\n            let mut judge = Judge::new(&tenure, &policies, &holds, now, by);\n            let mut hand = Hand::new(&tenure, tx)?;\n            let copies",
            "            let holds = Holds::default();\n            let mut judge = Judge::new(&tenure, &policies, &holds, now, by);\n            let mut hand = Hand::new(&tenure, tx)?;\n            let copies",
        ),
        APP,
        "races::held::a_hold_that_is_placed_at_any_step_of_a_sweep_keeps_what_can_still_be_kept",
    ),
    check(
        "policies read again before the point of no return",
        change(
            DESTROY,
            "            let policies = Policies::current(tx, &policies)?;\n            let holds = Holds::load(tx)?;\n            let mut judge = Judge::new(&tenure, &policies, &holds, now, by);\n            let mut hand = Hand::new(&tenure, tx)?;\n            let copies",
            "            let holds = Holds::load(tx)?;\n            let mut judge = Judge::new(&tenure, &policies, &holds, now, by);\n            let mut hand = Hand::new(&tenure, tx)?;\n            let copies",
        ),
        APP,
        "races::policies::a_version_that_is_withdrawn_at_any_step_of_a_sweep_destroys_nothing_more",
    ),
    check(
        "holds read in the transaction that takes an account's key",
        change(
            ACCOUNT,
            "            let holds = Holds::load(tx)?;\n",
            "            let holds = Holds::default();\n",
        ),
        APP,
        "races::erased::a_hold_that_comes_while_a_person_leaves_keeps_all_or_finds_all_gone",
    ),
    check(
        "a page is full before it is emptied",
        change(DESTROY, "        tx.set_page_state(page, PageState::Full)?;\n", ""),
        APP,
        "races::pages::what_is_taken_in_while_a_page_goes_never_lies_on_it",
    ),
    last_line(
        "a page that is still needed keeps its key",
        change(
            DESTROY,
            "        Ok(survivors.len() as u64)\n",
            "        tx.set_page_state(page, PageState::Open)?;\n        Ok(survivors.len() as u64)\n",
        ),
        change(DESTROY, "            refuse_if_needed(tx, &pages)?;\n", ""),
        "races::pages::a_page_onto_which_something_came_all_the_same_keeps_its_key",
    ),
    check(
        "an idle page is full before its key goes",
        change(
            BYTES,
            "                for page in &idle {\n                    tx.set_page_state(*page, PageState::Full)?;\n                }\n",
            "",
        ),
        APP,
        "races::pages::what_is_taken_in_as_its_day_has_passed_can_be_opened_until_it_goes",
    ),
    check(
        "a page of account keys is full before it is emptied",
        change(ACCOUNT, "        tx.set_page_state(page, PageState::Full)?;\n", ""),
        APP,
        "races::erased::who_comes_while_another_leaves_keeps_the_key_of_their_account",
    ),
    last_line(
        "a page of account keys that is still needed keeps its key",
        change(
            ACCOUNT,
            "        for account in tx.accounts_of_page(page)? {",
            "        for account in tx.accounts_of_page(page)?.into_iter().take(0) {",
        ),
        change(ACCOUNT, "            refuse_if_needed(tx, &pages)?;\n", ""),
        "races::erased::a_page_of_account_keys_that_was_not_emptied_keeps_its_key",
    ),
    check(
        "a page of proof keys is full before it is emptied",
        FULL_PROOFS,
        APP,
        "races::pages::who_comes_while_the_evidence_of_another_goes_keeps_theirs",
    ),
    last_line(
        "a page of proof keys that is still needed keeps its key",
        FULL_PROOFS,
        change(PROOFS, "            if used(page)? {", "            if used(page)? && pages.is_empty() {"),
        "races::pages::a_page_of_proof_keys_onto_which_one_came_all_the_same_keeps_its_key",
    ),
    last_line(
        "a verdict destroys no copy but its own",
        change(
            DESTROY,
            "            let mut ended = Vec::new();\n            for copy in copies {\n                let record = tx.record(copy.key.record)?.ok_or(Error::UnknownRecord)?;\n",
            "            let mut ended = Vec::new();\n            let first = copies.first().map(|copy| copy.key.record);\n            for copy in copies {\n                let record = tx.record(first.unwrap_or(copy.key.record))?.ok_or(Error::UnknownRecord)?;\n",
        ),
        change(
            SWEEP,
            "    if !due.is_for(&key.record.to_string(), class) {",
            "    if !due.is_for(&key.record.to_string(), class) && class.is_empty() {",
        ),
        "races::held::a_verdict_on_one_copy_destroys_no_other",
    ),
    check(
        "a pause is seen by every transaction of a sweep",
        change(
            SWEEP,
            "            refuse_if_stopped(tx)?;\n            let token = lease.hold(tx, until)?;",
            "            let token = lease.hold(tx, until)?;",
        ),
        APP,
        "races::sweepers::once_a_pause_has_answered_nothing_is_destroyed_at_any_step_of_a_sweep",
    ),
    check(
        "a pause is seen before anything is destroyed outside the store",
        change(
            SWEEP,
            "            refuse_if_stopped(tx)?;\n            self.lease.lasts(tx)",
            "            self.lease.lasts(tx)",
        ),
        APP,
        "races::sweepers::once_a_pause_has_answered_nothing_is_destroyed_at_any_step_of_a_sweep",
    ),
    check(
        "a pause waits for what is being destroyed",
        change(SETTINGS, "        drop(self.door.lock().unwrap_or_else(PoisonError::into_inner));\n", ""),
        APP,
        "races::sweepers::once_a_pause_has_answered_nothing_is_destroyed_at_any_step_of_a_sweep",
    ),
    check(
        "a sweep does not begin in a pause",
        change(SWEEP, "        tenure.store.read(refuse_if_stopped)?;\n", ""),
        APP,
        "races::sweepers::a_sweep_does_not_begin_in_a_pause_and_says_so_also_where_nothing_is_due",
    ),
    check(
        "the lease is held in every transaction of a sweep",
        change(SWEEP, "            let token = lease.hold(tx, until)?;\n", "            let token = 1;\n"),
        APP,
        "races::sweepers::a_sweeper_whose_lease_another_has_taken_writes_nothing_more",
    ),
    check(
        "the lease lasts before anything is destroyed outside the store",
        change(SWEEP, "            self.lease.lasts(tx)\n", "            Ok(())\n"),
        APP,
        "races::sweepers::a_sweeper_whose_lease_lapsed_while_it_was_stalled_calls_no_store_of_keys",
    ),
    check(
        "a release that comes during the review of holds asks again",
        change(
            SWEEP,
            "            if tx.meta(REVIEW_HELD)?.as_ref() == Some(&asked) {",
            "            if !asked.is_empty() {",
        ),
        APP,
        "races::held::what_is_released_at_any_step_of_a_sweep_has_its_grace_and_goes_when_that_ends",
    ),
    check(
        "an on follows the head that it knew",
        change(
            CHOICES,
            "        if follows.is_some_and(|follows| follows != row.chain.head) {",
            "        if follows.is_some_and(|follows| follows != row.chain.head) && statements.is_empty() {",
        ),
        APP,
        "races::choices::an_on_never_follows_an_off_that_it_did_not_know",
    ),
    check(
        "an account that is closed meanwhile says nothing",
        change(
            CHOICES,
            "        if whose == Whose::Open && row.facts.closed_at.is_some() {",
            "        if whose == Whose::Open && row.facts.closed_at.is_some() && statements.is_empty() {",
        ),
        APP,
        "races::choices::nothing_but_an_off_is_taken_from_an_account_that_is_closed_meanwhile",
    ),
    check(
        "a statement is the next of its chain",
        change(
            "crates/store/src/sqlite/statements.rs",
            "            Some((newest, seq)) if newest.checked_add(1) == Some(version) => Ok(seq),",
            "            Some((newest, seq)) if newest < version || newest >= version => Ok(seq),",
        ),
        STORE,
        "conformance::a_statement_that_is_not_the_chains_next_is_refused",
    ),
    check(
        "a run leaves out accounts that moved after its position",
        change(
            "crates/app/src/run/walk.rs",
            "            moved.then_some(LeftOut::Moved)",
            "            (moved && self.purpose.is_empty()).then_some(LeftOut::Moved)",
        ),
        APP,
        "races::runs::an_on_at_any_step_of_a_run_lets_nothing_in_that_was_not_allowed_when_the_run_froze_the_ledger",
    ),
    check(
        "a run notes rows only of an account as it was judged",
        change(
            BODIES,
            "now.is_some_and(|now| now.chain == read.chain && now.facts == read.facts)",
            "now.is_some_and(|now| now.key == read.key)",
        ),
        APP,
        "races::runs::an_off_at_any_step_of_a_run_keeps_out_what_was_not_noted_yet",
    ),
    check(
        "a run notes rows only of a record as it was judged",
        change(
            BODIES,
            "        if !same_account || tx.record(self.record.id)?.as_ref() != Some(&self.record) {",
            "        if !same_account || tx.record(self.record.id)?.is_none() {",
        ),
        APP,
        "races::runs::a_flag_or_a_new_message_at_any_step_of_a_run_keeps_out_what_was_not_noted_yet",
    ),
    check(
        "a run notes rows only of copies that live",
        change(
            BODIES,
            "        Ok(copy.is_some_and(|copy| matches!(copy.state, CopyState::Live { wrap: Some(_) })))",
            "        Ok(copy.is_some_and(|copy| !matches!(copy.state, CopyState::Live { wrap: None })))",
        ),
        APP,
        "races::runs::what_a_sweep_has_sealed_is_not_noted_in_a_run",
    ),
    check(
        "a run is sealed under the policies that it was opened under",
        change(
            "crates/app/src/run/seal.rs",
            "            if policies_in_force(tx)? != policies {",
            "            if policies_in_force(tx)? != policies && manifest.is_empty() {",
        ),
        APP,
        "run::a_version_that_is_published_while_a_run_is_written_keeps_it_from_being_sealed",
    ),
    check(
        "a record has one training copy",
        change(
            "crates/app/src/run/copies.rs",
            "        if copies.iter().any(|copy| class_name(&classes, copy.key.class) == TRAINING_COPY) {",
            "        if copies.is_empty() {",
        ),
        APP,
        "races::runs::two_runs_that_finish_each_other_make_one_training_copy_of_each_record",
    ),
    check(
        "a copy moves only from the stage that was expected",
        change(
            "crates/store/src/sqlite/copies.rs",
            "        if now != from {",
            "        if now != from && key.record.0.is_empty() {",
        ),
        STORE,
        "conformance::a_copy_moves_only_from_the_stage_that_was_expected",
    ),
    check(
        "a segment moves only from where it lay",
        change(
            "crates/store/src/sqlite/conversations.rs",
            "            WHERE account = ?1 AND record = ?2 AND segment = ?3 AND pack = ?7 AND \\\"offset\\\" = ?8\";",
            "            WHERE account = ?1 AND record = ?2 AND segment = ?3 AND ?7 IS NOT NULL AND ?8 IS NOT NULL\";",
        ),
        STORE,
        "conformance::packs_that_are_mostly_dead_are_found_and_emptied",
    ),
    check(
        "a mark that comes during re-filing stays",
        change(
            "crates/store/src/sqlite/copies.rs",
            "        let sql = \"DELETE FROM refile WHERE account = ?1 AND marks = ?2\";",
            "        let sql = \"DELETE FROM refile WHERE account = ?1 AND ?2 > 0\";",
        ),
        STORE,
        "conformance::a_mark_that_comes_during_re_filing_is_not_lost",
    ),
    check(
        "a lease that another has is not taken before it lapses",
        change(
            "crates/store/src/sqlite/leases.rs",
            "            Some(lease) if lease.until > now => return Ok(None),",
            "            Some(lease) if lease.until > now && lease.until <= now => return Ok(None),",
        ),
        STORE,
        "conformance::one_holder_at_a_time_has_a_lease",
    ),
    check(
        "a page that is full gives no slots",
        change(
            "crates/store/src/sqlite/pages.rs",
            "WHERE tree = ?1 AND class IS ?2 AND day IS ?3 AND state = 0 ORDER BY wraps DESC, id",
            "WHERE tree = ?1 AND class IS ?2 AND day IS ?3 AND state < 2 ORDER BY wraps DESC, id",
        ),
        STORE,
        "conformance::a_full_or_destroyed_page_gives_no_slots",
    ),
];
