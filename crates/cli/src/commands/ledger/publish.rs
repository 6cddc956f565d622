//! `tenure ledger publish`: the log as files, for any web server to serve.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tenure_server::publish::PublishError;
use tenure_server::{Folder, publish_witnessed};

use super::arguments::Asking;
use super::serve::{OwnLog, complain_of};
use crate::Exit;
use crate::commands::Global;
use crate::output::{paint, say, say_json};
use crate::speech::{grouped, some};

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The folder to publish to, made if need be
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    asking: Asking,
}

impl Publish {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let witnesses = self.asking.witnesses()?;
        let (log, known) = OwnLog::open(&global.data)?;
        let folder = Folder::open(&self.folder)
            .with_context(|| format!("can't publish to {}", self.folder.display()))?;
        let (published, asked) = match publish_witnessed(&log, &known, &folder, &witnesses) {
            Err(error @ PublishError::Fork { .. }) => return refuse(&error.to_string(), global.json),
            Err(PublishError::Contradicted(contradicted)) => {
                let saw = &contradicted.saw;
                return refuse(&format!("nothing was published: {saw}\n\n{contradicted}"), global.json);
            }
            other => other?,
        };
        let cosigning = complain_of(asked);
        // It is published all the same; those who require the witnesses will wait for them.
        let exit = if cosigning.without == 0 { Exit::Done } else { Exit::Refused };
        if global.json {
            say_json(&json!({
                "published": true,
                "origin": known.origin().as_str(),
                "from": published.from,
                "size": published.to,
                "files": published.written,
                "cosignatures": cosigning.given,
            }))?;
            return Ok(exit);
        }
        let size = some(published.to, "statement");
        if published.written == 0 {
            say(format_args!("{size}: all of them were published before."))?;
        } else {
            let new = grouped(published.to - published.from);
            let files = some(published.written, "file");
            say(format_args!("{size} published in {}: {new} new, in {files}.", self.folder.display()))?;
        }
        if cosigning.given > 0 {
            let cosignatures = some(cosigning.given as u64, "cosignature");
            say(format_args!("The checkpoint carries {cosignatures} of witnesses."))?;
        }
        Ok(exit)
    }
}

fn refuse(reason: &str, json: bool) -> anyhow::Result<Exit> {
    if json {
        say_json(&json!({"published": false, "reason": reason}))?;
    } else {
        say(paint("1;31", &format!("REFUSED: {reason}")))?;
    }
    Ok(Exit::Refused)
}
