//! A connection: its settings, its prepared statements, and whether its transaction can still be committed.

use super::failure::{failed, lost};
use crate::{StoreError, Stored};
use postgres::config::SslMode;
use postgres::{Client, Config, NoTls, Statement};
use std::collections::HashMap;
use std::time::Duration;

const WAIT_FOR_SERVER: Duration = Duration::from_secs(10);

/// What every connection has. Questions are asked so that an index answers them in order: the planner is held to that
/// whatever its statistics say, and plans each once. A transaction whose process stopped must not keep others waiting
/// for its locks, so the server ends it.
const SETTINGS: &str = "
    SET default_transaction_isolation = 'read committed';
    SET idle_in_transaction_session_timeout = '30s';
    SET plan_cache_mode = 'force_generic_plan';
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET enable_sort = off;
    SET jit = off;
    SET client_min_messages = 'warning';
    SET bytea_output = 'hex';
";

/// Where the database is, and how to get there.
#[derive(Clone)]
pub(super) struct Server {
    config: Config,
}

impl std::fmt::Debug for Server {
    /// Without the address, the user and the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl Server {
    /// Reads an address, as a URL (`postgresql://…`) or as `key=value` words.
    pub(super) fn parse(address: &str) -> Stored<Self> {
        const WHAT: &str = "read the address of the database";
        let refused = |reason: &str| StoreError::Engine { operation: WHAT, reason: reason.to_owned() };
        let mut config: Config = address
            .parse()
            .map_err(|_| refused("write it as `postgresql://user:password@host:5432/database`"))?;
        if config.get_ssl_mode() == SslMode::Require {
            let reason = "`sslmode=require` is not built in: reach the server by a Unix socket, a private network or \
                          a tunnel, and say `sslmode=disable`";
            return Err(refused(reason));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(WAIT_FOR_SERVER);
        }
        if config.get_application_name().is_none() {
            config.application_name("tenure");
        }
        Ok(Self { config })
    }

    /// Opens a connection.
    pub(super) fn connect(&self) -> Stored<Link> {
        const WHAT: &str = "connect to the database";
        let mut client = self.config.connect(NoTls).map_err(failed(WHAT))?;
        client.batch_execute(SETTINGS).map_err(failed(WHAT))?;
        durable(&mut client)?;
        Ok(Link { client, prepared: HashMap::new(), broken: None })
    }
}

/// Whatever the server does by default, what is acknowledged here is on its disk.
fn durable(client: &mut Client) -> Stored<()> {
    const WHAT: &str = "look whether the server writes durably";
    let row = client
        .query_one("SELECT current_setting('fsync'), current_setting('synchronous_commit')", &[])
        .map_err(failed(WHAT))?;
    let off = |at: usize| row.try_get::<_, &str>(at).is_ok_and(|setting| setting == "off");
    if off(0) {
        let reason = "it runs with `fsync = off` and loses data with the power: turn that on".to_owned();
        return Err(StoreError::Engine { operation: WHAT, reason });
    }
    if off(1) {
        client.batch_execute("SET synchronous_commit = on").map_err(failed(WHAT))?;
    }
    Ok(())
}

/// One connection.
pub(super) struct Link {
    pub(super) client: Client,
    prepared: HashMap<&'static str, Statement>,
    /// Why the present transaction can't be committed: PostgreSQL does nothing more in it after a failure.
    broken: Option<StoreError>,
}

impl Link {
    /// Runs statements that take nothing and give nothing, such as those that begin and end transactions.
    pub(super) fn control(&mut self, operation: &'static str, sql: &str) -> Stored<()> {
        self.client.batch_execute(sql).map_err(failed(operation))
    }

    /// A statement, prepared once for each connection.
    pub(super) fn prepare(&mut self, operation: &'static str, sql: &'static str) -> Stored<Statement> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).map_err(failed(operation))?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    /// Remembers the first failure within a transaction.
    pub(super) fn break_off(&mut self, error: &StoreError) {
        if self.broken.is_none() {
            self.broken = Some(error.clone());
        }
    }

    /// Why the transaction can't be committed, if it can't; forgets it.
    pub(super) fn take_broken(&mut self) -> Option<StoreError> {
        self.broken.take()
    }

    /// Whether the server is gone as far as this connection knows.
    pub(super) fn is_lost(&self) -> bool {
        self.client.is_closed() || self.broken.as_ref().is_some_and(lost)
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}
