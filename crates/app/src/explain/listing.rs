//! Listings: the accounts, and the records of an account or of a conversation.

use tenure_store::{AccountRow, ConversationId, RecordId, RecordRow, StoreExt as _};

use crate::ledger::HOUSE;
use crate::{Error, Tenure};

impl Tenure {
    /// The accounts, in the order in which they were opened, up to a number of them.
    pub fn accounts(&self, limit: usize) -> Result<Vec<AccountRow>, Error> {
        // The house's own account comes first and is nobody's.
        let rows = self.store.read(|tx| Ok::<_, Error>(tx.accounts(None, limit.saturating_add(1))?))?;
        Ok(rows.into_iter().filter(|row| row.id != HOUSE).take(limit).collect())
    }

    /// The records of an account, by id, up to a number of them.
    pub fn records(&self, account: &str, limit: usize) -> Result<Vec<RecordRow>, Error> {
        self.store.read(|tx| {
            let row = tx.account_by_id(None, account)?.ok_or(Error::UnknownAccount)?;
            Ok(tx.records_of(row.key, None, limit)?)
        })
    }

    /// The records of the conversation that a record is a part of, in their order.
    pub fn records_beside(&self, record: RecordId) -> Result<Vec<RecordRow>, Error> {
        self.store.read(|tx| {
            let row = tx.record(record)?.ok_or(Error::UnknownRecord)?;
            Ok(tx.records_of_conversation(row.account, row.conversation)?)
        })
    }

    /// The records of a conversation, whichever account's it is. It asks account by account.
    pub fn records_in(&self, conversation: ConversationId) -> Result<Vec<RecordRow>, Error> {
        self.store.read(|tx| {
            let mut after = None;
            loop {
                let slice = tx.accounts(after, 1_000)?;
                let Some(last) = slice.last() else { return Err(Error::UnknownConversation) };
                after = Some(last.key);
                for account in &slice {
                    let records = tx.records_of_conversation(account.key, conversation)?;
                    if !records.is_empty() {
                        return Ok(records);
                    }
                }
            }
        })
    }
}
