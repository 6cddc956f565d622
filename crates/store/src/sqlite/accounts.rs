//! Accounts and their keys.

use super::SqliteTx;
use super::columns::Columns;
use super::query::{change, change_one, first, limit, list};
use crate::{
    AccountFacts, AccountKey, AccountKeys, AccountRead, AccountRow, AccountWrite, Chain, FormerFacts,
    NewAccount, PageId, PageWrite, Seq, StoreError, Stored, Wrap,
};
use rusqlite::params;
use tenure_model::Instant;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT key, id, organisation, country, minor, opened_at, closed_at, former,
                account_page, account_wrap, proof_page, proof_wrap, chain_version, chain_head, chain_seq, chain_at
            FROM accounts ",
            $rest
        )
    };
}

fn account(row: &mut Columns<'_, '_>) -> Stored<AccountRow> {
    Ok(AccountRow {
        key: AccountKey(row.int("key")?),
        id: row.get("id")?,
        organisation: row.get("organisation")?,
        facts: AccountFacts {
            country: row.get("country")?,
            minor: row.get("minor")?,
            opened_at: row.instant_if_any("opened_at")?,
            closed_at: row.instant_if_any("closed_at")?,
            former: former(row.get("former")?)?,
        },
        keys: AccountKeys { account: row.wrap("account_wrap")?, proof: row.wrap("proof_wrap")? },
        chain: Chain {
            version: row.count("chain_version")?,
            head: row.bytes32("chain_head")?,
            newest: row.get::<Option<i64>>("chain_seq")?.map(Seq),
            at: row.instant_if_any("chain_at")?,
        },
    })
}

fn former(json: Option<String>) -> Stored<Vec<FormerFacts>> {
    let Some(json) = json else { return Ok(Vec::new()) };
    serde_json::from_str(&json).map_err(|_| StoreError::Unreadable { column: "former" })
}

fn former_json(facts: &AccountFacts) -> Stored<Option<String>> {
    let json = (!facts.former.is_empty()).then(|| serde_json::to_string(&facts.former));
    json.transpose().map_err(|_| StoreError::Unreadable { column: "former" })
}

fn page(wrap: Option<&Wrap>) -> Option<PageId> {
    wrap.map(|wrap| wrap.page)
}

fn sealed(wrap: Option<&Wrap>) -> Option<&[u8]> {
    wrap.map(|wrap| wrap.sealed.as_slice())
}

impl AccountRead for SqliteTx<'_> {
    fn account(&mut self, key: AccountKey) -> Stored<Option<AccountRow>> {
        first(self.0, "read an account", select!("WHERE key = ?1"), [key], account)
    }

    fn account_by_id(&mut self, organisation: Option<&str>, id: &str) -> Stored<Option<AccountRow>> {
        let sql =
            select!("WHERE COALESCE(organisation, '') = COALESCE(?1, '') AND id = ?2 AND organisation IS ?1");
        first(self.0, "find an account", sql, params![organisation, id], account)
    }

    fn accounts(&mut self, after: Option<AccountKey>, rows: usize) -> Stored<Vec<AccountRow>> {
        let after = after.unwrap_or(AccountKey(i64::MIN));
        let sql = select!("WHERE key > ?1 ORDER BY key LIMIT ?2");
        list(self.0, "list accounts", sql, params![after, limit(rows)], account)
    }

    fn last_account(&mut self) -> Stored<Option<AccountKey>> {
        let last = first(self.0, "find the newest account", "SELECT max(key) FROM accounts", [], |row| {
            row.get::<Option<i64>>("key")
        })?;
        Ok(last.flatten().map(AccountKey))
    }

    fn closed_accounts(
        &mut self,
        up_to: Instant,
        after: Option<(Instant, AccountKey)>,
        rows: usize,
    ) -> Stored<Vec<AccountRow>> {
        let (closed_at, key) = after.map_or((i64::MIN, i64::MIN), |(at, key)| (at.micros(), key.0));
        let sql = select!(
            "WHERE closed_at IS NOT NULL AND proof_page IS NOT NULL AND closed_at <= ?1
                AND (closed_at, key) > (?2, ?3) ORDER BY closed_at, key LIMIT ?4"
        );
        let values = params![up_to.micros(), closed_at, key, limit(rows)];
        list(self.0, "list closed accounts", sql, values, account)
    }

    fn accounts_of_page(&mut self, page: PageId) -> Stored<Vec<AccountKey>> {
        let sql = "SELECT key FROM accounts WHERE account_page = ?1
            UNION SELECT key FROM accounts WHERE proof_page = ?1 ORDER BY key";
        list(self.0, "list accounts of a page", sql, [page], |row| row.int("key").map(AccountKey))
    }
}

impl AccountWrite for SqliteTx<'_> {
    fn insert_account(&mut self, new: &NewAccount) -> Stored<AccountKey> {
        let sql = "INSERT INTO accounts (id, organisation, country, minor, opened_at, closed_at,
                account_page, account_wrap, proof_page, proof_wrap, former)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let values = params![
            new.id,
            new.organisation,
            new.facts.country,
            new.facts.minor,
            new.facts.opened_at.map(Instant::micros),
            new.facts.closed_at.map(Instant::micros),
            page(new.keys.account.as_ref()),
            sealed(new.keys.account.as_ref()),
            page(new.keys.proof.as_ref()),
            sealed(new.keys.proof.as_ref()),
            former_json(&new.facts)?,
        ];
        change(self.0, "open an account", sql, values)?;
        Ok(AccountKey(self.0.last_insert_rowid()))
    }

    fn set_account_facts(&mut self, key: AccountKey, facts: &AccountFacts) -> Stored<()> {
        let sql = "UPDATE accounts SET country = ?2, minor = ?3, opened_at = ?4, closed_at = ?5, former = ?6 WHERE key = ?1";
        let values = params![
            key,
            facts.country,
            facts.minor,
            facts.opened_at.map(Instant::micros),
            facts.closed_at.map(Instant::micros),
            former_json(facts)?,
        ];
        change_one(self.0, "change an account", "accounts", sql, values)
    }

    fn set_account_keys(&mut self, key: AccountKey, keys: &AccountKeys) -> Stored<()> {
        let before = self.account(key)?.ok_or(StoreError::Missing { table: "accounts" })?.keys;
        let sql = "UPDATE accounts SET account_page = ?2, account_wrap = ?3, proof_page = ?4, proof_wrap = ?5
            WHERE key = ?1";
        let values = params![
            key,
            page(keys.account.as_ref()),
            sealed(keys.account.as_ref()),
            page(keys.proof.as_ref()),
            sealed(keys.proof.as_ref()),
        ];
        change_one(self.0, "change an account's keys", "accounts", sql, values)?;
        for (old, new) in [(before.account, keys.account.as_ref()), (before.proof, keys.proof.as_ref())] {
            if let Some(old) = old.filter(|old| Some(old.page) != page(new)) {
                self.give_back_slots(old.page, 1)?;
            }
        }
        Ok(())
    }
}
