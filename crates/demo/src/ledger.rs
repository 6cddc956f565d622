//! What anyone can check: that all of the story is in the log, and nothing else.
//!
//! The operator's side is verified whole, against its store. Everyone else's side needs receipts and the log's
//! public keys alone, so it is checked with these alone, by the verifier that people are given.

mod parts;
mod people;
mod whole;

#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::Serialize;
use tenure_app::{CopyFigure, Tenure};
use tenure_model::{Choice, Instant};
use tenure_receipts::Receipt;
use tenure_verifier::{Proved, Report, Signature, verify};

use crate::DemoError;
use crate::log::Log;
use crate::people::Person;
use crate::world::World;

/// The file of the receipt for an answer.
const DECISION: &str = "decision.receipt";
/// The file of the receipt for a copy that was destroyed.
const DESTRUCTION: &str = "destruction.receipt";

/// How much of what was found in the ledger there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stated {
    /// That a person was told of new terms, or acknowledged them.
    pub told: u64,
    /// Answers.
    pub decisions: u64,
    /// Accounts that were opened.
    pub opened: u64,
    /// Accounts that were closed.
    pub closed: u64,
    /// Deletions, thumbs and flags.
    pub marks: u64,
    /// All of these: everything that people's receipts are for.
    pub of_people: u64,
    /// Destructions, each of many copies at once.
    pub batches: u64,
    /// The copies that were destroyed, each with a proof of its own.
    pub copies: u64,
    /// Training runs.
    pub runs: u64,
}

/// A receipt that is given away, with what a stranger finds in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Given {
    /// The name of its file.
    pub file: &'static str,
    /// What is in the file.
    pub text: String,
    /// What checking the file with the log's public keys gave.
    pub report: Report,
}

/// The person whose receipts are shown, and when they answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// When they said yes.
    pub yes: Instant,
    /// When they said no.
    pub no: Instant,
    /// When the copy was destroyed that a training run had made of something they said.
    pub destroyed: Instant,
}

/// The log of the story, and what anyone can check of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// The log's name.
    pub origin: String,
    /// How many statements it has.
    pub size: u64,
    /// The root over them, in hexadecimal.
    pub root: String,
    /// The checkpoint, as it is published.
    pub checkpoint: String,
    /// The keys that verify it, one a line.
    pub keys: String,
    /// Who signed it, as far as the receipts show.
    pub signatures: Vec<Signature>,
    /// What was found in it.
    pub stated: Stated,
    /// Whose receipts they are, told without a name.
    pub shown: Option<Shown>,
    /// One person's receipts: of an answer, and of a copy that was destroyed.
    pub receipts: Vec<Given>,
}

impl Ledger {
    /// The name of the checkpoint's file.
    pub const CHECKPOINT: &'static str = "checkpoint";
    /// The name of the file of the keys.
    pub const KEYS: &'static str = "log.keys";

    /// Everything that someone needs who checks the log from outside: files by name, receipts first.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let receipts = self.receipts.iter().map(|given| (given.file, given.text.as_str()));
        receipts.chain([(Self::CHECKPOINT, self.checkpoint.as_str()), (Self::KEYS, self.keys.as_str())])
    }
}

/// Publishes the log at the end of the story, and checks it from all sides. What was found wrong is added to
/// the findings.
pub(crate) fn check(
    tenure: &Tenure,
    world: &World,
    log: &Log,
    findings: &mut Vec<String>,
) -> Result<Ledger, DemoError> {
    let now = log.end.unwrap_or(Instant::MAX);
    let published = tenure.publish_checkpoint(now)?;
    let signing = tenure.log_keys().into_iter().filter(|key| key.retired_at.is_none());
    let keys = signing.map(|key| format!("{}\n", key.key)).collect::<Vec<_>>().concat();
    let hall = Hall { tenure, world, log, keys: &keys, now };
    let mut stated = Stated::default();
    let receipts = people::check(&hall, &mut stated, findings)?;
    let destructions = parts::check(&hall, &mut stated, findings)?;
    let (size, root) = whole::check(&hall, published.checkpoint(), &mut stated, findings)?;
    let (shown, given) = give(&hall, &receipts, &destructions);
    if given.len() != 2 {
        findings.push("nobody was found whose receipts tell of a yes, a run and a no".to_owned());
    }
    findings.extend(given.iter().filter_map(|given| whole::altered_proves_nothing(given, &keys)));
    let signatures = given.iter().find_map(|given| match &given.report {
        Report::Proved(proved) => Some(proved.signatures.clone()),
        Report::NotProved(_) => None,
    });
    Ok(Ledger {
        origin: published.checkpoint().origin().to_string(),
        size,
        root,
        checkpoint: published.to_string(),
        signatures: signatures.unwrap_or_default(),
        stated,
        shown,
        receipts: given,
        keys,
    })
}

