//! `tenure hold`: places, amends, releases and shows orders to preserve.

mod scope;
mod show;

use clap::{Args, Subcommand};
use serde_json::json;
use tenure_app::HoldScope;

use self::scope::Scope;
use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::Intent;

#[derive(Debug, Subcommand)]
pub(crate) enum Hold {
    /// Preserve what an order covers, at once
    Place(Box<Place>),
    /// Give a hold another scope, named as a whole, from now on; what that leaves out is released
    Amend(Box<Amend>),
    /// End a hold; what it alone kept has the grace of its terms left
    Release(Release),
    /// List holds, released ones too
    List(List),
    /// Show a hold with its versions
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Place {
    /// A name for the hold
    id: String,
    #[command(flatten)]
    scope: Scope,
    /// The people concerned may not be told
    #[arg(long)]
    secret: bool,
    /// Only say what it would cover, and what would otherwise be destroyed and when
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Amend {
    /// The hold
    id: String,
    #[command(flatten)]
    scope: Scope,
    /// The people concerned may not be told from now on
    #[arg(long, conflicts_with = "told")]
    secret: bool,
    /// The people concerned may be told from now on
    #[arg(long)]
    told: bool,
    /// Only say what it would cover and leave out, and what would then be destroyed and when
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Release {
    /// The hold
    id: String,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The hold
    id: String,
    #[command(flatten)]
    at: At,
}

impl Hold {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Place(place) => place.run(global),
            Self::Amend(amend) => amend.run(global),
            Self::Release(release) => release.run(global),
            Self::List(list) => list.run(global),
            Self::Show(show) => show.run(global),
        }
    }
}

/// What a command does that may be asked for a preview.
const fn intent(preview: bool) -> Intent {
    if preview { Intent::Look } else { Intent::Change }
}

impl Place {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, intent(self.preview))?;
        let scope = HoldScope::from(self.scope);
        if self.preview {
            let preview = session.tenure.preview_hold(&self.id, &scope, session.now)?;
            if global.json {
                say_json(&preview)?;
            } else {
                show::preview(&self.id, &preview)?;
            }
            return Ok(Exit::Done);
        }
        session.tenure.place_hold(&self.id, scope, !self.secret, session.now)?;
        if global.json {
            say_json(&json!({"placed": self.id, "at": session.now}))?;
        } else {
            say(format_args!(
                "Hold {} is in force since {}. What it covers is not destroyed.",
                self.id, session.now
            ))?;
        }
        Ok(Exit::Done)
    }
}

impl Amend {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, intent(self.preview))?;
        let scope = HoldScope::from(self.scope);
        if self.preview {
            let preview = session.tenure.preview_amendment(&self.id, &scope, session.now)?;
            if global.json {
                say_json(&preview)?;
            } else {
                show::preview(&self.id, &preview)?;
            }
            return Ok(Exit::Done);
        }
        let may_tell = (self.secret || self.told).then_some(self.told);
        session.tenure.amend_hold(&self.id, scope, may_tell, session.now)?;
        if global.json {
            let version = session.tenure.hold(&self.id)?.version;
            say_json(&json!({"amended": self.id, "version": version, "at": session.now}))?;
        } else {
            say(format_args!(
                "Hold {} has this scope since {}. What it no longer covers has the grace of its terms left.",
                self.id, session.now
            ))?;
        }
        Ok(Exit::Done)
    }
}

impl Release {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        session.tenure.release_hold(&self.id, session.now)?;
        if global.json {
            say_json(&json!({"released": self.id, "at": session.now}))?;
        } else {
            say(format_args!(
                "Hold {} is released. What it alone kept has the grace of its terms left.",
                self.id
            ))?;
        }
        Ok(Exit::Done)
    }
}

impl List {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        let holds = session.tenure.holds()?;
        if global.json {
            say_json(&holds)?;
        } else {
            show::list(holds)?;
        }
        Ok(Exit::Done)
    }
}

impl Show {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        let hold = session.tenure.hold(&self.id)?;
        if global.json {
            say_json(&hold)?;
        } else {
            show::history(&hold)?;
        }
        Ok(Exit::Done)
    }
}
