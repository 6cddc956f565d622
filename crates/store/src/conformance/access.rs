//! API keys, changes that need two people, and what was asked before.

use super::{Instance, Outcome, sample};
use crate::{
    AccountKey, ApiKeyId, ApiKeyRow, ApiKeySecrets, ChangeId, ChangeRow, ChangeState, ClaimRow, OnceBegun,
    OnceRow, OnceState, Store, StoreError, StoreExt as _,
};
use tenure_model::Instant;

fn key(number: u8) -> ApiKeyRow {
    ApiKeyRow {
        id: ApiKeyId([number; 8]),
        environment: "live".to_owned(),
        owner: "platform".to_owned(),
        role: "app".to_owned(),
        operations: None,
        organisation: None,
        minted_at: sample::at(1),
        expires_at: sample::at(1_000),
        secrets: ApiKeySecrets::Live { hash: [number; 32] },
    }
}

pub(super) fn an_api_key_comes_back_as_it_was_minted(instance: &Instance) -> Outcome {
    let scoped = ApiKeyRow {
        operations: Some(vec!["decide".to_owned(), "run-sweep".to_owned()]),
        organisation: Some("acme".to_owned()),
        ..key(3)
    };
    // A scope without operations is for nothing, which is another thing than no scope.
    let empty = ApiKeyRow { operations: Some(Vec::new()), ..key(4) };
    let rows = [key(1), key(2), scoped, empty];
    let written = rows.clone();
    instance.store.write(move |tx| {
        written.iter().rev().try_for_each(|row| tx.insert_api_key(row))?;
        assert_eq!(tx.api_key(ApiKeyId([9; 8]))?, None);
        Ok::<_, StoreError>(())
    })?;
    let again: Result<(), StoreError> = instance.store.write(|tx| tx.insert_api_key(&key(1)));
    assert!(matches!(again, Err(StoreError::Conflict { .. })));
    (instance.after_power_loss)().read(|tx| {
        for row in &rows {
            assert_eq!(tx.api_key(row.id)?.as_ref(), Some(row));
        }
        assert_eq!(tx.api_keys(None, 10)?, rows);
        let [_, second, third, _] = &rows;
        assert_eq!(tx.api_keys(Some(second.id), 1)?, std::slice::from_ref(third));
        Ok(())
    })
}

pub(super) fn a_revoked_key_stays_revoked(instance: &Instance) -> Outcome {
    let id = ApiKeyId([1; 8]);
    let rotating = ApiKeySecrets::Rotating { new: [8; 32], old: [1; 32], until: sample::at(50) };
    let revoked = ApiKeySecrets::Revoked { at: sample::at(9) };
    instance.store.write(move |tx| {
        tx.insert_api_key(&key(1))?;
        tx.set_api_key_secrets(id, &rotating)?;
        assert_eq!(tx.api_key(id)?, Some(ApiKeyRow { secrets: rotating, ..key(1) }));
        tx.set_api_key_secrets(id, &revoked)?;
        for later in [rotating, key(1).secrets, ApiKeySecrets::Revoked { at: sample::at(10) }] {
            let again = tx.set_api_key_secrets(id, &later);
            assert_eq!(again, Err(StoreError::Missing { table: "api_keys" }));
        }
        let unknown = tx.set_api_key_secrets(ApiKeyId([2; 8]), &revoked);
        assert_eq!(unknown, Err(StoreError::Missing { table: "api_keys" }));
        Ok::<_, StoreError>(())
    })?;
    let found = (instance.after_power_loss)().read(|tx| tx.api_key(id))?;
    assert_eq!(found, Some(ApiKeyRow { secrets: revoked, ..key(1) }));
    Ok(())
}

fn change(number: u64, proposed_at: Instant) -> ChangeRow {
    ChangeRow {
        id: ChangeId(sample::id(number)),
        change: "releases-hold".to_owned(),
        what: [7; 32],
        about: r#"{"release":"order"}"#.to_owned(),
        proposed_by: "counsel".to_owned(),
        proposed_at,
        state: ChangeState::Proposed,
    }
}

