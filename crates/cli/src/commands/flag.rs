//! `tenure flag`: what a classifier found about a record.

use clap::Args;
use serde_json::json;
use tenure_app::Scan;
use tenure_store::RecordId;

use super::explain::copies_line;
use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::Intent;
use crate::speech::date;

#[derive(Debug, Args)]
pub(crate) struct Flag {
    /// The record
    record: RecordId,
    /// It was looked at and violates nothing: an earlier flag is cleared
    #[arg(long)]
    clear: bool,
    #[command(flatten)]
    at: At,
}

impl Flag {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let before = session.tenure.explain(self.record, session.now)?;
        let scan = if self.clear { Scan::Clear } else { Scan::Flagged };
        session.tenure.scan(self.record, scan, session.now)?;
        let after = session.tenure.explain(self.record, session.now)?;
        if global.json {
            return say_json(&json!({"flagged": !self.clear, "explanation": after})).map(|()| Exit::Done);
        }
        let was = before.record.flagged_at;
        say(match (self.clear, was) {
            (false, Some(since)) => format!("The record was flagged already, on {}.", date(since)),
            (false, None) => format!("Recorded: the record is flagged, {}.", date(session.now)),
            (true, Some(_)) => {
                "Recorded: the flag is cleared, and the record counts as looked at.".to_owned()
            }
            (true, None) => "Recorded: the record was looked at and violates nothing.".to_owned(),
        })?;
        say(copies_line(&after))?;
        Ok(Exit::Done)
    }
}
