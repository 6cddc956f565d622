//! A publication and its withdrawal, while every commit of them fails in its turn.

use tenure_app::{Error, Withdrawal};

use super::trial::{Base, COMMITS, Deed, Trial, fail_commits};
use super::{DECIDED, stated};
use crate::plan::{file, next};
use crate::world::at;

fn publish(trial: &mut Trial) -> Result<(), Error> {
    match trial.world.tenure.publish(&file(&next(DECIDED, DECIDED, &[])), at(DECIDED)) {
        // What was withdrawn stays so when it is tried once more.
        Err(Error::Withdrawn(_)) => Ok(()),
        published => published.map(drop),
    }
}

fn withdraw(trial: &Trial, name: &str) -> Result<(), Error> {
    trial.world.tenure.withdraw("consumer@next", name, at(DECIDED)).map(drop)
}

const WITHDRAWAL: Deed = Deed {
    steps: &[publish, |trial| withdraw(trial, "ops"), |trial| withdraw(trial, "legal")],
    done: |trial| {
        let tenure = &trial.world.tenure;
        let version = &tenure.published(at(DECIDED)).unwrap()[1];
        assert_eq!(version.withdrawn, Some(at(DECIDED)));
        let how = tenure.withdraw("consumer@next", "ops", at(DECIDED)).unwrap();
        let (asked, confirmed) = ("ops".to_owned(), "legal".to_owned());
        assert_eq!(how, Withdrawal::Withdrawn { at: at(DECIDED), asked, confirmed });
        let kinds = ["policy_published", "policy_withdrawn"].map(|kind| stated(&trial.world, kind));
        assert_eq!(kinds, [2, 1]);
        let policies = tenure.policies().unwrap();
        assert_eq!(policies.named("consumer").unwrap().living(at(DECIDED)).count(), 1);
        assert!(tenure.verify_ledger(1, &|_, _, _| {}).unwrap().is_sound());
        trial.world.sweep(at(DECIDED));
    },
    now: DECIDED,
};

#[test]
fn a_withdrawal_survives_whichever_of_its_commits_fails() {
    assert!(fail_commits(&WITHDRAWAL, &Base::new(), &COMMITS) >= 3);
}
