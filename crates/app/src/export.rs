//! Everything that is held about a person, as they may be told it: what is known, what they were told and said, and
//! what they wrote, with how long it is kept and why.
//!
//! Whoever asks, it is what the person may be told: whoever exports it does so to hand it to them. What only an order
//! keeps is named where people may be told of the order, and never opened, since an order makes nothing readable.

use serde::Serialize;
use serde_json::value::RawValue;
use tenure_model::{Instant, Kind, Mode};
use tenure_store::{
    ConversationId, ConversationRow, CopyRow, CopyState, MessageRow, ReadTx, RecordRow, SegmentRow,
    StoreExt as _,
};
use tenure_vault::{BodyError, BodyKey, OpenError, PackId, Place, Reading, SegmentName};

use crate::accounts::account_of;
use crate::explain::{RunOf, ToldCopy, runs, tell, tellable};
use crate::filing::class_name;
use crate::ingest::{read_segment, read_title};
use crate::person::Person;
use crate::record::{Reader, With};
use crate::{Error, ListedReceipt, Policies, Standing, Tenure};

/// How many conversations are read on one snapshot.
const SLICE: usize = 20;
/// How many receipts are made at once.
const RECEIPTS: usize = 500;
/// How often segments are looked up again that a sweep has moved.
const MOVED_MOST: u32 = 3;

/// A part of an export. They come in the order of these variants; the records of one conversation follow it.
#[derive(Debug)]
pub enum Part {
    /// Who it is about, and where they stand.
    Account(Box<AccountPart>),
    /// Something that was stated of the account, with its receipt.
    Statement(Box<ListedReceipt>),
    /// A conversation.
    Conversation(ConversationPart),
    /// A record of the conversation before it.
    Record(Box<RecordPart>),
}

/// What is known of the account.
#[derive(Debug, Clone, Serialize)]
pub struct AccountPart {
    /// The account.
    pub account: String,
    /// When this was exported.
    pub at: Instant,
    /// Its present country.
    pub country: Option<String>,
    /// Whether the person is a minor.
    pub minor: Option<bool>,
    /// When it was opened.
    pub opened_at: Option<Instant>,
    /// When it was closed.
    pub closed_at: Option<Instant>,
    /// What binds it, what was chosen, and what is asked.
    pub standing: Standing,
}

/// A conversation of which something is kept.
#[derive(Debug, Clone, Serialize)]
pub struct ConversationPart {
    /// The conversation.
    pub conversation: String,
    /// Chat or code.
    pub kind: Kind,
    /// When it began.
    pub created_at: Instant,
}

/// A record of which something is kept.
#[derive(Debug, Clone, Serialize)]
pub struct RecordPart {
    /// The record.
    pub record: String,
    /// The surface.
    pub surface: String,
    /// How it was sent.
    pub mode: Mode,
    /// From which country.
    pub country: Option<String>,
    /// When it was created.
    pub created_at: Instant,
    /// Its own last activity.
    pub last_activity_at: Instant,
    /// When its person deleted it.
    pub deleted_at: Option<Instant>,
    /// When it was flagged.
    pub flagged_at: Option<Instant>,
    /// When feedback was given on it.
    pub feedback_at: Option<Instant>,
    /// The copies that are kept, how long, and why.
    pub kept: Vec<ToldCopy>,
    /// The training runs that it is in.
    pub runs: Vec<RunOf>,
    /// The title that the person gave it.
    pub title: Option<String>,
    /// What was said; nothing where no copy may be opened.
    pub messages: Option<Vec<MessagePart>>,
}

/// A message.
#[derive(Debug, Clone, Serialize)]
pub struct MessagePart {
    /// Its id in the conversation.
    pub id: String,
    /// When it was sent, if that is known.
    pub at: Option<Instant>,
    /// Who spoke.
    pub role: String,
    /// What was said.
    pub text: String,
    /// The original content, where it holds more than the text.
    pub content: Option<Box<RawValue>>,
}

/// A record as it was judged, before its body is opened.
struct Judged {
    part: RecordPart,
    row: RecordRow,
    rows: Vec<MessageRow>,
    /// The key and the place of its body, where a copy may be opened.
    body: Option<(BodyKey, Vec<SegmentRow>)>,
}

impl Tenure {
    /// Hands out everything that is held about a person, part by part. Nothing is locked meanwhile, and no more than
    /// a few conversations are in memory.
    pub fn export<E: From<Error>>(
        &self,
        account: &str,
        now: Instant,
        each: &mut dyn FnMut(Part) -> Result<(), E>,
    ) -> Result<(), E> {
        let policies = self.policies()?;
        let standing = self.standing(account, None, now)?;
        let facts = self.account(account)?.facts;
        each(Part::Account(Box::new(AccountPart {
            account: account.to_owned(),
            at: now,
            country: facts.country,
            minor: facts.minor,
            opened_at: facts.opened_at,
            closed_at: facts.closed_at,
            standing,
        })))?;
        self.export_statements(account, now, each)?;
        let mut after = None;
        loop {
            let (last, found) = self.judge_slice(&policies, account, after, now)?;
            for (conversation, records) in found {
                each(Part::Conversation(conversation))?;
                for judged in records {
                    each(Part::Record(Box::new(self.open_record(account, judged)?)))?;
                }
            }
            match last {
                Some(last) => after = Some(last),
                None => return Ok(()),
            }
        }
    }

    fn export_statements<E: From<Error>>(
        &self,
        account: &str,
        now: Instant,
        each: &mut dyn FnMut(Part) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = Some(0);
        while let Some(from) = after {
            let slice = match self.list_receipts(account, (from, RECEIPTS), now) {
                // The evidence of an account that was closed long ago is held no more.
                Err(Error::ProofDestroyed) => return Ok(()),
                slice => slice?,
            };
            after = slice.next;
            slice.items.into_iter().try_for_each(|receipt| each(Part::Statement(Box::new(receipt))))?;
        }
        Ok(())
    }

