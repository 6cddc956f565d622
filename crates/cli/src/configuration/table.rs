//! The table: every setting that there is.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tenure_model::{Instant, MonthLength, Span};

use super::InForce;
use super::forms::{Form, Level, LogForm, Told};
use super::sources::Sources;

/// A setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// Its name, as it is in the file; a point stands for a table.
    pub(crate) name: &'static str,
    /// What it is if nobody says.
    pub(crate) default: &'static str,
    /// What to write.
    pub(crate) write: &'static str,
    /// What it is for.
    pub(crate) help: &'static str,
}

macro_rules! settings {
    ($($field:ident: $form:ty = $name:literal, $default:literal, $help:literal;)*) => {
        /// The settings in force.
        #[derive(Debug, Clone)]
        pub(crate) struct Configuration {
            $(pub(crate) $field: $form,)*
        }

        /// Every setting.
        pub(crate) const KEYS: &[Key] = &[
            $(Key { name: $name, default: $default, write: <$form as Form>::WRITE, help: $help },)*
        ];

        impl Configuration {
            /// Reads each setting, and says what is in force. Nothing if something is wrong; the sources say what.
            pub(super) fn of(sources: &mut Sources) -> (Option<Self>, Vec<InForce>) {
                let mut in_force = Vec::with_capacity(KEYS.len());
                $(let $field: Option<$form> = read(sources, $name, $default, &mut in_force);)*
                (Self::whole($($field),*), in_force)
            }

            #[expect(clippy::too_many_arguments, reason = "there is one for each row of the table")]
            fn whole($($field: Option<$form>),*) -> Option<Self> {
                Some(Self { $($field: $field?),* })
            }
        }
    };
}

settings! {
    data: PathBuf = "data", "./tenure-data",
        "The data folder; its keys lie in a folder beside it";
    listen: SocketAddr = "listen", "127.0.0.1:8080",
        "Where the API and the ledger are served. Put a proxy that speaks TLS before it";
    threads: u32 = "threads", "2",
        "Threads that serve connections. What blocks, such as the store, has threads of its own";
    operate_listen: Option<SocketAddr> = "operate.listen", "127.0.0.1:8081",
        "Where `/livez`, `/readyz` and `/metrics` are served. Nobody is asked who they are, so only the operator should reach it";
    audience: Option<String> = "api.audience", "off",
        "The address at which people reach the service, for which subject tokens are minted. Off is the address that it listens on";
    runs: Option<PathBuf> = "api.runs", "",
        "The folder below which training runs that are opened over the API are written, or none, and then none is";
    jobs: u32 = "api.jobs", "64",
        "Requests that are worked on at once. More that decide at once share one commit";
    queue: u32 = "api.queue", "1024",
        "Requests that wait for that. Beyond them a request is answered with 503 and `busy`";
    log_form: LogForm = "log.form", "json",
        "How the log is written to standard error";
    log_level: Level = "log.level", "info",
        "What of the log is written. A request is `info`";
    log_requests: Told = "log.requests", "all",
        "Which requests have a line: every one, or those that were answered with an error or not to the end";
    connections: u32 = "limits.connections", "10240",
        "Connections that are open at once. When all are taken, whoever has been idle the longest gives way. The limit of open files must be higher";
    keep_alive: Duration = "limits.keep-alive", "75s",
        "How long a connection may stay open without a request";
    head: Duration = "limits.head", "10s",
        "How long a client may take to send the head of a request";
    idle: Duration = "limits.idle", "15s",
        "How long a request may go without a byte being read, until all of it has arrived, or taken of its answer. Longer than `limits.request`";
    request: Duration = "limits.request", "10s",
        "How long a request may take, from its head to the head of the answer";
    connection: Duration = "limits.connection", "1h",
        "How long a connection, and so a streamed answer, may last at all";
    farewell: Duration = "limits.farewell", "10s",
        "How long requests and jobs that are under way may take when the process is told to stop";
    health_every: Duration = "health.every", "5s",
        "How often the store, the log and the key store are looked at for `/readyz`. At most `10s`";
    health_failures: u32 = "health.failures", "3",
        "After how many failures in a row a job makes `/readyz` say no";
    figures_every: Duration = "figures.every", "30s",
        "How often what is due and overdue is counted for `/metrics`. It costs what is due";
    publish_every: Duration = "publish.every", "5s",
        "How often the log is published if it has grown, and witnesses are asked";
    publish_witnesses: Vec<String> = "publish.witnesses", "",
        "Addresses of witnesses that are asked to cosign. With some, the published checkpoint is the last that they cosigned";
    publish_witness_keys: Vec<String> = "publish.witness-keys", "",
        "The keys of the witnesses, or files with one a line";
    sweep_every: Option<Duration> = "sweep.every", "1h",
        "How often what is due is destroyed";
    sweep_lead: Span = "sweep.lead", "2 hours",
        "What is due within this time is destroyed too, so that it is gone before its term ends. No shorter than `sweep.every`, and seven days at most";
    sweep_share: u32 = "sweep.share", "20",
        "A sweep that would destroy more than so many per cent of all copies destroys nothing; a hundred copies may always go";
    sweep_rate: Option<u32> = "sweep.rate", "unlimited",
        "How many copies a second a sweep destroys at most";
    trace_endpoint: Option<String> = "trace.endpoint", "off",
        "Where spans of requests are sent by OTLP over HTTP. Only a program that was built with the feature `otel` sends any";
    trace_share: u32 = "trace.share", "100",
        "How many per cent of all requests are traced";
    transit_token_file: Option<PathBuf> = "transit.token-file", "",
        "A file with the token for the Transit server, instead of the variable `VAULT_TOKEN`";
    s3_access_key_id_file: Option<PathBuf> = "s3.access-key-id-file", "",
        "A file with the id of the S3 access key, instead of the variable `AWS_ACCESS_KEY_ID`";
    s3_secret_access_key_file: Option<PathBuf> = "s3.secret-access-key-file", "",
        "A file with the secret S3 access key, instead of the variable `AWS_SECRET_ACCESS_KEY`";
    s3_session_token_file: Option<PathBuf> = "s3.session-token-file", "",
        "A file with the S3 session token, instead of the variable `AWS_SESSION_TOKEN`";
}

