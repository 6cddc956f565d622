//! The verdict on a case, as the JSON that `tenure verdict` prints.

use serde_json::{Map, Value, json};
use tenure_model::Anchored;
use tenure_policy::case::{Case, Text};
use tenure_policy::language::{Flag, Ground, Standing, Undecided, Version};

use crate::binding::Considered;
use crate::cell::{Cell, Place};
use crate::check::{Checked, check};
use crate::choice::Stance;
use crate::lineage::Lineage;
use crate::tally::{Clause, Tally};
use crate::uses::Situation;

impl Lineage {
    /// The answer to one line: a verdict, or an error for that case alone.
    pub fn answer(&self, line: &str, tally: &mut Tally) -> Value {
        let name = serde_json::from_str::<Value>(line).ok().and_then(|case| case.get("case").cloned());
        let verdict = Case::from_json(line.as_bytes())
            .map_err(|error| error.to_string())
            .and_then(|case| self.verdict(&case, tally));
        verdict.unwrap_or_else(|error| {
            tally.add(Clause::Mistake);
            json!({ "case": name, "error": error })
        })
    }

    /// The verdict on a case, or why it can't be judged.
    pub fn verdict(&self, case: &Case<'_>, tally: &mut Tally) -> Result<Value, String> {
        let checked = check(self, case, tally)?;
        self.considered_by(&checked)?.judge(tally)
    }
}

impl Considered<'_> {
    fn judge(&self, tally: &mut Tally) -> Result<Value, String> {
        let case = self.checked.case;
        let bound = self.bound(case.at, tally);
        let judging = self.judging(bound, tally);
        let version = self.lineage.versions().get(judging).ok_or("no version judges")?;
        let bound_version = self.lineage.versions().get(bound).ok_or("no version binds")?;

        let cell = self.cell(judging, version, tally);
        let kept: Vec<_> = version.classes().map(|class| self.kept(judging, class, &cell, tally)).collect();
        let (mut keep, mut held, mut destroy) = (Map::new(), Map::new(), Map::new());
        for kept in &kept {
            let until = match kept.until {
                None => Value::Null,
                Some(Anchored::Indefinite) => json!("indefinite"),
                Some(Anchored::Until(until)) => json!(until.to_string()),
            };
            keep.insert(kept.class.clone(), json!({ "until": until, "bases": kept.bases }));
            let holds = self.held(&kept.class, tally);
            let gone = self.destroy(version, kept, !holds.is_empty(), tally);
            destroy.insert(kept.class.clone(), json!(gone.map(|at| at.to_string())));
            if !holds.is_empty() {
                held.insert(kept.class.clone(), json!(holds));
            }
        }

        let account = place(case.account.country.as_ref());
        let situation = Situation { judging, version, kept: &kept, cell: &cell, account };
        let mut uses = Map::new();
        for purpose in &version.purposes {
            let allowed = self.used(&situation, purpose, tally);
            uses.insert(
                purpose.name.clone(),
                json!({ "allowed": allowed.allowed, "messages": allowed.messages }),
            );
        }
        let standing: Map<String, Value> =
            cell.standings.iter().map(|(name, value)| ((*name).to_owned(), json!(value.word()))).collect();
        let name: Value =
            case.case.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(Value::Null);
        Ok(json!({
            "case": name,
            "record": &*case.record.id,
            "at": case.at.to_string(),
            "policy": format!("{}@{}", version.policy, version.name),
            "bound": bound_version.name,
            "must_decide": self.must_decide(tally),
            "standing": standing,
            "keep": keep,
            "held": held,
            "destroy": destroy,
            "uses": uses,
        }))
    }

    /// Everything that rules can ask of the record, with its own country.
    pub(crate) fn cell<'s>(&'s self, judging: usize, version: &'s Version, tally: &mut Tally) -> Cell<'s> {
        let case = self.checked.case;
        let standings: Vec<(&str, Standing)> = version
            .purposes
            .iter()
            .filter(|purpose| purpose.is_chosen())
            .map(|purpose| {
                let then = self.then(purpose.reach);
                (purpose.name.as_str(), self.standing(purpose, judging, then, tally))
            })
            .collect();
        Cell {
            surface: self.checked.surface,
            regime: self.regime,
            kind: case.record.kind,
            mode: case.record.mode,
            place: place(case.record.country.as_ref()),
            standings,
            flags: flags(&self.checked),
        }
    }

    /// "The account must decide when the newest announced version that has purposes of ground consent
    /// in the record's regime says `undecided = "block"`, its `decide_by` has come, and the account has
    /// no choice toward one of them."
    fn must_decide(&self, tally: &mut Tally) -> bool {
        let at = self.checked.case.at;
        if self.is_orphan {
            return false;
        }
        let asks = |version: &Version| -> Vec<_> {
            let asked = version.purposes.iter().filter(|purpose| matches!(purpose.ground, Ground::Consent));
            asked.filter(|purpose| purpose.lists(self.regime)).cloned().collect()
        };
        let announced = self.versions.iter().rev().filter_map(|index| {
            let version = self.lineage.versions().get(*index)?;
            (version.announced <= at).then_some((*index, version))
        });
        let newest = announced.map(|(index, version)| (index, version, asks(version)));
        let Some((index, version, purposes)) = newest.into_iter().find(|(_, _, asked)| !asked.is_empty())
        else {
            return false;
        };
        if version.undecided != Undecided::Block {
            tally.add(Clause::MustDecideRemind);
            return false;
        }
        if version.decide_by.is_none_or(|decide_by| decide_by > at) {
            tally.add(Clause::MustDecideNotYet);
            return false;
        }
        let must = purposes.iter().any(|purpose| self.choice(purpose, index, at, tally) == Stance::None);
        tally.add(if must { Clause::MustDecide } else { Clause::MustDecideAnswered });
        must
    }
}

fn place<'a>(country: Option<&'a Text<'_>>) -> Place<'a> {
    country.map_or(Place::Unknown, |country| Place::Country(country))
}

/// The booleans, in the order of [`Flag::ALL`].
///
/// "Unknown are: `flagged` where there is no `flagged_at` up to `at` and `scanned` is not true; `minor`
/// and a country where they are null or missing."
fn flags(checked: &Checked<'_>) -> [Option<bool>; 5] {
    let (account, record) = (&checked.case.account, &checked.case.record);
    let happened = |at| checked.has_happened(at).is_some();
    let value = |flag: Flag| match flag {
        Flag::Deleted => Some(checked.deleted.is_some()),
        Flag::Flagged if happened(record.flagged_at) => Some(true),
        Flag::Flagged => (record.scanned == Some(true)).then_some(false),
        Flag::Feedback => Some(happened(record.feedback_at)),
        Flag::Minor => account.minor,
        Flag::Closed => Some(happened(account.closed_at)),
    };
    [Flag::Deleted, Flag::Flagged, Flag::Feedback, Flag::Minor, Flag::Closed].map(value)
}
