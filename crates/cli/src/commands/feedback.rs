//! `tenure feedback`: somebody gave feedback on a record, which keeps a copy of its own.

use clap::Args;
use serde_json::json;
use tenure_store::RecordId;

use super::explain::copies_line;
use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::Intent;
use crate::speech::date;

#[derive(Debug, Args)]
pub(crate) struct Feedback {
    /// The record
    record: RecordId,
    #[command(flatten)]
    at: At,
}

impl Feedback {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let before = session.tenure.explain(self.record, session.now)?.record.feedback_at;
        session.tenure.feedback(self.record, session.now)?;
        let after = session.tenure.explain(self.record, session.now)?;
        if global.json {
            return say_json(&json!({"feedback": true, "explanation": after})).map(|()| Exit::Done);
        }
        say(match before {
            Some(since) => format!("Feedback was recorded already, on {}.", date(since)),
            None => format!("Recorded: feedback was given, {}.", date(session.now)),
        })?;
        say(copies_line(&after))?;
        Ok(Exit::Done)
    }
}