/// What the checks go by.
struct Hall<'h> {
    tenure: &'h Tenure,
    world: &'h World,
    log: &'h Log,
    /// The log's public keys, one a line.
    keys: &'h str,
    now: Instant,
}

impl<'h> Hall<'h> {
    /// The copies that are gone.
    fn gone(&self) -> Vec<&'h CopyFigure> {
        let copies = self.log.audits.last().into_iter().flat_map(|audit| &audit.copies);
        copies.filter(|copy| copy.destroyed_at.is_some()).collect()
    }

    /// What a stranger finds in a receipt; nothing if it proves nothing.
    fn proved(&self, receipt: &Receipt) -> Option<Proved> {
        match verify(receipt.to_string().as_bytes(), self.keys, "") {
            Report::Proved(proved) => Some(*proved),
            Report::NotProved(_) => None,
        }
    }

    /// Does something for each of many on all cores, and gives what came of it in the same order.
    fn each<T: Sync, R: Send>(
        &self,
        items: &[T],
        each: impl Fn(&Self, &T) -> Result<R, DemoError> + Sync,
    ) -> Result<Vec<R>, DemoError> {
        let hands = thread::available_parallelism().map_or(1, NonZero::get);
        // Small shares, since a destruction of many copies costs more than one of few.
        let share = items.len().div_ceil(hands * 8).max(1);
        let shares: Vec<_> = items.chunks(share).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(share) = shares.get(place) else { return Ok::<_, DemoError>(done) };
                let share = share.iter().map(|item| each(self, item)).collect::<Result<Vec<_>, _>>()?;
                done.push((place, share));
            }
        };
        let mut done = Vec::new();
        thread::scope(|scope| {
            let others: Vec<_> = (1..hands).map(|_| scope.spawn(work)).collect();
            done.extend(work()?);
            for other in others {
                done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, DemoError>(())
        })?;
        done.sort_by_key(|(place, _)| *place);
        Ok(done.into_iter().flat_map(|(_, share)| share).collect())
    }
}

/// The receipts of the person who tells most: they said yes, the first run read what they said, they said no,
/// and what the run had copied is gone.
fn give(
    hall: &Hall<'_>,
    receipts: &[people::Receipts],
    destructions: &[parts::Destroyed<'_>],
) -> (Option<Shown>, Vec<Given>) {
    let [first, second] = hall.log.runs.as_slice() else { return (None, Vec::new()) };
    let withdrew = |person: &&Person| {
        person.answer(first.at) == Some(Choice::On) && person.answer(second.at) == Some(Choice::Off)
    };
    let told = destructions.iter().filter(|gone| gone.copy.class == "training_copy").filter_map(|gone| {
        let (person, receipts) =
            hall.world.people.iter().zip(receipts).find(|(person, _)| person.id == gone.copy.account)?;
        let (yes, no) = match person.choices.as_slice() {
            [(yes, Choice::On), (no, Choice::Off)] if withdrew(&person) => (*yes, *no),
            _ => return None,
        };
        let shown = Shown { yes, no, destroyed: gone.copy.destroyed_at? };
        Some((shown, gone.copy.began_at, receipts.last_decision.as_ref()?, &gone.receipt))
    });
    let Some((shown, _, decision, destruction)) =
        told.min_by_key(|(shown, began, ..)| (shown.destroyed, *began))
    else {
        return (None, Vec::new());
    };
    let given = |file, receipt: &Receipt| {
        let text = receipt.to_string();
        let report = verify(text.as_bytes(), hall.keys, "");
        Given { file, text, report }
    };
    (Some(shown), vec![given(DECISION, decision), given(DESTRUCTION, destruction)])
}
