//! `tenure witness`: cosigns the checkpoints of logs that only grow.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tenure_server::{Clock, KnownLog, Limits, RemoteLog, Reporter, witness_router};
use tenure_tlog::cosignature::Timestamp;
use tenure_tlog::note::{KeyName, VerifierKey};

use super::Global;
use super::ledger::arguments::{interval, keys};
use crate::Exit;
use crate::output::{complain, heading, say, say_json};
use crate::session::clock;
use crate::speech::some;

#[derive(Debug, Args)]
pub(crate) struct Witness {
    /// The name of the witness: an address without `https://` is recommended
    #[arg(long, value_name = "NAME")]
    name: KeyName,
    /// The folder with its keys and what it has cosigned; made at the first start
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// A key of a log to watch, or a file with one a line; may be repeated
    #[arg(long = "log", value_name = "KEY-OR-FILE", required = true)]
    logs: Vec<String>,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// The address of a log that does not submit its checkpoints, to fetch them from; may be repeated
    #[arg(long, value_name = "URL-OR-DIR")]
    follow: Vec<String>,
    /// How long to wait between two looks at a log that is followed
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = interval)]
    every: Duration,
}

impl Witness {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let logs = by_log(keys(&self.logs)?)?;
        let followed = self
            .follow
            .iter()
            .map(|place| RemoteLog::open(place).with_context(|| format!("can't follow `{place}`")));
        let followed: Vec<RemoteLog> = followed.collect::<anyhow::Result<_>>()?;
        let mut entropy = |seed: &mut [u8; 32]| {
            aws_lc_rs::rand::fill(seed).map_err(|_| io::Error::other("the system gave no random bytes"))
        };
        let witness = tenure_server::Witness::open(&self.state, self.name, logs, &mut entropy)?;
        let witness = Arc::new(witness);
        for log in followed {
            let (witness, every, json) = (witness.clone(), self.every, global.json);
            // It ends with the process: what it has cosigned is kept before it says so.
            thread::spawn(move || follow(&witness, &log, every, json));
        }
        let router = witness_router(witness.clone(), Clock::new(now), Reporter::new(report));
        let mut said = Ok(());
        tenure_server::run(self.listen, router, Limits::default(), |address| {
            said = introduce(&witness, address, global.json);
        })
        .with_context(|| format!("can't serve on {}", self.listen))?;
        said?;
        Ok(Exit::Done)
    }
}

/// Keys of several logs, each log's together: all keys of a log have its origin as their name.
fn by_log(keys: Vec<VerifierKey>) -> anyhow::Result<Vec<KnownLog>> {
    let mut logs: BTreeMap<KeyName, Vec<VerifierKey>> = BTreeMap::new();
    for key in keys {
        logs.entry(key.name().clone()).or_default().push(key);
    }
    Ok(logs.into_values().map(KnownLog::named_by).collect::<Result<_, _>>()?)
}

fn introduce(witness: &tenure_server::Witness, address: SocketAddr, json: bool) -> anyhow::Result<()> {
    let logs: Vec<&str> = witness.logs().map(|log| log.origin().as_str()).collect();
    if json {
        let keys: Vec<String> = witness.keys().iter().map(ToString::to_string).collect();
        let name = witness.name().as_str();
        return say_json(&json!({"witness": name, "address": address, "keys": keys, "logs": logs}));
    }
    let name = heading(witness.name().as_str());
    say(format_args!("{name} watches {} at http://{address}", some(logs.len() as u64, "log")))?;
    logs.iter().try_for_each(|log| say(format_args!("  {log}")))?;
    say("\nWho verifies needs these keys, each on one line:")?;
    witness.keys().iter().try_for_each(say)
}

fn follow(witness: &tenure_server::Witness, log: &RemoteLog, every: Duration, json: bool) {
    loop {
        match witness.fetch(log, now()) {
            Ok(None) => {}
            Ok(Some(cosigned)) => {
                let (origin, size) = (cosigned.checkpoint().origin(), cosigned.checkpoint().size());
                let said = if json {
                    say_json(&json!({"cosigned": origin.as_str(), "size": size}))
                } else {
                    say(format_args!("cosigned {origin} at {}", some(size, "statement")))
                };
                // Where nobody reads any more, it goes on cosigning.
                drop(said);
            }
            Err(error) => complain(&error.into()),
        }
        thread::sleep(every);
    }
}

fn now() -> Timestamp {
    let seconds = clock().ok().and_then(|now| u64::try_from(now.micros() / 1_000_000).ok());
    seconds.and_then(Timestamp::from_seconds).unwrap_or(Timestamp::NONE)
}

/// What clients are not told, the operator is.
pub(crate) fn report(error: &dyn std::error::Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    complain(&anyhow::Error::msg(text));
}
