//! `tenure serve`: the API and the ledger over HTTP, and the jobs that keep what is promised.

mod process;
mod show;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tenure_app::Entropy as _;
use tenure_server::api::{Api, ApiLimits, api_router};
use tenure_server::operate::access::{Told, named};
#[cfg(feature = "otel")]
use tenure_server::operate::lines::More;
use tenure_server::operate::lines::{Form, start_log};
#[cfg(feature = "otel")]
use tenure_server::operate::traces::TraceEnd;
use tenure_server::operate::{Health, Host, Jobs, Metrics, Phase, Watch, operate_router};
use tenure_server::{Cosigned, Limits, LogSource, Reporter, in_time, tiles_router};
use tracing::Level;

use super::Global;
use super::ledger::OwnLog;
use super::ledger::arguments::witnesses;
use super::run::lies_outside;
use crate::Exit;
use crate::configuration::{self, Configuration, Environment, Flags, LogForm, Secrets};
use crate::output::{complain, heading, say, say_json};
use crate::session::{self, Intent, Session, SystemEntropy, clock};

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// A file with settings; docs/configuration.md has all of them
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only read the settings, and say what is in force and who said so
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let began = Instant::now();
        let environment = Environment::of(std::env::vars_os());
        let read = Configuration::read(self.config.as_deref(), &self.flags, &environment);
        let read = read.and_then(|(configuration, in_force)| {
            let secrets = configuration.secrets(&in_force)?;
            Ok((configuration, in_force, secrets))
        });
        match read {
            Err(complaints) => show::complaints(&complaints, global.json),
            Ok((_, in_force, _)) if self.check => show::in_force(&in_force, global.json),
            Ok((configuration, _, secrets)) => {
                let served = serve(&configuration, &secrets, global.json, began);
                Ok(served.unwrap_or_else(|error| {
                    complain(&error);
                    Exit::Refused
                }))
            }
        }
    }
}

/// Serves until told to stop. What goes wrong from here on is an event of the log, and may pass: whoever keeps the
/// service running tells it by the exit code from settings that are wrong.
fn serve(
    configuration: &Configuration,
    secrets: &Secrets,
    json: bool,
    began: Instant,
) -> anyhow::Result<Exit> {
    #[cfg(feature = "otel")]
    let (more, _traces) = traces(configuration)?;
    #[cfg(not(feature = "otel"))]
    let more = None;
    let _log = start_log(form(configuration), level(configuration), more)?;
    let served = Service::start(configuration).and_then(|service| service.run(secrets, json, began));
    match served {
        Ok(()) => Ok(Exit::Done),
        Err(error) => {
            tracing::error!(code = "not_served", "{}", work::told(error.as_ref()));
            Ok(Exit::Refused)
        }
    }
}

/// Sends spans, if somebody wants them.
#[cfg(feature = "otel")]
fn traces(configuration: &Configuration) -> anyhow::Result<(Option<More>, Option<TraceEnd>)> {
    let Some(endpoint) = &configuration.trace_endpoint else { return Ok((None, None)) };
    let (layer, end) = tenure_server::operate::traces::traces(
        endpoint,
        configuration.trace_share,
        env!("CARGO_PKG_VERSION"),
    )?;
    Ok((Some(layer), Some(end)))
}

/// A process that serves, from before its folder is opened.
struct Service<'c> {
    configuration: &'c Configuration,
    metrics: Metrics,
    health: Health,
    host: Host,
    watch: Watch,
    limits: Limits,
}

impl<'c> Service<'c> {
    /// Listens for whoever operates it. Whether it is ready can be asked from here on.
    fn start(configuration: &'c Configuration) -> anyhow::Result<Self> {
        let limits = limits(configuration);
        process::raise_open_files(limits.connections);
        let mut name = [0; 4];
        SystemEntropy.fill(&mut name)?;
        let watch = Watch::new(told(configuration), u32::from_be_bytes(name));
        let metrics = Metrics::start(env!("CARGO_PKG_VERSION"))?;
        let health = Health::new(configuration.health_failures);
        let host = Host::start(usize::try_from(configuration.threads)?)?;
        if let Some(address) = configuration.operate_listen {
            let limits = Limits { connections: 64, ..limits };
            let router = in_time(operate_router(health.clone(), metrics.clone()), limits);
            // Whoever scrapes every few seconds is no news, unless it fails.
            let watch = watch.clone().telling(Told::Failed);
            let address = host.open(address, router, limits, watch);
            let address =
                address.with_context(|| format!("can't listen on {:?}", configuration.operate_listen))?;
            tracing::info!(code = "operated", %address, "health and figures are served");
        }
        Ok(Self { configuration, metrics, health, host, watch, limits })
    }

