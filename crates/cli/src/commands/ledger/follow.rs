//! `tenure ledger follow`: watches a log from outside.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use tenure_server::source::{ReadError, Unbelievable};
use tenure_server::{Alarm, Auditor, KnownLog, KnownWitnesses, Look, LookError, RemoteLog};
use tenure_tlog::checkpoint::SignedCheckpoint;

use super::arguments::{interval, keys};
use crate::Exit;
use crate::commands::Global;
use crate::output::{complain, paint, say, say_json};
use crate::speech::{and, grouped, some};

#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// The log: its address, or a folder that it was published to
    #[arg(value_name = "URL-OR-DIR")]
    log: String,
    /// A key of the log, or a file with one a line; may be repeated
    #[arg(long = "key", value_name = "KEY-OR-FILE", required = true)]
    keys: Vec<String>,
    /// The file that keeps what was verified last
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Look once instead of again and again
    #[arg(long)]
    once: bool,
    /// How long to wait between two looks
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = interval)]
    every: Duration,
    /// A key of a witness, or a file with one a line; may be repeated
    #[arg(long = "witness", value_name = "KEY-OR-FILE")]
    witnesses: Vec<String>,
    /// How many of the witnesses must have cosigned
    #[arg(long, value_name = "N", default_value_t = 1, requires = "witnesses")]
    require: usize,
}

/// How often a single look is begun anew, as a log may grow while it is read.
const TRIES: u32 = 3;

/// How many looks in a row must show an old copy of the log before it is an alarm: caches show what was.
const LOOKS: u32 = 3;

impl Follow {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let auditor = self.auditor()?;
        let log = RemoteLog::open(&self.log).with_context(|| format!("can't follow `{}`", self.log))?;
        if self.once {
            return once(&auditor, &log, global.json);
        }
        let auditor = auditor.with_looks(LOOKS);
        loop {
            match auditor.look(&log) {
                Ok(look) => say_look(&look, global.json)?,
                Err(error) if is_no(&error) => return say_no(&error, global.json),
                // It may be the network, or the log on its way: the next look will tell.
                Err(error) => complain(&error.into()),
            }
            thread::sleep(self.every);
        }
    }

    fn auditor(&self) -> anyhow::Result<Auditor> {
        let log = KnownLog::named_by(keys(&self.keys)?)?;
        let auditor = Auditor::new(log, self.state.clone());
        if self.witnesses.is_empty() {
            return Ok(auditor);
        }
        let witnesses = keys(&self.witnesses)?;
        let mut names: Vec<_> = witnesses.iter().map(|key| key.name().as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if self.require > names.len() {
            bail!(
                "--require asks for {} witnesses and {} are named: name more with --witness",
                self.require,
                names.len()
            );
        }
        Ok(auditor.with_witnesses(KnownWitnesses::new(&witnesses)?, self.require))
    }
}

fn once(auditor: &Auditor, log: &RemoteLog, json: bool) -> anyhow::Result<Exit> {
    for _ in 1..TRIES {
        match auditor.look(log) {
            Err(LookError::Read(ReadError::Missing { .. })) => thread::sleep(Duration::from_secs(1)),
            ended => return end(ended, json),
        }
    }
    end(auditor.look(log), json)
}

fn end(ended: Result<Look, LookError>, json: bool) -> anyhow::Result<Exit> {
    match ended {
        Ok(look) => {
            say_look(&look, json)?;
            Ok(Exit::Done)
        }
        Err(error) if is_no(&error) || matches!(error, LookError::TooFewWitnesses { .. }) => {
            say_no(&error, json)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a log was read, and what it shows is wrong.
fn is_no(error: &LookError) -> bool {
    match error {
        // A log that shows nothing yet has not said anything wrong.
        LookError::Unbelievable(Unbelievable::None) => false,
        LookError::Alarm(_) | LookError::Unbelievable(_) | LookError::Cosignature(_) => true,
        _ => false,
    }
}

fn say_look(look: &Look, json: bool) -> anyhow::Result<()> {
    let size = look.checkpoint.size();
    if json {
        return say_json(&json!({
            "verified": true,
            "origin": look.checkpoint.origin().as_str(),
            "from": look.from,
            "size": size,
            "root": root(&look.checkpoint.to_string()),
            "witnesses": look.witnesses,
        }));
    }
    let statements = some(size, "statement");
    let what = match look.from {
        None => format!("first look: {statements}, each of them in the tree that is signed"),
        Some(from) if from == size => format!("unchanged: {statements}"),
        Some(from) => {
            format!(
                "grown by {} to {statements}, each new one in the tree that is signed",
                grouped(size - from)
            )
        }
    };
    let cosigned = match look.witnesses.as_slice() {
        [] => String::new(),
        names => format!("; cosigned by {}", and(names)),
    };
    say(format_args!("{}: {what}{cosigned}", look.checkpoint.origin()))
}

fn say_no(error: &LookError, json: bool) -> anyhow::Result<Exit> {
    if let LookError::Alarm(alarm) = error {
        say_alarm(alarm, json)?;
        return Ok(Exit::Refused);
    }
    let cause = std::error::Error::source(error).map(ToString::to_string);
    if json {
        say_json(&json!({"verified": false, "reason": error.to_string(), "because": cause}))?;
    } else {
        say(paint("1;31", &format!("NOT VERIFIED: {error}")))?;
        if let Some(cause) = cause {
            say(format_args!("  because {cause}"))?;
        }
    }
    Ok(Exit::Refused)
}

fn say_alarm(alarm: &Alarm, json: bool) -> anyhow::Result<()> {
    if json {
        return say_json(&json!({
            "verified": false,
            "alarm": alarm.kind.code(),
            "reason": alarm.kind.to_string(),
            "known": alarm.known.as_deref().map(SignedCheckpoint::to_string),
            "shown": alarm.shown.to_string(),
            "evidence": alarm.evidence,
        }));
    }
    say(paint("1;31", &format!("ALARM. {}.", alarm.kind)))?;
    if let Some(known) = &alarm.known {
        say(format_args!("\nVerified before:\n{}", known.checkpoint()))?;
    }
    say(format_args!("\nShown now:\n{}", alarm.shown.checkpoint()))?;
    if alarm.evidence.is_empty() {
        return say("The signed checkpoints could not be kept in files: copy them from `--json`.");
    }
    say("The signed checkpoints are the evidence. They are kept, byte for byte, in")?;
    alarm.evidence.iter().try_for_each(|path| say(format_args!("  {}", path.display())))?;
    say("Show them to the operator of the log and to others who follow it.")
}

/// The root as a checkpoint spells it.
fn root(checkpoint: &str) -> &str {
    checkpoint.lines().nth(2).unwrap_or_default()
}
