//! Accounts and their keys.

use super::PgTx;
use super::columns::Columns;
use super::query::{limit, params};
use crate::{
    AccountFacts, AccountKey, AccountKeys, AccountRead, AccountRow, AccountWrite, Chain, FormerFacts,
    NewAccount, PageId, PageWrite, Seq, StoreError, Stored, Wrap,
};
use tenure_model::Instant;

/// Every column, with the place of the newest statement, if it has one.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.key, a.id, a.organisation, a.country, a.minor, a.opened_at, a.closed_at, a.former,
                a.account_page, a.account_wrap, a.proof_page, a.proof_wrap,
                a.chain_version, a.chain_head, s.seq, a.chain_at
            FROM accounts a
            LEFT JOIN statements s ON s.account = a.key AND s.version = a.chain_version ",
            $rest
        )
    };
}

fn account(row: &mut Columns<'_>) -> Stored<AccountRow> {
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
            head: row.bytes("chain_head")?,
            newest: row.int_if_any("chain_seq")?.map(Seq),
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

fn page(wrap: Option<&Wrap>) -> Option<[u8; 16]> {
    wrap.map(|wrap| wrap.page.0)
}

fn sealed(wrap: Option<&Wrap>) -> Option<&[u8]> {
    wrap.map(|wrap| wrap.sealed.as_slice())
}

impl AccountRead for PgTx<'_> {
    fn account(&mut self, key: AccountKey) -> Stored<Option<AccountRow>> {
        // Whoever writes decides by what they read here, so nobody else may change it until they are done: that is what
        // brings the jobs of one account one after another.
        let sql = if self.writes() {
            select!("WHERE a.key = $1 FOR NO KEY UPDATE OF a")
        } else {
            select!("WHERE a.key = $1")
        };
        self.first("read an account", sql, params![key.0], account)
    }

    fn account_by_id(&mut self, organisation: Option<&str>, id: &str) -> Stored<Option<AccountRow>> {
        if organisation == Some("") {
            return Ok(None);
        }
        let sql = "SELECT account FROM account_names WHERE id = $1 AND organisation = $2";
        let values = params![id, organisation.unwrap_or_default()];
        let found = self.first("find an account", sql, values, |row| row.int("account").map(AccountKey))?;
        found.map_or(Ok(None), |key| self.account(key))
    }

    fn accounts(&mut self, after: Option<AccountKey>, rows: usize) -> Stored<Vec<AccountRow>> {
        let after = after.map_or(i64::MIN, |key| key.0);
        let sql = select!("WHERE a.key > $1 ORDER BY a.key LIMIT $2");
        self.list("list accounts", sql, params![after, limit(rows)], account)
    }

    fn last_account(&mut self) -> Stored<Option<AccountKey>> {
        let sql = "SELECT max(key) FROM accounts";
        let last = self.only("find the newest account", sql, params![], |row| row.int_if_any("key"))?;
        Ok(last.map(AccountKey))
    }

    fn closed_accounts(
        &mut self,
        up_to: Instant,
        after: Option<(Instant, AccountKey)>,
        rows: usize,
    ) -> Stored<Vec<AccountRow>> {
        let (closed_at, key) = after.map_or((i64::MIN, i64::MIN), |(at, key)| (at.micros(), key.0));
        let sql = select!(
            "WHERE a.closed_at IS NOT NULL AND a.proof_page IS NOT NULL AND a.closed_at <= $1
                AND (a.closed_at, a.key) > ($2, $3) ORDER BY a.closed_at, a.key LIMIT $4"
        );
        let values = params![up_to.micros(), closed_at, key, limit(rows)];
        self.list("list closed accounts", sql, values, account)
    }

    fn accounts_of_page(&mut self, page: PageId) -> Stored<Vec<AccountKey>> {
        let sql = "SELECT key FROM accounts WHERE account_page = $1
            UNION SELECT key FROM accounts WHERE proof_page = $1 ORDER BY key";
        self.list("list accounts of a page", sql, params![page.0], |row| row.int("key").map(AccountKey))
    }
}

impl AccountWrite for PgTx<'_> {
    fn insert_account(&mut self, new: &NewAccount) -> Stored<AccountKey> {
        // The number before the name: those who open accounts come one after another anyway.
        let sql = "UPDATE counters SET value = value + 1 WHERE name = 'accounts' RETURNING value";
        let key = self.only("number an account", sql, params![], |row| row.int("value"))?;
        let sql = "INSERT INTO account_names (account, organisation, id) VALUES ($1, $2, $3)";
        let organisation = new.organisation.as_deref().unwrap_or_default();
        self.change("name an account", sql, params![key, organisation, new.id])?;
        let sql = "INSERT INTO accounts (key, id, organisation, country, minor, opened_at, closed_at,
                account_page, account_wrap, proof_page, proof_wrap, former)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let values = params![
            key,
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
        self.change("open an account", sql, values)?;
        Ok(AccountKey(key))
    }

    fn set_account_facts(&mut self, key: AccountKey, facts: &AccountFacts) -> Stored<()> {
        let sql = "UPDATE accounts SET country = $2, minor = $3, opened_at = $4, closed_at = $5, former = $6 WHERE key = $1";
        let values = params![
            key.0,
            facts.country,
            facts.minor,
            facts.opened_at.map(Instant::micros),
            facts.closed_at.map(Instant::micros),
            former_json(facts)?
        ];
        self.change_one("change an account", "accounts", sql, values)
    }

    fn set_account_keys(&mut self, key: AccountKey, keys: &AccountKeys) -> Stored<()> {
        let before = self.account(key)?.ok_or(StoreError::Missing { table: "accounts" })?.keys;
        let sql = "UPDATE accounts SET account_page = $2, account_wrap = $3, proof_page = $4, proof_wrap = $5
            WHERE key = $1";
        let values = params![
            key.0,
            page(keys.account.as_ref()),
            sealed(keys.account.as_ref()),
            page(keys.proof.as_ref()),
            sealed(keys.proof.as_ref())
        ];
        self.change_one("change an account's keys", "accounts", sql, values)?;
        for (old, new) in [(before.account, keys.account.as_ref()), (before.proof, keys.proof.as_ref())] {
            if let Some(old) = old.filter(|old| Some(old.page.0) != page(new)) {
                self.give_back_slots(old.page, 1)?;
            }
        }
        Ok(())
    }
}