    /// Judges the next conversations of an account, and says after which to go on.
    #[expect(clippy::type_complexity, reason = "a slice of conversations with their records")]
    fn judge_slice(
        &self,
        policies: &Policies,
        account: &str,
        after: Option<ConversationId>,
        now: Instant,
    ) -> Result<(Option<ConversationId>, Vec<(ConversationPart, Vec<Judged>)>), Error> {
        self.store.read(|tx| {
            let row = account_of(tx, account)?;
            let person = self.person(tx, row)?;
            let conversations = tx.conversations_of(person.row.key, after, SLICE)?;
            let last = conversations.last().filter(|_| conversations.len() >= SLICE).map(|row| row.id);
            let mut found = Vec::new();
            for conversation in conversations {
                let records = self.judge_records(tx, policies, &person, &conversation, now)?;
                if !records.is_empty() {
                    let part = ConversationPart {
                        conversation: conversation.id.to_string(),
                        kind: conversation.kind,
                        created_at: conversation.created_at,
                    };
                    found.push((part, records));
                }
            }
            Ok((last, found))
        })
    }

    /// The records of a conversation of which something is kept that the person may be told of.
    fn judge_records(
        &self,
        tx: &mut dyn ReadTx,
        policies: &Policies,
        person: &Person,
        conversation: &ConversationRow,
        now: Instant,
    ) -> Result<Vec<Judged>, Error> {
        let (orders, classes) = (tellable(tx)?, tx.classes()?);
        let mut reader = Reader::new(policies, person);
        let mut judged = Vec::new();
        for row in tx.records_of_conversation(person.row.key, conversation.id)? {
            let copies = tx.copies_of_record(row.account, row.id)?;
            let loaded = reader.load(tx, row, With::Messages)?;
            let kept = tell(person, &loaded, &orders, &classes, &copies, now).kept;
            if kept.is_empty() {
                continue;
            }
            let opens = |copy: &&CopyRow| {
                let class = class_name(&classes, copy.key.class);
                matches!(copy.state, CopyState::Live { wrap: Some(_) })
                    && kept.iter().any(|told| told.class == class && told.may_be_used)
            };
            let openable: Vec<CopyRow> = copies.iter().filter(opens).cloned().collect();
            let body = match self.body_key(person, loaded.row.id, &openable, tx) {
                Ok(Some(key)) => Some((key, tx.segments(loaded.row.account, loaded.row.id)?)),
                Ok(None) | Err(Error::Open(OpenError::Destroyed(_))) => None,
                Err(error) => return Err(error),
            };
            let runs = runs(tx, &loaded.row)?;
            let row = loaded.row.clone();
            let rows = loaded.message_rows().to_vec();
            judged.push(Judged { part: part(&row, kept, runs), row, rows, body });
        }
        Ok(judged)
    }

    /// Opens what a record says.
    fn open_record(&self, account: &str, judged: Judged) -> Result<RecordPart, Error> {
        let Judged { mut part, row, rows, body } = judged;
        let Some((key, segments)) = body else { return Ok(part) };
        let Some(segments) = self.read_segments(account, &row, &key, segments)? else { return Ok(part) };
        if let Some(first) = segments.first() {
            part.title = read_title(first)?;
        }
        let mut messages = Vec::with_capacity(rows.len());
        for segment in &segments {
            for said in read_segment(segment)? {
                messages.push(MessagePart {
                    at: rows.iter().find(|row| row.id == said.id).and_then(|row| row.at),
                    id: said.id.into_owned(),
                    role: said.role.into_owned(),
                    text: said.text.into_owned(),
                    content: said.content.map(RawValue::to_owned),
                });
            }
        }
        part.messages = Some(messages);
        Ok(part)
    }

    /// Reads a body; nothing where it was destroyed meanwhile.
    fn read_segments(
        &self,
        account: &str,
        row: &RecordRow,
        key: &BodyKey,
        mut segments: Vec<SegmentRow>,
    ) -> Result<Option<Vec<Vec<u8>>>, Error> {
        let record = row.id.to_string();
        for _ in 0..=MOVED_MOST {
            let mut readings = Vec::with_capacity(segments.len());
            for segment in &segments {
                let place = Place {
                    pack: PackId::from_bytes(segment.pack.0),
                    offset: segment.offset,
                    length: u32::try_from(segment.length).map_err(|_| OpenError::Malformed)?,
                };
                let number = u64::from(segment.segment);
                let name = SegmentName { organisation: None, account, record: &record, number };
                readings.push(Reading { place, key, name });
            }
            match self.vault.read_all(&readings) {
                Ok(read) => return Ok(Some(read)),
                Err(OpenError::Bodies(BodyError::NotFound(_))) => {}
                Err(OpenError::Destroyed(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            segments = self.store.read(|tx| Ok::<_, Error>(tx.segments(row.account, row.id)?))?;
        }
        // Looked for again and again and not found: its last copy went.
        Ok(None)
    }
}

fn part(row: &RecordRow, kept: Vec<ToldCopy>, runs: Vec<RunOf>) -> RecordPart {
    RecordPart {
        record: row.id.to_string(),
        surface: row.surface.clone(),
        mode: row.mode,
        country: row.country.clone(),
        created_at: row.created_at,
        last_activity_at: row.facts.last_activity_at,
        deleted_at: row.facts.deleted_at,
        flagged_at: row.facts.flagged_at,
        feedback_at: row.facts.feedback_at,
        kept,
        runs,
        title: None,
        messages: None,
    }
}
