//! The stage: plays one event after another through the use cases, and says what happens.

use std::collections::BTreeSet;
use std::path::Path;

use tenure_app::{DestructionCursor, SweepOptions, Tenure};
use tenure_model::{Choice, Instant};

use crate::dates::count;
use crate::log::{Answered, Audit, Gone, Log, Sample};
use crate::story::{Event, sweeps};
use crate::world::World;
use crate::{DemoError, Voice};

/// What happened since it was last told of in one line.
#[derive(Debug, Default)]
pub(crate) struct Since {
    pub(crate) yes: u64,
    pub(crate) no: u64,
    pub(crate) changed: u64,
    pub(crate) deleted: u64,
    pub(crate) thumbs: u64,
    pub(crate) destroyed: u64,
    pub(crate) sweeps: u64,
}

/// The stage with everything on it.
pub(crate) struct Stage<'a> {
    pub(crate) tenure: &'a Tenure,
    pub(crate) world: &'a World,
    pub(crate) work: &'a Path,
    voice: &'a mut dyn Voice,
    pub(crate) log: Log,
    pub(crate) since: Since,
    pub(crate) last_arrival: Instant,
    /// What is told of only once, by number.
    pub(crate) told: BTreeSet<usize>,
    /// Answers that are not handed in yet.
    answers: Vec<(Instant, usize, Choice)>,
    sweeps: Vec<Instant>,
    /// An instant at which nothing was overdue.
    pub(crate) checked: Instant,
    cursor: DestructionCursor,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(
        tenure: &'a Tenure,
        world: &'a World,
        work: &'a Path,
        voice: &'a mut dyn Voice,
    ) -> Self {
        Self {
            tenure,
            world,
            work,
            voice,
            log: Log::default(),
            since: Since::default(),
            last_arrival: Instant::MIN,
            told: BTreeSet::new(),
            answers: Vec::new(),
            sweeps: sweeps(),
            checked: Instant::MIN,
            cursor: DestructionCursor::default(),
        }
    }

    pub(crate) fn play(&mut self, at: Instant, event: Event) -> Result<(), DemoError> {
        if let Event::Decide(person, choice) = event {
            if self.answers.iter().any(|(_, answered, _)| *answered == person) {
                self.take_answers()?;
            }
            self.answers.push((at, person, choice));
            return Ok(());
        }
        self.take_answers()?;
        match event {
            Event::Publish(version) => self.publish(at, version),
            Event::Accounts => self.open_accounts(at),
            Event::Arrive => self.arrive(at),
            Event::PlaceHold => self.place_hold(at),
            Event::ReleaseHold => self.release_hold(at),
            Event::Ask => self.ask(at),
            Event::Join(person) => self.join(at, person),
            Event::Decide(..) => Ok(()),
            Event::Delete(talk) => self.delete(at, talk),
            Event::Leave(person) => self.leave(at, person),
            Event::Flag(talk) => self.flag(at, talk),
            Event::Feedback(talk) => self.feedback(at, talk),
            Event::OldDeadline => self.say(
                at,
                "The first deadline passes. It was moved to 8 October, so nobody is stopped and nobody is asked again.",
            ),
            Event::Deadline => self.deadline(at),
            Event::Train => self.train(at),
            Event::Sweep => self.sweep(at).map(drop),
            Event::Look => self.look(at),
        }
    }

    /// Answers that came one after another are handed in together.
    fn take_answers(&mut self) -> Result<(), DemoError> {
        let answers = std::mem::take(&mut self.answers);
        self.decide(&answers)
    }

    pub(crate) fn say(&mut self, at: Instant, text: &str) -> Result<(), DemoError> {
        self.log.steps.push((at, text.to_owned()));
        Ok(self.voice.step(at, text)?)
    }

    pub(crate) fn progress(&mut self, done: u64, total: u64) {
        self.voice.progress("playing five years", done, total);
    }

    /// The sweep after an instant.
    fn next_sweep(&self, at: Instant) -> Instant {
        self.sweeps.iter().copied().find(|sweep| *sweep > at).unwrap_or(at)
    }

    /// Destroys what is due before the next sweep, and gives how many copies that were.
    pub(crate) fn sweep(&mut self, at: Instant) -> Result<u64, DemoError> {
        let by = self.next_sweep(at);
        let swept = self.tenure.sweep(at, SweepOptions::everything(by), &mut |_| {})?;
        let destroyed = swept.total();
        if destroyed > 0 {
            let gone = self.tenure.destructions(&mut self.cursor, self.checked)?;
            self.log.gone.extend(gone.into_iter().map(|destruction| Gone { destruction, next_sweep: by }));
        }
        self.checked = at;
        self.since.destroyed += destroyed;
        self.since.sweeps += 1;
        let sample = Sample::new(at, &self.tenure.figures()?);
        let trained = sample.live("training_copy");
        let before = self.log.samples.last().map_or(0, |before| before.live("training_copy"));
        self.log.samples.push(sample);
        if trained == 0 && before > 0 {
            self.last_training_copy_is_gone(at)?;
        }
        Ok(destroyed)
    }

    fn last_training_copy_is_gone(&mut self, at: Instant) -> Result<(), DemoError> {
        self.log.last_training_gone = Some(at);
        let due = self.log.last_training_due.map_or_else(String::new, crate::dates::long);
        self.say(at, &format!("The last training copy is gone. Its term would have ended on {due}."))
    }

    pub(crate) fn audit(&mut self, at: Instant) -> Result<(), DemoError> {
        let copies = self.tenure.inventory(at)?;
        self.log.audits.push(Audit { at, copies });
        Ok(())
    }

    /// Tells of a period in one line.
    fn look(&mut self, at: Instant) -> Result<(), DemoError> {
        let since = std::mem::take(&mut self.since);
        let mut parts = Vec::new();
        if since.yes + since.no > 0 {
            parts.push(format!("{} yes, {} no", since.yes, since.no));
        }
        if since.changed > 0 {
            parts.push(format!("{} changed their mind", since.changed));
        }
        if since.deleted > 0 {
            parts.push(count(since.deleted, "deletion", "deletions"));
        }
        if since.thumbs > 0 {
            parts.push(count(since.thumbs, "thumb sent", "thumbs sent"));
        }
        let happened = if parts.is_empty() { String::new() } else { format!("{}; ", parts.join(", ")) };
        let Some(sample) = self.log.samples.last() else { return Ok(()) };
        let held = match sample.total_held() {
            0 => String::new(),
            held => format!(", {} of them only by the order", crate::dates::grouped(held)),
        };
        let (sweeps, destroyed) =
            (count(since.sweeps, "sweep", "sweeps"), count(since.destroyed, "copy", "copies"));
        let kept = count(sample.total(), "copy is kept", "copies are kept");
        let training = match sample.live("training_copy") {
            0 => String::new(),
            copies => format!(", {copies} of them training copies"),
        };
        self.audit(at)?;
        self.say(
            at,
            &format!("Since then: {happened}{sweeps} destroyed {destroyed}; {kept}{held}{training}."),
        )
    }

    /// The end of the story: what was noted.
    pub(crate) fn close(mut self) -> Result<Log, DemoError> {
        let at = self.checked;
        self.audit(at)?;
        self.log.end = Some(at);
        let left = self
            .log
            .samples
            .last()
            .map_or([0; 3], |sample| ["history", "feedback", "scores"].map(|class| sample.live(class)));
        let [history, feedback, scores] = left.map(crate::dates::grouped);
        self.say(
            at,
            &format!(
                "The story ends. What is left: {history} in people's histories, until they delete it; {feedback} sent as \
                 feedback under the old terms, which keep that for ten years; {scores} classifier's scores, for seven."
            ),
        )?;
        Ok(self.log)
    }

    /// Notes an answer for the line that tells of the period.
    pub(crate) fn note_answer(&mut self, answer: Answered) {
        match (answer.before, answer.choice) {
            (None, Choice::On) => self.since.yes += 1,
            (None, Choice::Off) => self.since.no += 1,
            (Some(_), _) => self.since.changed += 1,
        }
        self.log.answers.push(answer);
    }
}
