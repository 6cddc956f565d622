//! `tenure ledger serve`: the log over HTTP, for whoever wants to verify it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tenure_app::PublicLog;
use tenure_server::submit::Asked;
use tenure_server::{Cosigned, KnownLog, Limits, LogSource, Reporter, SourceError, tiles_router};
use tenure_tlog::tile::Resource;

use super::arguments::{Asking, interval};
use crate::Exit;
use crate::commands::Global;
use crate::commands::witness::report;
use crate::output::{complain, heading, say, say_json};
use crate::session;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    asking: Asking,
    /// How often to ask the witnesses, if the log has grown
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = interval)]
    every: Duration,
}

/// The log of a data folder, read without its keys, while others write.
pub(crate) struct OwnLog(PublicLog);

impl OwnLog {
    /// The log of a folder that nobody need have open, and what it is known by.
    pub(super) fn open(data: &Path) -> anyhow::Result<(Self, KnownLog)> {
        Self::of(PublicLog::of(session::observe(data)?)?)
    }

    /// A log, and what it is known by.
    pub(crate) fn of(log: PublicLog) -> anyhow::Result<(Self, KnownLog)> {
        let known = KnownLog::new(log.origin().clone(), log.keys()?)?;
        Ok((Self(log), known))
    }
}

impl LogSource for OwnLog {
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.resource(resource).map_err(SourceError::new)
    }
}

impl Serve {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let witnesses = self.asking.witnesses()?;
        let (log, known) = OwnLog::open(&global.data)?;
        let origin = known.origin().clone();
        let mut source: Arc<dyn LogSource> = Arc::new(log);
        if !witnesses.is_empty() {
            let cosigned = Arc::new(Cosigned::new(source, witnesses));
            source = cosigned.clone();
            let every = self.every;
            thread::spawn(move || ask(&cosigned, every));
        }
        let router = tiles_router(source, known, Reporter::new(report));
        let json = global.json;
        let mut said = Ok(());
        tenure_server::run(self.listen, router, Limits::default(), |address| {
            said = if json {
                say_json(&json!({"origin": origin.as_str(), "address": address}))
            } else {
                say(format_args!("{} is served at http://{address}", heading(origin.as_str())))
            };
        })
        .with_context(|| format!("can't serve on {}", self.listen))?;
        said?;
        Ok(Exit::Done)
    }
}

/// Asks the witnesses again and again; it ends with the process.
fn ask(cosigned: &Cosigned, every: Duration) {
    loop {
        match cosigned.refresh() {
            Ok(asked) => drop(complain_of(asked)),
            Err(error) => complain(&error.into()),
        }
        thread::sleep(every);
    }
}

/// What came of asking witnesses.
#[derive(Clone, Copy, Default)]
pub(super) struct Cosigning {
    /// How many cosignatures they gave.
    pub(super) given: usize,
    /// How many witnesses gave none.
    pub(super) without: usize,
}

/// Tells of the witnesses that did not cosign, and counts.
pub(super) fn complain_of(asked: Vec<Asked<'_>>) -> Cosigning {
    let mut cosigning = Cosigning::default();
    for Asked { address, answer } in asked {
        match answer {
            Ok(count) => cosigning.given += count,
            Err(error) => {
                cosigning.without += 1;
                let error = anyhow::Error::from(error);
                complain(&error.context(format!("the witness at `{address}` did not cosign")));
            }
        }
    }
    cosigning
}