    fn run(self, secrets: &Secrets, json: bool, began: Instant) -> anyhow::Result<()> {
        let configuration = self.configuration;
        let session = session::open_with(&configuration.data, None, Intent::Change, secrets)?;
        let work = work::Work::new(&session, configuration, &self.health, &self.metrics);
        // Looked at once before anybody is told that it is ready.
        work.look().map_err(|failure| anyhow::anyhow!("{}", failure.message))?;
        let served = self.open(&session)?;
        self.health.set(Phase::Serving);
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(code = "serving", address = %served.address, ms, "requests are taken");
        if json {
            say_json(&json!({"origin": served.origin, "address": served.address}))?;
        } else {
            say(format_args!("{} is served at http://{}", heading(&served.origin), served.address))?;
        }
        let mut jobs = Jobs::new();
        work.start(&mut jobs, served.cosigned)?;
        self.host.wait();
        self.end(session, jobs);
        Ok(())
    }

    /// Serves what there is. A router of more pages falls back to that of the log.
    fn open(&self, session: &Session) -> anyhow::Result<Served> {
        let configuration = self.configuration;
        let (log, known) = OwnLog::of(session.tenure.public_log()?)?;
        let origin = known.origin().to_string();
        let mut source: Arc<dyn LogSource> = Arc::new(log);
        let asked = witnesses(&configuration.publish_witnesses, &configuration.publish_witness_keys)?;
        let mut cosigned = None;
        if !asked.is_empty() {
            let shown = Arc::new(Cosigned::new(source, asked));
            source = shown.clone();
            cosigned = Some(shown);
        }
        let reporter = Reporter::new(|error| {
            tracing::error!(code = "log_unreadable", "{}", work::told(error));
        });
        let log = named(in_time(tiles_router(source, known, reporter.clone()), self.limits));
        let router = api_router(self.api(session, reporter)?, Some(log));
        let address = self.host.open(configuration.listen, router, self.limits, self.watch.clone());
        let address = address.with_context(|| format!("can't listen on {}", configuration.listen))?;
        Ok(Served { address: address.to_string(), origin, cosigned })
    }

    fn api(&self, session: &Session, reporter: Reporter) -> anyhow::Result<Api> {
        let configuration = self.configuration;
        let audience = configuration.audience.clone();
        let audience = audience.unwrap_or_else(|| format!("http://{}", configuration.listen));
        let limits = ApiLimits {
            jobs: usize::try_from(configuration.jobs)?,
            queue: usize::try_from(configuration.queue)?,
            request: configuration.request,
            ..ApiLimits::default()
        };
        let began = session.now;
        let clock = move || clock().unwrap_or(began);
        let api = Api::new(session.tenure.clone(), clock, &audience, reporter).with_limits(limits);
        Ok(match &configuration.runs {
            Some(runs) => {
                lies_outside(runs, &configuration.data)?;
                api.with_runs(runs)
            }
            None => api,
        })
    }

    /// Lets what is under way end: requests first, since people wait for them, then jobs, between two steps.
    fn end(self, session: Session, jobs: Jobs) {
        let began = Instant::now();
        let farewell = self.configuration.farewell;
        self.health.set(Phase::Stopping);
        tracing::info!(code = "stopping", "told to stop: what is under way is finished");
        session.tenure.stop_sweeping();
        self.host.close(farewell);
        jobs.end(farewell.saturating_sub(began.elapsed()));
        // Publishes what was added to the log.
        drop(session);
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(code = "stopped", ms, "everything that was answered is durable");
    }
}

/// What is served, and where.
struct Served {
    address: String,
    origin: String,
    cosigned: Option<Arc<Cosigned>>,
}

fn limits(configuration: &Configuration) -> Limits {
    Limits {
        connections: usize::try_from(configuration.connections).unwrap_or(usize::MAX),
        keep_alive: configuration.keep_alive,
        head: configuration.head,
        idle: configuration.idle,
        request: configuration.request,
        connection: configuration.connection,
        farewell: configuration.farewell,
    }
}

const fn form(configuration: &Configuration) -> Form {
    match configuration.log_form {
        LogForm::Json => Form::Json,
        LogForm::Text => Form::Text,
    }
}

const fn level(configuration: &Configuration) -> Level {
    match configuration.log_level {
        configuration::Level::Error => Level::ERROR,
        configuration::Level::Warn => Level::WARN,
        configuration::Level::Info => Level::INFO,
        configuration::Level::Debug => Level::DEBUG,
    }
}

const fn told(configuration: &Configuration) -> Told {
    match configuration.log_requests {
        configuration::Told::All => Told::All,
        configuration::Told::Failed => Told::Failed,
    }
}
