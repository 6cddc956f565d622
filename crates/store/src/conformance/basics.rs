//! Settings, policies and accounts.

use super::{Instance, Outcome, sample};
use crate::{AccountFacts, AccountKeys, FormerFacts, NewAccount, PageId, PolicyRow, StoreError, StoreExt};

fn policy(lineage: &str, version: &str, announced: i64) -> PolicyRow {
    PolicyRow {
        lineage: lineage.to_owned(),
        version: version.to_owned(),
        announced: sample::at(announced),
        effective: sample::at(announced + 10),
        source: "policy = \"consumer\"".to_owned(),
        digest: [3; 32],
        published_at: sample::at(1),
        withdrawn_at: None,
    }
}

pub(super) fn settings_are_kept_and_replaced(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        assert_eq!(tx.meta("simulated")?, None);
        tx.set_meta("simulated", "no")?;
        tx.set_meta("simulated", "yes")
    })?;
    assert_eq!(instance.store.read(|tx| tx.meta("simulated"))?.as_deref(), Some("yes"));
    Ok(())
}

pub(super) fn policies_are_listed_by_lineage_and_announcement(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        for (lineage, version, announced) in
            [("b", "1", 1), ("a", "new", 30), ("a", "old", 20), ("a", "older", 20)]
        {
            tx.insert_policy(&policy(lineage, version, announced))?;
        }
        tx.withdraw_policy("a", "new", sample::at(40))
    })?;
    instance.store.read(|tx| {
        let all = tx.policies()?;
        let names: Vec<_> =
            all.iter().map(|policy| (policy.lineage.as_str(), policy.version.as_str())).collect();
        assert_eq!(names, [("a", "old"), ("a", "older"), ("a", "new"), ("b", "1")]);
        let withdrawn = PolicyRow { withdrawn_at: Some(sample::at(40)), ..policy("a", "new", 30) };
        assert_eq!(tx.policy("a", "new")?, Some(withdrawn));
        assert_eq!(tx.policy("b", "new")?, None);
        Ok(())
    })
}

pub(super) fn a_version_is_published_once(instance: &Instance) -> Outcome {
    instance.store.write(|tx| tx.insert_policy(&policy("a", "1", 1)))?;
    let again: Outcome = instance.store.write(|tx| tx.insert_policy(&policy("a", "1", 2)));
    assert!(matches!(again, Err(StoreError::Conflict { .. })));
    let unknown: Outcome = instance.store.write(|tx| tx.withdraw_policy("a", "2", sample::at(1)));
    assert_eq!(unknown, Err(StoreError::Missing { table: "policies" }));
    Ok(())
}

pub(super) fn an_account_id_is_unique_within_its_organisation(instance: &Instance) -> Outcome {
    let of = |organisation: Option<&str>| NewAccount {
        organisation: organisation.map(str::to_owned),
        ..sample::new_account("same")
    };
    let (alone, acme, other) = (of(None), of(Some("acme")), of(Some("other")));
    let keys = instance.store.write(move |tx| -> Result<_, StoreError> {
        Ok([tx.insert_account(&alone)?, tx.insert_account(&acme)?, tx.insert_account(&other)?])
    })?;
    instance.store.read(|tx| {
        for (key, organisation) in keys.iter().zip([None, Some("acme"), Some("other")]) {
            let found = tx.account_by_id(organisation, "same")?;
            assert_eq!(found.map(|account| account.key), Some(*key));
        }
        assert_eq!(tx.account_by_id(Some("third"), "same")?, None);
        Ok::<_, StoreError>(())
    })?;
    for again in [of(None), of(Some("acme"))] {
        let outcome = instance.store.write(move |tx| tx.insert_account(&again));
        assert!(matches!(outcome, Err(StoreError::Conflict { .. })));
    }
    Ok(())
}

pub(super) fn an_accounts_facts_and_keys_are_replaced(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let page = PageId(sample::id(1));
        tx.open_page(page, &sample::shelf("account"))?;
        tx.open_page(PageId(sample::id(2)), &sample::shelf("proof"))?;
        tx.take_slots_on(page, 1)?;
        tx.take_slots_on(PageId(sample::id(2)), 1)?;
        let keys = AccountKeys { account: Some(sample::wrap(1)), proof: Some(sample::wrap(2)) };
        let key = tx.insert_account(&NewAccount { keys: keys.clone(), ..sample::new_account("a") })?;
        let facts = AccountFacts {
            country: Some("US".to_owned()),
            minor: Some(false),
            opened_at: Some(sample::at(1)),
            closed_at: Some(sample::at(9)),
            former: vec![FormerFacts { until: sample::at(5), country: Some("DE".to_owned()), minor: None }],
        };
        tx.set_account_facts(key, &facts)?;
        assert_eq!(tx.accounts_of_page(page)?, [key]);
        let without = AccountKeys { account: None, ..keys };
        tx.set_account_keys(key, &without)?;
        let now = tx.account(key)?;
        assert_eq!(now.map(|account| (account.facts, account.keys)), Some((facts, without)));
        // The slot of the destroyed key is free, that of the proof key is not.
        assert_eq!(tx.page(page)?.map(|page| page.wraps), Some(0));
        assert_eq!(tx.page(PageId(sample::id(2)))?.map(|page| page.wraps), Some(1));
        Ok(())
    })
}

pub(super) fn accounts_are_listed_in_slices(instance: &Instance) -> Outcome {
    let keys = instance.store.write(|tx| -> Result<Vec<_>, StoreError> {
        (0..5).map(|number| tx.insert_account(&sample::new_account(&format!("a{number}")))).collect()
    })?;
    instance.store.read(|tx| {
        let mut found = Vec::new();
        loop {
            let slice = tx.accounts(found.last().copied(), 2)?;
            if slice.is_empty() {
                break;
            }
            found.extend(slice.iter().map(|account| account.key));
        }
        assert_eq!(found, keys);
        Ok(())
    })
}
