//! `tenure init`: a data folder, and a key folder beside it.

use std::io;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tenure_app::TimeKeeping;
use tenure_model::Instant;
use tenure_tlog::checkpoint::Origin;

use super::Global;
use super::policy::{Sources, print_refusals};
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::{self, key_folder};

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Let every command say what time it is, for demonstrations and tests
    #[arg(long)]
    simulated: bool,
    /// Publish these policy files, or folders of versions, at once
    #[arg(long, value_name = "PATH")]
    policy: Vec<PathBuf>,
    /// The name of the log, which its keys and receipts bear: an address of yours without its scheme, such as
    /// `log.example.com/tenure`
    #[arg(long, value_name = "NAME")]
    origin: Option<Origin>,
    /// The instant of the setting up, with --simulated
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
}

impl Init {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let sources = Sources::read(&self.policy.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        if let Err(refusals) = sources.compile_each() {
            print_refusals(&sources, &refusals, global.json, &mut io::stdout().lock())?;
            return Ok(Exit::Refused);
        }
        let files = sources.files();
        let time = if self.simulated { TimeKeeping::Simulated } else { TimeKeeping::Real };
        let tenure = session::init(&global.data, time, self.origin, self.at)?;
        let now = match self.at {
            Some(at) => at,
            None => session::clock()?,
        };
        let published = if files.is_empty() { Vec::new() } else { tenure.publish(&files, now)? };
        tenure.publish_checkpoint(now)?;
        if global.json {
            say_json(
                &json!({"data": global.data, "keys": key_folder(&global.data), "published": published}),
            )?;
            return Ok(Exit::Done);
        }
        say(format_args!("Data    {}", global.data.display()))?;
        say(format_args!(
            "Keys    {}  (never back these up together with the data)",
            key_folder(&global.data).display()
        ))?;
        for version in &published {
            say(format_args!("Policy  {version}"))?;
        }
        if published.is_empty() {
            say("Next    tenure policy publish FILE")?;
        }
        Ok(Exit::Done)
    }
}
