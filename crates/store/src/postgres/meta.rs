//! Small facts about the store, and how much there is of everything.

use super::PgTx;
use super::query::params;
use crate::{MetaRead, MetaWrite, Stored, Totals};

impl MetaRead for PgTx<'_> {
    fn meta(&mut self, key: &str) -> Stored<Option<String>> {
        self.first("read a setting", "SELECT value FROM meta WHERE key = $1", params![key], |row| {
            row.get("value")
        })
    }

    fn totals(&mut self) -> Stored<Totals> {
        let sql = "SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM conversations),
                (SELECT count(*) FROM records), (SELECT COALESCE(sum(messages), 0)::BIGINT FROM records),
                (SELECT count(*) FROM statements), count(*), COALESCE(sum(bytes), 0)::BIGINT
            FROM packs WHERE removed_at IS NULL";
        let totals = self.first("count everything", sql, params![], |row| {
            Ok(Totals {
                accounts: row.count("accounts")?,
                conversations: row.count("conversations")?,
                records: row.count("records")?,
                messages: row.count("messages")?,
                statements: row.count("statements")?,
                packs: row.count("packs")?,
                pack_bytes: row.count("bytes")?,
            })
        })?;
        Ok(totals.unwrap_or_default())
    }
}

impl MetaWrite for PgTx<'_> {
    fn set_meta(&mut self, key: &str, value: &str) -> Stored<()> {
        let sql = "INSERT INTO meta (key, value) VALUES ($1, $2)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.change("change a setting", sql, params![key, value]).map(drop)
    }
}
