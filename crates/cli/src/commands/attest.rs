//! `tenure attest`: the log as it is now, signed.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::Intent;

#[derive(Debug, Args)]
pub(crate) struct Attest {
    /// Write the signed checkpoint into this file, and not on the terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    at: At,
}

impl Attest {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let signed = session.tenure.publish_checkpoint(session.now)?;
        let note = signed.to_string();
        if let Some(out) = &self.out {
            fs::write(out, &note).with_context(|| format!("can't write {}", out.display()))?;
        }
        let checkpoint = signed.checkpoint();
        if global.json {
            say_json(&json!({
                "origin": checkpoint.origin().as_str(), "size": checkpoint.size(), "checkpoint": note,
            }))?;
        } else if let Some(out) = &self.out {
            say(format_args!("Checkpoint of {} leaves  {}", checkpoint.size(), out.display()))?;
        } else {
            say(note.trim_end_matches('\n'))?;
        }
        Ok(Exit::Done)
    }
}
