//! The log as a whole: that it verifies, that it has nothing that the story has not, and that nobody can
//! change a receipt of it.

use std::num::NonZero;
use std::thread;

use tenure_tlog::checkpoint::Checkpoint;
use tenure_verifier::verify;

use super::{Given, Hall, Stated};
use crate::DemoError;

/// What the operator states of each destruction: what is about to go, what is gone, that its bytes are removed, and
/// that nothing of it was found. The story's last sweep leaves no batch on its way.
const OF_A_BATCH: u64 = 4;
/// What the operator states when it begins: that it speaks, and which keys sign the log.
const TO_BEGIN: u64 = 2;

/// Verifies the log against the store, finds each run in it, and accounts for every statement. Gives how many
/// there are, and the root over them.
pub(super) fn check(
    hall: &Hall<'_>,
    checkpoint: &Checkpoint,
    stated: &mut Stated,
    findings: &mut Vec<String>,
) -> Result<(u64, String), DemoError> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let verified = hall.tenure.verify_ledger(threads, &|_, _, _| {})?;
    if !verified.is_sound() {
        findings.push(format!("the ledger has {} faults", verified.found));
    }
    let signed = checkpoint.root().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    if (verified.leaves, verified.checkpoint, &verified.root)
        != (checkpoint.size(), Some(checkpoint.size()), &signed)
    {
        findings.push("the checkpoint is not that of the ledger".to_owned());
    }
    for (number, run) in hall.log.runs.iter().enumerate() {
        if hall.tenure.verify_run(&run.folder)?.problems.is_empty() {
            stated.runs += 1;
        } else {
            findings.push(format!("run {} is not in the ledger as it lies in its folder", number + 1));
        }
    }
    let holds = [hall.log.placed, hall.log.released.map(|(released, _)| released)];
    let known = stated.of_people
        + OF_A_BATCH * stated.batches
        + stated.runs
        + hall.log.published
        + holds.iter().flatten().count() as u64
        + TO_BEGIN;
    if known != verified.leaves {
        findings.push(format!("the ledger has {} statements, and the story {known}", verified.leaves));
    }
    Ok((verified.leaves, verified.root))
}

/// A receipt proves nothing once any line of it is changed, if only by one character.
pub(super) fn altered_proves_nothing(given: &Given, keys: &str) -> Option<String> {
    if !given.report.is_proved() {
        return Some(format!("{} does not verify", given.file));
    }
    let lines = given.text.lines().count();
    let proving = (0..lines).filter_map(|line| altered(&given.text, line));
    let proving = proving.filter(|text| verify(text.as_bytes(), keys, "").is_proved()).count();
    (proving > 0).then(|| format!("{} verifies although a character of it was changed", given.file))
}

/// A text with the middle character of one line changed; nothing where the line is empty.
fn altered(text: &str, line: usize) -> Option<String> {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let changed = lines.get_mut(line)?;
    let middle = changed.chars().count() / 2;
    let other = |letter: char| if letter == 'A' { 'B' } else { 'A' };
    let letters = changed.chars().enumerate();
    let new: String =
        letters.map(|(place, letter)| if place == middle { other(letter) } else { letter }).collect();
    if new == *changed {
        return None;
    }
    *changed = new;
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_in_the_middle_of_a_line_is_changed() {
        assert_eq!(altered("— abc\nAAA\n", 0).as_deref(), Some("— Abc\nAAA\n"));
        assert_eq!(altered("— abc\nAAA\n", 1).as_deref(), Some("— abc\nABA\n"));
        assert_eq!(altered("— abc\n\nd", 1), None);
        assert_eq!(altered("a", 7), None);
    }
}
