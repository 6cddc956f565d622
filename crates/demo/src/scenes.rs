//! The scenes: what each event does, through the use cases that the command line calls.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tenure_app::run::Rows;
use tenure_app::{
    AccountFacts, Defaults, Deletion, HoldScope, Ingested, Refusal, Scan, SweepOptions, Tenure,
};
use tenure_formats::{Failure, Format};
use tenure_model::{Choice, Instant, Mode, Regime};

use crate::DemoError;
use crate::dates::{count, days_after, long};
use crate::exports::{self, Export};
use crate::log::{Answered, Run};
use crate::people::{Person, Says};
use crate::stage::Stage;
use crate::story::{OLD_TERMS, ORDER, Version};
use crate::world::{Source, Talk};

/// How many statements are handed in at once, so that they are committed together.
const HANDS: usize = 48;

impl Stage<'_> {
    pub(crate) fn publish(&mut self, at: Instant, version: Version) -> Result<(), DemoError> {
        self.tenure.publish(&[(version.file.to_owned(), version.text.to_owned())], at)?;
        self.log.published += 1;
        let said = match version.name {
            name if name == OLD_TERMS.name => "These terms bind everyone: no training on what people say.",
            "2025-09-28" => {
                "New terms are announced: training on what people allow, five years for that. Until 28 September."
            }
            _ => "The deadline is moved to 8 October. Nobody who has answered is asked again.",
        };
        self.say(at, &format!("Terms {} are published. {said}", version.name))
    }

    pub(crate) fn open_accounts(&mut self, at: Instant) -> Result<(), DemoError> {
        let folder = self.folder("accounts")?;
        let (format, path) = exports::accounts(self.world, at, &folder)?;
        let done = self.import(at, format, &path, Defaults::default())?;
        self.say(
            at,
            &format!("{} are told, with country and age.", count(done.accounts, "account", "accounts")),
        )
    }

    fn folder(&self, name: &str) -> Result<std::path::PathBuf, DemoError> {
        let folder = self.work.join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Everything said since the last arrival comes in, each in the form that it is exported in.
    pub(crate) fn arrive(&mut self, at: Instant) -> Result<(), DemoError> {
        let active: Vec<&Talk> = self.world.talks.iter().filter(|talk| self.arrives(talk, at)).collect();
        let mut files: BTreeMap<(Source, &str, Option<usize>), Vec<&Talk>> = BTreeMap::new();
        for talk in active.iter().copied() {
            let alone = matches!(talk.source, Source::ClaudeCode | Source::OpenAi | Source::ShareGpt)
                .then_some(talk.owner);
            files.entry((talk.source, self.surface(talk, at), alone)).or_default().push(talk);
        }
        // Whatever is overdue from here on was not known to be before this arrival.
        let options = SweepOptions::everything(at);
        self.log.overdue_before_arrivals += self.tenure.sweep_dry_run(at, options)?.total();
        self.checked = at;
        let (mut sum, mut read) = (Ingested::default(), 0);
        for (number, ((source, surface, owner), talks)) in files.iter().enumerate() {
            let folder = self.folder(&format!("{}-{number}", long(at).replace(' ', "-")))?;
            let slices: Vec<&[&Talk]> = match source {
                Source::ClaudeSingle => talks.chunks(1).collect(),
                _ => vec![talks.as_slice()],
            };
            for talks in slices {
                let export = Export { world: self.world, talks, by: at };
                let (format, path) = exports::write(export, *source, &folder)?;
                let account =
                    owner.and_then(|owner| self.world.people.get(owner)).map(|person| person.id.clone());
                let defaults =
                    Defaults { account, surface: Some((*surface).to_owned()), ..Defaults::default() };
                let done = self.import(at, format, &path, defaults)?;
                read += 1;
                sum.conversations += done.conversations;
                sum.resumed += done.resumed;
                sum.records += done.records;
                sum.messages += done.messages;
                sum.known += done.known;
                self.log.refused +=
                    done.refused_conversations.get(&Refusal::ZeroRetention).copied().unwrap_or(0);
            }
        }
        self.tell_once(at, &active)?;
        self.last_arrival = at;
        self.scan_new(at, &active)?;
        let destroyed = self.sweep(at)?;
        self.tell_arrival(at, read, &sum, destroyed)
    }

    /// What is remarkable about a conversation is told of when the first such one arrives.
    fn tell_once(&mut self, at: Instant, talks: &[&Talk]) -> Result<(), DemoError> {
        let moved = |talk: &&&Talk| self.surface(talk, at) == "team" && talk.surface != "team";
        let arrived = [
            (
                talks.iter().any(|talk| talk.surface == "api-zdr"),
                "A conversation of an API with zero retention is refused at the door: nothing of it is stored.",
            ),
            (
                talks.iter().any(|talk| talk.mode == Mode::Incognito),
                "An incognito chat arrives: it is in no history, and nobody trains on it whatever its person says.",
            ),
            (
                talks
                    .iter()
                    .filter(moved)
                    .any(|talk| talk.turns.iter().any(|turn| turn.at <= self.last_arrival)),
                "A conversation from Pro goes on in a team's plan. It becomes two records, and the terms of work apply to the second.",
            ),
        ];
        for (number, (is_here, text)) in arrived.into_iter().enumerate() {
            if is_here && self.told.insert(number) {
                self.say(at, text)?;
            }
        }
        Ok(())
    }

    fn tell_arrival(
        &mut self,
        at: Instant,
        files: u64,
        sum: &Ingested,
        destroyed: u64,
    ) -> Result<(), DemoError> {
        let resumed = match sum.resumed {
            0 => String::new(),
            resumed => format!(", {resumed} taken up again"),
        };
        let gone = match destroyed {
            0 => String::new(),
            copies => format!(
                " {} that no term keeps {} destroyed at once.",
                count(copies, "copy", "copies"),
                if copies == 1 { "is" } else { "are" }
            ),
        };
        self.say(
            at,
            &format!(
                "{} bring {}{resumed}, with {}.{gone}",
                count(files, "export", "exports"),
                count(sum.conversations, "new conversation", "new conversations"),
                count(sum.messages, "message", "messages"),
            ),
        )
    }

    fn arrives(&self, talk: &Talk, at: Instant) -> bool {
        let here = self.world.owner(talk).is_some_and(|owner| owner.leaves.is_none_or(|leaves| leaves > at));
        here && talk.is_active(self.last_arrival, at)
    }

    /// The surface that an export at an instant is of.
    fn surface(&self, talk: &Talk, at: Instant) -> &'static str {
        let moved = self.world.owner(talk).and_then(|owner| owner.moves).is_some_and(|moves| moves <= at);
        if moved && talk.source == Source::Claude { "team" } else { talk.surface }
    }

    /// As `tenure import` does it: the file is inspected whole, and only then taken in.
    fn import(
        &mut self,
        at: Instant,
        format: Format,
        path: &Path,
        defaults: Defaults,
    ) -> Result<Ingested, DemoError> {
        tenure_formats::inspect(format, path)?;
        let mut ingester = self.tenure.ingester(format.word(), defaults, at)?;
        let report =
            tenure_formats::read(format, path, &mut |item| ingester.push(item)).map_err(|failure| {
                match failure {
                    Failure::Read(error) => DemoError::Read(error),
                    Failure::Sink(error) => DemoError::Tenure(error),
                }
            })?;
        let done = ingester.finish()?;
        let sum = self.log.formats.entry(format.word()).or_default();
        sum.0 += report.conversations;
        sum.1 += report.messages.read;
        Ok(done)
    }

    /// A classifier looks at everything new and finds nothing.
    fn scan_new(&self, at: Instant, talks: &[&Talk]) -> Result<(), DemoError> {
        let owners: BTreeSet<usize> = talks.iter().map(|talk| talk.owner).collect();
        let mut fresh = Vec::new();
        for owner in owners.into_iter().filter_map(|owner| self.world.people.get(owner)) {
            let records = match self.tenure.records_of(&owner.id) {
                Err(tenure_app::Error::UnknownAccount) => continue,
                records => records?,
            };
            fresh.extend(
                records.into_iter().filter(|record| record.facts.scanned.is_none()).map(|record| record.id),
            );
        }
        together(self.tenure, &fresh, |tenure, record| tenure.scan(*record, Scan::Clear, at))
    }

    pub(crate) fn place_hold(&mut self, at: Instant) -> Result<(), DemoError> {
        let scope = HoldScope {
            classes: vec!["content".to_owned()],
            regimes: Some(vec![Regime::Consumer]),
            ..HoldScope::default()
        };
        self.tenure.place_hold(ORDER, scope, true, at)?;
        self.log.placed = Some(at);
        self.say(at, "A court orders that content of consumer plans be preserved, deleted or not. Nothing of it is destroyed from here on.")
    }

    pub(crate) fn release_hold(&mut self, at: Instant) -> Result<(), DemoError> {
        self.tenure.release_hold(ORDER, at)?;
        self.log.released = Some((at, days_after(at, 30)));
        self.sweep(at)?;
        let held = self.log.samples.iter().map(crate::log::Sample::beyond_terms).max().unwrap_or(0);
        self.say(
            at,
            &format!(
                "The order is released. What it alone kept, {} at most, has thirty days left.",
                count(held, "copy", "copies")
            ),
        )
    }

    pub(crate) fn ask(&mut self, at: Instant) -> Result<(), DemoError> {
        let asked: Vec<&Person> =
            self.world.people.iter().filter(|person| person.plan.is_asked() && person.opened <= at).collect();
        together(self.tenure, &asked, |tenure, person| {
            tenure.inform(&person.id, "2025-09-28", at).map(drop)
        })?;
        self.log.told = Some(at);
        self.say(
            at,
            &format!(
                "{} are asked: may we train on what you say? Work plans and the API are not.",
                count(asked.len() as u64, "person", "people")
            ),
        )
    }

    pub(crate) fn join(&mut self, at: Instant, person: usize) -> Result<(), DemoError> {
        let Some(person) = self.world.people.get(person) else { return Ok(()) };
        let facts = AccountFacts {
            country: Some(person.country.to_owned()),
            minor: Some(person.minor),
            opened_at: Some(person.opened),
            ..AccountFacts::default()
        };
        self.tenure.set_account(&person.id, facts, at)?;
        Ok(())
    }

    /// Records answers of several people, none of whom answers twice.
    pub(crate) fn decide(&mut self, answers: &[(Instant, usize, Choice)]) -> Result<(), DemoError> {
        let world = self.world;
        let person = |number: usize| world.people.get(number);
        together(self.tenure, answers, |tenure, (at, number, choice)| {
            let Some(person) = person(*number) else { return Ok(()) };
            let answer = tenure.answer(&person.id, "train", *choice, None)?;
            tenure.decide(&person.id, answer, *at).map(drop)
        })?;
        for (at, number, choice) in answers.iter().copied() {
            let before = person(number).and_then(|person| {
                person.choices.iter().rev().find(|(when, _)| *when < at).map(|(_, choice)| *choice)
            });
            self.note_answer(Answered { at, choice, before });
        }
        Ok(())
    }

    /// The record that a conversation began with, if it has arrived.
    fn record_of(&self, talk: &Talk) -> Result<Option<tenure_store::RecordId>, DemoError> {
        let Some(owner) = self.world.owner(talk) else { return Ok(None) };
        let records = self.tenure.records_of(&owner.id)?;
        Ok(records.into_iter().find(|record| record.created_at == talk.began()).map(|record| record.id))
    }

    /// Notes that something was said of a conversation, which the ledger must have.
    fn mark(&mut self, at: Instant, talk: &Talk) {
        let owner = self.world.owner(talk).map(|owner| (owner.id.clone(), at));
        self.log.marks.extend(owner);
    }

    pub(crate) fn delete(&mut self, at: Instant, talk: usize) -> Result<(), DemoError> {
        let Some(talk) = self.world.talks.get(talk) else { return Ok(()) };
        if let Some(record) = self.record_of(talk)? {
            self.tenure.delete(Deletion::ConversationOf(record), at)?;
            self.since.deleted += 1;
            self.mark(at, talk);
            self.sweep(at)?;
        }
        Ok(())
    }

    pub(crate) fn leave(&mut self, at: Instant, person: usize) -> Result<(), DemoError> {
        let Some(person) = self.world.people.get(person) else { return Ok(()) };
        let records = self.tenure.delete(Deletion::Account(person.id.clone()), at)?;
        if records > 0 {
            self.log.marks.push((person.id.clone(), at));
        }
        let destroyed = self.sweep(at)?;
        self.say(at, &format!("A person closes the account: {} leave the history at once, {} destroyed, the rest within thirty days.", count(records, "record", "records"), count(destroyed, "copy", "copies")))
    }

    pub(crate) fn flag(&mut self, at: Instant, talk: usize) -> Result<(), DemoError> {
        let Some(talk) = self.world.talks.get(talk) else { return Ok(()) };
        if let Some(record) = self.record_of(talk)? {
            self.tenure.scan(record, Scan::Flagged, at)?;
            self.mark(at, talk);
            self.say(at, "A classifier flags a conversation: its content is kept for two years, its scores for seven, and nobody trains on it.")?;
        }
        Ok(())
    }

    pub(crate) fn feedback(&mut self, at: Instant, talk: usize) -> Result<(), DemoError> {
        let Some(talk) = self.world.talks.get(talk) else { return Ok(()) };
        if let Some(record) = self.record_of(talk)? {
            self.tenure.feedback(record, at)?;
            self.since.thumbs += 1;
            self.mark(at, talk);
        }
        Ok(())
    }

    pub(crate) fn deadline(&mut self, at: Instant) -> Result<(), DemoError> {
        let silent =
            self.world.people.iter().filter(|person| {
                person.says == Says::Nothing && person.leaves.is_none_or(|leaves| leaves > at)
            });
        let silent = silent.count() as u64;
        self.audit(at)?;
        self.say(at, &format!("The deadline. {} said nothing: they must choose before they go on, and nothing of theirs is trained on.", count(silent, "person", "people")))
    }

    pub(crate) fn train(&mut self, at: Instant) -> Result<(), DemoError> {
        let name = format!("run-{}", self.log.runs.len() + 1);
        let folder = self.work.join(&name);
        let first = self.log.runs.first().and_then(|first| first.report.manifest.run.parse().ok());
        let revoked = first.map(|first| self.tenure.revocations(first, at)).transpose()?;
        if let Some(revoked) = &revoked {
            self.log.revoked_between = revoked.revoked_rows;
            self.say(
                at,
                &format!(
                    "The first run's revocation list has {} of its {}.",
                    count(revoked.revoked_rows, "row", "rows"),
                    crate::dates::grouped(revoked.rows)
                ),
            )?;
        }
        let report = self.tenure.open_run("train", &folder, Rows::Both, at, &mut |_| {})?;
        let counts = &report.manifest.counts;
        let left: u64 = counts.left_out.values().map(|amount| amount.records).sum();
        let text = format!(
            "A training run is opened: {} from {} of {}; {} left out, each for a reason.",
            count(report.manifest.rows, "row", "rows"),
            count(counts.records_written, "record", "records"),
            count(report.manifest.accounts, "person", "people"),
            count(left, "record is", "records are"),
        );
        self.log.runs.push(Run { at, folder, report });
        self.audit(at)?;
        if let Some(audit) = self.log.audits.last() {
            let training = audit
                .copies
                .iter()
                .filter(|copy| copy.class == "training_copy" && copy.destroyed_at.is_none());
            self.log.last_training_due = training.filter_map(|copy| copy.due_at).max();
        }
        self.say(at, &text)
    }
}

/// Does something for each of many, several at a time, so that the store commits them together.
fn together<T: Sync>(
    tenure: &Tenure,
    items: &[T],
    each: impl Fn(&Tenure, &T) -> Result<(), tenure_app::Error> + Sync,
) -> Result<(), DemoError> {
    let share = items.len().div_ceil(HANDS).max(1);
    std::thread::scope(|scope| {
        let hands: Vec<_> = items
            .chunks(share)
            .map(|items| scope.spawn(|| items.iter().try_for_each(|item| each(tenure, item))))
            .collect();
        hands.into_iter().try_for_each(|hand| match hand.join() {
            Ok(done) => done.map_err(DemoError::Tenure),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}
