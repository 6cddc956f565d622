//! `tenure acknowledge` and `tenure inform`: what a person was told, and what they acknowledged.

use clap::Args;
use serde_json::json;
use tenure_app::{Error, Tenure};
use tenure_model::Instant;
use tenure_receipts::Receipt;

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::Intent;
use crate::speech::date;

#[derive(Debug, Args)]
pub(crate) struct Acknowledge {
    #[command(flatten)]
    about: About,
}

#[derive(Debug, Args)]
pub(crate) struct Inform {
    #[command(flatten)]
    about: About,
}

#[derive(Debug, Args)]
struct About {
    /// The account
    account: String,
    /// The version, or `policy@version` where two policies have one of that name
    version: String,
    #[command(flatten)]
    at: At,
}

impl Acknowledge {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        self.about.record(global, "acknowledged", Tenure::acknowledge)
    }
}

impl Inform {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        self.about.record(global, "informed", Tenure::inform)
    }
}

impl About {
    fn record(
        self,
        global: &Global,
        what: &str,
        record: impl Fn(&Tenure, &str, &str, Instant) -> Result<Receipt, Error>,
    ) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let (tenure, now) = (&session.tenure, session.now);
        let bound = |summary: &tenure_app::explain::AccountSummary| -> Vec<String> {
            summary.terms.iter().map(|terms| format!("{}@{}", terms.policy, terms.bound)).collect()
        };
        let before = bound(&tenure.summary(&self.account, now)?);
        let receipt = record(tenure, &self.account, &self.version, now)?;
        let after = bound(&tenure.summary(&self.account, now)?);
        if global.json {
            say_json(&json!({
                "recorded": what, "version": self.version, "at": now, "ledger": receipt.proof().index, "bound": after,
            }))?;
            return Ok(Exit::Done);
        }
        let did = if what == "informed" { "the account was told of" } else { "the account acknowledged" };
        say(format_args!(
            "Recorded: {did} version {}, {}. It is entry {} of the ledger.",
            self.version,
            date(now),
            receipt.proof().index
        ))?;
        say(if before == after {
            format!("It is bound by {}, as before.", crate::speech::and(&after))
        } else {
            format!(
                "It is bound by {} now, and was bound by {}.",
                crate::speech::and(&after),
                crate::speech::and(&before)
            )
        })?;
        Ok(Exit::Done)
    }
}