pub(super) fn a_change_goes_on_until_it_is_closed(instance: &Instance) -> Outcome {
    let approved = ChangeState::Approved { by: "privacy".to_owned(), at: sample::at(2) };
    let ends = [
        ChangeState::Rejected { by: "privacy".to_owned(), at: sample::at(3) },
        ChangeState::Lapsed { at: sample::at(3) },
        ChangeState::Executed { approved_by: "privacy".to_owned(), at: sample::at(3) },
    ];
    let closed = ends.clone();
    instance.store.write(move |tx| {
        for (number, end) in (1..).zip(&ends) {
            let row = change(number, sample::at(1));
            tx.insert_change(&row)?;
            assert_eq!(tx.change(row.id)?.as_ref(), Some(&row));
            tx.set_change_state(row.id, &approved)?;
            assert_eq!(tx.change(row.id)?, Some(ChangeRow { state: approved.clone(), ..row.clone() }));
            tx.set_change_state(row.id, end)?;
            for later in [&ChangeState::Proposed, &approved, end] {
                let again = tx.set_change_state(row.id, later);
                assert_eq!(again, Err(StoreError::Missing { table: "changes" }));
            }
        }
        Ok::<_, StoreError>(())
    })?;
    (instance.after_power_loss)().read(|tx| {
        for (number, end) in (1..).zip(&closed) {
            let state = tx.change(ChangeId(sample::id(number)))?.map(|row| row.state);
            assert_eq!(state.as_ref(), Some(end));
        }
        Ok(())
    })
}

pub(super) fn changes_are_listed_from_the_newest(instance: &Instance) -> Outcome {
    let newest_first = [change(4, sample::at(9)), change(2, sample::at(9)), change(3, sample::at(5))];
    let rows = newest_first.clone();
    instance.store.write(move |tx| rows.iter().try_for_each(|row| tx.insert_change(row)))?;
    instance.store.read(|tx| {
        assert_eq!(tx.changes(None, 10)?, newest_first);
        let [_, second, _] = &newest_first;
        assert_eq!(
            tx.changes(Some((sample::at(9), ChangeId(sample::id(4)))), 1)?,
            std::slice::from_ref(second)
        );
        assert_eq!(tx.changes(Some((sample::at(5), ChangeId(sample::id(3)))), 1)?, []);
        Ok(())
    })
}

fn claim(token: u64, request: u8, until: i64) -> ClaimRow {
    ClaimRow { token: sample::id(token), request: [request; 32], until: sample::at(until) }
}

pub(super) fn a_token_is_claimed_once(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        assert_eq!(tx.claim(&claim(1, 1, 10))?, None);
        assert_eq!(tx.claim(&claim(1, 2, 10))?, Some(claim(1, 1, 10)));
        assert_eq!(tx.claim(&claim(2, 1, 20))?, None);
        Ok::<_, StoreError>(())
    })?;
    (instance.after_power_loss)().write(|tx| {
        assert_eq!(tx.claim(&claim(1, 1, 10))?, Some(claim(1, 1, 10)));
        Ok::<_, StoreError>(())
    })?;
    instance.store.write(|tx| {
        tx.claim(&claim(3, 1, 9))?;
        assert_eq!(tx.forget_claims(sample::at(20), 1)?, 1, "no more than so many");
        assert_eq!(tx.claim(&claim(3, 2, 9))?, None, "the first that ended went first");
        assert_eq!(tx.forget_claims(sample::at(20), 10)?, 2);
        assert_eq!(tx.forget_claims(sample::at(20), 10)?, 0, "what ends then has not ended before");
        assert_eq!(tx.claim(&claim(2, 2, 20))?, Some(claim(2, 1, 20)));
        Ok(())
    })
}

pub(super) fn of_two_claims_at_once_one_is_the_first(instance: &Instance) -> Outcome {
    let firsts = std::thread::scope(|scope| {
        let claiming = (0..8).map(|number| {
            let store = &instance.store;
            scope.spawn(move || store.write(move |tx| tx.claim(&claim(1, number, 10))))
        });
        let claiming: Vec<_> = claiming.collect();
        claiming
            .into_iter()
            .map(|thread| thread.join().unwrap_or(Err(StoreError::Panicked)))
            .collect::<Result<Vec<_>, _>>()
    })?;
    assert_eq!(firsts.iter().filter(|earlier| earlier.is_none()).count(), 1);
    Ok(())
}