fn read<F: Form>(
    sources: &mut Sources,
    name: &'static str,
    default: &'static str,
    in_force: &mut Vec<InForce>,
) -> Option<F> {
    let said = sources.strongest(name, default);
    let read = F::parse(&said.text);
    match &read {
        Some(value) => in_force.push(InForce { name, value: value.show(), origin: said.origin }),
        None => sources.complain(name, &format!("write {}", F::WRITE)),
    }
    read
}

/// No check of health may be older than `/readyz` bears.
const HEALTH_EVERY_MAX: Duration = Duration::from_secs(10);
/// No sweep works ahead by more: a mistaken lead would destroy what has years to go.
const LEAD_MAX_MICROS: i64 = 7 * 24 * 3_600 * 1_000_000;

impl Configuration {
    /// Complains of settings that do not go together.
    pub(super) fn check(&self, sources: &mut Sources) {
        if self.idle <= self.request {
            sources.complain(
                "limits.idle",
                "let it be longer than `limits.request`, so that who waits is answered",
            );
        }
        if self.health_every > HEALTH_EVERY_MAX {
            sources.complain("health.every", "look at least every `10s`");
        }
        if self.sweep_share > 100 {
            sources.complain("sweep.share", "write per cent, from 1 to 100");
        }
        if self.connections < 8 {
            sources.complain("limits.connections", "allow 8 at least");
        }
        if self.operate_listen == Some(self.listen) && self.listen.port() != 0 {
            sources.complain("operate.listen", "name another address than that of `listen`");
        }
        if self.publish_witnesses.is_empty() != self.publish_witness_keys.is_empty() {
            let name =
                if self.publish_witnesses.is_empty() { "publish.witnesses" } else { "publish.witness-keys" };
            sources.complain(name, "name witnesses and their keys, or neither");
        }
        if self.trace_share > 100 {
            sources.complain("trace.share", "write per cent, from 1 to 100");
        }
        if self.trace_endpoint.is_some() && !cfg!(feature = "otel") {
            let complaint =
                "this program was built without the feature `otel`: leave it off, or build it with that";
            sources.complain("trace.endpoint", complaint);
        }
        self.check_lead(sources);
    }

    fn check_lead(&self, sources: &mut Sources) {
        // From an instant at which no month is short.
        let from = Instant::saturating_from_micros(0);
        let lead = from.plus(self.sweep_lead, MonthLength::Calendar).micros();
        if lead > LEAD_MAX_MICROS {
            sources.complain("sweep.lead", "a sweep works ahead by seven days at most");
        }
        let every = self.sweep_every.map_or(0, |every| i64::try_from(every.as_micros()).unwrap_or(i64::MAX));
        if lead < every {
            let complaint =
                "let it be no shorter than `sweep.every`: what falls due between two sweeps would be late";
            sources.complain("sweep.lead", complaint);
        }
    }
}
