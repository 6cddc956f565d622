//! What people did, against their receipts.

use tenure_model::{Choice, Instant};
use tenure_receipts::{Receipt, Statement};

use super::{Hall, Stated};
use crate::DemoError;
use crate::log::Log;
use crate::people::Person;

/// What a person's receipts show.
#[derive(Default)]
pub(super) struct Receipts {
    /// The receipt for their last answer.
    pub(super) last_decision: Option<Receipt>,
    told: Vec<Instant>,
    decided: Vec<(Instant, Choice)>,
    opened: u64,
    closed: Vec<Instant>,
    marked: Vec<Instant>,
    count: u64,
    /// How many of them prove nothing, or something about someone else.
    unproved: u64,
}

/// Everyone's receipts, in the order of the people, each verified and compared with what its person did.
pub(super) fn check(
    hall: &Hall<'_>,
    stated: &mut Stated,
    findings: &mut Vec<String>,
) -> Result<Vec<Receipts>, DemoError> {
    let everyone: Vec<&Person> = hall.world.people.iter().collect();
    let receipts = hall.each(&everyone, |hall, person| read(hall, person))?;
    let (mut unproved, mut differ) = (0, 0);
    for (person, receipts) in everyone.iter().zip(&receipts) {
        stated.told += receipts.told.len() as u64;
        stated.decisions += receipts.decided.len() as u64;
        stated.opened += receipts.opened;
        stated.closed += receipts.closed.len() as u64;
        stated.marks += receipts.marked.len() as u64;
        stated.of_people += receipts.count;
        unproved += receipts.unproved;
        differ += u64::from(!agrees(hall.log, person, receipts));
    }
    if unproved > 0 {
        findings.push(format!("{unproved} receipts of people do not prove what they say"));
    }
    if differ > 0 {
        findings.push(format!("of {differ} people the ledger has something else than the story"));
    }
    Ok(receipts)
}

fn read(hall: &Hall<'_>, person: &Person) -> Result<Receipts, DemoError> {
    let mut found = Receipts::default();
    for receipt in hall.tenure.receipts(&person.id, hall.now)? {
        found.count += 1;
        let proved = hall.proved(&receipt).filter(|proved| {
            proved.account.as_deref() == Some(person.id.as_str()) && proved.version == found.count
        });
        let Some(proved) = proved else {
            found.unproved += 1;
            continue;
        };
        let at = proved.stated.at;
        match proved.stated.statement {
            Statement::Informed { .. } | Statement::Acknowledged { .. } => found.told.push(at),
            Statement::Decision { choice, .. } => {
                found.decided.push((at, choice));
                found.last_decision = Some(receipt);
            }
            Statement::AccountOpened => found.opened += 1,
            Statement::AccountClosed => found.closed.push(at),
            Statement::DeletionAsked { .. } | Statement::Feedback { .. } | Statement::Flagged { .. } => {
                found.marked.push(at);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Whether the ledger has all that a person did, when it was, and nothing else.
fn agrees(log: &Log, person: &Person, receipts: &Receipts) -> bool {
    let Receipts { told, decided, opened, closed, marked, .. } = receipts;
    let was_told = log.told.filter(|told| person.plan.is_asked() && person.opened <= *told);
    let marks = log.marks.iter().filter(|(of, _)| *of == person.id).map(|(_, at)| at);
    let known = told.len() + decided.len() + closed.len() + marked.len() + 1;
    told.iter().eq(&was_told)
        && *decided == person.choices
        && closed.iter().eq(&person.leaves)
        && marked.iter().eq(marks)
        && (*opened, receipts.count) == (1, known as u64)
}
