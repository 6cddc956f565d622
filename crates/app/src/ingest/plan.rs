//! What a conversation becomes: its records, or what is new about one that is known.

use std::collections::HashSet;
use std::sync::Arc;

use tenure_formats::{Conversation, Message};
use tenure_model::{Instant, Mode, Regime};
use tenure_store::{
    AccountKey, ConversationId, ConversationRow, CopyRow, CopyState, MessageRow, ReadTx, RecordFacts,
    RecordId, RecordRow, StoreExt as _,
};
use tenure_vault::BodyKey;

use super::body::{BodyMessage, write_message, write_title};
use super::{Ingester, Refusal};
use crate::filing::{Filed, class_name, filed};
use crate::person::Person;
use crate::record::{Activity, Reader};
use crate::{Error, Tenure};

/// The copies that every conversation gets, where its terms know the class.
const AT_THE_DOOR: [&str; 2] = ["history", "content"];

/// A record's part of a plan.
#[derive(Debug, Clone)]
pub(crate) struct PlannedRecord {
    pub(crate) row: RecordRow,
    pub(crate) messages: Vec<MessageRow>,
    pub(crate) plaintext: Vec<u8>,
    pub(crate) body: Arc<BodyKey>,
    /// The classes that are copied, and where each copy is filed.
    pub(crate) copies: Vec<(&'static str, Filed)>,
    /// The record as it was when this was planned, where it exists and only goes on.
    pub(crate) began: Option<RecordRow>,
}

/// What a conversation becomes.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) person: Arc<Person>,
    pub(crate) conversation: ConversationRow,
    pub(crate) is_new: bool,
    pub(crate) records: Vec<PlannedRecord>,
}

/// A run of messages that share surface, mode and country.
struct Run {
    surface: String,
    mode: Mode,
    country: Option<String>,
    messages: Vec<(MessageRow, Message)>,
}

/// A conversation as the store knows it.
struct Known {
    row: ConversationRow,
    records: Vec<RecordRow>,
    messages: HashSet<String>,
    /// The key of the last record's body, if every copy that it was given is still live.
    last_body: Option<BodyKey>,
}

impl Tenure {
    /// The MAC by which a conversation is known by the id that its source gave it.
    pub(super) fn recognise_id(&self, format: &str, account: &str, id: &str) -> [u8; 32] {
        let parts = [b"conversation", format.as_bytes(), account.as_bytes(), b"id", id.as_bytes()];
        self.vault.identify(&parts)
    }
}

