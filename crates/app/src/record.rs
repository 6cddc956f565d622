//! A record with everything that its verdict depends on.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use tenure_model::{Instant, Regime};
use tenure_policy::case::{Hold, Text};
use tenure_policy::{Facts, FormerFacts, History, Lineage, Message, SurfaceId, Unflagged};
use tenure_store::{ConversationId, HoldRow, MessageRow, ReadTx, RecordId, RecordRow};

use crate::holds::HoldScope;
use crate::person::Person;
use crate::policies::Policies;
use crate::{Error, Tenure};

/// The holds that a transaction sees, with the epoch that they make up.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    pub(crate) epoch: u64,
    rows: Vec<(HoldRow, HoldScope)>,
}

impl Holds {
    pub(crate) fn load(tx: &mut dyn ReadTx) -> Result<Self, Error> {
        let scoped = |row: HoldRow| -> Result<_, Error> {
            let scope = serde_json::from_str(&row.scope)?;
            Ok((row, scope))
        };
        let rows = tx.holds()?.into_iter().map(scoped).collect::<Result<_, Error>>()?;
        Ok(Self { epoch: tx.holds_epoch()?, rows })
    }

    /// The holds as a verdict takes them.
    pub(crate) fn as_facts(&self) -> Vec<Hold<'_>> {
        self.rows.iter().map(|(row, scope)| scope.hold(row)).collect()
    }
}

/// A record, read for judging.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) row: RecordRow,
    /// The record's id as it is shown, by which a copy that is due is named.
    id: String,
    pub(crate) lineage: Arc<Lineage>,
    pub(crate) history: Arc<History>,
    surface: SurfaceId,
    conversation_last_activity_at: Instant,
    messages: Vec<MessageRow>,
    parents: Vec<Vec<Text<'static>>>,
}

/// Whether a record is read with its messages, which only uses ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    /// Only what keeping depends on.
    Nothing,
    /// Its messages too.
    Messages,
}

impl Loaded {
    /// The messages as a verdict takes them.
    pub(crate) fn messages(&self) -> Vec<Message<'_>> {
        let pairs = self.messages.iter().zip(&self.parents);
        pairs.map(|(row, parents)| Message { id: &row.id, at: row.at, derived_from: parents }).collect()
    }

    /// The rows of the messages, in the same order.
    pub(crate) fn message_rows(&self) -> &[MessageRow] {
        &self.messages
    }

    /// The facts at an instant.
    pub(crate) fn facts<'a>(
        &'a self,
        person: &'a Person,
        messages: &'a [Message<'a>],
        holds: &'a [Hold<'a>],
        at: Instant,
    ) -> Facts<'a> {
        let by_now = |instant: Option<Instant>| instant.filter(|instant| *instant <= at);
        let (account, record) = (&person.row.facts, &self.row);
        let former = account.former.iter().map(|former| FormerFacts {
            until: former.until,
            country: former.country.as_deref(),
            minor: former.minor,
        });
        let unflagged = record.facts.unflagged.filter(|flag| flag.cleared_at <= at);
        Facts {
            at,
            record: &self.id,
            account: &person.row.id,
            account_country: account.country.as_deref(),
            minor: account.minor,
            former: former.collect(),
            opened_at: account.opened_at,
            closed_at: by_now(account.closed_at),
            history: &self.history,
            surface: self.surface,
            surface_name: &record.surface,
            kind: record.kind,
            mode: record.mode,
            country: record.country.as_deref(),
            scanned: record.facts.scanned == Some(true),
            created_at: record.created_at,
            last_activity_at: record.facts.last_activity_at,
            conversation_last_activity_at: self.conversation_last_activity_at,
            deleted_at: by_now(record.facts.deleted_at),
            flagged_at: by_now(record.facts.flagged_at),
            unflagged: unflagged
                .map(|flag| Unflagged { flagged_at: flag.flagged_at, cleared_at: flag.cleared_at }),
            feedback_at: by_now(record.facts.feedback_at),
            messages,
            holds,
        }
    }
}

/// Reads records of one account one after another, and keeps what they share.
pub(crate) struct Reader<'a> {
    policies: &'a Policies,
    person: &'a Person,
    histories: Vec<(String, Arc<History>)>,
    pub(crate) seen: Seen,
}

/// The conversations that were read last: a long one is not read again for each of its records.
pub(crate) type Seen = HashMap<ConversationId, Activity>;

