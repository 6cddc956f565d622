//! `tenure init`: a data folder, and a key folder beside it.

use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde_json::json;
use tenure_app::TimeKeeping;
use tenure_model::Instant;
use tenure_tlog::checkpoint::Origin;
use tenure_vault::{BodyPlace, NewRoot, S3Address, TransitError};

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
    /// Keep bodies in a bucket instead of the data folder: `s3://BUCKET/PREFIX`. The usual variables, such as
    /// `AWS_ACCESS_KEY_ID`, say who asks, on every command
    #[arg(long, value_name = "PLACE")]
    bodies: Option<String>,
    /// The server of the bucket, if it is not Amazon's
    #[arg(long, value_name = "URL", requires = "bodies")]
    s3_endpoint: Option<String>,
    /// The region of the bucket [default: us-east-1]
    #[arg(long, value_name = "NAME", requires = "bodies")]
    s3_region: Option<String>,
    /// Where the root key lies: `folder`, or `transit:KEY` or `transit:MOUNT/KEY` for a key of a Transit engine that
    /// is made now. `VAULT_ADDR` and `VAULT_TOKEN` say where and who asks, on every command
    #[arg(long, value_name = "PLACE", default_value = "folder")]
    key_store: KeyPlace,
    /// Judge and report, and destroy nothing, until `tenure destruction observe off`
    #[arg(long)]
    observe: bool,
    /// The instant of the setting up, with --simulated
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
}

/// Where the root key of a new vault lies.
#[derive(Debug, Clone, PartialEq, Eq)]
enum KeyPlace {
    Folder,
    Transit { mount: String, key: String },
}

impl FromStr for KeyPlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "give `folder`, `transit:KEY` or `transit:MOUNT/KEY`";
        match text.split_once(':') {
            None if text == "folder" => Ok(Self::Folder),
            Some(("transit", place)) => {
                let (mount, key) = place.rsplit_once('/').unwrap_or(("transit", place));
                if mount.is_empty() || key.is_empty() {
                    return Err(FORM);
                }
                Ok(Self::Transit { mount: mount.to_owned(), key: key.to_owned() })
            }
            _ => Err(FORM),
        }
    }
}

impl KeyPlace {
    fn root(&self) -> Result<NewRoot, TransitError> {
        match self {
            Self::Folder => Ok(NewRoot::InFolder),
            #[cfg(feature = "transit")]
            Self::Transit { mount, key } => {
                let server = tenure_vault::TransitServer::from_environment()?;
                Ok(NewRoot::InTransit { server, mount: mount.clone(), key: Some(key.clone()) })
            }
            #[cfg(not(feature = "transit"))]
            Self::Transit { .. } => Err(TransitError::NotBuilt),
        }
    }
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
        let packs = match &self.bodies {
            Some(place) => BodyPlace::S3(S3Address::parse(
                place,
                self.s3_endpoint.as_deref(),
                self.s3_region.as_deref(),
            )?),
            None => BodyPlace::Folder,
        };
        let tenure =
            session::init(&global.data, time, self.origin, &self.key_store.root()?, &packs, self.at)?;
        let now = match self.at {
            Some(at) => at,
            None => session::clock()?,
        };
        if self.observe {
            tenure.observe_only(true)?;
        }
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
        if let Some(place) = &self.bodies {
            say(format_args!("Bodies  {place}"))?;
        }
        if self.observe {
            say("Mode    observes only: nothing is destroyed until `tenure destruction observe off`")?;
        }
        for version in &published {
            say(format_args!("Policy  {version}"))?;
        }
        if published.is_empty() {
            say("Next    tenure policy publish FILE")?;
        }
        Ok(Exit::Done)
    }
}
