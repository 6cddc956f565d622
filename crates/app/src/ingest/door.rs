//! Two doors for those who send while they work: one conversation, and a stream of many.

use std::io::Read;

use serde::Serialize;
use tenure_formats::{Conversation, Failure, Format, Item, ReadError, Report};
use tenure_model::Instant;
use tenure_store::{AccountKey, ConversationId, ConversationRow, ReadTx, StoreError, StoreExt as _};

use super::{Defaults, Ingested};
use crate::accounts::account_of;
use crate::record::records_of_conversation;
use crate::{Error, Tenure};

/// How often one conversation is planned anew after somebody else has changed it, or opened its account, meanwhile.
const TRIES: usize = 4;

/// What became of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its records, in their order.
    pub records: Vec<String>,
    /// What was done.
    pub ingested: Ingested,
}

/// What became of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Streamed {
    /// What was read, and what was not understood, by place.
    pub report: Report,
    /// What was done with what was read.
    pub ingested: Ingested,
}

/// Why a stream was not taken to its end. What was committed before stays, and the same stream sent again takes the
/// rest and nothing twice.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// It can't be read, or is not what it should be.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Tenure {
    /// Takes one conversation in, or what is new about one that is known. It is durable when this answers.
    ///
    /// # Errors
    /// [`Error::NotTaken`] if nothing of it may be kept.
    pub fn take_in(&self, conversation: &Conversation, now: Instant) -> Result<Taken, Error> {
        let mut tries = 1;
        loop {
            match self.take_in_once(conversation.clone(), now) {
                Err(Error::ConversationMoved | Error::Store(StoreError::Conflict { .. }))
                    if tries < TRIES =>
                {
                    tries += 1;
                }
                taken => return taken,
            }
        }
    }

    fn take_in_once(&self, conversation: Conversation, now: Instant) -> Result<Taken, Error> {
        let account = conversation.account.clone().ok_or(super::Refusal::NoAccount)?;
        let id = conversation.external_id.clone().ok_or(Error::UnknownConversation)?;
        let mut ingester = self.ingester(Format::Tenure.word(), Defaults::default(), now)?;
        ingester.push(Item::Conversation(conversation))?;
        let ingested = ingester.finish()?;
        if let Some(refusal) = ingested.refused_conversations.keys().next() {
            return Err(Error::NotTaken(*refusal));
        }
        self.store.read(|tx| {
            let row = account_of(tx, &account)?;
            let found = self.conversation_named(tx, (row.key, &account), &id)?;
            // Whose every message was refused is not kept at all.
            let found = found.ok_or(super::Refusal::ZeroRetention)?;
            let records = records_of_conversation(tx, row.key, found.id)?;
            let records = records.iter().map(|record| record.id.to_string()).collect();
            Ok(Taken { conversation: found.id, records, ingested })
        })
    }

    /// Takes more messages of a conversation in. What they leave out is as it was last in the conversation.
    ///
    /// # Errors
    /// [`Error::UnknownConversation`] if the account has none of that name.
    pub fn take_in_more(
        &self,
        account: &str,
        name: &str,
        mut more: Conversation,
        now: Instant,
    ) -> Result<Taken, Error> {
        let (conversation, last) = self.store.read(|tx| {
            let row = account_of(tx, account)?;
            let found = self.conversation_of(tx, (row.key, account), name)?;
            let records = records_of_conversation(tx, row.key, found.id)?;
            Ok::<_, Error>((found, records.into_iter().last()))
        })?;
        let last = last.ok_or(Error::UnknownConversation)?;
        if conversation.recognised != self.recognise_id(Format::Tenure.word(), account, name) {
            return Err(Error::Refused(
                "this conversation came in another way: send its messages by the id that its source gave it"
                    .to_owned(),
            ));
        }
        more.account = Some(account.to_owned());
        more.external_id = Some(name.to_owned());
        more.kind = conversation.kind;
        more.surface = more.surface.or(Some(last.surface));
        more.mode = more.mode.or(Some(last.mode));
        more.country = more.country.or(last.country);
        self.take_in(&more, now)
    }

    /// Takes a stream of Tenure's own lines in. Everything is durable when this answers. `may_tell` is asked whether the
    /// sender may say something about an account.
    ///
    /// # Errors
    /// Whatever `may_tell` refuses such a line with; what came before it stays.
    pub fn take_in_stream(
        &self,
        stream: impl Read,
        may_tell: impl Fn(&str) -> Result<(), Error>,
        now: Instant,
    ) -> Result<Streamed, StreamError> {
        let mut ingester = self.ingester(Format::Tenure.word(), Defaults::default(), now)?;
        let read = tenure_formats::read_stream(stream, &mut |item| {
            if let Item::Account(account) = &item {
                may_tell(&account.id)?;
            }
            ingester.push(item)
        });
        match read {
            Ok(report) => Ok(Streamed { report, ingested: ingester.finish()? }),
            Err(Failure::Sink(error @ Error::Access(_))) => {
                ingester.finish()?;
                Err(error.into())
            }
            Err(Failure::Sink(error)) => Err(error.into()),
            Err(Failure::Read(error)) => {
                // What was understood before is kept.
                ingester.finish()?;
                Err(error.into())
            }
        }
    }

    /// Records that a person deleted a conversation of theirs, and gives how many records it reaches.
    ///
    /// # Errors
    /// [`Error::UnknownConversation`] if the account has none of that name.
    pub fn delete_conversation(&self, account: &str, name: &str, now: Instant) -> Result<u64, Error> {
        let record = self.store.read(|tx| {
            let row = account_of(tx, account)?;
            let found = self.conversation_of(tx, (row.key, account), name)?;
            let records = records_of_conversation(tx, row.key, found.id)?;
            records.first().map(|record| record.id).ok_or(Error::UnknownConversation)
        })?;
        self.delete(crate::Deletion::ConversationOf(record), now)
    }

    /// A conversation of an account, by its id here or by the one that its source gave it.
    fn conversation_of(
        &self,
        tx: &mut dyn ReadTx,
        account: (AccountKey, &str),
        name: &str,
    ) -> Result<ConversationRow, Error> {
        if let Ok(id) = name.parse::<ConversationId>()
            && let Some(found) = tx.conversation(account.0, id)?
        {
            return Ok(found);
        }
        self.conversation_named(tx, account, name)?.ok_or(Error::UnknownConversation)
    }

    fn conversation_named(
        &self,
        tx: &mut dyn ReadTx,
        (key, account): (AccountKey, &str),
        name: &str,
    ) -> Result<Option<ConversationRow>, Error> {
        let recognised = self.recognise_id(Format::Tenure.word(), account, name);
        Ok(tx.conversation_recognised(key, &recognised)?)
    }
}