impl Ingester {
    /// Plans a conversation; `None` if everything about it is known.
    pub(super) fn plan(
        &mut self,
        conversation: Conversation,
    ) -> Result<Result<Option<Planned>, Refusal>, Error> {
        let Some(account) = conversation.account.clone().or_else(|| self.defaults.account.clone()) else {
            return Ok(Err(Refusal::NoAccount));
        };
        if account.is_empty() || account.len() > 512 {
            return Ok(Err(Refusal::BadAccount));
        }
        if conversation.messages.is_empty() {
            return Ok(Err(Refusal::Empty));
        }
        let recognised = self.recognise(&account, &conversation);
        if self.in_flight.contains(&recognised) {
            self.wait()?;
        } else if self.batch.has(&recognised) {
            self.flush()?;
            self.wait()?;
        }
        let person = self.person(&account)?;
        let known = self.known(&person, &recognised)?;
        let head = ConversationHead {
            title: conversation.title.clone(),
            created_at: conversation.created_at.map(|at| at.min(self.now)),
            scanned: conversation.scanned,
        };
        let kind = conversation.kind;
        let runs = match self.runs(conversation, known.as_ref()) {
            Ok(runs) => runs,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if runs.is_empty() {
            return Ok(Ok(None));
        }
        if person.row.facts.closed_at.is_some() {
            return Ok(Err(Refusal::AccountClosed));
        }
        let created_at = runs.iter().flat_map(|run| &run.messages).filter_map(|(row, _)| row.at).min();
        let row = match &known {
            Some(known) => known.row.clone(),
            None => ConversationRow {
                account: person.row.key,
                id: ConversationId(self.tenure.random()?),
                recognised,
                kind,
                created_at: head.created_at.or(created_at).unwrap_or(self.now),
            },
        };
        let records = self.records(&person, &row, known, &head, runs)?;
        let is_new = records.first().is_some_and(|record| record.row.ordinal == 0 && record.began.is_none());
        Ok(Ok(Some(Planned { person, conversation: row, is_new, records })))
    }

    /// A MAC by which the same conversation is known again: over its own id, or over all that it says.
    fn recognise(&self, account: &str, conversation: &Conversation) -> [u8; 32] {
        if let Some(id) = &conversation.external_id {
            return self.tenure.recognise_id(&self.format, account, id);
        }
        let mut parts: Vec<&[u8]> =
            vec![b"conversation", self.format.as_bytes(), account.as_bytes(), b"content"];
        for message in &conversation.messages {
            parts.extend([message.role.word().as_bytes(), message.text.as_bytes()]);
        }
        self.tenure.vault.identify(&parts)
    }

    fn known(&self, person: &Person, recognised: &[u8; 32]) -> Result<Option<Known>, Error> {
        if !person.is_stored() {
            return Ok(None);
        }
        let tenure = &self.tenure;
        tenure.store.read(|tx| {
            let account = person.row.key;
            let Some(row) = tx.conversation_recognised(account, recognised)? else { return Ok(None) };
            let records = tx.records_of_conversation(account, row.id)?;
            let mut messages = HashSet::new();
            for record in &records {
                messages.extend(tx.messages(account, record.id)?.into_iter().map(|message| message.id));
            }
            let last_body = match records.last() {
                Some(record) => self.body_that_goes_on(person, record, tx)?,
                None => None,
            };
            Ok(Some(Known { row, records, messages, last_body }))
        })
    }

    /// A record goes on only while nothing of it was destroyed or deleted, and no copy of it was made for what
    /// was said before: what a run or feedback keeps never opens what is said later.
    fn body_that_goes_on(
        &self,
        person: &Person,
        record: &RecordRow,
        tx: &mut dyn ReadTx,
    ) -> Result<Option<BodyKey>, Error> {
        let copies = tx.copies_of_record(record.account, record.id)?;
        let classes = tx.classes()?;
        let goes_on = |copy: &CopyRow| {
            let has_body = matches!(copy.state, CopyState::Live { wrap: Some(_) });
            let is_fact = matches!(copy.state, CopyState::Live { wrap: None });
            is_fact || has_body && AT_THE_DOOR.contains(&class_name(&classes, copy.key.class))
        };
        if record.facts.deleted_at.is_some() || !copies.iter().all(goes_on) {
            return Ok(None);
        }
        self.tenure.body_key(person, record.id, &copies, tx)
    }

    /// Splits what is new into runs, and leaves out what may not be kept.
    fn runs(&mut self, conversation: Conversation, known: Option<&Known>) -> Result<Vec<Run>, Refusal> {
        let mut seen: HashSet<String> = HashSet::new();
        let mut runs: Vec<Run> = Vec::new();
        let mut refused_all = None;
        for (index, mut message) in conversation.messages.into_iter().enumerate() {
            let id = message.id.take().unwrap_or_else(|| format!("m{}", index + 1));
            if !seen.insert(id.clone()) {
                *self.done.refused_messages.entry(Refusal::RepeatedMessage).or_default() += 1;
                continue;
            }
            if known.is_some_and(|known| known.messages.contains(&id)) {
                self.done.known += 1;
                continue;
            }
            let named = [message.surface.take(), conversation.surface.clone(), self.defaults.surface.clone()];
            let Some(surface) = named.into_iter().flatten().next() else { return Err(Refusal::NoSurface) };
            let Some((lineage, of)) = self.policies.of_surface(&surface) else {
                return Err(Refusal::UnknownSurface);
            };
            if lineage.regime(of) == Regime::Zero {
                *self.done.refused_messages.entry(Refusal::ZeroRetention).or_default() += 1;
                refused_all = Some(Refusal::ZeroRetention);
                continue;
            }
            let mode = message.mode.or(conversation.mode).or(self.defaults.mode).unwrap_or(Mode::Normal);
            let countries =
                [message.country.take(), conversation.country.clone(), self.defaults.country.clone()];
            let country = countries.into_iter().flatten().next();
            let row = MessageRow {
                ordinal: 0,
                id,
                at: message.at.map(|at| at.min(self.now)),
                role: message.role.word().to_owned(),
                dead_branch: message.dead_branch,
                segment: 0,
                derived_from: std::mem::take(&mut message.derived_from),
            };
            match runs.last_mut() {
                Some(run) if run.surface == surface && run.mode == mode && run.country == country => {
                    run.messages.push((row, message));
                }
                _ => runs.push(Run { surface, mode, country, messages: vec![(row, message)] }),
            }
        }
        match refused_all {
            Some(refusal) if runs.is_empty() && known.is_none() => Err(refusal),
            _ => Ok(runs),
        }
    }

    fn records(
        &self,
        person: &Person,
        conversation: &ConversationRow,
        known: Option<Known>,
        head: &ConversationHead,
        runs: Vec<Run>,
    ) -> Result<Vec<PlannedRecord>, Error> {
        let (mut siblings, mut last_body) =
            known.map_or_else(Default::default, |known| (known.records, known.last_body));
        let mut title = head.title.as_deref().filter(|_| siblings.is_empty());
        let mut planned = Vec::with_capacity(runs.len());
        for run in runs {
            let goes_on = siblings.last().filter(|last| run.continues(last)).cloned().zip(last_body.take());
            let (start, body, began) = match goes_on {
                Some((last, body)) => {
                    siblings.pop();
                    // What a classifier found does not speak of what was said since.
                    let facts = RecordFacts { scanned: head.scanned, ..last.facts };
                    (RecordRow { facts, ..last.clone() }, body, Some(last))
                }
                None => {
                    let fresh =
                        self.fresh_record(person.row.key, conversation, &run, siblings.len(), head)?;
                    (fresh, self.tenure.vault.body_key()?, None)
                }
            };
            let (row, messages, plaintext) = self.write_run(run, start, title.take())?;
            siblings.push(row.clone());
            planned.push(PlannedRecord {
                row,
                messages,
                plaintext,
                body: Arc::new(body),
                copies: Vec::new(),
                began,
            });
        }
        self.file(person, &siblings, &mut planned)?;
        Ok(planned)
    }

    fn fresh_record(
        &self,
        account: AccountKey,
        conversation: &ConversationRow,
        run: &Run,
        ordinal: usize,
        head: &ConversationHead,
    ) -> Result<RecordRow, Error> {
        let first = run.messages.iter().filter_map(|(row, _)| row.at).min();
        let created_at = first.or(head.created_at).unwrap_or(self.now);
        Ok(RecordRow {
            account,
            id: RecordId(self.tenure.random()?),
            conversation: conversation.id,
            ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
            surface: run.surface.clone(),
            kind: conversation.kind,
            mode: run.mode,
            country: run.country.clone(),
            created_at,
            facts: RecordFacts {
                scanned: head.scanned,
                last_activity_at: created_at,
                deleted_at: None,
                flagged_at: None,
                feedback_at: None,
                unflagged: None,
            },
            messages: 0,
            segments: 0,
        })
    }

    /// Writes a run's messages after those that a record has.
    fn write_run(
        &self,
        run: Run,
        mut row: RecordRow,
        title: Option<&str>,
    ) -> Result<(RecordRow, Vec<MessageRow>, Vec<u8>), Error> {
        let last = run.messages.iter().filter_map(|(message, _)| message.at).max();
        // Content without a time came no later than it was received.
        let arrived =
            if run.messages.iter().any(|(message, _)| message.at.is_none()) { Some(self.now) } else { None };
        let activity: Option<Instant> = last.or(arrived);
        row.facts.last_activity_at =
            activity.map_or(row.facts.last_activity_at, |at| at.max(row.facts.last_activity_at));
        let size: usize = run.messages.iter().map(|(_, message)| message.text.len() + 128).sum();
        let mut plaintext = Vec::with_capacity(size);
        if let Some(title) = title {
            write_title(title, &mut plaintext)?;
        }
        let mut messages = Vec::with_capacity(run.messages.len());
        for (mut message, said) in run.messages {
            message.ordinal = row.messages;
            message.segment = row.segments;
            row.messages += 1;
            let body = BodyMessage {
                id: message.id.as_str().into(),
                role: message.role.as_str().into(),
                text: said.text.as_str().into(),
                content: said.content.as_deref(),
            };
            write_message(&body, &mut plaintext)?;
            messages.push(message);
        }
        row.segments += 1;
        Ok((row, messages, plaintext))
    }

    /// Judges what was planned, and says which copies it gets and where they are filed.
    fn file(
        &self,
        person: &Person,
        siblings: &[RecordRow],
        planned: &mut [PlannedRecord],
    ) -> Result<(), Error> {
        let mut reader = Reader::new(&self.policies, person);
        let activity = Activity::of(&self.policies, siblings);
        for record in planned.iter_mut().filter(|record| record.began.is_none()) {
            let loaded = reader.assemble(record.row.clone(), &activity, Vec::new())?;
            let facts = loaded.facts(person, &[], &[], self.now);
            let verdict = loaded.lineage.judge(&facts);
            let tree = loaded.lineage.tree(verdict.judged);
            for class in AT_THE_DOOR.into_iter().filter(|class| tree.bodies.iter().any(|body| body == class))
            {
                record.copies.push((class, filed(&loaded.lineage, &facts, &verdict, class)?));
            }
        }
        Ok(())
    }
}

/// What a conversation says of itself.
struct ConversationHead {
    title: Option<String>,
    created_at: Option<Instant>,
    scanned: Option<bool>,
}

impl Run {
    fn continues(&self, record: &RecordRow) -> bool {
        record.surface == self.surface && record.mode == self.mode && record.country == self.country
    }
}