/// The conversations of records of an account, of which none has any other record.
pub(crate) fn seen_in(policies: &Policies, records: &[RecordRow]) -> Seen {
    let mut of: HashMap<ConversationId, Vec<RecordRow>> = HashMap::new();
    for record in records {
        of.entry(record.conversation).or_default().push(record.clone());
    }
    of.into_iter().map(|(id, records)| (id, Activity::of(policies, &records))).collect()
}

/// How many conversations are remembered.
const SEEN_MAX: usize = 4_096;

/// A conversation's last activity in each regime.
#[derive(Debug, Clone)]
pub(crate) struct Activity(Vec<(Regime, Instant)>);

impl Activity {
    pub(crate) fn of(policies: &Policies, records: &[RecordRow]) -> Self {
        let mut last: Vec<(Regime, Instant)> = Vec::new();
        for record in records {
            let Some((lineage, surface)) = policies.of_surface(&record.surface) else { continue };
            let (regime, at) = (lineage.regime(surface), record.facts.last_activity_at);
            match last.iter_mut().find(|(known, _)| *known == regime) {
                Some((_, last)) => *last = at.max(*last),
                None => last.push((regime, at)),
            }
        }
        Self(last)
    }

    fn in_regime(&self, regime: Regime) -> Option<Instant> {
        self.0.iter().find(|(known, _)| *known == regime).map(|(_, at)| *at)
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(policies: &'a Policies, person: &'a Person) -> Self {
        Self { policies, person, histories: Vec::new(), seen: Seen::new() }
    }

    fn history(&mut self, lineage: &Lineage) -> Arc<History> {
        if let Some((_, history)) = self.histories.iter().find(|(name, _)| name == lineage.name()) {
            return Arc::clone(history);
        }
        let history = Arc::new(self.person.history(lineage));
        self.histories.push((lineage.name().to_owned(), Arc::clone(&history)));
        history
    }

    /// Reads what belongs to a record.
    pub(crate) fn load(&mut self, tx: &mut dyn ReadTx, row: RecordRow, with: With) -> Result<Loaded, Error> {
        if !self.seen.contains_key(&row.conversation) {
            if self.seen.len() >= SEEN_MAX {
                self.seen.clear();
            }
            let siblings = tx.records_of_conversation(row.account, row.conversation)?;
            self.seen.insert(row.conversation, Activity::of(self.policies, &siblings));
        }
        let last = self.seen.get(&row.conversation).cloned();
        let messages = match with {
            With::Nothing => Vec::new(),
            With::Messages => tx.messages(row.account, row.id)?,
        };
        self.assemble(row, &last.unwrap_or_else(|| Activity(Vec::new())), messages)
    }

    /// Puts a record together from rows that are read already.
    pub(crate) fn assemble(
        &mut self,
        row: RecordRow,
        activity: &Activity,
        messages: Vec<MessageRow>,
    ) -> Result<Loaded, Error> {
        let unknown = || Error::UnknownSurface(row.surface.clone());
        let (lineage, surface) = self.policies.of_surface(&row.surface).ok_or_else(unknown)?;
        let regime = lineage.regime(surface);
        let last = activity.in_regime(regime);
        let conversation_last_activity_at =
            last.map_or(row.facts.last_activity_at, |last| last.max(row.facts.last_activity_at));
        let parents = messages
            .iter()
            .map(|message| message.derived_from.iter().map(|id| Text(Cow::Owned(id.clone()))).collect())
            .collect();
        let lineage = Arc::clone(lineage);
        let history = self.history(&lineage);
        let id = row.id.to_string();
        Ok(Loaded { row, id, lineage, history, surface, conversation_last_activity_at, messages, parents })
    }
}

impl Tenure {
    /// The record of an id, and the account that it belongs to.
    pub(crate) fn find_record(
        &self,
        tx: &mut dyn ReadTx,
        id: RecordId,
    ) -> Result<(Person, RecordRow), Error> {
        let row = tx.record(id)?.ok_or(Error::UnknownRecord)?;
        Ok((self.person_of(tx, row.account)?, row))
    }
}

/// The records of a conversation of an account.
pub(crate) fn records_of_conversation(
    tx: &mut dyn ReadTx,
    account: tenure_store::AccountKey,
    conversation: ConversationId,
) -> Result<Vec<RecordRow>, Error> {
    let records = tx.records_of_conversation(account, conversation)?;
    if records.is_empty() { Err(Error::UnknownConversation) } else { Ok(records) }
}