fn begun(request: u8, now: i64) -> OnceBegun {
    OnceBegun {
        key: [1; 32],
        request: [request; 32],
        now: sample::at(now),
        gone_before: sample::at(now - 60),
        expires_at: sample::at(now + 1_000),
    }
}

fn under_way(request: u8, since: i64) -> OnceRow {
    OnceRow {
        key: [1; 32],
        request: [request; 32],
        state: OnceState::UnderWay { since: sample::at(since) },
        expires_at: sample::at(since + 1_000),
    }
}

fn account(store: &dyn Store) -> Result<AccountKey, StoreError> {
    store.write(|tx| tx.insert_account(&sample::new_account("a1")))
}

fn done(account: AccountKey) -> OnceState {
    OnceState::Done { status: 201, account, answer: vec![1, 2, 3] }
}

pub(super) fn a_request_is_done_once_and_answered_again(instance: &Instance) -> Outcome {
    let account = account(instance.store.as_ref())?;
    instance.store.write(move |tx| {
        assert_eq!(tx.begin_once(&begun(5, 100))?, None);
        assert_eq!(tx.begin_once(&begun(5, 110))?, Some(under_way(5, 100)));
        assert_eq!(tx.begin_once(&begun(6, 300))?, Some(under_way(5, 100)), "another is not taken over");
        assert!(!tx.finish_once(&[1; 32], sample::at(99), &done(account))?, "it is somebody else's");
        assert!(tx.finish_once(&[1; 32], sample::at(100), &done(account))?);
        assert!(!tx.finish_once(&[1; 32], sample::at(100), &done(account))?, "it is done");
        Ok::<_, StoreError>(())
    })?;
    let answered = OnceRow { state: done(account), ..under_way(5, 100) };
    let expected = answered.clone();
    (instance.after_power_loss)().read(|tx| {
        assert_eq!(tx.once(&[1; 32])?.as_ref(), Some(&expected));
        assert_eq!(tx.once(&[2; 32])?, None);
        Ok::<_, StoreError>(())
    })?;
    instance.store.write(move |tx| {
        assert_eq!(tx.begin_once(&begun(5, 1_099))?, Some(answered.clone()));
        assert_eq!(tx.begin_once(&begun(6, 1_099))?, Some(answered));
        assert_eq!(tx.begin_once(&begun(6, 1_100))?, None, "it has expired");
        assert_eq!(tx.once(&[1; 32])?, Some(under_way(6, 1_100)));
        Ok(())
    })
}

pub(super) fn a_request_whose_doer_is_gone_is_taken_over(instance: &Instance) -> Outcome {
    let account = account(instance.store.as_ref())?;
    instance.store.write(move |tx| {
        assert_eq!(tx.begin_once(&begun(5, 100))?, None);
        assert_eq!(tx.begin_once(&begun(5, 160))?, Some(under_way(5, 100)));
        assert_eq!(tx.begin_once(&begun(5, 161))?, None, "it is taken over");
        assert!(!tx.finish_once(&[1; 32], sample::at(100), &done(account))?, "the first comes too late");
        tx.abandon_once(&[1; 32], sample::at(100))?;
        assert_eq!(tx.once(&[1; 32])?, Some(under_way(5, 161)));
        tx.abandon_once(&[1; 32], sample::at(161))?;
        assert_eq!(tx.once(&[1; 32])?, None);
        Ok(())
    })
}

pub(super) fn requests_that_expired_are_forgotten_in_slices(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        for number in 0..5 {
            let one = OnceBegun { key: [number; 32], ..begun(1, 100 + i64::from(number)) };
            assert_eq!(tx.begin_once(&one)?, None);
        }
        assert_eq!(tx.forget_once(sample::at(1_103), 3)?, 3);
        assert_eq!((tx.once(&[2; 32])?, tx.once(&[3; 32])?.is_some()), (None, true));
        assert_eq!(tx.forget_once(sample::at(1_103), 3)?, 1);
        assert_eq!(tx.forget_once(sample::at(1_103), 3)?, 0);
        Ok(())
    })
}
